"""How a plan is walked: what is wrong is collected as (path, text), so that a marketer sees all of it at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Checks:
    """Collects (path, what is wrong) while a plan is walked."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []

    def wrong(self, path: str, what: str) -> None:
        self.problems.append((path, what))

    def mapping(self, value: Any, path: str, allowed: set[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.wrong(path, "must be a mapping of names to values")
            return {}
        for key in value:
            if key not in allowed:
                self.wrong(
                    f"{path}.{key}" if path else str(key), f"unknown name; known are {', '.join(sorted(allowed))}"
                )
        return value

    def number(self, value: Any, path: str, low: float, high: float = float("inf")) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            endless = float("inf")
            bound = (
                f"≥ {low:g}" if high == endless else f"≤ {high:g}" if low == -endless else f"from {low:g} to {high:g}"
            )
            self.wrong(path, f"must be a number {bound}")

    def text(self, value: Any, path: str) -> None:
        if not isinstance(value, str) or not value.strip():
            self.wrong(path, "must be a text")

    def time_of_day(self, value: Any, path: str) -> None:
        if minutes(value) is None:
            self.wrong(path, 'must be a time of day such as "21:00"')

    def one_of(self, value: Any, path: str, allowed: tuple[str | bool, ...]) -> None:
        if not isinstance(value, str | bool) or value not in allowed:
            self.wrong(path, f"must be one of {', '.join(map(_said, allowed))}")

    def names(self, value: Any, path: str) -> None:
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            self.wrong(path, "must be a list of names")

    def each(self, value: Any, path: str, check: Callable[[Any, str], None]) -> None:
        if not isinstance(value, dict) or not value:
            self.wrong(path, "must name at least one")
            return
        for key, one in value.items():
            check(one, f"{path}.{key}")


def _said(one: str | bool) -> str:
    return one if isinstance(one, str) else str(one).lower()


def minutes(text: Any) -> int | None:
    """ "21:00" as minutes of the day; None when it is no time of day."""
    if isinstance(text, int):  # YAML 1.1 reads an unquoted 21:00 as the number 21 * 60
        return text if 0 <= text < 24 * 60 else None
    try:
        hour, minute = str(text).split(":")
        total = int(hour) * 60 + int(minute)
    except ValueError:
        return None
    return total if 0 <= total < 24 * 60 else None
