"""One decision: complete, repeatable, and honest about chance."""

from __future__ import annotations

from collections import Counter
from copy import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.decide import chance, record
from nudge.decide.policy import Question, choose, replay
from nudge.errors import BadInput
from nudge.vocabulary import NOTHING, Candidate
from tests.acting import NOON, plan

CANDIDATES = (
    Candidate(NOTHING, 0.05),
    Candidate("discount_mail", 0.08),
    Candidate("banner", 0.06),
    Candidate("receipt", removed="transactional"),
)


def question(key: str = "k", user: str = "ana", candidates: tuple[Candidate, ...] = CANDIDATES) -> Question:
    return Question(
        decision_id=chance.decision_id(user, key),
        user_id=user,
        now=NOON,
        goal="purchase",
        worth=30.0,
        candidates=candidates,
        due_at={"discount_mail": NOON + 7, "banner": NOON},
        vector={"count.purchase.30d": 0.1 + 0.2, "trait.country": "DE", "days_since.purchase": None},
        context={"page": "shoes"},
        model_version="m1",
    )


@given(st.text(min_size=1, max_size=40), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1000))
def test_the_record_replays_to_the_same_decision_bit_for_bit(key: str, p: float, holdout: float, gamma: float) -> None:
    here = plan(holdout=holdout * 0.9, exploration=gamma)
    asked = question(key, candidates=(*CANDIDATES[:2], Candidate("banner", p)))
    made = choose(asked, here)
    read_again = record.loads(record.dumps(made))
    assert read_again == made
    assert replay(read_again, here) == made
    assert record.dumps(replay(read_again, here)) == record.dumps(made)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
def test_a_decision_with_a_number_that_is_not_finite_is_not_recorded(wrong: float) -> None:
    made = choose(question(), plan())
    spoiled = made._replace(candidates=(made.candidates[0]._replace(value=wrong), *made.candidates[1:]))
    for one in (made._replace(vector={"count.purchase.30d": wrong}), spoiled):
        with pytest.raises(ValueError, match="finite"):
            record.dumps(one)


def test_a_replay_needs_the_plan_it_was_made_by() -> None:
    with pytest.raises(ValueError, match="was made by plan"):
        replay(choose(question(), plan()), plan(holdout=0.5))


def test_every_candidate_keeps_its_propensity_and_the_removed_their_reason() -> None:
    made = choose(question(), plan(exploration=50))
    assert [one.activity for one in made.candidates] == [NOTHING, "discount_mail", "banner", "receipt"]
    assert sum(one.propensity for one in made.candidates) == pytest.approx(1.0)
    assert made.candidates[3] == Candidate("receipt", removed="transactional")
    assert made.propensity == next(one.propensity for one in made.candidates if one.activity == made.chosen)


def test_values_are_probability_times_worth_minus_cost() -> None:
    made = choose(question(), plan())
    assert [one.value for one in made.candidates[:3]] == pytest.approx([1.5, 2.35, 1.8])


def test_activities_are_chosen_as_often_as_their_propensity_says() -> None:
    here = plan(exploration=20)
    made = [choose(question(f"k{number}"), here) for number in range(4000)]
    chosen = Counter(one.chosen for one in made)
    for one in made[0].candidates[:3]:
        assert chosen[one.activity] / 4000 == pytest.approx(one.propensity, abs=0.03)


def test_the_person_in_the_holdout_gets_nothing_and_the_intent_stays() -> None:
    here = plan()
    held_out = replace(here.activities["discount_mail"], holdout=1.0)
    here = replace(here, activities={**here.activities, "discount_mail": held_out})
    made = choose(question(), here)
    assert (made.chosen, made.activity, made.group) == ("discount_mail", NOTHING, "holdout")
    assert (made.channel, made.due_at, made.cost, made.probability) == (None, None, 0.0, 0.05)
    assert made.propensity > 0.9
    assert "holdout" in made.reason


def test_the_global_holdout_comes_before_the_activitys() -> None:
    made = choose(question(), plan(holdout=0.9))
    here = plan(holdout=0.25)
    users = [choose(question(user=f"u{number}"), here) for number in range(2000)]
    assert sum(one.group == "global_holdout" for one in users) / 2000 == pytest.approx(0.25, abs=0.03)
    assert made.group == ("global_holdout" if chance.in_global_holdout("ana", 0.9) else "treatment")


def test_the_holdouts_of_two_activities_are_different_people() -> None:
    both = sum(chance.in_holdout("a", f"u{n}", 0.3) and chance.in_holdout("b", f"u{n}", 0.3) for n in range(4000))
    assert both / 4000 == pytest.approx(0.09, abs=0.02)


def test_nobody_is_held_out_from_what_is_owed() -> None:
    here = plan(holdout=0.9)
    owed = (Candidate(NOTHING, 0.05, removed="transactional"), Candidate("receipt", 0.06))
    for number in range(50):
        made = choose(question(user=f"u{number}", candidates=owed), here)
        assert (made.activity, made.group, made.propensity) == ("receipt", "treatment", 1.0)


def test_nothing_is_chosen_when_it_is_all_that_is_left() -> None:
    made = choose(question(candidates=(CANDIDATES[0], Candidate("banner", removed="audience"))), plan())
    assert (made.activity, made.group, made.propensity) == (NOTHING, "treatment", 1.0)
    assert "only candidate" in made.reason


def test_ids_keys_and_people_do_not_run_into_each_other() -> None:
    assert chance.decision_id("a", "b") != chance.decision_id("b", "a")
    assert len({chance.draw(chance.decision_id("a", str(n))) for n in range(1000)}) == 1000


def test_the_reason_says_when_the_choice_explores() -> None:
    here = plan(exploration=0)
    reasons = {choose(question(f"k{number}"), here).reason.split(" ")[0] for number in range(50)}
    assert "exploring" in reasons
    assert choose(question(), here).policy.startswith("squarecb ")


def test_a_text_that_is_no_record_is_refused() -> None:
    with pytest.raises(BadInput):
        record.loads('{"candidates": [], "more": 1}')
