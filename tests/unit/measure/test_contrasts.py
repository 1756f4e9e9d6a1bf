"""Activities compared by propensities: unbiased though the policy prefers, honest over all pairs, read on any day."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.measure import contrasts, segments, sequence
from nudge.measure.frames import empty
from nudge.measure.holm import holm
from nudge.measure.records import TOLD

NAMES = ["a", "b", "nothing"]


def decided(random: np.random.Generator, size: int, gain: dict[str, float]) -> pl.DataFrame:
    """People with a taste for whom the policy prefers `a` the more they would buy anyway."""
    taste = random.random(size)
    shares = np.column_stack([0.1 + 0.6 * taste, 0.7 - 0.6 * taste, np.full(size, 0.2)])
    drawn = (random.random(size)[:, None] > shares.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    rate = 0.1 + 0.3 * taste + np.array([gain[name] for name in NAMES])[drawn]
    bought = random.random(size) < rate
    return pl.DataFrame(
        {
            "user_id": [f"u{n}" for n in range(size)],
            "decision_id": [f"d{n}" for n in range(size)],
            "chosen": [NAMES[n] for n in drawn],
            "group": ["treatment"] * size,
            "propensity": shares[np.arange(size), drawn],
            "kept": [1.0] * size,
            "cost": [0.0] * size,
            "value": np.where(bought, 10.0, 0.0),
        }
    )


def test_the_policys_preference_does_not_bias_the_difference_and_a_plain_mean_would_be_fooled() -> None:
    random, differences, plain = np.random.default_rng(5), [], []
    for _ in range(200):
        rows = decided(random, 600, {"a": 0.0, "b": 0.0, "nothing": 0.0})
        pair = contrasts.pairs(rows, empty(TOLD), ["a", "b"])["pairs"][0]
        differences.append(pair["difference"]["estimate"])
        means = {name: rows.filter(pl.col("chosen") == name)["value"].mean() for name in "ab"}
        plain.append(means["b"] - means["a"])  # type: ignore[operator]
    assert abs(np.mean(differences)) < 4 * np.std(differences) / np.sqrt(200)
    assert abs(np.mean(plain)) > 4 * np.std(plain) / np.sqrt(200)


def test_without_any_difference_hardly_ever_is_one_found_over_all_pairs() -> None:
    random = np.random.default_rng(6)
    found = [
        any(
            one["found"]
            for one in contrasts.pairs(decided(random, 500, dict.fromkeys(NAMES, 0.0)), empty(TOLD), NAMES)["pairs"]
        )
        for _ in range(200)
    ]
    assert np.mean(found) <= 0.05


def test_a_clear_winner_is_named_and_beats_each_other() -> None:
    rows = decided(np.random.default_rng(7), 6000, {"a": 0.0, "b": 0.3, "nothing": 0.0})
    told = contrasts.pairs(rows, empty(TOLD), NAMES)
    assert told["best"] == "b"
    first = told["pairs"][0]
    assert (first["first"], first["second"], first["found"]) == ("a", "b", True)
    assert first["difference"]["low"] > 0


def test_only_people_for_whom_both_were_open_are_compared() -> None:
    rows = decided(np.random.default_rng(8), 400, dict.fromkeys(NAMES, 0.0))
    offers = [
        {"activity": name, "probability": None, "value": None, "propensity": 0.3, "removed": None} for name in NAMES
    ]
    told = pl.DataFrame(
        [{"decision_id": f"d{n}", "offered": offers if n % 2 else offers[1:]} for n in range(400)],
        schema={"decision_id": pl.String(), "offered": TOLD["offered"]},
    )
    pair = contrasts.pairs(rows, told, ["a", "b"])["pairs"][0]
    odd = rows.filter(pl.col("decision_id").str.slice(1).cast(pl.Int64) % 2 == 1)
    assert pair["people"] == {
        name: odd.filter(pl.col("chosen") == key).height for name, key in (("first", "a"), ("second", "b"))
    }


def test_a_few_decisions_are_not_compared_and_it_says_so() -> None:
    told = contrasts.pairs(decided(np.random.default_rng(9), 40, dict.fromkeys(NAMES, 0.0)), empty(TOLD), NAMES)
    assert all(one["difference"]["low"] is None for one in told["pairs"])
    assert "worth 30 decisions" in told["pairs"][0]["difference"]["note"]
    assert told["best"] is None


@given(st.lists(st.floats(0, 1) | st.none(), max_size=12))
def test_holm_keeps_the_order_never_lowers_a_p_value_and_multiplies_the_smallest_by_all(
    p_values: list[float | None],
) -> None:
    adjusted = holm(p_values)
    pairs = [(p, q) for p, q in zip(p_values, adjusted, strict=True) if p is not None and q is not None]
    assert [p is None for p in p_values] == [q is None for q in adjusted]
    assert all(p <= q <= 1 for p, q in pairs)
    assert all(one[1] <= two[1] for one, two in pairwise(sorted(pairs)))
    if pairs:
        assert min(q for _, q in pairs) == min(1.0, min(p for p, _ in pairs) * len(pairs))


def people(random: np.random.Generator, size: int, effect: dict[str, float]) -> tuple[pl.DataFrame, pl.DataFrame]:
    level = random.choice(list(effect), size)
    treated = random.random(size) < 0.6
    rate = 0.15 + np.array([effect[one] for one in level]) * treated
    bought = random.random(size) < rate
    judged = pl.DataFrame(
        {
            "user_id": [f"u{n:05d}" for n in range(size)],
            "decision_id": [f"d{n}" for n in range(size)],
            "group": np.where(treated, "treatment", "holdout"),
            "value": np.where(bought, 10.0, 0.0),
            "converted": bought,
            "before": np.zeros(size),
        }
    )
    told = pl.DataFrame(
        {
            "decision_id": judged["decision_id"],
            "traits": [
                [{"name": "country", "level": str(one)}, {"name": "id", "level": f"{n}"}] for n, one in enumerate(level)
            ],
            "orders": np.arange(size) % 3.0,
            "since": np.arange(size) % 50.0,
        },
        schema_overrides={"traits": TOLD["traits"]},
    )
    return judged, told


def test_in_200_reports_without_an_effect_a_segment_is_found_in_5_percent_at_most() -> None:
    random, any_found = np.random.default_rng(11), 0
    for _ in range(200):
        judged, told = people(random, 500, {"DE": 0.0, "AT": 0.0, "CH": 0.0})
        table = segments.table(segments.split(judged, told, "mail", None))
        assert table["looks"] >= 6
        any_found += any(row["found"] for row in table["rows"])
    assert any_found <= 10


def test_the_segment_with_the_effect_is_found_and_names_and_lifecycles_are_right() -> None:
    judged, told = people(np.random.default_rng(12), 6000, {"DE": 0.3, "AT": 0.0, "CH": 0.0})
    table = segments.table(segments.split(judged, told, "mail", None))
    found = {(row["trait"], row["level"]) for row in table["rows"] if row["found"]}
    assert ("country", "DE") in found
    assert not found & {("country", "AT"), ("country", "CH")}
    traits = {row["trait"] for row in table["rows"]}
    assert traits == {"country", segments.LIFECYCLE}, "a trait with as many levels as people is no segment"
    stages = {row["level"] for row in table["rows"] if row["trait"] == segments.LIFECYCLE}
    assert stages == {"never_bought", "first_purchase", "active", "lapsed"}
    for row in table["rows"]:
        assert row["found"] == (row["per_person"]["p_value"] < sequence.ALPHA)


@pytest.mark.parametrize("size", [0, 20])
def test_small_segments_are_not_looked_at(size: int) -> None:
    judged, told = people(np.random.default_rng(13), size, {"DE": 0.0})
    assert segments.table(segments.split(judged, told, "mail", None)) == {"method": "holm", "looks": 0, "rows": []}
