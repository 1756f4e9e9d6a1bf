"""p(goal) on public tables: our training and scoring, beside scikit-learn's logistic regression, forest and boosting in one run.

bank-marketing (without `duration`), telco churn, online shoppers (with and without `PageValues`): five stratified folds (shuffled,
seed 42); bank also in order of time, first 75 % → last 25 %. Ours is `learn.train` on frames of rows as a flow makes them, stored
as JSON, read by `score.load`: the figure is of those bytes, the first rows scored in plain Python, all of them by the form that parity
ties to it. What is random has no time: there, rows come in the order of a shuffle. Baselines: library defaults; one-hot and scaled
for the regression, one-hot for the forest, native categories for boosting.

    .venv/bin/python benchmarks/quality/tabular.py [--quick] [bank telco …]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from json import loads

import numpy as np
import pandas as pd
import polars as pl
from data import path
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from nudge.learn import Recipe, train
from nudge.learn.features import rounded
from nudge.learn.slices import Slices
from nudge.profile.spec import absent
from nudge.score import load
from nudge.vocabulary import DAY, Goal

SEED, FOLDS, CHECKED = 42, 5, 200
BEHIND = 0.003
GOAL = Goal("it", "it", 1 / DAY)
META = {"worth": 0.0, "weight": 1.0, "logged": False, "activity": "nothing", "is_decision": 0.0}


@dataclass(frozen=True, slots=True)
class Set:
    """A table, its labels, how it is split, and what was published and is to be reached."""

    name: str
    table: pd.DataFrame
    label: np.ndarray
    ordered: bool
    published: str
    reach: float

    def splits(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Row numbers to learn from, in the order in which they came, and to judge on."""
        rows = np.arange(len(self.label))
        if self.ordered:
            cut = int(len(rows) * 0.75)
            return [(rows[:cut], rows[cut:])]
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(self.table, self.label)
        return [(np.random.default_rng(SEED + n).permutation(fit), test) for n, (fit, test) in enumerate(folds)]


def bank(*, ordered: bool) -> Set:
    table = pd.read_csv(path("bank-marketing/bank-full.csv.gz"), sep=";").drop(columns="duration")
    label = (table.pop("y") == "yes").to_numpy(dtype=float)
    if ordered:
        return Set("bank, 75 % → 25 % in time", table, label, True, "logistic 0.739, boosting 0.702", 0.745)
    return Set("bank, 5-fold", table, label, False, "LightGBM 0.801, boosting 0.800", 0.803)


def telco() -> Set:
    table = pd.read_csv(path("telco-churn/Telco-Customer-Churn.csv")).drop(columns="customerID")
    table["TotalCharges"] = pd.to_numeric(table["TotalCharges"], errors="coerce")
    label = (table.pop("Churn") == "Yes").to_numpy(dtype=float)
    return Set("telco, 5-fold", table, label, False, "logistic 0.845, LightGBM 0.837", 0.847)


def shoppers(*, pages: bool) -> Set:
    table = pd.read_csv(path("online-shoppers/online_shoppers_intention.csv"))
    label = table.pop("Revenue").to_numpy(dtype=float)
    codes = ["OperatingSystems", "Browser", "Region", "TrafficType", "Weekend"]
    table[codes] = table[codes].astype(str)
    if pages:
        return Set("shoppers, 5-fold", table, label, False, "boosting 0.931, LightGBM 0.930", 0.932)
    table = table.drop(columns="PageValues")
    return Set("shoppers without PageValues, 5-fold", table, label, False, "boosting 0.780, forest 0.776", 0.782)


SETS: dict[str, Callable[[], Set]] = {
    "bank-ordered": lambda: bank(ordered=True),
    "telco": telco,
    "shoppers": lambda: shoppers(pages=True),
    "shoppers-without": lambda: shoppers(pages=False),
    "bank": lambda: bank(ordered=False),
}


