"""Does a household that received a campaign redeem one of its coupons? A real grocer (Complete Journey), later campaigns, through
the product's own road: files → clean → lake → rows just after each campaign received → training → stored model.

For each moment below, all rows whose windows were over then are learned from, and every campaign that started from then on is
judged; `walk forward` does so for each campaign by itself, from the first one that has as many redemptions before it as a slice
should have, and judges all of them together. The baseline of the same rows is the household's number of past redemptions alone.
Intervals: bootstrap over households.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from benchmarks.quality import data
from local import own
from local.examples import complete_journey
from nudge import plan as plans
from nudge import score
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects, MemoryPlans, MemoryQueue
from nudge.adapters.memory_arrivals import MemoryArrivals
from nudge.flows.arrive import Arrive
from nudge.flows.prepare import Prepare
from nudge.flows.tasks import from_task
from nudge.flows.training_rows import History
from nudge.learn import Recipe, judge, train
from nudge.learn.contest import judged
from nudge.learn.labels import window_of
from nudge.learn.slices import Slices
from nudge.profile.spec import absent
from nudge.vocabulary import Goal, Micros

FROM = {"campaigns 8 – 10": "2017-05-08", "campaigns 9 – 10": "2017-05-31"}
PAST = "total.coupon_redeemed"
REACH = 0.08
RESAMPLES = 1000


def main() -> None:
    """Print the table."""
    given = data.options(__doc__)
    folder = data.path("complete-journey/campaigns.csv.gz").parent
    with TemporaryDirectory(prefix="nudge-journey-") as out:
        goal, rows, end = asked(folder, Path(out))
    figures = []
    for name, day in FROM.items():
        at = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1_000_000)
        figures += later(goal, rows, end, at, name, seeds=1 if given.quick else 3)
    if not given.quick:
        figures += forward(goal, rows, end)
    data.show(figures, given.json)


def asked(files: Path, out: Path) -> tuple[Goal, pl.DataFrame, Micros]:
    """The goal of the example's plan, and its rows: a household just after each campaign that it received."""
    complete_journey.convert(files, out)
    end = own.data_end([out / "events.csv"]) + 1_000_000
    lake = filled(out, end)
    goal = plans.load(plans.parse((out / "plan.yaml").read_text(encoding="utf-8"))).goals["redeems"]
    (out / "history").mkdir()
    history = History.copy(lake, out / "history", end)
    parts, _ = history.rows(goal, Recipe(cuts=16))
    rows = pl.concat(parts, how="diagonal_relaxed").sort("at", "user_id", "link")
    return goal, history.filled(rows), end


def filled(out: Path, now: Micros) -> ObjectsLake:
    """The files as the lake holds them, after cleaning, in memory."""
    inbox, arrivals, queue = MemoryObjects("grocer"), MemoryArrivals(), MemoryQueue()
    lake = ObjectsLake(inbox)
    arrive = Arrive(inbox, arrivals, queue, "grocer")
    prepare = Prepare(inbox, lake, arrivals, own._ignored, own._ignored, inbox, MemoryPlans(None))
    for kind in ("users", "events"):
        key = f"inbox/{kind}/{kind}.csv"
        inbox.put(key, (out / f"{kind}.csv").read_bytes())
        told = {"bucket": {"name": "grocer"}, "object": {"key": key}}
        record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": told}
        arrive({"Records": [record]}, owner="quality", now=now)
    for task in queue.take():
        prepare(from_task(task), now=now)
    return lake


def later(goal: Goal, rows: pl.DataFrame, end: Micros, at: Micros, name: str, seeds: int) -> list[data.Figure]:
    """A model of what was over by `at` on all that was asked from then on."""
    known, asked_later = over(goal, rows, at), rows.filter(pl.col("at") >= at)
    chances = [learned(goal, known, asked_later, end, seed) for seed in range(seeds)]
    note = f"learned from {known.height} rows with {int(known['label'].sum())} redemptions"
    return compared(name, f"learned before, {seeds} seeds", asked_later, chances, note)


def forward(goal: Goal, rows: pl.DataFrame, end: Micros) -> list[data.Figure]:
    """Each campaign by a model of what was over when it started."""
    parts, chances = [], []
    for (at,), one in rows.group_by(["at"], maintain_order=True):
        known = over(goal, rows, int(at))
        if known["label"].sum() >= Recipe().usual:
            parts.append(one)
            chances.append(learned(goal, known, one, end, 0))
            print(f"  {one['link'][0]}: {known.height} rows known, {one.height} judged", file=sys.stderr, flush=True)
    return compared(
        "every campaign", "walk forward", pl.concat(parts), [np.concatenate(chances)], f"{len(parts)} models"
    )


def over(goal: Goal, rows: pl.DataFrame, at: Micros) -> pl.DataFrame:
    """Rows whose windows were over: what could be known at a moment."""
    return rows.filter(pl.col("at") + window_of(goal) <= at)


def learned(goal: Goal, known: pl.DataFrame, asked_later: pl.DataFrame, end: Micros, seed: int) -> np.ndarray:
    """What the product's training says of later rows."""
    said = {
        part: {"rows": some.height, "used": some.height, "positives": int(some["label"].sum())}
        for part, some in (("train", known), ("test", asked_later))
    }
    slices, recipe = Slices(known, asked_later, said), Recipe(seed=seed)
    return train(slices, goal, end=end, data={}, recipe=recipe, load=score.load, absent=absent).probability


def compared(name: str, protocol: str, rows: pl.DataFrame, chances: list[np.ndarray], note: str) -> list[data.Figure]:
    """AUC of some models on rows, and by how much it is above that of past redemptions."""
    judges = judged(rows)
    past = rows[PAST].fill_null(0.0).to_numpy()

    def auc(values: np.ndarray, weight: np.ndarray = judges.weight) -> float:
        return judge.auc(values, judges.label, weight)

    aucs, simple = [auc(one) for one in chances], auc(past)
    drawn = [auc(chances[-1], weight) - auc(past, weight) for weight in judges.resamples(RESAMPLES, 0)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    told = f"{note}, judged on {rows.height} with {int(judges.label.sum())}; gain {low:+.3f} to {high:+.3f} (95 %)"
    against = {"baseline": simple, "baseline_name": "past redemptions", "published": "0.78 – 0.79 (5-fold)"}
    gains = [one - simple for one in aucs]
    return [
        data.figure(name, protocol, "AUC", aucs, **against),
        data.figure(name, protocol, "AUC over past redemptions", gains, reach=REACH, note=told),
    ]


if __name__ == "__main__":
    main()
