"""Unit tests know no network: every socket is closed."""

import pytest
from pytest_socket import disable_socket


@pytest.fixture(autouse=True)
def closed_sockets() -> None:
    disable_socket(allow_unix_socket=True)
