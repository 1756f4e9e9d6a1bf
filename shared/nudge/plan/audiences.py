"""Who is meant: the text of an audience, or a list of conditions, becomes one tree of whole names.

In: what a plan says under `audience`, and the plan's goals. Out: an `Expression`, or what is wrong. The names:

- `trait.<attribute>`, and any other name that is none of the following;
- numbers of a profile as `profile.spec` names them: `count.purchase.30d`, `days_since.page_view`, `open_rate` …;
- short names of the numbers about orders (`ALIASES`): `orders_30d`, `revenue`, `days_since_order` …;
- `predicted.<goal>` (also the goal's name alone), `predicted.alive`, `predicted.purchases`, `predicted.spend`;
- `context.<name>`: what a request for a decision says; an audience that no request asks about cannot use it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nudge.errors import BadInput
from nudge.plan import expression, learn
from nudge.plan.checks import Checks, meant
from nudge.vocabulary import Asked, Combined, Expression, Plan

OPERATORS = ("is", "is_not", "in", "at_least", "at_most", "known")
PREDICTED = ("alive", "purchases", "spend")
COUNTED, VALUED = ("1d", "7d", "30d", "90d"), ("7d", "30d", "90d")
ALIASES = (
    {f"orders_{days}": f"count.{{orders}}.{days}" for days in COUNTED}
    | {f"revenue_{days}": f"value.{{orders}}.{days}" for days in VALUED}
    | {
        "orders": "total.{orders}",
        "revenue": "value.{orders}.total",
        "average_order": "value_per.{orders}",
        "order_trend": "trend.{orders}",
        "days_since_order": "days_since.{orders}",
        "days_since_first_order": "days_since_first.{orders}",
    }
)
"""Short names; `{orders}` is the event of the goal that is worth what its event says (see `learn.paid_event`)."""

ALONE = frozenset({"open_rate", "click_rate", "purchase_rate", "items.recent"})
HOURS = ("night", "morning", "afternoon", "evening", "weekend", "peak_hour")
FAMILIES = {
    "count.": ("count.<event>." + "|".join(COUNTED), rf"count\..+\.(?:{'|'.join(COUNTED)})"),
    "value.": ("value.<event>." + "|".join((*VALUED, "total")), rf"value\..+\.(?:{'|'.join(VALUED)}|total)"),
    "days_since.": ("days_since.<event>", r"days_since\..+"),
    "days_since_first.": ("days_since_first.<event>", r"days_since_first\..+"),
    "total.": ("total.<event>", r"total\..+"),
    "trend.": ("trend.<event>", r"trend\..+"),
    "value_per.": ("value_per.<event>", r"value_per\..+"),
    "category.": ("category.<category>.share", r"category\..+\.share"),
    "hour_of_week.": ("hour_of_week." + "|".join(HOURS), rf"hour_of_week\.(?:{'|'.join(HOURS)})"),
}
"""How the names of a profile's numbers begin → how they go on, in words and as a pattern. A test holds it equal to `profile.spec`."""


def check(c: Checks, said: Any, path: str, goals: Mapping[str, Any], *, context: bool = True) -> None:
    """Note every mistake of an audience: of a text with the column, of a list with the number of the condition."""
    if said is None:
        return
    if isinstance(said, list):
        for number, one in enumerate(said):
            _check_condition(c, one, f"{path}[{number}]", Names.of(goals, context=context))
        return
    if not isinstance(said, str) or not said.strip():
        c.wrong(path, "must be a text such as: orders_30d >= 2 and country in [DE, AT]")
        return
    try:
        expression.parse(said, Names.of(goals, context=context).whole)
    except BadInput as wrong:
        c.wrong(path, str(wrong))


def made(said: Any, goals: Mapping[str, Any]) -> Expression | None:
    """The tree of a checked audience; None means everybody."""
    if said is None or said == []:
        return None
    names = Names.of(goals)
    if isinstance(said, str):
        return expression.parse(said, names.whole)
    parts = tuple(_condition(one, names) for one in said)
    return parts[0] if len(parts) == 1 else Combined("and", parts)


def of_text(text: str, plan: Plan) -> Expression:
    """The tree of a text that stands in no plan, by the names of one. Raises BadInput with the column of a mistake."""
    goals = plan.goals.values()
    orders = next((one.event for one in goals if one.value is None), next(iter(goals)).event)
    return expression.parse(text, Names(tuple(plan.goals), orders, context=False).whole)


