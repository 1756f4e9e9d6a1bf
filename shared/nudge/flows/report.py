"""The report: the lake, what arrived and which models are in force come in; JSON, CSV and a page under `reports/` go out.

Everything is recomputed from the raw rows every time, so a report is whole or is made again; nothing is added up over runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from nudge import plan as plans_of
from nudge.errors import NotFound, Unavailable
from nudge.flows import standing, tombstones
from nudge.flows.trainings.task import tasks_of
from nudge.measure import audience, customers, export, findings, frames, page, prices, privacy, records, tally
from nudge.ports import Arrivals, Lake, Models, Objects, Plans
from nudge.vocabulary import SECOND, Kind, Micros, Plan

LATEST = "reports/latest/report"
FORMATS = {"html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8", "json": "application/json"}
LISTINGS = 5
"""How often the lake is listed anew when compaction takes parts away under our hands."""


@dataclass(frozen=True, slots=True)
class Report:
    """Make the report of now. `smallest_group` withholds every count below it and what could give it away (1: nothing);
    `models` verifies the signatures of what is shown of models (None: the report says that nobody did)."""

    lake: Lake
    reports: Objects  # also holds models/, the quality reports and privacy/
    plans: Plans
    arrivals: Arrivals
    smallest_group: int = 1
    models: Models | None = None

    def __call__(self, *, now: Micros, truth: Mapping[str, float] | None = None) -> dict[str, Any]:
        """The report, also written to `reports/<day>/` and `reports/latest/`.

        `truth` (a simulation's true incremental value by activity) is shown beside the estimates. Raises NotReady when no
        plan was ever published.
        """
        plan = plans_of.load(self.plans.current())
        body = self._figures(plan, now)
        body["data_quality"] = standing.data_quality(self.reports, list(self.arrivals.all()))
        body["data_quality"]["erased"] = privacy.cells(tombstones.summary(self.reports), self.smallest_group)
        tasks = tasks_of(plan)
        body["forecasts"] = standing.forecasts(
            self.reports, [one.name for one in tasks if one.kind == "demand"], self.models
        )
        body["costs"] = prices.costs()
        body["models"] = standing.models(self.reports, [one.name for one in tasks], self.models)
        if truth:
            body = findings.with_truth(body, truth)
        body = privacy.withhold(body, self.smallest_group)
        report = {"generated_at": tally.moment(now).isoformat(), "checksum": checksum(body), **body}
        self._write(report)
        return report

    def _figures(self, plan: Plan, now: Micros) -> dict[str, Any]:
        order = customers.order_event(plan)
        wanted = [name for goal in plan.goals.values() for name in (goal.event, goal.after) if name is not None]
        events = self._read("events", frames.EVENTS, pl.col("event_type").is_in([*wanted, *([order] if order else [])]))
        outcomes = self._read("outcomes", frames.OUTCOMES)
        evidence = self._evidence(plan, order, events.filter(pl.col("event_type").is_in(wanted)), outcomes, now)
        body = findings.report_body(evidence)
        body["customers"] = customers.section(
            evidence,
            events.filter(pl.col("event_type") == order),
            users=self._read("users", audience.USERS),
            items=self._read("items", audience.ITEMS),
            outcomes=outcomes,
        )
        return body

    def _evidence(
        self, plan: Plan, order: str | None, events: pl.DataFrame, outcomes: pl.DataFrame, now: Micros
    ) -> findings.Evidence:
        parts = self._each(
            "decisions", lambda one: (frames.of_part(one, frames.DECISIONS), records.of_part(one, order))
        )
        decisions = frames.together((made for made, _ in parts), frames.DECISIONS)
        return findings.Evidence(
            plan=plan,
            decisions=decisions,
            events=events.join(decisions, on="user_id", how="semi", maintain_order="left"),
            outcomes=outcomes.filter(pl.col("decision_id").is_not_null()),
            now=now,
            told=records.together(told for _, told in parts),
        )

    def _read(self, kind: Kind, schema: Mapping[str, pl.DataType], only: pl.Expr | None = None) -> pl.DataFrame:
        return frames.together(self._each(kind, lambda one: frames.of_part(one, schema, only)), schema)

    def _each[Found](self, kind: Kind, look: Callable[[bytes], Found]) -> list[Found]:
        """What is found in each part of a kind as of one listing, one part in memory at a time: a part that went away was merged into
        another, so list again."""
        for _ in range(LISTINGS):
            try:
                return [look(self.lake.get(part.key)) for part in self.lake.parts(kind)]
            except NotFound:
                continue
        raise Unavailable(f"lake/{kind} changed {LISTINGS} times while it was read")

    def _write(self, report: Mapping[str, Any]) -> None:
        day = report["generated_at"][:10]
        bodies = {
            "html": page.page(report),
            "zh.html": page.page(report, "zh"),
            "csv": export.to_csv(report),
            "json": json.dumps(report, allow_nan=False),
        }
        for place in (f"reports/{day}/report", LATEST):
            for ending, text in bodies.items():
                self.reports.put(f"{place}.{ending}", text.encode(), content_type=FORMATS[ending.rpartition(".")[2]])


def checksum(figures: Mapping[str, Any]) -> str:
    """SHA-256 of the figures alone: the same data as of the same moment gives the same, whoever computes it."""
    return hashlib.sha256(json.dumps(figures, sort_keys=True, allow_nan=False).encode()).hexdigest()


def latest(reports: Objects, ending: str = "json", spoken: str = "") -> tuple[str, Micros]:
    """The newest report as `json`, `csv` or `html` text, and when it was written; the page in the language `spoken` (a tag, or an
    Accept-Language header) where it is one of ours, else in English. Raises NotFound until one was made."""
    chinese = ending == "html" and spoken.lower().startswith("zh")
    key = f"{LATEST}.{'zh.' if chinese else ''}{ending}"
    try:
        return reports.get(key).decode(), reports.head(key).modified_at
    except NotFound:
        raise NotFound("no report was made yet; it is made on schedule, or by invoking `report`") from None


def age_hours(made_at: Micros, now: Micros) -> float:
    """How old a report is, in hours; never below 0."""
    return max(now - made_at, 0) / (3600 * SECOND)
