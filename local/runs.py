"""Whole runs: the sample shop, or somebody's files. In: what to run. Out: what it told, as `nudge run --json` prints it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local import own, summary
from local.laptop import Laptop, Progress, silent
from local.shop.play import Story
from nudge.vocabulary import Counts


def shop(*, seed: int, people: int, out: Path, wave: int | None = None, progress: Progress = silent) -> dict[str, Any]:
    """Play the sample shop and tell what came of it."""
    began = time.perf_counter()
    story = Story.of(seed=seed, people=people, wave=wave, progress=progress)
    clock = story.clock()
    story.seconds["world"] = round(time.perf_counter() - began, 2)
    began = time.perf_counter()
    with _fresh(out), Laptop.running(clock, out, reader=story.world.read) as laptop:
        story.seconds["start"] = round(time.perf_counter() - began, 2)
        story.tell(laptop, clock)
        return told_of_shop(story, laptop)


def told_of_shop(story: Story, laptop: Laptop) -> dict[str, Any]:
    """The summary of a story that has been played, with the truth beside the estimates."""
    began = time.perf_counter()
    truth = story.world.truth(laptop.clock.now())
    made = laptop.report({name: one.value for name, one in truth.items()})
    told = {
        **_told(laptop, story.decisions),
        "report": summary.report(made, truth),
        "expected_rows": {kind: _counts(counts) for kind, counts in story.expected.items()},
    }
    return _timed(told, {**story.seconds, "report": round(time.perf_counter() - began, 2)})


def files(run: own.OwnRun, *, out: Path) -> dict[str, Any]:
    """Take somebody's files the whole way and tell what came of it."""
    began = time.perf_counter()
    clock = own.clock_at_end(run.events, run.plan)
    run.seconds["read"] = round(time.perf_counter() - began, 2)
    began = time.perf_counter()
    with _fresh(out), Laptop.running(clock, out) as laptop:
        run.seconds["start"] = round(time.perf_counter() - began, 2)
        run.tell(laptop)
        began = time.perf_counter()
        told = {**_told(laptop, run.decisions), "report": summary.report(laptop.report())}
        told["notes"] = run.notes + told["notes"]
        return _timed(told, {**run.seconds, "report": round(time.perf_counter() - began, 2)})


def _told(laptop: Laptop, decisions: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "rows": laptop.rows(),
        "models": laptop.verdicts(),
        "decisions": summary.decisions(decisions),
        "messages": laptop.messages(),
        "notes": summary.troubles(laptop.part.failures, laptop.part.failed),
    }


def _timed(told: dict[str, Any], seconds: Mapping[str, float]) -> dict[str, Any]:
    return {**told, "seconds": {**seconds, "total": round(sum(seconds.values()), 2)}}


def _counts(counts: Counts) -> dict[str, int]:
    return {name: getattr(counts, name) for name in ("read", "accepted", "rejected", "duplicate")}


@contextmanager
def _fresh(out: Path) -> Iterator[Path]:
    """The folder for what a run leaves, without what the last one left there."""
    out.mkdir(parents=True, exist_ok=True)
    for old in [*out.glob("outbox/*.eml"), *out.glob("report.*"), *out.glob("doors.jsonl")]:
        old.unlink()
    yield out
