"""The card of each model on the page: every kind has one, what a kind lacks is left out, and nothing in it can break out."""

from __future__ import annotations

from typing import Any

import pytest

from nudge.measure.model_cards import model_cards
from nudge.measure.page import page
from tests.unit.measure import reports, world

CARD: dict[str, Any] = {
    "kind": "blend",
    "data": {
        "first_event": 1_775_000_000_000_000,
        "end": 1_780_000_000_000_000,
        "rows": {"events": 184_230, "users": 2_990},
        "snapshot": "5f0a",
    },
    "slices": {"train": {"rows": 900_000, "used": 200_000}, "test": {"rows": 30_000, "used": 30_000}},
    "reliability": [{"said": 0.01, "was": 0.012, "rows": 100}, {"said": 0.3, "was": 0.28, "rows": 100}],
    "importances": [{"name": "count.purchase.30d", "share": 0.6}, {"name": "trait.<b>", "share": 0.4}],
    "features": ["count.purchase.30d", "trait.<b>"],
    "definitions": {"count.purchase.30d": "how many purchase; one counts half as much every 30 days"},
    "segments": [
        {
            "segment": "newcomers",
            "rows": 900,
            "positives": 90,
            "said": 0.11,
            "was": [0.1, 0.08, 0.12],
            "auc": [0.7, 0.6, 0.8],
        }
    ],
    "limits": ["Traits may leak."],
    "libraries": {"scikit-learn": "1.7"},
}
DRIFT = {
    "version": "v1",
    "score": 0.4,
    "inputs": 0.1,
    "moved": {"count.purchase.30d": 1.2},
    "over": {"score": 1.6, "inputs": 0.0, "calibration": 0.2},
    "calibration": {"rows": 400, "came": 40, "expected": 44.2, "gap": [0.0, -0.1, 0.1]},
}


def model(**changes: Any) -> dict[str, Any]:
    one = {
        "goal": "purchase",
        "kind": "blend",
        "version": "v1",
        "metrics": {"auc": {"value": 0.741, "low": 0.72, "high": 0.76}},
        "reason": "better",
        "signature": "verified",
        "gates": [
            {"name": "leak", "passed": True, "said": "none"},
            {"name": "better", "passed": False, "said": "<i>no"},
        ],
        "card": CARD,
        "drift": {},
        "challenger": None,
    }
    return one | changes


def test_a_card_says_what_a_reader_must_know() -> None:
    html = str(model_cards([model()]))
    for words in (
        "Signature verified",
        "Learned from 31 March 2026 to 28 May 2026",
        "184,230 events",
        "snapshot 5f0a",
        "200,000 of 900,000 rows to train",
        "0.741 (0.72 to 0.76)",
        "Gates: 1 of 2 passed",
        "newcomers",
        "one counts half as much every 30 days",
        "Traits may leak.",
        "scikit-learn 1.7",
        "30.0 % said, 28.0 % came".replace(" %", "\u00a0%"),
    ):
        assert words in html, words
    assert html.count("<circle") == 2


def test_nothing_of_a_card_becomes_html() -> None:
    html = str(model_cards([model()]))
    assert "trait.&lt;b&gt;" in html
    assert "<i>" not in html


def test_drift_is_a_notice_when_it_crosses_the_threshold_and_a_line_when_not() -> None:
    far = str(model_cards([model(drift=DRIFT)]))
    assert 'class="notice"' in far
    assert "count.purchase.30d (1.2)" in far
    near = str(model_cards([model(drift=DRIFT | {"over": {"score": 0.9}})]))
    assert "No drift beyond the plan" in near
    assert "of 400 later outcomes 40 came, 44.2 were expected" in near


@pytest.mark.parametrize(
    "card",
    [
        {
            "kind": "demand",
            "features": {"series": "count of purchase by day"},
            "limits": ["No holidays."],
            "parity": 0.0,
        },
        {"kind": "recommend", "features": ["recent"], "definitions": {"recent": "items met"}, "metrics": {}},
        {"kind": "value", "reads": {"total": "orders ever"}, "features": [], "data": {"rows": 7}},
        {"kind": "intent", "slices": {"train": {"rows": 5}, "capped": 0}, "reliability": {"x": 1}},
        {"kind": "uplift", "features": [{"name": "total.visit", "type": "number"}], "segments": [{"name": "odd"}]},
        {"kind": "hours", "importances": [{"share": 0.3}], "segments": "none", "data": {"rows": {"kind": "text"}}},
    ],
)
def test_a_card_of_any_kind_is_shown(card: dict[str, Any]) -> None:
    html = str(model_cards([model(card=card, kind=card["kind"], gates=[], metrics={}, signature=None)]))
    assert card["kind"] in html
    assert "Signature not checked" in html


def test_the_page_holds_the_cards_and_is_silent_without_any() -> None:
    report = reports.report(world.World(), truth=False)
    assert "Model cards" not in page(report)
    assert "Model cards" in page(report | {"models": [model()]})
