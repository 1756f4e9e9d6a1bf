"""`nudge preview`, `nudge channel`, `nudge messages`: what would be sent, whether mail may go, what nobody knows.

In: arguments, and the doors' names in the environment (`LAKE_BUCKET`, `PROFILES_TABLE`, `LEDGER_TABLE`). Out: lines that a person reads (or
JSON). They say who a person is by id, and never an address but in a preview, which is asked for by name.
"""

from __future__ import annotations

import argparse
import getpass
import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from nudge.act.reputation import Figures, judge
from nudge.adapters.clients import client
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.plans import StoredPlans
from nudge.adapters.profiles import DynamoProfiles
from nudge.adapters.reputation import DynamoReputation
from nudge.adapters.s3 import S3Objects
from nudge.adapters.templates import StoredTemplates
from nudge.errors import NotFound
from nudge.flows.champions import PlanInForce
from nudge.flows.preview import Preview
from nudge.settings import Settings
from nudge.vocabulary import SECOND, Email, Message, Micros, Parcel

SHOWN = 1000


class PreviewSettings(Settings):
    lake_bucket: str
    profiles_table: str


class LedgerSettings(Settings):
    ledger_table: str


def add(commands: Any) -> None:
    """The sub-commands."""
    preview = commands.add_parser("preview", help="what a person would be sent for an activity; sends nothing")
    preview.add_argument("activity")
    preview.add_argument("user")
    preview.add_argument("--html", action="store_true", help="the HTML of a mail, and nothing else")
    preview.set_defaults(command=_preview)
    channel = commands.add_parser("channel", help="whether mail may go; let it go again")
    each = channel.add_subparsers(required=True, metavar="command")
    status = each.add_parser("status", help="bounces, complaints, the breaker, what is left of the quota")
    status.add_argument("--json", action="store_true", help="all of it, as JSON")
    status.set_defaults(command=_status)
    reset = each.add_parser("reset", help="close the breaker: a trial first, then all")
    reset.add_argument("--by", default=getpass.getuser(), help="who says so (kept)")
    reset.set_defaults(command=_reset)
    messages = commands.add_parser("messages", help="messages by what became of them")
    unknown = messages.add_subparsers(required=True, metavar="command").add_parser(
        "unknown", help="those of which nobody knows whether they were sent, oldest first"
    )
    unknown.add_argument("--json", action="store_true", help="as JSON")
    unknown.set_defaults(command=_unknown)


def _now() -> Micros:
    return time.time_ns() // 1000


# ── preview ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def _preview(chosen: argparse.Namespace) -> int:
    here = PreviewSettings.read()
    lake = S3Objects(client("s3"), here.lake_bucket)
    show = Preview(
        DynamoProfiles(client("dynamodb"), here.profiles_table),
        PlanInForce(StoredPlans(lake, clock=_now)),
        StoredTemplates(lake, clock=_now),
    )
    made, obstacle = show(chosen.activity, chosen.user, now=_now())
    if chosen.html:
        if not isinstance(made, Email):
            raise NotFound("only a mail has HTML")
        print(made.html)
        return 0
    print("\n".join(previewed(made, obstacle)))
    return 0


def previewed(made: Email | Parcel, obstacle: str | None) -> Iterator[str]:
    """A message as a person reads it."""
    yield f"would not be sent now: {obstacle}" if obstacle else "would be sent"
    if isinstance(made, Email):
        yield from (f"From: {made.sender}", f"To: {made.to}", f"Subject: {made.subject}")
        yield from (f"{name}: {value}" for name, value in made.headers.items())
        yield from ("", made.text)
        return
    yield f"channel: {made.channel.name}"
    yield from [f"to: {made.to}"] if made.to else []
    yield from (f"{name}: {text}" for name, text in made.texts.items())
    yield json.dumps(made.facts, indent=2, ensure_ascii=False)


# ── channel ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def _reputation() -> DynamoReputation:
    return DynamoReputation(client("dynamodb"), LedgerSettings.read().ledger_table)


def _status(chosen: argparse.Namespace) -> int:
    told = _reputation().state(now=_now())
    if chosen.json:
        figures: Figures = told["figures"]
        counted = {"sent": figures.sent, "bounced": figures.bounced, "complained": figures.complained}
        print(json.dumps(told | {"figures": counted, "verdict": judge(figures)}, indent=2))
        return 0
    print("\n".join(standing(told)))
    return 0


def standing(told: Mapping[str, Any]) -> Iterator[str]:
    """How mail stands, in lines."""
    figures: Figures = told["figures"]
    bounced, complained = figures.share(figures.bounced), figures.share(figures.complained)
    yield f"three days: {figures.sent} left, {figures.bounced} bounced ({bounced:.2%}), {figures.complained} complained ({complained:.3%})"
    if "stopped" in told:
        yield f"STOPPED since {moment(told['stopped_at'])}: {told['stopped']}"
        yield "receipts still go; when the cause is known: nudge channel reset"
    elif "trial" in told:
        yield f"on trial since {moment(told['reset_at'])}, reset by {told['reset_by']}: at most {told['trial']} mails"
    else:
        yield f"open ({judge(figures)})"
    if "room" in told:
        yield f"quota: {told['room']} mails left, one every {told['gap'] / SECOND:g} s, as of {moment(told['read_at'])}"


def _reset(chosen: argparse.Namespace) -> int:
    if not _reputation().reset(by=chosen.by, now=_now()):
        print("it is not stopped")
        return 1
    print("a trial goes out; when nothing bad comes back within an hour, all the rest follows")
    return 0


# ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _unknown(chosen: argparse.Namespace) -> int:
    ledger = DynamoLedger(client("dynamodb"), LedgerSettings.read().ledger_table)
    found = [one for name in ledger.unknown(limit=SHOWN) if (one := ledger.message(name)) is not None]
    if chosen.json:
        names = ("decision_id", "user_id", "activity", "channel", "reason", "changed_at")
        print(json.dumps([{name: getattr(one, name) for name in names} for one in found], indent=2))
        return 0
    print("\n".join(doubts(found)))
    return 0


def doubts(found: list[Message]) -> Iterator[str]:
    """Messages of which nobody knows, a line each."""
    yield f"{len(found)} messages of which nobody knows whether they were sent; they are not sent again"
    for one in found:
        yield f"  {one.decision_id}  {moment(one.changed_at)}  {one.channel}  {one.activity}  {one.user_id}  {one.reason}"


def moment(at: Micros) -> str:
    return datetime.fromtimestamp(at // SECOND, UTC).isoformat().replace("+00:00", "Z")
