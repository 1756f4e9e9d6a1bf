"""What stands under `models/` of each model comes in; a card that says what it is, how good, for whom, and how sure goes out.

Every kind has the generic part (data, figures, gates, inputs, limits, versions); what only some have is shown where it is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from nudge.measure import charts
from nudge.measure.markup import Child, Html, tag
from nudge.measure.tables import table
from nudge.measure.words import count, day, figure, label, metric, share, t

SIGNATURES = {
    "verified": ("gain", "Signature verified"),
    "not ours": ("loss", "Signature does not hold: not used for decisions"),
    "not checked": ("open", "Signature not checked"),
}
SEGMENT = {"segment", "rows", "said", "was", "auc"}
MOST_INPUTS, MOST_IMPORTANT, MOST_FIGURES = 64, 10, 12


def model_cards(models: Sequence[Mapping[str, Any]]) -> Html | None:
    """A card for each model in force, folded; None when there is none."""
    cards = [_card(one) for one in models if one.get("card")]
    return tag("section", tag("h2", t("Model cards")), cards) if cards else None


def _card(one: Mapping[str, Any]) -> Html:
    card = one["card"]
    tone, said = SIGNATURES.get(one.get("signature") or "", SIGNATURES["not checked"])
    return tag(
        "article",
        tag(
            "div",
            tag("h3", tag("bdi", label(one["goal"])), tag("span", one["kind"] or "", class_="chip")),
            tag("span", t(said), class_=f"tone {tone}"),
            class_="top",
        ),
        tag("p", t("Version {version}.", version=one["version"]), " ", _window(card), class_="small"),
        _moved(one.get("drift") or {}),
        tag("div", _figures(one), _calibration(card), _important(card), class_="three"),
        _gates(one.get("gates") or []),
        _segments([one for one in card.get("segments") or [] if isinstance(one, Mapping) and set(one) >= SEGMENT]),
        _inputs(card),
        _limits(card),
        class_="card activity",
    )


def _window(card: Mapping[str, Any]) -> str:
    data = card.get("data") or {}
    words = []
    if "first_event" in data and "end" in data:
        words.append(t("Learned from {first} to {last}", first=_day(data["first_event"]), last=_day(data["end"])))
    rows = data.get("rows")
    if isinstance(rows, Mapping):
        words.append(
            ", ".join(f"{count(number)} {kind}" for kind, number in rows.items() if isinstance(number, int | float))
        )
    if "snapshot" in data:
        words.append(f"snapshot {data['snapshot']}")
    used = [f"{count(part['used'])} of {count(part['rows'])} rows to {name}" for name, part in _capped(card)]
    return "; ".join([*words, *used]) + "." if words else ""


def _capped(card: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    slices = card.get("slices") or {}
    return [
        (name, part)
        for name, part in slices.items()
        if isinstance(part, Mapping) and part.get("used", part.get("rows", 0)) < part.get("rows", 0)
    ]


def _day(micros: Any) -> str:
    return day(datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat()) if isinstance(micros, int | float) else "–"


def _moved(drift: Mapping[str, Any]) -> Html | None:
    if not drift:
        return None
    far = max((drift.get("over") or {}).values(), default=0.0)
    names = ", ".join(f"{name} ({value:.2g})" for name, value in (drift.get("moved") or {}).items())
    figures = f"stability of the score {drift.get('score', 0):.2g}, of the inputs {drift.get('inputs', 0):.2g}"
    told = drift.get("calibration")
    if told:
        figures += f"; of {count(told['rows'])} later outcomes {count(told['came'])} came, {told['expected']:.4g} were expected"
    if far > 1:
        words = f"{figures}. What moved most: {names}. It is trained again."
        return tag("div", tag("strong", t("Drifted.")), " ", words, class_="notice", role="note")
    return tag("p", t("No drift beyond the plan's threshold: {figures}.", figures=figures), class_="small")


def _figures(one: Mapping[str, Any]) -> Html:
    facts = [
        tag("div", tag("dt", metric(name)), tag("dd", figure(held)))
        for name, held in list(one["metrics"].items())[:MOST_FIGURES]
    ]
    return tag("div", tag("h4", t("On the last slice of time")), tag("dl", facts) if facts else tag("p", "–"))


def _calibration(card: Mapping[str, Any]) -> Html | None:
    points = [
        (point["said"], point["was"], point["rows"])
        for point in card.get("reliability") or []
        if isinstance(point, Mapping) and {"said", "was", "rows"} <= set(point)
    ]
    if not points:
        return None
    said = "; ".join(t("{said} said, {was} came", said=share(said), was=share(was)) for said, was, _ in points)
    drawn = charts.calibration(points, label=t("Calibration: {said}", said=said))
    words = t("Each dot is a tenth of the people; on the line, what was said came true.")
    return tag("div", tag("h4", t("Calibration: said (across) and came (up)")), drawn, tag("p", words, class_="small"))


def _important(card: Mapping[str, Any]) -> Html | None:
    held = [
        one
        for one in card.get("importances") or []
        if isinstance(one, Mapping) and one.get("name") and one.get("share")
    ]
    if not held:
        return None
    most = max(one["share"] for one in held)
    rows = [
        tag(
            "div",
            tag("span", one["name"]),
            tag("span", share(one["share"])),
            charts.bar(one["share"], most, label=f"{one['name']}: {share(one['share'])}", tone="us"),
            class_="line",
        )
        for one in held[:MOST_IMPORTANT]
    ]
    return tag("div", tag("h4", t("What moves the score")), rows)


def _gates(gates: Sequence[Mapping[str, Any]]) -> Html | None:
    if not gates:
        return None
    rows: list[list[Child]] = [
        [label(one["name"]), t("passed") if one["passed"] else t("failed"), one["said"]] for one in gates
    ]
    shown = table(
        t("Every gate of promotion, and what it found."), [(t("Gate"), False), ("", False), (t("Found"), False)], rows
    )
    return tag(
        "details",
        tag(
            "summary", t("Gates: {passed} of {all} passed", passed=sum(one["passed"] for one in gates), all=len(gates))
        ),
        shown,
    )


def _segments(segments: Sequence[Mapping[str, Any]]) -> Html | None:
    if not segments:
        return None
    rows: list[list[Child]] = [
        [
            one["segment"],
            count(one["rows"]),
            share(one["said"]),
            f"{share(one['was'][0])} ({t('{low} to {high}', low=share(one['was'][1]), high=share(one['was'][2]))})",
            f"{one['auc'][0]:.3f} ({one['auc'][1]:.3f} to {one['auc'][2]:.3f})",
        ]
        for one in segments
    ]
    head = [(t("Segment"), False), (t("Rows"), True), (t("Said"), True), (t("Came"), True), ("AUC", True)]
    shown = table(t("The last slice of time by segment; small segments are left out. Intervals: 95 %."), head, rows)
    return tag("details", tag("summary", t("{n} segments", n=len(segments))), shown)


def _inputs(card: Mapping[str, Any]) -> Html | None:
    read = card.get("features") or card.get("reads") or []
    words = {
        **(card.get("reads") or {}),
        **(read if isinstance(read, Mapping) else {}),
        **(card.get("definitions") or {}),
    }
    named = [str(one.get("name", one)) if isinstance(one, Mapping) else str(one) for one in read]
    names = [*named, *(name for name in words if name not in named)]
    if not names:
        return None
    rows: list[list[Child]] = [[name, str(words.get(name, "–"))] for name in names[:MOST_INPUTS]]
    shown = table(t("What it reads, and what that means."), [(t("Input"), False), (t("Meaning"), False)], rows)
    return tag("details", tag("summary", t("{n} inputs", n=count(len(names)))), shown)


def _limits(card: Mapping[str, Any]) -> Html | None:
    limits = [str(one) for one in card.get("limits") or []]
    versions = ", ".join(f"{name} {number}" for name, number in (card.get("libraries") or {}).items())
    if not limits and not versions:
        return None
    parts = [tag("p", line) for line in limits]
    return tag("details", tag("summary", t("Limits and versions")), parts, tag("p", versions, class_="small"))
