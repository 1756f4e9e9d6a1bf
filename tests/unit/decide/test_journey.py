"""The walk through steps: it ends, does each step at most once, and never goes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.decide import journey as journeys
from nudge.decide.journey import Do, Done, End, Facts, Journey, Rest, Stand, did, said, walk
from nudge.vocabulary import DAY, SECOND, Campaign, Goal, Micros, OnEvent, Step

HOUR: Micros = 3600 * SECOND
BEGAN: Micros = 1_000 * DAY


class Known(NamedTuple):
    """What happened, by name, and when."""

    at: Mapping[str, Micros] = {}

    def happened(self, name: str, done: Done) -> bool:
        return self.at.get(name, -1) >= done.decided_at

    def reached(self, goal: str, since: Micros) -> bool:
        return self.at.get(goal, -1) >= since


NOBODY = Known()
OFFER = (
    Step("stop_on", "purchase"),
    Step("do", "reminder"),
    Step("branch", "opened", 2 * DAY, yes=(Step("wait", time=DAY), Step("do", "offer")), no=()),
    Step("do", "last call"),
)


def on(stand: Stand, now: Micros, facts: Facts = NOBODY, steps: tuple[Step, ...] = OFFER) -> tuple[Stand, object]:
    return walk(steps, stand, facts, began=BEGAN, now=now)


def sent(stand: Stand, now: Micros, out_at: Micros = 0, steps: tuple[Step, ...] = OFFER) -> Stand:
    return did(steps, stand, Done(f"d{said(stand.place)}", now, max(now, out_at)))


def test_steps_are_taken_in_their_order() -> None:
    stand, action = on(Stand((0,), BEGAN), BEGAN)
    assert action == Do((1,), "reminder")
    stand, action = on(sent(stand, BEGAN), BEGAN)
    assert action == Rest(BEGAN + 2 * DAY, ("opened",), ("purchase",))
    opened = Known({"opened": BEGAN + HOUR})
    stand, action = on(stand, BEGAN + 2 * HOUR, opened)
    assert action == Rest(BEGAN + 2 * HOUR + DAY, (), ("purchase",))
    stand, action = on(stand, BEGAN + 2 * HOUR + DAY, opened)
    assert action == Do((2, 0, 1), "offer")
    stand, action = on(sent(stand, BEGAN + 2 * DAY), BEGAN + 2 * DAY, opened)
    assert action == Do((3,), "last call")
    stand, action = on(sent(stand, BEGAN + 2 * DAY), BEGAN + 2 * DAY, opened)
    assert action == End("finished")


def test_a_branch_without_steps_goes_on_behind_it() -> None:
    stand = sent(Stand((1,), BEGAN), BEGAN)
    _, action = on(stand, BEGAN + 2 * DAY)
    assert action == Do((3,), "last call")


def test_a_branch_counts_from_when_the_message_goes_out_and_what_happened_from_the_decision_on() -> None:
    stand = sent(Stand((1,), BEGAN), BEGAN, out_at=BEGAN + 9 * HOUR)
    _, action = on(stand, BEGAN + 2 * DAY)
    assert action == Rest(BEGAN + 9 * HOUR + 2 * DAY, ("opened",))
    assert on(stand, BEGAN + HOUR, Known({"opened": BEGAN - 1}))[1] == action
    assert on(stand, BEGAN + 10 * HOUR, Known({"opened": BEGAN}))[1] == Rest(BEGAN + 10 * HOUR + DAY)


def test_what_happens_while_the_message_is_held_does_not_set_the_clock_back() -> None:
    stand = sent(Stand((1,), BEGAN), BEGAN, out_at=BEGAN + 9 * HOUR)
    stand, action = on(stand, BEGAN + HOUR, Known({"opened": BEGAN + HOUR}))
    assert action == Rest(BEGAN + 9 * HOUR + DAY)


def test_a_wait_ends_when_its_time_is_over_however_late_somebody_looks() -> None:
    steps = (Step("wait", time=DAY), Step("wait", time=DAY), Step("do", "offer"))
    stand, action = on(Stand((0,), BEGAN), BEGAN + DAY + HOUR, steps=steps)
    assert action == Rest(BEGAN + 2 * DAY)
    assert stand == Stand((1,), BEGAN + DAY)


def test_two_steps_are_never_closer_than_the_wait_between_them() -> None:
    steps = (Step("do", "a"), Step("wait", time=DAY), Step("do", "b"))
    late = BEGAN + 5 * DAY
    stand, _ = on(Stand((0,), BEGAN), late, steps=steps)
    _, action = on(sent(stand, late, steps=steps), late, steps=steps)
    assert action == Rest(late + DAY)


def test_a_goal_counts_from_what_began_it_and_further_on_from_its_step() -> None:
    before = Known({"purchase": BEGAN + HOUR})
    assert on(Stand((0,), BEGAN + 2 * HOUR), BEGAN + 2 * HOUR, before)[1] == End("goal")
    steps = (Step("do", "a"), Step("stop_on", "purchase"), Step("wait", time=DAY))
    stand = sent(Stand((0,), BEGAN), BEGAN + 2 * HOUR, steps=steps)
    assert on(stand, BEGAN + 3 * HOUR, before, steps)[1] == Rest(BEGAN + 2 * HOUR + DAY, (), ("purchase",))
    assert on(stand, BEGAN + 3 * HOUR, Known({"purchase": BEGAN + 2 * HOUR}), steps)[1] == End("goal")


def test_places_are_said_as_people_count() -> None:
    assert [said(one) for one in journeys.dos(OFFER)] == ["2", "3.yes.2", "4"]


# ── any steps, any events, any moments ───────────────────────────────────────────────────────────────────────────────
NAMES = st.sampled_from(["opened", "clicked", "converted", "visit", "purchase"])
SPANS = st.integers(1, 5).map(lambda hours: hours * HOUR)
LEAVES = (
    st.builds(Step, st.just("do"), st.sampled_from(["a", "b", "c"]))
    | st.builds(lambda time: Step("wait", time=time), SPANS)
    | st.builds(Step, st.just("stop_on"), NAMES)
)
LISTS = st.recursive(
    st.lists(LEAVES, max_size=4).map(tuple),
    lambda inner: st.lists(
        LEAVES | st.builds(Step, st.just("branch"), NAMES, SPANS, yes=inner, no=inner), max_size=4
    ).map(tuple),
    max_leaves=12,
)


@given(LISTS, st.dictionaries(NAMES, st.integers(0, 40)), st.lists(st.integers(1, 9), min_size=1), st.integers(0, 30))
def test_a_walk_ends_does_each_step_once_and_never_goes_back(
    steps: tuple[Step, ...], happens: dict[str, int], looks: list[int], held: int
) -> None:
    now, stand, done = BEGAN, Stand((0,), BEGAN), list[tuple[int, ...]]()
    for turn in range(500):
        facts = Known({name: at for name, hour in happens.items() if (at := BEGAN + hour * HOUR) <= now})
        before = stand
        stand, action = on(stand, now, facts, steps)
        assert stand.place >= before.place
        assert stand.since >= before.since
        assert set(before.stops) <= set(stand.stops)
        if isinstance(action, End):
            break
        if isinstance(action, Do):
            done.append(action.place)
            stand = did(steps, stand, Done("d", now, now + held * HOUR))
            continue
        assert isinstance(action, Rest)
        assert action.until > now
        now = min(action.until, now + looks[turn % len(looks)] * HOUR + 1)
    else:
        raise AssertionError("the walk does not end")
    assert len(done) == len(set(done))
    assert set(done) <= set(journeys.dos(steps))
    assert done == sorted(done)


# ── what a campaign listens to ───────────────────────────────────────────────────────────────────────────────────────
GOALS = {"purchase": Goal("purchase", "order", 7), "return": Goal("return", "order", 7, action="returned")}


def test_every_event_that_a_sequence_may_ask_for_is_listened_to() -> None:
    steps = (
        Step("stop_on", "return"),
        Step("do", "a"),
        Step("branch", "clicked", DAY, yes=(Step("branch", "converted", DAY, no=(Step("do", "b"),)),)),
        Step("branch", "visit", DAY),
    )
    assert journeys.listens(steps, GOALS, "purchase") == {"order", "email_click", "visit"}


@pytest.mark.parametrize(
    ("campaign", "is_one"),
    [
        (Campaign("c", "g", ("a",)), False),
        (Campaign("c", "g", ("a",), steps=(Step("do", "a"),)), True),
        (Campaign("c", "g", ("a",), trigger=OnEvent("visit")), True),
    ],
)
def test_people_go_one_by_one_where_there_are_steps_or_an_event(campaign: Campaign, is_one: bool) -> None:
    assert journeys.is_journey(campaign) is is_one
    assert journeys.steps_of(campaign)[0].kind == "do"


def test_what_happens_on_the_way_or_before_the_end_of_the_last_one_begins_nothing() -> None:
    held = Journey("c", "ana", BEGAN, BEGAN, "going", changed_at=BEGAN + DAY)
    assert journeys.begins(None, BEGAN)
    assert not journeys.begins(held, BEGAN + 2 * DAY)
    ended = held._replace(state="ended")
    assert not journeys.begins(ended, BEGAN + DAY)
    assert journeys.begins(ended, BEGAN + DAY + 1)


def test_a_step_has_one_key_that_a_header_could_carry() -> None:
    plain, odd = Journey("cart", "ana", BEGAN, BEGAN), Journey("购物车 " * 16, "ana", BEGAN, BEGAN)
    assert plain.key((2, 1, 0)) == f"journey/cart/{BEGAN}/3.no.1"
    keys = {one.key(place) for one in (plain, odd) for place in ((0,), (1,), (1, 0, 0), (1, 1, 0))}
    assert len(keys) == 8
    assert all(len(one) <= 255 and one.isascii() and " " not in one for one in keys)
    assert plain.decision_id((0,)) != plain._replace(user_id="bo").decision_id((0,))
