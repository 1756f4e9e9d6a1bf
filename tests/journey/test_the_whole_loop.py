"""The sample shop, small: files in, decisions out, mail read, report made; and nothing on the way that must not be."""

from __future__ import annotations

import contextlib
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from local import cli, runs
from local.clock import moment
from local.laptop import Laptop
from local.shop.people import ZONES
from local.shop.play import Story

SEED, PEOPLE = 7, 240


@dataclass(frozen=True)
class Played:
    """A story that has been played, what it told, and the stack it was played on."""

    story: Story
    told: dict[str, Any]
    laptop: Laptop
    out: Path


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the command prints, and where it leaves the report."""
    out = tmp_path_factory.mktemp("command")
    arguments = ["run", "--json", "--people", str(PEOPLE), "--seed", str(SEED), "--out", str(out)]
    with contextlib.redirect_stdout(io.StringIO()) as stream:
        assert cli.main(arguments) == 0
    return stream.getvalue(), out


@pytest.fixture(scope="module")
def played(printed: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """The same once more, left standing to be looked at."""
    out = tmp_path_factory.mktemp("shop")
    story = Story.of(seed=SEED, people=PEOPLE)
    clock = story.clock()
    with Laptop.running(clock, out, reader=story.world.read) as laptop:
        story.tell(laptop, clock)
        yield Played(story, runs.told_of_shop(story, laptop), laptop, out)


def test_every_row_is_read_and_ends_where_its_maker_knows_it_must(played: Played) -> None:
    assert {kind: played.told["rows"][kind] for kind in ("users", "events", "items")} == played.told["expected_rows"]
    for counts in played.told["rows"].values():
        assert counts["read"] == counts["accepted"] + counts["rejected"] + counts["duplicate"]


def test_every_decision_stands_in_the_lake_once(played: Played) -> None:
    lake = played.laptop.lake("decisions")
    assert sorted(lake["decision_id"]) == sorted(one["decision_id"] for one in played.story.decisions)
    assert lake["decision_id"].n_unique() == lake.height == 2 * played.story.wave


def test_no_decision_sends_two_mails_and_none_is_sent_without_consent(played: Played) -> None:
    mails, people = played.laptop.part.ses.mails, played.story.world.people
    by_decision = Counter(value for mail in mails for value in mail.tags.values() if len(value) == 32)
    assert len(mails) == sum(by_decision.values())
    assert set(by_decision.values()) == {1}
    allowed = {people.email(number) for number in range(len(people)) if people.consent[number]}
    assert {address for mail in mails for address in mail.to} <= allowed


def test_no_mail_is_sent_in_anybodys_night(played: Played) -> None:
    people = played.story.world.people
    zone = {people.email(number): ZoneInfo(ZONES[people.country[number]]) for number in range(len(people))}
    hours = {moment(mail.sent_at).astimezone(zone[mail.to[0]]).hour for mail in played.laptop.part.ses.mails}
    assert hours <= set(range(8, 21))


def test_mail_decided_in_the_evening_waits_for_the_morning(played: Played) -> None:
    sent = {value: mail.sent_at for mail in played.laptop.part.ses.mails for value in mail.tags.values()}
    people = played.story.world.people
    abroad = {one for one, country in zip(people.ids, people.country, strict=True) if country == "US"}
    waits = [
        moment(sent[row["decision_id"]]) - row["decided_at"]
        for row in played.laptop.lake("decisions").filter(channel="email").iter_rows(named=True)
        if row["decision_id"] in sent and row["decided_at"].hour == 19 and row["user_id"] not in abroad
    ]
    assert waits
    assert min(waits) > timedelta(hours=8)


def test_every_mail_can_be_left_with_one_click(played: Played) -> None:
    for mail in played.laptop.part.ses.mails:
        assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert mail.headers["List-Unsubscribe"].startswith("<https://")
        assert mail.to[0].partition("@")[0] not in mail.headers["List-Unsubscribe"]


def test_every_message_has_come_to_its_end(played: Played) -> None:
    assert set(played.told["messages"]) <= {"sent", "skipped", "failed", "unknown"}
    treated = sum(groups.get("treatment", 0) for name, groups in played.told["decisions"].items() if name != "nothing")
    assert sum(played.told["messages"].values()) == treated


def test_whoever_left_or_bounced_is_not_written_to_again(played: Played) -> None:
    outcomes = played.laptop.lake("outcomes")
    gone = outcomes.filter(outcomes["event_type"].is_in(["email_bounce", "email_complaint", "email_unsubscribe"]))
    assert gone.height, "the story has people who leave"
    person = gone.row(0, named=True)["user_id"]
    answer = played.laptop.decide(person, "purchase", key="after-all-this")
    removed = {one["activity"]: one["removed"] for one in answer["why"]["candidates"]}
    assert removed["discount_mail"]
    assert removed["reminder_mail"]


def test_the_report_stands_beside_the_truth(played: Played) -> None:
    report = played.told["report"]["purchase"]
    assert set(report) == {"discount_mail", "reminder_mail", "banner"}
    for one in report.values():
        assert one["people"]["treatment"] == one["truth"]["people"]
        assert one["people"]["not_matured"] == 0
    inside = [
        one["interval"][0] <= one["truth"]["incremental_value"] <= one["interval"][1]
        for one in report.values()
        if one["interval"][0] is not None
    ]
    assert sum(inside) >= len(inside) - 1


def test_models_are_trained_and_judged(played: Played) -> None:
    models = played.told["models"]
    for goal in ("purchase", "visit"):
        assert models[goal]["champion"]
        assert models[goal]["metrics"]["auc"][0] > 0.6
    kinds = {name.partition(".")[0] for name in models if "." in name}
    assert kinds == {"uplift", "value", "recommend", "send_time", "intent", "demand"}
    for name, model in models.items():
        assert model["gate"]["reason"], name
        assert not model["gate"]["reason"].startswith("broke"), (name, model["gate"]["reason"])
    assert models["recommend.purchase"]["champion"]
    assert models["demand.purchase.value.all.day"]["version"]


def test_a_second_run_tells_the_same_and_the_command_prints_nothing_but_json(
    printed: tuple[str, Path], played: Played
) -> None:
    text, out = printed
    assert text.count("\n") == 1
    first, second = json.loads(text), json.loads(json.dumps(played.told))
    for name in ("seconds", "notes"):
        first.pop(name), second.pop(name)
    assert first == second
    assert (out / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
