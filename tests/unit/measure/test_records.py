"""What a report reads of records: candidates, campaign, traits that are words; and nothing breaks where a record says less."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import polars as pl

from nudge.measure import records


def body(*held: dict[str, Any] | str | None) -> bytes:
    rows = [
        {"decision_id": f"d{n}", "record": json.dumps(one) if isinstance(one, dict) else one}
        for n, one in enumerate(held)
    ]
    out = BytesIO()
    pl.DataFrame(rows, schema={"decision_id": pl.String, "record": pl.String}).write_parquet(out)
    return out.getvalue()


OFFER = {"activity": "mail", "probability": 0.1, "value": 2.0, "propensity": 0.5, "removed": None}
FULL = {
    "candidates": [OFFER, {**OFFER, "activity": "push", "propensity": 0.0, "removed": "no_consent"}],
    "context": {"campaign": "spring", "page": "home"},
    "vector": {"trait.country": "DE", "trait.age": 31.0, "total.purchase": 3.0, "days_since.purchase": 12.5},
    "person": {"spend": 40.0, "alive": 0.9},
}


def test_candidates_campaign_traits_orders_and_expected_spend_are_read() -> None:
    one = records.read([body(FULL)], "purchase").row(0, named=True)
    assert one["campaign"] == "spring"
    assert [(offer["activity"], offer["removed"]) for offer in one["offered"]] == [
        ("mail", None),
        ("push", "no_consent"),
    ]
    assert one["traits"] == [{"name": "country", "level": "DE"}]
    assert (one["orders"], one["since"], one["spend"]) == (3.0, 12.5, 40.0)


def test_a_campaign_of_the_decision_itself_goes_before_that_of_its_context() -> None:
    assert records.read([body(FULL | {"campaign": "summer"})], None)["campaign"].to_list() == ["summer"]


def test_what_a_record_does_not_say_is_null_and_no_record_says_nothing() -> None:
    told = records.read([body({}, None), body()], "purchase")
    assert told.drop("decision_id").null_count().row(0) == (2,) * 6
    assert told.columns == list(records.TOLD)


def test_a_part_with_a_broken_record_tells_its_ids_and_the_others_everything() -> None:
    told = records.read([body("{broken", FULL), body(FULL)], "purchase")
    assert told.height == 2
    assert told.schema == pl.DataFrame(schema=records.TOLD).schema
    other = records.read([body("no json")], None)
    assert other["offered"].to_list() == [None]


def test_a_decision_that_lies_there_twice_is_told_once() -> None:
    assert records.read([body(FULL), body(FULL)], "purchase").height == 1
