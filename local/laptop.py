"""Nudge on a laptop: the doors, what calls them, and the handful of things that people do with it from outside.

In: files, requests, a plan, the time. Out: what the doors answered, and counts read from the stores. Everything that is
done here is done to the deployed stack: objects are put, routes are called, schedules are fired.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from local.aws import EmbeddedAws
from local.clock import Clock
from local.http import Answer
from local.lambda_part import Lambda
from local.ses import Reader, delivered
from local.translate import TEMPLATE
from nudge import plan as plans
from nudge.adapters import plans as stored_plans
from nudge.adapters.arrivals import DynamoArrivals
from nudge.adapters.clients import client
from nudge.adapters.kms import KmsSigner
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.models import StoredModels
from nudge.adapters.plans import StoredPlans
from nudge.adapters.s3 import S3Objects
from nudge.errors import NotFound
from nudge.flows.report import FORMATS, Report
from nudge.flows.train import NOT_READY
from nudge.flows.trainings import tasks_of
from nudge.vocabulary import KINDS, Counts, Kind

IDENTITY: Mapping[Kind, tuple[str, ...]] = {
    "users": ("user_id", "effective_at"),
    "events": ("user_id", "event_id"),
    "items": ("item_id", "effective_at"),
    "decisions": ("decision_id",),
    "outcomes": ("user_id", "event_id"),
}
"""What makes a row of the lake one and the same, by kind."""


class Laptop:
    """A running stack. Made by `running`."""

    def __init__(self, aws: EmbeddedAws, part: Lambda, clock: Clock, out: Path) -> None:
        self.aws = aws
        self.part = part
        self.clock = clock
        self.out = out

    @classmethod
    @contextlib.contextmanager
    def running(
        cls, clock: Clock, out: Path, *, reader: Reader = delivered, template: Path = TEMPLATE, **parameters: str
    ) -> Iterator[Laptop]:
        """Start the embedded AWS and everything that calls the doors; all is gone at the end."""
        with (
            clock,
            EmbeddedAws(template, **parameters) as aws,
            Lambda(aws, clock, out, reader=reader) as part,
        ):
            yield cls(aws, part, clock, out)

    @cached_property
    def bucket(self) -> S3Objects:
        return S3Objects(client("s3"), self.aws.environment["LAKE_BUCKET"])

    @cached_property
    def arrivals(self) -> DynamoArrivals:
        return DynamoArrivals(client("dynamodb"), self.aws.environment["ARRIVALS_TABLE"])

    # ── what people do ───────────────────────────────────────────────────────────────────────────────────────────────
    def publish(self, plan: str, *, name: str = "plan.yaml", templates: Path | None = None) -> dict[str, Any]:
        """Put a plan (YAML text) and its templates in force. Raises BadInput with every mistake, by line."""
        checked = plans.parse(plan, name=name)
        if templates is not None:
            for path in sorted(templates.glob("*.json")):
                self.bucket.put(f"templates/{path.name}", path.read_bytes(), content_type="application/json")
        stored_plans.publish(self.bucket, plan, checked)
        return checked

    def drop(self, key: str, body: bytes) -> None:
        """Put a file into the inbox."""
        self.bucket.put(key, body)

    def request(self, method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Call the API."""
        return self.part.api.request(method, target, body, headers)

    def decide(self, user_id: str, goal: str, *, key: str, context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask what to do for a person now. Raises RuntimeError when the API refuses."""
        body = {"user_id": user_id, "goal": goal, **({"context": dict(context)} if context else {})}
        answer = self.request("POST", "/v1/decisions", body, {"Idempotency-Key": key})
        if answer.status != 200:
            raise RuntimeError(f"POST /v1/decisions answered {answer.status}: {answer.body[:500]}")
        decision: dict[str, Any] = answer.json()
        return decision

    def settle(self) -> int:
        """Let everything that was started come to its end."""
        return self.part.settle()

    def compact(self) -> Any:
        return self.part.fire("compact")

    def train(self, *names: str) -> None:
        """Train all that the plan wants, as its schedule would, to the end of the run; or these models only, as by hand. Warm
        doors see the champions at once."""
        self.part.fire("train", {"goals": [*names]} if names else None)
        self.part.settle()
        self.part.doors.cold()

    def report(self, truth: Mapping[str, float] | None = None) -> dict[str, Any]:
        """Make the report, as its schedule would; with a simulation's `truth` beside it, when there is one. The JSON as the
        API answers it; the page lies in the folder `out`."""
        self.part.fire("report")
        if truth is not None:
            lake, plans_in_force = ObjectsLake(self.bucket), StoredPlans(self.bucket, clock=self.clock.now)
            report = Report(lake, self.bucket, plans_in_force, self.arrivals, models=self.models)
            report(now=self.clock.now(), truth=truth)
        for ending, kind in FORMATS.items():
            answer = self.request("GET", "/v1/reports/latest", headers={"Accept": kind})
            if answer.status != 200:
                raise RuntimeError(f"GET /v1/reports/latest answered {answer.status}: {answer.body[:500]}")
            (self.out / f"report.{ending}").write_text(answer.body, encoding="utf-8")
        made: dict[str, Any] = json.loads((self.out / "report.json").read_text(encoding="utf-8"))
        return made

    # ── what is there ────────────────────────────────────────────────────────────────────────────────────────────────
    def lake(self, kind: Kind) -> pl.DataFrame:
        """Every part of a kind in one frame."""
        parts = [pl.read_parquet(self.bucket.get(part.key)) for part in self.bucket.list(f"lake/{kind}/")]
        return pl.concat(parts, how="diagonal_relaxed") if parts else pl.DataFrame()

    def rows(self) -> dict[str, dict[str, int]]:
        """Rows by kind: read, accepted, rejected, duplicate. Accepted is what the lake holds, each thing once: a row that
        stands in two files is a duplicate wherever it came second. Raises RuntimeError when the sum is not exact."""
        arrived: dict[Kind, Counts] = {}
        for one in self.arrivals.all():
            arrived[one.kind] = arrived.get(one.kind, Counts()) + one.counts
        told: dict[str, dict[str, int]] = {}
        for kind in (kind for kind in KINDS if kind in arrived):
            counts, frame = arrived[kind], self.lake(kind)
            held = frame.select(IDENTITY[kind]).n_unique() if len(frame) else 0
            duplicate = counts.read - counts.rejected - held
            if duplicate < counts.duplicate:
                raise RuntimeError(f"{kind}: {counts} but the lake holds {held}: rows were made up")
            told[kind] = {
                "read": counts.read,
                "accepted": held,
                "rejected": counts.rejected,
                "duplicate": duplicate,
            }
        return told

    @cached_property
    def models(self) -> StoredModels:
        signer = KmsSigner(client("kms"), self.aws.environment["MODEL_KEY_ID"])
        return StoredModels(self.bucket, signer, clock=self.clock.now, fresh_for=0)

    def verdicts(self) -> dict[str, dict[str, Any]]:
        """By name: the model in force (the newest one when none is), its figures, and what the gate said of it."""
        found: dict[str, dict[str, Any]] = {}
        for task in tasks_of(plans.load(StoredPlans(self.bucket, clock=self.clock.now).current())):
            versions = self.models.versions(task.name)
            told = next((one for one in reversed(versions) if one["champion"]), versions[-1] if versions else None)
            if told is None:
                found[task.name] = {
                    "kind": None,
                    "version": None,
                    "metrics": {},
                    "gate": {"promoted": False, "reason": self._not_ready(task.name)},
                }
                continue
            found[task.name] = {
                "kind": told["kind"],
                "version": told["version"],
                "metrics": told["metrics"],
                "gate": {name: (told.get("verdict") or {}).get(name) for name in ("promoted", "reason")},
                "champion": told["champion"],
                "versions": len(versions),
            }
        return found

    def _not_ready(self, name: str) -> str:
        """Why there is no version of a model."""
        try:
            told = json.loads(self.bucket.get(f"models/{name}/{NOT_READY}/verdict.json"))
        except NotFound:
            return "not trained yet"
        return str(told["reason"])

    def messages(self) -> dict[str, int]:
        """Messages by the state they are in."""
        counts: dict[str, int] = {}
        pages = client("dynamodb").get_paginator("scan").paginate(TableName=self.aws.environment["LEDGER_TABLE"])
        for page in pages:
            for row in page["Items"]:
                if row["id"]["S"].startswith("message#"):
                    state = row["state"]["S"]
                    counts[state] = counts.get(state, 0) + 1
        return dict(sorted(counts.items()))


type Progress = Callable[[str, int, int], None]
"""Told of a step by name, how far it is, and of how much."""


def silent(step: str, done: int, total: int) -> None:
    """Nobody watches."""
