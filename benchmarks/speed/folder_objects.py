"""A folder as the port `Objects`: what a benchmark uses in place of a bucket, so that the disk is all that is measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from nudge.errors import Conflict, NotFound
from nudge.ports import ObjectInfo


class FolderObjects:
    """Keys are paths below the folder. Has no versions; the ETag is the file's size."""

    def __init__(self, folder: Path, name: str = "lake") -> None:
        self._folder = folder
        self.name = name

    def head(self, key: str, *, version: str | None = None) -> ObjectInfo:
        path = self._folder / key
        if not path.is_file():
            raise NotFound(f"{key} is not there")
        size = path.stat().st_size
        return ObjectInfo(key, size, str(size), None, 1_772_000_000_000_000)

    def get(
        self, key: str, *, span: tuple[int, int] | None = None, version: str | None = None, etag: str | None = None
    ) -> bytes:
        self.head(key)
        with (self._folder / key).open("rb") as file:
            if span is None:
                return file.read()
            file.seek(span[0])
            return file.read(span[1] - span[0])

    def read(self, key: str) -> tuple[bytes, str]:
        return self.get(key), self.head(key).etag

    def stream(
        self, key: str, *, version: str | None = None, etag: str | None = None, block: int = 8 << 20
    ) -> Iterator[bytes]:
        with (self._folder / key).open("rb") as file:
            while some := file.read(block):
                yield some

    def put(
        self,
        key: str,
        body: bytes,
        *,
        new: bool = False,
        etag: str | None = None,
        content_type: str = "application/octet-stream",
    ) -> str:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        if new and path.exists():
            raise Conflict(f"{key} was written by someone else first")
        path.write_bytes(body)
        return str(len(body))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        found = sorted(str(path.relative_to(self._folder)) for path in self._folder.rglob("*") if path.is_file())
        yield from (self.head(key) for key in found if key.startswith(prefix))

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            (self._folder / key).unlink(missing_ok=True)
