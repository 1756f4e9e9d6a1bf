"""Queue and Signer: what both adapters of each promise."""

import json

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.adapters.clients import client
from nudge.adapters.kms import KmsSigner
from nudge.adapters.memory import MemoryQueue, MemorySigner
from nudge.adapters.sqs import SqsQueue
from nudge.errors import Unavailable
from nudge.ports import Signer


def test_more_than_ten_messages_all_arrive(aws: None) -> None:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="chunks")["QueueUrl"]
    SqsQueue(client("sqs"), url).send([{"n": n} for n in range(23)])
    assert SqsQueue(client("sqs"), url).waiting() == 23
    seen = set()
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        seen |= {json.loads(one["Body"])["n"] for one in found}
    assert seen == set(range(23))


def test_a_batch_of_which_some_were_refused_is_an_error() -> None:
    class Partial:
        def send_message_batch(self, **asked: object) -> dict[str, object]:
            return {"Successful": [{"Id": "0"}], "Failed": [{"Id": "1", "Code": "InternalError"}]}

    with pytest.raises(Unavailable, match="refused 1 of 2 messages: InternalError"):
        SqsQueue(Partial(), "url").send([{"n": 1}, {"n": 2}])


def test_the_memory_queue_keeps_order_and_delay() -> None:
    queue = MemoryQueue()
    queue.send([{"n": 1}, {"n": 2}], delay_seconds=5)
    assert queue.sent == [({"n": 1}, 5), ({"n": 2}, 5)]
    assert queue.take() == [{"n": 1}, {"n": 2}]
    assert queue.take() == []


@pytest.fixture(params=["memory", "kms"])
def signer(request: pytest.FixtureRequest, aws: None) -> Signer:
    if request.param == "memory":
        return MemorySigner()
    key = boto3.client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    return KmsSigner(client("kms"), key["KeyMetadata"]["KeyId"])


def test_only_what_was_signed_verifies(signer: Signer) -> None:
    mac = signer.sign(b"x" * 10_000)
    assert signer.verify(b"x" * 10_000, mac)
    assert not signer.verify(b"x" * 9_999 + b"y", mac)
    assert not signer.verify(b"x" * 10_000, bytes([mac[0] ^ 1]) + mac[1:])


@given(st.binary(), st.binary(max_size=64))
def test_a_guessed_mac_is_refused(message: bytes, guess: bytes) -> None:
    signer = MemorySigner()
    assert signer.verify(message, guess) == (guess == signer.sign(message))
