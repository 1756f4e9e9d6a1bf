"""What a call was given, checked as botocore checks it and copied, in one walk.

In: parameters and their shape in botocore's model. Out: a copy that moto may keep. What is not plainly right (another type, a missing
or unknown name, a text too short) is botocore's own to judge and to put into words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator

type Take = Callable[[Any], Any]

_validator = ParamValidator()
_takes: dict[tuple[str, str], Take] = {}
"""By service and name of a shape."""


class Doubtful(Exception):
    """Not plainly right."""


def taken(given: dict[str, Any], service: str, shape: Any) -> dict[str, Any]:
    """A deep copy of parameters. Raises ParamValidationError for what botocore would not send."""
    if shape is None:
        return {}
    try:
        copy: dict[str, Any] = _take(service, shape)(given)
    except (Doubtful, KeyError):
        if (report := _validator.validate(given, shape)).has_errors():
            raise ParamValidationError(report=report.generate_report()) from None
        copy = _copy(given)
    return copy


def _take(service: str, shape: Any) -> Take:
    key = service, shape.name
    if key not in _takes:
        _takes[key] = lambda value: _takes[key](value)  # a shape may hold itself
        _takes[key] = TAKES.get(shape.type_name, _doubtful)(service, shape)
    return _takes[key]


def _structure(service: str, shape: Any) -> Take:
    if shape.is_tagged_union or shape.is_document_type:
        return _doubtful(service, shape)
    members = {name: _take(service, one) for name, one in shape.members.items()}
    required = frozenset(shape.required_members)

    def take(value: Any) -> Any:
        if type(value) is not dict or not required <= value.keys():
            raise Doubtful
        return {name: members[name](below) for name, below in value.items()}

    return take


def _map(service: str, shape: Any) -> Take:
    names, values = _take(service, shape.key), _take(service, shape.value)

    def take(value: Any) -> Any:
        if type(value) is not dict:
            raise Doubtful
        return {names(name): values(below) for name, below in value.items()}

    return take


def _list(service: str, shape: Any) -> Take:
    least, member = shape.metadata.get("min", 0), _take(service, shape.member)

    def take(value: Any) -> Any:
        if type(value) not in (list, tuple) or len(value) < least:
            raise Doubtful
        return [member(below) for below in value]

    return take


def _string(service: str, shape: Any) -> Take:
    if shape.serialization.get("jsonvalue"):
        return _doubtful(service, shape)
    least = shape.metadata.get("min", 0)

    def take(value: Any) -> Any:
        if type(value) is not str or len(value) < least:
            raise Doubtful
        return value

    return take


def _integer(service: str, shape: Any) -> Take:
    least = shape.metadata.get("min", float("-inf"))

    def take(value: Any) -> Any:
        if type(value) is not int or value < least:
            raise Doubtful
        return value

    return take


def _exactly(kind: type) -> Callable[[str, Any], Take]:
    def take(value: Any) -> Any:
        if type(value) is not kind:
            raise Doubtful
        return value

    return lambda service, shape: take


def _doubtful(service: str, shape: Any) -> Take:
    def take(value: Any) -> Any:
        raise Doubtful

    return take


TAKES: Mapping[str, Callable[[str, Any], Take]] = {
    "structure": _structure,
    "map": _map,
    "list": _list,
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "boolean": _exactly(bool),
    "blob": _exactly(bytes),
}


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(below) for below in value]
    return bytes(value) if isinstance(value, bytearray | memoryview) else value
