"""The lake → training rows of a goal. Here the batch executor of profile and the labels of learn meet.

In: a `Lake`, copied into a folder of this run. Out: frames of rows (`learn.labels`), as of several moments. Events of each
person count once; only those strictly before a moment become features. Knows no model.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from nudge.errors import NotFound, NotReady, Unavailable
from nudge.learn import Recipe, labels, moments, traits
from nudge.ports import Lake
from nudge.profile import batch
from nudge.profile.vector import trait_features
from nudge.vocabulary import DAY, KINDS, Goal, Kind, Micros

LISTINGS = 5
LATELY = 28 * DAY
DECIDED = 100
"""So many logged decisions tell more than people who were asked nothing."""
EVENT = ("user_id", "event_id", "event_type", "event_time", "event_action", "item_id", "category", "value")
DECISION = ("decision_id", "user_id", "decided_at", "goal", "activity", "propensity", "record")


@dataclass(frozen=True, slots=True)
class History:
    """One copy of the lake, deduplicated: what all trainings share. `first` and `end` bound the event times; `everything` is
    all columns of all events (as `lake/events`), for those who need more than `EVENT`; `items` is the latest row an item;
    `snapshot` is the
    same for the same things told, however the lake is cut into parts."""

    events: pl.LazyFrame
    traits: pl.DataFrame
    decisions: pl.DataFrame
    first: Micros
    end: Micros
    counts: dict[str, int]
    everything: pl.LazyFrame
    items: pl.DataFrame
    snapshot: str

    @classmethod
    def copy(cls, lake: Lake, folder: Path, now: Micros) -> History:
        """Everything until `now`. Raises NotReady when no event came yet, Unavailable when the lake does not hold still."""
        paths: dict[Kind, list[Path]] = {kind: _copied(lake, kind, folder) for kind in KINDS}
        held = batch.read_events([*paths["events"], *paths["outcomes"]])
        columns = held.collect_schema().names()
        if "event_time" not in columns or not paths["events"]:
            raise NotReady("the lake holds no events; upload some to inbox/events/", missing={"events": 0})
        human = batch.of_people(held).select(name for name in EVENT if name in columns)
        past = human.filter(pl.col("event_time").dt.epoch("us") <= now)
        past.sort("user_id", "event_time", "event_id").collect(engine="streaming").write_parquet(folder / "events")
        events = pl.scan_parquet(folder / "events")
        moments = pl.col("event_time").dt.epoch("us")
        first, last, count = events.select(moments.min(), moments.max().alias("last"), pl.len()).collect().row(0)
        if not count:
            raise NotReady("the lake holds no events of the past", missing={"events": 0})
        users = _read(paths["users"], ("user_id", "effective_at", "created_at", "timezone", "locale", "attributes"))
        told = traits.said(users, trait_features) if users is not None else traits.said(_NO_USERS, trait_features)
        decisions = _read(paths["decisions"], DECISION)
        counts = {"events": count, "users": 0 if users is None else users["user_id"].n_unique()}
        made = _NO_DECISIONS if decisions is None else decisions
        everything = held.filter(pl.col("event_time").dt.epoch("us") <= now)
        items = _items(paths["items"])
        return cls(events, told, made, first, last + 1, counts, everything, items, _snapshot(events, counts))

    def rows(self, goal: Goal, recipe: Recipe) -> tuple[list[pl.DataFrame], list[Micros]]:
        """Rows of every cut, and of every logged decision whose window is over; and the cuts, oldest first."""
        goals = labels.happened(self.events, goal)
        decided = labels.decided(self.decisions, goal, self.end)
        treated = labels.treated(self.decisions, goal)
        parts: list[pl.DataFrame] = []
        if goal.after is None:
            cuts = labels.cuts(goal, self.first, self.end, recipe.cuts)
            parts += [labels.history(self._known(as_of), goals, goal, as_of, treated) for as_of in cuts]
        else:
            asked = moments.following(self.events, goal)
            rounds = list(moments.rounds(asked, self.end, labels.window_of(goal), recipe.cuts))
            cuts = moments.cuts(rounds)
            for one in rounds:
                links = one.join(asked, on=["user_id", "at"], how="left", maintain_order="left_right")
                parts.append(labels.history(self._known(one), goals, goal, links, treated))
            decided = moments.linked(decided, asked)
        if decided.height:
            parts.append(labels.logged(decided, goals, goal, recipe.inverse_propensity))
        members = labels.members(self.events, goal)
        return [labels.among(part, members) for part in parts], cuts

    def population(self, goal: Goal) -> pl.DataFrame:
        """Everyone as of the end of the data, if nothing were done: whom a model of the goal is for. For a goal that stands
        after an event: each person as of just after the latest such event of the last `LATELY`."""
        moment: Micros | pl.DataFrame = self.end
        if goal.after is not None:
            asked = moments.following(self.events, goal).filter(pl.col("at") >= self.end - LATELY)
            moment = next(moments.rounds(asked, self.end, 0, 1), asked.select("user_id", "at"))
        members = labels.members(self.events, goal)
        return labels.among(labels.undecided(self._known(moment)), members, self.end).sort("user_id")

    def matured(self, goal: Goal, since: Micros) -> pl.DataFrame:
        """What came of it since: labelled rows whose windows reach beyond `since` and are over. Logged decisions where there
        are `DECIDED` of them; else everyone, as of one window before the end, when that is not before `since`."""
        found = self._matured(goal, since)
        return labels.among(found, labels.members(self.events, goal)) if found.height else found

    def _matured(self, goal: Goal, since: Micros) -> pl.DataFrame:
        goals, window = labels.happened(self.events, goal), labels.window_of(goal)
        decided = labels.decided(self.decisions, goal, self.end).filter(pl.col("at") + window > since)
        asked = moments.following(self.events, goal).filter(pl.col("at") >= since) if goal.after is not None else None
        if decided.height >= DECIDED:
            linked = decided if asked is None else moments.linked(decided, asked)
            return labels.logged(linked, goals, goal, None)
        treated = labels.treated(self.decisions, goal)
        if asked is not None:
            for one in moments.rounds(asked, self.end, window, 1):
                links = one.join(asked, on=["user_id", "at"], how="left", maintain_order="left_right")
                return labels.history(self._known(one), goals, goal, links, treated)
        elif self.end - window >= since:
            return labels.history(self._known(self.end - window), goals, goal, self.end - window, treated)
        return pl.DataFrame(schema={"label": pl.Float64})

    def _known(self, as_of: Micros | pl.DataFrame) -> pl.DataFrame:
        """What was known of everyone at a moment, or of each person of a frame `user_id at` at the person's own."""
        moment = as_of if isinstance(as_of, int) else as_of.rename({"at": "as_of"})
        return traits.known(self.traits, batch.vectors(self.events, moment), as_of)

    def data(self, cuts: list[Micros]) -> dict[str, Any]:
        """The snapshot, for card and manifest."""
        said = {"first_event": self.first, "end": self.end, "cuts": cuts}
        return said | {"rows": self.counts, "snapshot": self.snapshot}


