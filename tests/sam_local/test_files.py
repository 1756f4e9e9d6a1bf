"""Arrive (zip), prepare (image) and train (image) by `sam local invoke`: a file becomes tasks, rows, people, a model."""

from __future__ import annotations

import io
import json
from typing import Any

import polars as pl
import pytest

from tests.sam_local.shop import events_csv, publish_plan
from tests.sam_local.stack import Stack
from tests.stores import event_file, queue_event

pytestmark = pytest.mark.sam_local

DIRTY = b"""event_id,user_id,event_type,event_time,value,currency
f1,file-ana,purchase,2026-11-01T10:00:00Z,12.50,EUR
f1,file-ana,purchase,2026-11-01T10:00:00Z,12.50,EUR
f2,file-bo,page_view,2026-11-02T10:00:00Z,,
f3,,page_view,2026-11-02T10:00:00Z,,
f4,file-bo,page_view,yesterday,,
"""


def arrive(stack: Stack, key: str, body: bytes) -> list[Any]:
    """The tasks that come of a file."""
    answer = stack.invoke("Arrive", stack.upload(key, body))
    assert answer == {"batchItemFailures": []}
    return stack.take("ChunkQueue")


def prepare(stack: Stack, tasks: list[Any]) -> None:
    answer = stack.invoke("Prepare", queue_event("prepare.chunk", *tasks))
    assert answer == {"batchItemFailures": []}


def lake(stack: Stack, kind: str) -> pl.DataFrame:
    parts = [pl.read_parquet(io.BytesIO(stack.read(key))) for key in stack.keys(f"lake/{kind}/")]
    return pl.concat(parts) if parts else pl.DataFrame({"user_id": []})


def test_a_file_becomes_rows_people_and_rejects_with_reasons(deployed: Stack) -> None:
    publish_plan(deployed)
    tasks = arrive(deployed, "inbox/events/dirty + odd.csv", DIRTY)
    assert [(task["task"], task["kind"], task["format"]) for task in tasks] == [("chunk", "events", "csv")]
    content = tasks[0]["content"]
    assert [row["state"]["S"] for row in deployed.rows("Arrivals", f"content#{content}")] == ["queued"]

    prepare(deployed, tasks)
    rows = lake(deployed, "events").filter(pl.col("user_id").str.starts_with("file-"))
    assert sorted(rows["event_id"]) == ["f1", "f2"]
    report = json.loads(deployed.read(f"reports/quality/{content}.json"))
    counts = {name: report[name] for name in ("read", "accepted", "rejected", "duplicate")}
    assert counts == {"read": 5, "accepted": 2, "rejected": 2, "duplicate": 1}
    assert deployed.keys(f"quarantine/events/{content}/")
    assert len(deployed.rows("Profiles", "person#file-")) == 2

    before = deployed.keys("lake/")
    prepare(deployed, tasks)  # the queue delivers at least once
    assert deployed.keys("lake/") == before


def test_the_same_notification_twice_makes_no_second_task(deployed: Stack) -> None:
    event = deployed.upload("inbox/events/twice.csv", DIRTY)
    assert deployed.invoke("Arrive", event) == deployed.invoke("Arrive", event) == {"batchItemFailures": []}
    assert len(deployed.take("ChunkQueue")) == 1


def test_a_training_leaves_a_signed_champion_or_says_why_not(deployed: Stack) -> None:
    publish_plan(deployed)
    prepare(deployed, arrive(deployed, "inbox/events/history.csv", events_csv(people=250, days=150)))
    begun = deployed.invoke("Train", event_file("train.schedule"))
    assert {"purchase", "visit"} <= set(begun["tasks"]), begun
    for run in deployed.take("TrainingQueue"):
        assert deployed.invoke("Train", queue_event("train.run", run)) == {"batchItemFailures": []}
    run = json.loads(deployed.read(f"models/.training/{begun['run']}.json"))
    assert set(run["ended"]) == set(begun["tasks"])
    assert not [one["reason"] for one in run["ended"].values() if one["failed"]]
    purchase = run["ended"]["purchase"]
    assert (purchase["promoted"], purchase["failed"]) == (True, False), purchase
    pointer = json.loads(deployed.read("models/purchase/champion.json"))
    assert pointer["version"] == purchase["version"]
    assert pointer["mac"]
    manifest = json.loads(deployed.read(f"models/purchase/{pointer['version']}/manifest.json"))
    assert {"model.json", "card.json"} <= set(manifest["files"])


def test_a_report_is_made_in_the_image(deployed: Stack) -> None:
    publish_plan(deployed)
    deployed.invoke("Report", event_file("report.schedule"))
    assert {"reports/latest/report.json", "reports/latest/report.html"} <= set(deployed.keys("reports/latest/"))
