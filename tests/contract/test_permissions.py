"""Every door does its work in the embedded AWS, and each thing it asks for is allowed to its own role, and nothing idle is.

Nobody here can try the policies on AWS; this tries them on the calls that the code really makes.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from local import cli
from local.aws import EmbeddedAws
from local.build import ROOT
from nudge.act import link, token
from nudge.adapters.clients import client
from nudge.adapters.kms import KmsSigner
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.profiles import DynamoProfiles
from nudge.vocabulary import DAY
from tests.acting import person, put_person
from tests.contract import campaigns, channels, inventory
from tests.contract.policies import Asked, allows, recorded, statements
from tests.sam_local.shop import a_waiting_message, events_csv, publish_plan
from tests.stores import Stores, event_file, queue_event

BY_LAMBDA_ITSELF = {"WriteItsOwnLogs", "TakeFromItsQueue", "FollowTheLedger", "ReportWhatItCouldNotDo"}
BY_STORES = {"UseTheDataKeyThroughItsStores"}
"""Statements that are used on a function's behalf, by Lambda's pollers or by the stores: no call of ours shows them."""

AFTER_A_LOST_RACE = {("RecordDecisions", "dynamodb:GetItem"), ("TellJourneysWhatHappened", "dynamodb:GetItem")}
"""Used only when a transaction was refused, to see whether what stands there is our own."""

PLACE = re.compile(r"^\| `((?:s3|Profiles|Ledger|Arrivals) [^`]+)` \|", re.MULTILINE)
"""A row of the inventory."""

LATER = {f"s3 {place}/" for place in ("inbox/decisions", "lake/decisions", "quarantine/users")}
"""What a longer day would fill: decisions come back through the inbox, and rejected rows are kept as they came."""

CONTEXT: Any = SimpleNamespace(
    function_name="f",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:::f",
    aws_request_id="r",
    get_remaining_time_in_millis=lambda: 900_000,
)


class House:
    """The doors, each called as its function would be, with what each asked AWS for."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.asked: dict[str, list[Asked]] = {}

    def call(self, function: str, event: dict[str, Any]) -> Any:
        door = import_module(f"functions.{function.lower()}.handler")
        _forget(door)
        with recorded() as asked:
            answer = door.handler(event, CONTEXT)
        _forget(door)
        self.asked.setdefault(function, []).extend(asked)
        return answer


def _forget(door: Any) -> None:
    """A warm door holds clients of another AWS."""
    for value in vars(door).values():
        clear = getattr(value, "cache_clear", None)
        if clear is not None:
            clear()


