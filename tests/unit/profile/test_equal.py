"""One table, several executors: fold, merge of shards and batch give the same numbers to 1e-9."""

import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nudge.profile import batch, seen
from nudge.profile.fold import fold, fold_many, merge
from nudge.profile.spec import absent
from nudge.profile.vector import vector
from nudge.vocabulary import DAY, Event
from tests.unit.profile.histories import END, START, difference, frame, histories, of, size

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def through_seen(events: list[Event], pieces: int, rng: random.Random) -> tuple[dict, bytes]:
    """Deliver events in pieces, shuffled, each event up to three times; apply what is fresh."""
    delivered = [event for event in events for _ in range(rng.randint(1, 3))]
    rng.shuffle(delivered)
    state, ids = {}, b""
    for piece in range(pieces):
        new, undecidable = seen.fresh(ids, delivered[piece::pieces])
        assert undecidable == []
        state, ids = fold_many(state, new), seen.add(ids, new)
    return state, ids


@quick
@given(histories(), st.integers(1, 5), st.randoms(use_true_random=False))
def test_any_order_any_split_and_any_repetition_give_the_state_of_the_batch(events, pieces, rng):
    expected = {user_id: (state, ids) for user_id, state, ids in batch.states(frame(events))}
    users = {event.user_id for event in events}
    assert expected.keys() == users
    for user_id in users:
        mine = of(events, user_id)
        state, ids = through_seen(mine, pieces, rng)
        assert difference(state, expected[user_id][0], scale=size(mine)) is None
        assert ids == expected[user_id][1]


@quick
@given(histories(users=("ann",)), st.randoms(use_true_random=False))
def test_shards_merge_to_the_whole_in_any_grouping(events, rng):
    scale = size(events)
    a, b, c = (
        fold_many({}, [event for event in events if int(event.event_id[1:]) * 7 % 3 == shard]) for shard in range(3)
    )
    whole = fold_many({}, rng.sample(events, len(events)))
    assert difference(merge(merge(a, b), c), whole, scale=scale) is None
    assert difference(merge(a, merge(b, c)), whole, scale=scale) is None
    assert difference(merge(b, a), merge(a, b), scale=scale) is None
    assert difference(merge({}, whole), whole) is None


@quick
@given(histories(), st.integers(START, END + 10 * DAY))
def test_the_vector_of_the_fold_is_the_row_of_the_batch_under_the_same_names(events, as_of):
    wide = batch.vectors(frame(events), as_of)
    past = [event for event in events if event.event_time < as_of]
    names = set()
    for row in wide.iter_rows(named=True):
        mine = of(past, row.pop("user_id"))
        numbers = vector(fold_many({}, mine), as_of)
        names |= numbers.keys()
        complete = {name: numbers.get(name, absent(name)) for name in row}
        assert difference(complete, row, scale=size(mine)) is None
    assert wide.height == len({event.user_id for event in past})
    if wide.height:
        assert set(wide.columns) - {"user_id"} == names


@quick
@given(histories(), histories(), st.integers(START, END))
def test_events_of_the_future_change_no_feature(events, others, as_of):
    past = [event for event in events if event.event_time < as_of]
    future = [e for e in others if e.event_time >= as_of]
    future = [
        Event(f"later{n}", e.user_id, e.event_type, e.event_time, None, e.item_id, e.category, e.value)
        for n, e in enumerate(future)
    ]
    clean, injected = batch.vectors(frame(past), as_of), batch.vectors(frame([*past, *future]), as_of)
    assert clean.columns == injected.columns
    assert difference(clean.to_dicts(), injected.to_dicts(), scale=size(past)) is None


@quick
@given(histories(users=("ann", "bob")), st.integers(START, END), st.integers(START, END))
def test_everybody_may_have_a_moment_of_their_own(events, hers, his):
    import polars as pl

    moments = {"bob": his, "ann": hers, "nobody": hers}
    wide = batch.vectors(frame(events), pl.DataFrame({"user_id": list(moments), "as_of": list(moments.values())}))
    assert wide["user_id"].to_list() == list(moments)
    for row in wide.iter_rows(named=True):
        as_of = moments[row["user_id"]]
        mine = [event for event in of(events, row.pop("user_id")) if event.event_time < as_of]
        numbers = vector(fold_many({}, mine), as_of)
        complete = {name: numbers.get(name, absent(name)) for name in row}
        assert difference(complete, row, scale=size(mine)) is None


@quick
@given(histories(users=("ann",)))
def test_a_state_survives_json_and_a_fold_changes_nothing_it_was_given(events):
    state: dict = {}
    for event in events:
        before = json.dumps(state)
        after = fold(state, event)
        assert json.dumps(state) == before
        state = json.loads(json.dumps(after, allow_nan=False))
        assert state == after


def test_a_vector_is_refused_for_a_moment_that_is_already_folded():
    state = fold({}, Event("1", "ann", "view", START))
    with pytest.raises(ValueError, match="not after the last event"):
        vector(state, START)
    assert vector(state, START + 1)["total.view"] == 1.0


def test_four_hundred_half_lives_later_the_older_event_is_gone_and_nothing_overflows():
    events = [Event("1", "ann", "view", START, value=1e300), Event("2", "ann", "view", START + 400 * DAY, value=-1e308)]
    forward, backward = fold_many({}, events), fold_many({}, reversed(events))
    assert difference(forward, backward, scale=1e15) is None
    numbers = vector(forward, START + 400 * DAY + 1)
    assert numbers["count.view.1d"] == pytest.approx(1.0)
    assert numbers["value.view.7d"] == pytest.approx(-1e15)
    assert numbers["count.view.90d"] == pytest.approx(1 + 2 ** (-400 / 90))


def test_the_sums_are_what_the_formula_says():
    events = [
        Event("1", "ann", "purchase", START, value=10.0),
        Event("2", "ann", "purchase", START + 7 * DAY, value=4.0),
    ]
    numbers = vector(fold_many({}, events), START + 14 * DAY)
    assert numbers["count.purchase.7d"] == pytest.approx(0.25 + 0.5)
    assert numbers["value.purchase.7d"] == pytest.approx(2.5 + 2.0)
    assert numbers["days_since.purchase"] == 7.0
    assert numbers["days_since_first.purchase"] == 14.0
    assert numbers["value_per.purchase"] == pytest.approx(
        numbers["value.purchase.90d"] / (numbers["count.purchase.90d"] + 1e-6)
    )
    assert numbers["open_rate"] == 0.2


@pytest.mark.parametrize("channel", ["email", "sms", "push", "webhook", "event", "inline"])
def test_what_we_did_on_any_channel_is_not_when_a_person_is_there(channel):
    theirs = [Event("v", "ann", "view", START + 9 * 3_600_000_000, item_id="hat")]
    ours = [
        Event(f"o-{what}", "ann", f"{channel}_{what}", START + 3 * 3_600_000_000, item_id="hat")
        for what in ("sent", "skipped", "failed", "unknown", "delivery", "bounce", "no_receipt")
    ]
    alone, beside = fold_many({}, theirs), fold_many({}, theirs + ours)
    assert (alone["h"], alone["i"]) == (beside["h"], beside["i"])
    ((_, state, _),) = batch.states(frame(theirs + ours))
    assert state["h"] == beside["h"]
    assert state["i"] == beside["i"]
