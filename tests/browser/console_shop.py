"""A shop for the console: one report, some people, and the doors that answer a browser. Seeded; everything in this process.

The static files come from the real door, with its headers; data comes from the flows over memory adapters, for who brings the token.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from nudge.adapters.memory_history import MemoryHistory
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.adapters.memory_profiles import MemoryProfiles
from nudge.errors import NudgeError
from nudge.flows.timeline import Timeline
from nudge.measure import quality
from nudge.measure.page import page
from nudge.profile.fold import fold_many
from nudge.vocabulary import (
    DAY,
    SECOND,
    Candidate,
    Consent,
    Contribution,
    Counts,
    Decision,
    Event,
    Explanation,
    Message,
    Micros,
    Profile,
    Suppression,
)
from tests.unit.measure import reports, world

TOKEN = "a-token-for-tests"
NOW: Micros = world.micros(world.NOW)
PERSON = "u00042"


@cache
def report() -> dict[str, Any]:
    """The report of the small shop, with a whole model card, drift, and files."""
    made = reports.report(world.shop(900))
    made["models"] = [_model(), *made["models"][1:]]
    made["data_quality"]["files"] = quality.pieces(
        [
            quality.Piece(
                "inbox/events/2026-03-30.csv",
                "events",
                "done",
                None,
                Counts(90_000, 88_200, 1_700, 100),
                {"bad_time": 1200, "no_person": 500},
            ),
            quality.Piece("inbox/events/2026-04-05.csv.gz", "events", "queued", None, Counts(0, 0, 0, 0)),
            quality.Piece("inbox/users/people.csv", "users", "done", None, Counts(3000, 2990, 6, 4), {"bad_email": 6}),
        ]
    )
    return made


def _model() -> dict[str, Any]:
    tenths = [0.02, 0.04, 0.06, 0.08, 0.11, 0.14, 0.19, 0.25, 0.36, 0.58]
    names = ("trend.page_view", "days_since.purchase", "count.add_to_cart.7d", "trait.device", "worth.purchase.90d")
    return reports.MODELS[0] | {
        "signature": "verified",
        "gates": [
            {"name": "better", "passed": True, "said": "log loss lower by 0.0042"},
            {"name": "calibrated", "passed": True, "said": "calibration error 0.015"},
            {"name": "enough", "passed": False, "said": "212 of 500 positive labels"},
        ],
        "drift": {
            "version": "20260405T0500-8f3a11",
            "score": 0.31,
            "inputs": 0.08,
            "over": {"score": 1.24, "inputs": 0.4},
            "moved": {"trend.page_view": 0.42, "trait.device": 0.11},
            "calibration": {"rows": 812, "came": 133, "expected": 119.4},
        },
        "card": {
            "data": {"first_event": NOW - 120 * DAY, "end": NOW - DAY},
            "reliability": [{"said": one, "was": one * (0.9 + 0.2 * (n % 2)), "rows": 415} for n, one in enumerate(tenths)],
            "importances": [{"name": name, "share": 0.3 / (n + 1)} for n, name in enumerate(names)],
            "definitions": {"days_since.purchase": "days since the latest purchase"},
            "features": list(names),
            "segments": [
                {"segment": "device: phone", "rows": 2100, "said": 0.18, "was": [0.19, 0.17, 0.21], "auc": [0.74, 0.71, 0.77]}
            ],
            "limits": ["Traits of before they were first told are taken from their earliest value."],
            "libraries": {"python": "3.13.0", "sklearn": "1.9.1"},
        },
    }  # fmt: skip


def _decision(number: int, at: Micros, chosen: str, **other: Any) -> Decision:
    offers = [
        Candidate("discount_mail", 0.31, 5.2, 0.0 if chosen == "" else 0.72),
        Candidate("reminder_mail", 0.24, 4.4, 0.18),
        Candidate("nothing", 0.2, 4.1, 0.10),
        Candidate("news_mail", removed="cap_week"),
        Candidate("banner", removed="audience"),
    ]
    held = {"group": "treatment", "activity": chosen, "reason": "worth 1.10 more than nothing", **other}
    return Decision(
        decision_id=f"{number:032x}", user_id=PERSON, decided_at=at, goal="purchase", chosen=chosen, propensity=0.72,
        draw=0.4, probability=0.31, value=5.2, cost=0.5, candidates=tuple(offers), vector={}, context={},
        policy="squarecb", plan_version="plan-1", model_version="20260405T0500-8f3a11",
        channel="email" if held["activity"] != "nothing" else None, person={"alive": 0.81, "purchases": 1.4, "spend": 57.3},
        why=Explanation(-1.9, (Contribution("days_since.purchase", 0.62), Contribution("trend.page_view", 0.33), Contribution("trait.device", -0.21)), 0.05),
        **held,
    )  # fmt: skip


@cache
def timeline() -> Timeline:
    """One person with decisions, messages, consents and traits."""
    ledger, profiles = MemoryLedger(), MemoryProfiles()
    made = [
        (_decision(1, NOW - 30 * DAY, "discount_mail", campaign="spring", run="20260307T0600"), "sent", None),
        (_decision(2, NOW - 21 * DAY, "reminder_mail", group="holdout", activity="nothing"), None, None),
        (_decision(3, NOW - 9 * DAY, "reminder_mail"), "skipped", "suppressed"),
        (_decision(4, NOW - 2 * DAY, "discount_mail"), "unknown", None),
    ]
    for n in range(5, 60):
        made.append((_decision(n, NOW - (40 + n) * DAY, "nothing"), None, None))
    for one, state, reason in made:
        message = None
        if state is not None:
            message = Message(
                one.decision_id,
                PERSON,
                one.activity,
                "purchase",
                "email",
                state,
                one.decided_at,
                reason=reason,
                changed_at=one.decided_at + 60 * SECOND,
            )  # type: ignore[arg-type]
        ledger.record(one, request_hash="", answer={}, message=message, caps={}, budgets=(), expires_at=NOW + DAY)
    did = [
        Event(f"e{n}", PERSON, kind, NOW - n * DAY, value=value)
        for n, (kind, value) in enumerate(
            (("page_view", None), ("add_to_cart", None), ("purchase", 64.9), ("page_view", None), ("email_open", None)),
            1,
        )
    ]
    traits = {
        name: (value, NOW - 80 * DAY)
        for name, value in (
            ("email", "ana@customer.example"),
            ("first_name", "Ana"),
            ("country", "DE"),
            ("device", "phone"),
            ("newsletter", True),
        )
    }
    consents = {
        "email": Consent(True, NOW - 80 * DAY, "shop sign-up"),
        "sms": Consent(False, NOW - 80 * DAY, "shop sign-up"),
    }
    stops = {"push": Suppression("unsubscribe", NOW - 5 * DAY)}
    profiles.save([Profile(PERSON, fold_many({}, did), traits, consents, stops, b"")])
    return Timeline(MemoryHistory(ledger), profiles)


def events() -> dict[str, Any]:
    """What the door `report` answers of that person."""
    rows = (
        ("purchase", 2, "i7", 64.9, None),
        ("add_to_cart", 2, "i7", None, None),
        ("email_open", 30, None, None, f"{1:032x}"),
        ("email_click", 29, None, None, f"{1:032x}"),
        ("page_view", 1, None, None, None),
    )
    told = [
        {
            "event_type": kind,
            "event_time": world.NOW.replace(hour=5).isoformat()
            if days == 0
            else _iso(NOW - days * DAY + 3600 * SECOND),
            "event_action": None,
            "item_id": item,
            "category": "shoes" if item else None,
            "value": value,
            "currency": "EUR" if value else None,
            "channel": "email" if decision else None,
            "decision_id": decision,
        }
        for kind, days, item, value, decision in rows
    ]
    return {"user_id": PERSON, "since": "2026-01-06", "events": told}


def _iso(at: Micros) -> str:
    from nudge.decide.quiet import iso

    return iso(at)


type Answered = tuple[int, dict[str, str], str]


def answer(target: str, headers: dict[str, str], shown: dict[str, Any] | None = None) -> Answered:
    """What the API answers to a GET of the console: the page to anybody, data to who brings the token. `shown`: another report."""
    parts = urlsplit(target)
    if parts.path.startswith("/console"):
        return _door(parts.path, headers)
    if headers.get("authorization") != f"Bearer {TOKEN}":
        return 401, {"Content-Type": "application/json"}, '{"message":"Unauthorized"}'
    if "text/html" in headers.get("accept", ""):
        return 200, {"Content-Type": "text/html; charset=utf-8"}, page(report(), parse_qs(parts.query)["lang"][0])
    found = _data(parts.path, parse_qs(parts.query), report() if shown is None else shown)
    return found[0], {"Content-Type": "application/json"}, json.dumps(found[1])


def _data(path: str, query: dict[str, list[str]], shown: dict[str, Any]) -> tuple[int, Any]:
    if path == "/v1/reports/latest":
        return 200, shown
    _, _, _, name, what = path.split("/")
    try:
        if what == "timeline":
            return 200, timeline()(unquote(name), before=query.get("before", [None])[0])
    except NudgeError as wrong:
        return 404, {"error": {"reason": "notfound", "message": str(wrong), "where": None}}
    return 200, events() if unquote(name) == PERSON else {**events(), "events": []}


def _door(path: str, headers: dict[str, str]) -> Answered:
    from functions.console import handler as door

    event = {
        "rawPath": path,
        "headers": headers,
        "requestContext": {"stage": "$default", "http": {"method": "GET", "path": path}},
    }
    said = door.handler(event, None)
    return said["statusCode"], said["headers"], said["body"]
