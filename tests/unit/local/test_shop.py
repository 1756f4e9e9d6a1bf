"""The sample shop's world: always the same for a seed, and its truth is a difference of two lives."""

from __future__ import annotations

import gzip
import json

import polars as pl
import pytest

from local.ses import Mail
from local.shop import files, messages
from local.shop.play import HISTORY_WEEKS, START
from local.shop.world import WINDOW, World, unsubscribe_url
from nudge.vocabulary import DAY

WEEK = 7 * DAY


@pytest.fixture(scope="module")
def world() -> World:
    return World(seed=3, count=400, start=START, weeks=16)


def mail(world: World, person: int, decision: str, at: int) -> Mail:
    headers = {"List-Unsubscribe": "<https://x.example/u/t0ken>, <mailto:u@x.example>"}
    tags = {"decision_id": decision}
    return Mail("m", (world.people.email(person),), "s", "s", "t", "h", headers, tags, "c", at)


def test_a_seed_is_a_world() -> None:
    one, other = (World(seed=3, count=50, start=START, weeks=4) for _ in range(2))
    assert one.events.equals(other.events)
    assert one.people.ids == other.people.ids
    assert not World(seed=4, count=50, start=START, weeks=4).events.equals(one.events)


def test_a_tenth_of_people_or_so_buy_in_a_week_and_the_past_tells_who(world: World) -> None:
    at = START + 14 * WEEK
    bought = world.events.filter(pl.col("event_type") == "purchase")
    buyers = set(bought.filter(pl.col("at").is_between(at, at + WEEK))["person"])
    before = set(bought.filter(pl.col("at").is_between(at - 4 * WEEK, at - 1))["person"])
    assert 0.06 < len(buyers) / 400 < 0.22
    assert len(buyers & before) / len(before) > 2 * len(buyers - before) / (400 - len(before))


def test_whoever_buys_anyway_is_never_counted_as_moved(world: World) -> None:
    at = START + 12 * WEEK
    for person in range(400):
        world.offered(f"d{person}", world.people.ids[person], "discount_mail", at)
        world.show(f"d{person}", at)
    bought = world.events.filter((pl.col("event_type") == "purchase") & pl.col("at").is_between(at, at + WINDOW - 1))
    everything = world.between(at, at + WINDOW)
    extra = everything.filter(pl.col("event_type") == "purchase").height - bought.height
    truth = world.truth(at + WINDOW)["discount_mail"]
    assert truth.people == 400
    assert truth.conversions == extra > 30
    moved = everything.join(bought, on=["person", "at"], how="anti").filter(pl.col("event_type") == "purchase")
    assert not set(moved["person"]) & set(bought["person"])
    assert truth.value == pytest.approx(moved["value"].sum())


def test_truth_waits_for_the_window_to_end() -> None:
    world = World(seed=3, count=20, start=START, weeks=16)
    world.offered("d", world.people.ids[1], "banner", START + 12 * WEEK)
    assert world.truth(START + 12 * WEEK + WINDOW - 1) == {}
    assert world.truth(START + 12 * WEEK + WINDOW)["banner"].people == 1


def test_readers_bounce_open_click_complain_and_leave(world: World) -> None:
    at = START + 13 * WEEK
    seen = [one.kind for person in range(400) for one in world.read(mail(world, person, "none", at))]
    assert set(seen) == {"Bounce", "Delivery", "Open", "Click"} | ({"Complaint"} & set(seen))
    assert seen.count("Bounce") == sum(not one for one in world.people.reachable)
    assert world.unsubscribes
    assert world.unsubscribes[0][1] == "https://x.example/u/t0ken"


def test_the_unsubscribe_address_is_the_web_one() -> None:
    empty = Mail("m", (), "s", "s", "t", "h", {}, {}, None, 0)
    assert unsubscribe_url(empty) == ""


def test_history_counts_its_own_dirt(world: World) -> None:
    dropped, counts = files.history(world, START + HISTORY_WEEKS * WEEK)
    bodies = {file.name: file.body for file in dropped if file.kind == "events"}
    lines = 0
    for name, body in bodies.items():
        text = (
            gzip.decompress(body).decode()
            if name.endswith(".gz")
            else body.decode("utf-16" if ".csv" in name else "utf-8")
        )
        lines += len(text.strip().splitlines()) - (0 if name.endswith(".jsonl") else 1)
    events = counts["events"]
    assert events.read == lines == events.accepted + events.rejected + events.duplicate
    assert events.rejected == 3 * 3 * files.BROKEN
    assert all(json.loads(line) for line in bodies["us.jsonl"].decode().splitlines())


def test_the_help_desk_hears_from_people_in_four_languages_and_not_always_about_the_shop(world: World) -> None:
    written = messages.messages(world.people, world.start, world.start + 12 * WEEK, seed=world.seed)
    assert written == messages.messages(world.people, world.start, world.start + 12 * WEEK, seed=world.seed)
    intents = {row.get("event_action") for row in written}
    assert intents == {None, *messages.BODIES}
    assert [row["event_time"] for row in written] == sorted(row["event_time"] for row in written)
    assert any("\u4e00" <= letter <= "\u9fff" for row in written for letter in row["text"])
