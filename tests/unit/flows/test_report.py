"""The report as a whole: it equals a recomputation from raw rows, survives every interruption and repeats to the byte."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import replace
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from nudge.adapters.memory import MemoryObjects, MemoryPlans
from nudge.adapters.memory_arrivals import MemoryArrivals
from nudge.errors import NotFound, NotReady
from nudge.flows.report import Report, age_hours, latest
from nudge.flows.tombstones import Tombstones
from nudge.ports import ObjectInfo
from nudge.vocabulary import SECOND, Chunk, Counts
from tests.unit.measure import world

NOW = world.micros(world.NOW)


@dataclass
class Shelf:
    """A lake of bodies by kind, in any number of parts."""

    bodies: dict[str, list[bytes]] = field(default_factory=dict)
    vanishing: int = 0

    def put(self, kind: str, day: str, body: bytes, *, label: str = "") -> str:
        self.bodies.setdefault(kind, []).append(body)
        return f"lake/{kind}/dt={day}/{label}{sha256(body).hexdigest()[:32]}.parquet"

    def parts(self, kind: str, *, since: str | None = None, until: str | None = None) -> list[ObjectInfo]:
        return [ObjectInfo(f"{kind}/{n}", len(body), "", None, 0) for n, body in enumerate(self.bodies.get(kind, []))]

    def get(self, key: str) -> bytes:
        if self.vanishing:
            self.vanishing -= 1
            raise NotFound(f"{key} was merged away")
        kind, _, number = key.partition("/")
        return self.bodies[kind][int(number)]

    def drop(self, keys: Sequence[str]) -> None:
        raise AssertionError("a report drops nothing")


def lake_of(shop: Any, parts: int = 1, *, twice: bool = False) -> Shelf:
    shelf = Shelf()
    for kind in ("decisions", "events", "outcomes", "users", "items"):
        bodies = shop.bodies(kind, parts)
        shelf.bodies[kind] = [*bodies, *(reversed(bodies) if twice else [])]
    return shelf


def flow(lake: Shelf, reports: Any = None, **other: Any) -> Report:
    return Report(lake, reports or MemoryObjects(), MemoryPlans(world.PLAN), MemoryArrivals(), **other)


@pytest.fixture(scope="module")
def shop() -> Any:
    return world.shop(1200, seed=3)


def recomputed(shop: Any, name: str) -> dict[str, Any]:
    """The same figures again, in plain Python from the raw rows, sharing nothing with the product but the definitions."""
    activity = world.PLAN["activities"][name]
    goal = world.PLAN["goals"][activity["goal"]]
    length = timedelta(days=goal["within_days"])
    first: dict[str, dict[str, Any]] = {}
    for row in sorted(shop.decisions, key=lambda row: (row["decided_at"], row["decision_id"])):
        if row["chosen"] == name:
            first.setdefault(row["user_id"], row)
    seen: dict[str, list[Any]] = {}
    for row in shop.events:
        if row["event_type"] == goal["event"]:
            seen.setdefault(row["user_id"], []).append(row)
    result: dict[str, Any] = {}
    for group in ("treatment", "holdout"):
        people = [one for one in first.values() if one["group"] == group]
        judged = [one for one in people if one["decided_at"] + length <= world.NOW]
        values = []
        for one in judged:
            inside = [
                e
                for e in seen.get(one["user_id"], [])
                if one["decided_at"] <= e["event_time"] < one["decided_at"] + length
            ]
            fixed = isinstance(goal["value"], float)
            values.append(
                (bool(inside), (goal["value"] if inside else 0.0) if fixed else sum(e["value"] for e in inside))
            )
        result[group] = {
            "all": len(people),
            "people": len(judged),
            "converted": sum(1 for hit, _ in values if hit),
            "value": sum(value for _, value in values),
        }
    treated, held = result["treatment"], result["holdout"]
    result["gain"] = (treated["value"] / treated["people"] - held["value"] / held["people"]) * treated["people"]
    of = {row["decision_id"] for row in shop.decisions if row["activity"] == name}
    ends: dict[str, set[str]] = {}
    for row in shop.outcomes:
        if row["decision_id"] in of:
            ends.setdefault(row["event_type"], set()).add(row["decision_id"])
    result["ends"] = {kind: len(ids) for kind, ids in ends.items()}
    return result


def activities(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["activity"]: one for goal in report["goals"] for one in goal["activities"]}


@pytest.mark.parametrize("name", list(world.PLAN["activities"]))
def test_the_report_equals_a_plain_recomputation_from_raw_rows(shop: Any, name: str) -> None:
    shown = activities(flow(lake_of(shop, 3))(now=NOW))[name]
    plain = recomputed(shop, name)
    for group in ("treatment", "holdout"):
        assert shown["people"][group] == plain[group]["all"]
        assert shown["conversions"][group]["people"] == plain[group]["people"]
        assert shown["conversions"][group]["converted"] == plain[group]["converted"]
        assert shown["conversions"][group]["value"] == pytest.approx(plain[group]["value"], abs=1e-5)
    assert shown["incremental_value"]["estimate"] == pytest.approx(plain["gain"], abs=1e-5)
    sent = plain["ends"].get("email_sent", 0) + plain["ends"].get("inline_shown", 0)
    assert shown["messages"]["sent"] == sent
    assert shown["messages"]["clicked"] == plain["ends"].get("email_click", 0)
    assert shown["messages"]["skipped"] == plain["ends"].get("email_skipped", 0)


def test_rows_that_lie_in_the_lake_twice_and_in_any_order_change_not_a_byte(shop: Any) -> None:
    once, twice = MemoryObjects(), MemoryObjects()
    flow(lake_of(shop), once)(now=NOW)
    flow(lake_of(shop, 4, twice=True), twice)(now=NOW)
    for ending in ("json", "csv", "html", "zh.html"):
        assert once.get(f"reports/latest/report.{ending}") == twice.get(f"reports/latest/report.{ending}")


def test_the_same_lake_at_the_same_moment_gives_the_same_checksum_and_bytes(shop: Any) -> None:
    reports = MemoryObjects()
    first = flow(lake_of(shop), reports)(now=NOW)
    bodies = {one.key: reports.get(one.key) for one in reports.list("reports/")}
    assert flow(lake_of(shop), reports)(now=NOW) == first
    assert {one.key: reports.get(one.key) for one in reports.list("reports/")} == bodies
    assert sorted(bodies) == sorted(
        f"reports/{place}/report.{ending}"
        for place in ("2026-04-06", "latest")
        for ending in ("csv", "html", "json", "zh.html")
    )
    figures = {name: value for name, value in first.items() if name not in ("generated_at", "checksum")}
    assert first["checksum"] == sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest()


class Dies(MemoryObjects):
    """A bucket whose n-th write never happens, or happens and its answer is lost."""

    def __init__(self, at: int, *, after: bool) -> None:
        super().__init__()
        self.left, self.after = at, after

    def put(self, key: str, body: bytes, **options: Any) -> str:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise KeyboardInterrupt
        etag = super().put(key, body, **options)
        if self.left == 0:
            raise KeyboardInterrupt
        return etag


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 9))
def test_killed_at_any_write_and_made_again_it_is_whole(at: int, after: bool) -> None:
    lake, whole, reports = lake_of(world.shop(60)), MemoryObjects(), Dies(at, after=after)
    flow(lake, whole)(now=NOW)
    with pytest.raises(KeyboardInterrupt):
        flow(lake, reports)(now=NOW)
    flow(lake, reports)(now=NOW)
    assert {one.key: reports.get(one.key) for one in reports.list("")} == {
        one.key: whole.get(one.key) for one in whole.list("")
    }


def test_parts_that_are_merged_away_while_it_reads_are_listed_again(shop: Any) -> None:
    lake = lake_of(shop)
    expected = flow(lake)(now=NOW)
    lake.vanishing = 2
    assert flow(lake)(now=NOW) == expected


def test_an_empty_lake_gives_a_report_that_says_so() -> None:
    reports = MemoryObjects()
    report = flow(Shelf(), reports)(now=NOW)
    assert report["total"]["incremental_value"]["estimate"] is None
    assert report["period"]["from"] is None
    assert "Nothing to report yet" in latest(reports, "html")[0]


def test_without_a_plan_there_is_no_report() -> None:
    with pytest.raises(NotReady):
        Report(Shelf(), MemoryObjects(), MemoryPlans(None), MemoryArrivals())(now=NOW)


def test_before_the_first_report_the_latest_is_not_found() -> None:
    with pytest.raises(NotFound, match="no report was made yet"):
        latest(MemoryObjects())


def test_a_simulation_sees_the_truth_beside_the_estimate(shop: Any) -> None:
    report = flow(lake_of(shop))(now=NOW, truth={"discount_mail": 700.0})
    assert activities(report)["discount_mail"]["truth"] == {"incremental_value": 700.0}
    assert "truth" not in activities(report)["banner"]


def test_no_count_of_people_or_messages_below_the_smallest_group_is_shown(shop: Any) -> None:
    report = flow(lake_of(shop), smallest_group=25)(now=NOW)

    def small(value: Any) -> list[int]:
        if isinstance(value, dict):
            return [found for held in value.values() for found in small(held)]
        if isinstance(value, list):
            return [found for held in value for found in small(held)]
        return [value] if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 25 else []

    shown = [*activities(report).values(), report["programme"]]
    assert [small(one[part]) for one in shown for part in ("people", "conversions") if part in one] == [[]] * 10
    assert [small(one["messages"]) + small(one["decisions"]) for one in activities(report).values()] == [[]] * 4


def test_a_report_has_an_age_and_it_is_never_negative() -> None:
    assert age_hours(NOW - 7200 * SECOND, NOW) == 2.0
    assert age_hours(NOW + 1, NOW) == 0.0


def test_the_models_in_force_and_why_rows_were_rejected_are_told_as_their_makers_wrote_them() -> None:
    objects, arrivals = MemoryObjects(), MemoryArrivals()
    written: dict[str, Any] = {
        "models/purchase/champion.json": {"version": "v2", "reason": "better by 0.01"},
        "models/purchase/v2/card.json": {"kind": "boosting", "metrics": {"auc": [0.7, 0.6, 0.8], "odd": "text"}},
        "models/purchase/v2/verdict.json": {"reason": "better by 0.01"},
        "models/purchase/v3/verdict.json": {"reason": "not better by more than noise"},
        "models/visit/v1/verdict.json": {"reason": "too little data"},
        "reports/quality/c1.json": {"reasons": {"bad_time": 3, "no_person": 1}},
    }
    for key, value in written.items():
        objects.put(key, json.dumps(value).encode())
    chunk = Chunk("c1", "events", "lake", "inbox/events/a.csv", None, "e", 0, "csv")
    arrivals.claim("c1", bucket="lake", key=chunk.key, kind="events", chunks=1, owner="o", now=0)
    arrivals.chunk_done(chunk, Counts(10, 6, 4, 0), [], 0)
    report = Report(Shelf(), objects, MemoryPlans(world.PLAN), arrivals)(now=NOW)
    purchase, visit = report["models"][:2]
    assert (purchase["kind"], purchase["version"], purchase["reason"]) == ("boosting", "v2", "better by 0.01")
    assert purchase["metrics"] == {"auc": {"value": 0.7, "low": 0.6, "high": 0.8}}
    assert purchase["challenger"] == {"version": "v3", "reason": "not better by more than noise"}
    assert (visit["kind"], visit["challenger"]["reason"]) == (None, "too little data")
    events = next(one for one in report["data_quality"]["rows"] if one["kind"] == "events")
    assert events["reasons"] == [{"reason": "bad_time", "count": 3}, {"reason": "no_person", "count": 1}]
    assert report["data_quality"]["quarantine_share"] == 0.4
    assert report["data_quality"]["reconciles"]


def test_a_report_says_how_many_were_erased_and_what_it_no_longer_counts() -> None:
    objects = MemoryObjects()
    stones = Tombstones(objects, lambda: b"s" * 32)
    stones.bury({"ana": {"decisions": {"mail": 3}}, "bob": {"decisions": {"mail": 1, "nothing": 2}}}, now=NOW)
    report = Report(Shelf(), objects, MemoryPlans(world.PLAN), MemoryArrivals())
    assert report(now=NOW)["data_quality"]["erased"] == {"people": 2, "decisions": 6}
    page = objects.get("reports/latest/report.html").decode()
    assert "People erased: 2. Decisions that are no longer counted: 6." in page
    few = replace(report, smallest_group=5)(now=NOW)["data_quality"]["erased"]
    assert few == {"people": None, "decisions": None}
