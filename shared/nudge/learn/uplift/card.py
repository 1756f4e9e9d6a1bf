"""What a reader must know about effects to trust them: who was compared with whom, what was found, and what was not."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy
import pandas
import polars
import scipy
import sklearn

from nudge.learn.export import canonical
from nudge.learn.uplift import judge
from nudge.learn.uplift.effect import CELLS, Effect
from nudge.learn.uplift.experiment import EDGE, Experiment
from nudge.vocabulary import Goal

if TYPE_CHECKING:
    from nudge.learn.uplift.train import Judged

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
    parts: Mapping[str, Experiment],
    judged: Mapping[str, Judged],
    *,
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
            "goal": asdict(goal),
            "data": dict(data),
            "design": dict(design),
            "activities": {one: _activity(effects[one], parts[one], judged[one]) for one in effects},
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


def _activity(made: Effect, rows: Experiment, held: Judged) -> dict[str, Any]:
    value, low, high = made.estimate.interval()
    told: dict[str, Any] = {
        "treated": int(rows.treated.sum()),
        "control": int((~rows.treated).sum()),
        "treated_goals": int(rows.label[rows.treated].sum()),
        "control_goals": int(rows.label[~rows.treated].sum()),
        "clipped": rows.clipped,
        "held_out": len(held.rows),
        "average": {"used": made.average, "measured": value, "low": low, "high": high},
        "heterogeneity": _words(made),
    }
    if made.chosen is not None:
        gain = made.chosen.gain.interval()
        told["gain"] = {"value": gain[0], "low": gain[1], "high": gain[2], "at_least": made.chosen.at_least}
    if made.heterogeneous:
        told |= {"slope": made.slope, "faithful": made.faithful, "fifths": _fifths(held)}
    return told


def _words(made: Effect) -> str:
    if made.chosen is None:
        return f"not looked for: each of treated and not, goal and none, needs {CELLS} rows"
    if made.heterogeneous:
        return "the effect differs between people"
    return "no detectable heterogeneity: the average is used"


def _fifths(held: Judged) -> list[dict[str, float]]:
    """Held-out people in five groups by the effect that was said of them: what was said, and what was measured (GATES of
    Chernozhukov et al. 2018)."""
    order = numpy.argsort(-held.said, kind="stable")
    told = []
    for part in numpy.array_split(order, FIFTHS):
        if len(part):
            weight = held.rows.weight[part]
            was = judge.mean(held.dr[part], weight, held.rows.people[part]).interval()
            said = float(numpy.average(held.said[part], weights=weight))
            told.append({"said": said, "was": was[0], "low": was[1], "high": was[2], "rows": len(part)})
    return told
