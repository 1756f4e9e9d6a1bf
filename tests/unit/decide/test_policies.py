"""Every policy says exactly with which probability it does what."""

from __future__ import annotations

from copy import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.decide import chance, record
from nudge.decide.policies import Open, Setting, best_of, shares
from nudge.decide.policy import Question, choose, replay
from nudge.vocabulary import NOTHING, Campaign, CampaignRun, Candidate, PolicyName
from tests.acting import NOON, plan

POLICIES: list[PolicyName] = ["squarecb", "greedy", "thompson", "uplift_first", "rules"]
SETTING = Setting(exploration=50.0, worth=30.0)
OPEN = [Open(NOTHING, 0.05, 1.5, False), Open("banner", 0.06, 1.8, True), Open("mail", 0.09, 2.2, False)]


@pytest.mark.parametrize("name", POLICIES)
@given(values=st.lists(st.tuples(st.floats(0, 1), st.floats(-50, 50)), min_size=1, max_size=6), worth=st.floats(0, 1e6))
def test_propensities_of_any_candidates_are_probabilities(
    name: PolicyName, values: list[tuple[float, float]], worth: float
) -> None:
    found = shares(
        name,
        [Open(NOTHING if not place else f"a{place}", p, v, place % 2 == 0) for place, (p, v) in enumerate(values)],
        Setting(50.0, worth),
    )
    assert len(found) == len(values)
    assert all(0 <= one <= 1 + 1e-12 for one in found)
    assert sum(found) == pytest.approx(1.0)


def test_greedy_takes_the_most_valuable_and_rules_the_first_that_may_be_done() -> None:
    assert shares("greedy", OPEN, SETTING) == [0.0, 0.0, 1.0]
    assert shares("rules", OPEN, SETTING) == [0.0, 1.0, 0.0]
    assert shares("rules", OPEN[:1], SETTING) == [1.0]


def test_uplift_first_trusts_measured_effects_alone() -> None:
    assert shares("uplift_first", OPEN, SETTING) == [0.0, 1.0, 0.0]
    harmful = [OPEN[0], replace(OPEN[1], value=1.0), OPEN[2]]
    assert shares("uplift_first", harmful, SETTING) == [1.0, 0.0, 0.0]


def test_thompson_draws_each_as_often_as_it_would_win() -> None:
    means, deviations = [1.5, 1.8, 2.2], [0.9, 1.0, 1.2]
    drawn = np.random.default_rng(0).normal(means, deviations, (400_000, 3)).argmax(axis=1)
    assert best_of(means, deviations) == pytest.approx(np.bincount(drawn) / len(drawn), abs=0.003)


def test_thompson_is_surer_the_more_a_guess_counts() -> None:
    told = [shares("thompson", OPEN, Setting(n, 30.0))[2] for n in (1.0, 50.0, 50_000.0)]
    assert told == sorted(told)
    assert told[-1] > 0.999


@pytest.mark.parametrize("name", POLICIES)
def test_a_campaigns_decision_is_made_again_from_its_record(name: PolicyName) -> None:
    spring = Campaign("spring", "purchase", ("discount_mail", "banner"), policy=name, holdout=0.5)
    here = replace(plan(), campaigns={"spring": spring})
    for number in range(20):
        asked = Question(
            decision_id=chance.decision_id("ana", f"{number}"),
            user_id=f"user {number}",
            now=NOON,
            goal="purchase",
            worth=30.0,
            candidates=(Candidate(NOTHING, 0.05), Candidate("discount_mail", 0.2), Candidate("banner", 0.06)),
            due_at={"discount_mail": NOON, "banner": NOON},
            vector={},
            context={},
            model_version="m1",
            run=CampaignRun(spring, "20261118T0900"),
            measured=frozenset({"banner"}),
        )
        made = record.loads(record.dumps(choose(asked, here)))
        assert (made.campaign, made.run, made.policy.partition(" ")[0]) == ("spring", "20261118T0900", name)
        assert replay(made, here) == made


def test_a_campaign_holds_out_the_same_people_from_all_its_activities_and_runs() -> None:
    spring = Campaign("spring", "purchase", ("discount_mail", "banner"), holdout=0.4, policy="greedy")
    here = replace(plan(holdout=0.0), campaigns={"spring": spring})
    groups = {}
    for run, best in (("one", "discount_mail"), ("two", "banner")):
        for number in range(300):
            candidates = (Candidate(NOTHING, 0.01), Candidate(best, 0.5))
            asked = Question(
                f"d{run}{number}", f"user {number}", NOON, "purchase", 30.0, candidates, {}, {}, {}, "m",
                run=CampaignRun(spring, run),
            )  # fmt: skip
            groups.setdefault(f"user {number}", set()).add(choose(asked, here).group)
    assert {len(one) for one in groups.values()} == {1}
    assert 0.3 < sum(one == {"holdout"} for one in groups.values()) / 300 < 0.5
