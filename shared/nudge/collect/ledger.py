"""What the Ledger's stream tells becomes rows of the inbox. A stream record comes in; rows of decisions and outcomes go out.

A new decision is a row of decisions, and, where it was shown at once (`inline`), an outcome `inline_shown`. A message that
reaches a final state is an outcome `<channel>_<state>`. An outcome's event_id is `<decision_id>:<state>`, and
`:<attempt>` where a person sent it again, so a record that comes twice is one event. Knows the shape of DynamoDB's stream and
of the Ledger's rows (`adapters.ledger_rows`), no store.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from nudge.errors import BadInput
from nudge.vocabulary import FINAL_STATES, NOTHING, Kind

DECISION: Final = (
    "decision_id", "user_id", "decided_at", "goal", "chosen", "activity", "channel", "group", "propensity", "probability",
    "value", "cost", "plan_version", "model_version", "reason",
)  # fmt: skip


def rows_of(record: Mapping[str, Any]) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """The rows that a record of the stream stands for: none for counters, removals and states on the way.

    Raises
    ------
    BadInput
        `bad_record` when the row is not as the Ledger writes it.
    """
    change = record.get("dynamodb", {})
    row, before = _plain(change.get("NewImage")), _plain(change.get("OldImage"))
    if row is None:
        return
    before_state = before.get("state") if before else None
    try:
        if row["id"].startswith("decision#") and before is None:
            yield from _decision(row["record"])
        elif row["id"].startswith("message#") and row["state"] in FINAL_STATES and row["state"] != before_state:
            yield "outcomes", _message(row)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise BadInput("this is no row of the Ledger", reason="bad_record") from None


def _decision(text: str) -> Iterator[tuple[Kind, dict[str, Any]]]:
    held = json.loads(text)
    at = iso(held["decided_at"])
    row = {name: held[name] for name in DECISION} | {"decided_at": at, "record": text}
    yield "decisions", {name: value for name, value in row.items() if value is not None}
    if held["channel"] == "inline" and held["activity"] != NOTHING:
        yield (
            "outcomes",
            {
                "event_id": f"{held['decision_id']}:shown",
                "user_id": held["user_id"],
                "event_type": "inline_shown",
                "event_time": at,
                "channel": "inline",
                "decision_id": held["decision_id"],
                "properties": {"activity": held["activity"], "goal": held["goal"]},
            },
        )


def _message(row: Mapping[str, Any]) -> dict[str, Any]:
    attempt = int(row.get("attempt", 1))
    again = "" if attempt == 1 else f":{attempt}"
    told = {name: row.get(name) for name in ("activity", "goal", "reason", "provider_id")}
    told["attempt"] = attempt if again else None
    return {
        "event_id": f"{row['decision_id']}:{row['state']}{again}",
        "user_id": row["user_id"],
        "event_type": f"{row['channel']}_{row['state']}",
        "event_time": iso(int(row["changed_at"])),
        "channel": row["channel"],
        "decision_id": row["decision_id"],
        "properties": {name: value for name, value in told.items() if value is not None},
    }


def iso(at: int) -> str:
    """Microseconds since the epoch as ISO 8601 in UTC.

    >>> iso(1_795_000_000_000_000)
    '2026-11-18T11:06:40.000000Z'
    """
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _plain(image: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """DynamoDB's typed JSON as plain values; numbers stay text."""
    if not image:
        return None
    return {name: next(iter(value.values())) for name, value in image.items()}
