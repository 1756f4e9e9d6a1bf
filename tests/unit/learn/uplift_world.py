"""People whose effect is known: experiments, and logs of a policy that writes to those who would buy anyway."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl

from nudge.learn.features import Feature
from nudge.learn.uplift.experiment import Experiment
from nudge.vocabulary import DAY, NOTHING, Goal

START = 1_780_000_000_000_000 // DAY * DAY
GOAL = Goal("purchase", "purchase", 7.0, value=10.0)
FEATURES: list[Feature] = [
    *({"name": f"x{number}", "type": "number", "absent": None} for number in range(6)),
    {"name": "trait.segment", "type": "category", "levels": ["a", "b", "c"], "absent": None},
]


@dataclass(frozen=True)
class Known:
    """An experiment and the true effect on each of its rows."""

    rows: Experiment
    effect: np.ndarray


def table(people: int, rng: np.random.Generator) -> pd.DataFrame:
    """Six numbers, some missing, and a segment."""
    numbers = rng.normal(0, 1, (people, 6))
    numbers[:, 5] = np.where(rng.random(people) < 0.3, np.nan, numbers[:, 5])
    columns = {f"x{number}": numbers[:, number] for number in range(6)}
    segment = pd.Categorical.from_codes(rng.integers(0, 3, people), categories=["a", "b", "c"])
    return pd.DataFrame(columns | {"trait.segment": segment})


def experiment(
    people: int, seed: int, *, rate: float = 0.2, average: float = 0.05, spread: float = 0.0, share: float = 0.5
) -> Known:
    """An experiment: who buys depends on x0 and the segment; the effect is `average`, and where `spread` is not 0 it rises with
    x1 and is twice as large in segment b."""
    rng = np.random.default_rng([seed, 11])
    held = table(people, rng)
    x = held[["x0", "x1"]].to_numpy()
    base = np.clip(rate * np.exp(0.5 * x[:, 0] - 0.125) * np.where(held["trait.segment"] == "c", 1.3, 0.85), 0, 0.7)
    effect = average + spread * (np.tanh(x[:, 1]) + (held["trait.segment"] == "b").to_numpy() - 1 / 3)
    effect = np.clip(base + effect, 0, 1) - base
    treated = rng.random(people) < share
    label = rng.random(people) < base + treated * effect
    return Known(Experiment.randomised(held, label, treated, np.arange(people)), effect)


@dataclass(frozen=True)
class Log:
    """Decisions as the lake has them, the rows `labels.logged` makes of them, and the true effect of the mail at each."""

    decisions: pl.DataFrame
    frame: pl.DataFrame
    effect: np.ndarray


def log(
    people: int, rounds: int, seed: int, *, spread: float = 0.0, average: float = 0.1, campaign: str | None = None
) -> Log:
    """A policy that mails whoever would buy anyway, holds people out for good, and sees in the vector whom it wrote to before:
    whoever compares the mailed with the others naively is wrong. On behalf of a `campaign`, which seldom does nothing,
    the same people are held out from the banner too, and both leave their trace."""
    rng = np.random.default_rng([seed, 12])
    taste = rng.normal(0, 1, people)
    bends = rng.normal(0, 1, people)
    everything, own = rng.random(people) < 0.1, rng.random(people) < 0.3
    mailed = np.zeros(people)
    rows, records, effects = [], [], []
    for number in range(rounds):
        for person in rng.permutation(people):
            keen = 1 / (1 + np.exp(-1.5 * taste[person]))
            rest = {"banner": 0.1, NOTHING: 0.75 - 0.6 * keen}
            if campaign is not None:
                rest = {"banner": 0.75 - 0.6 * keen, NOTHING: 0.1}
            drawn = {"mail": 0.15 + 0.6 * keen, **rest}
            chosen = str(rng.choice(list(drawn), p=list(drawn.values())))
            held = own[person] and (chosen == "mail" or campaign is not None)
            group = "global_holdout" if everything[person] else "holdout" if held else "treatment"
            done = chosen if group == "treatment" else NOTHING
            effect = average + spread * np.tanh(bends[person])
            chance = np.clip(0.25 * keen + 0.1 + 0.08 * (mailed[person] > 0), 0, 1)
            label = float(rng.random() < chance + (done == "mail") * effect)
            vector = {"x0": taste[person], "x1": bends[person], "count.mail": mailed[person]}
            mailed[person] += done == "mail" or (campaign is not None and done == "banner")
            at = START + (number * people + len(rows) % people) * 1_000_000
            rows.append({"user_id": f"u{person:05d}", "at": at, "label": label, "worth": 0.0, "weight": 1.0} | vector)
            candidates = [{"activity": one, "propensity": share} for one, share in drawn.items()]
            told = {"chosen": chosen, "activity": done, "group": group, "propensity": drawn[chosen]}
            told |= {} if campaign is None else {"campaign": campaign}
            records.append(json.dumps(told | {"candidates": candidates, "vector": vector}))
            effects.append(effect)
    frame = pl.DataFrame(rows).with_columns(logged=pl.lit(True))
    decisions = frame.select("user_id", record=pl.Series(records))
    return Log(decisions, frame, np.array(effects))
