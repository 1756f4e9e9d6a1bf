"""Repairs of moto, so that a table of some thousand rows stays quick. The rules stay moto's own.

moto keeps a deep copy of every table of a transaction to roll back to, once per item of the transaction; here the touched
items are kept instead. It sorts a table before it queries an index, comparing typed values that are cast each time; here
only what the index holds is put in order, and texts are compared as texts. It weighs an item anew for each of its
attributes, and reads, copies and walks an expression ten times; here each is weighed, read and asked its kind once.
"""

from __future__ import annotations

import copy
import functools
import inspect
import threading
import time
from collections import deque
from typing import Any

from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import bytesize
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.dynamodb.parsing.validators import (
    ActionCountValidator,
    OverlappingPathsValidator,
    UpdateExpressionFunctionEvaluator,
    UpdateHashRangeKeyValidator,
    Validator,
)
from moto.sqs import models as sqs

HEAVIEST = 405_000
"""Bytes of an item: moto's own limit."""

ALWAYS_ALIKE = (ActionCountValidator, OverlappingPathsValidator, UpdateHashRangeKeyValidator)

_millis = sqs.unix_time_millis
_snake = functools.cache(sqs.camelcase_to_underscores)
_kinds: dict[type, tuple[type, ...]] = {}
_last: dict[str, tuple[Any, ...]] = {}
_parse = ConditionExpressionParser.parse
_lexed: dict[str | None, tuple[Any, ...]] = {}
_lex = ConditionExpressionParser._lex_condition_expression
_read = UpdateExpressionParser.make
_here = threading.local()
_original_items = Table.all_items
_original_query = Table.query
_asked = inspect.signature(_original_query).bind
_sound: set[Any] = set()
"""Expressions, with their names and the keys of their table, that were found sound: they are whatever the item."""
_original = DynamoDBBackend.transact_write_items


def install() -> None:
    """Make moto cheap; a second call changes nothing."""
    DynamoDBBackend.transact_write_items = _transact  # type: ignore[method-assign]
    Table.all_items = _all_items  # type: ignore[method-assign]
    Table.query = _query  # type: ignore[method-assign]
    DepthFirstTraverser.traverse_node_recursively = _traverse  # type: ignore[method-assign]
    Validator.validate = _validate  # type: ignore[method-assign]
    Validator.__init__ = _validator  # type: ignore[method-assign]
    UpdateExpressionParser.make = _tree
    ConditionExpressionParser._lex_condition_expression = _words  # type: ignore[method-assign]
    ConditionExpressionParser.parse = _parsed  # type: ignore[method-assign]
    Item.__init__ = _item  # type: ignore[method-assign]
    sqs.camelcase_to_underscores = _snake
    sqs.unix_time_millis = _now_millis
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
    if (rows := getattr(_here, "rows", None)) is not None:
        return list(rows)
    if self.range_key_attr or not all(key.type == "S" for key in self.items):
        return _original_items(self)
    return [self.items[key] for key in sorted(self.items, key=lambda key: key.value)]


@functools.wraps(_original_query)
def _query(self: Table, *args: Any, **named: Any) -> Any:
    """moto puts a whole table in order before it looks for the few items under a key of an index, and orders those again."""
    asked = _asked(self, *args, **named).arguments
    wanted = asked.get("hash_key_conditions") if asked.get("index_name") else None
    if not wanted:
        return _original_query(self, *args, **named)
    rows = [row for rows in self.items.values() for row in (rows.values() if self.range_key_attr else (rows,))]
    for name, value in wanted:
        rows = [row for row in rows if (held := row.attrs.get(name)) is not None and held == value]
    _here.rows = rows
    try:
        return _original_query(self, *args, **named)
    finally:
        _here.rows = None


@functools.cache
def _is_node(kind: type) -> bool:
    return issubclass(kind, Node)


@functools.cache
def _is_processed(by: type, kind: type, kinds: tuple[type, ...]) -> bool:
    return issubclass(kind, kinds)


def _traverse(self: DepthFirstTraverser, node: Any, child_id: int = -1) -> Any:
    """As moto walks an expression's tree, but asking once what each kind of node is."""
    if not _is_node(type(node)):
        return node
    parent, by = node.parent, type(self)
    for number, child in enumerate(node.children or ()):
        self.pre_processing_of_child(node, number)
        if _is_node(type(child)):
            _traverse(self, child, number)
    if by not in _kinds:
        _kinds[by] = tuple(self._processing_map())
    if _is_processed(by, type(node), _kinds[by]):
        node = self.process(node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


@functools.cache
def _tree(text: str) -> Any:
    """The tree of an expression: the same text is the same tree, and whoever changes one takes a copy."""
    tree = _read(text)
    find = functools.cache(lambda kinds: tree.__class__.find_clauses(tree, kinds))
    tree.text = text
    tree.find_clauses = lambda kinds: list(find(tuple(kinds)))
    return tree


def _copied(node: Any) -> Any:
    made = object.__new__(type(node))
    made.__dict__.update(node.__dict__)
    made.__dict__.pop("find_clauses", None)
    if node.children is not None:
        made.children = [_copied(one) if _is_node(type(one)) else one for one in node.children]
        for one in made.children:
            if _is_node(type(one)):
                one.parent = made
    return made


def _validator(
    self: Validator,
    expression: Any,
    expression_attribute_names: Any,
    expression_attribute_values: Any,
    item: Item,
    table: Table,
) -> None:
    self.expression_attribute_names = expression_attribute_names
    self.expression_attribute_values = expression_attribute_values
    self.item, self.table = item, table
    self.processors = self.get_ast_processors()
    self.node_to_validate = _copied(expression)


def _validate(self: Validator) -> Any:
    """As moto checks an expression, but what does not hang on the item or the values once only."""
    tree, names = self.node_to_validate, self.expression_attribute_names or {}
    key = (tree.text, *sorted(names.items()), *self.table.table_key_attrs)
    for one in self.processors:
        if key in _sound and isinstance(one, ALWAYS_ALIKE):
            continue
        if "(" not in tree.text and isinstance(one, UpdateExpressionFunctionEvaluator):
            continue
        tree = one.traverse(tree)
    _sound.add(key)
    return tree


def _now_millis(at: Any = None) -> float:
    return time.time() * 1000 if at is None else _millis(at)


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
    return seconds + (message.sent_timestamp or 0) / 1000 > time.time()
