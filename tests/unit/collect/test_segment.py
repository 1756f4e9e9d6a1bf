"""Messages of the Segment spec become rows; what is wrong with one is said by reason and field."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.collect.envelope import messages_of
from nudge.collect.segment import event_type_of, row_of
from nudge.errors import BadInput

RECEIVED = 1_795_000_000_000_000  # 2026-11-18T11:06:40Z
TRACK = {
    "type": "track",
    "messageId": "m",
    "userId": "ana",
    "event": "Product Viewed",
    "timestamp": "2026-11-18T10:00:00Z",
}


def row(**more):
    return row_of({**TRACK, **more}, received_at=RECEIVED)[1]


def test_an_order_becomes_an_event_with_its_revenue_as_value():
    products = [{"product_id": "p1", "category": "shoes"}, {"product_id": "p2"}]
    properties = {"order_id": "o", "revenue": 25.5, "total": 30, "currency": "EUR", "products": products}
    assert row(event="Order Completed", properties=properties) == {
        "event_id": "m",
        "user_id": "ana",
        "event_type": "order_completed",
        "event_time": "2026-11-18T10:00:00.000000Z",
        "value": 25.5,
        "currency": "EUR",
        "received_at": "2026-11-18T11:06:40.000000Z",
        "properties": {"order_id": "o", "revenue": 25.5, "total": 30, "products": products},
    }


def test_the_only_product_of_an_order_is_its_item():
    made = row(properties={"products": [{"sku": "s", "category": "shoes"}]})
    assert (made["item_id"], made["category"]) == ("s", "shoes")


def test_the_clock_of_the_sender_is_taken_out():
    made = row(timestamp=None, originalTimestamp="2020-01-01T00:00:00Z", sentAt="2020-01-01T00:00:10Z")
    assert made["event_time"] == "2026-11-18T11:06:30.000000Z"
    assert row(timestamp=None)["event_time"] == "2026-11-18T11:06:40.000000Z"
    assert row(timestamp="2026-11-18T12:00:00+02:00")["event_time"] == "2026-11-18T10:00:00.000000Z"


def test_who_is_not_known_is_the_anonymous_id():
    assert row(userId=None, anonymousId="a-1")["user_id"] == "a-1"
    assert row(userId=0)["user_id"] == "0"


def test_identify_is_a_row_of_users():
    traits = {
        "email": "ana@example.com",
        "firstName": "Ana",
        "plan": "gold",
        "emailConsent": True,
        "address": {"city": "X"},
    }
    message = {
        "type": "identify",
        "messageId": "m",
        "userId": "ana",
        "traits": traits,
        "context": {"timezone": "Europe/Madrid"},
    }
    assert row_of(message, received_at=RECEIVED) == (
        "users",
        {
            "user_id": "ana",
            "updated_at": "2026-11-18T11:06:40.000000Z",
            "timezone": "Europe/Madrid",
            "email": "ana@example.com",
            "email_consent": True,
            "attributes": {"first_name": "Ana", "plan": "gold", "address": {"city": "X"}},
        },
    )


@pytest.mark.parametrize(
    ("message", "event_type", "properties"),
    [
        ({"type": "page", "name": "Home", "properties": {"url": "u"}}, "page", {"name": "Home", "url": "u"}),
        ({"type": "screen", "name": "Start"}, "screen", {"name": "Start"}),
        ({"type": "group", "groupId": "g", "traits": {"size": 3}}, "group", {"group_id": "g", "size": 3}),
        ({"type": "alias", "previousId": "old"}, "alias", {"previous_id": "old"}),
    ],
)
def test_the_other_types_are_events_of_their_name(message, event_type, properties):
    made = row_of({"messageId": "m", "userId": "ana", **message}, received_at=RECEIVED)[1]
    assert (made["event_type"], made["properties"]) == (event_type, properties)


@pytest.mark.parametrize(
    ("changed", "reason", "field"),
    [
        ({"type": "delete"}, "unknown_type", "type"),
        ({"userId": None}, "no_user_id", "userId"),
        ({"userId": "  "}, "no_user_id", "userId"),
        ({"userId": ["a"]}, "bad_id", "userId"),
        ({"userId": "a\x00"}, "bad_id", "userId"),
        ({"messageId": None}, "no_message_id", "messageId"),
        ({"messageId": "x" * 600}, "bad_id", "messageId"),
        ({"event": ""}, "no_event", "event"),
        ({"event": "!!"}, "no_event", "event"),
        ({"timestamp": "yesterday"}, "bad_time", "timestamp"),
        ({"timestamp": 5}, "bad_time", "timestamp"),
        ({"timestamp": "2026-12-24T00:00:00Z"}, "in_future", "timestamp"),
        ({"timestamp": "9999-12-31T23:59:59-12:00"}, "bad_time", "timestamp"),
        ({"properties": []}, "bad_object", "properties"),
        ({"properties": {"revenue": {}}}, "bad_value", "properties.value"),
        ({"properties": {"text": "x" * 40_000}}, "too_large", None),
        ({"properties": json.loads("[" * 20 + "]" * 20)}, "too_deep", None),
    ],
)
def test_what_is_wrong_is_said_by_reason_and_field(changed, reason, field):
    with pytest.raises(BadInput) as caught:
        row(**changed)
    assert (caught.value.reason, caught.value.where) == (reason, field)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
names = [
    "type",
    "messageId",
    "userId",
    "anonymousId",
    "event",
    "timestamp",
    "sentAt",
    "originalTimestamp",
    "properties",
    "traits",
    "context",
]


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(names),
        anything | st.sampled_from(["track", "identify", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00+10:00"]),
    )
)
def test_any_message_is_a_row_or_bad_input(message):
    with contextlib.suppress(BadInput):
        kind, made = row_of(message, received_at=RECEIVED)
        assert kind in ("events", "users")
        assert made["user_id"]
        json.dumps(made, allow_nan=False)


@given(st.text(max_size=30))
def test_an_event_type_is_its_own_event_type(name):
    made = event_type_of(name)
    assert event_type_of(made) == made


def test_a_batch_gives_its_own_time_and_context_to_each():
    body = {
        "sentAt": "s",
        "context": {"locale": "de", "ip": "x"},
        "batch": [{"context": {"ip": "y"}}, "no object", {"sentAt": "t"}],
    }
    one, two, three = messages_of("batch", body, size=10)
    assert one == {"sentAt": "s", "context": {"locale": "de", "ip": "y"}}
    assert two == "no object"
    assert three["sentAt"] == "t"


@pytest.mark.parametrize(
    ("route", "body", "size", "reason"),
    [
        ("batch", {}, 10, "bad_batch"),
        ("batch", {"batch": {}}, 10, "bad_batch"),
        ("batch", {"batch": [{}] * 5001}, 10, "too_large"),
        ("track", {}, 500 * 1024 + 1, "too_large"),
        ("track", {"type": "page"}, 10, "unknown_type"),
    ],
)
def test_a_wrong_envelope_is_the_whole_requests_error(route, body, size, reason):
    with pytest.raises(BadInput) as caught:
        messages_of(route, body, size=size)
    assert caught.value.reason == reason
