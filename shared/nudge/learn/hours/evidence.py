"""Messages and their human answers; and when people are active. In: events with all columns, decisions, zones. Out:
plain frames.

An answer is the first human open or click of a message within a day. A machine's is none: too soon after delivery,
many links in one second, or a user agent that says so. A message that was held (quiet hours) tells nothing of its
hour: it is left out, unless its hour was drawn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import polars as pl

from nudge.vocabulary import DAY, SECOND, Micros

ANSWERS = ("open", "click")
WITHIN: Micros = DAY
TOO_SOON: Micros = 5 * SECOND
MANY_LINKS = 3
MACHINES = (
    r"(?i)bot\b|crawler|spider|barracuda|mimecast|proofpoint|safelinks|scanner|preview|python|curl/|wget|headless|go-http|java/"
    r"|^mozilla/5\.0$"
)
AGENT = r'"userAgent":\s*"([^"]*)"'
HELD: Micros = 60 * SECOND
HOUR: Micros = 3600 * SECOND


def messages(everything: pl.LazyFrame, decisions: pl.DataFrame, channel: str) -> pl.DataFrame:
    """`user_id decision_id at answered delay`: each message that was sent, in order of time; delay in µs, null without
    an answer."""
    kinds = [f"{channel}_{name}" for name in ("sent", "delivery", *ANSWERS)]
    names = everything.collect_schema().names()
    wanted = ("user_id", "decision_id", "event_type", "event_time", "properties")
    if "decision_id" not in names:
        return pl.DataFrame(schema=_MESSAGE)
    text = pl.col("properties").cast(pl.String) if "properties" in names else pl.lit(None, pl.String)
    told = (
        everything.filter(pl.col("event_type").is_in(kinds) & pl.col("decision_id").is_not_null())
        .select(*wanted[:3], pl.col("event_time").dt.epoch("us").alias("t"), text.alias("properties"))
        .collect()
    )
    sent = _first(told, kinds[0], "at")
    asked = decisions.join(sent, on="decision_id", how="semi")  # of the others nothing was sent
    sent = sent.join(_held(asked), on="decision_id", how="anti")
    arrived = _first(told, kinds[1], "arrived").drop("user_id")
    answers = told.filter(pl.col("event_type").is_in(kinds[2:]))
    joined = answers.join(sent.select("decision_id", "at"), on="decision_id").join(
        arrived, on="decision_id", how="left"
    )
    since = pl.col("t") - pl.max_horizontal("at", "arrived")
    human = joined.filter((since >= TOO_SOON) & (pl.col("t") - pl.col("at") < WITHIN) & ~_machine())
    delay = (pl.col("t") - pl.col("at")).min().alias("delay")
    first = human.group_by("decision_id").agg(delay)
    found = sent.join(first, on="decision_id", how="left").with_columns(answered=pl.col("delay").is_not_null())
    return found.select(list(_MESSAGE)).sort("at", "decision_id")


_MESSAGE = {
    "user_id": pl.String, "decision_id": pl.String, "at": pl.Int64, "answered": pl.Boolean, "delay": pl.Int64,
}  # fmt: skip


def _first(told: pl.DataFrame, kind: str, name: str) -> pl.DataFrame:
    held = told.filter(pl.col("event_type") == kind)
    return held.group_by("user_id", "decision_id").agg(pl.col("t").min().alias(name)).unique("decision_id")


def _machine() -> pl.Expr:
    """Whether a row of answers is a machine's."""
    agent = pl.col("properties").str.extract(AGENT, 1).str.contains(MACHINES).fill_null(False)
    at_once = pl.len().over("decision_id", pl.col("t") // SECOND) >= MANY_LINKS
    return agent | at_once


def _held(decisions: pl.DataFrame) -> pl.DataFrame:
    """Decisions whose message waited for an hour that nobody drew."""
    held = [one for one, record in decisions.select("decision_id", "record").iter_rows() if _waited(record)]
    return pl.DataFrame({"decision_id": held}, schema={"decision_id": pl.String})


def _waited(record: str | None) -> bool:
    told: Mapping[str, object] = json.loads(record or "{}")
    drawn = told.get("send_time")
    if isinstance(drawn, Mapping) and drawn.get("drawn"):
        return False
    due, decided = told.get("due_at"), told.get("decided_at")
    return isinstance(due, int) and isinstance(decided, int) and due - decided > HELD


def activity(events: pl.LazyFrame, ours: tuple[str, ...], half_life_days: float, before: Micros) -> pl.DataFrame:
    """`user_id hour weight`: decayed counts by hour of the week (UTC), as of a moment: the histogram that a profile
    holds."""
    t = pl.col("event_time").dt.epoch("us")
    weight = ((t - before) / (half_life_days * DAY) * 0.6931471805599453).exp().sum().alias("weight")
    held = events.filter(~pl.col("event_type").is_in(ours) & (t < before))
    hour = ((t // HOUR + 72) % 168).alias("hour")
    return held.group_by("user_id", hour).agg(weight).collect().sort("user_id", "hour")
