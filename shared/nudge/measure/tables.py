"""What arrived, which models stand and the last-touch count come in; the report's tables go out, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from nudge.measure.markup import Child, Html, tag
from nudge.measure.words import count, figure, label, metric, money, share, t


def table(caption: str, head: Sequence[tuple[str, bool]], rows: Sequence[Sequence[Child]]) -> Html:
    """A table whose first column names its row; (title, is a number) a column. On a phone each row becomes a block."""
    titles = tag("tr", [tag("th", title, scope="col", class_="num" if number else None) for title, number in head])
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row"),
            [
                tag("td", tag("div", cell), class_="num" if number else None, data_head=title)
                for cell, (title, number) in zip(row[1:], head[1:], strict=True)
            ],
        )
        for row in rows
    ]
    return tag("table", tag("caption", caption), tag("thead", titles), tag("tbody", body), class_="stacked")


def data_section(data: Mapping[str, Any]) -> Html:
    rows = [
        [
            label(one["kind"]),
            count(one["read"]),
            count(one["accepted"]),
            count(one["rejected"]),
            count(one["duplicate"]),
            ", ".join(f"{why['reason']} ({count(why['count'])})" for why in one["reasons"]) or "–",
        ]
        for one in data["rows"]
        if one["read"]
    ]
    head = [
        (t("Kind"), False),
        (t("Read"), True),
        (t("Accepted"), True),
        (t("Rejected"), True),
        (t("Duplicate"), True),
        (t("Why rejected"), False),
    ]
    states = ", ".join(f"{count(number)} {t(state)}" for state, number in data["objects"].items())
    caption = t("Rows of every file and request. Files and requests: {states}.", states=states or t("none"))
    shown = table(caption, head, rows)
    gone = data.get("erased") or {}
    held = {name: count(gone.get(name) or 0) for name in ("people", "decisions")}
    erased = t("People erased: {people}. Decisions that are no longer counted: {decisions}.", **held)
    return tag(
        "section",
        tag("h2", t("Data")),
        tag("p", t("{share} of the rows went to quarantine.", share=share(data["quarantine_share"])), class_="lead"),
        tag("div", shown if rows else tag("p", t("Nothing has arrived yet.")), class_="card"),
        [tag("p", erased)] if gone.get("people") else [],
        id="data",
    )


def models_section(models: Sequence[Mapping[str, Any]]) -> Html:
    rows = [
        [
            label(one["goal"]),
            one["kind"] or t("rules of the plan"),
            one["version"] or "–",
            [tag("div", f"{metric(name)} {figure(held)}") for name, held in one["metrics"].items()] or "–",
            [
                tag("div", one["reason"] or "–"),
                tag(
                    "div",
                    f"{t('Challenger')} {one['challenger']['version']}: {one['challenger']['reason']}",
                    class_="small",
                )
                if one["challenger"]
                else None,
            ],
        ]
        for one in models
    ]
    head = [
        (t("Goal"), False),
        (t("Model"), False),
        (t("Version"), False),
        (t("On the last time slice"), False),
        (t("Verdict"), False),
    ]
    shown = table(
        t("The model in force for each goal, its figures with their intervals, and why it was chosen."), head, rows
    )
    none = tag("p", t("None yet: decisions follow the plan's rules."))
    return tag("section", tag("h2", t("Models")), tag("div", shown if rows else none, class_="card"))


def attribution_section(report: Mapping[str, Any]) -> Html:
    write = partial(money, currency=report["currency"])
    rows = [
        [
            f"{label(activity['activity'])} ({label(goal['goal'])})",
            count(activity["attribution"]["conversions"]),
            write(activity["attribution"]["value"]),
            write(activity["incremental_value"]["estimate"]),
        ]
        for goal in report["goals"]
        for activity in goal["activities"]
    ]
    head = [
        (t("Activity"), False),
        (t("Conversions credited"), True),
        (t("Value credited"), True),
        (t("Incremental value"), True),
    ]
    words = t(
        "Every conversion credited to the last message before it. It pays for what would have come anyway; the last column does not."
    )
    return tag(
        "section",
        tag("h2", t("Last-touch attribution, for comparison")),
        tag("p", words, class_="lead"),
        tag("div", table(t("Last touch beside lift."), head, rows), class_="card"),
    )
