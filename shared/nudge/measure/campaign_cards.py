"""Campaigns and segments come in; their parts of the page go out, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from nudge.measure import charts
from nudge.measure.activity_cards import pieces, reached
from nudge.measure.cards import contrasts, ends, forest
from nudge.measure.markup import Html, tag
from nudge.measure.words import count, daily, day, label, money, probability, ratio, span, t, told, verdict

SHOWN = 8
TRAITS = {
    "lifecycle": "Stage",
    "never_bought": "never bought",
    "first_purchase": "first purchase, recently",
    "active": "bought again, recently",
    "lapsed": "bought, but not recently",
}


def campaigns_section(campaigns: Sequence[Mapping[str, Any]], currency: str) -> Html | None:
    """A card a campaign; None where decisions name none."""
    if not campaigns:
        return None
    return tag(
        "section",
        tag("h2", t("Campaigns")),
        tag("p", t("Each campaign as a whole: whom it reached, what it changed, what it cost."), class_="lead"),
        [_card(one, currency) for one in campaigns],
        id="campaigns",
    )


def _card(one: Mapping[str, Any], currency: str) -> Html:
    total = one["total"]
    gain = daily(total["incremental_value"], total.get("reading"))
    tone, said = verdict(gain)
    period = t("{first} to {last}", first=day(one["from"]), last=day(one["until"]))
    flagged = one["sample_ratio"]["flagged"]
    return tag(
        "article",
        tag(
            "div",
            tag("h3", tag("bdi", label(one["campaign"])), tag("span", period, class_="chip")),
            tag("span", said, class_=f"tone {tone}"),
            class_="top",
        ),
        tag("p", told(gain["note"]), class_="small") if gain["note"] else None,
        tag("div", _value(gain, tone, currency), reached(one), _facts(one, currency), class_="three"),
        tag("p", t("Groups are not split as planned: {names}.", names=", ".join(map(label, flagged))), class_="notice")
        if flagged
        else None,
        [contrasts(each, currency, quiet=True) for each in one.get("contrasts") or []],
        tag("details", tag("summary", t("By activity")), forest(one["activities"], currency))
        if one["activities"] and not one.get("withheld")
        else None,
        class_="card activity",
    )


def _value(gain: Mapping[str, Any], tone: str, currency: str) -> Html:
    write = partial(money, currency=currency, signed=True)
    title = tag("h4", t("Incremental value"))
    if gain["estimate"] is None:
        return tag("div", title, tag("p", told(gain["note"]) or t("not known yet"), class_="small"))
    of = charts.domain(ends(gain))
    words = span(gain, write)
    return tag(
        "div",
        title,
        tag("p", write(gain["estimate"]), class_=f"mid {tone}"),
        charts.interval(gain["low"], gain["estimate"], gain["high"], of, label=words, tone=tone),
        tag("p", words, class_="small"),
    )


def _facts(one: Mapping[str, Any], currency: str) -> Html:
    total, read = one["total"], one["total"].get("reading")
    more, back = daily(one["incremental_conversions"], read), daily(total["roi"], read)
    signed = partial(count, signed=True)
    last = one["attribution"]
    rows = [
        (t("Revenue of the treated"), money(one["revenue"], currency)),
        (t("Conversions gained"), _spanned(more, signed)),
        (t("Return on cost"), _spanned(back, ratio)),
        (t("Cost so far"), money(one["cost_so_far"], currency)),
        (t("Still inside their window"), t("{n} people", n=count(one["people"]["not_matured"]))),
        (t("Last touch would say"), money(last["value"], currency)),
    ]
    return tag("div", tag("h4", t("Figures")), pieces(rows))


def _spanned(one: Mapping[str, Any], write: Any) -> str:
    if one["estimate"] is None:
        return told(one["note"]) or t("not known yet")
    return f"{write(one['estimate'])} ({span(one, write)})"


def segments_section(told_of: Mapping[str, Any] | None, currency: str) -> Html | None:
    """For whom an activity works: what was found first, then the largest; None where there was nothing to look at."""
    rows = [one for one in (told_of or {}).get("rows") or [] if one["per_person"]["estimate"] is not None]
    if told_of is None or not rows:
        return None
    ordered = sorted(rows, key=lambda one: (not one["found"], one["per_person"]["p_value"] or 1.0))[:SHOWN]
    of = charts.domain([value for one in ordered for value in ends(one["per_person"])])
    words = t(
        "{n} segments were looked at, by what was known at the decision. Bands and p-values are corrected for that many looks (Holm), so "
        "that even one false line among all is a matter of 1 in 20.",
        n=count(told_of["looks"]),
    )
    found = sum(bool(one["found"]) for one in rows)
    say = (
        t("In {n} of them the effect is beyond chance.", n=count(found))
        if found
        else t("In none of them is the effect beyond chance: treat the order below as an idea, not as a finding.")
    )
    return tag(
        "section",
        tag("h2", t("For whom it works")),
        tag("p", words, " ", say, class_="lead"),
        tag("div", [_segment(one, of, currency) for one in ordered], class_="card forest segments"),
        id="segments",
    )


def _segment(one: Mapping[str, Any], of: charts.Domain, currency: str) -> Html:
    each = one["per_person"]
    tone, _ = verdict(each)
    write = partial(money, currency=currency, signed=True)
    level = t(TRAITS[one["level"]]) if one["trait"] == "lifecycle" and one["level"] in TRAITS else one["level"]
    trait = t(TRAITS[one["trait"]]) if one["trait"] in TRAITS else label(one["trait"])
    people = (one["people"]["treatment"] or 0) + (one["people"]["holdout"] or 0)
    about = t("{activity}, {n} people", activity=label(one["activity"]), n=count(people))
    said = f"{trait} {level}, {about}: {write(each['estimate'])}, {span(each, write)}"
    return tag(
        "div",
        tag("div", tag("bdi", f"{trait}: {level}", class_="name"), tag("div", about, class_="small")),
        charts.interval(each["low"], each["estimate"], each["high"], of, label=said, tone=tone),
        tag(
            "div",
            tag("b", write(each["estimate"])),
            tag("span", span(each, write), class_="small"),
            tag("div", t("p, corrected: {p}", p=probability(each["p_value"])), class_="small"),
            class_="figure",
        ),
        class_="row",
    )
