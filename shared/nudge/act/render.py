"""Render the templates of messages. In: Jinja2 sources that marketers write, words. Out: texts. Only `deliver` imports it.

A template may print words, choose with `if`, repeat with `for`, and use the filters below; nothing else of the language
is let in, because a sandbox stops reaching for the interpreter but not `{{ 'a' * 2e8 }}`. A word that is missing stops the
message; what a person sent as a name is always text, never a template.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from nudge.errors import BadInput

LARGEST_SOURCE = 128 * 1024
LARGEST_TEXT = 256 * 1024
DEEPEST_LOOP = 2
FILTERS = (
    "capitalize",
    "default",
    "first",
    "join",
    "last",
    "length",
    "lower",
    "round",
    "title",
    "trim",
    "upper",
    "urlencode",
)
TESTS = ("defined", "undefined", "none", "eq", "ne", "lt", "le", "gt", "ge", "in", "even", "odd", "string", "number")
ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.Test,
    nodes.If,
    nodes.For,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
    nodes.Keyword,
)


class _Words(ImmutableSandboxedEnvironment):
    """Dots and brackets look into mappings and lists, and nowhere else: no attribute of any object is ever read."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping) and argument in obj:
            return obj[argument]
        if isinstance(obj, list | tuple) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(obj=obj, name=argument)

    def is_safe_callable(self, obj: Any) -> bool:
        return False


def _environment(*, escape: bool) -> _Words:
    made = _Words(undefined=StrictUndefined, autoescape=escape, keep_trailing_newline=True, cache_size=0)
    made.globals.clear()
    made.filters = {name: made.filters[name] for name in FILTERS}
    made.tests = {name: made.tests[name] for name in TESTS}
    return made


PLAIN, HTML = _environment(escape=False), _environment(escape=True)


def render(template: Mapping[str, str], words: Mapping[str, Any]) -> dict[str, str]:
    """Each text of a template with its words; the one named `html` escapes them.

    Raises
    ------
    BadInput
        `missing_variable` for a word that is not there, `bad_template` for what is not allowed, `too_large`.
    """
    return {name: _render(source, words, escape=name == "html", where=name) for name, source in template.items()}


def _render(source: str, words: Mapping[str, Any], *, escape: bool, where: str) -> str:
    compiled = _compiled(source, escape)
    parts: list[str] = []
    size = 0
    try:
        for part in compiled.generate(words):
            parts.append(part)
            size += len(part)
            if size > LARGEST_TEXT:
                raise BadInput(f"the text is longer than {LARGEST_TEXT} characters", reason="too_large", where=where)
    except UndefinedError as missing:
        raise BadInput(f"a word is missing: {missing}", reason="missing_variable", where=where) from None
    except (TemplateError, TypeError, ValueError, ArithmeticError) as wrong:
        raise BadInput(f"the template failed ({type(wrong).__name__})", reason="bad_template", where=where) from None
    return "".join(parts)


@lru_cache(maxsize=256)
def _compiled(source: str, escape: bool) -> Template:
    if len(source) > LARGEST_SOURCE:
        raise BadInput(f"the template is longer than {LARGEST_SOURCE} characters", reason="too_large")
    environment = HTML if escape else PLAIN
    try:
        tree = environment.parse(source)
        _check(tree)
        return environment.from_string(tree)
    except TemplateSyntaxError as wrong:
        raise BadInput(f"line {wrong.lineno}: {wrong.message}", reason="bad_template") from None
    except (TemplateError, RecursionError) as wrong:
        raise BadInput(f"the template cannot be read ({type(wrong).__name__})", reason="bad_template") from None


def _check(node: nodes.Node, loops: int = 0) -> None:
    """Raises BadInput for anything of the language that templates do not need."""
    if not isinstance(node, ALLOWED):
        raise BadInput(f"{type(node).__name__} is not allowed in a template", reason="bad_template")
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise BadInput(f"the filter {node.name} is not allowed", reason="bad_template")
    if isinstance(node, nodes.Name) and node.name == "self":
        raise BadInput("self is not a word", reason="bad_template")
    loops += isinstance(node, nodes.For)
    if loops > DEEPEST_LOOP:
        raise BadInput(f"more than {DEEPEST_LOOP} loops in one another", reason="bad_template")
    for child in node.iter_child_nodes():
        _check(child, loops)
