"""Repairs of moto, so that a table of some thousand rows stays quick. The rules stay moto's own.

moto keeps a deep copy of every table of a transaction to roll back to, once per item of the transaction; here the touched
items are kept instead. And it sorts a table before it queries an index, comparing typed values that are cast each time;
here texts are compared as texts. It weighs all of an item before each attribute of it; here each is weighed once. What
never changes (names, kinds of nodes, the words of an expression, a queue's retention) is not worked out for each message anew.
"""

from __future__ import annotations

import copy
import functools
from collections import deque
from typing import Any

from moto.core.utils import unix_time
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import bytesize
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.sqs import models as sqs

HEAVIEST = 405_000
"""Bytes of an item: moto's own limit."""

_snake = functools.cache(sqs.camelcase_to_underscores)
_kinds: dict[type, tuple[type, ...]] = {}
_last: dict[str, tuple[Any, ...]] = {}
_parse = ConditionExpressionParser.parse
_lexed: dict[str | None, tuple[Any, ...]] = {}
_lex = ConditionExpressionParser._lex_condition_expression
_read = UpdateExpressionParser.make
_original_items = Table.all_items
_original = DynamoDBBackend.transact_write_items


def install() -> None:
    """Make moto cheap; a second call changes nothing."""
    DynamoDBBackend.transact_write_items = _transact  # type: ignore[method-assign]
    Table.all_items = _all_items  # type: ignore[method-assign]
    DepthFirstTraverser.nodes_to_be_processed = _nodes  # type: ignore[method-assign]
    UpdateExpressionParser.make = functools.cache(_read)  # type: ignore[method-assign]
    ConditionExpressionParser._lex_condition_expression = _words  # type: ignore[method-assign]
    ConditionExpressionParser.parse = _parsed  # type: ignore[method-assign]
    Item.__init__ = _item  # type: ignore[method-assign]
    sqs.camelcase_to_underscores = _snake
    sqs.SQSBackend.is_message_valid_based_on_retention_period = _is_kept  # type: ignore[method-assign]


@functools.wraps(_original)
def _transact(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    touched = _before(self, transact_items)
    shards = {name: self.tables[name].stream_shard for name in touched}
    streams = {name: len(shard.items) for name, shard in shards.items() if shard is not None}
    Table.__deepcopy__ = lambda table, memo: table  # type: ignore[attr-defined]
    try:
        _original(self, transact_items)
    except BaseException:
        _roll_back(self, touched, streams)
        raise
    finally:
        del Table.__deepcopy__  # type: ignore[attr-defined]


def _before(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> dict[str, dict[DynamoType, Any]]:
    """Table → hash key → what stood there (an item, or a hash's items by range key), None when nothing did."""
    touched: dict[str, dict[DynamoType, Any]] = {}
    for one in transact_items:
        operation = next(iter(one.values()))
        table = self.tables.get(operation.get("TableName", ""))
        if table is None:
            continue
        value = (operation.get("Key") or operation.get("Item") or {}).get(table.hash_key_attr)
        rows = touched.setdefault(operation["TableName"], {})
        if value is not None:
            key = DynamoType(value)
            rows[key] = copy.deepcopy(table.items[key]) if key in table.items else None
    return touched


def _roll_back(self: DynamoDBBackend, touched: dict[str, dict[DynamoType, Any]], streams: dict[str, int]) -> None:
    for name, rows in touched.items():
        table = self.tables[name]
        for key, was in rows.items():
            if was is not None:
                table.items[key] = was
            else:
                table.items.pop(key, None)
        if name in streams and table.stream_shard is not None:
            del table.stream_shard.items[streams[name] :]


@functools.wraps(_original_items)
def _all_items(self: Table) -> list[Any]:
    if self.range_key_attr or not all(key.type == "S" for key in self.items):
        return _original_items(self)
    return [self.items[key] for key in sorted(self.items, key=lambda key: key.value)]


def _nodes(self: DepthFirstTraverser) -> tuple[type, ...]:
    kind = type(self)
    if kind not in _kinds:
        _kinds[kind] = tuple(self._processing_map())
    return _kinds[kind]


def _words(self: ConditionExpressionParser) -> Any:
    """moto compiles six patterns for each word; the words of an expression are always the same."""
    text = self.condition_expression
    if text not in _lexed:
        _lexed[text] = tuple(_lex(self))
    return deque(_lexed[text])


def _parsed(self: ConditionExpressionParser) -> Any:
    """moto reads each condition twice, one after the other: to check it, and to apply it."""
    asked = (self.condition_expression, self.expression_attribute_names, self.expression_attribute_values)
    last = _last.get("condition")
    if last is None or last[0] != asked:
        last = (asked, _parse(self), self.expr_attr_names_found, self.expr_attr_values_found)
        _last["condition"] = last
    self.expr_attr_names_found, self.expr_attr_values_found = list(last[2]), list(last[3])
    return last[1]


def _item(self: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]) -> None:
    self.hash_key, self.range_key, self.attrs = hash_key, range_key, LimitedSizeDict()
    weight = 0
    for name, value in attrs.items():
        typed = DynamoType(value)
        weight += bytesize(name) + typed.size()
        if weight > HEAVIEST:
            raise ItemSizeTooLarge
        dict.__setitem__(self.attrs, name, typed)


def _is_kept(self: sqs.SQSBackend, queue_name: str, message: sqs.Message) -> bool:
    """moto counts every message of the queue to learn how long the queue keeps one."""
    seconds = int(self.get_queue(queue_name).message_retention_period)  # type: ignore[attr-defined]
    return seconds + (message.sent_timestamp or 0) / 1000 > unix_time()
