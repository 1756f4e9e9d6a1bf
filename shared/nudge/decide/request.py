"""What may be asked. In: an untrusted JSON object and a key. Out: a checked `Request`. Knows no store.

Strict: an unknown name is a mistake of the caller, and is said with the place where it stands.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from nudge.decide.chance import request_hash
from nudge.errors import BadInput
from nudge.vocabulary import NOTHING, Plan

KNOWN = ("user_id", "goal", "context", "candidates", "dry_run", "explain")
LONGEST_ID = 256
LONGEST_KEY = 255
MOST_CONTEXT = 64
LONGEST_TEXT = 2048
LARGEST_INTEGER = 2**53


class Request(NamedTuple):
    """A checked request. `hash` tells whether a repeated key asks the same again; `explain` None leaves it to the flow."""

    user_id: str
    goal: str | None
    context: Mapping[str, str | float | bool | None]
    candidates: tuple[str, ...] | None
    dry_run: bool
    hash: str
    explain: bool | None = None


def parse(body: Mapping[str, Any]) -> Request:
    """Check a request body.

    Raises
    ------
    BadInput
        With the field in `where` and a reason code.
    """
    for name in body:
        if name not in KNOWN:
            raise BadInput(f"unknown name; known are {', '.join(KNOWN)}", reason="unknown_field", where=_shown(name))
    dry_run, explain = _flag(body, "dry_run"), _flag(body, "explain")
    checked: dict[str, Any] = {
        "user_id": user_id(body.get("user_id")),
        "goal": None if body.get("goal") is None else _name(body["goal"], "goal"),
        "context": _context(body.get("context")),
        "candidates": _candidates(body.get("candidates")),
        "dry_run": dry_run or False,
    }
    if explain is not None:
        checked["explain"] = explain
    return Request(**checked, hash=request_hash(checked))


def _flag(body: Mapping[str, Any], name: str) -> bool | None:
    value = body.get(name)
    if name in body and not isinstance(value, bool):
        raise BadInput("must be true or false", reason="bad_type", where=name)
    return value


def user_id(value: Any) -> str:
    """A person's id, in Unicode normal form C, so that two spellings of one id are one person."""
    text = unicodedata.normalize("NFC", _name(value, "user_id"))
    if text != text.strip():
        raise BadInput("must not begin or end with blanks", reason="bad_id", where="user_id")
    return text


def idempotency_key(value: str | None, *, needed: bool) -> str | None:
    """The checked `Idempotency-Key`: 1 to 255 printable ASCII characters. Raises BadInput when it is needed and absent."""
    where = "header Idempotency-Key"
    if value is None or not value.strip():
        if needed:
            raise BadInput("is required: repeat it to repeat a request safely", reason="key_missing", where=where)
        return None
    if len(value) > LONGEST_KEY or " " in value or not (value.isascii() and value.isprintable()):
        raise BadInput(f"must be 1 to {LONGEST_KEY} printable ASCII characters", reason="bad_key", where=where)
    return value


def goal_of(request: Request, plan: Plan) -> str:
    """The goal that was asked for, else the plan's first one."""
    if request.goal is None:
        return next(iter(plan.goals))
    if request.goal not in plan.goals:
        raise BadInput("the plan has no such goal", reason="unknown_goal", where="goal")
    return request.goal


def activities_of(request: Request, plan: Plan, goal: str) -> list[str]:
    """The activities that compete: those of the goal, or those that were named. `nothing` is always among them unsaid."""
    if request.candidates is None:
        return [one.name for one in plan.activities.values() if one.goal == goal]
    for number, name in enumerate(request.candidates):
        if name != NOTHING and name not in plan.activities:
            raise BadInput("the plan has no such activity", reason="unknown_activity", where=f"candidates[{number}]")
        if name != NOTHING and plan.activities[name].goal != goal:
            raise BadInput(f"belongs to another goal than {goal}", reason="other_goal", where=f"candidates[{number}]")
    named = set(request.candidates)
    return [name for name in plan.activities if name in named]


def _name(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise BadInput("must be a text", reason="bad_type" if value is not None else "missing", where=where)
    if not value.strip() or len(value) > LONGEST_ID:
        raise BadInput(f"must have 1 to {LONGEST_ID} characters", reason="bad_length", where=where)
    if not _printable(value):
        raise BadInput("must not contain control characters", reason="bad_character", where=where)
    return value


def _printable(text: str) -> bool:
    return text.isprintable() or not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text)


def _candidates(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= 100:
        raise BadInput("must be a list of 1 to 100 names of activities", reason="bad_type", where="candidates")
    return tuple(sorted({_name(one, f"candidates[{number}]") for number, one in enumerate(value)}))


def _context(value: Any) -> dict[str, str | float | bool | None]:
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MOST_CONTEXT:
        raise BadInput(f"must be an object of at most {MOST_CONTEXT} names", reason="bad_type", where="context")
    return {_name(name, "context"): _scalar(one, f"context.{_shown(name)}") for name, one in value.items()}


def _scalar(value: Any, where: str) -> str | float | bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= LONGEST_TEXT and "\x00" not in value and _encodable(value):
        return value
    if isinstance(value, int) and abs(value) <= LARGEST_INTEGER:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise BadInput("must be a text, a finite number, true, false or null", reason="bad_type", where=where)


def _encodable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _shown(name: str) -> str:
    """A caller's name as it may be told back: short and printable."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:64])
