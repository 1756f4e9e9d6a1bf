"""The small stack, running."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from local.aws import EmbeddedAws
from local.clock import VirtualClock
from local.lambda_part import Lambda
from tests.unit.local.small import NOON, TEMPLATE, Stack


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A stack whose one door does what `stack.handler` says."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE, encoding="utf-8")
    with VirtualClock(NOON) as clock, EmbeddedAws(path) as aws, Lambda(aws, clock, tmp_path) as part:
        stack = Stack(aws, part, clock)
        door = ModuleType("functions.echo.handler")
        door.handler = stack.called  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "functions.echo.handler", door)
        yield stack
