"""One stack for all tests of this folder: each test uses people and files of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sam_local.stack import Stack, stack


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("sam")) as one:
        yield one
