"""One activity's figures come in; its card goes out, as HTML: how it converts, whom it reached, how the estimate went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from nudge.measure import charts, drawings
from nudge.measure.markup import Child, Html, tag
from nudge.measure.words import (
    channel,
    count,
    daily,
    day,
    label,
    money,
    probability,
    ratio,
    share,
    span,
    t,
    told,
    verdict,
)

REASONS = {
    "not_chosen": "another activity was chosen",
    "holdout": "held out, to compare with",
    "global_holdout": "never contacted (global holdout)",
    "no_consent": "no consent",
    "no_address": "no address",
    "suppressed": "unsubscribed, bounced or complained",
    "audience": "not in the audience",
    "cap_day": "contacted enough that day",
    "cap_week": "contacted enough that week",
    "budget": "budget spent",
    "ended": "the activity has ended",
    "not_started": "the activity has not started",
    "waiting": "on its way",
    "stale": "too late to be sent",
    "failed": "failed",
    "unknown": "nobody knows whether it was sent",
}


def reason(name: str | None) -> str:
    """A reason code in words; an unknown one as it is."""
    return t(REASONS[name]) if name in REASONS else label(name or "unknown")


def card(activity: Mapping[str, Any], currency: str) -> Html:
    """Everything about one activity."""
    gain = daily(activity["incremental_value"], activity.get("reading"))
    tone, said = verdict(gain)
    return tag(
        "article",
        tag(
            "div",
            tag(
                "h3", tag("bdi", label(activity["activity"])), tag("span", channel(activity["channel"]), class_="chip")
            ),
            tag("span", said, class_=f"tone {tone}"),
            class_="top",
        ),
        tag("p", told(gain["note"]), class_="small") if gain["note"] else None,
        tag("div", _conversions(activity), reached(activity), _facts(activity, currency), class_="three"),
        tag("div", course(activity, currency), by_day(activity), class_="pair inner"),
        _messages(activity["messages"], activity["channel"]),
        class_="card activity",
    )


def _conversions(activity: Mapping[str, Any]) -> Html:
    groups = activity["conversions"]
    of = max([*(groups[name]["rate_high"] or 0 for name in groups)], default=1) or 1
    rows = []
    for name, title, tone in (("treatment", "Treated", "us"), ("holdout", "Held out", "held")):
        one = groups[name]
        words = (
            t("{share} of {n} people", share=share(one["rate"]), n=count(one["people"]))
            if one["people"]
            else t("nobody yet")
        )
        said = f"{t(title)}: {words}"
        drawn = charts.bar(one["rate"] or 0, of, label=said, tone=tone, low=one["rate_low"], high=one["rate_high"])
        rows.append(tag("div", tag("span", t(title)), tag("span", words), drawn, class_="line"))
    waiting = activity["people"]["not_matured"]
    later = (
        tag("p", t("{n} people more are still inside their window.", n=count(waiting)), class_="small")
        if waiting
        else None
    )
    mixed = activity["people"].get("after_another", 0)
    words = t(
        "{n} people more had another activity of the campaign first, and are compared by that one.", n=count(mixed)
    )
    before = tag("p", words, class_="small") if mixed else None
    return tag("div", tag("h4", t("Conversion")), rows, later, before)


def reached(one: Mapping[str, Any]) -> Html:
    """From everybody considered to everybody reached, and where the others ended."""
    steps = one.get("reach") or {}
    named = [
        ("Considered", steps.get("considered")),
        ("Possible", steps.get("possible")),
        ("Chosen", steps.get("chosen")),
        ("Reached", steps.get("reached")),
    ]
    most = max((size or 0 for _, size in named), default=0) or 1
    rows = [
        tag(
            "div",
            tag("span", t(name)),
            tag("span", count(size)),
            charts.bar(size or 0, most, label=f"{t(name)}: {count(size)}", tone="us"),
            class_="line",
        )
        for name, size in named
        if size is not None
    ]
    why = [f"{reason(each['reason'])} ({count(each['people'])})" for each in steps.get("reasons") or []]
    others = tag("p", t("Not reached: {why}.", why=", ".join(why)), class_="small") if why else None
    return tag("div", tag("h4", t("People reached, and why not the others")), rows, others)


def course(activity: Mapping[str, Any], currency: str) -> Html | None:
    """How the estimate went from day to day, with the band that may be read on each."""
    points = [one for one in activity.get("course") or [] if one["low"] is not None and one["high"] is not None]
    if len(points) < 3:
        return None
    write = partial(money, currency=currency, signed=True)
    steps = len(points) - 1
    drawn = [drawings.Point(n / steps, one["estimate"], one["low"], one["high"]) for n, one in enumerate(points)]
    later = [end for point in drawn[steps // 3 :] for end in (point.low or 0.0, point.high or 0.0)]
    last = points[-1]
    label_ = t("Value per person by day, now {value} ({span})", value=write(last["estimate"]), span=span(last, write))
    picture = drawings.lines(
        [("us", drawn)],
        drawings.spread(later),
        label=label_,
        write=write,
        ends=(day(points[0]["day"]), day(last["day"])),
    )
    words = t(
        "Incremental value per person. The band holds the truth on all days together, so it may be read on any of them."
    )
    return tag("div", tag("h4", t("Day by day")), picture, tag("p", words, class_="small"))


def by_day(activity: Mapping[str, Any]) -> Html | None:
    """People a day; days whose windows are open are pale."""
    days = [one for one in activity.get("days") or [] if one["treated"] is not None]
    if len(days) < 3:
        return None
    values = [(float(one["treated"]), "pale" if one["maturing"] else "us") for one in days]
    open_ones = sum(bool(one["maturing"]) for one in days)
    words = (
        t("{n} of {all} days are still maturing: drawn pale, not yet in the figures.", n=open_ones, all=len(days))
        if open_ones
        else t("All {all} days have matured.", all=len(days))
    )
    picture = drawings.columns(
        values,
        label=f"{t('People treated by day')}. {words}",
        ends=(day(days[0]["day"]), day(days[-1]["day"])),
        write=count,
    )
    return tag("div", tag("h4", t("People treated by day")), picture, tag("p", words, class_="small"))


def _messages(counts: Mapping[str, Any], sent_by: str) -> Html:
    inline = sent_by == "inline"
    names = [
        ("sent", "shown" if inline else "sent"),
        *((name, name) for name in ("delivered", "opened", "clicked") if not inline),
        ("machine_opened", "opened by machines (not counted)"),
        ("machine_clicked", "clicked by machines (not counted)"),
        ("skipped", "skipped"),
        ("failed", "failed"),
        ("unknown", "with an unknown end"),
        ("not_final", "not final yet"),
        ("bounced", "bounced"),
        ("complained", "complained"),
        ("unsubscribed", "unsubscribed"),
    ]
    said = [f"{count(counts[name])} {t(words)}" for name, words in names if counts.get(name)]
    why = [f"{reason(one['reason'])} ({count(one['count'])})" for one in counts["reasons"]]
    return tag(
        "p",
        tag("b", t("Messages")),
        ": ",
        ", ".join(said) or t("none yet"),
        ". ",
        t("Why: {why}.", why=", ".join(why)) if why else None,
        class_="small",
    )


def _facts(activity: Mapping[str, Any], currency: str) -> Html:
    read = activity.get("reading")
    reach, split = activity["smallest_detectable_effect"], activity["sample_ratio"]
    narrower = activity["incremental_value"]["variance_reduced"]
    signed = partial(money, currency=currency, signed=True)
    facts: list[tuple[str, Child]] = [
        (t("Revenue of the treated"), money(activity["conversions"]["treatment"]["value"], currency)),
        (
            t("Conversions gained"),
            _with_span(daily(activity["incremental_conversions"], read), partial(count, signed=True)),
        ),
        (t("Return on cost"), _with_span(daily(activity["roi"], read), ratio)),
        (t("Cost in these windows"), money(activity["cost"], currency)),
        (t("Detectable from"), money(reach["value"], currency) if reach["value"] is not None else told(reach["note"])),
        (t("p-value, read once"), probability(activity["incremental_value"]["p_value"])),
    ]
    if narrower["estimate"] is not None and narrower.get("removed"):
        title = t("With their past taken out (CUPED, {share} less noise)", share=share(narrower["removed"]))
        facts.append((title, _with_span(daily(narrower, read), signed)))
    planned = t("{share} planned", share=share(split["planned_holdout"]))
    facts.append((t("Held out"), f"{share(split['observed_holdout'])} ({planned})"))
    return tag(
        "div",
        tag("h4", t("Figures")),
        tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts]),
    )


def _with_span(one: Mapping[str, Any], write: Any) -> Html:
    if one["estimate"] is None:
        return tag("span", told(one["note"]) or t("not known yet"), class_="small")
    return tag("span", write(one["estimate"]), tag("br"), tag("span", span(one, write), class_="small"))


def pieces(rows: Sequence[tuple[str, str]]) -> Html:
    """Names and figures side by side."""
    return tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in rows])
