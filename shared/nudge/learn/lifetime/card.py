"""The card of a value model: what it reads, what it says, how near it was, where it ends. No clock in it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy
import polars
import scipy
import sklearn

from nudge.learn.lifetime.forecast import Forecast
from nudge.learn.lifetime.models import Fit
from nudge.learn.recipe import Recipe

if TYPE_CHECKING:
    from nudge.learn.lifetime.train import Rows

READS = {
    "total.{event}": "number of such events, ever; events, not days: two on one day are two",
    "days_since.{event}": "days since the latest",
    "days_since_first.{event}": "days since the first",
    "value.{event}.total": "sum of their values, ever",
}
FIGURES = {
    "deviance": "Poisson deviance of the expected number: what was chosen and is promoted by",
    "mae": "mean absolute error of the expected number (a mean; sums over people are right)",
    "mae_typical": "mean absolute error of the typical number (the median that the models of buying give)",
    "correlation": "of the expected number with what came, over people",
    "ratio": "sum of expected numbers to the sum that came",
    "alive_auc": "how well P(alive) tells who bought in the window",
    "spend_mae": "mean absolute error of the expected spend",
    "spend_correlation": "of the expected spend with what was spent",
}
LIMITS = (
    "What we did for people is part of what they did: the forecast holds for going on as before.",
    "P(alive) comes from the model of buying; the learned correction changes purchases, not P(alive).",
    "Gamma-Gamma takes what an order is worth to be independent of how often somebody buys; see `order_value_correlation`, and `bend`: "
    "how much faster those buy whose orders are worth more.",
    "Events without a value, or with a negative one, count as purchases; their value as it stands.",
)


def card(
    rows: Rows,
    final: Forecast,
    fits: Mapping[str, Fit],
    horizon_days: float,
    *,
    data: Mapping[str, Any],
    said: Mapping[str, Any],
    recipe: Recipe,
) -> dict[str, Any]:
    """The card as JSON. `said`: figures by kind, what was chosen and how, deciles, parity."""
    limits = list(LIMITS)
    if rows.days < horizon_days:
        limits.append(
            f"Judged over {rows.days} days; said over {horizon_days:g}: the model of buying carries it further, nothing has checked that."
        )
    read = {name.replace("{event}", rows.event): text for name, text in READS.items()}
    learned = [] if final.correction is None or not final.weight else [one["name"] for one in final.correction.features]
    return {
        "kind": said["chosen"],
        "event": rows.event,
        "horizon_days": horizon_days,
        "data": dict(data),
        "windows": {"days": rows.days, "cuts": list(rows.cuts), "people": [one.height for one in rows.followed]},
        "metrics": said["kinds"][said["chosen"]],
        "metrics_mean": FIGURES,
        "all_kinds": said["kinds"],
        "chosen_by": said["chosen_by"],
        "parameters": {
            name: {"parameters": list(one.parameters), "bend": one.bend, "log_likelihood": one.log_likelihood}
            for name, one in fits.items()
        },
        "gamma_gamma": None if final.spend is None else final.spend.export(),
        "order_value_correlation": _dependence(rows),
        "typical": dict(zip(("mean", "median"), map(list, final.typical), strict=True)),
        "deciles": said["deciles"],
        "parity": said["parity"],
        "reads": read,
        "features": learned,
        "limits": limits,
        "recipe": asdict(recipe),
        "libraries": {
            "python": platform.python_version(),
            **{one.__name__: one.__version__ for one in (numpy, polars, scipy, sklearn)},
        },
    }


def _dependence(rows: Rows) -> float | None:
    """Correlation of the number of orders with their mean value, of those who bought more than once."""
    total, worth = f"total.{rows.event}", f"value.{rows.event}.total"
    if total not in rows.now.columns or worth not in rows.now.columns:
        return None
    held = rows.now.filter(polars.col(total) > 1)
    number, mean = held[total].to_numpy(), held[worth].to_numpy() / held[total].to_numpy()
    if len(number) < 3 or number.std() == 0 or mean.std() == 0:
        return None
    return float(numpy.corrcoef(number, mean)[0, 1])
