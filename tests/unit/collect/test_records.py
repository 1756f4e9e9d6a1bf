"""The splitter loses nothing, and one bad quote costs one line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.collect.records import LONGEST_FIELD_BYTES, LONGEST_FIELD_LINES, records
from nudge.vocabulary import Dialect

ALPHABET = st.sampled_from([*list('ab,;\t" \n\r'), "é", "日", "\u2028", "\x00", "'"])


def fields(text: str) -> list[list[str] | None]:
    return [record.fields for record in records(text, Dialect()) if not record.blank]


@settings(max_examples=500, deadline=None)
@given(
    st.text(ALPHABET, max_size=80),
    st.sampled_from([Dialect(), Dialect(delimiter=";"), Dialect(quote=""), Dialect(quote="'")]),
)
def test_no_character_is_lost(text, dialect):
    found = list(records(text, dialect))
    assert "".join(record.raw + record.end for record in found) == text
    assert all((record.fields is None) == (record.reason is not None) for record in found)


@settings(max_examples=300, deadline=None)
@given(st.text(ALPHABET, max_size=80), st.integers(1, 1000))
def test_the_line_of_a_record_is_the_lines_before_it(text, first):
    lines = first
    for record in records(text, Dialect(), first):
        assert record.line == lines
        lines += len((record.raw + record.end).replace("\r\n", "\n").replace("\r", "\n").split("\n")) - 1


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(st.text(ALPHABET, max_size=8), min_size=2, max_size=4), max_size=12),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_a_csv_writer_wrote_is_read(rows, end):
    out = io.StringIO()
    csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    assert fields(out.getvalue()) == rows


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('1,"abc\n2,"def",3\n4,5\n', [(1, "unclosed_quote"), (2, None), (3, None)]),
        ('a,"b\nc,d\n', [(1, "unclosed_quote"), (2, None)]),
        ('1,"x\ny","open\nz\n', [(1, "unclosed_quote"), (3, None)]),
        ('"a"b,c\nd,e', [(1, "stray_quote"), (2, None)]),
        ('5" pipe,"x"\n', [(1, None)]),
        ('"a" ,b\n', [(1, None)]),
        ("a,b\r\rc,d\r\n", [(1, None), (2, None), (3, None)]),
    ],
)
def test_a_bad_quote_costs_its_line_and_no_more(text, expected):
    assert [(record.line, record.reason) for record in records(text, Dialect())] == expected


def test_a_quoted_field_may_have_a_thousand_line_ends_and_no_more():
    inside = "\n" * LONGEST_FIELD_LINES
    assert fields(f'a,"{inside}"\n') == [["a", inside]]
    found = list(records(f'a,"{inside}\n"\nb,c\n', Dialect()))
    assert found[0].reason == "unclosed_quote"
    assert found[-1].fields == ["b", "c"]


def test_a_long_field_on_one_line_is_a_field_and_over_lines_it_is_not():
    long = "é" * LONGEST_FIELD_BYTES
    assert fields(f'a,"{long}"\n') == [["a", long]]
    assert next(iter(records(f'a,"{long}\n"\n', Dialect()))).reason == "unclosed_quote"


def test_the_files_of_csv_spectrum_are_read_as_they_should_be(public_data: Path):
    for file in sorted((public_data / "csv-spectrum" / "csvs").glob("*.csv")):
        names, *rows = fields(file.read_bytes().decode())
        expected = json.loads((public_data / "csv-spectrum" / "json" / f"{file.stem}.json").read_text())
        if file.stem == "location_coordinates":
            continue  # its json has only a part of the columns
        assert [dict(zip(names, row, strict=True)) for row in rows] == [
            {key: str(value).replace("\r\n", "\n") for key, value in row.items()} for row in expected
        ], file.name
