"""Decisions, outcomes and events (frames, each row once) come in; people with what they did, and messages, go out.

The unit is a person and an activity: the *first* decision that drew the activity for the person fixes the group and opens
the window [decided_at, decided_at + within_days). Only windows that have ended are compared; the others are counted.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import polars as pl

from nudge.measure.lift import Arm
from nudge.vocabulary import NOTHING, Goal, Micros

ENDING = r"_(sent|shown|skipped|failed|unknown)$"
"""An outcome of any channel (`email_sent`, `inline_shown`) that is the final state of its message."""
STRENGTH = {"sent": 3, "skipped": 2, "failed": 2, "unknown": 1}
"""A message once unknown may be settled later; a sent one stays sent."""
REACTIONS = {
    "delivered": "_delivery",
    "opened": "_open",
    "clicked": "_click",
    "bounced": "_bounce",
    "complained": "_complaint",
    "unsubscribed": "_unsubscribe",
}
"""What became of a message → how the outcome ends, on any channel."""
MACHINE = "_machine_"
"""In the name of an outcome that a machine and no person caused (`email_machine_open`): kept beside, and in no other count."""
MACHINES = {"machine_opened": "_machine_open", "machine_clicked": "_machine_click"}


def moment(now: Micros) -> datetime:
    """Aware UTC datetime of a time in microseconds."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=now)


def window(goal: Goal) -> timedelta:
    return timedelta(days=goal.within_days)


LINKS = {"category": "category", "action": "event_action", "item": "item_id"}
"""What a goal's `same` may name → the column of events."""


def _link(goal: Goal) -> pl.Expr:
    column = pl.lit(None, pl.String) if goal.same is None else pl.col(LINKS[goal.same])
    return column.alias("link")


def questions(events: pl.DataFrame, goal: Goal) -> pl.DataFrame:
    """The events that raise the goal's question (`after`), in order: user_id, at, link (what the goal's event must share)."""
    asked = events.clear() if goal.after is None else events.filter(pl.col("event_type") == goal.after)
    return asked.select("user_id", pl.col("event_time").alias("at"), _link(goal)).sort("at", "user_id", "link")


def goal_events(events: pl.DataFrame, goal: Goal, currency: str) -> pl.DataFrame:
    """Every time the goal's event came: user_id, at, value (0 where the event names none, or another currency), link."""
    wanted = pl.col("event_type") == goal.event
    if goal.action is not None:
        wanted &= pl.col("event_action") == goal.action
    if goal.category is not None:
        wanted &= pl.col("category") == goal.category
    ours = pl.col("currency").fill_null(currency).str.to_uppercase() == currency.upper()
    usable = ours & pl.col("value").is_finite()
    money = (
        pl.lit(goal.value) if goal.value is not None else pl.when(usable).then("value").otherwise(0.0).fill_null(0.0)
    )
    return (
        events.filter(wanted.fill_null(False))
        .select("user_id", pl.col("event_time").alias("at"), money.cast(pl.Float64).alias("value"), _link(goal))
        .sort("user_id", "at", "value", "link")
    )


def first_choices(decisions: pl.DataFrame, activity: str | None = None) -> pl.DataFrame:
    """One row a person: user_id, decision_id, decided_at, group, plan_version (and campaign, where there is one) of the first decision
    that drew `activity` (None: of the first decision of all)."""
    drawn = decisions if activity is None else decisions.filter(pl.col("chosen") == activity)
    return (
        drawn.sort("user_id", "decided_at", "decision_id")
        .unique("user_id", keep="first", maintain_order=True)
        .select("user_id", "decision_id", "decided_at", "group", "plan_version", *({"campaign"} & set(drawn.columns)))
    )


