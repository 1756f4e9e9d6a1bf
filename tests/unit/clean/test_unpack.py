"""Compressed and binary files are opened within limits: a bomb is refused, a damaged file has its reason."""

from __future__ import annotations

import gzip
import tempfile
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest

from nudge.clean import sandbox, unpack
from nudge.errors import BadInput
from nudge.vocabulary import SECOND, Counts
from tests.unit.clean.examples import cleaned, reasons

ROWS = pl.DataFrame(
    {"user_id": ["007", "8"], "event_type": ["view", "buy"], "event_time": [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)], "value": [None, 2.5]}
)  # fmt: skip


def parquet(frame: pl.DataFrame) -> bytes:
    out = BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


def refused(body: bytes, compression: str) -> str:
    with pytest.raises(BadInput) as wrong:
        unpack.unpacked(body, compression)
    return wrong.value.reason


def test_gzip_is_unpacked_also_in_several_members() -> None:
    assert unpack.unpacked(gzip.compress(b"a\n", mtime=0) + gzip.compress(b"b\n") + b"\0\0", "gzip") == b"a\nb\n"


def test_a_gzip_bomb_is_refused_before_it_goes_off() -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, mtime=0)
    assert len(bomb) < 250_000
    assert refused(bomb, "gzip") == "too_large"


def test_gzip_in_gzip_is_not_text() -> None:
    inner = gzip.compress(gzip.compress(b"a,b\n1,2\n", mtime=0))
    assert unpack.unpacked(inner, "gzip").startswith(b"\x1f\x8b")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x1f\x8b",
        gzip.compress(b"abc", mtime=0)[:-6],
        b"\x1f\x8bjunk junk junk",
        gzip.compress(b"a", mtime=0) + b"more",
    ],
)
def test_damaged_gzip_has_its_reason(body: bytes) -> None:
    if body:
        assert refused(body, "gzip") == "bad_gzip"


def test_zstd_gives_the_lines_inside() -> None:
    out = BytesIO()
    pl.DataFrame({"a": ["é", "x,y"], "b": [1, 2]}).write_csv(out, compression="zstd")
    assert unpack.unpacked(out.getvalue(), "zstd").decode() == 'a,b\né,1\n"x,y",2\n'


def test_a_zstd_bomb_is_refused_and_damaged_zstd_has_its_reason() -> None:
    out = BytesIO()
    pl.DataFrame({"a": ["a" * 1000] * 300_000}).write_csv(out, compression="zstd")
    assert refused(out.getvalue(), "zstd") == "too_large"
    assert refused(b"\x28\xb5\x2f\xfdjunk", "zstd") == "bad_zstd"


def test_parquet_rows_become_the_same_events_as_csv() -> None:
    by_csv = cleaned(b"user_id,event_type,event_time,value\n007,view,2026-01-01,\n8,buy,2026-01-02,2.5\n")
    by_parquet = cleaned(parquet(ROWS), format="parquet")
    assert by_parquet.counts == Counts(2, 2, 0, 0)
    assert by_parquet.parts == by_csv.parts


def test_a_range_of_rows_is_read_alone_and_rows_are_counted_in_the_file() -> None:
    frame = ROWS.with_columns(user_id=pl.Series(["007", None]))
    assert reasons(cleaned(parquet(frame), format="parquet", rows=(1, 2))) == [(2, "user_id", "no_user_id")]
    assert cleaned(parquet(frame), format="parquet", rows=(0, 1)).counts == Counts(1, 1, 0, 0)


def test_every_type_of_parquet_has_a_meaning() -> None:
    frame = ROWS.head(1).with_columns(
        number=pl.lit(7), share=pl.lit(0.5), nothing=pl.lit(float("nan")), flag=pl.lit(True), day=pl.lit(date(2026, 1, 2)),
        tags=pl.lit(pl.Series([["a", "b"]])), place=pl.struct(city=pl.lit("Bonn")), raw=pl.lit(b"x"),
        kind=pl.lit("c").cast(pl.Categorical), price=pl.lit("1.50").str.to_decimal(scale=2),
    )  # fmt: skip
    [said] = cleaned(parquet(frame), format="parquet").frames["events"]["properties"].to_list()
    assert said == (
        '{"day":"2026-01-02","flag":true,"kind":"c","number":7,"place":{"city":"Bonn"},"price":1.50,"raw":"x","share":0.5,"tags":["a","b"]}'
    )


@pytest.mark.parametrize("number", range(6))
def test_damaged_parquet_is_one_reject_with_its_reason(number: int) -> None:
    whole = parquet(ROWS)
    damaged = [
        b"", b"PAR1", whole[:200], whole[:-9], b"PAR1" + b"\xff" * 50 + b"PAR1", whole[:-8] + b"\xff\xff\xff\x7fPAR1",
    ][number]  # fmt: skip
    result = cleaned(damaged, format="parquet")
    assert result.counts == Counts(1, 0, 1, 0)
    assert reasons(result) == [(0, None, "bad_parquet")]


def test_a_parquet_string_bomb_is_refused_and_the_parent_lives() -> None:
    bomb = parquet(pl.DataFrame({"user_id": pl.Series(["x" * 1_000_000]).new_from_index(0, 2000)}))
    assert len(bomb) < 2_000
    assert reasons(cleaned(bomb, format="parquet")) == [(0, None, "too_large")]


def test_too_many_parquet_rows_are_refused_by_the_footer() -> None:
    many = parquet(pl.DataFrame({"user_id": pl.repeat("a", sandbox.MOST_ROWS + 1, eager=True)}))
    assert len(many) < 100_000
    assert reasons(cleaned(many, format="parquet")) == [(0, None, "too_large")]


def test_what_a_killed_process_left_is_swept_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / f"{sandbox.PREFIX}x"
    left.mkdir()
    (left / "in").write_bytes(b"x")
    at = int(left.stat().st_mtime * SECOND)
    sandbox.sweep(at + 60 * SECOND)
    assert left.exists()
    sandbox.sweep(at + 3_600 * SECOND)
    assert not left.exists()
