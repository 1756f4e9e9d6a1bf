"""Arrivals: what the table of claims, in AWS or in memory, promises."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.adapters.arrivals import DynamoArrivals, padded
from nudge.adapters.clients import client
from nudge.adapters.memory_arrivals import MemoryArrivals
from nudge.errors import Unavailable
from nudge.ports import Arrival, Arrivals
from nudge.vocabulary import Chunk, Counts
from tests.ports.conftest import make_table

NOW = 1_795_000_000_000_000
ABOUT: dict[str, Any] = {"bucket": "lake", "key": "inbox/events/a.csv", "kind": "events"}


@pytest.fixture(params=["memory", "dynamodb"])
def arrivals(request: pytest.FixtureRequest, aws: None) -> Arrivals:
    if request.param == "memory":
        return MemoryArrivals()
    make_table("arrivals")
    return DynamoArrivals(client("dynamodb"), "arrivals", sleep=lambda _: None)


def piece(number: int, of: int = 2) -> Chunk:
    return Chunk("c", "events", "lake", ABOUT["key"], "v1", "e", NOW, "csv", number=number, of=of)


def claim(arrivals: Arrivals, owner: str = "one", chunks: int = 2) -> bool:
    return arrivals.claim("c", **ABOUT, chunks=chunks, owner=owner, now=NOW)


def test_a_claim_can_be_repeated_until_its_tasks_are_queued(arrivals: Arrivals) -> None:
    assert arrivals.get("c") is None
    assert claim(arrivals)
    assert claim(arrivals)
    assert claim(arrivals, "another")
    arrivals.queued("c")
    arrivals.queued("c")
    assert not claim(arrivals)
    assert not claim(arrivals, "another")
    assert arrivals.get("c") == Arrival("c", ABOUT["key"], "events", "queued", planned=2)


def test_a_content_is_done_when_all_its_chunks_are_and_each_counts_once(arrivals: Arrivals) -> None:
    claim(arrivals)
    arrivals.queued("c")
    first = Counts(read=10, accepted=7, rejected=2, duplicate=1)
    assert not arrivals.is_chunk_done("c", 0)
    for _ in range(3):
        held = arrivals.chunk_done(piece(0), first, ["lake/events/dt=2026-01-01/x.parquet"], NOW)
        assert (held.state, held.done, held.counts) == ("queued", 1, first)
    assert arrivals.is_chunk_done("c", 0)
    held = arrivals.chunk_done(piece(1), Counts(read=1, accepted=1), [], NOW)
    assert held == arrivals.get("c") == Arrival("c", ABOUT["key"], "events", "done", 2, 2, first + Counts(1, 1))


def test_a_chunk_that_is_done_before_its_siblings_were_queued_is_not_forgotten(arrivals: Arrivals) -> None:
    claim(arrivals)
    arrivals.chunk_done(piece(0), Counts(read=1, accepted=1), [], NOW)
    assert claim(arrivals, "second attempt")
    arrivals.queued("c")
    assert arrivals.get("c") == Arrival("c", ABOUT["key"], "events", "queued", 2, 1, Counts(1, 1))


def test_a_chunk_sent_by_hand_makes_its_content(arrivals: Arrivals) -> None:
    held = arrivals.chunk_done(piece(0, of=1), Counts(read=1, rejected=1), [], NOW)
    assert (held.state, held.planned, held.kind) == ("done", 1, "events")


@pytest.mark.parametrize("state", ["missing", "refused", "superseded", "empty"])
def test_what_needs_no_chunks_is_closed_once(arrivals: Arrivals, state: str) -> None:
    arrivals.close("c", **ABOUT, state=state, detail="first", now=NOW)
    arrivals.close("c", **ABOUT, state="missing", detail="second", now=NOW)
    assert arrivals.get("c") == Arrival("c", ABOUT["key"], "events", state, detail="first")
    assert not claim(arrivals)


def test_a_claim_whose_object_went_away_can_be_closed_and_what_is_done_stays_done(arrivals: Arrivals) -> None:
    claim(arrivals, chunks=1)
    arrivals.close("c", **ABOUT, state="missing", detail="gone", now=NOW)
    assert arrivals.get("c").state == "missing"
    arrivals.chunk_done(piece(0, of=1), Counts(1, 1), [], NOW)
    assert arrivals.get("c").state == "done"


SEQUENCERS = [
    ("0055AED6DCD90281E5", "0055AED6DCD90281E5", True),
    ("0055AED6DCD90281E5", "0055AED6DCD90281E6", True),
    ("0055AED6DCD90281E6", "0055AED6DCD90281E5", False),
    ("0055AED6DCD90281E5", "0055AED6DCD90281E500", True),
    ("0055AED6DCD90281E500", "0055AED6DCD90281E5", True),
    ("0055AED6DCD9", "0055AED6DCD90281E5", True),
    ("0055AED6DCD90281E5", "0055AED6DCD9", False),
    ("0055aed6dcd90281e5", "0055AED6DCD90281E6", True),
    ("FF", "0FFF", False),
    ("00", None, True),
]


@pytest.mark.parametrize(("first", "second", "newest"), SEQUENCERS)
def test_a4_sequencers_are_padded_on_the_right_and_compared_as_hex(
    arrivals: Arrivals, first: str, second: str | None, newest: bool
) -> None:
    assert arrivals.newest("lake", "k", first)
    assert arrivals.newest("lake", "k", second) is newest
    assert arrivals.newest("lake", "another", "00")


@given(st.text("0123456789ABCDEF", min_size=1, max_size=40), st.text("0123456789ABCDEF", min_size=1, max_size=40))
def test_padding_compares_as_the_numbers_of_equal_length_do(one: str, two: str) -> None:
    length = max(len(one), len(two))
    assert (padded(one) < padded(two)) == (int(one.ljust(length, "0"), 16) < int(two.ljust(length, "0"), 16))


def test_all_contents_are_listed_and_nothing_else(arrivals: Arrivals) -> None:
    arrivals.newest("lake", "k", "01")
    claim(arrivals)
    arrivals.chunk_done(piece(0), Counts(1, 1), [], NOW)
    arrivals.close("d", **ABOUT, state="missing", detail="", now=NOW)
    assert sorted((one.content, one.state) for one in arrivals.all()) == [("c", "claimed"), ("d", "missing")]


def test_a_transaction_that_others_are_in_the_way_of_is_tried_again_and_then_unavailable(aws: None) -> None:
    make_table("arrivals")
    waits: list[float] = []

    class Busy:
        def __init__(self, real: Any) -> None:
            self.real, self.busy = real, 2

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

        def transact_write_items(self, **asked: Any) -> Any:
            if self.busy:
                self.busy -= 1
                raise self.real.exceptions.TransactionCanceledException(
                    {"Error": {"Code": "TransactionCanceledException"}}, "TransactWriteItems"
                )
            return self.real.transact_write_items(**asked)

    busy = Busy(client("dynamodb"))
    arrivals = DynamoArrivals(busy, "arrivals", sleep=waits.append)
    assert arrivals.chunk_done(piece(0, of=1), Counts(1, 1), [], NOW).state == "done"
    assert len(waits) == 2
    busy.busy = 99
    with pytest.raises(Unavailable):
        arrivals.chunk_done(piece(1, of=2), Counts(1, 1), [], NOW)


def test_a_table_that_does_not_answer_is_unavailable(aws: None) -> None:
    arrivals = DynamoArrivals(client("dynamodb"), "no such table")
    for call in (lambda: arrivals.get("c"), lambda: claim(arrivals), lambda: list(arrivals.all())):
        with pytest.raises(Unavailable):
            call()
    with pytest.raises(Unavailable):
        arrivals.chunk_done(piece(0), Counts(), [], NOW)
