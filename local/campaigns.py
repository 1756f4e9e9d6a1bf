"""`nudge campaign` and `nudge decisions replay|explain`: runs by hand, how far they are, stopping; why a person got what they got.

In: arguments, and the doors' names in the environment. Out: lines that a person reads, or JSON. Knows no rule: `flows.campaigns` and
`flows.retell` do.
"""

from __future__ import annotations

import argparse
import getpass
import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from nudge.adapters import plans as stored_plans
from nudge.adapters.clients import client
from nudge.adapters.journeys import DynamoJourneys
from nudge.adapters.kms import KmsSigner
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.models import StoredModels
from nudge.adapters.plans import StoredPlans
from nudge.adapters.profiles import DynamoProfiles
from nudge.adapters.s3 import S3Objects
from nudge.adapters.sqs import SqsQueue
from nudge.adapters.templates import StoredTemplates
from nudge.decide import occasion
from nudge.errors import NotFound
from nudge.flows import journey_figures
from nudge.flows.campaign_runs import Run, Runs
from nudge.flows.campaigns import Campaigns
from nudge.flows.champions import Champions, PlanInForce
from nudge.flows.decide import Decide
from nudge.flows.deliver import LONGEST_HALT
from nudge.flows.journey_walk import PAUSED
from nudge.flows.pauses import FRESH_FOR
from nudge.flows.resend import Resend, Resent
from nudge.flows.retell import Retell
from nudge.settings import CampaignSettings, Settings
from nudge.vocabulary import SECOND, Micros

COUNTS = ("done", "left_out", "refused", "begun", "under_way")
LEFT = {
    "unknown": "nobody knows whether they arrived, so nobody sends them again",
    "stale": "decided too long ago to be sent now",
    "expired": "their activity, or the campaign, has ended",
    "withdrawn": "the plan has their activity no more",
    "resent_meanwhile": "somebody else has sent them again meanwhile",
    "goal_reached": "the person has reached the goal that stops the sequence",
    "overtaken": "the person has had a later step's message since",
    "begun_again": "the person is on another journey through the campaign by now",
}


ENDED = {
    "finished": "took all steps",
    "goal": "reached the goal that stops it",
    "over": "the campaign has ended",
    "removed": "the plan has the campaign, or its steps, no more",
    "no_person": "the person is not known any more",
    "answered": "what the trigger waits for came in time",
    "audience": "not of the audience",
    "late": "looked at more than a day too late",
    "paused": "the campaign was paused",
}


class RunSettings(Settings):
    lake_bucket: str


class StatusSettings(RunSettings):
    ledger_table: str


class RetellSettings(Settings):
    lake_bucket: str
    ledger_table: str
    model_key_id: str


def add(commands: Any, decisions: Any) -> None:
    """The sub-commands; `decisions` are those of `nudge decisions`."""
    each = commands.add_parser("campaign", help="runs of campaigns").add_subparsers(required=True, metavar="command")
    status = each.add_parser("status", help="how far its runs are, and what was decided")
    status.add_argument("campaign")
    status.add_argument("--json", action="store_true", help="all of it, as JSON")
    status.set_defaults(command=_status)
    run = each.add_parser("run", help="begin a run now, whatever its schedule says")
    run.add_argument("campaign")
    run.set_defaults(command=_run)
    pause = each.add_parser("pause", help="decide for nobody, and send nothing of it, until it is resumed")
    pause.add_argument("campaign")
    pause.add_argument("--why", default="by hand", help="kept, and shown by status")
    pause.set_defaults(command=_pause)
    resume = each.add_parser("resume", help="go on where it was")
    resume.add_argument("campaign")
    resume.set_defaults(command=_resume)
    resend = each.add_parser("resend", help="put messages that failed on their way again")
    resend.add_argument("campaign")
    resend.add_argument("--run", help="one run of it (a day, where an event begins it); all, where none is named")
    resend.add_argument("--only", required=True, choices=["failed"], help="what is unknown or sent is never sent again")
    resend.add_argument("--by", default=getpass.getuser(), help="who says so (kept with each message)")
    resend.add_argument("--json", action="store_true", help="all of it, as JSON")
    resend.set_defaults(command=_resend)
    for name, work, said in (
        ("replay", _replay, "make a decision again from its record; exit code 1 when it comes out differently"),
        ("explain", _explain, "why a person got what they got, and no other candidate"),
    ):
        one = decisions.add_parser(name, help=said)
        one.add_argument("decision_id")
        one.set_defaults(command=work)


