"""One goal's figures come in; its forest of intervals, a card an activity, and activities against each other go out, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from nudge.measure import charts
from nudge.measure.activity_cards import card
from nudge.measure.markup import Child, Html, tag
from nudge.measure.tables import table
from nudge.measure.words import count, daily, label, money, probability, span, t, told, verdict, whole


def goal_section(goal: Mapping[str, Any], currency: str) -> Html:
    """A goal: what it is, its activities side by side and against each other, then each on its own card."""
    worth = t("what each event says") if goal["worth"] == "from_event" else money(goal["worth"], currency)
    words = t(
        "A {event} within {days} days of the decision; worth: {worth}.",
        event=goal["event"], days=f"{goal['within_days']:g}", worth=worth,
    )  # fmt: skip
    return tag(
        "section",
        tag("h2", label(goal["goal"])),
        tag("p", words, class_="lead"),
        forest(goal["activities"], currency),
        contrasts(goal.get("contrasts"), currency),
        [card(activity, currency) for activity in goal["activities"]],
    )


def forest(activities: Sequence[Mapping[str, Any]], currency: str) -> Html:
    """Incremental value of each activity on one scale."""
    values = [
        value
        for activity in activities
        for value in (*ends(daily(activity["incremental_value"], activity.get("reading"))), truth_of(activity))
    ]
    of = charts.domain(values)
    write = partial(money, currency=currency)
    rows = [_forest_row(activity, of, currency) for activity in activities]
    scale = tag(
        "div", tag("span", class_="name"), charts.axis(of, write), tag("span", class_="figure"), class_="row scale"
    )
    legend = t(
        "Incremental value: the dot is the estimate. The wide band may be read every day; the narrow one is the 95 % interval "
        "for a single look at the end. The dashed line is no effect."
    )
    if any(truth_of(activity) is not None for activity in activities):
        legend += " " + t("The diamond is the true effect, which only a simulation knows.")
    return tag("div", rows, scale, tag("p", legend, class_="small"), class_="card forest")


def _forest_row(activity: Mapping[str, Any], of: charts.Domain, currency: str) -> Html:
    fixed, true = activity["incremental_value"], truth_of(activity)
    gain = daily(fixed, activity.get("reading"))
    tone, _ = verdict(gain)
    write = partial(money, currency=currency, signed=True)
    name = label(activity["activity"])
    said = t(
        "{name}: incremental value {value}, between {span} however often it is read",
        name=name, value=write(gain["estimate"]), span=span(gain, write),
    )  # fmt: skip
    if true is not None:
        said += t(", true {value}", value=write(true))
    return tag(
        "div",
        tag("bdi", name, class_="name"),
        charts.interval(
            gain["low"], gain["estimate"], gain["high"], of,
            label=said, tone=tone, truth=true, inner=(fixed["low"], fixed["high"]),
        ),
        tag(
            "div",
            tag("b", write(gain["estimate"])),
            tag("span", span(gain, write), class_="small"),
            tag("div", t("true {value}", value=whole(write(true))), class_="small truth-word") if true is not None else None,
            class_="figure",
        ),
        class_="row",
    )  # fmt: skip


def contrasts(told_of: Mapping[str, Any] | None, currency: str, *, quiet: bool = False) -> Html | None:
    """Activities against each other, as a table; None where there are no two. `quiet`: inside another card."""
    pairs = [one for one in (told_of or {}).get("pairs") or [] if one["difference"]["estimate"] is not None]
    if told_of is None or not pairs:
        return None
    write = partial(money, currency=currency, signed=True)
    rows: list[list[Child]] = [
        [
            t("{second} rather than {first}", second=label(one["second"]), first=label(one["first"])),
            write(one["difference"]["estimate"]),
            span(one["difference"], write),
            probability(one["difference"]["p_value"]),
            _verdict(one),
        ]
        for one in pairs
    ]
    head = [
        (t("Pair"), False),
        (t("Net value a person"), True),
        (t("Between"), False),
        (t("p, corrected"), True),
        (t("Says"), False),
    ]
    best = told_of["best"]
    winner = (
        t("{name} does better than each other one, beyond chance.", name=label(best))
        if best
        else t("No winner yet: no activity does better than each other one beyond chance.")
    )
    caption = t(
        "{n} comparisons; each person weighs 1 / the probability of what was drawn for them, so the policy's preferences do not "
        "count. Intervals and p-values hold for all comparisons together (Holm), on any day.",
        n=count(told_of["looks"]),
    )
    shown = tag("details", tag("summary", t("All pairs")), table(caption, head, rows))
    if quiet:
        return tag("div", tag("p", winner, class_="small"), shown)
    return tag("div", tag("h3", t("Activities against each other")), tag("p", winner), shown, class_="card activity")


def _verdict(one: Mapping[str, Any]) -> str:
    if one["difference"]["low"] is None:
        return told(one["difference"]["note"])
    if not one["found"]:
        return t("no difference beyond chance")
    return t("better") if one["difference"]["estimate"] > 0 else t("worse")


def ends(one: Mapping[str, Any]) -> tuple[float | None, float | None, float | None]:
    return one["estimate"], one["low"], one["high"]


def truth_of(activity: Mapping[str, Any]) -> float | None:
    """The true incremental value, on a simulation."""
    true: float | None = (activity.get("truth") or {}).get("incremental_value")
    return true
