"""Ledger: what the table in AWS, and its twin in memory, promise."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import replace
from threading import Lock
from typing import Any

import pytest

from nudge.adapters.clients import client
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.decide import chance
from nudge.decide.policy import Question, choose
from nudge.errors import Conflict, Unavailable
from nudge.ports import Ledger
from nudge.vocabulary import DAY, NOTHING, Candidate, Decision, Message, Micros
from tests.acting import NOON, plan, tables
from tests.faults.explorer import fault


@pytest.fixture(params=["memory", "dynamodb"])
def ledger(request: pytest.FixtureRequest, aws: None) -> Iterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
    else:
        dynamodb = client("dynamodb")
        tables(dynamodb)
        yield DynamoLedger(Serial(dynamodb), "ledger")


class Serial:
    """A client whose transactions are atomic among threads, as DynamoDB's are and moto's are not."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb, self._lock = dynamodb, Lock()

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._dynamodb, name)

        def one_at_a_time(**asked: Any) -> Any:
            with self._lock:
                return call(**asked)

        return one_at_a_time


def decision(key: str = "k", now: Micros = NOON) -> Decision:
    asked = Question(
        chance.decision_id("ana", key), "ana", now, "purchase", 20.0,
        (Candidate(NOTHING, 0.05), Candidate("discount_mail", 0.5)), {"discount_mail": now}, {"a": 0.1}, {}, None,
    )  # fmt: skip
    return choose(asked, plan())


def message(made: Decision, **changes: Any) -> Message:
    held = Message(made.decision_id, "ana", "discount_mail", "purchase", "email", "pending", made.decided_at)
    return replace(held, changed_at=made.decided_at, **changes)


def put(ledger: Ledger, made: Decision, **changes: Any) -> str:
    held: dict[str, Any] = {
        "request_hash": "h",
        "answer": {"activity": made.activity, "é": 0.1 + 0.2},
        "message": message(made),
        "caps": {},
        "budgets": (),
        "expires_at": made.decided_at + DAY,
    }
    ledger.record(made, **(held | changes))
    return made.decision_id


def test_what_was_recorded_is_found_bit_for_bit(ledger: Ledger) -> None:
    made = decision()
    put(ledger, made)
    assert ledger.find(made.decision_id) == (made, "h")
    assert ledger.answer(made.decision_id) == ({"activity": made.activity, "é": 0.1 + 0.2}, "h")
    assert ledger.message(made.decision_id) == message(made)


def test_what_was_never_recorded_is_none(ledger: Ledger) -> None:
    assert ledger.find("0") is None
    assert ledger.answer("0") is None
    assert ledger.message("0") is None
    assert ledger.look("0", ["x"]) == (None, {"x": 0.0})
    assert not ledger.claim("0", owner="me", now=NOON)
    assert not ledger.finish("0", owner="me", state="sent", now=NOON)
    assert not ledger.settle("0", provider_id="p", now=NOON)
    assert not ledger.give_back("0", owner="me", due_at=NOON)


def test_another_decision_under_the_same_id_is_a_conflict_and_changes_nothing(ledger: Ledger) -> None:
    made = decision()
    put(ledger, made, caps={"c": 5})
    with pytest.raises(Conflict) as lost:
        put(ledger, replace(made, decided_at=NOON + 1), caps={"c": 5})
    assert lost.value.reason == "decision"
    assert ledger.counts(["c"]) == {"c": 1.0}


def test_the_same_record_again_is_our_own_and_counts_once(ledger: Ledger) -> None:
    made = decision()
    for _ in range(3):
        put(ledger, made, caps={"c": 1}, budgets=[("b", 0.5, 0.5)])
    assert ledger.counts(["c", "b", "x"]) == {"c": 1.0, "b": 0.5, "x": 0.0}


def test_a_full_cap_is_a_conflict_that_names_it_and_nothing_is_written(ledger: Ledger) -> None:
    put(ledger, decision("1"), caps={"day": 1, "week": 3})
    second = decision("2")
    with pytest.raises(Conflict) as lost:
        put(ledger, second, caps={"day": 1, "week": 3})
    assert (lost.value.reason, str(lost.value)) == ("cap", "day")
    assert ledger.find(second.decision_id) is None
    assert ledger.counts(["day", "week"]) == {"day": 1.0, "week": 1.0}


