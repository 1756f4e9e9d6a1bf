"""`nudge preview`, `nudge channel`, `nudge messages`, against the embedded AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from local import acting
from local.cli import main
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.pace import DynamoPace, Quota
from nudge.adapters.profiles import DynamoProfiles
from nudge.adapters.reputation import DynamoReputation
from nudge.vocabulary import SECOND, Channel, Parcel
from tests.acting import NOON, Aws, aws, person, put_person
from tests.functions.test_deliver import message


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with aws() as here:
        for name, value in here.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(acting, "_now", lambda: NOON)
        profiles = DynamoProfiles(here.dynamodb, "profiles")
        put_person(profiles, person("ana"))
        put_person(profiles, person("bob", consent=None))
        put_person(profiles, person("eve", first_name=""))
        yield here


def test_a_preview_is_the_mail_with_the_persons_words_and_dead_links(
    world: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["preview", "discount_mail", "ana"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("would be sent\nFrom: Sample Shop <news@shop.example>\nTo: ana@customer.example\n")
    assert "Subject: 10 % for you, Ana" in told
    assert "List-Unsubscribe: <https://preview.invalid/u/" in told
    assert main(["preview", "discount_mail", "ana", "--html"]) == 0
    assert capsys.readouterr().out.startswith("<html><body><p>Hi Ana</p>")


def test_a_preview_says_why_it_would_not_be_sent(world: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preview", "discount_mail", "bob"]) == 0
    assert capsys.readouterr().out.startswith("would not be sent now: no_consent\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("discount_mail", "eve"), "a word is missing"),
        (("discount_mail", "nobody"), "nobody of that id"),
        (("launch", "ana"), "the plan has no activity launch; it has discount_mail"),
    ],
)
def test_a_preview_that_cannot_be_made_says_why(
    world: Aws, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    assert main(["preview", *arguments]) == 1
    assert says in capsys.readouterr().err


def test_nothing_is_written_by_a_preview(world: Aws) -> None:
    before = world.dynamodb.scan(TableName="ledger")["Items"]
    main(["preview", "discount_mail", "ana"])
    assert world.dynamodb.scan(TableName="ledger")["Items"] == before == []


def test_other_channels_are_shown_as_their_receivers_get_them() -> None:
    made = Parcel("preview", Channel("sms"), "+4915112345678", {"text": "Hi"}, {"id": "preview"}, NOON)
    assert list(acting.previewed(made, None)) == [
        *("would be sent", "channel: sms", "to: +4915112345678", "text: Hi"),
        json.dumps({"id": "preview"}, indent=2),
    ]


def test_the_breaker_is_shown_and_reset_by_a_person(world: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["channel", "status"]) == 0
    assert capsys.readouterr().out == "three days: 0 left, 0 bounced (0.00%), 0 complained (0.000%)\nopen (good)\n"
    assert main(["channel", "reset"]) == 1
    reputation = DynamoReputation(world.dynamodb, "ledger")
    reputation.blame("bounce", "m1", now=NOON)
    reputation.stop("bounces 5.00%", now=NOON)
    capsys.readouterr()
    main(["channel", "status"])
    assert "STOPPED since 2026-11-18T11:06:40Z: bounces 5.00%" in capsys.readouterr().out
    assert main(["channel", "reset", "--by", "mia"]) == 0
    DynamoPace(world.dynamodb, "ledger", lambda: Quota(2.0, 500.0, 10.0, True)).take(transactional=False, now=NOON)
    capsys.readouterr()
    main(["channel", "status"])
    told = capsys.readouterr().out
    assert "on trial since 2026-11-18T11:06:40Z, reset by mia: at most 100 mails" in told
    assert "quota: 99 mails left, one every 0.5 s, as of 2026-11-18T11:06:40Z" in told
    main(["channel", "status", "--json"])
    assert json.loads(capsys.readouterr().out)["figures"] == {"sent": 0, "bounced": 0, "complained": 0}


def test_messages_of_which_nobody_knows_are_listed_without_addresses(
    world: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, name = DynamoLedger(world.dynamodb, "ledger"), message(world)
    ledger.claim(name, owner="me", now=NOON)
    ledger.finish(name, owner=None, state="unknown", now=NOON + SECOND, reason="no_answer")
    assert main(["messages", "unknown"]) == 0
    told = capsys.readouterr().out
    assert f"  {name}  2026-11-18T11:06:41Z  email  discount_mail  ana  no_answer\n" in told
    assert "@" not in told
    assert main(["messages", "unknown", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["decision_id"] == name
    ledger.settle(name, provider_id="p", now=NOON + 2 * SECOND)
    main(["messages", "unknown"])
    assert capsys.readouterr().out.startswith("0 messages")
