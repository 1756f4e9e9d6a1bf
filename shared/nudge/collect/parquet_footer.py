"""The footer of a Parquet file, read with the standard library. Last bytes come in; row groups and column names go out.

Only what is needed to cut the file into row ranges is read (Thrift compact protocol, parquet.thrift `FileMetaData`);
everything else is skipped. The bytes come from strangers: every length and depth has a limit, and anything odd is
`BadInput("bad_parquet")`. Knows no values, no pages, no compression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from nudge.errors import BadInput

MAGIC: Final = b"PAR1"
TAIL: Final = 8
"""The last bytes of a file: length of the footer (4, little endian) and the magic."""

LONGEST_FOOTER: Final = 32 << 20
MOST_ROW_GROUPS: Final = 100_000
MOST_COLUMNS: Final = 20_000
MOST_ROWS: Final = 1 << 40
DEEPEST: Final = 32

_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 11, 12
_INTEGERS: Final = (4, 5, 6)


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Rows and bytes (uncompressed, as the footer says) of one row group."""

    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Footer:
    """What a Parquet file holds: number of rows, its row groups in order, the names of its top-level columns."""

    rows: int
    groups: tuple[RowGroup, ...]
    columns: tuple[str, ...]


def footer_length(tail: bytes) -> int:
    """Length in bytes of the footer before the last 8 bytes.

    Raises
    ------
    BadInput
        `bad_parquet` when the tail is not that of a Parquet file, or claims more than 32 MiB.
    """
    if len(tail) != TAIL or tail[4:] != MAGIC:
        raise _bad("the end of the file is not that of Parquet (was it cut off?)")
    length = int.from_bytes(tail[:4], "little")
    if not 0 < length <= LONGEST_FOOTER:
        raise _bad(f"the footer claims to be {length} bytes")
    return length


def read_footer(body: bytes) -> Footer:
    """Read the footer itself (the bytes before the tail).

    Raises
    ------
    BadInput
        `bad_parquet` for anything that does not add up.
    """
    try:
        top = _Compact(body).struct(_FILE)
        groups = tuple(RowGroup(rows=int(group.get(3, -1)), size=int(group.get(2, 0))) for group in top.get(4, []))
        total = int(top.get(3, -1))
        columns = _top_level(top.get(2, []))
    except (LookupError, ValueError, TypeError, AttributeError):
        raise _bad("the footer cannot be read") from None
    if any(not 0 <= group.rows <= MOST_ROWS for group in groups) or sum(group.rows for group in groups) != total:
        raise _bad("the rows of the row groups are not the rows of the file")
    return Footer(total, groups, columns)


def row_ranges(footer: Footer, rows_a_range: int) -> list[tuple[int, int]]:
    """Ranges [first, last) of rows that begin and end with row groups, each about `rows_a_range` rows or one group.

    >>> row_ranges(Footer(30, (RowGroup(10, 0), RowGroup(10, 0), RowGroup(10, 0)), ("a",)), 20)
    [(0, 20), (20, 30)]
    """
    ranges: list[tuple[int, int]] = []
    first = last = 0
    for group in footer.groups:
        if last > first and last - first + group.rows > rows_a_range:
            ranges.append((first, last))
            first = last
        last += group.rows
    return [*ranges, (first, last)] if last > first else ranges


def _top_level(schema: list[dict[int, Any]]) -> tuple[str, ...]:
    """Names of the children of the root; nested ones are walked over by their number of children."""
    names = []
    position, left = 1, int(schema[0].get(5, 0))
    for _ in range(left):
        names.append(schema[position][4])
        open_children = 1
        while open_children:
            open_children += int(schema[position].get(5, 0)) - 1
            position += 1
    return tuple(names)


def _bad(what: str) -> BadInput:
    return BadInput(what, reason="bad_parquet")


# Which fields of which structure are read: id → None (as it is), or the fields of the structures in a list.
_ROW_GROUP: Final[dict[int, Any]] = {2: None, 3: None}
_SCHEMA: Final[dict[int, Any]] = {4: None, 5: None}
_FILE: Final[dict[int, Any]] = {2: _SCHEMA, 3: None, 4: _ROW_GROUP}


class _Compact:
    """A reader of the Thrift compact protocol that knows where it is and how deep."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def _byte(self) -> int:
        value = self._body[self._at]
        self._at += 1
        return value

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a number of more than 64 bits")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _binary(self) -> bytes:
        length = self._varint()
        start = self._at
        if length > len(self._body) - start:
            raise ValueError("a text beyond the end")
        self._at = start + length
        return self._body[start : self._at]

    def struct(self, wanted: dict[int, Any], depth: int = 0) -> dict[int, Any]:
        """The wanted fields of a structure by id; the others are walked over."""
        if depth > DEEPEST:
            raise ValueError("too deep")
        found: dict[int, Any] = {}
        field = 0
        while (head := self._byte()) != _STOP:
            kind, step = head & 0x0F, head >> 4
            field = field + step if step else self._zigzag()
            if field in wanted:
                found[field] = self._value(kind, wanted[field], depth)
            else:
                self._skip(kind, depth)
        return found

    def _value(self, kind: int, inner: dict[int, Any] | None, depth: int) -> Any:
        if kind in _INTEGERS:
            return self._zigzag()
        if kind == _BINARY:
            return self._binary().decode()
        if kind == _LIST and inner is not None:
            of, size = self._list_head()
            if of != _STRUCT or size > (MOST_ROW_GROUPS if inner is _ROW_GROUP else MOST_COLUMNS):
                raise ValueError("not the list that should stand here")
            return [self.struct(inner, depth + 1) for _ in range(size)]
        raise ValueError("not the type that should stand here")

    def _list_head(self) -> tuple[int, int]:
        head = self._byte()
        size = head >> 4
        return head & 0x0F, self._varint() if size == 15 else size

    def _skip(self, kind: int, depth: int) -> None:
        if depth > DEEPEST:
            raise ValueError("too deep")
        if kind in _INTEGERS:
            self._varint()
        elif kind == _BINARY:
            self._binary()
        elif kind == _STRUCT:
            self.struct({}, depth + 1)
        elif kind in (_LIST, _SET):
            of, size = self._list_head()
            self._skip_many((of,), size, depth)
        elif kind == _MAP:
            size = self._varint()
            head = self._byte() if size else 0
            self._skip_many((head >> 4, head & 0x0F), size, depth)
        elif kind in (_BYTE, _DOUBLE):
            self._at += 1 if kind == _BYTE else 8
        elif kind not in (_TRUE, _FALSE):
            raise ValueError("an unknown type")

    def _skip_many(self, kinds: tuple[int, ...], size: int, depth: int) -> None:
        """Elements of a collection; there a truth value takes a byte of its own."""
        if size > len(self._body) - self._at:
            raise ValueError("more elements than bytes")
        for _ in range(size):
            for kind in kinds:
                if kind in (_TRUE, _FALSE):
                    self._byte()
                else:
                    self._skip(kind, depth + 1)