def unmixed(decisions: pl.DataFrame, campaigns: Collection[str], owed: Collection[str]) -> pl.DataFrame:
    """Decisions whose activity alone tells the groups apart: of what one of these `campaigns` drew for a person, the first only.

    A campaign holds out the same people from all that it does. Whoever it draws a second activity for has had the first, or neither:
    the comparison of the second would have the effect of the first in it, and be among those whom the first left in the audience.
    Activities with holdouts of their own are not mixed so, nor is what is `owed` to both groups. Columns as given, `campaign` among them.
    """
    if "campaign" not in decisions.columns or not campaigns:
        return decisions
    mixes = pl.col("campaign").is_in(list(campaigns)) & ~pl.col("chosen").is_in([NOTHING, *owed])
    first = (
        decisions.filter(mixes.fill_null(False))
        .sort("user_id", "campaign", "decided_at", "decision_id")
        .unique(["user_id", "campaign"], keep="first", maintain_order=True)
    )
    return decisions.filter(~mixes.fill_null(False) | pl.col("decision_id").is_in(first["decision_id"].implode()))


def programme(decisions: pl.DataFrame) -> pl.DataFrame:
    """One row a person (see `first_choices`), group `global_holdout` or `treatment`: transactional messages are owed to the global holdout
    too, so a single decision made for it is what tells."""
    untouched = decisions.filter(pl.col("group") == "global_holdout").select("user_id").unique()
    held = pl.col("user_id").is_in(untouched["user_id"].implode())
    group = pl.when(held).then(pl.lit("global_holdout")).otherwise(pl.lit("treatment"))
    return first_choices(decisions).with_columns(group.alias("group"))


