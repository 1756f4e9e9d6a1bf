"""A file cut anywhere is the same file: the same bytes, the same records, the same line numbers."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.collect.cut import Span, cut, cuttable
from nudge.collect.records import Record, records
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
    st.sampled_from([Dialect(), Dialect(delimiter=";"), Dialect(delimiter="\t"), Dialect(quote="'"), Dialect(delimiter=", ")]),
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


