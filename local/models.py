"""`nudge models`: what is stored under `models/`, as lines that a person reads (or as JSON).

In: arguments. Out: lines. Knows no rule: what may be promoted says `flows.models_admin`.
"""

from __future__ import annotations

import argparse
import getpass
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

type Command = Callable[[argparse.Namespace], int]


def add(commands: Any) -> None:
    """The sub-commands."""
    models = commands.add_parser("models", help="list, show, promote, roll back; how far a training is")
    each = models.add_subparsers(required=True, metavar="command")
    _command(each, "list", _list, "versions, oldest first; of everything, when no name is given", name="?", json=True)
    _command(each, "show", _show, "the card of one version (the champion's)", name=None, version="?", json=True)
    _command(each, "promote", _promote, "check a version and put it in force", name=None, version=None, by=True)
    _command(each, "rollback", _rollback, "put an earlier version in force again", name=None, version="?", by=True)
    _command(each, "progress", _progress, "how far a run of trainings is (the newest)", run="?", json=True)


def _command(commands: Any, title: str, work: Command, does: str, **wanted: Any) -> None:
    one = commands.add_parser(title, help=does)
    for name, number in wanted.items():
        if name == "json":
            one.add_argument("--json", action="store_true", help="all of it, as JSON")
        elif name == "by":
            one.add_argument("--by", default=getpass.getuser(), help="who says so (kept with the pointer)")
            if title == "promote":
                one.add_argument("--reason", default="promoted by hand", help="why (kept with the pointer)")
                one.add_argument(
                    "--force", action="store_true", help="even where the log of decisions speaks against it"
                )
        else:
            one.add_argument(name, **({"nargs": number} if number else {}))
    one.set_defaults(command=work)


def _list(chosen: argparse.Namespace) -> int:
    from local import stack

    found = stack.versions(chosen.name)
    if chosen.json:
        return _json(found)
    for name, lines in found.items():
        print(f"{name}" if lines else f"{name}: no model yet")
        for one in lines:
            print(f"  {line(one)}")
    return 0


def line(one: Mapping[str, Any]) -> str:
    """A version on one line."""
    mark = "champion" if one["champion"] else "previous" if one["previous"] else ""
    figures = " ".join(f"{name} {value:.4g}" for name, value in one["figures"].items())
    return f"{one['version']:24} {one['kind'] or '?':12} {mark:9} {figures}  {one['reason'] or ''}".rstrip()


def _show(chosen: argparse.Namespace) -> int:
    from local import stack

    found = stack.card(chosen.name, chosen.version)
    if chosen.json:
        return _json(found)
    print("\n".join(shown(chosen.name, found)))
    return 0


def shown(name: str, card: Mapping[str, Any]) -> Iterator[str]:
    """A card in short: what it is, how good, for whom, which gates, what moves it, its limits."""
    state = "champion" if card["champion"] else "previous champion" if card["previous"] else "not in force"
    yield f"{name} {card['version']} ({card.get('kind')}): {state}"
    data = card.get("data") or {}
    said = [f"{title} {data[title]}" for title in ("rows", "snapshot") if title in data]
    yield from [f"  data: {', '.join(said)}"] if said else []
    verdict = card.get("verdict") or {}
    yield f"  verdict: {verdict.get('reason', 'none was kept')}"
    yield from _section("figures", _figures(card.get("metrics") or {}))
    gates = [
        f"{'passed' if one['passed'] else 'FAILED'} {one['name']}: {one['said']}" for one in verdict.get("gates") or []
    ]
    yield from _section("gates", gates)
    yield from _section("segments", [_segment(one) for one in card.get("segments") or []])
    moving = [f"{one['share']:6.1%} {one['name']}" for one in (card.get("importances") or [])[:10]]
    yield from _section("what moves the score", moving)
    yield from _section("limits", [str(one) for one in card.get("limits") or []])
    versions = ", ".join(f"{title} {number}" for title, number in (card.get("libraries") or {}).items())
    yield from [f"  made with: {versions}"] if versions else []


def _figures(metrics: Mapping[str, Any]) -> Iterator[str]:
    for name, held in metrics.items():
        if isinstance(held, list) and len(held) == 3:
            yield f"{name} {held[0]:.4g} ({held[1]:.4g} to {held[2]:.4g})"
        elif isinstance(held, int | float):
            yield f"{name} {held:.4g}"


def _segment(one: Mapping[str, Any]) -> str:
    came, auc = one["was"], one["auc"]
    return f"{one['segment']}: {one['rows']} rows, said {one['said']:.1%}, came {came[0]:.1%}, AUC {auc[0]:.3f} ({auc[1]:.3f} to {auc[2]:.3f})"


def _section(title: str, lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    told = list(lines)
    if told:
        yield f"  {title}:"
        yield from (f"    {one}" for one in told)


def _promote(chosen: argparse.Namespace) -> int:
    from local import stack

    checked = stack.promote(chosen.name, chosen.version, reason=chosen.reason, by=chosen.by, force=chosen.force)
    print(f"{chosen.name}: {chosen.version} is in force ({checked})")
    return 0


def _rollback(chosen: argparse.Namespace) -> int:
    from local import stack

    print(f"{chosen.name}: {stack.roll_back(chosen.name, chosen.version, by=chosen.by)} is in force again")
    return 0


def _progress(chosen: argparse.Namespace) -> int:
    from local import stack

    run = stack.progress(chosen.run)
    if chosen.json:
        return _json(run)
    print("\n".join(progress(run)))
    return 0


def progress(run: Mapping[str, Any]) -> Iterator[str]:
    """A run of trainings, a line a task."""
    yield f"{run['name']} ({run['why']}): {len(run['ended'])} of {len(run['tasks'])} ended"
    for task in run["tasks"]:
        if task in run["ended"]:
            one = run["ended"][task]
            how = "promoted" if one["promoted"] else "broke" if one["failed"] else "not promoted"
            yield f"  {task:32} {how:12} {one['seconds']:7.1f} s  {one['reason']}"
        else:
            begun = run["begun"].get(task)
            yield f"  {task:32} {'under way' if begun else 'waits'}"


def _json(value: Any) -> int:
    print(json.dumps(value, indent=2, ensure_ascii=False))
    return 0
