"""What a reader must know about effects to trust them: who was compared with whom, what was found, and what was not."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any

import numpy
import pandas
import polars
import scipy
import sklearn

from nudge.learn.export import canonical
from nudge.learn.uplift import judge
from nudge.learn.uplift.effect import CELLS, Effect, Held
from nudge.learn.uplift.experiment import EDGE
from nudge.vocabulary import Goal

LIMITS = (
    "An effect is that of one decision, with everything that our policy did afterwards inside the goal's window; whoever is held "
    "out gets nothing afterwards either.",
    "Treated is who was to be treated: mail that bounced or came late counts as done.",
    f"Propensities are kept {EDGE:g} off 0 and 1, and no row weighs more than {1 / EDGE:g} times: `clipped` rows are bound by that, "
    "and draw the effect towards the people for whom either choice was likely.",
    "The average that is used is drawn towards the plan's expected lift by its own uncertainty; `low` and `high` are of what was "
    "measured.",
)
FIFTHS = 5


def card(
    goal: Goal,
    effects: Mapping[str, Effect],
    *,
    compared: Mapping[str, int],
    left_out: Mapping[str, int],
    metrics: Mapping[str, list[float]],
    features: Sequence[str],
    data: Mapping[str, Any],
    design: Mapping[str, Any],
    parity: float,
    recipe: Mapping[str, Any],
) -> bytes:
    """The card as canonical JSON."""
    return canonical(
        {
            "kind": "uplift",
            "goal": goal._asdict(),
            "data": dict(data),
            "design": dict(design),
            "activities": {one: _activity(made) for one, made in effects.items()},
            "sampled": [one for one, count in compared.items() if count > len(effects[one].held.rows)],
            "left_out": dict(left_out),
            "metrics": dict(metrics),
            "all_kinds": {one: dict(made.chosen.learners) for one, made in effects.items() if made.chosen},
            "chosen_by": {
                "figure": "Qini gain on people crossed over in groups, from doubly robust scores (goals a person)",
                "kept": {one: list(made.chosen.kept) for one, made in effects.items() if made.chosen},
            },
            "parity": parity,
            "features": list(features),
            "limits": list(LIMITS),
            "recipe": dict(recipe),
            "libraries": {
                "python": platform.python_version(),
                **{one.__name__: one.__version__ for one in (numpy, pandas, polars, scipy, sklearn)},
            },
        }
    )


def _activity(made: Effect) -> dict[str, Any]:
    rows = made.held.rows
    value, low, high = made.estimate.interval()
    told: dict[str, Any] = {
        "treated": int(rows.treated.sum()),
        "control": int((~rows.treated).sum()),
        "treated_goals": int(rows.label[rows.treated].sum()),
        "control_goals": int(rows.label[~rows.treated].sum()),
        "clipped": rows.clipped,
        "average": {"used": made.average, "measured": value, "low": low, "high": high},
        "heterogeneity": _words(made),
    }
    if made.chosen is not None:
        gain = made.chosen.gain.interval()
        told["gain"] = {"value": gain[0], "low": gain[1], "high": gain[2], "at_least": made.chosen.at_least}
    if made.heterogeneous:
        told |= {"slope": made.slope, "faithful": made.faithful, "fifths": _fifths(made.held)}
    return told


def _words(made: Effect) -> str:
    if made.chosen is None:
        return f"not looked for: each of treated and not, goal and none, needs {CELLS} rows"
    if made.heterogeneous:
        return "the effect differs between people"
    return "no detectable heterogeneity: the average is used"


def _fifths(held: Held) -> list[dict[str, float]]:
    """People in five groups by the effect that others' learners said of them: what was said, and what was measured (GATES of
    Chernozhukov et al. 2018)."""
    order = numpy.argsort(-held.order, kind="stable")
    told = []
    for part in numpy.array_split(order, FIFTHS):
        if len(part):
            weight = held.rows.weight[part]
            was = judge.mean(held.dr[part], weight, held.rows.people[part]).interval()
            said = float(numpy.average(held.said[part], weights=weight))
            told.append({"said": said, "was": was[0], "low": was[1], "high": was[2], "rows": len(part)})
    return told
