"""History: what was decided for one person, from the table and from its twin in memory."""

from __future__ import annotations

from copy import replace

import pytest

from nudge.adapters.clients import client
from nudge.adapters.history import DynamoHistory
from nudge.adapters.ledger import DynamoLedger
from nudge.adapters.memory_history import MemoryHistory
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.errors import BadInput, Unavailable
from nudge.ports import History, Ledger
from nudge.vocabulary import DAY, SECOND, Decision, Message
from tests.acting import NOON, tables
from tests.faults.explorer import fault
from tests.ports.test_ledger import decision


@pytest.fixture(params=["memory", "dynamodb"])
def both(request: pytest.FixtureRequest, aws: None) -> tuple[Ledger, History]:
    if request.param == "memory":
        memory = MemoryLedger()
        return memory, MemoryHistory(memory)
    dynamodb = client("dynamodb")
    tables(dynamodb)
    return DynamoLedger(dynamodb, "ledger"), DynamoHistory(dynamodb, "ledger")


def made(number: int, *, user_id: str = "ana") -> Decision:
    return replace(decision(), decision_id=f"{number:032x}", user_id=user_id, decided_at=NOON + number * SECOND)


def record(ledger: Ledger, one: Decision, *, state: str | None = None) -> None:
    message = None
    if state is not None:
        message = Message(one.decision_id, one.user_id, "discount_mail", "purchase", "email", state, one.decided_at)  # type: ignore[arg-type]
    ledger.record(
        one, request_hash="h", answer={}, message=message, caps={}, budgets=(), expires_at=one.decided_at + DAY
    )


def test_decisions_come_newest_first_with_their_messages_and_nobody_elses(both: tuple[Ledger, History]) -> None:
    ledger, history = both
    record(ledger, made(1), state="sent")
    record(ledger, made(2))
    record(ledger, made(3, user_id="bo"), state="pending")
    past, following = history.of("ana")
    assert [(one, None if message is None else message.state) for one, message in past] == [
        (made(2), None),
        (made(1), "sent"),
    ]
    assert following is None
    assert history.of("nobody") == ([], None)


def test_pages_join_without_a_gap_or_a_repetition(both: tuple[Ledger, History]) -> None:
    ledger, history = both
    for number in range(7):
        record(ledger, made(number))
    seen: list[str] = []
    before: str | None = None
    for _ in range(5):
        past, before = history.of("ana", before=before, limit=3)
        seen += [one.decision_id for one, _ in past]
        if before is None:
            break
    assert seen == [made(number).decision_id for number in reversed(range(7))]


@pytest.mark.parametrize("before", ["", "x", "1", "1-", "-1", "1-zz", "1-00;drop", "9" * 18 + "-0", "1-" + "0" * 65])
def test_a_cursor_that_is_none_of_ours_is_refused(both: tuple[Ledger, History], before: str) -> None:
    with pytest.raises(BadInput):
        both[1].of("ana", before=before)


def test_when_the_table_does_not_answer_nothing_is_told(aws: None) -> None:
    dynamodb = client("dynamodb")
    tables(dynamodb)
    record(DynamoLedger(dynamodb, "ledger"), made(1))
    for at in (1, 2):
        with fault("throttle", at) as calls, pytest.raises(Unavailable):
            DynamoHistory(dynamodb, "ledger").of("ana")
        assert calls.names[-1] == ("Query", "BatchGetItem")[at - 1]
