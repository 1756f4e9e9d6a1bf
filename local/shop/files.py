"""Files as the sample shop drops them: several dialects, with the dirt that real exports have, counted as it is made.

In: a world. Out: name → bytes under `inbox/`, and how many rows of each kind are good, bad and doubled.
"""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from local.clock import moment
from local.shop import messages
from local.shop.people import CATEGORIES, LOCALES, ZONES
from local.shop.world import World
from nudge.vocabulary import Counts, Kind, Micros

DOUBLED = 0.01
"""Share of rows that stand twice in a file."""
ACROSS = 200
"""Rows of one file that stand in the next one too."""
BROKEN = 40
"""Rows of each kind of dirt in an events file: no person, no type, no time."""


SYSTEMS = {
    "shop de-2026.csv.gz": ("DE",),
    "alps+france.csv": ("AT", "CH", "FR"),
    "us.jsonl": ("US",),
}
"""Three exports: compressed; with semicolons in UTF-16; JSON Lines."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to be dropped: `inbox/<kind>/<name>`."""

    kind: Kind
    name: str
    body: bytes

    @property
    def key(self) -> str:
        return f"inbox/{self.kind}/{self.name}"


def history(world: World, until: Micros) -> tuple[list[File], dict[str, Counts]]:
    """What the shop has when it starts with Nudge: people, items, events until then from three systems, each with its own
    countries and its own dialect, and its help desk's mail; and what should become of their rows."""
    draw = np.random.default_rng([world.seed, 6])
    everything = table(world, world.start, until)
    country = dict(zip(world.people.ids, world.people.country, strict=True))
    lives_in = everything["user_id"].replace_strict(country)
    people, people_counts = _users(world, until)
    files = [File("users", "people.csv", people), File("items", "catalogue.jsonl", _items(world))]
    counts = {"users": people_counts, "items": Counts(len(world.items.ids), len(world.items.ids), 0, 0)}
    total = Counts()
    before: pl.DataFrame | None = None
    for name, countries in SYSTEMS.items():
        with_ids = name.endswith(".jsonl")
        rows = everything.filter(lives_in.is_in(countries))
        good = rows if with_ids else rows.drop("event_id")
        again = good.sample(round(len(good) * DOUBLED), seed=world.seed)
        if before is not None and not with_ids:
            again = pl.concat([again, before.tail(ACROSS)])
        bad = _broken(good, world.seed)
        body = pl.concat([good, again, bad])
        body = body[draw.permutation(len(body))]
        files.append(File("events", name, _written(name, body)))
        total += Counts(len(body), len(good), len(bad), len(again))
        before = good
    said = messages.messages(world.people, world.start, until, seed=world.seed)
    files.append(File("events", "help desk.jsonl", messages.body(said)))
    total += Counts(len(said), len(said), 0, 0)
    return files, {**counts, "events": total}


def table(world: World, since: Micros, until: Micros) -> pl.DataFrame:
    """Events as a shop's export has them: text columns, ISO times with milliseconds."""
    events = world.between(since, until)
    ids = pl.Series(world.people.ids)
    devices = pl.Series(world.people.device)
    items = pl.Series(world.items.ids)
    categories = pl.Series([CATEGORIES[one] for one in world.items.category])
    known = pl.col("item") >= 0
    item = pl.col("item").clip(0)
    at = pl.from_epoch(pl.col("at"), time_unit="us")
    return events.select(
        pl.col("event_id"),
        pl.lit(ids).gather(pl.col("person")).alias("user_id"),
        pl.col("event_type"),
        at.dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").alias("event_time"),
        pl.when(known).then(pl.lit(items).gather(item)).alias("item_id"),
        pl.when(known).then(pl.lit(categories).gather(item)).alias("category"),
        pl.col("value").round(2).cast(pl.String).alias("value"),
        pl.when(pl.col("value").is_not_null()).then(pl.lit("EUR")).alias("currency"),
        pl.lit(devices).gather(pl.col("person")).alias("device"),
    )


def drop(world: World, since: Micros, until: Micros) -> tuple[File | None, pl.DataFrame]:
    """A stretch of new events as JSON Lines, and the same as a table; None when nothing happened."""
    rows = table(world, since, until)
    if rows.is_empty():
        return None, rows
    name = f"{moment(since):%Y-%m-%dT%H%M}.jsonl"
    return File("events", name, _written(name, rows)), rows


def _broken(good: pl.DataFrame, seed: int) -> pl.DataFrame:
    rows = good.sample(3 * BROKEN, seed=seed + 1)
    number = pl.int_range(pl.len())
    return rows.with_columns(
        pl.when(number < BROKEN).then(pl.lit(None)).otherwise(pl.col("user_id")).alias("user_id"),
        pl.when((number >= BROKEN) & (number < 2 * BROKEN))
        .then(pl.lit(None))
        .otherwise(pl.col("event_type"))
        .alias("event_type"),
        pl.when(number >= 2 * BROKEN).then(pl.lit("soon")).otherwise(pl.col("event_time")).alias("event_time"),
    )


def _written(name: str, rows: pl.DataFrame) -> bytes:
    if name.endswith(".jsonl"):
        lines = (json.dumps({k: v for k, v in row.items() if v is not None}) for row in rows.iter_rows(named=True))
        return ("\n".join(lines) + "\n").encode()
    if name.endswith(".gz"):
        return gzip.compress(rows.write_csv().encode("utf-8"), compresslevel=1, mtime=0)
    return rows.write_csv(separator=";", quote_style="always").encode("utf-16")


def _users(world: World, until: Micros) -> tuple[bytes, Counts]:
    people, now = world.people, moment(until)
    out = io.StringIO()
    columns = "user_id,email,phone,timezone,locale,created_at,email_consent,email_consent_at,email_consent_source"
    out.write(f"{columns},sms_consent,sms_consent_at,country,segment,device,updated_at\n")
    lines = []
    for number, user_id in enumerate(people.ids):
        joined = now - timedelta(days=int(people.joined_days_ago[number]))
        country = people.country[number]
        consent = "yes" if people.consent[number] else "no"
        lines.append(
            f"{user_id},{people.email(number)},{people.phone(number)},{ZONES[country]},{LOCALES[country]},{_iso(joined)},{consent},{_iso(joined)},"
            f'"sign-up, web",{consent},{_iso(joined)},{country},{people.segment[number]},{people.device[number]},{_iso(joined)}\n'
        )
    nobody = [",,," + line.split(",", 3)[3] for line in lines[:15]]
    lines += lines[100:125] + nobody
    out.writelines(lines)
    body = b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")
    doubled = len(people.ids[100:125])
    return body, Counts(len(lines), len(people), len(nobody), doubled)


def _items(world: World) -> bytes:
    items = world.items
    rows = [
        {
            "item_id": one,
            "title": f"{CATEGORIES[items.category[number]].capitalize()} {number}",
            "category": CATEGORIES[items.category[number]],
            "price": float(items.price[number]),
            "available_from": _iso(datetime(2026, 1, 1, tzinfo=UTC)),
        }
        for number, one in enumerate(items.ids)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
