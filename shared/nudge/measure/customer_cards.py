"""Who the customers are (`customers.section`) comes in; their part of the page goes out, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from nudge.measure import charts, drawings
from nudge.measure.markup import Child, Html, tag
from nudge.measure.tables import table
from nudge.measure.words import channel, count, day, label, money, share, t, told

SEGMENTS = {
    "champions": ("Champions", "buy often, and just now: ask them to tell others"),
    "loyal": ("Loyal", "come back again and again: reward them"),
    "potential_loyalists": ("Potential loyalists", "recent, more than once: offer a reason to stay"),
    "new": ("New", "bought once, just now: welcome them"),
    "promising": ("Promising", "bought once, not long ago: show them more"),
    "need_attention": ("Need attention", "were good, grow quiet: remind them"),
    "about_to_sleep": ("About to sleep", "seldom, and a while ago: win them back now"),
    "at_risk": ("At risk", "were good, long gone: a strong reason to return"),
    "cannot_lose": ("Cannot lose them", "among the best once, long gone: talk to them"),
    "hibernating": ("Hibernating", "seldom and long ago: leave them in peace, or one last try"),
}
ENDS = (
    ("reachable", "us", "Reachable"),
    ("no_consent", "held", "No consent"),
    ("no_address", "pale", "No address"),
    ("unsubscribe", "warn", "Unsubscribed"),
    ("bounce", "warn", "Bounced"),
    ("complaint", "loss", "Complained"),
)


def customers_section(held: Mapping[str, Any] | None, currency: str) -> Html | None:
    """Everything about customers; None where the report knows nothing of them."""
    if not held:
        return None
    parts = [
        _weeks(held["weeks"], currency),
        tag(
            "div",
            tag("div", _grid(held["rfm"], currency), _reach(held["reachability"]), class_="stacked-cards"),
            _segments(held["rfm"], currency),
            class_="pair",
        ),
        _cohorts(held["cohorts"]),
        tag("div", _deciles(held["deciles"], currency), _items(held["items"], currency), class_="pair"),
    ]
    return tag(
        "section",
        tag("h2", t("Customers")),
        tag("p", t("Everybody who bought, whether or not Nudge ever wrote to them."), class_="lead"),
        parts,
        id="customers",
    )


def _weeks(weeks: Sequence[Mapping[str, Any]], currency: str) -> Html | None:
    known = [one for one in weeks if one["value"] is not None]
    if len(known) < 3:
        return None
    write = partial(money, currency=currency)
    values = [float(one["value"]) for one in known]
    steps = len(values) - 1
    points = [drawings.Point(n / steps, value) for n, value in enumerate(values)]
    last = known[-1]
    words = t(
        "{value} in the week of {day}, from {orders} orders of {people} people",
        value=write(last["value"]), day=day(last["week"]), orders=count(last["orders"]), people=count(last["people"]),
    )  # fmt: skip
    drawn = drawings.lines(
        [("us", points)],
        drawings.spread(values),
        label=t("Sales by week, from {first} to {last}", first=write(values[0]), last=write(values[-1])),
        write=write,
        ends=(day(known[0]["week"]), day(last["week"])),
    )
    return tag("div", tag("h3", t("Sales by week")), tag("p", words, class_="small"), drawn, class_="card")


def _grid(rfm: Mapping[str, Any], currency: str) -> Html:
    title = tag("h3", t("How recently and how often they buy"))
    if not rfm["cells"]:
        return tag(
            "div", title, tag("p", told(rfm["note"]) or t("Nobody has bought yet."), class_="small"), class_="card"
        )
    cells = {(one["r"], one["f"]): one for one in rfm["cells"] if one["people"]}
    most = max([float(one["people"]) for one in cells.values()], default=1.0)
    names = {5: t("just now"), 1: t("long ago")}
    rows = [
        (
            names.get(r, "·"),
            [_square(cells.get((r, f)), most) for f in range(1, 6)],
        )
        for r in range(5, 0, -1)
    ]
    caption = t(
        "{n} customers by fifths: bought last (down) and how often (across). Darker: more people.",
        n=count(rfm["customers"]),
    )
    head = ["", t("rarely"), "", "", "", t("often")]
    return tag("div", title, drawings.grid(caption, head, rows), class_="card")


def _square(one: Mapping[str, Any] | None, most: float) -> tuple[Child, str]:
    if one is None:
        return "–", "shade-0"
    name = _named(one["segment"])[0]
    return [tag("b", count(one["people"])), tag("span", name, class_="inside")], drawings.shade(one["people"], most)


def _segments(rfm: Mapping[str, Any], currency: str) -> Html | None:
    known = [one for one in rfm["segments"] if one["people"]]
    if not known:
        return None
    most = max(float(one["spent"] or 0) for one in known) or 1.0
    rows = []
    for one in known:
        name, advice = _named(one["segment"])
        words = t("{people} people, {money}", people=count(one["people"]), money=money(one["spent"], currency))
        rows.append(
            tag(
                "div",
                tag("span", tag("b", name), " ", tag("span", advice, class_="small")),
                tag("span", words),
                charts.bar(one["spent"] or 0, most, label=f"{name}: {words}", tone="us"),
                class_="line",
            )
        )
    return tag("div", tag("h3", t("Segments, by what they have spent")), rows, class_="card")


def _named(segment: str) -> tuple[str, str]:
    """Its name, and what one does for it."""
    name, advice = SEGMENTS.get(segment, (label(segment), ""))
    return t(name), t(advice)


def _cohorts(cohorts: Mapping[str, Any]) -> Html:
    weekly = cohorts["every"] == "week"
    title = tag("h3", t("Do they come back?"))
    known = [one for one in cohorts["rows"] if one["people"] and one["kept"]]
    if not known:
        return tag("div", title, tag("p", t("Needs two whole periods with orders."), class_="small"), class_="card")
    widest = max(len(one["kept"]) for one in known)
    most = max((cell["share"] or 0.0) for one in known for cell in one["kept"]) or 1.0
    rows = []
    for one in known:
        cells: list[tuple[Child, str]] = [(count(one["people"]), "plain")]
        for cell in one["kept"]:
            known_share = cell["share"] is not None
            cells.append((f"{cell['share']:.0%}" if known_share else "–", drawings.shade(cell["share"] or 0, most)))
        cells += [("", "none")] * (widest - len(one["kept"]))
        rows.append((one["cohort"] if weekly else one["cohort"][:7], cells))
    caption = (
        t("By week of the first order: how many of them ordered again 1, 2, 3 … weeks later.")
        if weekly
        else t("By month of the first order: how many of them ordered again 1, 2, 3 … months later.")
    )
    head = [t("First order"), t("People"), *(f"+{n + 1}" for n in range(widest))]
    return tag("div", title, drawings.grid(caption, head, rows), class_="card")


def _deciles(deciles: Mapping[str, Any], currency: str) -> Html:
    predicted = deciles["by"] == "predicted"
    title = tag("h3", t("Expected spend, by tenths of people") if predicted else t("Past spend, by tenths of people"))
    known = [one for one in deciles["rows"] if one["per_person"] is not None]
    if not known:
        return tag(
            "div", title, tag("p", told(deciles.get("note")) or t("not known yet"), class_="small"), class_="card"
        )
    most = max(one["per_person"] for one in known)
    rows = []
    for one in known:
        words = t(
            "{money} a person, {share} of all", money=money(one["per_person"], currency), share=share(one["share"])
        )
        name = t("Best tenth") if one["decile"] == 1 else t("Tenth {n}", n=one["decile"])
        drawn = charts.bar(one["per_person"], most, label=f"{name}: {words}", tone="us")
        rows.append(tag("div", tag("span", name), tag("span", words), drawn, class_="line"))
    source = (
        t("What the value model expected of {n} people at their latest decision.", n=count(deciles["people"]))
        if predicted
        else t("No value model is in force: this is what {n} people spent so far.", n=count(deciles["people"]))
    )
    return tag("div", title, tag("p", source, class_="small"), rows, class_="card")


def _reach(reach: Mapping[str, Any]) -> Html:
    rows = []
    for one in reach["channels"]:
        pieces = [(t(name), one["ends"][key], tone) for key, tone, name in ENDS if one["ends"][key]]
        words = ", ".join(f"{count(size)} {name.lower()}" for name, size, _ in pieces)
        label = f"{channel(one['channel'])}: {words}"
        rows.append(
            tag(
                "div",
                tag("span", tag("b", channel(one["channel"]))),
                tag("span", t("{n} reachable", n=count(one["ends"]["reachable"]))),
                charts.stack([(name, size, tone) for name, size, tone in pieces], label=label),
                tag("span", words, class_="small across"),
                class_="line",
            )
        )
    known = t("Of {n} people known. Unknown consent counts as none.", n=count(reach["people"]))
    return tag("div", tag("h3", t("Whom we can reach")), tag("p", known, class_="small"), rows, class_="card")


def _items(items: Mapping[str, Any], currency: str) -> Html:
    title = tag("h3", t("Top products"))
    if not items["rows"]:
        return tag("div", title, tag("p", t("No order names a product."), class_="small"), class_="card")
    write = partial(money, currency=currency)
    rows: list[list[Child]] = [
        [
            tag("bdi", one["title"] or one["item"]),
            write(one["value"]),
            count(one["orders"]),
            _change(one["value"], one["before"]),
        ]
        for one in items["rows"]
        if one["value"] is not None
    ]
    caption = t("The latest {n} days, and the change from the {n} days before.", n=items["days"])
    head = [(t("Product"), False), (t("Sales"), True), (t("Orders"), True), (t("Change"), True)]
    return tag("div", title, table(caption, head, rows), class_="card")


def _change(now: float, before: float | None) -> str:
    if not before:
        return t("new")
    return share(now / before - 1, signed=True)
