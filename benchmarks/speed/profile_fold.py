"""The online fold: events a second, one core; and what a vector and a repetition cost. Prints JSON.

`python benchmarks/speed/profile_fold.py` folds 60 events into each of 2,000 people, as `ApplyEvents` does with a person's
share of a chunk; `seen` is the same with the packed ids; `one_by_one` folds and reads the vector after each event.
"""

import json
import random
import statistics
import time
from collections.abc import Callable

from nudge.profile import seen
from nudge.profile.fold import fold, fold_many
from nudge.profile.vector import vector
from nudge.vocabulary import DAY, Event

START, PEOPLE, EVENTS, REPEATS = 1_700_000_000_000_000, 2_000, 60, 5
KINDS = ("page_view", "search", "add_to_cart", "purchase", "email_open")


def histories() -> list[list[Event]]:
    rng = random.Random(7)
    return [
        sorted(
            (
                Event(
                    event_id=f"{person}-{number}",
                    user_id=f"u{person}",
                    event_type=rng.choice(KINDS),
                    event_time=START + rng.randrange(180 * DAY),
                    item_id=f"i{rng.randrange(500)}",
                    category=rng.choice("abcdefgh"),
                    value=rng.random() * 100,
                )
                for number in range(EVENTS)
            ),
            key=lambda event: event.event_time,
        )
        for person in range(PEOPLE)
    ]


def rate(count: int, work: Callable[[], object]) -> float:
    """Things a second of processor time: the median of some repeats."""
    seconds = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return count / statistics.median(seconds)


def applied(events: list[Event]) -> tuple[dict, bytes]:
    new, _ = seen.fresh(b"", events)
    return fold_many({}, new), seen.add(b"", new)


def one_by_one(events: list[Event]) -> dict:
    state: dict = {}
    for event in events:
        state = fold(state, event)
        vector(state, event.event_time + 1)
    return state


def main() -> None:
    people = histories()
    states = [fold_many({}, events) for events in people]
    packed = [seen.add(b"", events) for events in people]
    total, moment = PEOPLE * EVENTS, START + 200 * DAY
    few = people[:100]
    result = {
        "fold_events_per_second": rate(total, lambda: [fold_many({}, events) for events in people]),
        "fold_and_seen_events_per_second": rate(total, lambda: [applied(events) for events in people]),
        "repeated_events_per_second": rate(
            total, lambda: [seen.fresh(ids, events) for ids, events in zip(packed, people, strict=True)]
        ),
        "one_by_one_events_per_second": rate(len(few) * EVENTS, lambda: [one_by_one(events) for events in few]),
        "vectors_per_second": rate(PEOPLE, lambda: [vector(state, moment) for state in states]),
        "state_bytes": statistics.median(len(json.dumps(state)) for state in states),
    }
    print(json.dumps({name: round(value) for name, value in result.items()}, indent=2))


if __name__ == "__main__":
    main()
