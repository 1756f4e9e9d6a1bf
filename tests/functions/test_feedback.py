"""The door `feedback`: mail events from the queue, and the unsubscribe page, against the embedded AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.feedback import handler as door
from nudge import edge
from nudge.act import link, token
from nudge.adapters.clients import client
from nudge.adapters.kms import KmsSigner
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.profiles import DynamoProfiles
from nudge.decide import chance, dead
from nudge.decide.policy import Question, choose
from nudge.vocabulary import DAY, SECOND, Candidate, Message, Profile, Suppression
from tests.acting import NOON, Aws, aws, person, plan, put_person
from tests.faults.explorer import fault

NAME = chance.decision_id("ana", "k")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with aws() as here:
        for name, value in here.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(edge, "now", lambda: NOON)
        door.flows.cache_clear()
        door.listeners.cache_clear()
        put_person(DynamoProfiles(here.dynamodb, "profiles"), person("ana"))
        candidates = (Candidate("nothing", 0.0, removed="transactional"), Candidate("discount_mail", 0.5))
        asked = Question(NAME, "ana", NOON, "purchase", 20.0, candidates, {"discount_mail": NOON}, {}, {}, None)
        held = Message(NAME, "ana", "discount_mail", "purchase", "email", "sending", NOON, changed_at=NOON)
        DynamoLedger(here.dynamodb, "ledger").record(
            choose(asked, plan()), request_hash="h", answer={}, message=held, caps={}, budgets=(), expires_at=NOON
        )
        yield here
        door.flows.cache_clear()
        door.listeners.cache_clear()


def ana(world: Aws) -> Profile:
    found = DynamoProfiles(world.dynamodb, "profiles").get("ana", consistent=True)
    assert found is not None
    return found


def rows(world: Aws) -> list[dict[str, Any]]:
    keys = [one["Key"] for one in world.s3.list_objects_v2(Bucket="lake", Prefix="inbox/").get("Contents", [])]
    bodies = [world.s3.get_object(Bucket="lake", Key=key)["Body"].read() for key in keys]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def ours(event: dict[str, Any]) -> dict[str, Any]:
    """The event file with the decision of this world in it."""
    return json.loads(json.dumps(event).replace("cf014c1c3b7d432f014e50d7db078252", NAME))  # type: ignore[no-any-return]


def test_a_bounce_suppresses_settles_and_is_kept(world: Aws, load_event: Any) -> None:
    for _ in range(2):
        assert door.handler(ours(load_event("feedback.bounce")), None) == {"batchItemFailures": []}
    profiles = DynamoProfiles(world.dynamodb, "profiles")
    assert ana(world).suppressions[dead.scope("email")].reason == "bounce"
    assert profiles.is_address_suppressed("email", "ana@customer.example")
    held = DynamoLedger(world.dynamodb, "ledger").message(NAME)
    assert held is not None
    assert (held.state, held.provider_id) == ("sent", "0107019-ses-1")
    assert {row["event_type"] for row in rows(world)} == {"email_bounce"}
    assert len({row["event_id"] for row in rows(world)}) == 1


def test_the_events_of_a_batch_are_one_object(world: Aws, load_event: Any) -> None:
    both = ours(load_event("feedback.bounce"))
    both["Records"] += ours(load_event("feedback.click"))["Records"]
    door.handler(both, None)
    assert world.s3.list_objects_v2(Bucket="lake", Prefix="inbox/")["KeyCount"] == 1
    assert {row["event_type"] for row in rows(world)} == {"email_bounce", "email_click"}


def test_a_foreign_topic_is_not_heard(world: Aws, load_event: Any) -> None:
    foreign = json.loads(json.dumps(ours(load_event("feedback.bounce"))).replace(":MailEvents", ":Evil"))
    assert door.handler(foreign, None) == {"batchItemFailures": []}
    assert ana(world).suppressions == {}
    assert rows(world) == []


def test_a_store_that_is_down_returns_the_record_to_the_queue(world: Aws, load_event: Any) -> None:
    world.dynamodb.delete_table(TableName="ledger")
    event = ours(load_event("feedback.bounce"))
    assert door.handler(event, None)["batchItemFailures"] == [{"itemIdentifier": event["Records"][0]["messageId"]}]


# ── texts and apps ───────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_receipt_and_then_a_stop_reach_the_person_and_the_number(world: Aws, load_event: Any) -> None:
    for _ in range(2):
        assert door.handler(ours(load_event("feedback.sms_delivered")), None) == {"batchItemFailures": []}
        assert door.handler(ours(load_event("feedback.sms_stop")), None) == {"batchItemFailures": []}
    held = DynamoLedger(world.dynamodb, "ledger").message(NAME)
    assert held is not None
    assert (held.state, held.provider_id) == ("sent", "862a8790-60c0-4430-9b2b-658bdexample")
    assert {row["event_type"] for row in rows(world)} == {"sms_delivery", "sms_unsubscribe"}
    assert len({row["event_id"] for row in rows(world)}) == 2
    at = 1_795_000_801 * SECOND
    assert ana(world).suppressions == {"sms": Suppression("stop", at)}
    assert DynamoProfiles(world.dynamodb, "profiles").is_address_suppressed("sms", "+49 151 12345678")


def test_an_endpoint_that_is_gone_suppresses_itself_and_no_mail(world: Aws, load_event: Any) -> None:
    assert door.handler(load_event("feedback.push_gone"), None) == {"batchItemFailures": []}
    profiles = DynamoProfiles(world.dynamodb, "profiles")
    endpoint = "arn:aws:sns:eu-central-1:123456789012:endpoint/GCM/shop/0a1b"
    assert profiles.is_address_suppressed("push", endpoint)
    assert not profiles.is_address_suppressed("email", endpoint)
    assert ana(world).suppressions == {}


@pytest.mark.parametrize("name", ["sms_stop", "push_gone"])
def test_each_topic_is_believed_about_its_own_channel_alone(world: Aws, load_event: Any, name: str) -> None:
    told = json.dumps(load_event(f"feedback.{name}")).replace(":TextEvents", ":MailEvents")
    assert door.handler(json.loads(told.replace(":PushEvents", ":TextEvents")), None) == {"batchItemFailures": []}
    profiles = DynamoProfiles(world.dynamodb, "profiles")
    assert not profiles.is_address_suppressed("sms", "+4915112345678")
    assert not profiles.is_address_suppressed("push", "arn:aws:sns:eu-central-1:123456789012:endpoint/GCM/shop/0a1b")
    assert world.s3.list_objects_v2(Bucket="lake", Prefix="quarantine/feedback/")["KeyCount"] == 1


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def visit(world: Aws, event: dict[str, Any], made: str | None = None) -> dict[str, Any]:
    if made is None:
        signer = KmsSigner(client("kms"), world.environment["TOKEN_KEY_ID"])
        made = token.make("ana", "email", NAME, now=NOON, sign=signer.sign)
    return door.handler(json.loads(json.dumps(event).replace("TOKEN", made)), None)


def test_looking_at_the_page_changes_nothing(world: Aws, load_event: Any) -> None:
    answer = visit(world, load_event("feedback.show"))
    assert answer["statusCode"] == 200
    assert '<form method="post">' in answer["body"]
    assert "ana" not in answer["body"].replace("main", "")
    assert answer["headers"]["Referrer-Policy"] == "no-referrer"
    assert ana(world).consents["email"].granted
    assert rows(world) == []


@pytest.mark.parametrize("name", ["feedback.one_click", "feedback.one_click_multipart"])
def test_one_click_unsubscribes_without_a_redirect(world: Aws, load_event: Any, name: str) -> None:
    for _ in range(2):
        answer = visit(world, load_event(name))
        assert answer["statusCode"] == 200
    assert not ana(world).consents["email"].granted
    assert [row["event_type"] for row in rows(world)] == ["email_unsubscribe"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_no_method_but_post_changes_anything(world: Aws, load_event: Any, method: str) -> None:
    event = load_event("feedback.one_click")
    event["routeKey"] = f"{method} /u/{{token}}"
    event["requestContext"]["http"]["method"] = method
    assert visit(world, event)["statusCode"] == (200 if method == "GET" else 405)
    assert ana(world).consents["email"].granted
    assert rows(world) == []


@pytest.mark.parametrize("name", ["feedback.show", "feedback.one_click"])
@pytest.mark.parametrize("made", ["x.y", "eyJ1IjoiYW5hIn0.AAAAAAAAAAAAAAAAAAAAAAAA"])
def test_a_bad_token_is_a_404_that_says_nothing(world: Aws, load_event: Any, name: str, made: str) -> None:
    answer = visit(world, load_event(name), made)
    assert answer["statusCode"] == 404
    assert made not in answer["body"]
    assert ana(world).consents["email"].granted


# ── links ────────────────────────────────────────────────────────────────────────────────────────────────────────────
TARGET = "https://shop.example/sale?utm_source=nudge"


def follow(world: Aws, event: dict[str, Any], made: str | None = None) -> dict[str, Any]:
    if made is None:
        signer = KmsSigner(client("kms"), world.environment["TOKEN_KEY_ID"])
        key = link.key_of(NOON // DAY, sign=signer.sign)
        made = link.make(link.Link(NAME, TARGET, 1, 2), key=key, now=NOON)
    return door.handler(json.loads(json.dumps(event).replace("TOKEN", made)), None)


def test_a_link_leads_on_and_its_click_is_kept(world: Aws, load_event: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "now", lambda: NOON + 60 * SECOND)
    answer = follow(world, load_event("feedback.follow"))
    assert (answer["statusCode"], answer["headers"]["Location"], answer["body"]) == (302, TARGET, "")
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert [row["event_type"] for row in rows(world)] == ["email_click"]


def test_a_reader_goes_on_although_the_click_cannot_be_kept(world: Aws, load_event: Any) -> None:
    world.dynamodb.delete_table(TableName="ledger")
    answer = follow(world, load_event("feedback.follow"))
    assert (answer["statusCode"], answer["headers"]["Location"]) == (302, TARGET)
    assert rows(world) == []


@pytest.mark.parametrize("made", ["x.y", "https:.evil", "e30." + "A" * 43])
def test_a_link_that_is_not_ours_leads_nowhere(world: Aws, load_event: Any, made: str) -> None:
    answer = follow(world, load_event("feedback.follow"), made)
    assert answer["statusCode"] == 404
    assert "Location" not in answer["headers"]


def test_a_thousand_looks_at_the_page_write_nothing(world: Aws, load_event: Any) -> None:
    made = _token(world)
    with fault() as calls:
        answers = {visit(world, load_event("feedback.show"), made)["statusCode"] for _ in range(1000)}
    assert answers == {200}
    assert set(calls.names) == {"VerifyMac"}
    assert ana(world).consents["email"].granted
    assert rows(world) == []


def _token(world: Aws) -> str:
    """The token of a link in a mail."""
    signer = KmsSigner(client("kms"), world.environment["TOKEN_KEY_ID"])
    return token.make("ana", "email", NAME, now=NOON, sign=signer.sign)
