"""A world of mails for tests of send times: people with hours of their own, who answer when they are there."""

from __future__ import annotations

import json

import numpy as np
import polars as pl

from nudge.vocabulary import DAY, SECOND

START = 1_780_000_000_000_000 // DAY * DAY
HOUR = 3600 * SECOND


def world(
    *,
    people: int = 150,
    weeks: int = 10,
    seed: int = 0,
    personal: bool = True,
    zone: str = "UTC",
    machines: bool = False,
) -> pl.DataFrame:
    """Rows of events, all columns: page views at a person's favourite hour (`who % 24` with `personal`, else anybody's), mails at random hours,
    opened soon where the person is there soon."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []

    def add(who: str, kind: str, at: int, decision: str | None = None, **more: object) -> None:
        rows.append(
            {
                "user_id": who,
                "event_id": f"{who}-{len(rows)}",
                "event_type": kind,
                "event_time": at,
                "decision_id": decision,
                "channel": "email" if decision else None,
                "properties": json.dumps(more) if more else None,
            }
        )

    for number in range(people):
        who = f"u{number:04d}"
        favourite = number % 24
        for day in range(weeks * 7):
            for _ in range(rng.poisson(1.0)):
                hour = (favourite + rng.integers(-1, 2)) % 24 if personal else rng.integers(0, 24)
                add(who, "page_view", START + day * DAY + int(hour) * HOUR + int(rng.integers(0, HOUR)))
        for week in range(weeks):
            at = START + (week * 7 + int(rng.integers(0, 7))) * DAY + int(rng.integers(0, 24 * HOUR))
            mail = f"d{number}-{week}"
            add(who, "email_sent", at, mail)
            add(who, "email_delivery", at + SECOND, mail)
            gone = ((at - START) // HOUR) % 24
            wait = (favourite - gone) % 24 if personal else 2
            if machines:
                add(who, "email_open", at + 2 * SECOND, mail)
            if rng.random() < (0.7 if wait <= 2 else 0.1):
                add(
                    who, "email_open", at + 60 * SECOND + int(wait) * HOUR, mail, ses={"userAgent": "Mozilla/5.0 (X11)"}
                )
    frame = pl.DataFrame(
        rows, schema_overrides={"decision_id": pl.String, "channel": pl.String, "properties": pl.String}
    )
    empty = [pl.lit(None, pl.String).alias(name) for name in ("event_action", "item_id", "category")]
    moved = pl.col("event_time").cast(pl.Datetime("us", "UTC"))
    return frame.with_columns(moved, pl.lit(None, pl.Float64).alias("value"), *empty)
