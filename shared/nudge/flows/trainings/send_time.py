"""When people answer messages of a channel: messages with their answers and people's hours → the next best hour of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from nudge.errors import BadInput
from nudge.flows.training_rows import History
from nudge.flows.trainings.task import Made, Present, Task, Tell
from nudge.learn import Recipe
from nudge.learn.hours.card import Setting
from nudge.learn.hours.evidence import ANSWERS, activity, messages
from nudge.learn.hours.fit import Told, channels, told
from nudge.learn.hours.gate import gates
from nudge.learn.hours.train import enough, train
from nudge.profile.spec import HOURS, TOTAL
from nudge.score import hours
from nudge.vocabulary import Micros

ZONE = "trait.timezone"


def make(task: Task, history: History, present: Present, recipe: Recipe, tell: Tell, now: Micros) -> Made:
    """A challenger for the send time of a channel. Raises NotReady with what is missing."""
    channel = str(task.options["channel"])
    tell("reading messages and answers")
    decisions = history.log.recorded(history.log.decisions)
    everything = history.log.of_drawn(history.everything)
    sent = messages(everything, decisions, channel)
    enough(sent.height, int(sent["answered"].sum()))
    zones = _zones(history.traits)

    def at(moment: Micros) -> Told:
        held = activity(history.events, HOURS.leave_out, HOURS.half_life_days, moment)
        return told(sent, held, zones, task.plan.timezone, moment)

    setting = Setting(
        name=task.name,
        channel=channel,
        open_minutes=_minutes(task.options["open_hours"]),
        half_life_days=float(HOURS.half_life_days),
        total_slot=TOTAL,
        channels=_channels(everything, decisions, {channel: sent}),
    )
    tell("fitting")
    made = train(at, setting, history.end, data=history.data([]), recipe=recipe, load=hours.load)
    tell("judging")
    answer = gates(made, _scorer(present), recipe)
    return Made(
        made.version, made.kind, made.model, made.card, made.metrics, answer.passed, answer.reason, answer.gates
    )


def _zones(traits: pl.DataFrame) -> dict[str, str]:
    """The zone that each person named last."""
    named = traits.filter((pl.col("name") == ZONE) & pl.col("text").is_not_null())
    latest = named.group_by("user_id", maintain_order=True).last()
    return dict(zip(latest["user_id"].to_list(), latest["text"].to_list(), strict=True))


def _minutes(said: Mapping[str, Any]) -> tuple[int, int]:
    start, until = (str(said[edge]).split(":") for edge in ("start", "until"))
    return int(start[0]) * 60 + int(start[1]), int(until[0]) * 60 + int(until[1])


def _channels(
    everything: pl.LazyFrame, decisions: pl.DataFrame, read: Mapping[str, pl.DataFrame]
) -> dict[str, dict[str, Any]]:
    """Rates of response of every channel that has sent messages."""
    kinds = everything.select(pl.col("event_type").unique()).collect()["event_type"].to_list()
    names = sorted(kind.removesuffix("_sent") for kind in kinds if kind.endswith("_sent"))
    totals, sent_of = {}, {}
    for name in names:
        sent = read[name] if name in read else messages(everything, decisions, name)
        if sent.height:
            each = sent.group_by("user_id").agg(pl.len(), pl.col("answered").sum().alias("came")).sort("user_id")
            totals[name] = (each["len"].to_numpy().astype(np.float64), each["came"].to_numpy().astype(np.float64))
            sent_of[name] = {"sent": f"{name}_sent", "answers": [f"{name}_{one}" for one in ANSWERS]}
    return channels(totals, sent_of)


def _scorer(present: Present) -> tuple[str, hours.Hours] | None:
    """The model in force, or None when it cannot be used: then any honest model is better."""
    try:
        return None if present is None else (present[0], hours.load(present[1]))
    except BadInput:
        return None
