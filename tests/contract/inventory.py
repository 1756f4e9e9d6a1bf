"""Where somebody is: every store of an embedded AWS is searched for the words that name them. In: stores, words. Out: places.

A place is the beginning of a key (`s3 lake/events/`, `Ledger decision#`): what an erasure has to go through. Whatever cannot be read
fails, so that nothing hides in a form that nobody looks into.
"""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl
import zstandard

from nudge.adapters.clients import client
from tests.stores import Stores

TABLES = ("Profiles", "Ledger", "Arrivals")


def places(stores: Stores, words: Iterable[str]) -> dict[str, set[str]]:
    """Place → the words that were found there."""
    found: dict[str, set[str]] = {}
    for place, text in _everything(stores):
        for word in words:
            if re.search(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", text):
                found.setdefault(place, set()).add(word)
    return found


def rows(stores: Stores, *, without: Iterable[str]) -> list[str]:
    """What the lake and the tables hold, row by row, without the rows in which one of the words stands; in order."""
    found, words = [], re.compile("|".join(rf"(?<![A-Za-z0-9]){re.escape(one)}(?![A-Za-z0-9])" for one in without))
    for key in stores.keys("lake/"):
        part = pl.read_parquet(io.BytesIO(stores.read(key)))
        found += [f"{key.split('/')[1]} {row!r}" for row in part.rows()]
    for table in TABLES:
        found += [f"{table} {json.dumps(row, default=repr, sort_keys=True)}" for row in stores.rows(table)]
    return sorted(one for one in found if not words.search(one))


def _everything(stores: Stores) -> Iterator[tuple[str, str]]:
    bucket, s3 = stores.physical("Lake"), client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for one in page.get("Versions", []):
            body = s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read()
            yield _of_key(one["Key"]), one["Key"] + "\n" + _text(one["Key"], bytes(body))
    for table in TABLES:
        for row in stores.rows(table):
            yield f"{table} {row['id']['S'].partition('#')[0]}#", json.dumps(row, default=repr, ensure_ascii=False)


def _of_key(key: str) -> str:
    """The first folder; of the lake, the inbox and the quarantine the first two."""
    parts = key.split("/")
    deep = 2 if parts[0] in ("lake", "inbox", "quarantine") and len(parts) > 2 else 1
    return "s3 " + "/".join(parts[:deep]) + "/"


def _text(key: str, body: bytes) -> str:
    if body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    elif body[:4] == b"\x28\xb5\x2f\xfd":
        body = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(body)).read()
    if body[:4] == b"PAR1":
        return _rows(pl.read_parquet(io.BytesIO(body)).rows())
    assert b"\0" not in body[:1000], f"{key}: nobody knows how to look into it"
    return body.decode("utf-8", "replace")


def _rows(rows: Iterable[Any]) -> str:
    return "\n".join(map(repr, rows))
