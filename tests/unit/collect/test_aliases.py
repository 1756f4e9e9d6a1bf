"""Files load as other tools write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.collect.aliases import canonical, naming, who
from nudge.collect.segment import flatten

KLAVIYO = (
    "Email",
    "Phone Number",
    "First Name",
    "Last Name",
    "Email Consent",
    "Email Consent Timestamp",
    "SMS Consent",
)
MAILCHIMP = (
    "Email Address",
    "First Name",
    "Last Name",
    "MEMBER_RATING",
    "OPTIN_TIME",
    "CONFIRM_TIME",
    "LAST_CHANGED",
    "Tags",
)
PINPOINT = ("Id", "ChannelType", "Address", "OptOut", "EffectiveDate", "Demographic.Timezone", "User.UserId")


@pytest.mark.parametrize(
    ("kind", "header", "expected"),
    [
        (
            "users",
            KLAVIYO,
            ("email", "phone", "first_name", "last_name", "email_consent", "email_consent_at", "sms_consent"),
        ),
        (
            "users",
            MAILCHIMP,
            (
                "email",
                "first_name",
                "last_name",
                "MEMBER_RATING",
                "email_consent_at",
                "CONFIRM_TIME",
                "updated_at",
                "Tags",
            ),
        ),
        ("users", PINPOINT, ("Id", "ChannelType", "email", "email_opt_out", "updated_at", "timezone", "user_id")),
        ("users", ("firstname", "email", "company", "doNotEmail"), ("first_name", "email", "company", "email_opt_out")),
        ("users", ("id", "email", "firstName", "action"), ("user_id", "email", "first_name", "action")),
        ("users", ("user_id", "id", "address"), ("user_id", "id", "address")),
        (
            "events",
            ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"),
            ("user_id", "item_id", "event_time", "event_type", "value"),
        ),
        (
            "events",
            ("messageId", "anonymousId", "userId", "event", "timestamp", "receivedAt", "type", "revenue", "colour"),
            (
                "event_id",
                "anonymous_id",
                "user_id",
                "event_type",
                "event_time",
                "received_at",
                "type",
                "value",
                "colour",
            ),
        ),
        (
            "events",
            ("event_date", "event_timestamp", "event_name", "user_pseudo_id", "event_value_in_usd"),
            ("event_date", "event_time", "event_type", "anonymous_id", "value"),
        ),
        (
            "events",
            ("user_id", "event_type", "event_time", "event_action"),
            ("user_id", "event_type", "event_time", "event_action"),
        ),
        (
            "items",
            ("ITEM_ID", "CATEGORY_L1", "PRICE", "CREATION_TIMESTAMP"),
            ("item_id", "category", "price", "available_from"),
        ),
        ("decisions", ("decision_id", "Group"), ("decision_id", "Group")),
    ],
)
def test_the_columns_of_others_are_recognised(kind, header, expected):
    assert canonical(header, kind) == expected


def test_the_plan_goes_before_what_we_know():
    assert canonical(("Kunde", "email", "mail"), "users", {"kunde": "user_id", "mail": "email"}) == (
        "user_id",
        "email_2",
        "email",
    )
    assert naming("users", {"Kunde": "user_id"})("KUNDE") == "user_id"


@given(
    st.lists(st.sampled_from(["user_id", "userId", "id", "email", "E-Mail", "x", "X", "tags"]), unique=True),
    st.sampled_from(["users", "events", "items"]),
)
def test_no_name_is_given_twice_and_none_is_lost(header, kind):
    names = canonical(header, kind)
    assert len(names) == len(header) == len(set(names))


def test_with_a_header_the_best_column_wins_and_without_the_name_alone_counts():
    of_file = naming("users", header=("id", "user_id", "colour"))
    assert (of_file("id"), of_file("user_id"), of_file("colour")) == (None, "user_id", None)
    assert naming("users")("id") == "user_id"
    assert naming("users")("colour") is None


def test_a_file_without_ids_names_people_by_address():
    assert who(canonical(MAILCHIMP, "users")) == "email"
    assert who(canonical(PINPOINT, "users")) == "user_id"
    assert who(("colour",)) is None


def test_json_lines_in_segments_shape_become_our_rows_and_others_stay():
    kind, row = flatten(
        {
            "type": "track",
            "userId": "a",
            "event": "Order Completed",
            "timestamp": "2026-01-01T00:00:00Z",
            "properties": {"total": 3},
        }
    )
    assert (kind, row["event_type"], row["value"], row["user_id"]) == ("events", "order_completed", 3, "a")
    assert "event_id" not in row
    plain = {"user_id": "a", "event_type": "x", "type": "track"}
    assert flatten(plain) == (None, plain)
