"""When a person is best written to, and where, from their profile's state, in plain Python.

In: a `send_time` artefact; a state (`h`: decayed counts by hour of the week, UTC), the person's traits, a moment, a
zone. Out: the next best moment inside the open hours, and by how much it is better than sending now. Knows no message
and no decision.

A cell is a local hour of a working day (0 … 23) or of a weekend (24 … 47). The response to a message sent in a cell is
taken to be the segment's rate there, times how much more this person is active in the hours in which messages are
answered than people are on average, to a power that was learned. Whoever has done little looks like their segment, and
a segment like the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import exp2, isfinite
from typing import Any
from zoneinfo import ZoneInfo

from nudge.score import verify
from nudge.vocabulary import DAY, SECOND, Micros

CELLS = 48
HOUR: Micros = 3600 * SECOND
WHOLE = "*"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SEGMENT = "timezone"
"""The trait that names the segment."""
LARGEST = 1e9
WORTH_WAITING = 1.05
"""For fewer responses more than this ratio, now is as good: what was decided is true now."""


@dataclass(frozen=True, slots=True)
class Hours:
    """A loaded artefact."""

    open_minutes: tuple[int, int]
    segments: dict[str, tuple[list[float], list[float]]]
    """Segment → relative response rate and share of activity, by cell."""
    kernel: list[float]
    strength: float
    power: float
    half_life_days: float
    total_slot: int
    channels: dict[str, dict[str, Any]]

    def best(
        self, state: Mapping[str, Any], segment: Mapping[str, Any], *, now: Micros, zone: ZoneInfo
    ) -> tuple[Micros, float]:
        """The best moment within 24 h inside the open hours (`now`, or a full local hour), and the expected ratio of
        responses to sending now (to the first open moment, where now is closed). The first open moment and 1 where
        none is clearly better; `now` and 1 where all are closed."""
        rates = self.rates(state, segment, now=now, zone=zone)
        moments = [at for at in _moments(now, zone) if self._is_open(at, zone)]
        if not moments:
            return now, 1.0
        each = [rates[cell(at, zone)] for at in moments]
        place = max(range(len(each)), key=lambda one: (each[one], -one))
        if each[place] < each[0] * WORTH_WAITING or each[0] <= 0.0:
            return moments[0], 1.0
        return moments[place], each[place] / each[0]

    def rates(
        self, state: Mapping[str, Any], segment: Mapping[str, Any], *, now: Micros, zone: ZoneInfo
    ) -> list[float]:
        """Relative rate of response of each cell."""
        rates, usual = self._segment(segment)
        shares = self.shares(state, segment, now=now, zone=zone)
        found = []
        for place in range(CELLS):
            mine = theirs = 0.0
            for later, weight in enumerate(self.kernel):
                after = place // 24 * 24 + (place + later) % 24
                mine += weight * shares[after]
                theirs += weight * usual[after]
            found.append(rates[place] * (mine / theirs) ** self.power)
        return found

    def shares(
        self, state: Mapping[str, Any], segment: Mapping[str, Any], *, now: Micros, zone: ZoneInfo
    ) -> list[float]:
        """Share of the person's activity in each cell, shrunk to the segment's (the mean of a Dirichlet posterior)."""
        usual = self._segment(segment)[1]
        counts, whole = self._counts(state, now, zone), 0.0
        for count in counts:
            whole += count
        return [
            (count + self.strength * share) / (whole + self.strength)
            for count, share in zip(counts, usual, strict=True)
        ]

    def channel(self, state: Mapping[str, Any]) -> dict[str, float]:
        """Rate of response in each channel, shrunk to everyone's: the person's responses of their messages, ever."""
        held = state.get("e", {})
        found = {}
        for name, one in self.channels.items():
            sent = min(self._total(held, one["sent"]), LARGEST)
            answered = min(max((self._total(held, kind) for kind in one["answers"]), default=0.0), sent)
            found[name] = (answered + one["strength"] * one["rate"]) / (sent + one["strength"])
        return found

    def _total(self, held: Mapping[str, Any], kind: str) -> float:
        row = held.get(kind)
        return max(float(row[self.total_slot]), 0.0) if row else 0.0

    def _segment(self, segment: Mapping[str, Any]) -> tuple[list[float], list[float]]:
        name = segment.get(SEGMENT)
        return self.segments.get(name if isinstance(name, str) else WHOLE, self.segments[WHOLE])

    def _counts(self, state: Mapping[str, Any], now: Micros, zone: ZoneInfo) -> list[float]:
        """Decayed counts by cell, as of now; hours move by the zone's offset of now."""
        counts = [0.0] * CELLS
        anchor, held = state.get("h") or (0, {})
        decay = exp2(min((anchor - now) / (self.half_life_days * DAY), 1.0))
        offset = _offset(now, zone)
        for hour, weight in held.items():
            if weight > 0.0 and isfinite(weight):
                counts[_cell(int(hour) * 3600 + offset)] += min(weight, LARGEST) * decay
        return counts

    def _is_open(self, at: Micros, zone: ZoneInfo) -> bool:
        start, until = self.open_minutes
        local = (EPOCH + timedelta(microseconds=at)).astimezone(zone)
        minute = local.hour * 60 + local.minute
        if start <= until:
            return start <= minute < until or start == until
        return minute >= start or minute < until


