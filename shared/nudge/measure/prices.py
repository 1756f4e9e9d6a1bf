"""How long doors run and what a decision calls come in; what a thousand of them cost goes out, with the arithmetic.

Prices are those that AWS publishes for US East (N. Virginia), without free tiers and discounts, as of `AS_OF`. They are one table:
whoever pays others changes it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

AS_OF = "2026-11-22"
REGION = "us-east-1"


class Price(NamedTuple):
    """US dollars for so many of a unit."""

    usd: float
    per: float
    unit: str


PRICES: Mapping[str, Price] = {
    "lambda_gb_second": Price(0.0000133334, 1, "GB-second (arm64)"),
    "lambda_request": Price(0.20, 1e6, "request"),
    "http_api": Price(1.00, 1e6, "HTTP API call"),
    "dynamodb_write": Price(0.625, 1e6, "write request unit"),
    "dynamodb_read": Price(0.125, 1e6, "read request unit"),
    "sqs_request": Price(0.40, 1e6, "SQS request"),
    "ses_mail": Price(0.10, 1e3, "mail"),
    "logs_gb": Price(0.50, 1, "GB of logs"),
}


class Use(NamedTuple):
    """So many units of a price for one decision or message, and why so many."""

    price: str
    units: float
    why: str


class Door(NamedTuple):
    """How long a warm call lasts: milliseconds of one whole processor (measured), and answers waited for."""

    processor_ms: float
    answers: int
    megabytes: int
    measured: str

    @property
    def milliseconds(self) -> float:
        """A door has megabytes / 1769 of a processor, and at most one."""
        return self.processor_ms * max(WHOLE_MB / self.megabytes, 1.0) + self.answers * ANSWER_MS

    @property
    def said(self) -> str:
        slower = max(WHOLE_MB / self.megabytes, 1.0)
        return f"({self.processor_ms:g} ms × {slower:.2f} + {self.answers} answers × {ANSWER_MS:g} ms) × {self.megabytes} MB; {self.measured}"


WHOLE_MB = 1769.0
"""Memory at which a function has one whole processor (AWS, Configure Lambda function memory)."""
ANSWER_MS = 5.0
"""What one answer of a store or of SES is taken to last: an assumption, where no stack was measured."""
DECIDE = Door(0.8, 4, 1024, "measured 2026-11-22, benchmarks/speed/decide_warm")
DELIVER = Door(0.7, 7, 512, "measured 2026-11-22, the flow with stores in memory")


def decision(door: Door = DECIDE) -> list[Use]:
    """What one answer of `POST /v1/decisions` uses: the profile and one look at the ledger (4 kB each), one transaction of four rows."""
    return [
        Use("lambda_gb_second", _gb_seconds(door), door.said),
        Use("lambda_request", 1, "one call of Decide"),
        Use("http_api", 1, "one call of the API"),
        Use("dynamodb_read", 6, "profile and ledger, consistent reads"),
        Use(
            "dynamodb_write",
            21,
            "one transaction: a decision of 5 kB, its message, its counters, twice each; its key in the index of people",
        ),
        Use("logs_gb", 1e-6, "1 kB of logs"),
    ]


def message(door: Door = DELIVER) -> list[Use]:
    """What one mail uses beyond its decision: the queue, two conditional writes of its row, SES, its events coming back."""
    return [
        Use("lambda_gb_second", _gb_seconds(door), door.said),
        Use("lambda_request", 0.3, "Deliver takes up to ten at once; events come back in batches"),
        Use("sqs_request", 3, "sent, received, deleted"),
        Use("dynamodb_read", 4, "message, profile, decision"),
        Use("dynamodb_write", 3, "claimed, finished, settled"),
        Use("ses_mail", 1, "one mail"),
        Use("logs_gb", 1e-6, "1 kB of logs"),
    ]


def _gb_seconds(door: Door) -> float:
    return door.milliseconds / 1000 * door.megabytes / 1024


def thousand(uses: list[Use]) -> dict[str, Any]:
    """The cost of a thousand, in US dollars, and each line it is made of."""
    lines = [
        {
            "what": PRICES[one.price].unit,
            "units": round(one.units * 1000, 9),
            "usd_per_unit": PRICES[one.price].usd / PRICES[one.price].per,
            "why": one.why,
            "usd": round(one.units * 1000 * PRICES[one.price].usd / PRICES[one.price].per, 9),
        }
        for one in uses
    ]
    return {"usd": round(sum(float(str(one["usd"])) for one in lines), 9), "lines": lines}


def costs(decide: Door = DECIDE, deliver: Door = DELIVER) -> dict[str, Any]:
    """Per 1,000 decisions and per 1,000 messages."""
    return {
        "as_of": AS_OF,
        "region": REGION,
        "decisions": thousand(decision(decide)),
        "messages": thousand(message(deliver)),
    }
