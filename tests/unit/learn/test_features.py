"""Numbers as training sees them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from nudge.learn.features import rounded


def test_numbers_keep_six_digits_and_the_largest_stay_as_they_are() -> None:
    values = np.array([0.0, -1.0, 1 / 3, 1e300, np.finfo(float).max, -np.finfo(float).max, 5e-324, np.inf, np.nan])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = rounded(values)
    assert found == pytest.approx(values, rel=2e-6, nan_ok=True)
    assert found[4] == values[4]
    assert found[5] == values[5]
