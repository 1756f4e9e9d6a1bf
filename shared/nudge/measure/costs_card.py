"""What a thousand decisions and messages cost comes in; the arithmetic goes out, as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nudge.measure.markup import Child, Html, tag
from nudge.measure.tables import table
from nudge.measure.words import count, day, money, t


def costs_section(costs: Mapping[str, Any] | None) -> Html | None:
    """Two tables: each line is units × price."""
    if not costs:
        return None
    words = t(
        "At the prices AWS published for {region}, as of {day}, without free tier: durations × memory, calls and writes.",
        region=costs["region"], day=day(costs["as_of"]),
    )  # fmt: skip
    cards = [_card(t("1,000 decisions"), costs["decisions"]), _card(t("1,000 messages"), costs["messages"])]
    return tag(
        "section",
        tag("h2", t("Running costs")),
        tag("p", words, class_="lead"),
        tag("div", cards, class_="pair"),
        id="costs",
    )


def _card(title: str, told: Mapping[str, Any]) -> Html:
    rows: list[list[Child]] = [
        [one["what"], count(one["units"]), f"${one['usd_per_unit']:.3g}", money(one["usd"], "USD"), one["why"]]
        for one in told["lines"]
    ]
    head = [(t("What"), False), (t("Units"), True), (t("Price"), True), (t("Cost"), True), (t("Why so many"), False)]
    return tag(
        "div",
        tag("h3", title),
        tag("p", money(told["usd"], "USD"), class_="mid"),
        tag("details", tag("summary", t("The arithmetic")), table(t("Units × price, for a thousand."), head, rows)),
        class_="card",
    )
