"""The ports `Pace` and `Reputation` in this process's memory: no pace but what a test sets, counters that are exact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nudge.act.reputation import Figures
from nudge.vocabulary import Micros


@dataclass
class MemoryPace:
    """Answers with `answer`, which may raise what the port allows; remembers who asked."""

    answer: Callable[[bool], float] = field(default=lambda transactional: 0.0)
    asked: list[bool] = field(default_factory=list)

    def take(self, *, transactional: bool, now: Micros) -> float:
        self.asked.append(transactional)
        return self.answer(transactional)


@dataclass
class MemoryReputation:
    """Counts without a window."""

    counted: Figures = Figures()
    stopped: str | None = None
    _blamed: set[tuple[str, str]] = field(default_factory=set)
    _left: int = 0

    def sent(self) -> None:
        self._left += 1

    def flush(self, *, now: Micros) -> None:
        self.counted, self._left = self.counted + Figures(self._left), 0

    def blame(self, kind: str, mail: str, *, now: Micros) -> None:
        if (kind, mail) not in self._blamed:
            self._blamed.add((kind, mail))
            self.counted += Figures(bounced=kind == "bounce", complained=kind == "complaint")

    def figures(self, *, now: Micros) -> Figures:
        return self.counted

    def stop(self, why: str, *, now: Micros) -> bool:
        was, self.stopped = self.stopped, self.stopped or why
        return was is None
