"""Who belongs to an audience, of a whole frame at once (Polars). In: a tree, a column for each whole name. Out: true or false a row.

It says what `decide.audience.belongs` says of each row as a dict; a property test holds them equal. A column that is not there is
known of nobody: columns of numbers come from `profile.batch.vectors(…, only=names)`, which fills in what people never did.
"""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import and_, or_
from typing import Any

import polars as pl

from nudge.vocabulary import DAY_TEXT, FIRST_MICROS, LAST_MICROS, NUMBER_TEXT, Asked, Expression

UNKNOWN = pl.lit(None, dtype=pl.Boolean)
FIRST_DAY = date(1, 1, 1)


def members(audience: Expression | None, frame: pl.DataFrame) -> pl.Series:
    """A Boolean column without nulls: whether each row belongs. Columns are Boolean, numeric or String.

    Raises
    ------
    TypeError
        For a column of another type that the audience asks for.
    """
    if audience is None:
        return pl.Series("belongs", [True] * frame.height, dtype=pl.Boolean)
    said = _truth(audience, frame.schema).fill_null(value=False)
    return frame.with_columns(belongs=said).get_column("belongs")


def _truth(audience: Expression, schema: pl.Schema) -> pl.Expr:
    """True, false, or null where what is known does not say: Polars' own three values are Kleene's."""
    if isinstance(audience, Asked):
        return _Column(audience.name, schema).answer(audience)
    parts = [_truth(part, schema) for part in audience.parts]
    if audience.op == "not":
        return ~parts[0]
    return reduce(and_ if audience.op == "and" else or_, parts)


class _Column:
    """One name of the frame, and how its type is read."""

    def __init__(self, name: str, schema: pl.Schema) -> None:
        dtype = schema.get(name)
        self.there = dtype is not None
        self.is_flag = dtype == pl.Boolean
        self.is_text = dtype == pl.String
        self.value = pl.col(name)
        if dtype is not None and dtype.is_float():
            self.value = self.value.fill_nan(None)
        if dtype is not None and not (self.is_flag or self.is_text or dtype.is_numeric()):
            raise TypeError(f"{name} is {dtype}; an audience reads Boolean, numbers and String")

    def answer(self, asked: Asked) -> pl.Expr:
        if not self.there:
            return pl.lit(value=False) if asked.op in ("known", "has") else UNKNOWN
        if asked.op == "known":
            return self.value.is_not_null()
        if asked.op == "has":
            return self.value.fill_null(value=False) if self.is_flag else pl.lit(value=False)
        if asked.op == "in":
            several = asked.value if isinstance(asked.value, tuple) else ()
            return self._where_known(reduce(or_, map(self._equal, several)))
        if asked.op in ("=", "!="):
            same = self._equal(asked.value)
            return self._where_known(same if asked.op == "=" else ~same)
        return self._ordered(asked)

    def _where_known(self, said: pl.Expr) -> pl.Expr:
        return pl.when(self.value.is_not_null()).then(said)

    def _equal(self, literal: Any) -> pl.Expr:
        """Never null: what cannot be compared is not equal."""
        return self._compared(literal).fill_null(value=False)

    def _compared(self, literal: Any) -> pl.Expr:
        if isinstance(literal, date):
            return self._day() == literal
        if isinstance(literal, bool):
            return self._flag() == pl.lit(literal)
        if isinstance(literal, float):
            return self._number() == literal
        if self.is_text:
            return self.value == pl.lit(literal)
        if self.is_flag:
            return self.value == pl.lit({"true": True, "false": False}.get(literal.lower()), dtype=pl.Boolean)
        looks_like = pl.select(_number_of(pl.lit(literal, dtype=pl.String))).item()
        return self.value.cast(pl.Float64) == pl.lit(looks_like, dtype=pl.Float64)

    def _ordered(self, asked: Asked) -> pl.Expr:
        left = self._day() if isinstance(asked.value, date) else self._number()
        right = pl.lit(asked.value)
        match asked.op:
            case "<":
                return left < right
            case "<=":
                return left <= right
            case ">":
                return left > right
            case _:
                return left >= right

    def _number(self) -> pl.Expr:
        return _number_of(self.value) if self.is_text else self.value.cast(pl.Float64)

    def _flag(self) -> pl.Expr:
        if self.is_flag:
            return self.value
        read: dict[Any, bool] = {"true": True, "false": False} if self.is_text else {0.0: False, 1.0: True}
        value = self.value.str.to_lowercase() if self.is_text else self.value.cast(pl.Float64)
        return value.replace_strict(read, default=None, return_dtype=pl.Boolean)

    def _day(self) -> pl.Expr:
        """A day of an ISO text, or of a time in microseconds (UTC)."""
        if self.is_flag:
            return pl.lit(None, dtype=pl.Date)
        if self.is_text:
            read = pl.when(self.value.str.contains(DAY_TEXT)).then(self.value.str.slice(0, 10))
            day = read.str.to_date("%Y-%m-%d", strict=False)
            return pl.when(day >= FIRST_DAY).then(day)
        time = pl.when(self.value.is_between(FIRST_MICROS, LAST_MICROS)).then(self.value.floor().cast(pl.Int64))
        return time.cast(pl.Datetime("us")).dt.date()


def _number_of(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.contains(NUMBER_TEXT)).then(text).cast(pl.Float64, strict=False)
