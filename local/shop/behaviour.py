"""What people do when nobody nudges them: sessions with views, searches, carts and purchases.

In: people, items, a span of weeks, a seed. Out: one frame of events in order of time. Drawn once for the whole span and
never looked at again by what Nudge does: it is the untreated outcome of everyone, which is what makes the truth exact.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from local.shop.people import CATEGORIES, OFFSETS, Floats, Ints, Items, People
from nudge.vocabulary import DAY, SECOND, Micros

WEEK: Micros = 7 * DAY
HOURS = np.array([1, 1, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 8, 7, 6, 6, 7, 8, 10, 12, 13, 11, 7, 3], dtype=float)
CARRYOVER = 0.75
"""How much of last week's mood is left in this week's: people come in phases, so the recent past predicts."""


def organic(people: People, items: Items, *, start: Micros, weeks: int, seed: int) -> pl.DataFrame:
    """Events of everyone over `weeks` from `start` (a midnight UTC).

    Columns: person (index), event_type, at (micros, unique within a person), item (index, -1 for none), value
    (of purchases, else null), session.
    """
    draw = np.random.default_rng([seed, 3])
    person, week, mood = _sessions(people, weeks, draw)
    count = len(person)
    begins = start + week * WEEK + _moments(people, person, draw)
    views = 1 + draw.poisson(3.6, count)
    searches = draw.random(count) < 0.3
    liking = people.intent[person] + 0.6 * mood + 0.08 * (views - 4.6)
    carts = draw.random(count) < _logistic(liking - 1.2)
    buys = carts & (draw.random(count) < _logistic(0.7 * liking - 0.4))
    item = _items(people, items, person, draw)
    frames = [
        _events("page_view", np.repeat(np.arange(count), views), person, begins, item, draw, spread=600),
        _events("search", np.flatnonzero(searches), person, begins, None, draw, spread=120),
        _events("add_to_cart", np.flatnonzero(carts), person, begins, item, draw, spread=300, after=600),
        _events("purchase", np.flatnonzero(buys), person, begins, item, draw, spread=600, after=900),
    ]
    events = pl.concat(frames).sort("at", "person", "event_type")
    # two things of one person in one millisecond would be one thing for whoever identifies events by their content
    events = events.unique(["person", "at"], keep="first", maintain_order=True)
    price = pl.Series("price", items.price)
    value = pl.when(pl.col("event_type") == "purchase").then(pl.lit(price).gather(pl.col("item").clip(0)))
    return events.with_columns(value.alias("value"))


def _sessions(people: People, weeks: int, draw: np.random.Generator) -> tuple[Ints, Ints, Floats]:
    """Person, week and mood of every session."""
    mood = np.empty((len(people), weeks))
    mood[:, 0] = draw.normal(0, 1, len(people))
    for number in range(1, weeks):
        noise = draw.normal(0, np.sqrt(1 - CARRYOVER**2), len(people))
        mood[:, number] = CARRYOVER * mood[:, number - 1] + noise
    expected = people.rate[:, None] * np.exp(0.8 * mood - 0.32)
    sessions = draw.poisson(np.minimum(expected, 5))
    active, then = np.nonzero(sessions)
    times = sessions[active, then]
    person, week = np.repeat(active, times), np.repeat(then, times)
    return person, week, mood[person, week]


def _moments(people: People, person: Ints, draw: np.random.Generator) -> Ints:
    """Microseconds since the week's start, in UTC, of sessions that keep people's local hours."""
    offset = np.array([OFFSETS[country] for country in people.country])[person]
    hour = draw.choice(24, len(person), p=HOURS / HOURS.sum()) - offset
    milliseconds = draw.integers(0, 3_600_000, len(person))
    day = draw.choice(7, len(person), p=(0.13, 0.13, 0.13, 0.13, 0.14, 0.17, 0.17))
    moments: Ints = (day * DAY + hour * 3600 * SECOND + milliseconds * 1000) % WEEK
    return moments


def _items(people: People, items: Items, person: Ints, draw: np.random.Generator) -> Ints:
    """What each session is about: mostly the favourite category."""
    wanted = np.where(
        draw.random(len(person)) < 0.65, people.taste[person], draw.integers(0, len(CATEGORIES), len(person))
    )
    order = np.argsort(items.category, kind="stable")
    first = np.searchsorted(items.category[order], np.arange(len(CATEGORIES)))
    size = np.bincount(items.category, minlength=len(CATEGORIES))
    chosen: Ints = order[first[wanted] + (draw.random(len(person)) * size[wanted]).astype(int)]
    return chosen


def _events(
    kind: str,
    session: Ints,
    person: Ints,
    begins: Ints,
    item: Ints | None,
    draw: np.random.Generator,
    *,
    spread: int,
    after: int = 0,
) -> pl.DataFrame:
    milliseconds = draw.integers(0, spread * 1000, len(session)) + after * 1000
    return pl.DataFrame(
        {
            "person": person[session],
            "event_type": pl.repeat(kind, len(session), eager=True),
            "at": begins[session] + milliseconds * 1000,
            "item": item[session] if item is not None else np.full(len(session), -1),
            "session": session,
        }
    )


def _logistic(x: Floats) -> Floats:
    result: Floats = 1 / (1 + np.exp(-x))
    return result
