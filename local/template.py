"""template.yaml as the laptop reads it: translated offline, and its intrinsic functions resolved.

In: the SAM template. Out: plain CloudFormation resources, and values with every Ref, GetAtt, Sub, Join … replaced by
what the embedded AWS made. Knows no service: physical ids and attributes are given to it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.translate import TEMPLATE, translate

PSEUDO = {
    "AWS::NoValue": None,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "nudge-local",
    "AWS::StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/nudge-local/0",
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "123456789012",
}


@dataclass
class Template:
    """Resources, and what became of them."""

    source: dict[str, Any]
    parameters: dict[str, Any] = field(default_factory=dict)
    physical: dict[str, str] = field(default_factory=dict)
    attributes: dict[tuple[str, str], str] = field(default_factory=dict)
    default_attribute: Callable[[str, str], str] = lambda logical, attribute: f"{logical}-{attribute}".lower()

    @classmethod
    def read(cls, path: Path = TEMPLATE, parameters: Mapping[str, Any] | None = None) -> Template:
        """Translate a SAM template; `parameters` win over the template's defaults."""
        source = translate(path)
        defaults = {
            name: one.get("Default", "") for name, one in source.get("Parameters", {}).items() if isinstance(one, dict)
        }
        return cls(source=source, parameters={**defaults, **(parameters or {})})

    def resources(self, *kinds: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Logical id and resource, of the types named (all when none is), whose condition holds."""
        for logical, resource in self.source["Resources"].items():
            if (not kinds or resource["Type"] in kinds) and self.holds(resource.get("Condition")):
                yield logical, resource

    def properties(self, logical: str) -> dict[str, Any]:
        """The properties of a resource, resolved."""
        resolved: dict[str, Any] = self.value(self.source["Resources"][logical].get("Properties", {}))
        return resolved

    def holds(self, condition: str | None) -> bool:
        """Whether a condition of the template is true (no condition always is)."""
        return condition is None or bool(self.value(self.source["Conditions"][condition]))

    def value(self, node: Any) -> Any:
        """A node with its intrinsic functions replaced by what they stand for."""
        if isinstance(node, list):
            return [one for one in (self.value(item) for item in node) if one is not None]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            function = _FUNCTIONS.get(name)
            if function is not None:
                return function(self, argument)
        pairs = ((key, self.value(below)) for key, below in node.items())
        return {key: below for key, below in pairs if below is not None}

    def ref(self, logical: str) -> Any:
        """What `Ref` gives: a parameter, a pseudo parameter, or a physical id."""
        if logical in PSEUDO:
            return PSEUDO[logical]
        if logical in self.parameters:
            return self.parameters[logical]
        return self.physical.get(logical, logical.lower())

    def attribute(self, logical: str, name: str) -> str:
        """What `Fn::GetAtt` gives."""
        return self.attributes.get((logical, name)) or self.default_attribute(logical, name)

    def without(self, keep: Callable[[str, dict[str, Any]], bool]) -> dict[str, Any]:
        """A template with only the resources that `keep` wants, and everything about the others resolved."""
        kept = {logical: resource for logical, resource in self.resources() if keep(logical, resource)}
        resources = {}
        for logical, resource in kept.items():
            plain = self._resolve_others(copy.deepcopy(resource.get("Properties", {})), set(kept))
            resources[logical] = {"Type": resource["Type"], "Properties": plain}
        return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}

    def _resolve_others(self, node: Any, kept: set[str]) -> Any:
        if isinstance(node, list):
            return [self._resolve_others(item, kept) for item in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name in _FUNCTIONS and not _names(node) & kept:
                return self.value(node)
            if name == "Ref" or name == "Fn::GetAtt":
                return {name: argument}
        pairs = ((key, self._resolve_others(below, kept)) for key, below in node.items())
        return {key: below for key, below in pairs if below is not None}


def _names(node: Any) -> set[str]:
    """Every logical id that a node speaks of."""
    if isinstance(node, list):
        return set().union(*(_names(item) for item in node))
    if not isinstance(node, dict):
        return set()
    found: set[str] = set()
    for key, below in node.items():
        if key == "Ref":
            found.add(below)
        elif key == "Fn::GetAtt":
            found.add(_target(below)[0])
        elif key == "Fn::Sub":
            found |= {
                name.partition(".")[0] for name in _VARIABLE.findall(below if isinstance(below, str) else below[0])
            }
        found |= _names(below)
    return found


_VARIABLE = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


def _target(argument: Any) -> tuple[str, str]:
    if isinstance(argument, str):
        logical, _, name = argument.partition(".")
        return logical, name
    return argument[0], ".".join(argument[1:])


def _get_att(template: Template, argument: Any) -> Any:
    return template.attribute(*_target(argument))


def _sub(template: Template, argument: Any) -> str:
    text, own = (argument, {}) if isinstance(argument, str) else argument
    given = {name: template.value(node) for name, node in own.items()}

    def replace(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in given:
            return str(given[name])
        return str(template.attribute(*_target(name)) if "." in name else template.ref(name))

    return _VARIABLE.sub(replace, text)


def _join(template: Template, argument: Any) -> str:
    return str(argument[0]).join(str(one) for one in template.value(argument[1]))


def _if(template: Template, argument: Any) -> Any:
    name, yes, no = argument
    return template.value(yes if template.holds(name) else no)


def _select(template: Template, argument: Any) -> Any:
    return template.value(argument[1])[int(template.value(argument[0]))]


def _find_in_map(template: Template, argument: Any) -> Any:
    name, first, second = (template.value(one) for one in argument)
    return template.source["Mappings"][name][first][second]


def _equals(template: Template, argument: Any) -> bool:
    left, right = (template.value(one) for one in argument)
    return str(left) == str(right)


_FUNCTIONS: dict[str, Callable[[Template, Any], Any]] = {
    "Ref": lambda template, argument: template.ref(argument),
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::If": _if,
    "Fn::Select": _select,
    "Fn::Split": lambda template, argument: str(template.value(argument[1])).split(argument[0]),
    "Fn::FindInMap": _find_in_map,
    "Fn::Equals": _equals,
    "Fn::Not": lambda template, argument: not template.value(argument[0]),
    "Fn::And": lambda template, argument: all(template.value(one) for one in argument),
    "Fn::Or": lambda template, argument: any(template.value(one) for one in argument),
    "Condition": lambda template, argument: template.holds(argument) if isinstance(argument, str) else argument,
}
