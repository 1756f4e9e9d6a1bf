"""docs/reliability.md says of each fault which test shows what happens: every row is there, and every test that it names."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| ([A-Z][0-9]+) \| (.*) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[a-z_/]+\.py)::([a-z0-9_]+)`")
ROWS = dict(ROW.findall((ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")))
WANTED = [f"E{number}" for number in range(1, 29)] + [f"D{number}" for number in range(17, 21)]
WANTED += [f"B{number}" for number in range(1, 16)]
NOT_BUILT: frozenset[str] = frozenset()
"""What the project does not do yet: the row says so."""


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(one.name for one in tree.body if isinstance(one, ast.FunctionDef))


def test_every_row_is_in_the_table() -> None:
    assert list(ROWS) == sorted(ROWS, key=WANTED.index)
    assert set(ROWS) == set(WANTED)


@pytest.mark.parametrize("row", WANTED)
def test_every_test_that_a_row_names_is_there(row: str) -> None:
    named = TEST.findall(ROWS[row])
    assert named or row in NOT_BUILT, "a row names a test, or says that it is not built"
    assert ("not built" in ROWS[row]) == (row in NOT_BUILT)
    for path, name in named:
        assert name in names_in(path), f"{path} has no {name}"


def test_no_mail_comes_in_so_none_is_answered(translated: dict[str, Any]) -> None:
    """The day somebody builds a way in for mail, rows E25 and E26 need tests of their own."""
    template = json.dumps(translated)
    assert "AWS::SES::ReceiptRule" not in template
    assert not (ROOT / "functions" / "reply").exists()
