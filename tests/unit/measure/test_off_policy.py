"""Off-policy evaluation: right where the answer is known, and its intervals hold the truth where rewards are rare."""

from __future__ import annotations

import numpy as np
import pytest

from nudge.measure.off_policy import Log, cross_fitted, evaluate

ESTIMATORS = ("ips", "snips", "doubly_robust")


def clicks(seed: int, size: int, rate: np.ndarray) -> Log:
    """A uniform log of rare clicks."""
    rng = np.random.default_rng(seed)
    activity = rng.integers(0, len(rate), size)
    reward = (rng.random(size) < rate[activity]) * 1.0
    return Log(activity, np.full(size, 1 / len(rate)), reward)


def test_the_policy_that_ran_is_worth_what_it_earned() -> None:
    log = clicks(0, 3000, np.array([0.02, 0.1, 0.05]))
    found = evaluate(log, np.full(3, 1 / 3))
    assert found.ips.value == pytest.approx(log.reward.mean())
    assert found.snips.value == pytest.approx(log.reward.mean())
    assert found.support.effective == pytest.approx(3000)
    assert found.support.flaws == []


def test_always_one_activity_is_worth_that_activitys_own_mean() -> None:
    log = clicks(1, 3000, np.array([0.02, 0.1, 0.05]))
    found = evaluate(log, np.array([0.0, 1.0, 0.0]))
    assert found.snips.value == pytest.approx(log.reward[log.activity == 1].mean())
    assert found.support.effective == pytest.approx((log.activity == 1).sum())


def test_by_hand() -> None:
    log = Log(np.array([0, 1]), np.array([0.5, 0.25]), np.array([1.0, 2.0]))
    found = evaluate(log, np.array([0.5, 0.5]), expected=np.array([[1.0, 0.0], [1.0, 1.0]]))
    assert found.ips.value == pytest.approx((1 * 1 + 2 * 2) / 2)
    assert found.snips.value == pytest.approx((1 * 1 + 2 * 2) / 3)
    assert found.doubly_robust.value == pytest.approx(((0.5 + 0) + (1.0 + 2 * 1)) / 2)
    assert found.support.effective == pytest.approx(9 / 5)


def test_doubly_robust_is_right_with_wrong_propensities_when_the_model_is_right() -> None:
    rng = np.random.default_rng(0)
    rate = np.array([0.2, 0.6])
    activity = (rng.random(20000) < 0.8).astype(int)
    reward = (rng.random(20000) < rate[activity]) * 1.0
    wrong = Log(activity, np.full(20000, 0.5), reward)
    found = evaluate(wrong, np.array([0.5, 0.5]), expected=np.broadcast_to(rate, (20000, 2)))
    assert found.doubly_robust.value == pytest.approx(0.4, abs=0.01)
    assert abs(found.ips.value - 0.4) > 0.05


@pytest.mark.parametrize("size", [600, 4000])
def test_intervals_hold_the_truth_where_clicks_are_rare(size: int) -> None:
    held = {name: 0 for name in ESTIMATORS}
    rounds = 300
    for seed in range(rounds):
        rng = np.random.default_rng([seed, size])
        rate, policy = rng.gamma(2.0, 0.005, 10), rng.dirichlet(np.full(10, 0.4))
        found = evaluate(clicks(seed, size, rate), policy)
        truth = float((policy * rate).sum())
        for name in ESTIMATORS:
            one = getattr(found, name)
            held[name] += one.low <= truth <= one.high
    assert min(held.values()) / rounds >= 0.93


def test_intervals_hold_the_truth_where_rewards_are_below_zero_too() -> None:
    held, rounds = {name: 0 for name in ESTIMATORS}, 300
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        activity = rng.integers(0, 4, 1500)
        bought = rng.random(1500) < 0.02 + 0.01 * activity
        reward = np.where(bought, rng.lognormal(3, 0.7, 1500), 0.0) - 0.3
        found = evaluate(Log(activity, np.full(1500, 0.25), reward), np.array([0.1, 0.1, 0.1, 0.7]))
        truth = float(np.exp(3 + 0.245) * (0.1 * (0.02 + 0.03 + 0.04) + 0.7 * 0.05) - 0.3)
        for name in ESTIMATORS:
            one = getattr(found, name)
            held[name] += one.low <= truth <= one.high
            assert one.method == "gamma_shape"
    assert min(held.values()) / rounds >= 0.93


def test_no_click_at_all_is_no_proof_that_there_is_none() -> None:
    log = Log(np.arange(400) % 4, np.full(400, 0.25), np.zeros(400))
    found = evaluate(log, np.full(4, 0.25))
    assert (found.ips.value, found.ips.low) == (0.0, 0.0)
    assert 3 / 400 < found.ips.high < 4 / 400  # the exact Poisson bound is 3.69 / n


def test_decisions_of_one_person_are_not_independent() -> None:
    log = clicks(3, 1000, np.array([0.05, 0.1]))
    often = Log(
        np.repeat(log.activity, 4),
        np.repeat(log.propensity, 4),
        np.repeat(log.reward, 4),
        np.repeat(np.arange(1000), 4),
    )
    policy = np.array([0.3, 0.7])
    assert evaluate(often, policy).ips.error == pytest.approx(evaluate(log, policy).ips.error, rel=0.01)


def test_the_log_says_when_it_cannot_answer() -> None:
    log = clicks(4, 500, np.array([0.1, 0.1]))
    untried = evaluate(log, np.array([0.5, 0.0, 0.5])).support
    assert untried.untried == pytest.approx(0.5)
    assert len(untried.flaws) == 2  # never tried; and the weights do not average 1
    few = evaluate(clicks(5, 40, np.array([0.1, 0.1])), np.array([1.0, 0.0])).support
    assert any("worth" in flaw for flaw in few.flaws)


def test_the_reward_model_never_saw_the_decision_it_is_used_for() -> None:
    log = clicks(6, 200, np.array([0.3, 0.3]))
    changed = Log(log.activity, log.propensity, np.where(np.arange(200) == 17, 1000.0, log.reward))
    before, after = cross_fitted(log, 2), cross_fitted(changed, 2)
    assert (before[17] == after[17]).all()
    assert (before[18] != after[18]).any()


@pytest.mark.parametrize(
    ("propensity", "reward", "policy"),
    [
        ([0.0, 1.0], [0.0, 0.0], [0.5, 0.5]),
        ([0.5, 0.5], [np.nan, 0.0], [0.5, 0.5]),
        ([0.5, 0.5], [0.0, 0.0], [0.5, 0.6]),
    ],
)
def test_what_is_no_log_or_no_policy_is_refused(
    propensity: list[float], reward: list[float], policy: list[float]
) -> None:
    with pytest.raises(ValueError):
        evaluate(Log(np.array([0, 1]), np.array(propensity), np.array(reward)), np.array(policy))
