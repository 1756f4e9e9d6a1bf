"""The footer of a Parquet file: right where it is right, refused where it is not, and never a crash."""

from __future__ import annotations

import io

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.collect.parquet_footer import Footer, RowGroup, footer_length, read_footer, row_ranges
from nudge.errors import BadInput


def written(frame: pl.DataFrame, rows: int) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out, row_group_size=rows)
    return out.getvalue()


def footer_of(body: bytes) -> bytes:
    return body[-8 - footer_length(body[-8:]) : -8]


FRAME = pl.DataFrame(
    {
        "user_id": [str(number) for number in range(1000)],
        "flag": [True, None] * 500,
        "nested": [{"a": 1, "b": [{"c": 1.5}]}] * 1000,
        "日本": range(1000),
    }
)


@pytest.mark.parametrize("rows", [100, 333, 5000])
def test_rows_groups_and_names_are_read(rows: int) -> None:
    footer = read_footer(footer_of(written(FRAME, rows)))
    assert footer.rows == sum(group.rows for group in footer.groups) == 1000
    assert footer.columns == ("user_id", "flag", "nested", "日本")
    assert all(group.size > 0 for group in footer.groups)


def test_a_file_without_rows_has_none() -> None:
    footer = read_footer(footer_of(written(FRAME.head(0), 10)))
    assert footer.rows == 0
    assert row_ranges(footer, 10) == []


@pytest.mark.parametrize(
    "tail", [b"", b"PAR1", b"\x00\x00\x00\x00PAR1", b"\xff\xff\xff\xffPAR1", b"\x10\x00\x00\x00PARE"]
)
def test_a_tail_that_is_not_that_of_parquet_is_refused(tail: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        footer_length(tail)
    assert caught.value.reason == "bad_parquet"


def reason_of(body: bytes) -> str | None:
    """Why it is no footer; None when it is one."""
    try:
        read_footer(body)
    except BadInput as wrong:
        return wrong.reason
    return None


GOOD = footer_of(written(FRAME.head(10), 5))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=4), st.integers(0, len(GOOD)))
def test_a_damaged_footer_is_read_or_refused_and_never_crashes(changes, length) -> None:
    body = bytearray(GOOD)
    for at, byte in changes:
        body[at] = byte
    assert reason_of(bytes(body[:length])) in (None, "bad_parquet")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_no_footer(body: bytes) -> None:
    assert reason_of(body) in (None, "bad_parquet")


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(1, 100))
def test_ranges_cover_every_row_once_in_order(sizes: list[int], target: int) -> None:
    ranges = row_ranges(Footer(sum(sizes), tuple(RowGroup(size, 0) for size in sizes), ()), target)
    assert [row for first, last in ranges for row in range(first, last)] == list(range(sum(sizes)))
    assert all(last > first for first, last in ranges)
