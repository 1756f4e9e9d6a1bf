"""Recommend: which items for this person now, as far as the plan's rules allow?

In: a person, how many, perhaps a basket or the item that is looked at. Out: items with scores, best first. Reads the profile and the
model in force, and writes nothing. A person nobody knows is answered like a newcomer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nudge.errors import BadInput, NotReady
from nudge.flows.champions import Champions, PlanInForce
from nudge.flows.panel import asked
from nudge.ports import Profiles
from nudge.vocabulary import Micros

FEW, MOST = 5, 50
LONGEST_ID, LARGEST_BASKET = 256, 50


@dataclass(frozen=True, slots=True)
class Question:
    """How many items, and beside what: a basket, or one item that is looked at (then the person's past does not count)."""

    n: int = FEW
    basket: tuple[str, ...] = ()
    item: str | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Question:
        """The question of a query string. Raises BadInput that says what is wrong with it."""
        if unknown := sorted(set(query) - {"n", "basket", "item"}):
            raise BadInput(
                f"{unknown[0]}: unknown name; known are basket, item, n", reason="unknown_field", where=unknown[0]
            )
        said = query.get("n", str(FEW))
        if not (said.isascii() and said.isdecimal() and 1 <= int(said[:9]) <= MOST):
            raise BadInput(f"n: must be a whole number from 1 to {MOST}", reason="bad_number", where="n")
        basket = tuple(dict.fromkeys(filter(None, query.get("basket", "").split(","))))
        if len(basket) > LARGEST_BASKET or any(len(one) > LONGEST_ID for one in basket):
            raise BadInput(f"basket: at most {LARGEST_BASKET} item ids", reason="too_large", where="basket")
        item = query.get("item")
        if item is not None and not 1 <= len(item) <= LONGEST_ID:
            raise BadInput("item: must be an item id", reason="bad_text", where="item")
        return cls(int(said), basket, item)


@dataclass(frozen=True, slots=True)
class Recommend:
    """`GET /v1/users/{id}/recommendations`. `plan` and `champions` are what stays warm (see `flows.champions`)."""

    profiles: Profiles
    plan: PlanInForce
    champions: Champions

    def __call__(self, user_id: str, question: Question, *, now: Micros) -> dict[str, Any]:
        """Answer one request.

        Raises
        ------
        BadInput
            The id is none.
        NotReady
            There is no plan, it recommends nothing, or no recommender is in force yet.
        Unavailable
            A store did not answer.
        """
        if not 1 <= len(user_id) <= LONGEST_ID:
            raise BadInput("the user id must have 1 to 256 characters", reason="bad_text", where="id")
        said = self.plan().learn.get("recommend")
        if said is None:
            raise NotReady("the plan recommends nothing: `learn.recommend` is false")
        champion = self.champions(f"recommend.{said['bought']}")
        if champion is None:
            raise NotReady("no recommender is in force yet; it is trained from events that name items")
        profile = self.profiles.get(user_id)
        scorer = champion.scorer
        met = asked(scorer, {} if profile is None else profile.state)
        if question.item is not None:
            met |= {"recent": {}, "strength": {}}
        beside = (*question.basket, *(() if question.item is None else (question.item,)))
        found = scorer.top(**met, n=question.n, basket=beside, now=now)
        return {
            "user_id": user_id,
            "items": [{**scorer.about(item), "score": score} for item, score in found],
            "cold_start": not met["recent"] and not beside,
            "model_version": champion.version,
        }
