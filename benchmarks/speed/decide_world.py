"""What both sides of the decide benchmarks are given: one model, one person, one plan, one request, in a folder.

The model (100 trees of 31 leaves; 20 numbers, 10 categories, and the activity) is fitted once. Our side gets the signed JSON
that `nudge.learn` exports; the peer gets the same scikit-learn pipeline as it would be dumped: a file that lives in this
temporary folder only, because loading such a file runs code.
"""

from __future__ import annotations

import json
from pathlib import Path

import joblib
import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from nudge.learn import boosting, calibrate, export, features
from nudge.profile.fold import fold_many
from nudge.profile.spec import absent
from nudge.profile.vector import features as vector_of
from nudge.score import load
from nudge.vocabulary import DAY, Event, Goal, Micros, Profile

NOW: Micros = 1_795_000_000_000_000
KINDS = ("page_view", "search", "add_to_cart", "purchase", "email_open", "email_click")
ACTIVITIES = ("banner", "hero", "sidebar")
PLAN = {
    "version": "bench",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "goals": {"purchase": {"event": "purchase", "within_days": 7, "value": 30}},
    "activities": {
        name: {"goal": "purchase", "channel": "inline", "template": name, "cost": 0.01 * place, "holdout": 0.1}
        for place, name in enumerate(ACTIVITIES)
    },
    "policy": {"holdout": 0.05, "exploration": 50, "base_rate": 0.05},
    "channels": {"inline": {}},
}
REQUEST = {
    "version": "2.0",
    "routeKey": "POST /v1/decisions",
    "rawPath": "/v1/decisions",
    "rawQueryString": "",
    "headers": {"content-type": "application/json", "idempotency-key": "k-0"},
    "requestContext": {"http": {"method": "POST", "path": "/v1/decisions"}, "stage": "$default", "requestId": "r"},
    "body": json.dumps({"user_id": "u1", "goal": "purchase"}),
    "isBase64Encoded": False,
}


def person() -> Profile:
    """Sixty events in ninety days, ten attributes."""
    rng = np.random.default_rng(5)
    events = [
        Event(f"e{n}", "u1", KINDS[n % len(KINDS)], NOW - int(rng.integers(1, 90 * DAY)), value=float(n))
        for n in range(60)
    ]
    traits = {f"segment_{n}": (f"level {n % 5}", NOW - 99 * DAY) for n in range(10)}
    return Profile("u1", state=fold_many({}, events), traits=traits, version=1)


def rows(vector: dict[str, object], number: int = 20_000) -> tuple[pl.DataFrame, list[str]]:
    """People like this one: 20 of the person's numbers, 10 categories, an activity, a label that they explain."""
    rng = np.random.default_rng(0)
    numbers = sorted(name for name, value in vector.items() if isinstance(value, float))[:20]
    columns: dict[str, object] = {name: rng.gamma(1.0, 1.0 + abs(float(vector[name] or 0)), number) for name in numbers}  # type: ignore[arg-type]
    for n in range(10):
        columns[f"trait.segment_{n}"] = rng.choice([f"level {k}" for k in range(8)], number)
    columns["activity"] = rng.choice(["nothing", *ACTIVITIES], number)
    z = sum(np.log1p(columns[name]) * rng.normal(0, 0.6) for name in numbers) - 2  # type: ignore[arg-type]
    label = (rng.random(number) < 1 / (1 + np.exp(-(z + 0.3 * (columns["activity"] == "banner"))))).astype(float)
    return pl.DataFrame({**columns, "label": label}), numbers


def make(folder: Path) -> None:
    """Write everything into the folder, and check that both models say the same."""
    who = person()
    vector = vector_of(who, NOW)
    frame, numbers = rows(dict(vector))
    chosen: list[features.Feature] = [{"name": name, "type": "number", "absent": absent(name)} for name in numbers]
    for name in sorted(name for name in frame.columns if frame[name].dtype == pl.String):
        standard = "nothing" if name == "activity" else None
        levels = sorted(frame[name].unique())
        chosen.append({"name": name, "type": "category", "levels": levels, "absent": standard})
    table = features.table(frame, chosen)
    label = frame["label"].to_numpy()
    estimator = HistGradientBoostingClassifier(max_iter=100, max_leaf_nodes=31, early_stopping=False, random_state=0)
    with threadpool_limits(1):
        fitted = boosting.Boosting(chosen, estimator.fit(table, label))
    z = fitted.log_odds(table)
    calibration = calibrate.fit(z[:300], label[:300], np.ones(300), np.arange(300))
    stored = export.artefact(fitted, calibration, Goal("purchase", "purchase", 7, 30.0), 30.0)
    export.parity(stored, load, fitted, calibration, table[:300], 0)
    (folder / "model.json").write_bytes(stored)
    joblib.dump({"model": estimator, "calibration": calibration.estimator}, folder / "model.joblib")
    (folder / "person.json").write_text(json.dumps({"state": who.state, "traits": who.traits}))
    seen = {feature["name"]: vector.get(feature["name"], feature["absent"]) for feature in chosen}
    (folder / "features.json").write_text(json.dumps(seen))
    (folder / "plan.json").write_text(json.dumps(PLAN))
    (folder / "request.json").write_text(json.dumps(REQUEST))
