"""The plan in force, from `plan/plan.json`; kept for a few minutes, and kept when a newer one cannot be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from nudge.errors import BadInput, NotFound, NotReady, Unavailable
from nudge.plan import check
from nudge.ports import Objects
from nudge.vocabulary import SECOND, Micros

KEY = "plan/plan.json"
TEXT_KEY = "plan/plan.yaml"


class StoredPlans:
    """`Plans` over a bucket. The last good plan stays in force until a better one can be read and is checked."""

    def __init__(self, objects: Objects, *, clock: Callable[[], Micros], fresh_for: Micros = 120 * SECOND) -> None:
        self._objects = objects
        self._clock = clock
        self._fresh_for = fresh_for
        self._held: dict[str, Any] | None = None
        self._read_at: Micros = 0

    def current(self) -> dict[str, Any]:
        now = self._clock()
        if self._held is not None and 0 <= now - self._read_at < self._fresh_for:
            return self._held
        try:
            plan = json.loads(self._objects.get(KEY))
            if problems := check(plan):
                raise BadInput(f"{problems[0][0]}: {problems[0][1]}", reason="bad_plan")
        except NotFound:
            if self._held is None:
                message = "no plan was published; run `nudge plan publish plan.yaml`"
                raise NotReady(message, missing={"plan": KEY}) from None
        except (ValueError, BadInput, Unavailable):
            if self._held is None:
                raise
        else:
            self._held = plan
        self._read_at = now
        if self._held is None:
            raise NotReady("no plan could be read", missing={"plan": KEY})
        return self._held


def publish(objects: Objects, text: str, plan: dict[str, Any]) -> None:
    """Put a checked plan in force: its text first, then the JSON that the doors read."""
    objects.put(TEXT_KEY, text.encode(), content_type="application/yaml")
    objects.put(KEY, json.dumps(plan, ensure_ascii=False).encode(), content_type="application/json")
