"""Figures of a report come in; the words and numbers a person reads go out. Knows no HTML.

Every sentence of the page goes through `t`: English is the key, other languages are tables of English → theirs (`chinese`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from nudge.measure.chinese import CHINESE

LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": {}, "zh": CHINESE}
TAGS = {"en": "en", "zh": "zh-Hans"}
"""BCP 47 tags."""
_language: ContextVar[str] = ContextVar("language of the page", default="en")
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")


@contextmanager
def spoken(language: str) -> Iterator[None]:
    """Everything that is said inside is said in this language, in this thread alone."""
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)


def language() -> str:
    return _language.get()


def t(text: str, /, **values: object) -> str:
    """A sentence in the language spoken, with its values; in English where the table does not know it.

    >>> t("{n} people", n=3)
    '3 people'
    """
    said = LANGUAGES[_language.get()].get(text, text)
    return said.format(**values) if values else said


def told(text: str | None) -> str:
    """A sentence that comes with the figures (a note, a reason), its numbers put back where they belong."""
    if not text:
        return ""
    numbers = _NUMBER.findall(text)
    pattern = _NUMBER.sub("{}", text)
    said = LANGUAGES[_language.get()].get(pattern)
    return said.format(*numbers) if said is not None else t(text)


MINUS = "\u2212"
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CNY": "¥", "INR": "₹"}
METRICS = {
    "auc": "AUC",
    "average_precision": "Average precision",
    "ece": "ECE",
    "brier": "Brier score",
    "lift_at_10": "Lift at 10 %",
}
UNKNOWN = "not known yet"
NAMES = {
    "email": "e-mail",
    "sms": "SMS",
    "inline": "on the page",
    "push": "push",
    "webhook": "webhook",
}


def money(value: float | None, currency: str, *, signed: bool = False) -> str:
    """An amount as a person writes it: no cents from 100 on.

    >>> money(-1234.5, "EUR"), money(3.5, "CHF", signed=True), money(0, "EUR")
    ('−€1,234', '+CHF\xa03.50', '€0')
    """
    if value is None:
        return t(UNKNOWN)
    size = abs(value)
    digits = f"{size:,.0f}" if size >= 99.995 or size in (0, 1) else f"{size:,.2f}" if size >= 0.01 else f"{size:.2g}"
    mark = SYMBOLS.get(currency) or f"{currency}\u00a0"
    return f"{_sign(value, signed)}{mark}{digits}"


def count(value: float | None, *, signed: bool = False) -> str:
    """A number of things; one decimal when it is not whole and small."""
    if value is None:
        return "–"
    size = abs(value)
    digits = f"{size:,.0f}" if size >= 100 or float(size).is_integer() else f"{size:,.1f}"
    return f"{_sign(value, signed)}{digits}"


def share(value: float | None, *, signed: bool = False) -> str:
    """A share of one, as a percentage with three significant places at most."""
    if value is None:
        return t(UNKNOWN)
    size = abs(value) * 100
    digits = f"{size:.0f}" if size >= 99.95 or size == 0 else f"{size:.1f}" if size >= 0.1 else f"{size:.2g}"
    return f"{_sign(value, signed)}{digits}\u00a0%"


def ratio(value: float | None) -> str:
    """A return on investment: 3.2 means 3.2 back beyond each 1 spent."""
    if value is None:
        return t(UNKNOWN)
    size = abs(value)
    return f"{_sign(value, False)}{size:,.0f}" if size >= 100 else f"{_sign(value, False)}{size:,.2f}"


def probability(value: float | None) -> str:
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def figure(held: Mapping[str, float]) -> str:
    """A metric with its interval, where it has one: 0.741 (0.72 to 0.76)."""
    if "high" not in held:
        return f"{held['value']:.3g}"
    low, high = f"{held['low']:.3g}", f"{held['high']:.3g}"
    return f"{held['value']:.3g} ({t('{low} to {high}', low=low, high=high)})"


def day(moment: str | None) -> str:
    """The day of an ISO time, in words: 3 March 2026. What is no time stays as it is."""
    if not moment:
        return "–"
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    if _language.get() == "zh":
        return f"{at.year}年{at.month}月{at.day}日"
    return f"{at.day} {at:%B %Y}"


def moment(written: str) -> str:
    """An ISO time in words: 6 April 2026, 06:00 UTC."""
    return f"{day(written)}, {datetime.fromisoformat(written):%H:%M} UTC"


def metric(name: str) -> str:
    """A metric's name as people in the field write it."""
    return t(METRICS.get(name) or label(name))


def span(one: Mapping[str, Any], write: Callable[[float | None], str]) -> str:
    """The interval of an estimate, or why there is none. Its ends hold together at a line's end (U+2060)."""
    if one["low"] is None or one["high"] is None:
        return told(one.get("note")) or t(UNKNOWN)
    return t("{low} to {high}", low=whole(write(one["low"])), high=whole(write(one["high"])))


def whole(written: str) -> str:
    """A signed amount that no line break parts: a word joiner after the sign."""
    return f"{written[0]}\u2060{written[1:]}" if written[:1] in (MINUS, "+") else written


def verdict(one: Mapping[str, Any]) -> tuple[str, str]:
    """(tone, words) of an incremental figure with its interval: what may be said of it, and no more."""
    low, high = one["low"], one["high"]
    if low is None or high is None:
        return "open", t("Cannot be judged yet")
    if low > 0:
        return "gain", t("A gain beyond chance")
    if high < 0:
        return "loss", t("A loss beyond chance")
    return "open", t("Not distinguishable from no effect")


def daily(one: Mapping[str, Any], reading: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The figure with the interval that is to be read now: the sequence's, or the fixed one when all is over."""
    if "sequence" not in one or (reading or {}).get("interval") == "fixed":
        return one
    return {**one, "low": one["sequence"]["low"], "high": one["sequence"]["high"]}


def channel(name: str) -> str:
    """A channel as people call it."""
    return t(NAMES[name]) if name in NAMES else label(name)


def label(name: str) -> str:
    """A name from the plan as a title: discount_mail → Discount mail."""
    plain = name.replace("_", " ").strip()
    return plain[:1].upper() + plain[1:]


def _sign(value: float, signed: bool) -> str:
    return MINUS if value < 0 else "+" if signed and value > 0 else ""
