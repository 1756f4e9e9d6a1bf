"""Ports: one suite over the memory and the AWS adapters (moto, in this process)."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws


@pytest.fixture
def aws() -> Iterator[None]:
    """An embedded AWS, empty."""
    with mock_aws():
        yield


def make_table(name: str) -> None:
    """A table with the one string key `id` that all our tables have."""
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
