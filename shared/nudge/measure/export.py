"""A report comes in; one CSV row an activity goes out, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from io import StringIO
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet compute a cell instead of showing it (OWASP, CSV Injection)."""

FIGURES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("channel", ("channel",)),
    ("people_treatment", ("people", "treatment")),
    ("people_holdout", ("people", "holdout")),
    ("people_not_matured", ("people", "not_matured")),
    *((f"decisions_{group}", ("decisions", group)) for group in ("treatment", "holdout", "global_holdout")),
    *((f"messages_{state}", ("messages", state)) for state in ("sent", "skipped", "failed", "unknown", "not_final")),
    *(
        (state, ("messages", state))
        for state in (
            "delivered",
            "opened",
            "clicked",
            "machine_opened",
            "machine_clicked",
            "bounced",
            "complained",
            "unsubscribed",
        )
    ),
    ("judged_treatment", ("conversions", "treatment", "people")),
    ("judged_holdout", ("conversions", "holdout", "people")),
    ("converted_treatment", ("conversions", "treatment", "converted")),
    ("converted_holdout", ("conversions", "holdout", "converted")),
    ("value_treatment", ("conversions", "treatment", "value")),
    ("value_holdout", ("conversions", "holdout", "value")),
    *((f"incremental_conversions_{end}", ("incremental_conversions", end)) for end in ("estimate", "low", "high")),
    *(
        (f"incremental_value_{end}", ("incremental_value", end))
        for end in ("estimate", "low", "high", "p_value", "note")
    ),
    *((f"incremental_value_daily_{end}", ("incremental_value", "sequence", end)) for end in ("low", "high", "p_value")),
    ("variance_reduced", ("incremental_value", "variance_reduced", "estimate")),
    *((f"reach_{step}", ("reach", step)) for step in ("considered", "possible", "chosen", "held_out", "reached")),
    ("cost", ("cost",)),
    ("cost_so_far", ("cost_so_far",)),
    *((f"roi_{end}", ("roi", end)) for end in ("estimate", "low", "high", "note")),
    ("sample_ratio_p_value", ("sample_ratio", "p_value")),
    ("sample_ratio_flagged", ("sample_ratio", "flagged")),
    ("smallest_detectable_value", ("smallest_detectable_effect", "value")),
    ("last_touch_conversions", ("attribution", "conversions")),
    ("last_touch_value", ("attribution", "value")),
    ("true_incremental_value", ("truth", "incremental_value")),
)


def cell(value: object) -> str:
    """A value as a cell: numbers as they are, text with a leading `'` where a spreadsheet would take it for a formula.

    >>> cell("=1+1"), cell(-2.5), cell(None)
    ("'=1+1", '-2.5', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return repr(value)
    written = str(value).encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")
    return f"'{written}" if written.lstrip(" \u00a0").startswith(FORMULA) else written


def to_csv(report: Mapping[str, Any]) -> str:
    """One row an activity, in the plan's order; CRLF lines (RFC 4180)."""
    out = StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL)
    writer.writerow(["goal", "activity", *(name for name, _ in FIGURES)])
    for goal in report["goals"]:
        for activity in goal["activities"]:
            writer.writerow(
                [cell(goal["goal"]), cell(activity["activity"]), *(cell(_at(activity, path)) for _, path in FIGURES)]
            )
    return out.getvalue()


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