_NO_USERS = pl.DataFrame(
    schema={
        "user_id": pl.String,
        "effective_at": pl.Datetime("us", "UTC"),
        "created_at": pl.Datetime("us", "UTC"),
        "timezone": pl.String,
        "locale": pl.String,
        "attributes": pl.String,
    }
)
_NO_DECISIONS = pl.DataFrame(
    schema={
        "decision_id": pl.String,
        "user_id": pl.String,
        "decided_at": pl.Datetime("us", "UTC"),
        "goal": pl.String,
        "activity": pl.String,
        "propensity": pl.Float64,
        "record": pl.String,
    }
)


def _read(paths: list[Path], columns: tuple[str, ...]) -> pl.DataFrame | None:
    if not paths:
        return None
    frame = pl.concat([pl.scan_parquet(path).select(columns) for path in paths], how="vertical_relaxed")
    return frame.collect()


def _snapshot(events: pl.LazyFrame, counts: dict[str, int]) -> str:
    """Which events were there: the sum of their hashes, in any order."""
    summed = events.select(pl.struct("user_id", "event_id").hash().sum()).collect().item()
    return hashlib.sha256(f"{summed} {sorted(counts.items())}".encode()).hexdigest()[:16]


def _items(paths: list[Path]) -> pl.DataFrame:
    """The latest row of each item, all its columns."""
    if not paths:
        return pl.DataFrame(schema={"item_id": pl.String, "category": pl.String, "price": pl.Float64})
    rows = pl.concat([pl.read_parquet(path) for path in paths], how="diagonal_relaxed")
    latest = rows.sort("item_id", "effective_at", *sorted(set(rows.columns) - {"item_id", "effective_at"}))
    return latest.unique("item_id", keep="last", maintain_order=True)


def _copied(lake: Lake, kind: Kind, folder: Path) -> list[Path]:
    """All parts of a kind as of one listing: a part that went away was merged into another, so list again."""
    for attempt in range(LISTINGS):
        place = folder / f"{kind}-{attempt}"
        place.mkdir()
        try:
            return [
                _kept(place / f"{number}.parquet", lake.get(part.key)) for number, part in enumerate(lake.parts(kind))
            ]
        except NotFound:
            continue
    raise Unavailable(f"lake/{kind} changed {LISTINGS} times while it was read")


def _kept(path: Path, body: bytes) -> Path:
    path.write_bytes(body)
    return path