def test_a_budget_is_spent_to_its_end_and_not_beyond(ledger: Ledger) -> None:
    for number in range(10):
        put(ledger, decision(str(number)), budgets=[("b", 0.1, 1.0)])
    with pytest.raises(Conflict) as lost:
        put(ledger, decision("more"), budgets=[("b", 0.1, 1.0)])
    assert (lost.value.reason, str(lost.value)) == ("budget", "b")
    assert ledger.counts(["b"])["b"] == pytest.approx(1.0)


def test_a_decision_that_fits_one_budget_and_not_the_other_spends_neither(ledger: Ledger) -> None:
    put(ledger, decision("first"), budgets=[("day", 1.0, 9.0), ("campaign/spring", 1.0, 1.0)])
    with pytest.raises(Conflict) as lost:
        put(ledger, decision("second"), budgets=[("day", 1.0, 9.0), ("campaign/spring", 1.0, 1.0)])
    assert (lost.value.reason, str(lost.value)) == ("budget", "campaign/spring")
    assert ledger.counts(["day", "campaign/spring"]) == {"day": 1.0, "campaign/spring": 1.0}


def test_a_look_answers_with_decision_and_counters(ledger: Ledger) -> None:
    made = decision()
    put(ledger, made, caps={"c": 2})
    known, counts = ledger.look(made.decision_id, ["c", "d", "c"])
    assert known is not None
    assert known[1] == "h"
    assert counts == {"c": 1.0, "d": 0.0}


def test_a_message_is_claimed_by_one(ledger: Ledger) -> None:
    name = put(ledger, decision())
    assert ledger.claim(name, owner="me", now=NOON)
    assert ledger.claim(name, owner="me", now=NOON + 1)
    assert not ledger.claim(name, owner="you", now=NOON + 2)
    held = ledger.message(name)
    assert held is not None
    assert (held.state, held.owner, held.changed_at) == ("sending", "me", NOON)


def test_sixteen_workers_at_once_make_one_claim(ledger: Ledger) -> None:
    name = put(ledger, decision())
    with ThreadPoolExecutor(16) as pool:
        claims = list(pool.map(lambda n: ledger.claim(name, owner=f"w{n}", now=NOON), range(16)))
    assert sum(claims) == 1


def test_what_is_not_due_is_not_claimed(ledger: Ledger) -> None:
    made = decision()
    name = put(ledger, made, message=message(made, state="held", due_at=NOON + 10))
    assert not ledger.claim(name, owner="me", now=NOON + 9)
    assert ledger.claim(name, owner="me", now=NOON + 10)


def test_only_the_owner_finishes_and_the_end_is_final(ledger: Ledger) -> None:
    name = put(ledger, decision())
    assert not ledger.finish(name, owner="me", state="sent", now=NOON)
    ledger.claim(name, owner="me", now=NOON)
    assert not ledger.finish(name, owner="you", state="failed", now=NOON)
    assert ledger.finish(name, owner="me", state="sent", now=NOON + 5, provider_id="p")
    assert ledger.finish(name, owner="me", state="sent", now=NOON + 5, provider_id="p")
    assert not ledger.finish(name, owner="me", state="failed", now=NOON + 6, reason="x")
    assert not ledger.claim(name, owner="me", now=NOON + 7)
    assert not ledger.give_back(name, owner="me", due_at=NOON)
    held = ledger.message(name)
    assert held is not None
    assert (held.state, held.provider_id, held.changed_at) == ("sent", "p", NOON + 5)


def test_a_message_given_back_is_due_again_later(ledger: Ledger) -> None:
    name = put(ledger, decision())
    ledger.claim(name, owner="me", now=NOON)
    assert not ledger.give_back(name, owner="you", due_at=NOON + 60)
    assert ledger.give_back(name, owner="me", due_at=NOON + 60)
    assert ledger.due(now=NOON + 59) == []
    assert ledger.due(now=NOON + 60) == [name]
    assert not ledger.claim(name, owner="you", now=NOON + 59)
    assert ledger.claim(name, owner="you", now=NOON + 60)


