"""A queue that sends many at once. In: what a flow sends, one by one. Out: the same, in as few calls as there can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nudge.errors import Unavailable
from nudge.ports import Queue


@dataclass(slots=True)
class Gathered:
    """What is lost with the process is in the Ledger and due: `deliver` sweeps it up."""

    queue: Queue
    bodies: list[Mapping[str, Any]] = field(default_factory=list)

    def send(self, bodies: Sequence[Mapping[str, Any]], *, delay_seconds: int = 0) -> None:
        self.bodies.extend(bodies)

    def flush(self) -> None:
        try:
            self.queue.send(self.bodies)
        except Unavailable:
            return
        finally:
            self.bodies = []
