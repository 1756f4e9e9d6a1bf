"""One goal's figures come in; its forest of intervals and a card an activity go out, as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from nudge.measure import charts
from nudge.measure.markup import Child, Html, tag
from nudge.measure.words import count, label, money, probability, ratio, share, span, verdict, whole


def goal_section(goal: Mapping[str, Any], currency: str) -> Html:
    """A goal: what it is, its activities side by side, then each on its own card."""
    worth = "what each event says" if goal["worth"] == "from_event" else money(goal["worth"], currency)
    return tag(
        "section",
        tag("h2", label(goal["goal"])),
        tag(
            "p",
            f"A {goal['event']} within {goal['within_days']:g} days of the decision; worth: {worth}.",
            class_="lead",
        ),
        forest(goal, currency)
        if goal["activities"]
        else tag("p", "No activity of the plan serves this goal.", class_="calm"),
        [card(activity, currency) for activity in goal["activities"]],
    )


def forest(goal: Mapping[str, Any], currency: str) -> Html:
    """Incremental value of each activity on one scale."""
    values = [
        value for activity in goal["activities"] for value in (*ends(activity["incremental_value"]), truth_of(activity))
    ]
    of = charts.domain(values)
    write = partial(money, currency=currency)
    rows = [_forest_row(activity, of, currency) for activity in goal["activities"]]
    scale = tag(
        "div", tag("span", class_="name"), charts.axis(of, write), tag("span", class_="figure"), class_="row scale"
    )
    legend = "Incremental value: the dot is the estimate, the band its 95 % interval, the dashed line no effect."
    if any(truth_of(activity) is not None for activity in goal["activities"]):
        legend += " The diamond is the true effect, which only a simulation knows."
    return tag("div", rows, scale, tag("p", legend, class_="small"), class_="card forest")


def _forest_row(activity: Mapping[str, Any], of: charts.Domain, currency: str) -> Html:
    gain, true = activity["incremental_value"], truth_of(activity)
    tone, _ = verdict(gain)
    write = partial(money, currency=currency, signed=True)
    name = label(activity["activity"])
    said = f"{name}: incremental value {write(gain['estimate'])}, 95 % interval {span(gain, write)}"
    if true is not None:
        said += f", true {write(true)}"
    return tag(
        "div",
        tag("bdi", name, class_="name"),
        charts.interval(gain["low"], gain["estimate"], gain["high"], of, label=said, tone=tone, truth=true),
        tag(
            "div",
            tag("b", write(gain["estimate"])),
            tag("span", span(gain, write), class_="small"),
            tag("div", f"true {whole(write(true))}", class_="small truth-word") if true is not None else None,
            class_="figure",
        ),
        class_="row",
    )


def card(activity: Mapping[str, Any], currency: str) -> Html:
    """Everything about one activity."""
    gain = activity["incremental_value"]
    tone, said = verdict(gain)
    return tag(
        "article",
        tag(
            "div",
            tag("h3", tag("bdi", label(activity["activity"])), tag("span", activity["channel"], class_="chip")),
            tag("span", said, class_=f"tone {tone}"),
            class_="top",
        ),
        tag("p", gain["note"], class_="small") if gain["note"] else None,
        tag("div", _conversions(activity), _messages(activity), _facts(activity, currency), class_="three"),
        class_="card activity",
    )


def _conversions(activity: Mapping[str, Any]) -> Html:
    groups = activity["conversions"]
    of = max([*(groups[name]["rate_high"] or 0 for name in groups)], default=1) or 1
    rows = []
    for name, title, tone in (("treatment", "Treated", "us"), ("holdout", "Held out", "held")):
        one = groups[name]
        words = f"{share(one['rate'])} of {count(one['people'])} people" if one["people"] else "nobody yet"
        said = f"{title}: {words} converted"
        drawn = charts.bar(one["rate"] or 0, of, label=said, tone=tone, low=one["rate_low"], high=one["rate_high"])
        rows.append(tag("div", tag("span", title), tag("span", words), drawn, class_="line"))
    waiting = activity["people"]["not_matured"]
    later = (
        tag("p", f"{count(waiting)} people more are still inside their window.", class_="small") if waiting else None
    )
    return tag("div", tag("h4", "Conversion"), rows, later)


def _messages(activity: Mapping[str, Any]) -> Html:
    counts = activity["messages"]
    inline = activity["channel"] == "inline"
    decided = activity["decisions"]["treatment"]
    steps = [("Decided", decided), ("Shown" if inline else "Sent", counts["sent"])]
    if not inline:
        steps += [(label(name), counts[name]) for name in ("delivered", "opened", "clicked")]
    rows = [
        tag(
            "div",
            tag("span", name),
            tag("span", count(value)),
            charts.bar(value or 0, decided or 1, label=f"{name}: {count(value)}", tone="us"),
            class_="line",
        )
        for name, value in steps
    ]
    left = [
        f"{count(counts[name])} {words}"
        for name, words in (
            ("skipped", "skipped"),
            ("failed", "failed"),
            ("unknown", "with an unknown end"),
            ("not_final", "not final yet"),
            ("bounced", "bounced"),
            ("complained", "complained"),
            ("unsubscribed", "unsubscribed"),
        )
        if counts[name]
    ]
    why = [f"{one['reason']} ({count(one['count'])})" for one in counts["reasons"]]
    return tag(
        "div",
        tag("h4", "Messages"),
        rows,
        tag("p", ", ".join(left) + ".", class_="small") if left else None,
        tag("p", "Why: " + ", ".join(why) + ".", class_="small") if why else None,
    )


def _facts(activity: Mapping[str, Any], currency: str) -> Html:
    more, back = activity["incremental_conversions"], activity["roi"]
    reach, split = activity["smallest_detectable_effect"], activity["sample_ratio"]
    narrower = activity["incremental_value"]["variance_reduced"]
    signed = partial(money, currency=currency, signed=True)
    facts: list[tuple[str, Child]] = [
        ("Conversions gained", _with_span(more, partial(count, signed=True))),
        ("Return on cost", _with_span(back, ratio)),
        ("Cost in these windows", money(activity["cost"], currency)),
        ("Detectable from", money(reach["value"], currency) if reach["value"] is not None else reach["note"]),
        ("p-value", probability(activity["incremental_value"]["p_value"])),
    ]
    if narrower["estimate"] is not None:
        facts.append(("Variance-reduced (CUPED)", _with_span(narrower, signed)))
    facts.append(("Held out", f"{share(split['observed_holdout'])} ({share(split['planned_holdout'])} planned)"))
    return tag(
        "div", tag("h4", "Figures"), tag("dl", [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts])
    )


def _with_span(one: Mapping[str, Any], write: Any) -> Html:
    if one["estimate"] is None:
        return tag("span", one["note"] or "not known yet", class_="small")
    return tag("span", write(one["estimate"]), tag("br"), tag("span", span(one, write), class_="small"))


def ends(one: Mapping[str, Any]) -> tuple[float | None, float | None, float | None]:
    return one["estimate"], one["low"], one["high"]


def truth_of(activity: Mapping[str, Any]) -> float | None:
    """The true incremental value, on a simulation."""
    true: float | None = (activity.get("truth") or {}).get("incremental_value")
    return true
