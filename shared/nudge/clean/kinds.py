"""What a row of each kind is. Text under our names comes in; typed rows come out, each with a reason if it is none.

The result has the lake's columns of the kind, `line`, `reason` and `column` (null = accepted). The first flaw of a row is
its reason. Knows no file, and no other row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from nudge.clean import values
from nudge.vocabulary import DAY, Kind, Micros

CHANNELS: Final = ("email", "sms", "push")
LONGEST_ID: Final = 512
EARLIEST: Final = 631_152_000_000_000
"""1990-01-01: an event before it is a wrong clock."""
MOMENT: Final = pl.Datetime("us", "UTC")

_TEXT = pl.String()
EVENT: Final[Mapping[str, pl.DataType]] = {
    "event_id": _TEXT, "user_id": _TEXT, "event_type": _TEXT, "event_time": MOMENT, "event_action": _TEXT, "item_id": _TEXT,
    "category": _TEXT, "value": pl.Float64(), "currency": _TEXT, "channel": _TEXT, "decision_id": _TEXT,
    "received_at": MOMENT, "properties": _TEXT,
}  # fmt: skip
USER: Final[Mapping[str, pl.DataType]] = {
    "user_id": _TEXT, "effective_at": MOMENT, "email": _TEXT, "phone": _TEXT, "timezone": _TEXT, "locale": _TEXT,
    "created_at": MOMENT,
    **{name: kind for one in CHANNELS for name, kind in (
        (f"{one}_consent", pl.Boolean()), (f"{one}_consent_at", MOMENT), (f"{one}_consent_source", _TEXT))},
    "attributes": _TEXT,
}  # fmt: skip
ITEM: Final[Mapping[str, pl.DataType]] = {
    "item_id": _TEXT, "effective_at": MOMENT, "title": _TEXT, "category": _TEXT, "price": pl.Float64(), "text": _TEXT,
    "available_from": MOMENT, "available_to": MOMENT, "attributes": _TEXT,
}  # fmt: skip
DECISION: Final[Mapping[str, pl.DataType]] = {
    "decision_id": _TEXT, "user_id": _TEXT, "decided_at": MOMENT, "goal": _TEXT, "chosen": _TEXT, "activity": _TEXT,
    "channel": _TEXT, "group": _TEXT, "propensity": pl.Float64(), "probability": pl.Float64(), "value": pl.Float64(),
    "cost": pl.Float64(), "plan_version": _TEXT, "model_version": _TEXT, "reason": _TEXT, "record": _TEXT,
}  # fmt: skip
COLUMNS: Final[Mapping[Kind, Mapping[str, pl.DataType]]] = {
    "events": EVENT, "outcomes": EVENT, "users": USER, "items": ITEM, "decisions": DECISION,
}  # fmt: skip

_PERSON: Final = ("user_id", "anonymous_id", "email", "phone")
"""Who a row is about: the first of these that it has."""
KNOWN: Final[Mapping[Kind, tuple[str, ...]]] = {
    "events": (*(name for name in EVENT if name != "properties"), "anonymous_id", "email", "phone"),
    "outcomes": (*(name for name in EVENT if name != "properties"), "anonymous_id", "email", "phone"),
    "users": (
        *(name for name in USER if name not in ("attributes", "effective_at")),
        "anonymous_id", "updated_at", *(f"{one}_opt_out" for one in CHANNELS),
    ),
    "items": (*(name for name in ITEM if name not in ("attributes", "effective_at")), "updated_at"),
    "decisions": tuple(DECISION),
}  # fmt: skip


@dataclass(slots=True)
class _Typed:
    """Columns of one kind as they are made, and the flaws found on the way."""

    rows: pl.DataFrame
    plain: bool
    columns: dict[str, pl.Series] = field(default_factory=dict)
    flaws: list[tuple[pl.Series, str, str]] = field(default_factory=list)

    def text(self, name: str) -> pl.Series:
        if name in self.rows.columns:
            return self.rows[name]
        return pl.Series(name, [None], dtype=pl.String).new_from_index(0, self.rows.height)

    def has(self, name: str) -> bool:
        return name in self.rows.columns and self.rows[name].null_count() < self.rows.height

    def flaw(self, where: pl.Series, reason: str, column: str) -> None:
        if bool(where.any()):
            self.flaws.append((where.fill_null(False), reason, column))

    def id(self, name: str, source: pl.Series | None = None, *, required: str | None = None) -> None:
        """A name or id: text exactly as it stood, at most 512 characters, no control characters."""
        given = self.text(name) if source is None else source
        self.columns[name] = given
        if required:
            self.flaw(given.is_null(), required, name)
        if given.null_count() == len(given):
            return
        if bool((given.str.len_bytes() > LONGEST_ID).any()):
            self.flaw(given.str.len_chars() > LONGEST_ID, "bad_id", name)
        if not self.plain:
            self.flaw(given.str.contains(r"[\x00-\x1f\x7f]"), "bad_id", name)

    def free(self, name: str) -> None:
        self.columns[name] = self.text(name)

    def made(
        self, name: str, make: Callable[[pl.Series], pl.Series], reason: str, *, required: str | None = None
    ) -> pl.Series:
        """A value made of text; where there was text and no value, that is the flaw."""
        given = self.text(name)
        if required:
            self.flaw(given.is_null(), required, name)
        if given.null_count() == len(given):
            kind = pl.Float64 if make is values.numbers else pl.Boolean if make is values.claims else pl.Int64
            value = pl.Series(name, [None], dtype=kind).new_from_index(0, len(given))
        else:
            value = make(given).alias(name)
            if value.null_count() != given.null_count():
                self.flaw(value.is_null() & given.is_not_null(), reason, name)
        self.columns[name] = value
        return value

    def frame(self, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
        """The columns that say anything, `line`, and `flaw`: the number of a row's first flaw, null where it has none."""
        rows = self.rows.height
        made = [
            self.columns[name].cast(kind).alias(name)
            for name, kind in columns.items()
            if self.columns[name].null_count() < rows
        ]
        flaw = pl.Series("flaw", [None], dtype=pl.UInt8).new_from_index(0, rows)
        for number, (where, _, _) in reversed(list(enumerate(self.flaws))):
            flaw = pl.Series("flaw", [number], dtype=pl.UInt8).zip_with(where, flaw) if rows else flaw
        return pl.DataFrame([*made, self.rows["line"], flaw])


