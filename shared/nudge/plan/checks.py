"""How a plan is walked: what is wrong is collected as (path, text), so that a marketer sees all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from nudge.vocabulary import Micros

LARGEST = 1e15
"""No number of a plan is larger."""


class Checks:
    """Collects (path, what is wrong) while a plan is walked."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []

    def wrong(self, path: str, what: str) -> None:
        self.problems.append((path, what))

    def mapping(self, value: Any, path: str, allowed: set[str]) -> dict[str, Any]:
        """The mapping, with every name that is not allowed noted; {} when it is none."""
        if not isinstance(value, dict):
            self.wrong(path, "must be a mapping of names to values")
            return {}
        for key in value:
            if key not in allowed:
                where = f"{path}.{key}" if path else str(key)
                self.wrong(where, f"unknown name; known are {', '.join(sorted(allowed))}{meant(str(key), allowed)}")
        return value

    def number(self, value: Any, path: str, low: float, high: float = float("inf")) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= min(high, LARGEST):
            endless = float("inf")
            bound = (
                f"≥ {low:g}" if high == endless else f"≤ {high:g}" if low == -endless else f"from {low:g} to {high:g}"
            )
            self.wrong(path, f"must be a number {bound}")

    def whole(self, value: Any, path: str, low: int, high: int) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.wrong(path, f"must be a whole number from {low} to {high}")

    def text(self, value: Any, path: str) -> None:
        if not isinstance(value, str) or not value.strip():
            self.wrong(path, "must be a text")

    def flag(self, value: Any, path: str) -> None:
        if not isinstance(value, bool):
            self.wrong(path, "must be true or false")

    def moment(self, value: Any, path: str) -> None:
        """A moment that may be absent."""
        if value is not None and micros(value) is None:
            self.wrong(path, "must be an ISO 8601 time with a zone, such as 2026-11-22T09:00:00+01:00")

    def time_of_day(self, value: Any, path: str) -> None:
        if minutes(value) is None:
            self.wrong(path, 'must be a time of day such as "21:00"')

    def one_of(self, value: Any, path: str, allowed: Iterable[str | bool]) -> bool:
        """Whether it is one of the accepted values; noted with the nearest of them when not."""
        several = tuple(allowed)
        if isinstance(value, str | bool) and value in several:
            return True
        said = [_said(one) for one in several]
        hint = meant(value, said) if isinstance(value, str) else ""
        self.wrong(path, f"must be one of {', '.join(said) or '(none given)'}{hint}")
        return False

    def names(self, value: Any, path: str) -> None:
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            self.wrong(path, "must be a list of names")

    def each(self, value: Any, path: str, check: Callable[[Any, str], None]) -> None:
        if not isinstance(value, dict) or not value:
            self.wrong(path, "must name at least one")
            return
        for key, one in value.items():
            check(one, f"{path}.{key}")


def meant(said: str, known: Iterable[str], *, cutoff: float = 0.7) -> str:
    """`; did you mean 'cost'?` where one of the known names is near, else nothing."""
    from difflib import get_close_matches  # only where something is wrong

    lower = {one.lower(): one for one in known}
    near = get_close_matches(said.lower(), lower, n=1, cutoff=cutoff)
    return f"; did you mean '{lower[near[0]]}'?" if near else ""


def _said(one: str | bool) -> str:
    return one if isinstance(one, str) else str(one).lower()


def minutes(text: Any) -> int | None:
    """ "21:00" as minutes of the day; None when it is no time of day."""
    if isinstance(text, int) and not isinstance(
        text, bool
    ):  # plans stored before YAML 1.2 was read hold an unquoted 21:00 as the number 21 * 60
        return text if 0 <= text < 24 * 60 else None
    hour, _, minute = text.partition(":") if isinstance(text, str) else ("", "", "")
    if not (hour + minute).isdecimal() or not (hour + minute).isascii() or not 1 <= len(hour) <= 2 or len(minute) != 2:
        return None
    return int(hour) * 60 + int(minute) if int(hour) < 24 and int(minute) < 60 else None


def micros(value: Any) -> Micros | None:
    """An ISO 8601 time with a zone as µs since the epoch; None when it is none."""
    try:
        moment = datetime.fromisoformat(value)
        return None if moment.tzinfo is None else round(moment.astimezone(UTC).timestamp() * 1_000_000)
    except (TypeError, ValueError, OverflowError):
        return None
