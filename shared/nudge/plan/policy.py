"""The sections `policy` and `channels` of a plan: what binds every decision, and how messages leave the house.

In: their JSON form. Out: what is wrong with them; `Policy` and `Channel`s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nudge.plan.checks import Checks, minutes
from nudge.vocabulary import CHANNELS, Caps, Channel, Policy, QuietHours

POLICY = {"holdout", "exploration", "base_rate", "caps", "quiet_hours", "budget_per_day"}
SECRET_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def check(c: Checks, value: Any) -> None:
    """Note every mistake of the section `policy`."""
    policy = c.mapping(value, "policy", POLICY)
    c.number(policy.get("holdout", 0), "policy.holdout", 0, 0.9)
    c.number(policy.get("exploration", 100), "policy.exploration", 0)
    c.number(policy.get("base_rate", 0.05), "policy.base_rate", 0, 1)
    for channel, one in c.mapping(policy.get("caps", {}), "policy.caps", set(CHANNELS)).items():
        caps = c.mapping(one, f"policy.caps.{channel}", {"per_day", "per_week"})
        for key, number in caps.items():
            c.whole(number, f"policy.caps.{channel}.{key}", 0, 1_000_000)
    if (quiet := policy.get("quiet_hours")) is not None:
        hours = c.mapping(quiet, "policy.quiet_hours", {"start", "until"})
        for key in ("start", "until"):
            c.time_of_day(hours.get(key), f"policy.quiet_hours.{key}")
    if policy.get("budget_per_day") is not None:
        c.number(policy["budget_per_day"], "policy.budget_per_day", 0)


def check_channel(c: Checks, name: str, one: Any) -> None:
    """An address of the sender, or where it goes; and the postal address that the law asks for in every marketing mail."""
    path = f"channels.{name}"
    form = CHANNELS.get(name)
    if form is None:
        c.one_of(name, path, CHANNELS)
        return
    channel = c.mapping({} if one is None else one, path, {*form.needs, *form.may})
    for key in channel:
        if key not in form.needs:
            c.text(channel[key], f"{path}.{key}")
    for needed in form.needs:
        c.text(channel.get(needed), f"{path}.{needed}")
    if "url" in channel and not str(channel["url"]).startswith("https://"):
        c.wrong(f"{path}.url", "must begin with https://")
    if "secret_name" in channel and not SECRET_NAME.fullmatch(str(channel["secret_name"])):
        c.wrong(
            f"{path}.secret_name", "names a parameter under /nudge/ (letters, digits, . _ -), never the secret itself"
        )


def made(policy: Mapping[str, Any]) -> Policy:
    """The policy of a checked section."""
    return Policy(
        holdout=float(policy.get("holdout", 0.05)),
        exploration=float(policy.get("exploration", 100.0)),
        base_rate=float(policy.get("base_rate", 0.05)),
        caps={channel: Caps(**caps) for channel, caps in policy.get("caps", {}).items()},
        quiet_hours=_quiet(policy.get("quiet_hours")),
        budget_per_day=policy.get("budget_per_day"),
    )


def made_channel(name: str, one: Mapping[str, Any] | None) -> Channel:
    """The channel of a checked entry."""
    return Channel(name=name, **(one or {}))


def _quiet(value: Mapping[str, str] | None) -> QuietHours | None:
    if value is None:
        return None
    return QuietHours(start_minute=minutes(value["start"]) or 0, until_minute=minutes(value["until"]) or 0)
