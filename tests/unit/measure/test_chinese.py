"""The page speaks Chinese whole: every sentence of the code has its own, with the same values in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from nudge import measure
from nudge.measure import activity_cards, campaign_cards, customer_cards, model_cards, page, words
from nudge.measure.chinese import CHINESE
from nudge.measure.page import page as render
from tests.unit.measure import reports, world

PLACE = re.compile(r"{(\w*)}")


def sentences() -> set[str]:
    """Every text given to `t` in the room, and every table of texts that is."""
    found: set[str] = set()
    for file in Path(measure.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t" and node.args:
                said = node.args[0]
                if isinstance(said, ast.Constant):
                    found.add(str(said.value))
    tables = [
        *activity_cards.REASONS.values(),
        *campaign_cards.TRAITS.values(),
        *(text for pair in customer_cards.SEGMENTS.values() for text in pair),
        *(name for _, _, name in customer_cards.ENDS),
        *(said for _, said in model_cards.SIGNATURES.values()),
        *page.READING,
        *words.METRICS.values(),
        *words.NAMES.values(),
        words.UNKNOWN,
    ]
    return found | set(tables)


def test_every_sentence_has_its_chinese() -> None:
    assert sorted(sentences() - set(CHINESE)) == []


@pytest.mark.parametrize("english", sorted(CHINESE))
def test_the_same_values_stand_in_both(english: str) -> None:
    wanted, found = PLACE.findall(english), PLACE.findall(CHINESE[english])
    if any(name.isdigit() for name in found):
        assert sorted(found) == [str(n) for n in range(len(wanted))]
    else:
        assert sorted(found) == sorted(wanted)


def test_a_note_is_said_with_its_numbers() -> None:
    with words.spoken("zh"):
        assert words.told("needs at least 30 people in each group") == "每组至少需要 30 人"
        assert words.told("2 of 5 cannot be judged yet and are not in it") == "5 个中有 2 个尚无法判断，未计入"
        assert words.told("a note that nobody translated, 3") == "a note that nobody translated, 3"
    assert words.told("needs at least 30 people in each group") == "needs at least 30 people in each group"


def test_the_page_is_chinese_where_it_is_asked_for_and_english_after_it() -> None:
    report = reports.report(world.shop(300))
    chinese, english = render(report, "zh"), render(report)
    assert '<html lang="zh-Hans">' in chinese
    assert "增量价值" in chinese
    assert "Incremental value" not in chinese
    assert "增量价值" not in english
    assert words.language() == "en"
