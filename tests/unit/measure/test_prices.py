"""What a thousand cost: every line is units times a price of the one table, and the sum is the sum."""

from __future__ import annotations

import pytest

from nudge.measure import prices
from nudge.measure.prices import Door


@pytest.mark.parametrize("what", ["decisions", "messages"])
def test_the_arithmetic_adds_up(what: str) -> None:
    told = prices.costs()[what]
    assert told["usd"] == pytest.approx(sum(line["usd"] for line in told["lines"]))
    for line in told["lines"]:
        assert line["usd"] == pytest.approx(line["units"] * line["usd_per_unit"], rel=1e-4)
        assert line["why"]
    assert {line["what"] for line in told["lines"]} <= {price.unit for price in prices.PRICES.values()}


def test_a_thousand_decisions_cost_what_the_prices_say() -> None:
    """24 ms of 1 GB: 24 GB-seconds a thousand; one request, one API call, 6 reads, 21 writes, 1 kB of logs each."""
    door = Door(8.0, 0, 1769, "by hand")
    told = prices.thousand(prices.decision(door))
    seconds = 8.0 * 1769 / 1024 * 0.0000133334
    assert told["usd"] == pytest.approx(seconds + 0.0002 + 0.001 + 6 * 0.000125 + 21 * 0.000625 + 0.0005, rel=1e-6)


def test_a_door_with_half_a_processor_takes_twice_as_long_and_waits_the_same() -> None:
    half, whole = Door(10.0, 3, 1769 // 2, "x"), Door(10.0, 3, 1769, "x")
    assert half.milliseconds - whole.milliseconds == pytest.approx(10.0, rel=0.01)
    assert Door(10.0, 3, 4000, "x").milliseconds == whole.milliseconds
