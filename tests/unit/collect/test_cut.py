"""A file cut anywhere is the same file: the same bytes, the same records, the same line numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.collect.cut import Span, cut, cuttable
from nudge.collect.records import Record, records
from nudge.errors import BadInput
from nudge.vocabulary import Dialect

PIECES = ["a", "1", "é", "日本", " ", "\t", ",", ";", '"', '""', '","', '",', ',"', '"\n', "\n", "\r", "\r\n", "x" * 40]
texts = st.lists(st.sampled_from(PIECES), max_size=120).map("".join)


def in_blocks(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


def read(body: bytes, spans: list[Span], dialect: Dialect) -> list[Record]:
    found = []
    for span in spans:
        found += records(body[span.start : span.end].decode(dialect.encoding), dialect, span.line)
    return found


@settings(max_examples=400, deadline=None)
@given(
    texts,
    st.integers(1, 60),
    st.integers(1, 50),
    st.sampled_from(
        [Dialect(), Dialect(delimiter=";"), Dialect(delimiter="\t"), Dialect(quote="'"), Dialect(delimiter=", ")]
    ),
)
def test_the_spans_of_any_text_give_the_records_of_the_whole(text, target, block, dialect):
    body = text.encode()
    spans = list(cut(in_blocks(body, block), "csv", dialect, target=target))
    assert b"".join(body[span.start : span.end] for span in spans) == body
    assert read(body, spans, dialect) == list(records(text, dialect))


@settings(max_examples=200, deadline=None)
@given(texts, st.integers(1, 60), st.integers(1, 50), st.integers(1, 50))
def test_where_a_file_is_cut_does_not_depend_on_how_its_bytes_come_in(text, target, block, other):
    body = text.encode()
    one = list(cut(in_blocks(body, block), "csv", Dialect(), target=target))
    two = list(cut(in_blocks(body, other), "csv", Dialect(), target=target))
    assert one == two


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["é", "日本", "a", '","', "\n", '"\n"']), max_size=60).map("".join), st.integers(1, 40))
def test_a_byte_order_mark_does_not_hide_the_first_quote(text, target):
    body = ('"a\nb",c\n' + text).encode("utf-8-sig")
    spans = list(cut(in_blocks(body, 7), "csv", Dialect("utf-8-sig"), target=target))
    found = [
        record
        for span in spans
        for record in records(body[span.start : span.end].decode("utf-8-sig"), Dialect("utf-8-sig"), span.line)
    ]
    assert found == list(records(body.decode("utf-8-sig"), Dialect("utf-8-sig")))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["日本", "京", "a", ",", "\n", '"', "｜", "|"]), max_size=60).map("".join),
    st.integers(1, 40),
)
def test_two_byte_characters_do_not_look_like_quotes_or_line_ends(text, target):
    body, dialect = text.encode("gb18030"), Dialect("gb18030")
    assert read(body, list(cut(in_blocks(body, 7), "csv", dialect, target=target)), dialect) == list(
        records(text, dialect)
    )


@given(st.lists(st.sampled_from(['{"a": 1}', "\n", "\r\n", '{"b": "\\n"}', "\n\n"])).map("".join), st.integers(1, 40))
def test_json_lines_are_cut_after_line_feeds(text, target):
    body = text.encode()
    spans = list(cut(in_blocks(body, 5), "jsonl", Dialect(), target=target))
    assert b"".join(body[span.start : span.end] for span in spans) == body
    assert all(body[: span.start].endswith(b"\n") or span.start == 0 for span in spans)
    assert [span.line for span in spans] == [body[: span.start].count(b"\n") + 1 for span in spans]


def test_an_unclosed_quote_does_not_eat_the_next_span():
    body = b'a,"open\n' + b"b,c\n" * 1500 + b'd,"open too\n' + b"e,f\n" * 300
    spans = list(cut(in_blocks(body, 1 << 10), "csv", Dialect(), target=2048))
    found = read(body, spans, Dialect())
    assert found == list(records(body.decode(), Dialect()))
    assert [record.reason for record in found].count("unclosed_quote") == 2
    assert len(spans) == 4


def test_fields_over_many_lines_are_never_cut():
    row = b'a,"' + b"x\n" * 900 + b'",b\n'
    spans = list(cut(in_blocks(row * 50, 999), "csv", Dialect(), target=5000))
    assert all((span.end - span.start) % len(row) == 0 for span in spans)
    assert spans[1].line == (spans[1].start // len(row)) * 901 + 1


def test_a_record_without_end_is_refused():
    with pytest.raises(BadInput) as caught:
        list(cut([b"x" * (12 << 20)] * 3, "csv", Dialect(), target=1 << 20))
    assert caught.value.reason == "line_too_long"


@pytest.mark.parametrize(
    ("form", "dialect", "expected"),
    [
        ("csv", Dialect(), True),
        ("csv", Dialect("utf-16"), False),
        ("csv", Dialect("gb18030"), True),
        ("csv", Dialect("gb18030", "|"), False),
        ("jsonl", Dialect("gb18030", "|"), True),
        ("json", Dialect(), False),
        ("parquet", Dialect(), False),
    ],
)
def test_only_what_can_be_cut_at_bytes_is_cut(form, dialect, expected):
    assert cuttable(form, dialect) is expected
