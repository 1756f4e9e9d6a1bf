"""An empty world for each test of faults."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from world import NOW, REGION, World

from nudge import edge


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """An empty world; clients are made once, as only what a worker remembers must die with it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    made: dict[str, Any] = {}
    real = botocore.session.Session.create_client

    def create_client(self: Any, service: str, *args: Any, **kwargs: Any) -> Any:
        attempts = getattr(kwargs.get("config"), "retries", None)
        name = f"{service} {attempts}"
        if name not in made:
            made[name] = real(self, service, *args, **kwargs)
        return made[name]

    monkeypatch.setattr(botocore.session.Session, "create_client", create_client)
    world = World()
    monkeypatch.setattr(edge, "clock", lambda: NOW + world.minute * 60_000_000)
    environment = dict(os.environ)
    world.reset()
    yield world
    world.moto.stop()
    os.environ.clear()
    os.environ.update(environment)