@pytest.mark.parametrize(
    ("state", "settled"),
    [("sending", True), ("unknown", True), ("sent", False), ("failed", False), ("skipped", False)],
)
def test_the_channels_own_event_settles_doubt_and_nothing_else(ledger: Ledger, state: str, settled: bool) -> None:
    name = put(ledger, decision())
    ledger.claim(name, owner="me", now=NOON)
    if state != "sending":
        ledger.finish(name, owner="me", state=state, now=NOON + 1)
    assert ledger.settle(name, provider_id="p", now=NOON + 2) is settled
    held = ledger.message(name)
    assert held is not None
    assert held.state == ("sent" if settled else state)


def test_a_message_settled_before_its_sender_records_it_stays_sent(ledger: Ledger) -> None:
    name = put(ledger, decision())
    ledger.claim(name, owner="me", now=NOON)
    ledger.settle(name, provider_id="p", now=NOON + 1)
    assert ledger.finish(name, owner="me", state="sent", now=NOON + 2, provider_id="p")


def test_what_is_due_comes_in_order_and_what_hangs_is_listed(ledger: Ledger) -> None:
    names = [
        put(ledger, replace_due(decision(str(n)), n), message=message(decision(str(n)), due_at=NOON + n))
        for n in range(9)
    ]
    assert ledger.due(now=NOON + 4) == names[:5]
    assert ledger.due(now=NOON + 9, limit=3) == names[:3]
    for number, name in enumerate(names):
        ledger.claim(name, owner="me", now=NOON + 100 + number)
    assert ledger.due(now=NOON + 1000) == []
    assert ledger.stuck(before=NOON + 104) == names[:4]
    assert ledger.stuck(before=NOON + 1000, limit=2) == names[:2]
    assert ledger.finish(names[0], owner=None, state="unknown", now=NOON + 2000)
    assert not ledger.finish(names[0], owner=None, state="unknown", now=NOON + 2001)
    ledger.finish(names[1], owner="me", state="sent", now=NOON + 2000)
    assert ledger.stuck(before=NOON + 104) == names[2:4]


def replace_due(made: Decision, later: int) -> Decision:
    return replace(made, due_at=NOON + later)


def test_ten_at_once_with_one_cap_left_record_one(ledger: Ledger) -> None:
    def attempt(number: int) -> bool:
        try:
            put(ledger, decision(str(number)), caps={"c": 1})
        except (Conflict, Unavailable):
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(attempt, range(10))) == 1
    assert ledger.counts(["c"]) == {"c": 1.0}


@pytest.mark.parametrize("kind", ["lost-ack", "twice", "throttle", "conflict"])
def test_a_fault_at_any_write_is_an_error_or_our_own_success(aws: None, kind: str) -> None:
    dynamodb = client("dynamodb")
    tables(dynamodb)
    ledger = DynamoLedger(dynamodb, "ledger")
    made = decision()
    steps = [
        lambda: put(ledger, made, caps={"c": 1}),
        lambda: ledger.claim(made.decision_id, owner="me", now=NOON),
        lambda: ledger.finish(made.decision_id, owner="me", state="sent", now=NOON + 1),
    ]
    for step in steps:
        try:
            with fault(kind, 1):
                assert step()
        except Unavailable:
            assert step()
    held = ledger.message(made.decision_id)
    assert held is not None
    assert held.state == "sent"
    assert ledger.counts(["c"]) == {"c": 1.0}


def test_what_nobody_knows_is_listed_until_an_event_settles_it(ledger: Ledger) -> None:
    names = [put(ledger, decision(f"k{number}")) for number in range(3)]
    for number, name in enumerate(names):
        assert ledger.claim(name, owner="me", now=NOON + number)
    assert ledger.unknown() == []
    for name in names:
        assert ledger.finish(name, owner=None, state="unknown", now=NOON + 10, reason="no_answer")
    assert ledger.unknown() == names
    assert ledger.unknown(limit=2) == names[:2]
    assert ledger.settle(names[1], provider_id="p", now=NOON + 20)
    assert ledger.unknown() == [names[0], names[2]]
    assert ledger.stuck(before=NOON + 100) == []
    assert ledger.due(now=NOON + 100) == []


def test_a_recipient_of_an_occasion_belongs_to_the_first_user_id_that_asks(ledger: Ledger) -> None:
    assert ledger.reserve("spring/r1/a", "ana", expires_at=NOON + DAY)
    assert ledger.reserve("spring/r1/a", "ana", expires_at=NOON + DAY)
    assert not ledger.reserve("spring/r1/a", "anna", expires_at=NOON + DAY)
    assert ledger.reserve("spring/r2/a", "anna", expires_at=NOON + DAY)


