"""Journeys: what the rows in the table of AWS, and their twin in memory, promise."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from nudge.adapters.clients import client
from nudge.adapters.journeys import DynamoJourneys
from nudge.adapters.memory_journeys import MemoryJourneys
from nudge.decide.journey import Done, Journey, Stand
from nudge.errors import Unavailable
from nudge.ports import Journeys
from nudge.vocabulary import DAY, Step
from tests.acting import NOON, tables
from tests.faults.explorer import fault
from tests.ports.test_ledger import Serial

STEPS = (
    Step("stop_on", "purchase"),
    Step("do", "reminder"),
    Step("branch", "opened", 2 * DAY, yes=(Step("wait", time=DAY), Step("do", "offer")), no=()),
)
WHOLE = Journey(
    "cart", "ana/ä", NOON, NOON + 5, "going", "20261118T0000", "purchase", ("reminder", "offer"), STEPS,
    Stand((2, 0, 1), NOON + 3, Done("d1", NOON + 1, NOON + 2), (("purchase", NOON),)), None, ("email_open",),
    {"email_open/d1": NOON + 4}, NOON + 4,
)  # fmt: skip


@pytest.fixture(params=["memory", "dynamodb"])
def journeys(request: pytest.FixtureRequest, aws: None) -> Iterator[Journeys]:
    if request.param == "memory":
        yield MemoryJourneys()
    else:
        dynamodb = client("dynamodb")
        tables(dynamodb)
        yield DynamoJourneys(Serial(dynamodb), "ledger", pause=lambda _: None)


def journey(user_id: str = "ana", **changes: Any) -> Journey:
    return Journey("cart", user_id, NOON, NOON)._replace(**changes)


def test_what_was_saved_is_read_whole_one_version_up(journeys: Journeys) -> None:
    assert journeys.get_many([("cart", "ana/ä")]) == {}
    assert journeys.save(WHOLE)
    assert journeys.get_many([("cart", "ana/ä"), ("cart", "bo")]) == {("cart", "ana/ä"): WHOLE._replace(version=1)}


def test_only_who_read_the_latest_version_writes(journeys: Journeys) -> None:
    assert journeys.save(journey())
    assert not journeys.save(journey(due_at=NOON + 7))
    assert not journeys.save(journey(version=2))
    assert journeys.save(journey(version=1, due_at=NOON + 9))
    assert journeys.get_many([("cart", "ana")])["cart", "ana"].due_at == NOON + 9


def test_of_many_writers_at_once_one_wins_and_is_counted(journeys: Journeys) -> None:
    def write(number: int) -> bool:
        return journeys.save(journey(due_at=NOON + number), tally="begun")

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(24))) == 1
    assert journeys.tallies("cart") == {"begun": 1}


def test_our_own_write_again_is_ours_and_counts_once(journeys: Journeys) -> None:
    assert journeys.save(journey(), tally="begun")
    assert journeys.save(journey(), tally="begun")
    assert journeys.tallies("cart") == {"begun": 1}
    assert journeys.tallies("winback") == {}


def test_who_is_due_is_found_in_one_shard_the_longest_due_first(journeys: Journeys) -> None:
    for number in range(30):
        journeys.save(journey(f"u{number:02d}", due_at=NOON - number))
    journeys.save(journey("later", due_at=NOON + 1))
    journeys.save(journey("over", state="ended"))
    found = [journeys.due(shard, now=NOON) for shard in range(journeys.shards)]
    assert sorted(one for some in found for one in some) == [("cart", f"u{number:02d}") for number in range(30)]
    assert all(some == sorted(some, reverse=True) for some in found)
    assert sum(1 for some in found if some) > 4
    assert [journeys.due(shard, now=NOON, limit=1) for shard in range(journeys.shards)] == [some[:1] for some in found]


def test_who_has_ended_is_remembered_and_waits_for_nothing(journeys: Journeys) -> None:
    journeys.save(journey())
    journeys.save(journey(version=1, state="ended", reason="goal"), tally="goal")
    assert not any(journeys.due(shard, now=NOON + DAY) for shard in range(journeys.shards))
    assert journeys.get_many([("cart", "ana")])["cart", "ana"].reason == "goal"


def test_those_under_way_are_told_of_one_campaign(journeys: Journeys) -> None:
    for number in range(130):
        journeys.save(journey(f"u{number:03d}", due_at=NOON + number))
    journeys.save(journey("bo")._replace(campaign="winback"))
    journeys.save(journey("over", state="ended"))
    assert sorted(one.user_id for one in journeys.under_way("cart")) == [f"u{number:03d}" for number in range(130)]


@pytest.mark.parametrize("journeys", ["dynamodb"], indirect=True)
def test_a_write_whose_answer_was_lost_is_found_to_be_ours(journeys: Journeys) -> None:
    with fault("lost-ack", 1), pytest.raises(Unavailable):
        journeys.save(journey(), tally="begun")
    assert journeys.save(journey(), tally="begun")
    with fault("twice", 1):
        assert journeys.save(journey(version=1, state="ended"), tally="goal")
    assert journeys.tallies("cart") == {"begun": 1, "goal": 1}


class Busy:
    """A client whose transactions meet others, so many times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def transact_write_items(self, **asked: Any) -> dict[str, Any]:
        self.times -= 1
        if self.times < 0:
            return {}
        told: Any = {"Error": {"Code": "TransactionCanceledException"}}
        raise ClientError(told | {"CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}]}, "x")


def test_a_row_that_somebody_else_writes_at_the_moment_is_tried_again() -> None:
    waited: list[float] = []
    assert DynamoJourneys(Busy(3), "ledger", pause=waited.append).save(journey(), tally="begun")
    assert len(waited) == 3
    with pytest.raises(Unavailable):
        DynamoJourneys(Busy(100), "ledger", pause=waited.append).save(journey(), tally="begun")
