"""Counts or sums by day or week → forecasts with intervals, what was unusual, and the naive forecast beside.

In: numbers in order of time (numpy). Out: a model that holds the forecasts themselves. Knows neither lake nor events.
Import it late: it brings statsmodels.
"""

from nudge.learn.demand.counted import Counted, series_of
from nudge.learn.demand.forecast import Forecast, Group, forecast
from nudge.learn.demand.model import Trained, train

__all__ = ["Counted", "Forecast", "Group", "Trained", "forecast", "series_of", "train"]
