"""Sent: what the rows of the Ledger table and their memory twin promise about the ids that providers give."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from nudge.adapters.clients import client
from nudge.adapters.sent import KEPT, DynamoSent, MemorySent
from nudge.errors import Unavailable
from nudge.ports import Sent
from nudge.vocabulary import SECOND
from tests.acting import NOON
from tests.ports.conftest import make_table


@pytest.fixture(params=["memory", "dynamodb"])
def sent(request: pytest.FixtureRequest, aws: None) -> Sent:
    if request.param == "memory":
        return MemorySent()
    make_table("ledger")
    return DynamoSent(client("dynamodb"), "ledger")


def test_a_providers_id_leads_to_its_decision_on_its_own_channel(sent: Sent) -> None:
    for _ in range(2):
        sent.note("sms", "m-1", "d-1", at=NOON)
    sent.note("sms", "m-2", "d-2", at=NOON)
    assert (sent.find("sms", "m-1"), sent.find("sms", "m-2")) == ("d-1", "d-2")
    assert (sent.find("sms", "m-3"), sent.find("push", "m-1")) == (None, None)


def test_a_row_goes_with_its_message_whichever_receipt_came_last(aws: None) -> None:
    make_table("ledger")
    sent = DynamoSent(client("dynamodb"), "ledger")
    sent.note("sms", "m-1", "d-1", at=NOON)
    sent.note("sms", "m-1", "d-1", at=NOON + 9 * SECOND)
    (row,) = client("dynamodb").scan(TableName="ledger")["Items"]
    assert row["expires"]["N"] == str((NOON + KEPT) // SECOND)


@pytest.mark.parametrize(
    "error", [ClientError({"Error": {"Code": "InternalServerError"}}, "x"), EndpointConnectionError(endpoint_url="u")]
)
def test_a_store_that_does_not_answer_is_unavailable(error: Exception) -> None:
    class Down:
        def __getattr__(self, name: str) -> Any:
            def call(**_: Any) -> Any:
                raise error

            return call

    sent = DynamoSent(Down(), "ledger")
    with pytest.raises(Unavailable):
        sent.note("sms", "m-1", "d-1", at=NOON)
    with pytest.raises(Unavailable):
        sent.find("sms", "m-1")
