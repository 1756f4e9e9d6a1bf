"""Whoever is named in a file is found in whatever form the file came, and a part of a longer word is nobody."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from io import BytesIO

import polars as pl
import pytest

from nudge.flows.forget_words import OVERLAP, Finder, Words

WORDS = Words(frozenset({"ana", "né-7", "张伟"}), {"Ana@Shop.example", "+49151123456", "015112"}, {"4f2a" * 8})


@pytest.fixture(scope="module")
def finder() -> Finder:
    return WORDS.finder()


def packed(text: bytes) -> bytes:
    """Without the time in it: test workers must collect the same."""
    return gzip.compress(text, mtime=0)


def parquet(text: str) -> bytes:
    out = BytesIO()
    pl.DataFrame({"user_id": ["bob", text], "value": [1, 2]}).write_parquet(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        b"user_id,email\nana,x\n", b'{"user_id":"ana"}', b"x;ana\n", "ana,x".encode("utf-16"), "x,ana".encode("utf-16-be"),
        "né-7,1".encode(), "né-7,1".encode("cp1252"), b'{"id": "n\\u00e9-7"}', "张伟,1".encode("gb18030"),
        json.dumps({"id": "张伟"}).encode(), b"ANA@SHOP.EXAMPLE", b"tel:+49 (151) 12-34-56", b"49151123456", b"0151 12",
        b'{"tags":{"decision_id":["' + b"4f2a" * 8 + b'"]}}',
        packed(b"bob\nana\n"), parquet("ana"), parquet("né-7"),
    ],
)  # fmt: skip
def test_somebody_who_is_named_is_found(finder: Finder, body: bytes) -> None:
    assert finder.is_in_file(iter([body]))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"user_id\nbob\n", b"banana,anab,ana1,1ana", b"ANA", "banana".encode("utf-16"), b"diana@shop.example1",
        b"1491511234567", b"4f2a" * 9, b"e4f2a" + b"4f2a" * 7, packed(b"bob"), parquet("bob"), b"PAR1 damaged",
        packed(b"ana" * 100)[:30], b"\x28\xb5\x2f\xfd damaged",
    ],
)  # fmt: skip
def test_who_is_not_named_is_not(finder: Finder, body: bytes) -> None:
    assert not finder.is_in_file(iter([body]))


def test_a_word_that_two_blocks_share_is_found_once_they_are_together(finder: Finder) -> None:
    text = b"x" * OVERLAP + b"\nAna@Shop.example\n"
    for at in range(OVERLAP, len(text)):
        assert finder.is_in_file(iter([text[:at], text[at:]])), at

    def small() -> Iterator[bytes]:
        yield from (text[at : at + 7] for at in range(0, len(text), 7))

    assert finder.is_in_file(small())


def test_a_file_that_cannot_be_opened_is_looked_at_as_it_is(finder: Finder) -> None:
    assert finder.is_in_file(iter([b"PAR1,ana,"]))
