"""Delimited bytes become cells by two roads with one result."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.clean import one_by_one
from nudge.clean.delimited import read_table
from nudge.clean.table import Table
from nudge.clean.text import decoded
from nudge.collect import records, sniff
from nudge.vocabulary import Dialect


def read(body: bytes, dialect: Dialect = Dialect(), **how: object) -> Table:  # noqa: B008
    return read_table(body, dialect, records.grammar_of(dialect).record_at, **how)  # type: ignore[arg-type]


def cells(found: Table) -> list[tuple[object, ...]]:
    return sorted(found.rows.select("line", *(str(n) for n in range(len(found.names)))).rows())


def slow(body: bytes, dialect: Dialect, **how: object) -> Table:
    """The same by the road that goes record by record."""
    text = decoded(body, dialect.encoding, at_start=True)
    record_at = records.grammar_of(dialect).record_at if dialect.quote else one_by_one.unquoted(dialect)
    return one_by_one.slow_table(text, dialect, record_at, None, 1, 0, True)


PIECES = st.sampled_from(
    ["a", "b,", ",", ',"",', '"', '""', "\n", "\r\n", "\r", " ", "é", "漢", "\x00", ";", "1", '"x"', '"y\nz"', "\t"]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=40), st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(['"', "'", ""]))
def test_both_roads_read_the_same(pieces: list[str], delimiter: str, quote: str) -> None:
    body = (delimiter.join("abc") + "\n" + "".join(pieces)).encode()
    dialect = Dialect("utf-8", delimiter, quote)
    fast, plain = read(body, dialect), slow(body, dialect)
    assert fast.names == plain.names
    assert cells(fast) == cells(plain)
    key = lambda flaw: flaw.line  # noqa: E731
    assert sorted(fast.flaws, key=key) == sorted(plain.flaws, key=key)
    for line in fast.rows["line"].to_list():
        assert fast.raw(line) == plain.raw(line)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["utf-8", "utf-16", "utf-16-le", "cp1252", "gb18030", "utf-32"]))
def test_any_bytes_are_read_and_every_record_is_a_row_or_a_flaw(body: bytes, encoding: str) -> None:
    found = read(b"a,b\n" + body if encoding == "utf-8" else body, Dialect(encoding))
    assert all(flaw.reason for flaw in found.flaws)
    lines = [*found.rows["line"].to_list(), *(flaw.line for flaw in found.flaws)]
    assert len(set(lines)) == len(lines)


@pytest.mark.parametrize("place", [5, 15, 17, 22])
def test_a_table_in_pieces_is_the_table(place: int) -> None:
    body = b'a,b\r\n1,"x\r\ny"\r\n\r\n3,\xc3\xa9\r\n"4,"",5\r\n6,"""q"""\r\n'
    whole = read(body)
    cuts = [body[:place], body[place:]]
    first = read(cuts[0])
    rest = read(
        cuts[1], header=first.names, first_line=1 + cuts[0].count(b"\n"), first_byte=len(cuts[0]), has_header=False
    )
    assert cells(first) + cells(rest) == cells(whole)
    assert first.flaws + rest.flaws == whole.flaws


def test_a_bad_byte_costs_its_row_only_and_its_place_is_told() -> None:
    found = read(b"a,b\n1,2\n3,\xff\n5,6\n")
    assert cells(found) == [(2, "1", "2"), (4, "5", "6")]
    assert [(flaw.line, flaw.reason, flaw.column, flaw.raw) for flaw in found.flaws] == [
        (3, "bad_encoding", "byte 10", "3,\\xff")
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "gb18030", "cp1252", "utf-8-sig"])
def test_other_encodings_become_the_same_text(encoding: str) -> None:
    word = "café" if encoding == "cp1252" else "漢字"
    found = read(f"a,b\n1,{word}\n".encode(encoding), Dialect(encoding))
    assert found.names == ("a", "b")
    assert cells(found) == [(2, "1", word)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_ends_a_record(end: str) -> None:
    assert cells(read(end.join(["a,b", "1,2", "", "3,4"]).encode())) == [(2, "1", "2"), (4, "3", "4")]


def test_an_unclosed_quote_eats_one_line_only() -> None:
    found = read(b'a,b\n1,2\n"3,4\n5,6\n')
    assert cells(found) == [(2, "1", "2"), (4, "5", "6")]
    assert [(flaw.line, flaw.reason) for flaw in found.flaws] == [(3, "unclosed_quote")]


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"a,b\n1\n", "too_few_fields"), (b"a,b\n1,2,3\n", "too_many_fields"), (b"a,b\n1,2,\n", "too_many_fields")],
)
def test_a_row_of_another_width_is_no_row(body: bytes, reason: str) -> None:
    assert [flaw.reason for flaw in read(body).flaws] == [reason]


@pytest.mark.parametrize("body", [b"", b"\n\n", b"a,b", b"a,b\n", b"\xef\xbb\xbf", b"\r\r"])
def test_a_file_without_rows_has_no_rows(body: bytes) -> None:
    found = read(body)
    assert found.rows.is_empty()
    assert found.flaws == []


@pytest.mark.parametrize("width", [199, 200, 201, 5000])
def test_a_very_wide_table_is_read(width: int) -> None:
    names = ",".join(f"c{n}" for n in range(width))
    row = ",".join(["1"] * (width - 1) + ['"x"'])
    found = read(f"{names}\n{row}\n".encode())
    assert found.rows.height == 1
    assert found.rows[str(width - 1)][0] == "x"


def test_csv_spectrum_is_read_as_its_json_says(public_data: Path) -> None:
    files = sorted((public_data / "csv-spectrum/csvs").glob("*.csv"))
    assert len(files) >= 11
    for path in files:
        body = path.read_bytes()
        if path.stem.endswith("_crlf") and b"\r" not in body:  # the copy at hand lost what the file is about
            body = body.replace(b"\n", b"\r\n")
        seen = sniff.sniff(path.name, body, whole=True)
        found = read(body, seen.dialect)
        wanted = json.loads((public_data / "csv-spectrum/json" / f"{path.stem}.json").read_text())
        rows = found.rows.drop("line").with_columns(pl.all().fill_null("")).rows()
        assert [dict(zip(found.names, row, strict=True)) for row in rows] == wanted, path.name
        assert found.flaws == []
