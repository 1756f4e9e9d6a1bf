"""A report comes in; what a reader sees first goes out, as HTML: what changed, how sure that is, and which interval to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nudge.measure import charts
from nudge.measure.cards import ends
from nudge.measure.markup import Child, Html, tag
from nudge.measure.words import count, daily, money, ratio, span, t, told, verdict, whole


def headline(report: Mapping[str, Any]) -> Html:
    """The incremental value with both intervals and which of them to read; return, whole programme and volume beneath."""
    currency, total = report["currency"], report["total"]
    fixed = total["incremental_value"]
    gain = daily(fixed, total.get("reading"))
    tone, said = verdict(gain)
    write = partial(money, currency=currency, signed=True)
    if gain["estimate"] is None:
        hero: Child = [tag("p", t("Nothing to report yet"), class_="big"), tag("p", told(gain["note"]), class_="say")]
    else:
        of = charts.domain(ends(gain))
        spelled = _spelled(said, gain, write)
        drawn = charts.interval(
            gain["low"],
            gain["estimate"],
            gain["high"],
            of,
            label=spelled,
            tone=tone,
            inner=(fixed["low"], fixed["high"]),
        )
        hero = [
            tag("p", write(gain["estimate"]), class_=f"big {tone}"),
            tag("p", spelled, class_="say"),
            drawn,
            charts.axis(of, partial(money, currency=currency)),
            tag("p", _which(fixed, total.get("reading"), write), class_="small"),
            tag("p", told(gain["note"]), class_="small") if gain["note"] else None,
        ]
    return tag(
        "section",
        tag(
            "div",
            tag("p", t("Incremental value: what would not have come without it"), class_="label"),
            hero,
            class_="card hero",
        ),
        tag("div", _return(total, currency), _programme(report["programme"], currency), _volume(report), class_="trio"),
    )


def _spelled(said: str, gain: Mapping[str, Any], write: Callable[[float | None], str]) -> str:
    if gain["low"] is None:
        return f"{said}."
    return t(
        "{verdict}. With 95 % confidence it lies between {low} and {high}.",
        verdict=said, low=whole(write(gain["low"])), high=whole(write(gain["high"])),
    )  # fmt: skip


def _which(fixed: Mapping[str, Any], reading: Mapping[str, Any] | None, write: Callable[[float | None], str]) -> str:
    """Which interval is shown, and when the other one would be right."""
    if fixed["low"] is None:
        return ""
    low, high = whole(write(fixed["low"])), whole(write(fixed["high"]))
    if (reading or {}).get("interval") == "fixed":
        return t("It has ended on the day the plan said, so this is the interval for a single look.")
    return t(
        "The wide band is right however often you look, and whenever you stop: read it every day. The narrow one, {low} to {high}, "
        "is right for a single look on a day that was set beforehand.",
        low=low, high=high,
    )  # fmt: skip


def _return(total: Mapping[str, Any], currency: str) -> Html:
    back = daily(total["roi"], total.get("reading"))
    words = t(
        "for each {one} of {cost} spent; {span}",
        one=money(1, currency), cost=money(total["cost"], currency), span=span(back, ratio),
    )  # fmt: skip
    return tag(
        "div",
        tag("h2", t("Return on cost"), class_="quiet"),
        tag("p", ratio(back["estimate"]), class_="mid"),
        tag("p", words, class_="small"),
        class_="card",
    )


def _programme(whole: Mapping[str, Any], currency: str) -> Html:
    gain = daily(whole["incremental_value"], whole.get("reading"))
    write = partial(money, currency=currency, signed=True)
    kept = count(whole["people"]["global_holdout"])
    words = t("{span}; everyone against {n} people never contacted", span=span(gain, write), n=kept)
    return tag(
        "div",
        tag("h2", t("Whole programme so far"), class_="quiet"),
        tag("p", write(gain["estimate"]), class_="mid"),
        tag("p", words, class_="small"),
        class_="card",
    )


def _volume(report: Mapping[str, Any]) -> Html:
    activities = [activity for goal in report["goals"] for activity in goal["activities"]]
    sent = sum(activity["messages"]["sent"] or 0 for activity in activities)
    people = report["programme"]["people"]
    everyone = (people["programme"] or 0) + (people["global_holdout"] or 0)
    return tag(
        "div",
        tag("h2", t("Messages sent and offers shown"), class_="quiet"),
        tag("p", count(sent), class_="mid"),
        tag("p", t("decisions for {n} people", n=count(everyone)), class_="small"),
        class_="card",
    )
