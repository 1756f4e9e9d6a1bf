"""The section `activities` of a plan: what we can do for a person. In: its JSON form. Out: what is wrong; `Activity`s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nudge.plan.checks import Checks, micros
from nudge.vocabulary import CHANNELS, NO_CONSENT_NEEDED, NOTHING, Activity, Expression

NAMES = set(Activity._fields) - {"name", "recommended"}
RECOMMENDED, RECOMMENDED_ITEMS = "recommended", 3
"""`items: recommended`: so many are chosen for each person."""
SEND_TIMES = ("now", "best")
INLINE = "inline"


def check(c: Checks, one: Any, path: str, goals: Mapping[str, Any], channels: Mapping[str, Any]) -> None:
    """Note every mistake of one activity."""
    activity = c.mapping(one, path, NAMES)
    if path == f"activities.{NOTHING}":
        c.wrong(path, "'nothing' is always a candidate and cannot be redefined")
    c.one_of(activity.get("goal"), f"{path}.goal", map(str, goals))
    _check_channel(c, activity, path, channels)
    c.number(activity.get("cost", 0), f"{path}.cost", 0)
    c.number(activity.get("expected_lift", 0.1), f"{path}.expected_lift", -1, 100)
    c.number(activity.get("holdout", 0.1), f"{path}.holdout", 0, 0.9)
    c.flag(activity.get("transactional", False), f"{path}.transactional")
    for edge in ("starts_at", "ends_at"):
        c.moment(activity.get(edge), f"{path}.{edge}")
    if activity.get("audience") is not None:
        from nudge.plan import audiences

        audiences.check(c, activity["audience"], f"{path}.audience", goals)
    _check_choices(c, activity, path)


def _check_channel(c: Checks, activity: Mapping[str, Any], path: str, channels: Mapping[str, Any]) -> None:
    """How it reaches people, with what words, and whose consent it needs. Where the channel has no address of a person,
    the plan must say the consent: nobody consents to a queue."""
    channel = activity.get("channel")
    if not c.one_of(channel, f"{path}.channel", CHANNELS):
        return
    form = CHANNELS[str(channel)]
    if channel != INLINE and channel not in channels:
        c.wrong(f"{path}.channel", f"'{channel}' has no entry under channels")
    if form.texts or activity.get("template") is not None:
        c.text(activity.get("template"), f"{path}.template")
    said = activity.get("consent")
    if channel == INLINE or (said is None and form.address is not None):
        return
    of_people = [name for name, one in CHANNELS.items() if one.address is not None]
    c.one_of(said, f"{path}.consent", of_people if form.address is not None else [*of_people, NO_CONSENT_NEEDED])


def _check_choices(c: Checks, activity: Mapping[str, Any], path: str) -> None:
    """What is chosen for each person: items, the hour."""
    items = activity.get("items", [])
    if isinstance(items, dict):
        held = c.mapping(items, f"{path}.items", {RECOMMENDED})
        c.whole(held.get(RECOMMENDED), f"{path}.items.{RECOMMENDED}", 1, 50)
    elif items != RECOMMENDED:
        c.names(items, f"{path}.items")
    c.one_of(activity.get("send_time", "now"), f"{path}.send_time", SEND_TIMES)
    if activity.get("send_time") == "best" and activity.get("channel") == INLINE:
        c.wrong(f"{path}.send_time", "what is shown inline is shown at once")


def made(name: str, one: Mapping[str, Any], goals: Mapping[str, Any]) -> Activity:
    """The activity of a checked entry."""
    return Activity(
        name=name,
        goal=one["goal"],
        channel=one["channel"],
        template=one.get("template"),
        cost=float(one.get("cost", 0)),
        expected_lift=float(one.get("expected_lift", 0.1)),
        holdout=float(one.get("holdout", 0.1)),
        transactional=bool(one.get("transactional", False)),
        audience=_audience(one.get("audience"), goals),
        starts_at=micros(one.get("starts_at")),
        ends_at=micros(one.get("ends_at")),
        items=tuple(one["items"]) if isinstance(one.get("items"), list) else (),
        recommended=_recommended(one.get("items")),
        send_time=one.get("send_time", "now"),
        consent=one.get("consent"),
    )


def _audience(said: Any, goals: Mapping[str, Any]) -> Expression | None:
    if said is None:
        return None
    from nudge.plan import audiences

    return audiences.made(said, goals)


def _recommended(items: Any) -> int:
    """`items: recommended`, or `items: {recommended: 5}`."""
    return RECOMMENDED_ITEMS if items == RECOMMENDED else int(items[RECOMMENDED]) if isinstance(items, Mapping) else 0
