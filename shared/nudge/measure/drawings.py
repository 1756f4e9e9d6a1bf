"""Series and tables come in; drawings with a text alternative go out: lines with a band, columns, grids of shades.

Like `charts`: positions are per cent, so a drawing stretches with the page. Lines lie in an inner picture of 100 × 100 that is
stretched; text lies outside it, and is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from nudge.measure.charts import Domain, place, ticks
from nudge.measure.markup import Child, Html, tag

SHADES = 6
HEIGHT = 170


class Point(NamedTuple):
    """A value at a place from 0 to 1, with what it may lie between."""

    at: float
    value: float
    low: float | None = None
    high: float | None = None


def spread(values: Sequence[float], *, zero: bool = True) -> Domain:
    """A range that holds all values with some air; with zero as its floor where nothing lies below."""
    low, high = min([*values, *([0.0] if zero else [])]), max([*values, *([0.0] if zero else [])])
    air = (high - low) * 0.08 or 1.0
    return (low if zero and low == 0 else low - air), high + air


def lines(
    series: Sequence[tuple[str, Sequence[Point]]],
    of: Domain,
    *,
    label: str,
    write: Callable[[float], str],
    ends: tuple[str, str],
    marks: Sequence[tuple[float, float]] = (),
) -> Html:
    """One or more lines (tone, points) with their bands; `ends` are the words under both ends; `marks` are dots (at, value)."""
    inner: list[Html] = []
    for tone, points in series:
        band = [point for point in points if point.low is not None and point.high is not None]
        if len(band) > 1:
            edge = [(point.at, point.high) for point in band] + [(point.at, point.low) for point in reversed(band)]
            inner.append(tag("polygon", points=_path(edge, of), class_=f"area {tone}"))
        inner.append(
            tag("polyline", points=_path([(point.at, point.value) for point in points], of), class_=f"line-{tone}")
        )
    drawn = tag(
        "svg", inner, viewBox="0 0 100 100", preserveAspectRatio="none", width="100%", height=HEIGHT, aria_hidden="true"
    )
    dots = [
        tag("circle", cx=f"{round(at * 100, 2)}%", cy=_up(value, of), r=5, class_="dot warn") for at, value in marks
    ]
    return _figure([*_rules(of), drawn, *dots, *_words(of, write)], label, ends)


def columns(
    values: Sequence[tuple[float, str]], *, label: str, ends: tuple[str, str], write: Callable[[float], str]
) -> Html:
    """Columns side by side: (height, tone)."""
    of = (0.0, max((value for value, _ in values), default=0.0) * 1.1 or 1.0)
    width = 100 / max(len(values), 1)
    bars = [
        tag(
            "rect",
            x=f"{round(n * width + width * 0.12, 3)}%",
            y=_up(value, of),
            width=f"{round(width * 0.76, 3)}%",
            height=f"{place(value, of)}%",
            class_=f"fill {tone}",
        )
        for n, (value, tone) in enumerate(values)
    ]
    return _figure([*_rules(of), *bars, *_words(of, write)[1:]], label, ends)


def shade(value: float, most: float) -> str:
    """The class of a shade: 0 (nothing) to `SHADES` (the most)."""
    return f"shade-{min(SHADES, max(0, round(value / most * SHADES))) if most > 0 else 0}"


def grid(caption: str, head: Sequence[str], rows: Sequence[tuple[str, Sequence[tuple[Child, str]]]]) -> Html:
    """A table of shaded cells: (row name, [(what it says, shade)])."""
    titles = tag("tr", [tag("th", one, scope="col") for one in head])
    body = [
        tag("tr", tag("th", name, scope="row"), [tag("td", said, class_=tone) for said, tone in cells])
        for name, cells in rows
    ]
    made = tag("table", tag("caption", caption), tag("thead", titles), tag("tbody", body), class_="heat")
    return tag("div", made, class_="wide", tabindex=0, role="region", aria_label=caption)


def _figure(parts: Sequence[Html], label: str, ends: tuple[str, str]) -> Html:
    drawn = tag("svg", parts, width="100%", height=HEIGHT, role="img", aria_label=label, class_="chart plot")
    return tag("div", drawn, tag("div", tag("span", ends[0]), tag("span", ends[1]), class_="ends"), class_="figure-box")


def _marks(of: Domain) -> list[float]:
    return [mark for mark in ticks(of, 3) if 4 <= place(mark, of) <= 92 or mark == 0]


def _rules(of: Domain) -> list[Html]:
    return [
        tag("line", x1="0%", x2="100%", y1=_up(mark, of), y2=_up(mark, of), class_="zero" if mark == 0 else "rule")
        for mark in _marks(of)
    ]


def _words(of: Domain, write: Callable[[float], str]) -> list[Html]:
    """What the rules say, above them; drawn last, so that nothing covers it."""
    return [tag("text", write(mark), x=0, y=_up(mark, of), dy=-4, class_="tick over-line") for mark in _marks(of)]


def _up(value: float, of: Domain) -> str:
    return f"{round(100 - place(value, of), 3)}%"


def _path(points: Sequence[tuple[float, float | None]], of: Domain) -> str:
    return " ".join(f"{round(at * 100, 2)},{round(100 - place(value or 0.0, of), 2)}" for at, value in points)
