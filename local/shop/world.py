"""The sample shop's world: people who do what they would do anyway, and a little more when they are nudged.

In: a seed, a size, a span. Out: events of any stretch of time, reactions to mail, and the truth. Every effect is drawn
per person and moment from the seed, beside an untreated life that is fixed beforehand: both potential outcomes of
everyone are known, so the true increment of an activity is a sum, not an estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import polars as pl

from local.ses import Mail, Reaction
from local.shop.behaviour import WEEK, organic
from local.shop.people import Items, People, make_items, make_people
from nudge.vocabulary import DAY, SECOND, Micros

HOUR: Micros = 3600 * SECOND
WINDOW: Micros = 7 * DAY
"""The purchase goal's window in the shop's plan: an extra purchase falls into it."""

COMPLAINS = 0.0005
"""Of mails: a shop in good standing. With eight times as many (and twice the bounces) the breaker stops its mail, as it should."""
SWAY: Mapping[str, float] = {
    "discount_mail": 0.34,
    "reminder_mail": 0.2,
    "banner": 0.1,
    "offer_mail": 0.35,
    "new_in_mail": 0.35,
    "stories_mail": 0.35,
    "cart_mail": 0.3,
    "cart_offer_mail": 0.3,
}
"""Probability that an activity makes an average person buy who otherwise would not, when it reaches them."""
WORKS_FOR: Mapping[str, tuple[str, ...]] = {
    "offer_mail": ("loyal", "bargain"),
    "new_in_mail": ("regular",),
    "stories_mail": ("new",),
}
"""Segments for whom an activity is made; of the others it sways `ELSE` as many."""
ELSE = 0.1


class Offer(NamedTuple):
    """Something was decided for a person: what the person may see of it."""

    person: int
    activity: str
    decided_at: Micros


@dataclass(frozen=True, slots=True)
class Truth:
    """What an activity really added: `people` treated, extra `value` and `conversions` among them, inside the window."""

    people: int
    value: float
    conversions: int

    @property
    def value_per_person(self) -> float:
        return self.value / self.people if self.people else 0.0


@dataclass
class World:
    """The shop from `start` (a midnight UTC) over `weeks`."""

    seed: int
    count: int
    start: Micros
    weeks: int
    people: People = field(init=False)
    items: Items = field(init=False)
    events: pl.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        self.people = make_people(self.seed, self.count)
        self.items = make_items(self.seed)
        self.events = organic(self.people, self.items, start=self.start, weeks=self.weeks, seed=self.seed)
        bought = self.events.filter(pl.col("event_type") == "purchase").group_by("person").agg(pl.col("at"))
        self._bought: dict[int, list[Micros]] = {int(one): list(at) for one, at in bought.iter_rows()}
        self._number = {one: number for number, one in enumerate(self.people.ids)}
        self._by_address = {self.people.email(number): number for number in range(self.count)}
        self._offers: dict[str, Offer] = {}
        self._extra: dict[Offer, list[tuple[Micros, str, int, float | None]]] = {}
        self.unsubscribes: list[tuple[Micros, str]] = []

    @property
    def end(self) -> Micros:
        return self.start + self.weeks * WEEK

    # ── what the shop sees ───────────────────────────────────────────────────────────────────────────────────────────
    def between(self, since: Micros, until: Micros) -> pl.DataFrame:
        """Events with since ≤ at < until, in order of time, with ids of the shop's own: person, event_type, at, item,
        value, event_id."""
        plain = self.events.filter((pl.col("at") >= since) & (pl.col("at") < until)).drop("session")
        rows = [
            {"person": person, "event_type": kind, "at": at, "item": item, "value": value}
            for (person, _, _), happened in self._extra.items()
            for at, kind, item, value in happened
            if since <= at < until
        ]
        caused = pl.DataFrame(rows, schema=plain.schema) if rows else plain.clear()
        events = pl.concat([plain, caused]).sort("at", "person", "event_type")
        return events.with_columns(pl.format("{}-{}", pl.col("at"), pl.col("person")).alias("event_id"))

    def swayed(self, person: int, activity: str) -> float:
        """Probability that the activity makes this person buy who otherwise would not."""
        liked = self.people.segment[person] in WORKS_FOR.get(activity, (self.people.segment[person],))
        return SWAY.get(activity, 0.0) * float(self.people.swayed[person]) * (1.0 if liked else ELSE)

    # ── what we did ──────────────────────────────────────────────────────────────────────────────────────────────────
    def offered(self, decision_id: str, user_id: str, activity: str, decided_at: Micros) -> None:
        """A decision fell to treat somebody. Mail works when it arrives (`read`), a banner at once (`show`)."""
        self._offers.setdefault(decision_id, Offer(self._number[user_id], activity, decided_at))

    def show(self, decision_id: str, at: Micros) -> None:
        """Somebody sees what was offered: the effect, if there is one, is fixed here."""
        offer = self._offers[decision_id]
        if offer in self._extra:
            return
        draw = np.random.default_rng([self.seed, 4, offer.person, offer.decided_at // SECOND])
        sways, when, price = draw.random(), draw.random(), int(draw.integers(0, len(self.items.ids)))
        end = offer.decided_at + WINDOW
        anyway = self._buys_anyway(offer.person, offer.decided_at)
        bought_at = at + HOUR + int(when * min(54 * HOUR, end - at - 2 * HOUR)) // 1000 * 1000 + 7
        chance = self.swayed(offer.person, offer.activity)
        happened: list[tuple[Micros, str, int, float | None]] = []
        if sways < chance and not anyway and bought_at < min(end, self.end):
            happened.append((bought_at - 300 * SECOND, "page_view", price, None))
            happened.append((bought_at, "purchase", price, float(self.items.price[price])))
        self._extra[offer] = happened

    def read(self, mail: Mail) -> list[Reaction]:
        """What becomes of a mail: the `Reader` of the shop's people."""
        person = next((self._by_address[one] for one in mail.to if one in self._by_address), None)
        decision_id = next((value for value in mail.tags.values() if value in self._offers), None)
        if person is None or not self.people.reachable[person]:
            return [Reaction("Bounce", 30 * SECOND)]
        draw = np.random.default_rng([self.seed, 5, person, mail.sent_at // SECOND])
        opens, clicks, leaves, complains, wait = draw.random(5)
        reactions = [Reaction("Delivery", 2 * SECOND)]
        if decision_id is not None:
            self.show(decision_id, mail.sent_at + 2 * SECOND)
        opened = 5 * 60 * SECOND + int(wait * 20 * HOUR)
        if complains < COMPLAINS:
            reactions.append(Reaction("Complaint", opened))
            return reactions
        if opens < 0.5:
            reactions.append(Reaction("Open", opened))
            if clicks < 0.3:
                reactions.append(Reaction("Click", opened + 40 * SECOND))
            if leaves < 0.02:
                self.unsubscribes.append((mail.sent_at + opened + 90 * SECOND, unsubscribe_url(mail)))
        return reactions

    def _buys_anyway(self, person: int, decided_at: Micros) -> bool:
        return any(decided_at <= one < decided_at + WINDOW for one in self._bought.get(person, ()))

    # ── what is true ─────────────────────────────────────────────────────────────────────────────────────────────────
    def caused(self, decision_id: str) -> float:
        """The value of what a person bought because of a decision."""
        happened = self._extra.get(self._offers[decision_id], ()) if decision_id in self._offers else ()
        return sum(value for _, kind, _, value in happened if kind == "purchase" and value is not None)

    def worth(self, user_id: str, activity: str, decided_at: Micros) -> float:
        """What an activity that is decided on now, and reaches the person, is worth on average: the probability that it makes
        them buy, times what people pay. Nothing for whoever buys anyway, or cannot be reached."""
        person = self._number[user_id]
        if self._buys_anyway(person, decided_at) or not self.people.reachable[person]:
            return 0.0
        return self.swayed(person, activity) * float(self.items.price.mean())

    def truth(self, until: Micros) -> dict[str, Truth]:
        """By activity: what it added for the people it was meant for, each counted once (their first such decision),
        where the window has ended by `until`. Whoever could not be reached counts too, with nothing added."""
        first: dict[tuple[int, str], Offer] = {}
        for offer in sorted(self._offers.values(), key=lambda one: one.decided_at):
            first.setdefault((offer.person, offer.activity), offer)
        found: dict[str, list[Iterable[float]]] = {}
        for offer in first.values():
            if offer.decided_at + WINDOW <= until:
                caused = self._extra.get(offer, [])
                values = [value for _, kind, _, value in caused if kind == "purchase" and value is not None]
                found.setdefault(offer.activity, []).append(values)
        return {
            activity: Truth(
                people=len(each),
                value=float(sum(sum(values) for values in each)),
                conversions=sum(1 for values in each if list(values)),
            )
            for activity, each in sorted(found.items())
        }


def unsubscribe_url(mail: Mail) -> str:
    """The https address of RFC 8058 in a mail's List-Unsubscribe header, empty when there is none."""
    header = next((value for name, value in mail.headers.items() if name.lower() == "list-unsubscribe"), "")
    urls = [part.strip(" <>") for part in header.split(",")]
    return next((url for url in urls if url.startswith("http")), "")