def _now() -> Micros:
    return time.time_ns() // 1000


# ── campaigns ────────────────────────────────────────────────────────────────────────────────────────────────────────
def _campaigns() -> Campaigns:
    here = CampaignSettings.read()
    lake, dynamodb, sqs = S3Objects(client("s3"), here.lake_bucket), client("dynamodb"), client("sqs")
    profiles = DynamoProfiles(dynamodb, here.profiles_table)
    decide = Decide(
        profiles=profiles,
        plan=PlanInForce(StoredPlans(lake, clock=_now)),
        champions=Champions(StoredModels(lake, KmsSigner(client("kms"), here.model_key_id), clock=_now)),
        templates=StoredTemplates(lake, clock=_now),
        ledger=DynamoLedger(dynamodb, here.ledger_table),
        queue=SqsQueue(sqs, here.deliver_queue_url),
    )
    journeys = DynamoJourneys(dynamodb, here.ledger_table)
    return Campaigns(decide, profiles, Runs(lake), SqsQueue(sqs, here.campaigns_queue_url), journeys)


def _runs() -> Runs:
    return Runs(S3Objects(client("s3"), RunSettings.read().lake_bucket))


def _run(chosen: argparse.Namespace) -> int:
    now = _now()
    run = _campaigns().begin(chosen.campaign, occasion.by_hand(now), now=now)
    print(f"{run.campaign}/{run.run}: {run.segments} segments sent out; `nudge campaign status {run.campaign}` follows")
    return 0


def _pause(chosen: argparse.Namespace) -> int:
    _runs().pause(chosen.campaign, at=_now(), why=f"{chosen.why} ({getpass.getuser()})")
    print(
        f"{chosen.campaign} is paused: nobody more is decided for, and messages that were decided wait; "
        f"one may still go out in the next {FRESH_FOR // SECOND} seconds, and those that are being sent"
    )
    return 0


def _resume(chosen: argparse.Namespace) -> int:
    campaigns, now = _campaigns(), _now()
    campaigns.runs.resume(chosen.campaign)
    open_ones = [run for run in campaigns.runs.all(chosen.campaign) if campaigns.runs.undecided(run)]
    for run in open_ones:
        campaigns.send_out(run, now=now)
    print(
        f"{chosen.campaign} goes on: {len(open_ones)} runs had not ended; messages that waited go out in at most "
        f"twice the time of the pause, and {2 * LONGEST_HALT // SECOND // 60} minutes; people on their way go on in at "
        f"most {PAUSED // SECOND // 60} minutes"
    )
    return 0


def _resend(chosen: argparse.Namespace) -> int:
    here = CampaignSettings.read()
    lake, dynamodb = S3Objects(client("s3"), here.lake_bucket), client("dynamodb")
    ledger, journeys = (make(dynamodb, here.ledger_table) for make in (DynamoLedger, DynamoJourneys))
    flow = Resend(ledger, Runs(lake), PlanInForce(StoredPlans(lake, clock=_now)), journeys)
    told = flow(chosen.campaign, chosen.run, by=chosen.by, now=_now())
    print(json.dumps(told.plain(), indent=2) if chosen.json else "\n".join(resent(chosen.campaign, told)))
    return 0


def resent(campaign: str, told: Resent) -> Iterator[str]:
    """What goes again and what does not, as lines that a person reads."""
    yield f"{campaign}: {told.again.total()} messages go again; the sweep takes them up within a minute"
    yield from (f"  {count} had failed: {reason}" for reason, count in sorted(told.again.items()))
    yield from (f"  {count} stay: {LEFT[why]}" for why, count in sorted(told.left.items()))
    yield from (f"  {count} failed messages of {run}, not asked for" for run, count in sorted(told.other_runs.items()))


