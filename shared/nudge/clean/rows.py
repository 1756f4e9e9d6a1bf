"""Cells get our names. A table or JSON objects come in; one frame of text goes out, with all that is unknown as JSON.

The frame has the known columns that were there (text, null = absent), `extra` (canonical JSON of every other cell: keys
sorted, no blanks, absent ones left out) and `line`. Knows which names there are, and no type.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import polars as pl

from nudge.clean.table import Table

type NameOf = Callable[[str], str | None]
"""A column's name in a file → our name for it, or None."""

ALSO_EXTRA = ("anonymous_id",)
"""Known columns that are no columns of the lake, and are kept beside what they are used for."""

SPECIAL = r"[\x00-\x1f\"\\]"


def canonical(value: Any) -> str:
    """The one spelling of a JSON value. Raises ValueError for what is none."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def quoted(text: pl.Series) -> pl.Series:
    """Text as JSON strings, spelled as `canonical` does."""
    special = text.str.contains(SPECIAL).fill_null(False)
    plain = '"' + text + '"'
    if not special.any():
        return plain
    spelled = pl.Series([canonical(one) for one in text.filter(special).to_list()], dtype=pl.String)
    return plain.scatter(special.arg_true(), spelled)


def objects(columns: Mapping[str, pl.Series]) -> pl.Series:
    """JSON objects, a row each, of columns that hold JSON texts; null where all are null."""
    names = sorted(columns)
    frame = pl.DataFrame([columns[name].alias(str(number)) for number, name in enumerate(names)])
    parts = [pl.lit(canonical(name) + ":") + pl.col(str(number)) for number, name in enumerate(names)]
    inner = pl.concat_str(parts, separator=",", ignore_nulls=True)
    return frame.select(pl.when(inner != "").then(pl.concat_str([pl.lit("{"), inner, pl.lit("}")]))).to_series()


def from_table(table: Table, name_of: NameOf, known: Collection[str]) -> pl.DataFrame:
    """The rows of a table under our names. Of two columns with one meaning the first is it, the other stays an extra."""
    columns: dict[str, pl.Series] = {"line": table.cells["line"]}
    extras: dict[str, pl.Series] = {}
    for number, raw_name in enumerate(table.names):
        cell = table.cells[str(number)]
        name = name_of(raw_name)
        is_ours = name is not None and name in known and name not in columns
        if name is not None and is_ours:
            columns[name] = cell if table.trimmed else _trimmed(cell)
        if is_ours and name not in ALSO_EXTRA:
            continue
        if cell.null_count() < len(cell):
            key = raw_name if name is None or (name in known and not is_ours) or name in extras else name
            extras[key] = _literal(cell) if number in table.literal else quoted(cell)
    columns["extra"] = (
        objects(extras) if extras else pl.Series([None], dtype=pl.String).new_from_index(0, len(columns["line"]))
    )
    return pl.DataFrame([values.alias(name) for name, values in columns.items()])


def _literal(cell: pl.Series) -> pl.Series:
    """Cells spelled as JSON already; floats that JSON does not know are absent."""
    frame = pl.DataFrame({"cell": cell})
    return frame.select(pl.when(~pl.col("cell").is_in(["NaN", "inf", "-inf"])).then(pl.col("cell"))).to_series()


def _trimmed(cell: pl.Series) -> pl.Series:
    bare = cell.str.strip_chars(" ")
    empty = bare == ""
    return bare.zip_with(~empty.fill_null(False), pl.Series([None], dtype=pl.String)) if empty.any() else bare


def from_objects(
    numbered: Sequence[tuple[int, Mapping[str, Any]]], name_of: NameOf, known: Collection[str], nested: Collection[str]
) -> tuple[pl.DataFrame, list[tuple[int, str]]]:
    """The same from JSON objects, each with its line; and (line, column) of rows where a known column holds no scalar.

    `nested` are names whose object is part of the extras (`properties`, `attributes`, `traits`).
    """
    names: dict[str, str | None] = {}
    rows: list[tuple[str | None, ...]] = []
    bad: list[tuple[int, str]] = []
    lines: list[int] = []
    order = tuple(known)
    for line, one in numbered:
        held: dict[str, str | None] = {}
        extra: dict[str, Any] = {}
        wrong = None
        for key, value in one.items():
            if value is None or value == "":
                continue
            if key not in names:
                names[key] = name_of(key)
            name = names[key]
            if key in nested and isinstance(value, dict):
                extra = {**value, **extra}
            elif name is not None and name in known and name not in held:
                if isinstance(value, (dict, list)):
                    wrong = name
                else:
                    held[name] = _spelled(value).strip(" ") or None
                    if name in ALSO_EXTRA:
                        extra[name] = value
            else:
                extra[key if name is None or name in known or name in extra else name] = value
        if wrong:
            bad.append((line, wrong))
            continue
        lines.append(line)
        extra = {key: value for key, value in extra.items() if value is not None}
        rows.append((*(held.get(name) for name in order), canonical(extra) if extra else None))
    frame = pl.DataFrame(rows, schema=dict.fromkeys((*order, "extra"), pl.String), orient="row")
    return frame.with_columns(pl.Series("line", lines, dtype=pl.Int64)), bad


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = getattr(value, "text", None)
    return text if isinstance(text, str) else str(value)
