"""A whole report, as the flow writes it, for the tests of the page and the exports."""

from __future__ import annotations

from typing import Any

import polars as pl

from nudge import plan
from nudge.measure import audience, customers, findings, frames, prices, quality, records
from nudge.vocabulary import Counts
from tests.unit.measure import world

ARRIVED = (
    ("users", "done", Counts(3000, 2990, 6, 4)),
    ("events", "done", Counts(184_230, 180_100, 1_830, 2_300)),
    ("items", "done", Counts(200, 200, 0, 0)),
    ("decisions", "done", Counts(4_400, 4_400, 0, 0)),
    ("outcomes", "done", Counts(9_100, 9_088, 0, 12)),
)
REASONS = {"events": {"bad_time": 1200, "no_person": 600, "bad_value": 30}, "users": {"bad_email": 6}}
MODELS: list[dict[str, Any]] = [
    {
        "goal": "purchase",
        "kind": "boosting",
        "version": "20260405T0500-8f3a11",
        "metrics": {"log_loss": {"value": 0.3121, "low": 0.301, "high": 0.322}, "auc": {"value": 0.741}},
        "reason": "better than the champion by 0.0042 (0.0011 to 0.0073) in log loss on the last time slice",
        "challenger": {"version": "20260406T0500-11aa02", "reason": "not better by more than noise"},
    },
    {
        "goal": "visit",
        "kind": None,
        "version": None,
        "metrics": {},
        "reason": "212 of 500 positive labels",
        "challenger": None,
    },
]
FORECASTS: list[dict[str, Any]] = [
    {
        "name": "demand.purchase.value.all.day",
        "event": "purchase",
        "of": "value",
        "by": "all",
        "every": "day",
        "method": "library",
        "confidence": 0.95,
        "series": [
            {
                "series": "all",
                "every": "day",
                "points": [{"at": f"2026-03-{n:02d}", "value": 900.0 + 40 * (n % 7)} for n in range(1, 31)],
                "forecast": [
                    {"at": f"2026-04-{n:02d}", "value": 1000.0, "low": 700.0, "high": 1300.0, "naive": 990.0}
                    for n in range(1, 15)
                ],
                "flags": [{"at": "2026-03-20", "kind": "anomaly", "value": 2000.0, "expected": 1000.0, "score": 6.0}],
            }
        ],
    }
]


def report(shop: world.World, *, plan_data: dict[str, Any] | None = None, truth: bool = True) -> dict[str, Any]:
    """The report of a shop, with data quality and models filled in."""
    read = {
        kind: frames.read(shop.bodies(kind), getattr(frames, kind.upper()))
        for kind in ("decisions", "events", "outcomes")
    }
    loaded = plan.load(plan_data or world.PLAN)
    told = records.read(shop.bodies("decisions"), customers.order_event(loaded))
    evidence = findings.Evidence(loaded, **read, now=world.micros(world.NOW), told=told)
    body = findings.report_body(evidence)
    body["customers"] = customers.section(
        evidence,
        read["events"].filter(pl.col("event_type") == "purchase"),
        users=frames.read(shop.bodies("users"), audience.USERS),
        items=frames.read(shop.bodies("items"), audience.ITEMS),
        outcomes=read["outcomes"],
    )
    body["forecasts"] = FORECASTS
    body["costs"] = prices.costs()
    body["data_quality"] = quality.data_quality(ARRIVED, REASONS)
    body["models"] = MODELS
    if truth:
        body = findings.with_truth(body, shop.truth)
    return {"generated_at": world.NOW.isoformat(), "checksum": "5e" * 32, **body}