def cell(at: Micros, zone: ZoneInfo) -> int:
    """The cell of a moment.

    >>> cell(1_700_000_000_000_000, ZoneInfo("Europe/Berlin"))  # Tuesday, 23:13
    23
    """
    local = (EPOCH + timedelta(microseconds=at)).astimezone(zone)
    return local.hour + (24 if local.weekday() >= 5 else 0)


def _cell(seconds: int) -> int:
    """The cell of local seconds into the week, Monday first."""
    hour = seconds // 3600 % 168
    return hour % 24 + (24 if hour >= 120 else 0)


def _offset(at: Micros, zone: ZoneInfo) -> int:
    ahead = (EPOCH + timedelta(microseconds=at)).astimezone(zone).utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds())


def _moments(now: Micros, zone: ZoneInfo) -> list[Micros]:
    """`now`, and the full local hours of the 24 h after it."""
    local = (EPOCH + timedelta(microseconds=now)).astimezone(zone)
    into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return [now, *range(now - into // timedelta(microseconds=1) + HOUR, now + DAY, HOUR)]


def load(artefact: Mapping[str, Any]) -> Hours:
    """A checked artefact, ready to answer. Raises BadInput (reason `bad_model`) when it is not whole."""
    structure(artefact)
    return Hours(
        open_minutes=(artefact["open"][0], artefact["open"][1]),
        segments={name: (one["rates"], one["activity"]) for name, one in artefact["segments"].items()},
        kernel=artefact["kernel"],
        strength=float(artefact["strength"]),
        power=float(artefact["power"]),
        half_life_days=float(artefact["half_life_days"]),
        total_slot=artefact["total_slot"],
        channels=artefact["channels"],
    )


def structure(artefact: Mapping[str, Any]) -> None:
    """Check an artefact completely. Raises BadInput (reason `bad_model`) at the first thing that is wrong."""
    require, finite = verify.require, verify.finite
    require(artefact["format"] == verify.FORMAT, "format", f"this code reads format {verify.FORMAT}")
    require(artefact["kind"] == "send_time", "kind", "must be send_time")
    for name in ("name", "channel"):
        require(isinstance(artefact[name], str), name, "must be text")
    verify.indices(artefact["open"], 2, 0, 1441, "open")
    require(WHOLE in artefact["segments"], "segments", f"must have {WHOLE}, the whole")
    for name, one in artefact["segments"].items():
        for key in ("rates", "activity"):
            verify.numbers(one[key], CELLS, f"segments.{name}.{key}")
            require(min(one[key]) > 0, f"segments.{name}.{key}", "must be above 0")
        require(abs(sum(one["activity"]) - 1.0) < 1e-6, f"segments.{name}.activity", "must add up to 1")
    verify.numbers(artefact["kernel"], len(artefact["kernel"]), "kernel")
    require(0 < len(artefact["kernel"]) <= 24 and min(artefact["kernel"]) >= 0, "kernel", "must be 1 to 24 shares")
    require(abs(sum(artefact["kernel"]) - 1.0) < 1e-6, "kernel", "must add up to 1")
    for name, most in (("strength", LARGEST), ("half_life_days", 36_500)):
        require(finite(artefact[name]) and 0 < artefact[name] <= most, name, "must be above 0")
    require(finite(artefact["power"]) and 0 <= artefact["power"] <= 4, "power", "must lie between 0 and 4")
    verify.indices([artefact["total_slot"]], 1, 0, 100, "total_slot")
    for name, one in artefact["channels"].items():
        _channel_holds(name, one)


def _channel_holds(name: str, one: Mapping[str, Any]) -> None:
    require, finite = verify.require, verify.finite
    require(isinstance(one["sent"], str), f"channels.{name}.sent", "must be an event type")
    require(all(isinstance(kind, str) for kind in one["answers"]), f"channels.{name}.answers", "must be event types")
    require(finite(one["rate"]) and 0 <= one["rate"] <= 1, f"channels.{name}.rate", "must lie between 0 and 1")
    require(finite(one["strength"]) and 0 < one["strength"] <= LARGEST, f"channels.{name}.strength", "must be above 0")
