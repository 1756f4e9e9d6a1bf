"""A plan's text → plain data, and where each name stands. The only place that knows YAML: no door ever reads it.

YAML 1.2's own scalars: `true` and `false` are the only yes and no, so that `on:` is a name, `NO` a country and 21:00 a text.
A name that stands twice, and a text that means to exhaust its reader, are refused.
"""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any

import yaml

from nudge.errors import BadInput

LONGEST = 1_000_000
"""Characters of a plan."""
DEEPEST, MOST_NODES = 40, 100_000
"""Of a plan once its aliases are followed."""


class _Loader(yaml.SafeLoader):
    """Safe, with the scalars of YAML 1.2's core schema that JSON has too."""


def _number(loader: _Loader, node: yaml.ScalarNode) -> float:
    number = float(node.value)
    if not isfinite(number):
        raise yaml.constructor.ConstructorError(None, None, "this number is too large", node.start_mark)
    return number


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"null|~|", ("n", "~", "")),
    ("bool", r"true|false", ("t", "f")),
    ("int", r"[-+]?[0-9]{1,18}", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), list(_first))
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))
_Loader.add_constructor("tag:yaml.org,2002:float", _number)


class Lines:
    """Path of a name in the plan → the line on which it stands."""

    def __init__(self) -> None:
        self.of: dict[str, int] = {}
        self.twice: list[tuple[str, int]] = []
        self._nodes = 0

    def note(self, node: yaml.Node, path: str = "", depth: int = 0) -> None:
        """Walk a node, as often as aliases lead to it. Raises BadInput when there is no end of it."""
        self._nodes += 1
        if depth > DEEPEST or self._nodes > MOST_NODES:
            raise BadInput(f"more than {DEEPEST} levels or {MOST_NODES} values", reason="bad_plan")
        self.of.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            met: set[str] = set()
            for key, value in node.value:
                below = f"{path}.{key.value}" if path else str(key.value)
                self.of[below] = key.start_mark.line + 1
                if str(key.value) in met:
                    self.twice.append((below, self.of[below]))
                met.add(str(key.value))
                self.note(value, below, depth + 1)
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                self.note(value, f"{path}[{number}]", depth + 1)

    def __getitem__(self, path: str) -> int:
        """The line of a path, or of the nearest name above it."""
        while path and path not in self.of:
            cut = max(path.rfind("."), path.rfind("["))
            path = path[:cut] if cut > 0 else ""
        return self.of.get(path, 1)


def read(text: str, *, name: str) -> tuple[Any, Lines]:
    """The data of a YAML text, and the lines of its names.

    Raises
    ------
    BadInput
        With the line where it is no YAML, says a name twice, or is larger than any plan.
    """
    if len(text) > LONGEST:
        raise BadInput(f"has {len(text)} characters; at most {LONGEST} are read", reason="bad_plan", where=name)
    lines = Lines()
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None:
            lines.note(node)
        data = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise BadInput(f"not YAML: {getattr(wrong, 'problem', wrong)}", where=f"{name}:{line}") from None
    except RecursionError:
        raise BadInput(f"more than {DEEPEST} levels", reason="bad_plan", where=name) from None
    if lines.twice:
        told = [f"{name}:{line}: {path}: stands here twice" for path, line in lines.twice]
        raise BadInput("\n".join(told), reason="bad_plan")
    return json.loads(json.dumps(data, default=str)), lines
