"""A chunk's bytes become parts, rejects and counts that reconcile."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from io import BytesIO
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.clean import kinds
from nudge.clean.reasons import REASONS
from nudge.vocabulary import Counts, Dialect, Event, Kind
from tests.unit.clean.examples import UPLOADED, cleaned, reasons

EVENT = b"user_id,event_type,event_time,value,item_id\n"


def reconciles(counts: Counts) -> bool:
    return counts.read == counts.accepted + counts.rejected + counts.duplicate


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (b",view,2026-01-01,,", "user_id", "no_user_id"), (b"1,,2026-01-01,,", "event_type", "no_event_type"),
        (b"1,view,,,", "event_time", "no_event_time"), (b"1,view,2026-02-30,,", "event_time", "bad_time"),
        (b"1,view,1677-01-01,,", "event_time", "too_old"), (b"1,view,9999-12-31,,", "event_time", "in_future"),
        (b"1,view,2026-02-05,,", "event_time", "in_future"), (b"1,view,2026-01-01,nan,", "value", "bad_value"),
        (b'1,view,2026-01-01,"1,234",', "value", "bad_value"), (b"1,view,2026-01-01,1e400,", "value", "bad_value"),
        (b"a\x00b,view,2026-01-01,,", "user_id", "bad_id"), (b"1,vi\x1bew,2026-01-01,,", "event_type", "bad_id"),
        (b'"a\nb",view,2026-01-01,,', "user_id", "bad_id"), (b"x" * 513 + b",view,2026-01-01,,", "user_id", "bad_id"),
        (b"1,view,2026-01-01,,i\x7f", "item_id", "bad_id"), (b"1,view,2026-01-01,", None, "too_few_fields"),
        (b"1,view,2026-01-01,,,", None, "too_many_fields"), (b'"1,view,2026-01-01,,', None, "unclosed_quote"),
        (b'"1"x,view,2026-01-01,,', None, "stray_quote"), (b"1,view,2026-01-01,,\xff", "byte 64", "bad_encoding"),
    ],
)  # fmt: skip
def test_a_row_that_is_none_is_kept_with_its_place_and_reason(row: bytes, column: str | None, reason: str) -> None:
    good = b"7,view,2026-01-01T10:00:00Z,1,i\n"
    result = cleaned(EVENT + good + row + b"\n" + good.replace(b"7", b"8"))
    if column and column.startswith("byte"):
        column = f"byte {len(EVENT + good + row) - 1}"
    assert reasons(result) == [(3, column, reason)]
    assert result.counts == Counts(3, 2, 1, 0)
    assert result.rejects[0].file == "inbox/events/f"
    assert result.rejects[0].raw == row.decode("utf-8", "backslashreplace")


@pytest.mark.parametrize(
    "user",
    [
        "007",
        "NA",
        "1e5",
        "null",
        "nan",
        "9223372036854775808",
        "None",
        "true",
        "-0",
        "../../x",
        "=cmd|' /C calc'!A0",
        "@a",
        "Ünï 漢",
    ],
)
@pytest.mark.parametrize("form", ["csv", "quoted", "jsonl"])
def test_ids_are_kept_as_they_were_written(user: str, form: str) -> None:
    if form == "jsonl":
        body = json.dumps({"user_id": user, "event_type": "view", "event_time": "2026-01-01"}).encode()
        result = cleaned(body, format="jsonl")
    else:
        cell = f'"{user}"' if form == "quoted" else user
        result = cleaned(f"user_id,event_type,event_time\n{cell},view,2026-01-01\n".encode())
    assert [event.user_id for event in result.events()] == [user]


@pytest.mark.parametrize(
    ("number", "text"), [("1e5", "1e5"), ("7", "7"), ("7.0", "7.0"), ("18446744073709551617", "18446744073709551617")]
)
def test_a_number_that_is_an_id_keeps_its_spelling(number: str, text: str) -> None:
    body = b'{"user_id":%s,"event_type":"view","event_time":1767225600}' % number.encode()
    assert [event.user_id for event in cleaned(body, format="jsonl").events()] == [text]


def test_rows_without_an_event_id_get_one_from_what_they_say() -> None:
    one = cleaned(b"user_id,event_type,event_time,value,colour\n1,view,2026-01-01,12,red\n")
    two = cleaned(
        b'colour;value;event_time;event_type;user_id\nred;"12,0";2026-01-01T00:00:00Z;view;1\n',
        dialect=Dialect("utf-8", ";"),
    )
    three = cleaned(
        b'{"user_id":"1","event_type":"view","event_time":1767225600,"value":12.0,"properties":{"colour":"red"}}',
        format="jsonl",
    )
    said = (
        '{"event_time":1767225600000000,"event_type":"view","properties":{"colour":"red"},"user_id":"1","value":12.0}'
    )
    wanted = "c" + hashlib.sha256(said.encode()).hexdigest()[:24]
    for result in (one, two, three):
        assert [event.event_id for event in result.events()] == [wanted]
    assert one.parts == two.parts == three.parts


def test_what_needs_escaping_is_spelled_in_properties_as_json_spells_it() -> None:
    body = b'user_id,event_type,event_time,note,b\n1,view,2026-01-01,"say ""hi""\n\\ \xe6\xbc\xa2",x\n2,view,2026-01-01,,y\n3,view,2026-01-01,,\n'
    found = cleaned(body).frames["events"].sort("user_id")["properties"].to_list()
    assert found == ['{"b":"x","note":"say \\"hi\\"\\n\\\\ 漢"}', '{"b":"y"}', None]
    assert json.loads(found[0])["note"] == 'say "hi"\n\\ 漢'


def test_the_same_row_twice_is_one_event_and_one_duplicate() -> None:
    result = cleaned(EVENT + b"1,view,2026-01-01,,\n1,view,2026-01-01T00:00:00Z,,\n2,view,2026-01-01,,\n")
    assert result.counts == Counts(3, 2, 0, 1)


def test_an_event_id_used_again_for_something_else_is_rejected_and_the_earliest_kept() -> None:
    body = (
        b"event_id,user_id,event_type,event_time,value\n"
        b"e1,1,view,2026-01-02,1\ne1,1,view,2026-01-01,1\ne1,1,buy,2026-01-03,1\ne1,1,view,2026-01-01,2\ne1,2,view,2026-01-02,1\n"
    )
    result = cleaned(body)
    assert result.counts == Counts(5, 2, 2, 1)
    assert reasons(result) == [(2, "event_id", "event_id_reused"), (4, "event_id", "event_id_reused")]


def test_events_are_yielded_as_the_vocabulary_has_them() -> None:
    body = b"event_id,user_id,event_type,event_time,event_action,item_id,category,value,currency,channel,decision_id\ne,1,buy,2026-01-01T00:00:01Z,bought,i,c,2.5,EUR,web,d\n"
    assert list(cleaned(body).events()) == [
        Event("e", "1", "buy", 1_767_225_601_000_000, "bought", "i", "c", 2.5, "EUR", "web", "d")
    ]


def test_the_parts_are_the_same_bytes_in_another_process_with_another_number_of_threads() -> None:
    code = (
        "import hashlib; from tests.unit.clean.examples import cleaned;"
        "body = b'user_id,event_type,event_time,value,x\\n' + b''.join(b'u%d,view,2026-01-%02d,%d,p%d\\n' % (n * 7919 % 1000, 1 + n % 5, n, n % 13) for n in range(20000));"
        "print([hashlib.sha256(part.body).hexdigest() for part in cleaned(body).parts])"
    )
    said = set()
    for threads in ("1", "2", "7"):
        environment = {**os.environ, "POLARS_MAX_THREADS": threads, "PYTHONPATH": os.pathsep.join([".", *sys.path])}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        said.add(done.stdout)
    assert len(said) == 1


def test_a_part_has_the_columns_of_its_kind_in_order() -> None:
    result = cleaned(EVENT + b"1,view,2026-01-01,,\n")
    [part] = result.parts
    frame = pl.read_parquet(BytesIO(part.body))
    assert (part.kind, part.day, part.label) == ("events", "2026-01-01", "new-")
    assert dict(frame.schema) == dict(kinds.EVENT)


def test_a_header_with_a_name_twice_refuses_every_row() -> None:
    result = cleaned(b"user_id,a,a\n1,2,3\n4,5,6\n")
    assert reasons(result) == [(2, "a", "duplicate_header"), (3, "a", "duplicate_header")]


@pytest.mark.parametrize("body", [b"", b"\n", EVENT, b"\xef\xbb\xbf" + EVENT])
def test_a_file_without_rows_counts_nothing(body: bytes) -> None:
    result = cleaned(body)
    assert result.counts == Counts()
    assert result.parts == result.rejects == []


FUZZ = st.one_of(
    st.binary(max_size=400),
    st.lists(st.sampled_from([b"user_id", b"event_type", b"event_time", b",", b"\n", b'"', b"1", b"2026-01-01", b"\xff", b"{", b"}", b":", b"\x00", b"\r\n", b"1767225600", b"[", b"]"]), max_size=60).map(b"".join),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    FUZZ,
    st.sampled_from(["csv", "jsonl", "json"]),
    st.sampled_from(["events", "users", "items", "decisions", "outcomes"]),
    st.booleans(),
)
def test_any_bytes_reconcile_and_raise_nothing(body: bytes, form: str, kind: Kind, headed: bool) -> None:
    if headed:
        body = b"user_id,event_type,event_time,item_id\n" + body
    result = cleaned(body, kind, format=form)
    assert reconciles(result.counts)
    assert result.counts.rejected == len(result.rejects)
    assert all(one.reason in REASONS for one in result.rejects)
    assert sum(frame.height for frame in result.frames.values()) == result.counts.accepted
    assert all(json.dumps(one.raw) for one in result.rejects)
    list(result.events()), list(result.people())


CELLS = st.sampled_from(
    ["1", "", " 2", "view", "2026-01-01", "2026-02-30", "x,y", 'q"', "\n", "12,5", "nan", "é", "007", "\x01"]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS, CELLS), max_size=12), st.sampled_from([",", ";", "\t"]))
def test_csv_and_json_lines_of_the_same_rows_end_the_same(rows: list[tuple[str, ...]], delimiter: str) -> None:
    names = ["user_id", "event_type", "event_time", "value", "note"]

    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"'

    text = delimiter.join(names) + "\n" + "".join(delimiter.join(map(quoted, row)) + "\n" for row in rows)
    lines = "\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in rows)
    by_csv = cleaned(text.encode(), dialect=Dialect("utf-8", delimiter))
    by_json = cleaned(lines.encode(), format="jsonl")
    assert by_csv.counts == by_json.counts
    assert by_csv.parts == by_json.parts
    assert sorted((one.reason, one.column or "") for one in by_csv.rejects) == sorted(
        (one.reason, one.column or "") for one in by_json.rejects
    )


def test_what_is_in_the_future_is_judged_by_the_upload_not_by_a_clock() -> None:
    body = EVENT + b"1,view,2026-02-02T12:00:00Z,,\n"
    assert cleaned(body).counts.accepted == 1
    assert cleaned(body, uploaded_at=UPLOADED - 3 * 86_400_000_000).counts.rejected == 1


# ── files as they come ───────────────────────────────────────────────────────────────────────────────────────────────
def traits_of(result: Any) -> dict[str, dict[str, Any]]:
    return {user: {name: value for name, (value, _) in traits.items()} for user, traits, _ in result.people()}


def test_a_file_of_personalize_loads_unchanged() -> None:
    body = b"USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\n7,i9,1767225600,click,2.5\n"
    [event] = cleaned(body).events()
    assert (event.user_id, event.item_id, event.event_time, event.event_type, event.value) == (
        "7",
        "i9",
        1_767_225_600_000_000,
        "click",
        2.5,
    )


def test_the_two_file_form_loads_unchanged() -> None:
    body = b"user_id, event_type, event_time, event_action\n1, email, 2026-01-01 10:00:00, ignored\n"
    [event] = cleaned(body).events()
    assert (event.user_id, event.event_type, event.event_action) == ("1", "email", "ignored")


def test_a_file_of_segment_loads_unchanged_and_each_message_finds_its_place() -> None:
    lines = [
        {
            "type": "track",
            "event": "Order Completed",
            "userId": "7",
            "messageId": "m1",
            "timestamp": "2026-01-01T10:00:00.123Z",
            "properties": {"revenue": 12.5, "currency": "EUR", "order_id": "o1"},
        },
        {
            "type": "identify",
            "userId": "7",
            "messageId": "m2",
            "timestamp": "2026-01-01T10:00:00.000Z",
            "traits": {"email": "A@B.de", "plan": "gold"},
        },
        {
            "type": "page",
            "anonymousId": "a1",
            "messageId": "m3",
            "timestamp": "2026-01-01T10:00:00.000Z",
            "name": "Home",
        },
        {"type": "track", "event": "x", "messageId": "m4", "timestamp": "2026-01-01T10:00:00.000Z"},
    ]
    result = cleaned("\n".join(map(json.dumps, lines)).encode(), format="jsonl")
    assert result.counts == Counts(4, 3, 1, 0)
    assert [(event.event_id, event.user_id, event.event_type, event.value) for event in result.events()] == [
        ("m1", "7", "order_completed", 12.5), ("m3", "a1", "page", None),
    ]  # fmt: skip
    assert traits_of(result) == {"7": {"email": "A@b.de", "plan": "gold"}}
    assert reasons(result) == [(4, "user_id", "no_user_id")]


def test_a_file_of_mailchimp_loads_unchanged() -> None:
    body = b'Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,LAST_CHANGED,"TAGS"\nAnna@B.de,Anna,Bee,4,2025-01-01 10:00:00,2025-06-01 10:00:00,"""vip"",""new"""\n'
    result = cleaned(body, "users")
    assert traits_of(result) == {
        "anna@b.de": {
            "email": "Anna@b.de",
            "first_name": "Anna",
            "last_name": "Bee",
            "MEMBER_RATING": "4",
            "TAGS": '"vip","new"',
        }
    }
    [(_, traits, _)] = result.people()
    assert traits["email"][1] == 1_748_772_000_000_000


def test_mautics_do_not_email_is_a_refusal() -> None:
    body = b"email,doNotEmail\na@b.de,1\nc@d.de,\ne@f.de,no\n"
    said = {
        user: {channel: consent.granted for channel, consent in consents.items()}
        for user, _, consents in cleaned(body, "users").people()
    }
    assert said == {"a@b.de": {"email": False}, "c@d.de": {}, "e@f.de": {"email": True}}


def test_pinpoints_opt_out_is_read_in_its_own_words() -> None:
    body = b"User.UserId,Address,OptOut\n1,a@b.de,ALL\n2,c@d.de,NONE\n"
    said = {
        user: {channel: consent.granted for channel, consent in consents.items()}
        for user, _, consents in cleaned(body, "users").people()
    }
    assert said == {"1": {"email": False}, "2": {"email": True}}


def test_an_address_that_is_none_is_left_out_and_one_that_breaks_headers_refuses_the_row() -> None:
    body = b'user_id,email\n1,no address\n2,"a@b.de\r\nBcc: x@y.de"\n'
    result = cleaned(body, "users")
    assert reasons(result) == [(3, "email", "bad_email")]
    assert traits_of(result) == {"1": {}}


def test_items_load() -> None:
    body = b'ITEM_ID,title,PRICE,colour,updated_at\ni1,Shoe,"12,50",red,2026-01-01\n,Hat,1,,\n'
    result = cleaned(body, "items")
    assert reasons(result) == [(3, "item_id", "no_item_id")]
    row = result.frames["items"].row(0, named=True)
    assert (row["item_id"], row["price"], row["attributes"]) == ("i1", 12.5, '{"colour":"red"}')
    assert result.parts[0].label == f"{UPLOADED:017d}-"


def test_our_own_decisions_load_with_their_record() -> None:
    decision = {
        "decision_id": "d", "user_id": "1", "decided_at": UPLOADED, "goal": "buy", "chosen": "spring", "activity": "nothing", "channel": None,
        "group": "holdout", "propensity": 0.5, "probability": 0.1, "value": 1.0, "cost": 0.0, "plan_version": "p", "model_version": None, "reason": "r",
    }  # fmt: skip
    full = {**decision, "vector": {"count.view.7d": 1.5}}
    result = cleaned(
        (json.dumps({**decision, "record": full}) + "\n" + json.dumps(full)).encode(), "decisions", format="jsonl"
    )
    assert result.counts == Counts(2, 1, 0, 1)
    row = result.frames["decisions"].row(0, named=True)
    assert json.loads(row["record"]) == full
    assert (row["propensity"], row["group"], row["model_version"]) == (0.5, "holdout", None)
    assert result.parts[0].day == "2026-02-02"


def test_an_anonymous_id_beside_a_user_id_is_kept_as_a_property() -> None:
    body = b"userId,anonymousId,event_type,event_time\n7,a1,view,2026-01-01\n,a2,view,2026-01-01\n"
    rows = cleaned(body).frames["events"].select("user_id", "properties").rows()
    assert rows == [("7", '{"anonymous_id":"a1"}'), ("a2", '{"anonymous_id":"a2"}')]
    line = b'{"userId":"7","anonymousId":"a1","event_type":"view","event_time":"2026-01-01"}'
    assert cleaned(line, format="jsonl").frames["events"].select("user_id", "properties").rows() == rows[:1]


def test_parts_and_events_keep_the_order_of_the_file_within_a_day() -> None:
    body = b'event_id,user_id,event_type,event_time,note\ne1,1,view,2026-01-02,"a\nb"\ne2,1,view,2026-01-01,x\ne3,1,view,2026-01-02,"c""d"\ne4,1,view,2026-01-02,y\n'
    assert [event.event_id for event in cleaned(body).events()] == ["e2", "e1", "e3", "e4"]
