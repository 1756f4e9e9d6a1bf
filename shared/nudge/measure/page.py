"""A report comes in; one HTML file goes out that needs nothing else: no script, no font, no image from anywhere.

Everything is escaped by construction (see `markup`); the page forbids itself to load anything (Content-Security-Policy).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from nudge.measure import charts
from nudge.measure.cards import ends, goal_section
from nudge.measure.look import STYLE
from nudge.measure.markup import Child, Html, tag
from nudge.measure.model_cards import model_cards
from nudge.measure.tables import attribution_section, data_section, models_section
from nudge.measure.words import count, day, label, moment, money, ratio, share, span, verdict, whole


def page(report: Mapping[str, Any]) -> str:
    """The report as a page. A `truth` in an activity is drawn beside its estimate."""
    body = tag(
        "div",
        _header(report),
        tag(
            "main",
            _headline(report),
            _warnings(report),
            [goal_section(goal, report["currency"]) for goal in report["goals"]],
            data_section(report["data_quality"]),
            models_section(report["models"]),
            model_cards(report["models"]),
            attribution_section(report),
            _reading(),
            id="report",
        ),
        _footer(report),
        class_="page",
    )
    skip = tag("a", "Skip to the report", href="#report", class_="skip")
    return f"<!DOCTYPE html>\n{tag('html', _head(report), tag('body', skip, body), lang='en')}\n"


def _head(report: Mapping[str, Any]) -> Html:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    rule = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=rule),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="robots", content="noindex"),
        tag("title", f"Nudge report, {day(report['generated_at'])}"),
        tag("link", rel="icon", href="data:,"),
        tag("style", Html(STYLE)),
    )


def _header(report: Mapping[str, Any]) -> Html:
    period = report["period"]
    words = f"{day(period['from'])} to {day(period['until'])}" if period["from"] else "No decision has been made yet"
    return tag("header", tag("h1", "What Nudge changed"), tag("p", words, class_="over"))


def _headline(report: Mapping[str, Any]) -> Html:
    currency, total = report["currency"], report["total"]
    gain = total["incremental_value"]
    tone, said = verdict(gain)
    write = partial(money, currency=currency, signed=True)
    if gain["estimate"] is None:
        hero: Child = [tag("p", "Nothing to report yet", class_="big"), tag("p", gain["note"], class_="say")]
    else:
        of = charts.domain(ends(gain))
        spelled = f"{said}. With 95 % confidence it lies between {whole(write(gain['low']))} and {whole(write(gain['high']))}."
        hero = [
            tag("p", write(gain["estimate"]), class_=f"big {tone}"),
            tag("p", spelled, class_="say"),
            charts.interval(gain["low"], gain["estimate"], gain["high"], of, label=spelled, tone=tone),
            charts.axis(of, partial(money, currency=currency)),
            tag("p", gain["note"], class_="small") if gain["note"] else None,
        ]
    return tag(
        "section",
        tag(
            "div",
            tag("p", "Incremental value: what would not have come without it", class_="label"),
            hero,
            class_="card hero",
        ),
        tag("div", _return(total, currency), _programme(report["programme"], currency), _volume(report), class_="trio"),
    )


def _return(total: Mapping[str, Any], currency: str) -> Html:
    back = total["roi"]
    return tag(
        "div",
        tag("h2", "Return on cost", class_="quiet"),
        tag("p", ratio(back["estimate"]), class_="mid"),
        tag(
            "p",
            f"for each {money(1, currency)} of {money(total['cost'], currency)} spent; {span(back, ratio)}",
            class_="small",
        ),
        class_="card",
    )


def _programme(whole: Mapping[str, Any], currency: str) -> Html:
    gain = whole["incremental_value"]
    write = partial(money, currency=currency, signed=True)
    kept = count(whole["people"]["global_holdout"])
    return tag(
        "div",
        tag("h2", "Whole programme so far", class_="quiet"),
        tag("p", write(gain["estimate"]), class_="mid"),
        tag("p", f"{span(gain, write)}; everyone against {kept} people never contacted", class_="small"),
        class_="card",
    )


def _volume(report: Mapping[str, Any]) -> Html:
    activities = [activity for goal in report["goals"] for activity in goal["activities"]]
    sent = sum(activity["messages"]["sent"] or 0 for activity in activities)
    people = report["programme"]["people"]
    everyone = (people["programme"] or 0) + (people["global_holdout"] or 0)
    return tag(
        "div",
        tag("h2", "Messages sent and offers shown", class_="quiet"),
        tag("p", count(sent), class_="mid"),
        tag("p", f"decisions for {count(everyone)} people", class_="small"),
        class_="card",
    )


def _warnings(report: Mapping[str, Any]) -> Html:
    checks = [
        (f"{label(activity['activity'])} ({label(goal['goal'])})", activity["sample_ratio"])
        for goal in report["goals"]
        for activity in goal["activities"]
    ] + [("Whole programme", report["programme"]["sample_ratio"])]
    found = [
        _notice(
            f"{name}: sample ratio.",
            f"{share(one['observed_holdout'])} held out, {share(one['planned_holdout'])} planned; {one['note']}.",
        )
        for name, one in checks
        if one["flagged"]
    ]
    if not report["data_quality"]["reconciles"]:
        found.append(
            _notice(
                "Rows do not add up.", "Some rows read were neither accepted, rejected nor duplicate (yet): see Data."
            )
        )
    return tag(
        "section",
        found or tag("p", "Groups are split as planned, and every row that was read is accounted for.", class_="calm"),
    )


def _notice(title: str, words: str) -> Html:
    return tag("div", tag("strong", title), " ", words, class_="notice", role="note")


def _reading() -> Html:
    said = (
        "Chance decides who is held out. People count in the group they were drawn for, whether or not the message reached them, from the first decision that drew the activity.",
        "Incremental value is the difference of value per person between treated and held-out people, times the people treated. Only people whose window has ended are compared.",
        "A 95 % interval holds the truth in 95 of 100 such reports. “Detectable from” is the smallest effect these groups would show four times in five.",
        "Return on cost is (incremental value − cost) / cost: 2 means that each 1 spent came back and brought 2 more.",
    )
    return tag("section", tag("details", tag("summary", "How to read this"), [tag("p", line) for line in said]))


def _footer(report: Mapping[str, Any]) -> Html:
    newest = report["period"]["newest_event"]
    made = f"Made {moment(report['generated_at'])}. Newest goal event: {moment(newest) if newest else 'none'}. "
    return tag("footer", tag("p", made, "Checksum of the figures: ", tag("code", report["checksum"])))
