"""`nudge policy evaluate` and `nudge decisions export`: what another policy would have earned, and the log for other tools.

In: arguments. Out: lines, or a file. Knows no rule: how a verdict comes about says `measure.policy_value`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from nudge.vocabulary import PolicyName

if TYPE_CHECKING:
    from nudge.flows.policy_evaluation import PolicyEvaluation

REFUSED = 3
"""Exit code of a policy that must not be put in force."""


def add(commands: Any, decisions: Any) -> None:
    """The sub-commands; `decisions` are those of `nudge decisions`."""
    policy = commands.add_parser("policy", help="judge a policy by the log, before it is put in force")
    each = policy.add_subparsers(required=True, metavar="command")
    evaluate = each.add_parser("evaluate", help="what it would have earned; exit code 3 when it is refused")
    evaluate.add_argument("--policy", required=True, choices=get_args(PolicyName))
    evaluate.add_argument("--goal", help="the plan's first that an activity serves, when none is named")
    evaluate.add_argument("--json", action="store_true", help="all of it, as JSON")
    evaluate.set_defaults(command=_evaluate)
    export = decisions.add_parser("export", help="the log as Open Bandit Pipeline's BanditFeedback (.npz)")
    export.add_argument("--obp", required=True, type=Path, metavar="FILE")
    export.add_argument("--goal", help="the plan's first that an activity serves, when none is named")
    export.set_defaults(command=_export)


def _evaluate(chosen: argparse.Namespace) -> int:
    told = _flow().evaluate(chosen.policy, goal=chosen.goal, now=_now())
    print(json.dumps(told, indent=2) if chosen.json else "\n".join(shown(told)))
    return REFUSED if told["verdict"] == "refused" else 0


def shown(told: Mapping[str, Any]) -> Iterator[str]:
    """A verdict, as lines that a person reads."""
    new, current, shift = told["policy"], told["current"], told["difference"]
    yield f"{told['policy_name']} for {told['goal']}: {told['verdict']}"
    yield from (f"  because {reason}" for reason in told["reasons"])
    yield f"  log: {new['decisions']} decisions, worth {new['effective']:.0f} for this policy"
    for name, title in (("ips", "IPS"), ("snips", "self-normalised IPS"), ("doubly_robust", "doubly robust")):
        one, other = new[name], current[name]
        yield (
            f"  {title:20} {one['value']:.4g} ({one['low']:.4g} to {one['high']:.4g}) a decision; "
            f"the policy that ran {other['value']:.4g} ({other['low']:.4g} to {other['high']:.4g})"
        )
    yield f"  difference           {shift['estimate']:+.4g} ({shift['low']:+.4g} to {shift['high']:+.4g}), 95 %"


def _export(chosen: argparse.Namespace) -> int:
    body = _flow().export(goal=chosen.goal, now=_now())
    chosen.obp.write_bytes(body)
    print(f"{chosen.obp}: {len(body)} bytes; read it with numpy.load")
    return 0


def _flow() -> PolicyEvaluation:
    from local import stack

    return stack.evaluation()


def _now() -> int:
    return time.time_ns() // 1000
