"""What the demand models in force expect comes in; their drawings go out, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from nudge.measure import drawings
from nudge.measure.markup import Html, tag
from nudge.measure.words import count, day, label, money, t

MOST_SERIES, MOST_POINTS = 6, 60


def forecasts_section(forecasts: Sequence[Mapping[str, Any]], currency: str) -> Html | None:
    """A drawing a series: what was, what is expected, between what and what, and what was unusual."""
    cards = [_card(model, one, currency) for model in forecasts for one in model["series"][:MOST_SERIES]]
    if not cards:
        return None
    words = t("What is expected next, with the band that holds it in 95 of 100 cases. Orange dots were unusual.")
    return tag(
        "section",
        tag("h2", t("Forecasts")),
        tag("p", words, class_="lead"),
        tag("div", cards, class_="pair"),
        id="forecasts",
    )


def _card(model: Mapping[str, Any], one: Mapping[str, Any], currency: str) -> Html:
    past, ahead = one["points"][-MOST_POINTS:], one["forecast"]
    steps = max(len(past) + len(ahead) - 1, 1)
    was = [drawings.Point(n / steps, point["value"]) for n, point in enumerate(past)]
    will = [
        drawings.Point((len(past) + n) / steps, point["value"], point["low"], point["high"])
        for n, point in enumerate(ahead)
    ]
    at = {point["at"]: n / steps for n, point in enumerate(past)}
    marks = [(at[flag["at"]], flag["value"]) for flag in one["flags"] if flag["at"] in at]
    write = partial(money, currency=currency) if model["of"] == "value" else count
    total = sum(point["value"] for point in ahead)
    of = drawings.spread([point.high or point.value for point in will] + [point.value for point in was])
    name = label(one["series"]) if model["by"] != "all" else label(model["event"])
    unit = t("{n} days", n=len(ahead)) if model["every"] == "day" else t("{n} weeks", n=len(ahead))
    words = t("{total} expected in the next {unit}", total=write(total), unit=unit)
    drawn = drawings.lines(
        [("held", was), ("us", [was[-1], *will] if was else will)],
        of,
        label=f"{name}: {words}",
        write=write,
        ends=(day(past[0]["at"]) if past else "", day(ahead[-1]["at"])),
        marks=marks,
    )
    return tag("div", tag("h3", tag("bdi", name)), tag("p", words, class_="small"), drawn, class_="card")