def followed(
    people: pl.DataFrame,
    happened: pl.DataFrame,
    goal: Goal,
    *,
    until: datetime,
    whole: bool = False,
    asked: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """People with `converted`, `value` and `before` of one goal; people whose window has not ended by `until` are left out.

    `before` is the value in an equally long window that ends with the decision (the covariate of `adjust`).
    `whole`: the window is everything from the decision to `until` instead, for comparisons over the whole time.
    A fixed goal value counts once a window, however often the person did it; the event's own values add up.
    `asked` (see `questions`): where the goal says `same`, only events count that share the link of the person's latest
    question before the decision. Of an `absent` goal, each ended window without the event counts.
    """
    length = window(goal)
    ended = people if whole else people.filter(pl.col("decided_at") + length <= until)
    joined = ended.select("user_id", "decided_at").join(happened, on="user_id", how="inner")
    since, reach = (
        pl.col("at") - pl.col("decided_at"),
        pl.lit(until) - pl.col("decided_at") if whole else pl.lit(length),
    )
    inside = joined.filter((since >= timedelta(0)) & (since < reach))
    if asked is not None and goal.same is not None:
        inside = inside.join(_links(ended, asked), on=["user_id", "link"], how="semi")
    inside = _once(inside, goal)
    past = _once(joined.filter((since < timedelta(0)) & (since >= -reach)), goal)
    came = _without(ended, inside, goal, until if whole else None) if goal.absent else _sum(inside, "value", "times")
    result = ended.join(came, on="user_id", how="left", maintain_order="left")
    result = result.join(_sum(past, "before", "earlier"), on="user_id", how="left", maintain_order="left")
    return result.with_columns(
        pl.col("value").fill_null(0.0),
        pl.col("before").fill_null(0.0),
        (pl.col("times").fill_null(0) > 0).alias("converted"),
    ).drop("times", "earlier")


def _once(rows: pl.DataFrame, goal: Goal) -> pl.DataFrame:
    """The rows that count, with `nth`, the number of their window: of a fixed goal value, the first in each window."""
    if goal.value is None:
        return rows
    each = round(window(goal) / timedelta(microseconds=1))
    nth = pl.col("at").sub(pl.col("decided_at")).dt.total_microseconds() // each
    return rows.with_columns(nth.alias("nth")).unique(["user_id", "nth"], keep="first", maintain_order=True)


def _links(people: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """user_id and link of each person's latest question strictly before the decision (the same moment: all its links)."""
    before = (
        people.select("user_id", "decided_at").join(asked, on="user_id").filter(pl.col("at") < pl.col("decided_at"))
    )
    return before.filter(pl.col("at") == pl.col("at").max().over("user_id")).select("user_id", "link")


def _without(people: pl.DataFrame, inside: pl.DataFrame, goal: Goal, until: datetime | None) -> pl.DataFrame:
    """user_id, value and times of the ended windows in which the goal's event did not come; `until` None: of the one window."""
    each = round(window(goal) / timedelta(microseconds=1))
    time = pl.lit(each) if until is None else (until - pl.col("decided_at")).dt.total_microseconds()
    windows = people.select("user_id", (time // each).cast(pl.Int64).alias("windows"))
    counted = inside.join(windows, on="user_id").filter(pl.col("nth") < pl.col("windows"))
    held = windows.join(counted.group_by("user_id").len("with"), on="user_id", how="left", maintain_order="left")
    times = pl.col("windows") - pl.col("with").fill_null(0)
    return held.select("user_id", (times * (goal.value or 0.0)).alias("value"), times.alias("times"))


def _sum(rows: pl.DataFrame, name: str, times: str) -> pl.DataFrame:
    return rows.group_by("user_id", maintain_order=True).agg(pl.col("value").sum().alias(name), pl.len().alias(times))


def arm(people: pl.DataFrame, *groups: str) -> Arm:
    """The people of these groups, as numbers (see `followed`), in the order of their ids."""
    of = people.filter(pl.col("group").is_in(groups)).sort("user_id")
    return Arm(
        of["value"].to_numpy(), of["converted"].to_numpy(), of["before"].to_numpy(), tuple(of["user_id"].to_list())
    )


def messages(decisions: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    """One row per decision that did something: decision_id, user_id, decided_at, activity, cost, state (null: not final yet),
    why, and whether each of `REACTIONS` and `MACHINES` came. A message that was skipped or failed has cost 0."""
    done = decisions.filter((pl.col("activity") != NOTHING) & (pl.col("group") == "treatment"))
    done = done.select("decision_id", "user_id", "decided_at", "activity", "cost")
    state = pl.col("event_type").str.extract(ENDING).replace("shown", "sent")
    ended = (
        outcomes.with_columns(state.alias("state"))
        .filter(pl.col("state").is_not_null() & pl.col("decision_id").is_not_null())
        .with_columns(
            pl.col("state").replace_strict(STRENGTH, return_dtype=pl.Int64).alias("strength"),
            pl.col("properties").str.json_path_match("$.reason").alias("why"),
            pl.col("properties")
            .str.json_path_match("$.attempt")
            .cast(pl.Int64, strict=False)
            .fill_null(1)
            .alias("try"),
        )
        .sort("decision_id", "try", "strength", "event_time", "event_id")
        .unique("decision_id", keep="last", maintain_order=True)
        .select("decision_id", "state", "why")
    )
    came, machine = pl.col("event_type"), pl.col("event_type").str.contains(MACHINE, literal=True)
    reacted = outcomes.group_by("decision_id").agg(
        *((came.str.ends_with(kind) & ~machine).any().alias(name) for name, kind in REACTIONS.items()),
        *(came.str.ends_with(kind).any().alias(name) for name, kind in MACHINES.items()),
    )
    joined = (
        done.join(ended, on="decision_id", how="left").join(reacted, on="decision_id", how="left").sort("decision_id")
    )
    free = pl.col("state").is_in(["skipped", "failed"]).fill_null(False)
    return joined.with_columns(
        pl.when(free).then(0.0).otherwise(pl.col("cost").fill_null(0.0)).alias("cost"),
        *(pl.col(name).fill_null(False) for name in (*REACTIONS, *MACHINES)),
    )


def cost_within(sent: pl.DataFrame, people: pl.DataFrame, goal: Goal) -> float:
    """Cost of the messages that went to these people inside their own windows: what the measured value was bought with."""
    both = sent.join(people.select("user_id", pl.col("decided_at").alias("start")), on="user_id", how="inner")
    age = pl.col("decided_at") - pl.col("start")
    return float(both.filter((age >= timedelta(0)) & (age < window(goal))).sort("decision_id")["cost"].sum())