def _http(method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
    event = event_file("decide.request")
    event |= {"rawPath": path, "routeKey": f"{method} {path}", "body": json.dumps(body)}
    event["headers"] |= headers
    event["requestContext"]["http"] |= {"method": method, "path": path}
    return event


def _live(house: House) -> None:
    """A day in the life: files, requests, a training, decisions, a message, its bounce, an unsubscribe, a report."""
    stores = house.stores
    house.call("Collect", event_file("collect.batch"))
    house.call("Collect", event_file("collect.identify"))
    house.call("Collect", event_file("collect.ledger"))
    for key, body in _files():
        house.call("Arrive", stores.upload(key, body))
        for task in stores.take("ChunkQueue"):
            told = house.call("Prepare", queue_event("prepare.chunk", task))
            assert told == {"batchItemFailures": []}, key
    house.call("Arrive", _without_a_version(stores))
    house.call("Arrive", _gone(stores))
    house.call("Prepare", {"task": "compact"})
    house.call("Train", event_file("train.schedule"))
    for run in stores.take("TrainingQueue"):
        assert house.call("Train", queue_event("train.run", run)) == {"batchItemFailures": []}
    house.call("Train", event_file("train.drift"))
    put_person(DynamoProfiles(client("dynamodb"), stores.physical("Profiles")), person("live-ana"))
    for number in range(4):
        key = {"idempotency-key": f"k{number}"}
        answer = house.call("Decide", _http("POST", "/v1/decisions", {"user_id": "live-ana"}, **key))
        assert answer["statusCode"] == 200, answer
    client("sesv2").create_email_identity(EmailIdentity="shop.example")
    waiting = a_waiting_message(stores, "live-ana")
    house.call("Deliver", event_file("deliver.sweep"))
    house.call("Deliver", queue_event("deliver.message", {"decision_id": waiting}))
    channels.live(stores, lambda event: house.call("Deliver", event))
    campaigns.live(stores, house.call)
    unsure = a_waiting_message(stores, "live-ana")
    ledger = DynamoLedger(client("dynamodb"), stores.physical("Ledger"))
    assert ledger.claim(unsure, owner="a worker that died", now=time.time_ns() // 1000)
    house.call("Feedback", _mail_event(stores, "feedback.click", **_about(unsure)))
    house.call("Feedback", _mail_event(stores, "feedback.bounce", **_about(waiting)))
    house.call("Feedback", _mail_event(stores, "feedback.bounce", eventType="Novelty"))
    for name in ("feedback.sms_delivered", "feedback.sms_stop"):
        house.call("Feedback", _mail_event(stores, name, "TextEvents", context={"decision_id": waiting}))
    house.call("Feedback", _mail_event(stores, "feedback.push_gone", "PushEvents"))
    house.call("Feedback", _http("POST", f"/u/{_token(stores, waiting)}"))
    house.call("Feedback", _http("GET", f"/c/{_link(stores, waiting)}"))
    house.call("Report", event_file("report.schedule"))
    house.call("Report", event_file("report.latest"))
    house.call("Report", event_file("report.events"))
    house.call("Console", event_file("console.shell"))
    told = house.call("Console", _http("GET", "/v1/people/live-ana/timeline"))
    assert json.loads(told["body"])["decisions"], told


def _files() -> Iterator[tuple[str, bytes]]:
    dirty = b"user_id,event_type,event_time\n,nobody,2026-11-01T00:00:00Z\nlive-bo,page_view,2026-11-01T00:00:00Z\n"
    yield "inbox/users/people.csv", b"user_id,email,email_consent\nlive-bo,bo@customer.example,true\n"
    yield "inbox/users/changed.csv", b"user_id,email,email_consent\nlive-bo,bo@customer.example,false\n"
    yield "inbox/items/items.csv", b"item_id,title\ni1,Shoe\n"
    yield "inbox/events/dirty.csv", dirty
    yield "inbox/events/again.csv", dirty.replace(b"page_view", b"visit")
    yield "inbox/events/history.csv", events_csv(people=120, days=90)


def _gone(stores: Stores) -> dict[str, Any]:
    event = stores.upload("inbox/events/gone.csv", b"user_id,event_type,event_time\n")
    event["Records"][0]["body"] = event["Records"][0]["body"].replace("gone.csv", "never-there.csv")
    return event


def _without_a_version(stores: Stores) -> dict[str, Any]:
    """As somebody sends it who names a file again by hand."""
    event = stores.upload("inbox/events/by-hand.csv", b"user_id,event_type,event_time\nlive-bo,visit,2026-11-01\n")
    told = json.loads(event["Records"][0]["body"])
    del told["Records"][0]["s3"]["object"]["versionId"]
    event["Records"][0]["body"] = json.dumps(told)
    return event


def _mail_event(stores: Stores, name: str, topic: str = "MailEvents", **changes: Any) -> dict[str, Any]:
    """An event of SES, or of another channel, as our own topic passes it on; `changes` replace parts of it."""
    event = event_file(name)
    envelope = json.loads(event["Records"][0]["body"])
    told = json.dumps(json.loads(envelope["Message"]) | changes)
    envelope |= {"TopicArn": stores.physical(topic), "Message": told}
    event["Records"][0]["body"] = json.dumps(envelope)
    return event


def _about(decision_id: str) -> dict[str, Any]:
    """The part of an event of SES that names the mail: one of ours, of this decision."""
    told = json.loads(json.loads(event_file("feedback.click")["Records"][0]["body"])["Message"])["mail"]
    old = told["tags"]["decision_id"][0]
    return {"mail": json.loads(json.dumps(told).replace(old, decision_id))}


def _token(stores: Stores, decision_id: str) -> str:
    signer = KmsSigner(client("kms"), stores.physical("TokenKey"))
    return token.make("live-ana", "email", decision_id, now=time.time_ns() // 1000, sign=signer.sign)


def _link(stores: Stores, decision_id: str) -> str:
    now, signer = time.time_ns() // 1000, KmsSigner(client("kms"), stores.physical("TokenKey"))
    key = link.key_of(now // DAY, sign=signer.sign)
    return link.make(link.Link(decision_id, "https://shop.example/", 1, 1), key=key, now=now)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with EmbeddedAws(SenderIdentity="shop.example") as aws:
        publish_plan(stores := Stores(aws))
        lived = House(stores)
        _live(lived)
        yield lived


FUNCTIONS = ("Collect", "Arrive", "Prepare", "Train", "Decide", "Campaign", "Deliver", "Feedback", "Report", "Console")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_allowed_all_that_it_asks_for(function: str, house: House) -> None:
    held = statements(house.stores.aws.template, function)
    asked = house.asked[function]
    assert asked
    refused = [one for one in asked if not any(allows(statement, one) for statement in held if _ours(statement))]
    assert refused == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_allowed_nothing_that_it_does_not_use(function: str, house: House) -> None:
    idle = [
        (statement["Sid"], action)
        for statement in statements(house.stores.aws.template, function)
        if _ours(statement)
        for action in _actions(statement)
        if (statement["Sid"], action) not in AFTER_A_LOST_RACE
        and not any(one.action == action and allows(statement, one) for one in house.asked[function])
    ]
    assert idle == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_statement_less_is_noticed(function: str, house: House) -> None:
    held = [one for one in statements(house.stores.aws.template, function) if _ours(one)]
    for missing in held:
        rest = [one for one in held if one is not missing]
        assert any(not any(allows(one, asked) for one in rest) for asked in house.asked[function]), missing["Sid"]


def _ours(statement: dict[str, Any]) -> bool:
    return statement["Sid"] not in BY_LAMBDA_ITSELF | BY_STORES


def _actions(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return action if isinstance(action, list) else [action]


# ── where a person is, and how they are erased ───────────────────────────────────────────────────────────────────────
BO = ("live-bo", "bo@customer.example")
ANA_AND_CEM = ("live-ana", "live-cem", "4915112345678")
IN_EVENTS = "ana@customer.example"
"""Whom the files of `events/` are about."""


@dataclass(frozen=True)
class Evening:
    """The day is over and all of it has arrived; `decisions` are those of Ana and Cem."""

    house: House
    decisions: tuple[str, ...]
    places: Mapping[str, set[str]]

    def where(self, *words: str) -> dict[str, set[str]]:
        return inventory.places(self.house.stores, words)


@pytest.fixture(scope="module")
def evening(house: House) -> Evening:
    for key in house.stores.keys("inbox/"):
        _arrives(house, house.stores.told(key))
    house.call("Prepare", {"task": "compact"})
    rows = house.stores.rows("Ledger", "decision#")
    theirs = [row["id"]["S"].partition("#")[2] for row in rows if row["user_id"]["S"] in ANA_AND_CEM]
    found = inventory.places(house.stores, [*BO, *ANA_AND_CEM, IN_EVENTS, *theirs])
    return Evening(house, tuple(theirs), found)


def _arrives(house: House, event: dict[str, Any]) -> None:
    house.call("Arrive", event)
    for task in house.stores.take("ChunkQueue"):
        assert house.call("Prepare", queue_event("prepare.chunk", task)) == {"batchItemFailures": []}


def _forgotten(stores: Stores, *arguments: str) -> int:
    names = {
        "LAKE_BUCKET": "Lake",
        "PROFILES_TABLE": "Profiles",
        "LEDGER_TABLE": "Ledger",
        "ARRIVALS_TABLE": "Arrivals",
    }
    with patch.dict(os.environ, {variable: stores.physical(name) for variable, name in names.items()}):
        return cli.main(["people", "forget", *arguments])


def test_everywhere_that_a_person_is_stands_in_the_inventory(evening: Evening) -> None:
    """What an erasure has to go through: all places that hold one by id, by address, or by one of their decisions."""
    said = set(PLACE.findall((ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")))
    assert set(evening.places) - said == set(), "places that the inventory does not know"
    assert said - set(evening.places) <= LATER, "places that hold nobody"


def test_after_an_erasure_nothing_is_left_of_them_and_everything_of_the_others(
    evening: Evening, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The acceptance check of AWS's find-and-forget (A1 = A0 - B0, B1 = 0), over every store, version and word."""
    stores, words = evening.house.stores, (*ANA_AND_CEM, *evening.decisions)
    before, bo = inventory.rows(stores, without=words), evening.where(*BO)
    assert _forgotten(stores, "live-ana", "live-cem") == 0
    assert inventory.rows(stores, without=words) == before
    assert evening.where(*words), "a look changes nothing"
    listed = tmp_path / "ids.txt"
    listed.write_text("live-ana\nlive-cem\n")
    capsys.readouterr()
    assert _forgotten(stores, "--file", str(listed), "--yes") == 0
    told = capsys.readouterr().out
    assert "nothing is left" in told
    assert "model purchase " in told
    assert "@" not in told
    assert evening.where(*words) == {}
    after = [one for one in inventory.rows(stores, without=words) if "nobody" not in one]
    assert after == before, "but that some address was reached on an occasion"
    assert {place: evening.where(*BO)[place] for place in bo if "inbox" not in place} == {
        place: found for place, found in bo.items() if "inbox" not in place
    }
    assert _forgotten(stores, "live-ana", "live-cem", "--yes") == 0
    assert capsys.readouterr().out == "nothing was found\n"


def test_an_old_file_that_comes_again_does_not_bring_them_back(evening: Evening) -> None:
    """After the erasure above: an export of yesterday is uploaded once more."""
    stores, house = evening.house.stores, evening.house
    assert evening.where("live-ana") == {}
    body = b"user_id,event_type,event_time\nlive-ana,visit,2026-11-01T00:00:00Z\nlive-ana,visit,never\n"
    _arrives(house, stores.upload("inbox/events/yesterday.csv", body))
    _arrives(house, stores.upload("inbox/users/yesterday.csv", b"user_id,email\nlive-ana,ana@customer.example\n"))
    assert set(evening.where(*ANA_AND_CEM)) == {"s3 inbox/events/", "s3 inbox/users/"}
    assert _forgotten(stores, "live-ana", "--yes") == 0
    assert evening.where(*ANA_AND_CEM) == {}
