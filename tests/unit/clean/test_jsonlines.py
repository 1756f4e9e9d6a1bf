"""JSON is read strictly: what another reader could understand differently is no row."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.clean.jsonlines import read_lines, read_whole
from nudge.vocabulary import Dialect

UTF8 = Dialect()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a":NaN}', "bad_number"), (b'{"a":-Infinity}', "bad_number"), (b'{"a":1e999}', "bad_number"),
        (b'{"a":' + b"9" * 5000 + b"}", "bad_number"), (b'{"a":1,"a":2}', "duplicate_key"), (b'{"a":"\\ud800"}', "bad_unicode"),
        (b'{"\\udfff":1}', "bad_unicode"), (b'{"a":"\xff"}', "bad_encoding"), (b"[1]", "not_an_object"), (b'"x"', "not_an_object"),
        (b"null", "not_an_object"), (b'{"a":1', "bad_json"), (b'{"a":1}}', "bad_json"), (b"{'a':1}", "bad_json"), (b"\x00", "bad_json"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "too_deep"), (b'{"a":' * 40 + b"1" + b"}" * 40, "too_deep"),
        (b'{"a":"' + b"x" * (1 << 20) + b'"}', "line_too_long"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_row_has_its_reason(line: bytes, reason: str) -> None:
    found, flaws, _ = read_lines(b'{"b":1}\n' + line + b'\n{"b":2}\n', UTF8)
    assert [(flaw.line, flaw.reason) for flaw in flaws] == [(2, reason)]
    assert found == [(1, {"b": 1}), (3, {"b": 2})]


def test_the_place_of_a_bad_byte_is_told() -> None:
    _, flaws, _ = read_lines(b'{"b":1}\n{"a":"\xff"}', UTF8, first_line=11, first_byte=100)
    assert [(flaw.line, flaw.column) for flaw in flaws] == [(12, "byte 114")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_marks_and_encodings_do_not_matter(encoding: str) -> None:
    found, flaws, _ = read_lines('{"a":"é"}\r\n\r\n{"a":2}'.encode(encoding), Dialect(encoding))
    assert (found, flaws) == ([(1, {"a": "é"}), (3, {"a": 2})], [])


@pytest.mark.parametrize(
    "body",
    [
        b'[{"a":1},{"a":2}]', b'[\n {"a":1},\n {"a":2}\n]\n', b'{"a":1}\n{"a":2}', b'{\n"a":1}\n{\n"a":2\n}',
        b'{"batch":[{"a":1},{"a":2}]}', b'\xef\xbb\xbf [ {"a":1} , {"a":2} ] ',
    ],
)  # fmt: skip
def test_an_array_objects_in_a_row_and_a_batch_are_the_same_rows(body: bytes) -> None:
    found, flaws, raws = read_whole(body, UTF8)
    assert [one for _, one in found] == [{"a": 1}, {"a": 2}]
    assert flaws == []
    assert len({line for line, _ in found}) == 2
    assert {line for line, _ in found} <= set(raws)


@pytest.mark.parametrize("body", [b'[{"a":1},{"a":', b'[{"a":1}] more', b'[{"a":1} {"a":1,"a":2}]', b'[{"a":1}, 7]'])
def test_what_is_broken_in_an_array_is_told_and_the_rest_is_kept(body: bytes) -> None:
    found, flaws, _ = read_whole(body, UTF8)
    assert [one for _, one in found] == [{"a": 1}]
    assert len(flaws) == 1


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_flaws(body: bytes) -> None:
    for found, flaws, _ in (read_lines(body, UTF8), read_whole(body, UTF8)):
        assert all(isinstance(one, dict) for _, one in found)
        assert all(flaw.reason for flaw in flaws)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"])),
            st.one_of(
                st.none(),
                st.booleans(),
                st.integers(-(2**70), 2**70),
                st.floats(allow_nan=False, allow_infinity=False),
                st.text(st.characters(exclude_categories=["Cs"])),
            ),
        ),
        max_size=5,
    )
)
def test_whatever_python_writes_comes_back(rows: list[dict[str, object]]) -> None:
    body = "\n".join(json.dumps(row) for row in rows).encode()
    assert [one for _, one in read_lines(body, UTF8)[0]] == rows
    assert [one for _, one in read_whole(json.dumps(rows).encode(), UTF8)[0]] == (rows)