# ── pausing and sending again ────────────────────────────────────────────────────────────────────────────────────────
def ended(ledger: Ledger, state: str, key: str = "k") -> str:
    """A message in a final state, after one attempt."""
    name = put(ledger, decision(key))
    assert ledger.claim(name, owner="a", now=NOON)
    assert ledger.finish(name, owner="a", state=state, now=NOON, reason="r", provider_id="p")
    return name


def test_messages_are_read_many_at_once_in_the_order_asked_for(ledger: Ledger) -> None:
    names = [put(ledger, decision(f"k{number}")) for number in range(120)]
    wanted = [*reversed(names), "0"]
    assert [one.decision_id for one in ledger.messages_of(wanted)] == wanted[:-1]
    assert ledger.messages_of([]) == []


def test_what_waits_can_be_put_off_and_nothing_else(ledger: Ledger) -> None:
    name = put(ledger, decision())
    assert ledger.postpone(name, now=NOON, due_at=NOON + 60)
    assert not ledger.postpone(name, now=NOON, due_at=NOON + 90)
    assert ledger.due(now=NOON + 59) == []
    assert ledger.due(now=NOON + 60) == [name]
    assert ledger.claim(name, owner="a", now=NOON + 60)
    assert not ledger.postpone(name, now=NOON + 60, due_at=NOON + 90)
    assert not ledger.postpone("0", now=NOON, due_at=NOON)


def test_a_failed_message_goes_again_once_and_keeps_who_said_so(ledger: Ledger) -> None:
    name = ended(ledger, "failed")
    assert ledger.failed() == [name]
    assert ledger.resend(name, attempt=1, by="ana", now=NOON + 5)
    assert ledger.failed() == []
    assert ledger.resend(name, attempt=1, by="ana", now=NOON + 5)
    assert not ledger.resend(name, attempt=1, by="bo", now=NOON + 6)
    held = ledger.message(name)
    assert held is not None
    assert (held.state, held.attempt, held.resent_by, held.resent_at) == ("pending", 2, "ana", NOON + 5)
    assert (held.owner, held.reason, held.provider_id, held.due_at) == (None, None, None, NOON + 5)
    assert ledger.due(now=NOON + 5) == [name]
    assert not ledger.finish(name, owner="a", state="sent", now=NOON + 6)
    assert ledger.claim(name, owner="b", now=NOON + 6)
    assert ledger.finish(name, owner="b", state="failed", now=NOON + 7)
    assert not ledger.resend(name, attempt=1, by="bo", now=NOON + 8)
    assert ledger.resend(name, attempt=2, by="bo", now=NOON + 8)


@pytest.mark.parametrize("state", ["sent", "skipped", "unknown"])
def test_only_what_failed_goes_again(ledger: Ledger, state: str) -> None:
    name = ended(ledger, state)
    assert not ledger.resend(name, attempt=1, by="ana", now=NOON)
    assert not ledger.resend("0", attempt=1, by="ana", now=NOON)


def test_of_sixteen_who_send_again_at_once_one_moves_it(ledger: Ledger) -> None:
    name = ended(ledger, "failed")
    with ThreadPoolExecutor(16) as pool:
        moved = list(pool.map(lambda n: ledger.resend(name, attempt=1, by=f"p{n}", now=NOON + n), range(16)))
    assert moved.count(True) == 1


def test_a_name_counts_once_and_never_beyond_a_cap(ledger: Ledger) -> None:
    assert ledger.count_once("m1", {"day": 2, "week": 3}, now=NOON)
    assert ledger.count_once("m1", {"day": 2, "week": 3}, now=NOON)
    assert ledger.counts(["day", "week"]) == {"day": 1.0, "week": 1.0}
    assert ledger.count_once("m2", {"day": 2, "week": 3}, now=NOON)
    assert not ledger.count_once("m3", {"week": 3, "day": 2}, now=NOON)
    assert ledger.counts(["day", "week"]) == {"day": 2.0, "week": 2.0}
    assert ledger.count_once("m1", {"day": 2, "week": 3}, now=NOON)
