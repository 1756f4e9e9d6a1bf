"""A small shop for training tests: people who browse and buy in a way that their past tells, as parts of a lake."""

from __future__ import annotations

import json
from io import BytesIO

import numpy as np
import polars as pl

from nudge.vocabulary import DAY

START = 1_780_000_000_000_000 // DAY * DAY


def plan(*, within_days: float = 7) -> dict[str, object]:
    """A plan with one goal that can be learned and one that never happens."""
    activity = {"goal": "purchase", "channel": "inline", "template": "banner", "cost": 0}
    return {
        "version": "v1",
        "currency": "EUR",
        "timezone": "UTC",
        "goals": {
            "purchase": {"event": "purchase", "within_days": within_days, "value": "from_event"},
            "moon": {"event": "fly_to_the_moon", "within_days": within_days, "value": 1},
        },
        "activities": {"banner": activity},
        "policy": {},
        "channels": {"inline": {}},
        "learn": dict.fromkeys(("value", "recommend", "send_time", "intent", "demand", "uplift"), False),
    }


def events(
    *, people: int = 400, days: int = 70, seed: int = 0, rate: float = 0.05, spread: float = 1.3
) -> pl.DataFrame:
    """Page views and purchases: each person has a taste of their own, so the past tells the future."""
    rng = np.random.default_rng(seed)
    taste = np.exp(rng.normal(0, spread, people))
    rows: list[tuple[str, str, str, int, float | None]] = []
    for number in range(people):
        for kind, mean in (("page_view", 0.3 * taste[number]), ("purchase", rate * taste[number])):
            times = rng.uniform(0, days * DAY, rng.poisson(min(mean, 3.0) * days))
            rows += [
                (f"u{number:04d}", f"{kind}-{number}-{i}", kind, START + int(t), 20.0 if kind == "purchase" else None)
                for i, t in enumerate(sorted(times))
            ]
    schema = {"user_id": pl.String, "event_id": pl.String, "event_type": pl.String, "event_time": pl.Int64}
    frame = pl.DataFrame(rows, schema={**schema, "value": pl.Float64}, orient="row")
    empty = [pl.lit(None, pl.String).alias(name) for name in ("event_action", "item_id", "category")]
    return frame.with_columns(pl.col("event_time").cast(pl.Datetime("us", "UTC")), *empty)


def users(*, people: int = 400) -> pl.DataFrame:
    """Attributes without dates of their own."""
    rows = [
        {
            "user_id": f"u{number:04d}",
            "effective_at": START + 65 * DAY,
            "created_at": START,
            "timezone": "Europe/Berlin",
            "locale": None,
            "attributes": json.dumps({"plan": ("free", "gold")[number % 2], "age": 20 + number % 50, "name": "Ada"}),
        }
        for number in range(people)
    ]
    return pl.DataFrame(rows, schema_overrides={"locale": pl.String}).with_columns(
        pl.col("effective_at", "created_at").cast(pl.Datetime("us", "UTC"))
    )


def decisions(*, people: int = 400, days: int = 70, seed: int = 1) -> pl.DataFrame:
    """A decision a week for every other person, half of them a banner."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(0, people, 2):
        for week in range(1, days // 7):
            at = START + week * 7 * DAY + int(rng.integers(0, DAY))
            activity = "banner" if rng.random() < 0.5 else "nothing"
            vector = {"count.page_view.7d": float(rng.gamma(1, 2)), "days_since.purchase": None}
            rows.append(
                {
                    "decision_id": f"d{number}-{week}",
                    "user_id": f"u{number:04d}",
                    "decided_at": at,
                    "goal": "purchase",
                    "activity": activity,
                    "propensity": 0.5,
                    "record": json.dumps({"vector": vector}),
                }
            )
    return pl.DataFrame(rows).with_columns(pl.col("decided_at").cast(pl.Datetime("us", "UTC")))


def parquet(frame: pl.DataFrame) -> bytes:
    """The frame as one part."""
    body = BytesIO()
    frame.write_parquet(body)
    return body.getvalue()