def frame(table: pd.DataFrame, label: np.ndarray, first: int) -> pl.DataFrame:
    """Rows as `learn.labels` makes them: each of another person, `at` its place; every column is a trait."""
    numbers = {name: rounded(table[name].to_numpy(dtype=float)) for name in table if table[name].dtype.kind in "if"}
    given = table.assign(**numbers)  # to six digits, as training reads them
    traits = {f"trait.{name}": [None if one != one else one for one in given[name].tolist()] for name in given}
    place = np.arange(first, first + len(label))
    people = [f"u{number}" for number in place]
    constant = [pl.lit(value).alias(name) for name, value in META.items()]
    return pl.DataFrame({**traits, "user_id": people, "at": place, "label": label}).with_columns(constant)


def ours(one: Set, fit: np.ndarray, test: np.ndarray) -> tuple[str, np.ndarray]:
    """The kind that won, and what the stored model says of the test rows."""
    before = frame(one.table.iloc[fit], one.label[fit], 0)
    last = frame(one.table.iloc[test], one.label[test], len(fit))
    said = {name: {"rows": rows.height, "used": rows.height} for name, rows in (("train", before), ("test", last))}
    made = train(Slices(before, last, said), GOAL, end=DAY, data={}, recipe=Recipe(), load=load, absent=absent)
    scorer = load(loads(made.model))
    plain = [scorer.probability(row) for row in last.head(CHECKED).iter_rows(named=True)]
    worst = float(np.abs(np.array(plain) - made.probability[:CHECKED]).max())
    if worst > 1e-9:
        raise SystemExit(f"{one.name}: the stored model differs by {worst:.3g}")
    mixture = loads(made.card)["chosen_by"]["mixture"]
    return "+".join(f"{weight:g} {kind}" for kind, weight in mixture.items()), made.probability


def baselines(one: Set, fit: np.ndarray, test: np.ndarray) -> dict[str, np.ndarray]:
    """What the library's defaults say of the test rows."""
    table = one.table.copy()
    texts = [name for name in table if table[name].dtype.kind not in "if"]
    numbers = [name for name in table if name not in texts]
    table[numbers] = table[numbers].fillna(table[numbers].iloc[fit].median())
    levels = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    scaled = make_column_transformer((levels, texts), (StandardScaler(), numbers))
    plain = make_column_transformer((levels, texts), ("passthrough", numbers))
    native = table.assign(**{name: table[name].astype("category") for name in texts})
    models = {
        "logistic": (make_pipeline(scaled, LogisticRegression(max_iter=2000)), table),
        "forest": (make_pipeline(plain, RandomForestClassifier(random_state=SEED)), table),
        "boosting": (HistGradientBoostingClassifier(random_state=SEED), native),
    }
    return {
        name: model.fit(given.iloc[fit], one.label[fit]).predict_proba(given.iloc[test])[:, 1]
        for name, (model, given) in models.items()
    }


def measure(one: Set, most: int) -> None:
    """Print a table of one set."""
    began, won = time.monotonic(), []
    found: dict[str, list[float]] = {}
    for fit, test in one.splits()[:most]:
        kind, p = ours(one, fit, test)
        won.append(kind)
        for name, said in {"ours": p, **baselines(one, fit, test)}.items():
            found.setdefault(name, []).append(float(roc_auc_score(one.label[test], said)))
    mean = {name: float(np.mean(each)) for name, each in found.items()}
    best = max((name for name in mean if name != "ours"), key=lambda name: mean[name])
    print(f"\n{one.name}: {len(one.label)} rows, AUC, mean ± spread over {len(won)} parts")
    for name, each in found.items():
        print(f"  {name:<10} {mean[name]:.4f} ± {np.std(each):.4f}")
    print(f"  chosen: {', '.join(sorted(set(won)))};   published: {one.published}")
    reached = mean["ours"] >= one.reach
    print(f"  to reach {one.reach}: {'yes' if reached else 'no'};   ", end="")
    print(f"against the best here ({best}): {mean['ours'] - mean[best]:+.4f} (at least -{BEHIND}): ", end="")
    print("yes" if mean["ours"] >= mean[best] - BEHIND else "no", f"  [{time.monotonic() - began:.0f} s]", flush=True)


def main(arguments: list[str]) -> int:
    """Print all tables; with `--quick` one fold of each."""
    names = [one for one in arguments if one in SETS] or list(SETS)
    for name in names:
        measure(SETS[name](), 1 if "--quick" in arguments else FOLDS)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
