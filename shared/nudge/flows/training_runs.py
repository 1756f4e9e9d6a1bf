"""A run of trainings and how far it is: one object a run under `models/.training/`. It is the truth; messages only name it.

A task is written down as begun before anything is done for it, with the fencing token it will promote with, and as ended
with its verdict: whoever goes on with a run after a death repeats at most the task that was under way, under the same token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from copy import replace
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from nudge.errors import BadInput, Conflict, NotFound, Unavailable
from nudge.ports import Objects
from nudge.vocabulary import Micros

PREFIX = "models/.training/"
NAMES = re.compile(r"[0-9A-Za-z][0-9A-Za-z:.+-]{0,63}")
TRIES = 30


@dataclass(frozen=True, slots=True)
class Begun:
    """A task that somebody took up: how often, and the fencing token of all those times."""

    times: int
    token: int


@dataclass(frozen=True, slots=True)
class Run:
    """`at` bounds the data of all its tasks; `ended` is {task: verdict with `seconds`}; `why` is what started it."""

    name: str
    at: Micros
    why: str
    tasks: tuple[str, ...]
    begun: Mapping[str, Begun] = field(default_factory=dict)
    ended: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def left(self) -> list[str]:
        """Tasks that have not ended, in order: those that nobody began before those at which somebody died."""
        open_ones = [task for task in self.tasks if task not in self.ended]
        return sorted(open_ones, key=lambda task: self.begun[task].times if task in self.begun else 0)

    @property
    def longest(self) -> float:
        """Seconds that the longest task took."""
        return max((float(one.get("seconds", 0.0)) for one in self.ended.values()), default=0.0)

    def plain(self) -> dict[str, Any]:
        return {**asdict(self), "tasks": list(self.tasks), "left": self.left}


@dataclass(frozen=True, slots=True)
class Runs:
    """All runs, over any `Objects`. Every change is conditional, and the same change again changes nothing."""

    objects: Objects

    def begin(self, name: str, tasks: Sequence[str], *, at: Micros, why: str) -> Run:
        """Write a run down; the one that stands there when it was begun before."""
        run = Run(_checked(name), at, why, tuple(tasks))
        try:
            self.objects.put(_key(name), _body(run), new=True, content_type="application/json")
        except Conflict:
            return self.get(name)
        return run

    def get(self, name: str) -> Run:
        """Raises NotFound."""
        return _run(self.objects.get(_key(_checked(name))))

    def newest(self) -> Run:
        """The run that changed last. Raises NotFound when there was none."""
        held = [(one.modified_at, one.key) for one in self.objects.list(PREFIX)]
        if not held:
            raise NotFound("nothing was trained on schedule here yet")
        return _run(self.objects.get(max(held)[1]))

    def take_up(self, name: str, task: str, token: Callable[[], int]) -> Run:
        """The task is begun (once more); its token is taken the first time."""
        held = self.get(name).begun.get(task)
        taken = held.token if held else token()
        times = (held.times if held else 0) + 1
        return self._change(name, lambda run: replace(run, begun={**run.begun, task: Begun(times, taken)}))

    def end(self, name: str, task: str, verdict: Mapping[str, Any]) -> Run:
        """The task has ended so; the first verdict stays."""
        return self._change(name, lambda run: replace(run, ended={task: dict(verdict), **run.ended}))

    def _change(self, name: str, changed: Callable[[Run], Run]) -> Run:
        for _ in range(TRIES):
            body, etag = self.objects.read(_key(_checked(name)))
            run = changed(_run(body))
            try:
                self.objects.put(_key(name), _body(run), etag=etag, content_type="application/json")
            except Conflict:
                continue
            return run
        raise Unavailable(f"too many work on the run {name} at once")


def named(now: Micros) -> str:
    """The name of a run that was started at a moment.

    >>> named(1_777_777_777_000_000)
    '2026-05-03T03:09:37Z'
    """
    return f"{datetime.fromtimestamp(now // 1_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _checked(name: str) -> str:
    if not NAMES.fullmatch(name):
        raise BadInput(f"{name!r} cannot name a run", reason="bad_name", where="run")
    return name


def _key(name: str) -> str:
    return f"{PREFIX}{name}.json"


def _body(run: Run) -> bytes:
    said = asdict(run) | {"ended": {task: run.ended[task] for task in run.tasks if task in run.ended}}
    return json.dumps(said, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


def _run(body: bytes) -> Run:
    held = json.loads(body)
    begun = {task: Begun(**one) for task, one in held["begun"].items()}
    return Run(held["name"], held["at"], held["why"], tuple(held["tasks"]), begun, held["ended"])
