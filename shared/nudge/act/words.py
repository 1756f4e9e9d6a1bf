"""The words a template may use. In: a person's traits, the context of the decision. Out: names and values.

A word that is empty is not there: "Hi ," is never sent; the template's `missing_variable` is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def words(traits: Mapping[str, tuple[Any, int]], context: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    """Traits by their names, the decision's context as `context.…`, and others, which win over traits of their name.

    >>> words({"first_name": ("Ana", 1), "nick": ("", 1)}, {"page": "shoes"}, currency="EUR")
    {'first_name': 'Ana', 'context': {'page': 'shoes'}, 'currency': 'EUR'}
    """
    said = {name: value for name, (value, _) in traits.items() if _is_word(value)}
    said["context"] = {name: value for name, value in context.items() if _is_word(value)}
    said.update({name: value for name, value in others.items() if _is_word(value)})
    return said


def item_words(items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Recommended items as words: all of them as `items` (a mail repeats with `for`), the first as `item` (`{{ item.title }}`).

    >>> item_words([{"item_id": "a", "title": "Boots", "price": None}])
    {'items': [{'item_id': 'a', 'title': 'Boots'}], 'item': {'item_id': 'a', 'title': 'Boots'}}
    """
    said = [{name: value for name, value in one.items() if _is_word(value)} for one in items]
    return {"items": said, "item": said[0]} if said else {}


def _is_word(value: Any) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())
