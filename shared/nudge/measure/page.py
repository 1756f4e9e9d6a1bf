"""A report comes in; one HTML file goes out that needs nothing else: no script, no font, no image from anywhere.

Everything is escaped by construction (see `markup`); the page forbids itself to load anything (Content-Security-Policy).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from nudge.measure.campaign_cards import campaigns_section, segments_section
from nudge.measure.cards import goal_section
from nudge.measure.costs_card import costs_section
from nudge.measure.customer_cards import customers_section
from nudge.measure.forecast_cards import forecasts_section
from nudge.measure.headline import headline
from nudge.measure.look import STYLE
from nudge.measure.markup import Html, tag
from nudge.measure.model_cards import model_cards
from nudge.measure.tables import attribution_section, data_section, models_section
from nudge.measure.words import (
    LANGUAGES,
    TAGS,
    day,
    label,
    moment,
    share,
    spoken,
    t,
    told,
)
from nudge.measure.words import language as spoken_now


def page(report: Mapping[str, Any], language: str = "en") -> str:
    """The report as a page in a language of `words.LANGUAGES`. A `truth` in an activity is drawn beside its estimate."""
    with spoken(language):
        return _page(report)


def _page(report: Mapping[str, Any]) -> str:
    currency = report["currency"]
    sections = [
        ("campaigns", t("Campaigns"), campaigns_section(report.get("campaigns") or [], currency)),
        ("activities", t("Activities"), _activities(report)),
        ("segments", t("Segments"), segments_section(report.get("segments"), currency)),
        ("customers", t("Customers"), customers_section(report.get("customers"), currency)),
        ("forecasts", t("Forecasts"), forecasts_section(report.get("forecasts") or [], currency)),
        ("costs", t("Running costs"), costs_section(report.get("costs"))),
        ("data", t("Data"), data_section(report["data_quality"])),
        ("models", t("Models"), _models(report)),
    ]
    body = tag(
        "div",
        _header(report),
        tag(
            "main",
            headline(report),
            _warnings(report),
            _contents([(place, name) for place, name, made in sections if made]),
            [made for _, _, made in sections],
            attribution_section(report),
            _reading(),
            id="report",
        ),
        _footer(report),
        class_="page",
    )
    skip = tag("a", t("Skip to the report"), href="#report", class_="skip")
    return f"<!DOCTYPE html>\n{tag('html', _head(report), tag('body', skip, body), lang=TAGS[spoken_now()])}\n"


def _activities(report: Mapping[str, Any]) -> Html:
    served = [goal_section(goal, report["currency"]) for goal in report["goals"] if goal["activities"]]
    unserved = ", ".join(label(goal["goal"]) for goal in report["goals"] if not goal["activities"])
    words = tag("p", t("No activity of the plan serves: {names}.", names=unserved), class_="calm") if unserved else None
    return tag("div", served, words, id="activities")


def _models(report: Mapping[str, Any]) -> Html:
    return tag("div", models_section(report["models"]), model_cards(report["models"]), id="models")


def _contents(places: Sequence[tuple[str, str]]) -> Html:
    links = [tag("a", name, href=f"#{place}") for place, name in places]
    return tag("nav", links, class_="contents", aria_label=t("Contents"))


def _head(report: Mapping[str, Any]) -> Html:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    rule = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=rule),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="robots", content="noindex"),
        tag("title", t("Nudge report, {day}", day=day(report["generated_at"]))),
        tag("link", rel="icon", href="data:,"),
        tag("style", Html(STYLE)),
    )


def _header(report: Mapping[str, Any]) -> Html:
    period = report["period"]
    words = (
        t("{first} to {last}", first=day(period["from"]), last=day(period["until"]))
        if period["from"]
        else t("No decision has been made yet")
    )
    return tag(
        "header",
        tag("div", tag("h1", t("What Nudge changed")), tag("p", words, class_="over")),
        _languages(),
        class_="bar",
    )


def _languages() -> Html:
    """The other languages of the same page: links of the door, where there is one."""
    names = {"en": "English", "zh": "中文"}
    others = [one for one in LANGUAGES if one != spoken_now()]
    return tag(
        "p",
        [tag("a", names[one], href=f"?lang={one}", lang=TAGS[one], hreflang=TAGS[one]) for one in others],
        class_="over",
    )


def _warnings(report: Mapping[str, Any]) -> Html:
    checks = [
        (f"{label(activity['activity'])} ({label(goal['goal'])})", activity["sample_ratio"])
        for goal in report["goals"]
        for activity in goal["activities"]
    ] + [(t("Whole programme"), report["programme"]["sample_ratio"])]
    found = [
        _notice(
            t("{name}: sample ratio.", name=name),
            t(
                "{observed} held out, {planned} planned; {note}.",
                observed=share(one["observed_holdout"]), planned=share(one["planned_holdout"]), note=told(one["note"]),
            ),
        )
        for name, one in checks
        if one["flagged"]
    ]  # fmt: skip
    if not report["data_quality"]["reconciles"]:
        words = t("Some rows read were neither accepted, rejected nor duplicate (yet): see Data.")
        found.append(_notice(t("Rows do not add up."), words))
    calm = t("Groups are split as planned, and every row that was read is accounted for.")
    return tag("section", found or tag("p", calm, class_="calm"))


def _notice(title: str, words: str) -> Html:
    return tag("div", tag("strong", title), " ", words, class_="notice", role="note")


READING = (
    "Chance decides who is held out. People count in the group they were drawn for, whether or not the message reached them, from the first decision that drew the activity.",
    "Incremental value is the difference of value per person between treated and held-out people, times the people treated. Only people whose window has ended are compared.",
    "The wide band is a confidence sequence: in 95 of 100 campaigns it holds the truth on every single day, so you may look daily and stop when you like. The narrow band is the usual 95 % interval: right once, on a day that was set beforehand. A campaign that ended when the plan said shows the narrow one.",
    "“With their past taken out” is the same estimate with less noise: what people did in an equally long time before the decision is removed from both groups (CUPED). It moves no truth.",
    "“Detectable from” is the smallest effect these groups would show four times in five.",
    "Return on cost is (incremental value − cost) / cost: 2 means that each 1 spent came back and brought 2 more.",
)


def _reading() -> Html:
    return tag(
        "section", tag("details", tag("summary", t("How to read this")), [tag("p", t(line)) for line in READING])
    )


def _footer(report: Mapping[str, Any]) -> Html:
    newest = report["period"]["newest_event"]
    made = t(
        "Made {made}. Newest goal event: {newest}.",
        made=moment(report["generated_at"]), newest=moment(newest) if newest else t("none"),
    )  # fmt: skip
    return tag("footer", tag("p", made, " ", t("Checksum of the figures:"), " ", tag("code", report["checksum"])))
