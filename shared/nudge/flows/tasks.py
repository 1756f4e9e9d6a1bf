"""A chunk as the JSON that travels on the `chunks` queue, and back. Nothing else travels there but `{"task": "compact"}`.

The form is flat and says nothing twice, so that a person can read a dead letter and send it again by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nudge.errors import BadInput
from nudge.vocabulary import KINDS, Chunk, Dialect

TASK: Final = "chunk"


def to_task(chunk: Chunk) -> dict[str, Any]:
    """The JSON object of a chunk: its fields by name, and `"task": "chunk"`."""
    return {"task": TASK, **chunk._asdict(), "dialect": chunk.dialect._asdict()}


def from_task(task: Mapping[str, Any]) -> Chunk:
    """The chunk of a task.

    Raises
    ------
    BadInput
        `bad_task` when it is not one of ours, or not whole.
    """
    if task.get("task") != TASK or task.get("kind") not in KINDS:
        raise BadInput("this is not a chunk task of Nudge", reason="bad_task")
    known = {name: value for name, value in task.items() if name in Chunk._fields}
    try:
        known["dialect"] = Dialect(**known.get("dialect", {}))
        known["header"] = _tuple(known.get("header"))
        known["span"] = _tuple(known.get("span"))
        known["rows"] = _tuple(known.get("rows"))
        return Chunk(**known)
    except TypeError as wrong:
        raise BadInput(f"the chunk task is not whole: {wrong}", reason="bad_task") from None


def _tuple(value: Any) -> tuple[Any, ...] | None:
    return None if value is None else tuple(value)