@dataclass(frozen=True, slots=True)
class Names:
    """The names that an audience may use: the plan's goals, the event that its short names count."""

    goals: tuple[str, ...]
    orders: str
    context: bool = True

    @classmethod
    def of(cls, goals: Mapping[str, Any], *, context: bool = True) -> Names:
        """Of a plan's goals, which may still be wrong."""
        return cls(tuple(map(str, goals)), learn.paid_event(goals) or "purchase", context)

    def whole(self, name: str) -> str:
        """The whole name of a name as written. Raises ValueError with a hint when nobody can mean it."""
        if name in ALIASES:
            return ALIASES[name].replace("{orders}", self.orders)
        if name in self.goals:
            return f"predicted.{name}"
        first, dot, rest = name.partition(".")
        if dot and first in ("trait", "predicted", "context"):
            return self._of_us(first, rest)
        if name in ALONE:
            return name
        return self._number(name) or self._trait(name)

    def _of_us(self, kind: str, rest: str) -> str:
        if not rest:
            raise ValueError(f"'{kind}.' needs a name")
        if kind == "predicted" and rest not in (*self.goals, *PREDICTED):
            known = (*self.goals, *PREDICTED)
            raise ValueError(f"nothing predicts '{rest}'; known are {', '.join(known)}{meant(rest, known)}")
        if kind == "context" and not self.context:
            raise ValueError("context.… is what a request says, and here is no request")
        return f"{kind}.{rest}"

    def _number(self, name: str) -> str | None:
        for start, (words, pattern) in FAMILIES.items():
            if name.startswith(start):
                if re.fullmatch(pattern, name, re.DOTALL):
                    return name
                raise ValueError(f"there is no number '{name}'; they are called {words} (an attribute: trait.{name})")
        return None

    def _trait(self, name: str) -> str:
        """An attribute, unless it looks like a slip in another name."""
        if name in PREDICTED:
            raise ValueError(f"write predicted.{name}, or trait.{name} for an attribute")
        if hint := meant(name, (*self.goals, *ALIASES, *ALONE), cutoff=0.8):
            raise ValueError(f"there is no number '{name}'{hint} An attribute of that name: trait.{name}")
        return f"trait.{name}"


# ── conditions as a list: {name: country, is: DE} ────────────────────────────────────────────────────────────────────
def _check_condition(c: Checks, one: Any, path: str, names: Names) -> None:
    before = len(c.problems)
    condition = c.mapping(one, path, {"name", *OPERATORS})
    c.text(condition.get("name"), f"{path}.name")
    said = [operator for operator in OPERATORS if operator in condition]
    if len(said) != 1:
        c.wrong(path, f"needs exactly one of {', '.join(OPERATORS)}")
    elif said[0] == "known":
        c.flag(condition["known"], f"{path}.known")
    elif not all(isinstance(value, str | int | float) for value in _values(condition[said[0]])):
        c.wrong(f"{path}.{said[0]}", "must be a text, a number, true or false")
    if len(c.problems) > before:
        return
    try:
        expression.parse(expression.written(_condition(one, names)), names.whole)
    except (BadInput, ValueError) as wrong:
        c.wrong(path, str(wrong))


def _condition(one: Mapping[str, Any], names: Names) -> Expression:
    """The tree of one condition. What is not known `is_not` anything; it is neither equal, nor at least, nor at most."""
    name = names.whole(one["name"])
    op = next(operator for operator in OPERATORS if operator in one)
    known = Asked("known", name)
    if op == "known":
        return known if one[op] else Combined("not", (known,))
    if op == "in":
        return Asked("in", name, tuple(map(_literal, _values(one[op]))))
    if op == "is_not":
        return Combined("or", (Combined("not", (known,)), Asked("!=", name, _literal(one[op]))))
    if op == "is":
        return Asked("=", name, _literal(one[op]))
    bound = _literal(one[op])
    return Asked(
        ">=" if op == "at_least" else "<=", name, expression.ordered(bound) if isinstance(bound, str) else bound
    )


def _values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _literal(value: Any) -> Any:
    return value if isinstance(value, bool | str) else float(value)
