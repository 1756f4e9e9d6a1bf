"""Somebody is erased: nothing of them is left anywhere, everything of the others is what it was, whatever happens on the way."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from nudge.errors import BadInput
from nudge.flows.compact import Compact
from nudge.flows.forget_look import NOT_READ
from nudge.flows.tombstones import KEY, Watched, summary
from nudge.vocabulary import DAY
from tests.unit.flows.erasing import FILES, WORDS, Day, Death, Mortal


@pytest.fixture
def day() -> Day:
    return Day()


def where(day: Day, words: tuple[str, ...] = WORDS) -> list[str]:
    """The places in which a word stands."""
    found = re.compile("|".join(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])" for word in words), re.IGNORECASE)
    return sorted({place for place, text in day.texts() if found.search(text) or found.search(place)})


def decisions_of(day: Day, user: str) -> tuple[str, ...]:
    return tuple(day.traces.decisions_of(user))


def test_nothing_of_somebody_erased_is_left_and_the_others_are_what_they_were(day: Day) -> None:
    before, words = day.rows(but="ana"), (*WORDS, *decisions_of(day, "ana"))
    bob = day.shop.profiles.get("bob")
    records = {name: one for name, one in day.shop.ledger.decisions.items() if name not in words}
    places = {one.split("/")[0] for one in where(day, words)}
    assert {"inbox", "lake", "quarantine", "campaigns", "person#ana", "journey#('hello', 'ana')"} <= places
    done = day.forget()(["ana"], clock=day.clock)
    assert not done.left
    assert where(day, words) == []
    assert day.rows() == before
    assert day.shop.profiles.get("bob") == bob
    assert day.shop.ledger.decisions == records


def test_a_look_changes_nothing_and_says_what_an_erasure_will_remove(day: Day) -> None:
    before = dict(day.texts())
    found = day.forget().find(["ana"])
    assert dict(day.texts()) == before
    assert found.places() == day.forget()(["ana"], clock=day.clock).found.places()
    assert found.places()["Profiles person#"] == (1, 1)
    assert found.places()["s3 lake/events/"][1] >= 5
    assert set(found.words.addresses) >= {"ana@new.example", "Ana@old.example", "+4915112345678", "arn:push/ana"}


def test_twice_is_the_same_as_once(day: Day) -> None:
    day.forget()(["ana"], clock=day.clock)
    once = {one.key: day.shop.objects.get(one.key) for one in day.shop.objects.list("")}
    day.shop.now += DAY
    again = day.forget()(["ana"], clock=day.clock)
    assert not again.found
    assert {one.key: day.shop.objects.get(one.key) for one in day.shop.objects.list("")} == once


def test_the_tombstone_keeps_counts_and_no_id(day: Day) -> None:
    made = [day.shop.ledger.find(name) for name in decisions_of(day, "ana")]
    decisions = Counter(found[0].activity for found in made if found is not None)
    day.forget()(["ana"], clock=day.clock)
    (stone,) = json.loads(day.shop.objects.get(KEY))["people"].values()
    assert stone["at"] == day.clock()
    assert not stone["open"]
    assert stone["removed"]["decisions"] == decisions
    assert stone["removed"]["rows"]["events"] == 5
    assert stone["removed"]["revenue"] == {"purchase EUR": 30.0}
    assert sum(stone["removed"]["messages"].values()) >= 1
    assert summary(day.shop.objects) == {"people": 1, "decisions": sum(decisions.values())}
    assert "ana" not in day.shop.objects.get(KEY).decode()


def test_a_file_that_comes_again_does_not_bring_anybody_back(day: Day) -> None:
    before = day.rows(but="ana")
    day.forget()(["ana"], clock=day.clock)
    day.shop.now += DAY
    for key, body in FILES.items():
        day.shop.objects.put(key.replace(".", "-again.", 1), body)
    day.shop.take_in()
    Compact(day.shop.lake)()
    assert {kind: set(rows) for kind, rows in day.rows().items()} == {kind: set(rows) for kind, rows in before.items()}
    assert day.shop.profiles.get("ana") is None
    left = where(day)
    assert left
    assert all(one.startswith("inbox/") for one in left)
    assert not day.forget()(["ana"], clock=day.clock).left
    assert where(day) == []


def test_who_comes_back_is_somebody_new(day: Day) -> None:
    day.forget()(["ana"], clock=day.clock)
    day.shop.now += 2 * DAY
    day.shop.objects.put(
        "inbox/events/back.csv",
        b"user_id,event_type,event_time\nana,visit,2026-11-20T10:00:00Z\nana,visit,2026-11-17\n",
    )
    day.shop.objects.put(
        "inbox/users/back.csv",
        b"user_id,email,updated_at\nana,ana@third.example,2026-11-20\nana,ana@new.example,2026-11-17\n",
    )
    day.shop.take_in()
    ana = day.shop.profiles.get("ana")
    assert ana is not None
    assert ana.trait("email") == "ana@third.example"
    assert day.shop.rows("events").filter(user_id="ana").height == 1


def test_a_message_that_waits_is_not_sent_to_somebody_erased(day: Day) -> None:
    """P6: its task is on the queue, its rows are gone."""
    day.shop.now += 2 * DAY
    answer = day.shop.campaigns.decide({"user_id": "ana", "goal": "purchase"}, key="late", now=day.clock())
    (task,) = day.shop.mails.sent[-1:]
    assert task[0]["decision_id"] == answer["decision_id"]
    day.forget()(["ana"], clock=day.clock)
    with pytest.raises(BadInput) as wrong:
        day.shop.deliver(answer["decision_id"], owner="the queue", now=day.clock() + 1)
    assert wrong.value.reason == "unknown_message"


def test_a_file_that_is_not_prepared_stays_until_it_is(day: Day) -> None:
    day.shop.objects.put("inbox/events/late.csv", FILES["inbox/events/day.csv"])
    before = day.rows(but="ana")
    done = day.forget()(["ana"], clock=day.clock)
    (left,) = done.left.objects
    assert (left.version.key, left.stays) == ("inbox/events/late.csv", NOT_READ)
    day.shop.take_in()
    Compact(day.shop.lake)()
    assert day.rows() == before
    assert not day.forget()(["ana"], clock=day.clock).left
    assert where(day) == []


def test_a_run_goes_on_at_its_place_when_a_member_is_erased(day: Day) -> None:
    runs = day.shop.campaigns.runs
    (run,) = runs.all("spring")
    before, first = [one.user_id for one in runs.members(run, 0)], runs.progress(run, 0)
    day.forget()(["ana"], clock=day.clock)
    after = [one.user_id for one in runs.members(run, 0)]
    assert after == ["" if one == "ana" else one for one in before]
    key = f"{run.place}decided/0000.json"
    day.shop.objects.delete([key])  # as if nobody had been decided for
    day.shop.now -= DAY // 2
    day.shop.campaigns.send_out(run, now=day.shop.now)
    day.shop.act()
    progress = runs.progress(run, 0)
    assert progress is not None
    assert first is not None
    assert (progress.done, progress.left_out, progress.ended) == (len(before), first.left_out + 1, True)
    assert decisions_of(day, "ana") == ()
    assert decisions_of(day, "") == ()


def test_what_a_compaction_had_in_hand_is_found_and_removed(day: Day) -> None:
    """It read the old parts before the erasure, and writes what it made of them after."""
    part = next(one for one in day.shop.lake.parts("events") if "dt=2026-11-16" in one.key)
    held, done = day.shop.objects.get(part.key), []

    class Late(Mortal):
        def __getattr__(self, name: str) -> Any:
            if name == "forget" and not done:
                done.append(day.shop.objects.put(part.key.replace(part.key[-40:-8], "0" * 32), held))
            return super().__getattr__(name)

    forgotten = day.forget(lambda one: Late(one, []))(["ana"], clock=day.clock)
    assert done
    assert not forgotten.left
    assert where(day) == []


def test_whoever_dies_at_any_write_finishes_the_next_time(day: Day) -> None:
    wrote, back = list[str](), day.kept()
    words, rows = (*WORDS, *decisions_of(day, "ana")), day.rows(but="ana")
    day.forget(lambda one: Mortal(one, wrote))(["ana"], clock=day.clock)
    held = day.shop.objects.get(KEY)
    assert len(wrote) > 40
    for at in range(1, len(wrote) + 1):
        back()
        now: list[str] = []
        with pytest.raises(Death):
            day.forget(lambda one, at=at, now=now: Mortal(one, now, at))(["ana"], clock=day.clock)
        assert not day.forget()(["ana"], clock=day.clock).left
        assert where(day, words) == [], f"died at {at} ({wrote[at - 1]})"
        assert day.rows() == rows, f"died at {at} ({wrote[at - 1]})"
        assert day.shop.objects.get(KEY) == held, f"died at {at} ({wrote[at - 1]})"


def test_what_a_worker_wrote_after_all_was_looked_through_goes_with_the_next_compaction(day: Day) -> None:
    """It cleaned a chunk before the erasure, and wrote its parts after: the day's compaction knows better."""
    parts = [one for kind in ("users", "events", "outcomes") for one in day.shop.lake.parts(kind)]
    late, before = {one.key: day.shop.objects.get(one.key) for one in parts}, day.rows(but="ana")
    day.forget()(["ana"], clock=day.clock)
    for key, body in late.items():
        day.shop.objects.put(key[:-40] + "new-" + key[-40:], body)
    Compact(day.shop.lake, gone=Watched(day.shop.objects))()
    assert day.rows() == before


@pytest.mark.parametrize("ids", [[], [""], ["ana", " "]])
def test_nobody_is_no_person(day: Day, ids: list[str]) -> None:
    with pytest.raises(BadInput):
        day.forget().find(ids)


def test_somebody_unknown_is_not_found_and_leaves_no_tombstone(day: Day) -> None:
    assert not day.forget()(["nobody"], clock=day.clock).found
    assert summary(day.shop.objects) == {"people": 0, "decisions": 0}