def _status(chosen: argparse.Namespace) -> int:
    here = StatusSettings.read()
    runs = Runs(S3Objects(client("s3"), here.lake_bucket))
    told = [figures(runs, run) for run in runs.all(chosen.campaign)]
    journeys = journey_figures.figures(DynamoJourneys(client("dynamodb"), here.ledger_table), chosen.campaign)
    paused = runs.paused(chosen.campaign)
    if not told and paused is None and journeys is None:
        raise NotFound(f"{chosen.campaign} never ran, and nobody is on the way through it")
    if chosen.json:
        print(json.dumps({"paused": paused, "runs": told, "journeys": journeys}, indent=2))
    else:
        print("\n".join([*shown(chosen.campaign, told, paused), *on_the_way(journeys)]))
    return 0


def on_the_way(told: dict[str, Any] | None) -> Iterator[str]:
    """Journeys as lines that a person reads; none where nobody was ever called."""
    if told is None:
        return
    yield f"  journeys: {told['begun']} begun, {sum(told['under_way'].values())} under way"
    yield from (f"    {count} at step {step}" for step, count in told["under_way"].items())
    if told["called"]:
        yield f"    {told['called']} called, and not begun yet"
    yield from (f"    {count} ended: {ENDED.get(why, why)}" for why, count in sorted(told["ended"].items()))
    yield from (f"    {count} not begun: {ENDED.get(why, why)}" for why, count in sorted(told["not_begun"].items()))


def figures(runs: Runs, run: Run) -> dict[str, Any]:
    """How far a run is, and what was decided, over all its segments."""
    told = list(runs.all_progress(run))
    counted = {
        name: dict(sum((getattr(one, name) for one in told), Counter())) for name in ("activities", "groups", "removed")
    }
    return {
        "run": run.run,
        "stage": "freezing" if runs.unfrozen(run) else "deciding" if runs.undecided(run) else "ended",
        "members": sum(one.members for one in told),
        **{name: sum(getattr(one, name) for one in told) for name in COUNTS},
        **counted,
    }


def shown(campaign: str, told: list[dict[str, Any]], paused: Any) -> Iterator[str]:
    """Runs as lines that a person reads."""
    yield f"{campaign}: paused, {paused['why']}" if paused else campaign
    for one in told:
        done = ", ".join(f"{name} {count}" for name, count in sorted(one["activities"].items()))
        done = f"{one['begun']} went on their way" if one["begun"] else done
        yield f"  {one['run']}  {one['stage']}: {one['done']} of {one['members']} members; {done or 'nothing decided yet'}"
        if one["left_out"]:
            yield f"    {one['left_out']} left out: capacity or budget went to those to whom it is worth more"
        if one["under_way"]:
            yield f"    {one['under_way']} still on the way since an earlier run"
        for reason, count in sorted(one["removed"].items()):
            yield f"    {count} candidates out: {reason}"


# ── decisions ────────────────────────────────────────────────────────────────────────────────────────────────────────
def _retell() -> Retell:
    here = RetellSettings.read()
    lake = S3Objects(client("s3"), here.lake_bucket)
    models = StoredModels(lake, KmsSigner(client("kms"), here.model_key_id), clock=_now)
    ledger = DynamoLedger(client("dynamodb"), here.ledger_table)
    return Retell(ledger, models, lambda version: stored_plans.version(lake, version))


def _replay(chosen: argparse.Namespace) -> int:
    told = _retell().replay(chosen.decision_id)
    print("the same, bit for bit" if told["same"] else f"differs in {', '.join(told['differs'])}")
    return 0 if told["same"] else 1


def _explain(chosen: argparse.Namespace) -> int:
    print("\n".join(_retell().explain(chosen.decision_id)))
    return 0
