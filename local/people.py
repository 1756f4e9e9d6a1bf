"""`nudge people forget`: where somebody is; and, with `--yes`, that they are nowhere any more.

In: ids, and the doors' names in the environment (`LAKE_BUCKET`, `PROFILES_TABLE`, `LEDGER_TABLE`, `ARRIVALS_TABLE`); the rights are the
caller's own: no function may erase. Out: lines with places and counts, no address. Exit 1: something is left, and what to do about it.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.acting import moment
from nudge.errors import BadInput
from nudge.settings import Settings
from nudge.vocabulary import Micros

if TYPE_CHECKING:
    from nudge.adapters.s3 import S3Objects
    from nudge.flows.forget import Erased, Forget
    from nudge.flows.forget_look import Found
    from nudge.flows.forget_models import Older


class PeopleSettings(Settings):
    lake_bucket: str
    profiles_table: str
    ledger_table: str
    arrivals_table: str


def add(commands: Any) -> None:
    """The sub-commands."""
    people = commands.add_parser("people", help="erase somebody from every store")
    forget = people.add_subparsers(required=True, metavar="command").add_parser(
        "forget", help="where somebody is; with --yes, erase them"
    )
    forget.add_argument("ids", nargs="*", metavar="ID", help="whom")
    forget.add_argument("--file", type=Path, help="whom, an id a line")
    forget.add_argument("--yes", action="store_true", help="do it; without it nothing is changed")
    forget.set_defaults(command=_forget)


def _now() -> Micros:
    return time.time_ns() // 1000


def _forget(chosen: argparse.Namespace) -> int:
    ids = [*chosen.ids, *(_listed(chosen.file) if chosen.file else ())]
    if not ids:
        raise BadInput("name at least one person, or a file of ids", reason="no_user_id")
    from nudge.flows.forget_models import older

    bucket, forget = flow()
    if not chosen.yes:
        print("\n".join(inventory(forget.find(ids))))
        print("nothing was changed; --yes erases")
        return 0
    begun = _now()
    done = forget(ids, clock=_now)
    print("\n".join(report(done, list(older(bucket, begun)))))
    if done.left:
        print("\n".join(remaining(done.left)), file=sys.stderr)
    return int(bool(done.left))


def _listed(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]


def flow() -> tuple[S3Objects, Forget]:
    """The bucket, and who erases in it; of the stack that the environment names."""
    from nudge.adapters.arrivals import DynamoArrivals
    from nudge.adapters.clients import client
    from nudge.adapters.lake import ObjectsLake
    from nudge.adapters.plans import StoredPlans
    from nudge.adapters.profiles import DynamoProfiles
    from nudge.adapters.s3 import S3Objects
    from nudge.adapters.s3_versions import S3Versions
    from nudge.adapters.traces import DynamoTraces
    from nudge.flows.forget import Forget
    from nudge.flows.forget_look import Look
    from nudge.flows.tombstones import SALT_BYTES, Tombstones

    here, s3, dynamodb = PeopleSettings.read(), client("s3", read_seconds=60), client("dynamodb", read_seconds=60)
    bucket, versions = S3Objects(s3, here.lake_bucket), S3Versions(s3, here.lake_bucket)
    profiles, traces = DynamoProfiles(dynamodb, here.profiles_table), DynamoTraces(dynamodb, here.ledger_table)
    return bucket, Forget(
        look=Look(bucket, versions, profiles, traces, DynamoArrivals(dynamodb, here.arrivals_table)),
        objects=bucket,
        versions=versions,
        lake=ObjectsLake(bucket),
        profiles=profiles,
        traces=traces,
        plans=StoredPlans(bucket, clock=_now),
        tombstones=Tombstones(bucket, lambda: secrets.token_bytes(SALT_BYTES)),
    )


def inventory(found: Found) -> Iterator[str]:
    """Where they are, a line a place."""
    places = found.places()
    if not places:
        yield "nothing was found"
        return
    yield f"{'place':52} {'objects':>8} {'rows':>8}"
    for place, (objects, rows) in places.items():
        yield f"{place:52} {objects:8} {rows:8}"


def report(done: Erased, champions: list[Older]) -> Iterator[str]:
    """What went, what was counted of it, and which models knew of it."""
    yield from inventory(done.found)
    if not done.found:
        return
    for part, counts in _sums(done.found.removed.values()).items():
        yield f"{part}: " + ", ".join(f"{name} {count:g}" for name, count in sorted(counts.items()))
    if not done.left:
        yield "erased, and looked for again: nothing is left"
        yield "what was on its way just now may still arrive: the same command tomorrow finds and removes it"
    for one in champions:
        yield f"model {one.name} {one.version} was trained before ({moment(one.trained_at)}); the next training leaves them out"


def _sums(removed: Any) -> Mapping[str, Mapping[str, float]]:
    total: dict[str, dict[str, float]] = {}
    for counts in removed:
        for part, some in counts.items():
            held = total.setdefault(part, {})
            for name, count in some.items():
                held[name] = held.get(name, 0) + count
    return total


def remaining(left: Found) -> Iterator[str]:
    """What is still there, and what to do about it."""
    yield "nudge people forget: not everything is gone:"
    for stored in left.objects:
        yield f"  {stored.version.key} version {stored.version.version}" + (f": {stored.stays}" if stored.stays else "")
    yield from (f"  Ledger {one.kind}# row of decision {one.decision_id or 'none'}" for one in left.traces)
    yield from ("  Profiles person#" for _ in left.people)
    yield "files that are not prepared yet go when they are (look at the queues and dead letters); then run the same again"
