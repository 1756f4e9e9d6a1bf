"""Delimited bytes become a table of text cells. Bytes and a dialect come in; rows, flaws and line numbers go out.

Two roads with one result, `at_once` and `one_by_one`; a test holds them equal. The rules are those of `collect.records`,
whose splitter is passed in. Knows no column name's meaning and no type: an empty cell is null, all else is as it stood.
"""

from __future__ import annotations

from nudge.clean import at_once, one_by_one
from nudge.clean.table import RecordAt, Table
from nudge.clean.text import decoded
from nudge.vocabulary import Dialect


def read_table(
    body: bytes,
    dialect: Dialect,
    record_at: RecordAt,
    *,
    header: tuple[str, ...] | None = None,
    first_line: int = 1,
    first_byte: int = 0,
    has_header: bool = True,
) -> Table:
    """Read delimited bytes into text cells.

    Parameters
    ----------
    header
        The names, where they are known; None = they are the first record that is not blank.
    has_header
        Whether that record lies in these bytes (in the first chunk of a file), and is no row.
    """
    text = decoded(body, dialect.encoding, at_start=first_byte == 0)
    record_at = record_at if dialect.quote else one_by_one.unquoted(dialect)
    if text.marked is not None or not at_once.is_possible(text.utf8, dialect):
        return one_by_one.slow_table(text, dialect, record_at, header, first_line, first_byte, has_header)
    lines = at_once.Lines.of(text.utf8)
    skipped = 0
    if has_header:
        names, skipped = at_once.header_of(lines, dialect, record_at)
        header = header or names
    if header is None:
        return one_by_one.empty(())
    return at_once.fast_table(lines, dialect, record_at, header, first_line, skipped)
