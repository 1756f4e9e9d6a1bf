"""Rows of people who were erased go no further, those of all others are what they would be without them."""

from __future__ import annotations

import json
from io import BytesIO

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.clean.engine import Cleaned, clean
from nudge.clean.reasons import REASONS
from nudge.vocabulary import DAY, Counts, Micros
from tests.unit.clean.examples import UPLOADED, chunk_of, reasons, spelling

ERASED_AT: Micros = UPLOADED - 10 * DAY
"""2026-01-23."""
HEAD = "user_id,event_type,event_time\n"


def gone(user_id: str) -> Micros | None:
    return {"ana": ERASED_AT, "ana@shop.example": ERASED_AT, "né": ERASED_AT}.get(user_id)


def cleaned(text: str, kind: str = "events", **how: object) -> Cleaned:
    chunk = chunk_of(kind, **how)
    return clean(chunk, text.encode(), spelling(chunk.dialect), gone)


def test_what_happened_up_to_the_erasure_is_rejected_without_its_text() -> None:
    done = cleaned(HEAD + "ana,visit,2026-01-22\nbob,visit,2026-01-22\nana,visit,2026-01-30\n")
    assert done.counts == Counts(3, 2, 1, 0)
    assert reasons(done) == [(2, "user_id", "erased")]
    assert done.rejects[0].raw == ""
    assert [(one.user_id, one.event_time > ERASED_AT) for one in done.events()] == [("bob", False), ("ana", True)]
    assert "erased" in REASONS


def test_a_row_of_users_counts_by_its_own_time_and_without_one_it_is_old() -> None:
    rows = ("ana,2026-01-30,", "ana,2026-01-02,", "ana,,2026-01-30", "ana,,2025-01-01", "ana,,", "bob,,")
    done = cleaned("user_id,updated_at,created_at\n" + "\n".join(rows) + "\n", "users")
    assert [line for line, _, reason in reasons(done) if reason == "erased"] == [3, 5, 6]
    assert [who for who, _, _ in done.people()] == ["ana", "ana", "bob"]


def test_a_rejected_row_that_names_somebody_erased_keeps_its_reason_and_no_text() -> None:
    done = cleaned(HEAD + 'ana,visit,never\nbob,visit,never\n"ana,visit,2026-01-01\n')
    assert [(one.line, one.reason, one.raw) for one in done.rejects] == [
        (2, "bad_time", ""),
        (3, "bad_time", "bob,visit,never"),
        (4, "unclosed_quote", ""),
    ]
    lines = ['{"user_id": "ana", "event_type": ', '{"user_id": "n\\u00e9", "event_type": 1, "event_time": "x"}']
    lines += ['{"email": "ANA@shop.example", "event_type": "visit", "event_time": "never"}', '{"user_id": "bob",']
    told = cleaned("\n".join(lines), format="jsonl")
    assert [bool(one.raw) for one in told.rejects] == [False, False, False, True]


def test_who_is_known_by_an_address_is_erased_by_it() -> None:
    done = cleaned("email,event_type,event_time\nANA@Shop.Example,visit,2026-01-02\n")
    assert reasons(done) == [(2, "user_id", "erased")]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["ana", "bob", "cem", ""]), st.integers(1, 28)), max_size=12))
def test_the_rows_of_others_are_the_same_bytes_as_if_nobody_else_had_been_there(rows: list[tuple[str, int]]) -> None:
    def text(of: list[tuple[str, int]]) -> str:
        return HEAD + "".join(f"{who},visit,2026-01-{day:02d}T00:00:00Z\n" for who, day in of)

    done = cleaned(text(rows))
    others = cleaned(text([(who, day) for who, day in rows if who != "ana" or day > 23]))
    assert [(one.day, one.body) for one in done.parts] == [(one.day, one.body) for one in others.parts]
    assert done.counts.read == done.counts.accepted + done.counts.rejected + done.counts.duplicate == len(rows)


def test_decisions_and_items_are_told_apart() -> None:
    record = {"decision_id": "d1", "user_id": "ana", "decided_at": "2026-01-02T00:00:00Z", "goal": "purchase"}
    done = cleaned("\n".join(json.dumps(record | {"decision_id": name, "user_id": who}) for name, who in
                             (("d1", "ana"), ("d2", "bob"))), "decisions", format="jsonl")  # fmt: skip
    assert pl.read_parquet(BytesIO(done.parts[0].body))["user_id"].to_list() == ["bob"]
    assert cleaned("item_id,title\nana,Shoe\n", "items").counts == Counts(1, 1, 0, 0)
