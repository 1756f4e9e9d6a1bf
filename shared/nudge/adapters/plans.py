"""The plan in force, from `plan/plan.json`; kept for a few minutes, and kept when a newer one cannot be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nudge.errors import BadInput, Conflict, NotFound, NotReady, Unavailable
from nudge.plan import check
from nudge.ports import Objects
from nudge.vocabulary import SECOND, Micros

KEY = "plan/plan.json"
TEXT_KEY = "plan/plan.yaml"
VERSIONS = "plan/versions/"


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
                message = "no plan was published; run `nudge plan apply plan.yaml`"
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


def in_force(objects: Objects) -> tuple[dict[str, Any] | None, str | None]:
    """The plan that the doors read, good or not, and the ETag by which it is replaced; None and None where there is none."""
    try:
        body, etag = objects.read(KEY)
    except NotFound:
        return None, None
    try:
        held = json.loads(body)
    except ValueError:
        held = {}
    return (held if isinstance(held, dict) else {}), etag


def publish(objects: Objects, text: str, plan: dict[str, Any]) -> None:
    """Put a checked plan in force, whatever was."""
    _keep(objects, text, plan)
    objects.put(KEY, _json(plan), content_type="application/json")
    objects.put(TEXT_KEY, text.encode(), content_type="application/yaml")


def replace(objects: Objects, text: str, plan: dict[str, Any], *, etag: str | None) -> None:
    """Put a checked plan in force instead of the one with this ETag (None: of none).

    Raises
    ------
    Conflict
        When another plan was put in force meanwhile; nothing is changed then.
    """
    _keep(objects, text, plan)
    objects.put(KEY, _json(plan), new=etag is None, etag=etag, content_type="application/json")
    objects.put(TEXT_KEY, text.encode(), content_type="application/yaml")


def version(objects: Objects, name: str) -> dict[str, Any]:
    """A plan that was once put in force, by its version: what a decision is replayed with. Raises NotFound."""
    held: dict[str, Any] = json.loads(objects.get(f"{VERSIONS}{name}.json"))
    return held


def _keep(objects: Objects, text: str, plan: dict[str, Any]) -> None:
    """Every version is kept, text and JSON, under its own name. The same plan again changes nothing."""
    for ending, body, kind in (("yaml", text.encode(), "application/yaml"), ("json", _json(plan), "application/json")):
        with suppress(Conflict):
            objects.put(f"{VERSIONS}{plan['version']}.{ending}", body, new=True, content_type=kind)


def _json(plan: dict[str, Any]) -> bytes:
    return json.dumps(plan, ensure_ascii=False).encode()
