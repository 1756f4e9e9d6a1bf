"""Text becomes values, and what is no value becomes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.clean import values

TEN = 1_769_853_600_000_000


def moment(text: str | None) -> int | None:
    found = values.moments(pl.Series("t", [text], dtype=pl.String)).to_list()
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T10:00:00Z", "2026-01-31T10:00:00", "2026-01-31 10:00:00", "2026-01-31 10:00", "2026-01-31T10:00Z",
        "2026-01-31T10:00:00.000Z", "2026-01-31T10:00:00,000", "2026-01-31T12:00:00+02:00", "2026-01-31T06:30:00-0330",
        "2026-01-31 10:00:00 UTC", " 2026-01-31T10:00:00Z ", "1769853600", "1769853600000", "1769853600000000",
        "1769853600000000000", "1769853600.0", "2026-01-31T11:00:00+01",
    ],
)  # fmt: skip
def test_ten_o_clock_in_any_spelling(text: str) -> None:
    assert moment(text) == TEN


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30T10:00:00Z", "2025-02-29", "2026-13-01", "2026-01-31T24:00:00Z", "2026-01-31T10:60:00Z", "yesterday",
        "31/01/2026", "01-31-2026", "2026-1-3", "2026-01-31T10:00:00+23:00", "", "12", "99999999999999999999", "NaT", "1e9",
        "２０２６-01-31",
    ],
)  # fmt: skip
def test_what_is_no_moment(text: str) -> None:
    assert moment(text) is None


def test_a_date_is_its_midnight_in_utc() -> None:
    assert moment("2026-01-31") == moment("20260131") == TEN - 36_000_000_000


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.datetimes(min_value=datetime(1600, 1, 1), max_value=datetime(9000, 1, 1)),  # noqa: DTZ001
            st.integers(-840, 840),
            st.booleans(),
        ),
        max_size=20,
    )
)
def test_whatever_python_writes_is_read_as_python_means_it(given: list[tuple[datetime, int, bool]]) -> None:
    moments = [naive.replace(tzinfo=timezone(timedelta(minutes=offset))) for naive, offset, _ in given]
    texts = [one.isoformat(sep="T" if tee else " ") for one, (_, _, tee) in zip(moments, given, strict=True)]
    wanted = [(one - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) for one in moments]
    assert values.moments(pl.Series("t", texts, dtype=pl.String)).to_list() == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("12", 12.0), ("-1.5", -1.5), ("1e3", 1000.0), ("12,5", 12.5), ("12,50", 12.5), ("1.234,56", 1234.56),
        ("1,234.56", 1234.56), ("0,123", 0.123), ("+3", 3.0), (" 3 ", 3.0), (".5", 0.5), ("-0", 0.0), ("1,234,567", 1_234_567.0),
        ("1,234", None), ("inf", None), ("-Infinity", None), ("NaN", None), ("1e400", None), ("1e16", None), ("12.3.4", None),
        ("abc", None), ("0x10", None), ("1_000", None), ("$5", None), ("--1", None), ("٣", None),
    ],
)  # fmt: skip
def test_numbers_are_read_where_they_can_mean_one_thing_only(text: str, wanted: float | None) -> None:
    assert values.numbers(pl.Series("v", [text])).to_list() == [wanted]
    beside = values.numbers(pl.Series("v", [text, "7", None, "x", "1,5"])).to_list()
    assert beside == [wanted, 7.0, None, None, 1.5]


def test_a_zero_has_no_sign() -> None:
    assert str(values.numbers(pl.Series("v", ["-0.0", "-0"])).to_list()) == "[0.0, 0.0]"


@pytest.mark.parametrize("text", ["yes", "TRUE", "1", "Subscribed", " on ", "opt-in"])
def test_a_yes(text: str) -> None:
    assert values.claims(pl.Series("c", [text])).to_list() == [True]


@pytest.mark.parametrize("text", ["no", "False", "0", "NEVER_SUBSCRIBED", "unsubscribed", "denied"])
def test_a_no(text: str) -> None:
    assert values.claims(pl.Series("c", [text])).to_list() == [False]


@pytest.mark.parametrize("text", ["maybe", "?", "2", None])
def test_neither_yes_nor_no(text: str | None) -> None:
    assert values.claims(pl.Series("c", [text], dtype=pl.String)).to_list() == [None]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Anna.B@Example.COM", "Anna.B@example.com"), (" a@b.de ", "a@b.de"), ("é@ü.de", "é@ü.de"), ("a@b", None),
        ("a b@c.de", None), ("a@@b.de", None), ("a@b..de", None), ("Anna <a@b.de>", None), ("a@[1.2.3.4]", None),
        ("x" * 65 + "@b.de", None), ("a@b.de\r\nBcc: c@d.de", None), ("a@b.de.", "a@b.de"), ("", None),
    ],
)  # fmt: skip
def test_an_address_or_none(text: str, wanted: str | None) -> None:
    assert values.emails(pl.Series("e", [text])).to_list() == [wanted]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("+49 (171) 123-4567", "+491711234567"), ("0049 171 1234567", "+491711234567"), ("call me", None), ("12", None)],
)
def test_a_phone_number_or_none(text: str, wanted: str | None) -> None:
    assert values.phones(pl.Series("p", [text])).to_list() == [wanted]
