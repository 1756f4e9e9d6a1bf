"""The clock of the laptop: real, or virtual so that weeks pass in seconds.

In: a start and moves forward. Out: the time that everything in this process sees. One clock for all is the point: the
embedded AWS stamps objects, hides messages and signs requests with the process's own clock, so a virtual time that only
the doors saw would disagree with it. `time_machine` moves that clock; `time.monotonic` and `time.perf_counter` stay real,
so that progress bars and measurements do too.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import time_machine

from nudge.vocabulary import SECOND, Micros


def moment(micros: Micros) -> datetime:
    """An aware UTC datetime."""
    return datetime.fromtimestamp(micros // SECOND, UTC).replace(microsecond=micros % SECOND)


def micros(at: datetime) -> Micros:
    """Microseconds since the epoch of an aware datetime."""
    whole = int(at.replace(microsecond=0).timestamp())
    return whole * SECOND + at.microsecond


class RealClock(AbstractContextManager["RealClock"]):
    """The machine's own clock; it cannot be moved."""

    virtual = False

    def now(self) -> Micros:
        return time.time_ns() // 1000

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        return None


class VirtualClock(AbstractContextManager["VirtualClock"]):
    """A clock that stands still until it is moved, and never goes back."""

    virtual = True

    def __init__(self, start: Micros) -> None:
        self._start = start
        self._travel: time_machine.travel | None = None
        self._traveller: time_machine.Traveller | None = None

    def now(self) -> Micros:
        return time.time_ns() // 1000

    def move_to(self, at: Micros) -> None:
        """Let it be `at`; a time that has passed changes nothing."""
        if self._traveller is None:
            raise RuntimeError("the clock is not running; enter it first")
        if at > self.now():
            self._traveller.move_to(moment(at), tick=False)

    def __enter__(self) -> Self:
        self._travel = time_machine.travel(moment(self._start), tick=False)
        self._traveller = self._travel.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        if self._travel is not None:
            self._travel.stop()
        self._travel = self._traveller = None


type Clock = RealClock | VirtualClock
