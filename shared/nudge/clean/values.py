"""Text becomes values: moments, numbers, claims, addresses. Series of text come in; series of values go out.

A value that cannot be understood becomes null: whoever asked compares with what was there and says why. One rule for
every file, none guessed from its neighbours, so a row means the same in whichever file or piece it comes. The rules:

- Moments: ISO 8601 (`2026-01-31T10:00:00Z`, a blank for the T, seconds and fractions optional, any offset; without one it
  is UTC), a date (midnight UTC), `20260131`; or a Unix time of 9 to 19 digits: below 10^11 seconds, below 10^14
  milliseconds, below 10^17 microseconds, else nanoseconds. Days that do not exist are no moments.
- Numbers: `12`, `-1.5`, `1e3`, `1.234,56`, `1,234.56`, and `12,5` where the comma can only be a decimal point: `1,234`
  is two numbers to two readers, so it is none. No infinities, nothing beyond 10^15.
- Claims: yes/no in the spellings of the tools people export from.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from nudge.vocabulary import SECOND

LARGEST: Final = 1e15

_FAST: Final = ((20, "%Y-%m-%dT%H:%M:%SZ"), (19, "%Y-%m-%d %H:%M:%S"), (24, "%Y-%m-%dT%H:%M:%S%.3fZ"))
_ISO: Final = r"^\s*(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::([0-5]\d)(?:[.,](\d{1,9}))?)?\s?(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?)?\s*$"
_UNIX: Final = r"^\s*-?\d{9,19}\s*$"
_UNIX_FRACTION: Final = r"^\s*\d{9,11}\.\d{1,9}\s*$"

_PLAIN: Final = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$"
_COMMA: Final = r"^[+-]?(?:\d{1,3}(?:\.\d{3})+,\d+|\d+,(?:\d{1,2}|\d{4,})|0,\d+)$"
_GROUPED: Final = r"^[+-]?\d{1,3}(?:(?:,\d{3})+\.\d+|(?:,\d{3}){2,})$"

YES: Final = (
    "1", "true", "t", "yes", "y", "on", "subscribed", "subscribe", "granted", "opted in", "opted_in", "opt-in", "opt_in", "optin",
    "confirmed", "explicit", "active", "allow", "allowed", "accepted",
)  # fmt: skip
NO: Final = (
    "0", "false", "f", "no", "n", "off", "unsubscribed", "unsubscribe", "denied", "revoked", "opted out", "opted_out", "opt-out",
    "opt_out", "optout", "never_subscribed", "never subscribed", "unconfirmed", "cleaned", "suppressed", "bounced",
    "inactive", "pending",
)  # fmt: skip

_EMAIL: Final = r"^[^\s@,;:<>()\[\]\"\\\x00-\x1f\x7f]{1,64}@[^\s@,;:<>()\[\]\"\\\x00-\x1f\x7f.]+(?:\.[^\s@,;:<>()\[\]\"\\\x00-\x1f\x7f.]+)+$"
_INJECTION: Final = r"[\r\n\x00]"


def moments(text: pl.Series) -> pl.Series:
    """Microseconds since the epoch (Int64); null where the text is null or no moment."""
    found = pl.Series(text.name, [None], dtype=pl.Int64).extend_constant(None, max(len(text) - 1, 0)).head(len(text))
    length = text.str.len_bytes()
    for size, pattern in _FAST:
        fits = (length == size) & found.is_null()
        if not fits.any():
            continue
        if fits.all():
            return _remaining(text, _parsed(text, pattern))
        found = found.zip_with(~fits.fill_null(False), _parsed(text, pattern))
        if found.null_count() == text.null_count():
            return found
    return _remaining(text, found)


def _parsed(text: pl.Series, pattern: str) -> pl.Series:
    moment = text.str.to_datetime(pattern, strict=False, time_unit="us", cache=False)
    return moment.cast(pl.Int64)


def _remaining(text: pl.Series, found: pl.Series) -> pl.Series:
    """What the fast patterns did not understand, by the exact rules."""
    if found.null_count() == text.null_count():
        return found
    missing = found.is_null() & text.is_not_null()
    some = text.filter(missing)
    frame = pl.DataFrame({"text": some}).with_columns(pl.col("text").str.extract_groups(_ISO).alias("iso"))
    values = frame.select(pl.coalesce(_iso(), _unix(), _basic())).to_series()
    where = missing.arg_true()
    return found.scatter(where, values)


def _iso() -> pl.Expr:
    part = {name: pl.col("iso").struct.field(str(number)) for number, name in enumerate("YmdHMSfz", 1)}
    clock = pl.concat_str(
        [
            part["Y"],
            part["m"],
            part["d"],
            part["H"].fill_null("00"),
            part["M"].fill_null("00"),
            part["S"].fill_null("00"),
        ]
    )
    moment = clock.str.to_datetime("%Y%m%d%H%M%S", strict=False, time_unit="us", cache=False).cast(pl.Int64)
    fraction = part["f"].str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64, strict=False).fill_null(0)
    digits = part["z"].str.replace_all(r"[^0-9]", "").str.pad_end(4, "0")
    minutes = digits.str.slice(0, 2).cast(pl.Int64, strict=False) * 60 + digits.str.slice(2, 2).cast(
        pl.Int64, strict=False
    )
    sign = pl.when(part["z"].str.starts_with("-")).then(-1).otherwise(1)
    offset = pl.when(part["z"].str.contains(r"^[+-]")).then(minutes * sign).otherwise(0).fill_null(0)
    believable = offset.abs() <= 14 * 60
    return pl.when(believable).then(moment + fraction - offset * (60 * SECOND))


def _unix() -> pl.Expr:
    text = pl.col("text").str.strip_chars()
    number = pl.when(text.str.contains(_UNIX)).then(text).cast(pl.Int64, strict=False)
    size = number.abs()
    whole = (
        pl.when(size < 10**11)
        .then(number * SECOND)
        .when(size < 10**14)
        .then(number * 1_000)
        .when(size < 10**17)
        .then(number)
        .otherwise(number // 1_000)
    )
    fraction = pl.when(text.str.contains(_UNIX_FRACTION)).then(text).cast(pl.Float64, strict=False)
    return pl.coalesce(whole, (fraction * SECOND).round().cast(pl.Int64, strict=False))


def _basic() -> pl.Expr:
    day = pl.when(pl.col("text").str.contains(r"^\s*(?:19|20)\d{6}\s*$")).then(pl.col("text").str.strip_chars())
    return day.str.to_datetime("%Y%m%d", strict=False, time_unit="us", cache=False).cast(pl.Int64)


def numbers(text: pl.Series) -> pl.Series:
    """Finite Float64 within ±10^15; null where the text is null or no number."""
    values = text.cast(pl.Float64, strict=False)
    odd = (values.is_null() & text.is_not_null()) | ~(values.abs() <= LARGEST).fill_null(True)
    if bool(odd.any()):
        values = values.scatter(odd.arg_true(), _spelled_otherwise(text.filter(odd)))
    if bool((values == 0).any()):
        values = values.zip_with((values != 0).fill_null(True), pl.Series([0.0]))  # there is one zero, without a sign
    return values.alias(text.name)


def _spelled_otherwise(text: pl.Series) -> pl.Series:
    """By the exact rules: what the cast did not understand, or understood as what is no usable number."""
    cell = pl.col("text")
    spelled = (
        pl.when(cell.str.contains(_PLAIN))
        .then(cell)
        .when(cell.str.contains(_COMMA))
        .then(cell.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True))
        .when(cell.str.contains(_GROUPED))
        .then(cell.str.replace_all(",", "", literal=True))
    )
    frame = pl.DataFrame({"text": text.str.strip_chars()}).select(value=spelled.cast(pl.Float64, strict=False))
    return frame.select(pl.when(pl.col("value").abs() <= LARGEST).then(pl.col("value"))).to_series()


def claims(text: pl.Series) -> pl.Series:
    """True or False; null where the text is null or says neither."""
    spelled = text.str.strip_chars().str.to_lowercase()
    return (
        pl.DataFrame({"text": spelled})
        .select(
            pl.when(pl.col("text").is_in(YES))
            .then(True)
            .when(pl.col("text").is_in(NO))
            .then(False)
            .otherwise(None)
            .alias(text.name)
        )
        .to_series()
    )


def emails(text: pl.Series) -> pl.Series:
    """Addresses with the domain in lower case; null where there is none, or none that mail could go to."""
    parts = text.str.strip_chars().str.extract_groups(r"^([^@]*)@([^@]*)$").struct.unnest()
    frame = pl.DataFrame({"address": parts["1"] + "@" + parts["2"].str.strip_suffix(".").str.to_lowercase()})
    fits = pl.col("address").str.contains(_EMAIL) & (pl.col("address").str.len_chars() <= 254)
    return frame.select(pl.when(fits).then(pl.col("address")).alias(text.name)).to_series()


def injections(text: pl.Series) -> pl.Series:
    """Which addresses hold a line end or NUL: nobody types that, a mail header would break."""
    return text.str.strip_chars().str.contains(_INJECTION).fill_null(False)


def phones(text: pl.Series) -> pl.Series:
    """Numbers as `+` and 7 to 15 digits, or the digits alone where no country code was given; else null."""
    held = text.str.replace_all(r"[\s().\-/]", "").str.replace(r"^00", "+")
    frame = pl.DataFrame({"phone": held})
    fits = pl.col("phone").str.contains(r"^\+?\d{5,15}$")
    return frame.select(pl.when(fits).then(pl.col("phone")).alias(text.name)).to_series()
