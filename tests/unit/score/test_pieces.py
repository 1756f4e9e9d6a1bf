"""Cutting words into the pieces of a table of meanings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.learn.intent.meaning import meaning
from nudge.score.pieces import BYTES, LONGEST_WORD, Pieces
from nudge.score.text import plain, reads

NAMES = meaning().names
CUT = Pieces(NAMES)

TOLD = {
    "where is my parcel?": ["▁where", "▁is", "▁my", "▁par", "cel", "?"],
    "i still haven't received my refund!!": ["▁i", "▁still", "▁haven", "'", "t", "▁received", "▁my", "▁ref", "und", "!!"],
    "my card, rückerstattung bitte": ["▁my", "▁card", ",", "▁r", "ück", "erst", "attung", "▁bit", "te"],
    "外卖": ["▁", "外", "<0xE5>", "<0x8D>", "<0x96>"],
    "naïve café 😀 0.00€": [
        "▁na", "ï", "ve", "▁c", "afé", "▁", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "▁", "0", ".", "0", "0", "€",
    ],
    "antidisestablishmentarianism": ["▁ant", "id", "is", "est", "ab", "lish", "ment", "arian", "ism"],
}  # fmt: skip
"""What the library `tokenizers` (0.23.3) says with the same table."""


@pytest.mark.parametrize("read", TOLD)
def test_texts_are_cut_as_the_vectors_were_trained(read: str) -> None:
    assert [NAMES[place] for place in CUT.of(read)] == TOLD[read]


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=80))
def test_the_pieces_of_a_text_give_it_back(said: str) -> None:
    read = plain(said)
    held = b""
    for name in reads(NAMES)(said)["piece"].elements():
        held += bytes([BYTES.index(name)]) if name in BYTES else name.encode()
    assert sorted(held) == sorted("".join(f"▁{word}" for word in read.split()).encode())


def test_a_very_long_word_is_joined_part_by_part() -> None:
    word = "refund" * 100
    begun = f"▁{word}"
    parts = [begun[start : start + LONGEST_WORD] for start in range(0, len(begun), LONGEST_WORD)]
    assert CUT.of(word) == [place for part in parts for place in CUT._part(part)]
    assert len(CUT.of(word)) < len(word) / 2


def test_what_is_no_piece_and_no_byte_is_left_out() -> None:
    assert Pieces(["▁", "a", "▁a"]).of("ab a") == [2, 2]


def test_the_piece_of_least_rank_is_joined_first() -> None:
    assert Pieces(["▁", "a", "b", "c", "bc", "ab"]).of("abc") == [0, 1, 4]
    assert Pieces(["▁", "a", "b", "c", "ab", "bc"]).of("abc") == [0, 4, 3]
