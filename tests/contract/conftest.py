"""The template as CloudFormation sees it: one translation for all contract tests."""

from __future__ import annotations

from typing import Any

import pytest

from local.translate import translate


@pytest.fixture(scope="session")
def translated() -> dict[str, Any]:
    return translate()
