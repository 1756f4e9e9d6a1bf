"""A real grocer, the whole way: `nudge run` on the public Complete Journey files, as the example converts them.

Every transaction is accounted for, both goals get a champion that is better than the base rate on the last weeks, decisions
are made and a report says so. Skipped where the data is not there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from local import cli
from local.examples import complete_journey

TRANSACTIONS, RECEIVED, REDEEMED = 43_584, 2_850, 585
DISCOUNTS, USED = 21_318, 604
HOUSEHOLDS, PRODUCTS = 2_279, 92_331


@pytest.fixture(scope="module")
def grocer(tmp_path_factory: pytest.TempPathFactory, public_data: Path) -> Path:
    """The four files."""
    data = public_data / "complete-journey"
    if not data.is_dir():
        pytest.skip("public data is absent: complete-journey/")
    out = tmp_path_factory.mktemp("grocer")
    complete_journey.convert(data, out)
    return out


@pytest.fixture(scope="module")
def told(grocer: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `nudge run --json` prints for them."""
    out = tmp_path_factory.mktemp("run")
    files = [part for kind in ("users", "events", "items") for part in (f"--{kind}", str(grocer / f"{kind}.csv"))]
    printed = _printed(
        ["run", "--json", *files, "--plan", str(grocer / "plan.yaml"), "--people", "200", "--out", str(out)]
    )
    assert (out / "report.html").stat().st_size > 5_000
    return printed


def _printed(arguments: list[str]) -> dict[str, Any]:
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert cli.main(arguments) == 0
    answer: dict[str, Any] = json.loads(printed.getvalue())
    return answer


def test_every_line_of_every_receipt_becomes_one_event(grocer: Path, public_data: Path) -> None:
    lines = complete_journey.read(public_data / "complete-journey", "transactions_sample")
    events = pl.read_csv(grocer / "events.csv", infer_schema=False)
    bought = events.filter(pl.col("event_type") == "purchase")
    assert (lines.height, bought.height, bought["event_id"].n_unique()) == (TRANSACTIONS, TRANSACTIONS, TRANSACTIONS)
    assert bought["value"].cast(pl.Float64).sum() == pytest.approx(lines["sales_value"].cast(pl.Float64).sum())
    assert events["event_type"].value_counts().sort("event_type").rows() == [
        ("campaign_received", RECEIVED),
        ("coupon_redeemed", REDEEMED),
        ("coupon_used", USED),
        ("discount_taken", DISCOUNTS),
        ("purchase", TRANSACTIONS),
    ]


def test_every_row_is_read_and_accepted(told: dict[str, Any]) -> None:
    expected = {"users": HOUSEHOLDS, "events": TRANSACTIONS + RECEIVED + REDEEMED + USED + DISCOUNTS, "items": PRODUCTS}
    for kind, rows in expected.items():
        assert told["rows"][kind] == {"read": rows, "accepted": rows, "rejected": 0, "duplicate": 0}, kind
    for counts in told["rows"].values():
        assert counts["read"] == counts["accepted"] + counts["rejected"] + counts["duplicate"]


@pytest.mark.parametrize(("goal", "auc"), [("buys_produce", 0.70), ("redeems", 0.70)])
def test_a_champion_beats_the_base_rate_on_the_last_weeks(told: dict[str, Any], goal: str, auc: float) -> None:
    model = told["models"][goal]
    assert model["champion"]
    assert model["gate"]["promoted"]
    assert model["gate"]["reason"].startswith("better than the base rate")
    value, low, _ = model["metrics"]["auc"]
    assert value > auc
    assert low > 0.6


def test_decisions_are_made_and_reported(told: dict[str, Any]) -> None:
    assert told["rows"]["decisions"]["accepted"] == 200
    assert set(told["report"]) == {"buys_produce", "redeems"}
    assert set(told["report"]["buys_produce"]) >= {"produce_banner"}
    assert set(told["report"]["redeems"]) >= {"coupon_reminder"}
    assert not [note for note in told["notes"] if "failed" in note]
    assert told["seconds"]["total"] > 0
