"""`nudge people forget`, against the embedded AWS, in a bucket without versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cli import main
from nudge.adapters.memory import MemoryObjects
from nudge.adapters.profiles import DynamoProfiles
from nudge.flows.forget_models import Older, older
from nudge.vocabulary import SECOND
from tests.acting import NOON, Aws, aws, person, put_person
from tests.ports.conftest import make_table

LATE = b"user_id,event_type,event_time\nana,visit,2026-11-01\n"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with aws() as here:
        make_table("arrivals")
        for name, value in {**here.environment, "ARRIVALS_TABLE": "arrivals"}.items():
            monkeypatch.setenv(name, value)
        for name in ("ana", "bob"):
            put_person(DynamoProfiles(here.dynamodb, "profiles"), person(name))
        yield here


def people(world: Aws) -> set[str]:
    return {row["id"]["S"] for row in world.dynamodb.scan(TableName="profiles")["Items"]}


def test_without_yes_it_says_where_somebody_is_and_changes_nothing(
    world: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["people", "forget", "ana"]) == 0
    head, place, last = capsys.readouterr().out.splitlines()
    assert head.split() == ["place", "objects", "rows"]
    assert place.split() == ["Profiles", "person#", "1", "1"]
    assert last == "nothing was changed; --yes erases"
    assert people(world) == {"person#ana", "person#bob"}


def test_with_yes_they_are_erased_and_again_nothing_is_found(
    world: Aws, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    listed = tmp_path / "ids.txt"
    listed.write_text("ana\n\n", encoding="utf-8-sig")
    assert main(["people", "forget", "--file", str(listed), "--yes"]) == 0
    assert "erased, and looked for again: nothing is left" in capsys.readouterr().out
    assert people(world) == {"person#bob"}
    assert main(["people", "forget", "ana", "--yes"]) == 0
    assert capsys.readouterr().out == "nothing was found\n"


def test_in_a_bucket_without_versions_what_is_rewritten_stays(world: Aws) -> None:
    key = "campaigns/spring/r/members/0000.json"
    world.s3.put_object(Bucket="lake", Key=key, Body=b'{"members":[["bob",1.0,0.0],["ana",0.5,0.0]]}')
    assert main(["people", "forget", "ana", "--yes"]) == 0
    held = json.loads(world.s3.get_object(Bucket="lake", Key=key)["Body"].read())
    assert held == {"members": [["bob", 1.0, 0.0], ["", 0.0, 0.0]]}


def test_what_is_older_than_the_versions_of_a_bucket_goes_too(world: Aws) -> None:
    for name in ("a", "b"):
        world.s3.put_object(Bucket="lake", Key=f"quarantine/feedback/{name}.json", Body=b'{"to": "ana"}')
    world.s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    world.s3.delete_object(Bucket="lake", Key="quarantine/feedback/b.json")
    assert main(["people", "forget", "ana", "--yes"]) == 0
    assert "Versions" not in world.s3.list_object_versions(Bucket="lake", Prefix="quarantine/")


def test_a_file_that_nobody_prepared_is_left_and_the_command_says_so_and_fails(
    world: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    world.s3.put_object(Bucket="lake", Key="inbox/events/late.csv", Body=LATE)
    assert main(["people", "forget", "ana", "--yes"]) == 1
    told = capsys.readouterr()
    assert "inbox/events/late.csv version null: not prepared yet" in told.err
    assert "then run the same again" in told.err
    assert "nothing is left" not in told.out
    assert people(world) == {"person#bob"}


@pytest.mark.parametrize("arguments", [[], [""], ["--file", "/nowhere/ids.txt"]])
def test_nobody_and_a_file_that_is_not_there_are_said(
    world: Aws, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(["people", "forget", *arguments]) == 1
    assert capsys.readouterr().err.startswith("nudge: ")


def test_the_models_in_force_that_were_trained_before_are_named() -> None:
    objects = MemoryObjects()
    for name, made in (("purchase", NOON - SECOND), ("visit", NOON + SECOND), ("odd", None)):
        objects.put(f"models/{name}/champion.json", json.dumps({"version": "v1"}).encode())
        if made is not None:
            objects.put(f"models/{name}/v1/manifest.json", json.dumps({"created_at": made}).encode())
    assert list(older(objects, NOON)) == [Older("odd", "v1", 0), Older("purchase", "v1", NOON - SECOND)]
