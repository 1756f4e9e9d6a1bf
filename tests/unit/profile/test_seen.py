"""The packed ids: what is known, what is new, and what nobody can tell any more."""

import random

from hypothesis import given
from hypothesis import strategies as st

from nudge.profile import seen
from nudge.vocabulary import Event

MINUTE = 60_000_000


def event(number: int, minute: int | None = None) -> Event:
    return Event(f"e{number}", "ann", "view", (number if minute is None else minute) * MINUTE)


def test_nobody_has_seen_anything_at_first() -> None:
    assert seen.fresh(b"", [event(1)]) == ([event(1)], [])
    assert seen.add(b"", []) == b""
    assert seen.floor(b"") == -1


@given(st.lists(st.integers(0, 50), unique=True), st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_bytes_do_not_depend_on_order_or_split(numbers: list[int], rng: random.Random, pieces: int) -> None:
    events = [event(number) for number in numbers]
    whole, shuffled = seen.add(b"", events), rng.sample(events, len(events))
    packed = b""
    for piece in range(pieces):
        new, _ = seen.fresh(packed, shuffled[piece::pieces] + shuffled[:3])
        packed = seen.add(packed, new)
    assert packed == whole
    assert seen.fresh(packed, events) == ([], [])
    assert len(packed) == (4 + 10 * len(events) if events else 0)


def test_an_event_is_known_by_its_id_whatever_its_time() -> None:
    packed = seen.add(b"", [event(1, minute=10)])
    assert seen.fresh(packed, [event(1, minute=99), event(2, minute=10)]) == ([event(2, minute=10)], [])


def test_of_two_events_with_one_id_the_first_by_time_counts() -> None:
    assert seen.fresh(b"", [event(1, minute=9), event(1, minute=3), event(1, minute=5)]) == ([event(1, minute=3)], [])


def test_beyond_the_limit_the_newest_stay_and_the_floor_rises() -> None:
    everything = [event(number) for number in range(1, seen.KEEP + 101)]
    packed = seen.add(b"", everything)
    assert len(packed) == 4 + 10 * seen.KEEP
    assert seen.floor(packed) == 100
    new, undecidable = seen.fresh(packed, [event(7_000, minute=101), event(7_001, minute=100), event(50), event(500)])
    assert new == [event(7_000, minute=101)]
    assert undecidable == [event(7_001, minute=100), event(50)]
    grown = seen.add(packed, new)
    assert seen.floor(grown) == 101
    assert len(grown) == len(packed)


def test_times_before_1970_and_far_away_are_held_at_the_ends() -> None:
    ancient, distant = event(1, minute=-5_000_000), event(2, minute=1 << 40)
    packed = seen.add(b"", [distant, ancient])
    assert seen.fresh(packed, [ancient, distant]) == ([], [])


def test_a_snapshot_lacks_what_was_applied_after_it() -> None:
    snapshot = seen.add(b"", [event(1), event(2)])
    assert not seen.lacks(snapshot, snapshot)
    assert not seen.lacks(snapshot, b"")
    assert seen.lacks(snapshot, seen.add(snapshot, [event(3)]))
    assert seen.lacks(b"", seen.add(b"", [event(3)]))
