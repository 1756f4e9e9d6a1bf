"""Which models in force were trained before an erasure. In: a bucket, a time. Out: a line a model. A model holds weights and no ids, so
it stays until the next training, which no longer has the person's rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from nudge.errors import NotFound
from nudge.ports import Objects
from nudge.vocabulary import Micros

POINTER = "/champion.json"


class Older(NamedTuple):
    """A champion that may have learned from somebody who is erased since; `trained_at` 0: nobody can tell."""

    name: str
    version: str
    trained_at: Micros


def older(objects: Objects, than: Micros) -> Iterator[Older]:
    """The champions that were trained before a time, by name; those of which nobody can tell, too."""
    for one in objects.list("models/"):
        if one.key.endswith(POINTER):
            name = one.key.removeprefix("models/").removesuffix(POINTER)
            version = str(_json(objects, one.key).get("version", ""))
            made = int(_json(objects, f"models/{name}/{version}/manifest.json").get("created_at", 0))
            if made < than:
                yield Older(name, version, made)


def _json(objects: Objects, key: str) -> dict[str, Any]:
    try:
        return dict(json.loads(objects.get(key)))
    except (NotFound, ValueError):
        return {}