def typed(
    kind: Kind, rows: pl.DataFrame, *, at: Micros, plain: bool = False
) -> tuple[pl.DataFrame, list[tuple[str, str]]]:
    """Rows of a kind, as `_Typed.frame` has them, and (reason, column) of each flaw by number.

    `at` is when the object came: times after it by more than a day are wrong; rows of users and items that say no
    `updated_at` hold from then. `plain`: no cell has a control character.
    """
    made = _Typed(rows, plain)
    _MAKE[kind](made, at)
    return made.frame(COLUMNS[kind]), [(reason, column) for _, reason, column in made.flaws]


def whole(kind: Kind, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with all columns of their kind, in order; those that were not there are null."""
    return pl.DataFrame(
        [
            rows[name] if name in rows.columns else pl.Series(name, [None], dtype=form).new_from_index(0, rows.height)
            for name, form in COLUMNS[kind].items()
        ]
    )


def _person(made: _Typed) -> pl.Series:
    known = [made.text("user_id")]
    if known[0].null_count() == 0:
        return known[0]
    if made.has("anonymous_id"):
        known.append(made.text("anonymous_id"))
    if made.has("email"):
        known.append(values.emails(made.text("email")).str.to_lowercase())
    if made.has("phone"):
        known.append(values.phones(made.text("phone")))
    frame = pl.DataFrame([one.alias(str(number)) for number, one in enumerate(known)])
    return frame.select(pl.coalesce(pl.all())).to_series().alias("user_id")


def _event(made: _Typed, at: Micros) -> None:
    made.id("user_id", _person(made), required="no_user_id")
    made.id("event_type", required="no_event_type")
    time = made.made("event_time", values.moments, "bad_time", required="no_event_time")
    _believable(made, time, at)
    made.made("value", values.numbers, "bad_value")
    made.made("received_at", values.moments, "bad_time")
    for name in ("event_id", "event_action", "item_id", "decision_id", "channel"):
        made.id(name)
    made.free("category")
    made.free("currency")
    made.columns["properties"] = made.text("extra")


def _believable(made: _Typed, time: pl.Series, at: Micros) -> None:
    if time.null_count() == len(time):
        return
    if int(time.min() or 0) < EARLIEST:  # type: ignore[arg-type]
        made.flaw(time < EARLIEST, "too_old", "event_time")
    if int(time.max() or 0) > at + DAY:  # type: ignore[arg-type]
        made.flaw(time > at + DAY, "in_future", "event_time")


def _user(made: _Typed, at: Micros) -> None:
    made.id("user_id", _person(made), required="no_user_id")
    _effective(made, at)
    if made.has("email"):
        made.flaw(values.injections(made.text("email")), "bad_email", "email")
    for name, make in (("email", values.emails), ("phone", values.phones)):
        made.columns[name] = make(made.text(name)) if made.has(name) else made.text(name)
    made.id("timezone")
    made.id("locale")
    made.made("created_at", values.moments, "bad_time")
    for channel in CHANNELS:
        _consent(made, channel)
    made.columns["attributes"] = made.text("extra")


def _consent(made: _Typed, channel: str) -> None:
    granted = made.made(f"{channel}_consent", values.claims, "bad_consent")
    if made.has(f"{channel}_opt_out"):
        refused = made.made(f"{channel}_opt_out", _opt_outs, "bad_consent")
        frame = pl.DataFrame({"granted": granted, "refused": refused})
        granted = frame.select(
            pl.coalesce(pl.when(pl.col("refused")).then(False), "granted", ~pl.col("refused"))
        ).to_series()
    made.columns[f"{channel}_consent"] = granted
    made.made(f"{channel}_consent_at", values.moments, "bad_time")
    made.free(f"{channel}_consent_source")


def _opt_outs(text: pl.Series) -> pl.Series:
    """Whether a person refused: Mautic's `doNotEmail`, Pinpoint's `OptOut` (ALL or NONE)."""
    spelled = text.str.strip_chars().str.to_uppercase()
    frame = pl.DataFrame({"spelled": spelled, "said": values.claims(text)})
    rule = pl.when(pl.col("spelled") == "ALL").then(True).when(pl.col("spelled") == "NONE").then(False)
    return frame.select(rule.otherwise(pl.col("said"))).to_series()


def _effective(made: _Typed, at: Micros) -> None:
    said = made.made("updated_at", values.moments, "bad_time")
    if said.null_count() < len(said) and int(said.max() or 0) > at + DAY:  # type: ignore[arg-type]
        made.flaw(said > at + DAY, "in_future", "updated_at")
    made.columns["effective_at"] = said.fill_null(at)


def _item(made: _Typed, at: Micros) -> None:
    made.id("item_id", required="no_item_id")
    _effective(made, at)
    for name in ("title", "category", "text"):
        made.free(name)
    made.made("price", values.numbers, "bad_value")
    made.made("available_from", values.moments, "bad_time")
    made.made("available_to", values.moments, "bad_time")
    made.columns["attributes"] = made.text("extra")


def _decision(made: _Typed, at: Micros) -> None:
    made.id("decision_id", required="no_decision_id")
    made.id("user_id", required="no_user_id")
    made.made("decided_at", values.moments, "bad_time", required="no_decided_at")
    for name in ("goal", "chosen", "activity", "channel", "group", "plan_version", "model_version", "reason"):
        made.free(name)
    for name in ("propensity", "probability", "value", "cost"):
        made.made(name, values.numbers, "bad_value")
    made.free("record")


_MAKE: Final[Mapping[Kind, Callable[[_Typed, Micros], None]]] = {
    "events": _event, "outcomes": _event, "users": _user, "items": _item, "decisions": _decision,
}  # fmt: skip
