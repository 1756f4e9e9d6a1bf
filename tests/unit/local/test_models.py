"""`nudge models`: what a person sees of what is stored, without a stack."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local import models, stack
from local.cli import main
from nudge.errors import NotFound

LINE = {
    "name": "purchase",
    "version": "20260805-3c503438b0aa",
    "kind": "blend",
    "champion": True,
    "previous": False,
    "figures": {"auc": 0.7412, "log_loss": 0.3121},
    "reason": "better than the base rate",
}
CARD: dict[str, Any] = {
    "version": "20260805-3c503438b0aa",
    "kind": "blend",
    "champion": True,
    "previous": False,
    "data": {"rows": {"events": 100}, "snapshot": "5f0a"},
    "metrics": {"auc": [0.7412, 0.72, 0.76], "plain": 3, "odd": "text"},
    "verdict": {"reason": "better", "gates": [{"name": "leak", "passed": False, "said": "leak alarm"}]},
    "segments": [{"segment": "new", "rows": 900, "said": 0.11, "was": [0.1, 0.08, 0.12], "auc": [0.7, 0.6, 0.8]}],
    "importances": [{"name": "count.purchase.30d", "share": 0.6}],
    "limits": ["Traits may leak."],
    "libraries": {"sklearn": "1.7"},
}
RUN: dict[str, Any] = {
    "name": "2026-11-22T03:00:00Z",
    "why": "schedule",
    "tasks": ["purchase", "visit", "moon"],
    "begun": {"purchase": {"times": 1, "token": 1}, "visit": {"times": 2, "token": 1}},
    "ended": {"purchase": {"promoted": True, "failed": False, "seconds": 12.3, "reason": "better"}},
}


@pytest.fixture(autouse=True)
def no_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "versions", lambda name: {name or "purchase": [LINE], "moon": []})
    monkeypatch.setattr(stack, "card", lambda name, version: CARD)
    monkeypatch.setattr(stack, "progress", lambda run: RUN)


def test_a_list_has_a_line_a_version_and_says_where_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    said = capsys.readouterr().out
    assert "champion  auc 0.7412 log_loss 0.3121  better than the base rate" in said
    assert "moon: no model yet" in said
    assert main(["models", "list", "visit", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["visit"] == [LINE]


def test_a_card_is_shown_in_short_or_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "show", "purchase"]) == 0
    said = capsys.readouterr().out
    for words in (
        "purchase 20260805-3c503438b0aa (blend): champion",
        "auc 0.7412 (0.72 to 0.76)",
        "FAILED leak: leak alarm",
        "new: 900 rows, said 11.0%, came 10.0%, AUC 0.700 (0.600 to 0.800)",
        "60.0% count.purchase.30d",
        "made with: sklearn 1.7",
    ):
        assert words in said
    assert main(["models", "show", "purchase", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == CARD


def test_progress_says_how_each_task_stands() -> None:
    head, purchase, visit, moon = models.progress(RUN)
    assert head == "2026-11-22T03:00:00Z (schedule): 1 of 3 ended"
    assert purchase.split() == ["purchase", "promoted", "12.3", "s", "better"]
    assert visit.endswith("under way")
    assert moon.endswith("waits")


def test_a_promotion_says_what_was_checked_and_by_whom_it_was_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def promote(name: str, version: str, *, reason: str, by: str, force: bool) -> str:
        asked.append((name, version, reason, by, force))
        if version == "none":
            raise NotFound("there is no such version")
        return "signature, structure and 12 golden rows hold"

    monkeypatch.setattr(stack, "promote", promote)
    assert main(["models", "promote", "purchase", "v2", "--by", "ada", "--reason", "it is good"]) == 0
    assert asked == [("purchase", "v2", "it is good", "ada", False)]
    assert "v2 is in force (signature, structure and 12 golden rows hold)" in capsys.readouterr().out
    assert main(["models", "promote", "purchase", "none"]) == 1
    assert "no such version" in capsys.readouterr().err


def test_a_rollback_tells_where_it_went(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(stack, "roll_back", lambda name, version, *, by: f"the one before ({by})")
    assert main(["models", "rollback", "purchase", "--by", "ada"]) == 0
    assert capsys.readouterr().out == "purchase: the one before (ada) is in force again\n"
