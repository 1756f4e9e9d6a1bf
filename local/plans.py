"""`nudge plan`: check a plan, say what it would change, put it in force. And `nudge audience`: who would be reached.

In: arguments. Out: lines that a person reads (or JSON). Knows no rule: what is wrong says `nudge.plan`, who belongs `flows.audience`.
"""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.stack import Proposal
    from nudge.flows.prospect import Prospect

type Command = Callable[[argparse.Namespace], int]

REFUSED = 2
"""Exit code where a person would have been asked, and there is none."""


REFUSED_BY_LOG = 3
"""Exit code of a plan that the log of decisions speaks against."""


def add(commands: Any) -> None:
    """The sub-commands."""
    each = commands.add_parser("plan", help="check a plan, say what it changes, put it in force")
    plan = each.add_subparsers(required=True, metavar="command")
    _command(plan, "check", _check, "say what is wrong, by line")
    _command(plan, "diff", _diff, "say in words what would change against the plan in force")
    apply = _command(plan, "apply", _apply, "check it, show what changes, ask, put it in force")
    apply.add_argument("--templates", type=Path, metavar="FOLDER", help="publish these templates too")
    apply.add_argument("--yes", action="store_true", help="do not ask")
    apply.add_argument(
        "--force", metavar="WHY", help="even where the log of decisions speaks against it (kept beside the version)"
    )
    audience = commands.add_parser("audience", help="who a campaign, or an expression, would reach, and why not")
    audience.add_argument(
        "who", metavar="CAMPAIGN|EXPRESSION", help="a name in the plan, or: 'orders >= 2 and country = DE'"
    )
    audience.add_argument("--json", action="store_true", help="all of it, as JSON")
    audience.set_defaults(command=_audience)


def _command(commands: Any, title: str, work: Command, does: str) -> argparse.ArgumentParser:
    one: argparse.ArgumentParser = commands.add_parser(title, help=does)
    one.add_argument("file", type=Path)
    one.set_defaults(command=work)
    return one


def _check(chosen: argparse.Namespace) -> int:
    from nudge import plan

    checked = plan.parse(chosen.file.read_text(encoding="utf-8"), name=str(chosen.file))
    print(f"{chosen.file}: good (version {checked['version']})")
    return 0


def _diff(chosen: argparse.Namespace) -> int:
    from local import stack

    print(_told(chosen.file, stack.proposed(chosen.file)))
    return 0


def _told(file: Path, proposal: Proposal) -> str:
    """What a proposal changes, in words."""
    version = proposal.plan["version"]
    if proposal.is_first:
        return f"{file}: no plan is in force yet; this would be the first (version {version})"
    if not proposal.changes:
        return f"{file}: says what is in force (version {version})"
    head = f"{file} against the plan in force ({proposal.old_version}):"
    return "\n".join([head, *map(str, proposal.changes)])


def _apply(chosen: argparse.Namespace) -> int:
    from local import stack

    proposal = stack.proposed(chosen.file)
    print(_told(chosen.file, proposal))
    judged = stack.judged(proposal)
    print("".join(f"the log on {goal}: {said}\n" for goal, _, said in judged), end="")
    against = [f"{goal}: {said}" for goal, passed, said in judged if not passed]
    if against and not chosen.force:
        print("nudge plan apply: not put in force; --force WHY does so all the same", file=sys.stderr)
        return REFUSED_BY_LOG
    if not chosen.yes:
        if not sys.stdin.isatty():
            print("nudge plan apply: say --yes to put it in force", file=sys.stderr)
            return REFUSED
        if input("Put it in force? [y/N] ").strip().lower() not in ("y", "yes"):
            print("nothing was changed")
            return 1
    forced = f"by {getpass.getuser()}: {chosen.force} ({'; '.join(against)})" if against else None
    stack.apply(proposal, chosen.templates, forced=forced)
    print(f"{chosen.file}: in force (version {proposal.plan['version']})")
    return 0


# ── who would be reached ─────────────────────────────────────────────────────────────────────────────────────────────
def _audience(chosen: argparse.Namespace) -> int:
    from local import stack

    found = stack.audience(chosen.who)
    if chosen.json:
        json.dump(found.plain(), sys.stdout, allow_nan=False, ensure_ascii=False, indent=2)
        print()
        return 0
    print("\n".join(reach(found)))
    return 0


def reach(found: Prospect) -> list[str]:
    """Who would be reached, who not and why, and what effect that could show, as lines."""
    lines = [f"{found.who}", f"  {found.size:,} of {found.people:,} people belong"]
    lines += [f"    {name} is known of {number:,}" for name, number in found.known.items() if number < found.people]
    for channel, way in found.channels.items():
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in way.why_not.items())
        lines.append(f"  {channel}: {way.reachable:,} reachable now" + (f"; not: {reasons}" if reasons else ""))
    lines += [f"  {name.replace('_', ' ')}: {limit:,g}" for name, limit in found.limits.items()]
    groups = found.groups
    lines.append(
        f"  of {found.reachable:,} reachable: {groups['treatment']:,} treated, {groups['holdout']:,} held out, "
        f"{groups['global_holdout']:,} never contacted"
    )
    return [*lines, *_effect(found)]


def _effect(found: Prospect) -> list[str]:
    if found.rate is None:
        return ["  nobody can be reached, so nothing could be seen"]
    whose = "its model" if found.by_model else "the plan's base rate: there is no model yet"
    lines = [f"  {found.goal} without us: {found.rate:.2%} (by {whose})"]
    if found.smallest is None:
        return [*lines, "  no effect could be seen: nobody to compare with; hold out more, or wait for more people"]
    told = f"  smallest effect that one run would show: {found.smallest * 100:.2f} percentage points"
    worth = found.smallest * abs(found.worth or 0.0)
    return [*lines, f"{told} ({worth:.4g} a person, in the plan's currency); 80 % power, 95 % confidence"]
