"""Message templates in a bucket, `templates/<name>.json`, as the port `Templates`; kept for a few minutes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from nudge.errors import NotFound
from nudge.ports import Objects
from nudge.vocabulary import SECOND, Micros

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
TEXTS = ("subject", "text", "html")
LARGEST = 256 * 1024


class StoredTemplates:
    """`Templates` over a bucket. A template that is not whole counts as not there: nothing is sent by it."""

    def __init__(self, objects: Objects, *, clock: Callable[[], Micros], fresh_for: Micros = 120 * SECOND) -> None:
        self._objects = objects
        self._clock = clock
        self._fresh_for = fresh_for
        self._held: dict[str, tuple[Micros, dict[str, str] | None]] = {}

    def get(self, name: str) -> dict[str, str]:
        now = self._clock()
        read_at, held = self._held.get(name, (None, None))
        if read_at is None or not 0 <= now - read_at < self._fresh_for:
            held = self._read(name)
            self._held[name] = (now, held)
        if held is None:
            raise NotFound(f"there is no template {name}")
        return held

    def _read(self, name: str) -> dict[str, str] | None:
        if not NAME.fullmatch(name):
            return None
        try:
            body = self._objects.get(f"templates/{name}.json")
            template = json.loads(body) if len(body) <= LARGEST else None
        except (NotFound, ValueError):
            return None
        if not isinstance(template, dict) or not template or set(template) - set(TEXTS):
            return None
        return template if all(isinstance(text, str) for text in template.values()) else None
