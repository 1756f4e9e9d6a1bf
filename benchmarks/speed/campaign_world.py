"""What both sides of the campaign benchmark are given: a model, a plan, people as the profiles' table holds them, and the same as a table.

The model is that of the decide benchmarks (100 trees of 31 leaves; 20 numbers, 10 categories, the activity). People have sixty events
in ninety days, ten attributes, an address, a zone; one in ten gave no consent, one in thirty is suppressed, one in ten had a mail today.
Our side gets their profiles, as a read of the table gives them. The peer gets a data frame: in one run what the features of each come to
at this moment, so that it computes none; in another the profiles' own numbers as columns, of which it computes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import decide_world
import numpy as np
import pandas as pd

from nudge.profile.fold import fold_many
from nudge.profile.spec import DECAYED, SUMS
from nudge.profile.vector import features
from nudge.vocabulary import DAY, Consent, Event, Profile, Suppression

NOW = 1_795_000_000_000_000
ZONES = ("Europe/Berlin", "Europe/Lisbon", "America/New_York", "America/Los_Angeles", "Asia/Tokyo", "Asia/Kolkata")
TODAY = 0.1
PLAN = {
    **decide_world.PLAN,
    "activities": {
        name: {"goal": "purchase", "channel": "email", "template": "mail", "cost": 0.01 * place, "holdout": 0.1}
        for place, name in enumerate(decide_world.ACTIVITIES)
    },
    "policy": {
        **decide_world.PLAN["policy"],  # type: ignore[dict-item]
        "caps": {"email": {"per_day": 1, "per_week": 3}},
        "quiet_hours": {"start": "21:00", "until": "08:00"},
    },
    "channels": {"email": {"sender": "Shop <a@shop.example>", "postal_address": "Shop, 1 Street, Town"}},
    "campaigns": {
        "spring": {
            "goal": "purchase", "activities": list(decide_world.ACTIVITIES), "holdout": 0.1,
            "schedule": {"every": "day", "at": "12:00", "zone": "plan"},
        }
    },
}  # fmt: skip


def people(number: int) -> Iterator[Profile]:
    """The same people for the same number."""
    rng = np.random.default_rng(5)
    kinds = decide_world.KINDS
    for one in range(number):
        user, ago = f"u{one:06d}", np.sort(rng.integers(1, 90 * DAY, 60))[::-1]
        events = [
            Event(f"e{n}", user, kinds[(n + one) % len(kinds)], NOW - int(at), value=float((n * 7 + one) % 60))
            for n, at in enumerate(ago)
        ]
        traits: dict[str, Any] = {f"segment_{n}": (f"level {rng.integers(8)}", NOW - 99 * DAY) for n in range(10)}
        traits |= {"email": (f"{user}@customer.example", 1), "timezone": (ZONES[one % len(ZONES)], 1)}
        gone = {"email": Suppression("complaint", 1)} if rng.random() < 1 / 30 else {}
        consents = {"email": Consent(bool(rng.random() < 0.9), 1, "form")}
        yield Profile(user, fold_many({}, events), traits, consents, gone, version=1)


def table(made: list[Profile], had: set[str]) -> pd.DataFrame:
    """A row a person: every feature of the vector, address, zone, consent, suppression, whether a mail went out today."""
    return _told(pd.DataFrame([dict(features(one, NOW)) for one in made]), made, had)


def raw_table(made: list[Profile], had: set[str]) -> pd.DataFrame:
    """A row a person: the numbers of the state as they are stored (`purchase/0` …, `hour/0` …), attributes, and the same flags."""
    numbers = {
        f"{kind}/{slot}": [one.state["e"][kind][slot] for one in made]
        for kind in decide_world.KINDS
        for slot in range(SUMS + len(DECAYED))
    }
    hours = {f"hour/{hour}": [one.state["h"][1].get(str(hour), 0.0) for one in made] for hour in range(168)}
    names = [*(f"segment_{n}" for n in range(10)), "timezone"]
    traits = {f"trait.{name}": [one.trait(name) for one in made] for name in names}
    return _told(pd.DataFrame({**numbers, **hours, **traits}), made, had)


def _told(frame: pd.DataFrame, made: list[Profile], had: set[str]) -> pd.DataFrame:
    frame.insert(0, "user_id", [one.user_id for one in made])
    frame["email"] = [one.trait("email") for one in made]
    frame["timezone"] = [one.trait("timezone") for one in made]
    frame["consent"] = [one.consents["email"].granted for one in made]
    frame["suppressed"] = ["email" in one.suppressions for one in made]
    frame["had_one_today"] = [one.user_id in had for one in made]
    return frame


def had_a_mail(made: list[Profile]) -> set[str]:
    rng = np.random.default_rng(6)
    return {one.user_id for one in made if rng.random() < TODAY}


def make(folder: Path) -> None:
    """The model, as our JSON and as scikit-learn's own file, and the plan."""
    decide_world.make(folder)
    (folder / "plan.json").write_text(json.dumps(PLAN))
