"""Whatever happens at any AWS call: what was accepted over HTTP, and what the Ledger said, lies in the inbox once."""

from __future__ import annotations

import json
from typing import Any

from explorer import Worker, explore
from world import World

MESSAGES = [
    {"type": "track", "messageId": "m-1", "userId": "ann", "event": "Visit"},
    {"type": "identify", "messageId": "m-2", "userId": "ann", "traits": {"plan": "gold"}},
]


def lying(world: World) -> list[tuple[str, int]]:
    """(kind, lines) of every object of the inbox."""
    return sorted((key.split("/")[1], world.body(key).count(b"\n")) for key in world.keys("inbox/"))


def explored(world: World, name: str, event: dict[str, Any], done: Any, expected: list[tuple[str, int]]) -> list[str]:
    cases, violations = explore(
        Worker(
            name,
            world.reset,
            lambda _: done(world.door("collect", json.loads(json.dumps(event)))),
            lambda: None if lying(world) == expected else str(lying(world)),
        )
    )
    assert cases == 6 * 2
    return violations


def test_messages_over_http_lie_in_the_inbox_once_whatever_happens(world: World, load_event: Any) -> None:
    event = load_event("collect.batch") | {"body": json.dumps({"batch": MESSAGES})}
    expected = [("events", 1), ("users", 1)]
    assert explored(world, "collect", event, lambda answer: answer["statusCode"] == 200, expected) == []


def test_the_ledgers_stream_lies_in_the_inbox_once_whatever_happens(world: World, load_event: Any) -> None:
    expected = [("decisions", 1), ("outcomes", 1)]
    event = load_event("collect.ledger")
    assert explored(world, "copy", event, lambda answer: not answer["batchItemFailures"], expected) == []
