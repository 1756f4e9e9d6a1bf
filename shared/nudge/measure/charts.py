"""Numbers come in; small SVG drawings with a text alternative go out. They stretch with the page: positions are per cent.

No library, no script, no image: the page must open from a mail attachment ten years from now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import floor, log10

from nudge.measure.markup import Html, tag

type Domain = tuple[float, float]

EDGE = 9.0
"""No written tick nearer to an edge than this (per cent): it would be cut off on a phone."""


def domain(values: Sequence[float | None]) -> Domain:
    """A range that holds all values and zero, with some air on both sides."""
    known = [0.0, *(value for value in values if value is not None)]
    low, high = min(known), max(known)
    air = (high - low) * 0.06 or 1.0
    return low - air, high + air


def place(value: float, of: Domain) -> float:
    """Where a value stands, in per cent of the width (0 to 100)."""
    low, high = of
    return round(min(max((value - low) / (high - low), 0.0), 1.0) * 100, 3)


def ticks(of: Domain, most: int = 4) -> list[float]:
    """Round numbers inside the range: steps of 1, 2 or 5 × a power of ten, zero among them.

    >>> ticks((-12.0, 103.0))
    [0, 50, 100]
    """
    low, high = of
    rough = (high - low) / most
    power = 10 ** floor(log10(rough))
    step = next(power * size for size in (1, 2, 5, 10, 20) if power * size >= rough)
    first = -floor(-low / step)
    return [round(step * n, 10) + 0 for n in range(first, floor(high / step) + 1)]


def interval(
    low: float | None,
    middle: float | None,
    high: float | None,
    of: Domain,
    *,
    label: str,
    tone: str,
    truth: float | None = None,
    inner: tuple[float | None, float | None] = (None, None),
) -> Html:
    """An estimate as a dot on its interval, a narrower one inside it; the true value, where it is known, as a diamond."""
    parts = [_line(place(0, of), place(0, of), 0, 40, "zero")]
    if low is not None and high is not None:
        left, right = place(low, of), place(high, of)
        parts.append(_bar(left, right - left, 15, 10, f"band {tone}"))
        parts += [_line(end, end, 12, 28, f"end {tone}") for end in (left, right)]
    if inner[0] is not None and inner[1] is not None:
        left, right = place(inner[0], of), place(inner[1], of)
        parts.append(_bar(left, right - left, 18, 4, f"inner {tone}"))
    if truth is not None:
        point = tag("polygon", points="0,-8 7,0 0,8 -7,0", class_="truth")
        parts.append(tag("svg", point, x=f"{place(truth, of)}%", y="20", overflow="visible"))
    if middle is not None:
        parts.append(tag("circle", cx=f"{place(middle, of)}%", cy=20, r=6, class_=f"dot {tone}"))
    return _svg(parts, 40, label, "interval")


def axis(of: Domain, write: Callable[[float], str]) -> Html:
    """Round numbers under a row of intervals. Decoration: the numbers stand in the text beside each interval."""
    marks = [mark for mark in ticks(of) if mark == 0 or EDGE <= place(mark, of) <= 100 - EDGE]
    texts = [
        tag("text", write(mark), x=f"{place(mark, of)}%", y=14, text_anchor="middle", class_="tick") for mark in marks
    ]
    return tag("svg", texts, width="100%", height=20, aria_hidden="true", focusable="false", class_="axis")


def bar(value: float, of: float, *, label: str, tone: str, low: float | None = None, high: float | None = None) -> Html:
    """One horizontal bar of `value` on a scale from 0 to `of`, with a whisker from low to high."""
    top = of or 1.0
    parts = [_bar(0, 100, 4, 12, "track"), _bar(0, place(value, (0, top)), 4, 12, f"fill {tone}")]
    if low is not None and high is not None:
        left, right = place(low, (0, top)), place(high, (0, top))
        parts.append(_line(left, right, 10, 10, "whisker"))
        parts += [_line(end, end, 6, 14, "whisker") for end in (left, right)]
    return _svg(parts, 20, label, "bar")


def calibration(points: Sequence[tuple[float, float, int]], *, label: str, height: int = 180) -> Html:
    """What was said (across) and what came of it (up), on one scale from 0; the dashed line is where both are the same."""
    top = max((max(said, was) for said, was, _ in points), default=1.0) * 1.06 or 1.0
    of = (0.0, top)
    parts = [tag("line", x1="0%", y1="100%", x2="100%", y2="0%", class_="zero")]
    for said, was, _ in points:
        parts.append(
            tag("circle", cx=f"{place(said, of)}%", cy=f"{round(100 - place(was, of), 3)}%", r=5, class_="dot gain")
        )
    corner = tag("text", f"{top:.2g}", x="100%", y=12, text_anchor="end", class_="tick")
    return _svg([*parts, corner], height, label, "calibration")


def stack(pieces: Sequence[tuple[str, float, str]], *, label: str) -> Html:
    """Shares of one whole beside each other: (name, value, tone)."""
    whole = sum(value for _, value, _ in pieces) or 1.0
    parts, at = [_bar(0, 100, 2, 12, "track")], 0.0
    for _, value, tone in pieces:
        width = round(value / whole * 100, 3)
        parts.append(_bar(round(at, 3), width, 2, 12, f"fill {tone}"))
        at += width
    return _svg(parts, 16, label, "stack")


def _svg(parts: Sequence[Html], height: int, label: str, kind: str) -> Html:
    return tag("svg", parts, width="100%", height=height, role="img", aria_label=label, class_=f"chart {kind}")


def _bar(left: float, width: float, top: int, height: int, name: str) -> Html:
    return tag("rect", x=f"{left}%", y=top, width=f"{max(round(width, 3), 0)}%", height=height, rx=2, class_=name)


def _line(x1: float, x2: float, y1: int, y2: int, name: str) -> Html:
    return tag("line", x1=f"{x1}%", x2=f"{x2}%", y1=y1, y2=y2, class_=name)
