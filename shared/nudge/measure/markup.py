"""Names and texts from anywhere come in; HTML in which they are only text goes out.

Every child that is not already `Html` is escaped, every attribute value too: a page can only be built escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

type Child = Html | str | int | float | Sequence[Child] | None

VOID = frozenset({"meta", "link", "br", "hr"})
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: object) -> Html:
    """Escaped text; control characters, lone surrogates and characters that turn the reading direction become �.

    >>> text('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    return Html(escape(_UNSEEN.sub("\ufffd", str(value)), quote=True))


def tag(name: str, /, *children: Child, **attributes: object) -> Html:
    """An element. `class_` means `class`, `aria_label` means `aria-label`; None and False leave an attribute out.

    >>> tag("p", "1 < 2", class_="sum")
    '<p class="sum">1 &lt; 2</p>'
    """
    written = "".join(
        _attribute(key, value) for key, value in attributes.items() if value is not None and value is not False
    )
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Child) -> Html:
    """Several pieces, one after the other; None is nothing."""
    if children is None:
        return Html("")
    if isinstance(children, Html):
        return children
    if isinstance(children, str | int | float):
        return text(children)
    return Html("".join(join(child) for child in children))


def _attribute(key: str, value: object) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{text(value)}"'
