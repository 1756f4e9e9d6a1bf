"""Names of features → what they mean, in words: for cards and reports. In: names. Out: a sentence each. Knows no value."""

from __future__ import annotations

import re

from nudge.profile.spec import (
    SPEC,
    CategoryAffinity,
    Decayed,
    First,
    Formula,
    HourOfWeek,
    Recency,
    RecentItems,
    Row,
    Total,
    Worth,
    written,
)

HOLES = re.compile(r"\\\{(type|category)\\\}")
PLAIN: dict[type, str] = {
    Recency: "days since the latest {of}",
    First: "days since the first {of}",
    Total: "how many {of}, ever",
    Worth: "what all {of} were worth, ever",
    RecentItems: "how many different items were touched lately",
}
PEAK = "the hour of the day (UTC) at which the person is active most"
OTHERS = {
    "activity": "what was done (or would be)",
    "is_decision": "whether somebody asked what to do (1), or it is history (0)",
}


def explained(name: str) -> str:
    """What a feature means.

    >>> explained("count.purchase.30d"), explained("days_since.purchase")
    ('how many purchase; one counts half as much every 30 days', 'days since the latest purchase')
    >>> explained("trait.plan")
    'what we were told of the person: plan'
    """
    if name in OTHERS:
        return OTHERS[name]
    kind, _, rest = name.partition(".")
    if kind == "trait":
        return f"what we were told of the person: {rest}"
    if kind == "context":
        return f"what the request said: {rest}"
    for row in SPEC:
        found = _pattern(row).fullmatch(name)
        if found:
            return _words(row, found[1] if found.groups() else "")
    return f"a number of the profile: {name}"


def _pattern(row: Row) -> re.Pattern[str]:
    text = HOLES.sub("(.+)", re.escape(row.name))
    return re.compile(rf"{text}(\..+)?" if isinstance(row, HourOfWeek) else text)


def _words(row: Row, of: str) -> str:
    if type(row) in PLAIN:
        return PLAIN[type(row)].format(of=of)
    match row:
        case Decayed(half_life_days=days, weigh=weigh):
            what = f"how many {of}; one counts" if weigh is None else f"what {of} was worth; it counts"
            return f"{what} half as much every {days} days"
        case HourOfWeek():
            part = of.removeprefix(".")
            return PEAK if part == "peak_hour" else f"share of the person's activity that falls into the {part} (UTC)"
        case CategoryAffinity(half_life_days=days):
            return f"share of {of} among what the person did; it counts half as much every {days} days"
        case Formula():
            return written(row)[0].replace("{type}", of)
    said = (type(row).__doc__ or row.name).split(". ")[0].strip()
    return f"{said} ({of})" if of else said
