"""What is theirs goes out of a part, a run's members and a file of rejects; the rest is what it was, in its order."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.clean import kinds, parts
from nudge.flows import forget_rows
from nudge.flows.forget_words import Words

HASH = "0123456789abcdef" * 2
START = datetime(2026, 11, 1, tzinfo=UTC)


def part(users: list[str | None]) -> pl.DataFrame:
    rows = [
        {"event_id": f"e{at}", "user_id": user, "event_type": "visit", "event_time": START + timedelta(seconds=at)}
        for at, user in enumerate(users)
    ]
    return kinds.whole("events", pl.DataFrame(rows, schema_overrides=dict(kinds.EVENT)))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["ana", "bob", "Ana", "ana ", "cem", None]), min_size=1, max_size=30))
def test_the_rows_of_others_are_what_they_were_and_in_their_order(users: list[str | None]) -> None:
    rows = part(users)
    held = forget_rows.without(f"lake/events/dt=2026-11-01/{HASH}.parquet", parts.parquet(rows), {"ana", "cem"})
    others = rows.filter([user not in ("ana", "cem") for user in users])
    if held is None:
        assert not others.height
    else:
        assert held == parts.parquet(others)
    assert forget_rows.count_of(parts.parquet(rows), {"ana", "cem"}) == rows.height - others.height


@pytest.mark.parametrize("label", ["", parts.RAW, parts.FULL, f"{17:017d}-"])
def test_a_part_stays_of_its_label_and_is_packed_as_it_was(label: str) -> None:
    key, rows = f"lake/events/dt=2026-11-01/{label}{HASH}.parquet", part(["ana", "bob"])
    assert forget_rows.label_of(key) == label
    pack = parts.raw_parquet if label == parts.RAW else parts.parquet
    assert forget_rows.without(key, pack(rows), {"ana"}) == pack(rows[1:])


def test_addresses_are_learned_from_every_row_of_a_person_and_of_nobody_else() -> None:
    rows = [
        {"user_id": "ana", "email": "a@old.example", "attributes": '{"push":"arn:1","vip":true}'},
        {"user_id": "ana", "email": "a@new.example", "phone": "+49151"},
        {"user_id": "bob", "email": "b@b.example"},
    ]
    words = Words(frozenset({"ana"}))
    frame = kinds.whole(
        "users", pl.DataFrame(rows, schema_overrides={name: pl.String for name in ("phone", "attributes")})
    )
    out = BytesIO()
    frame.write_parquet(out)
    forget_rows.learn(words, "users", out.getvalue())
    assert words.addresses == {"a@old.example", "a@new.example", "+49151", "arn:1"}


def test_a_member_leaves_an_empty_place_and_who_was_beyond_a_line_none() -> None:
    count, held = forget_rows.meant(b'{"members":[["bob",2.0,1.0],["ana",1.0,1.0]]}', {"ana"})
    assert (count, json.loads(held)) == (1, {"members": [["bob", 2.0, 1.0], ["", 0.0, 0.0]]})
    assert forget_rows.meant(b'{"people":["ana","bob"]}', {"ana"}) == (1, b'{"people":["bob"]}')


def test_a_rejected_row_loses_its_text_and_nothing_else() -> None:
    lines = [{"file": "f", "line": at, "column": None, "reason": "bad_time", "raw": raw} for at, raw in
             enumerate(("ana,visit", "banana,visit", "é,ana", ""))]  # fmt: skip
    body = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines).encode()
    count, held = forget_rows.set_aside(body, Words(frozenset({"ana"})).finder())
    told = [json.loads(line) for line in held.splitlines()]
    assert count == 2
    assert told == [one | ({"raw": ""} if one["line"] in (0, 2) else {}) for one in lines]
    assert forget_rows.set_aside(held, Words(frozenset({"ana"})).finder()) == (0, held)
