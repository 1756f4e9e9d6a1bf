"""How things stand: which models are in force, what their cards say, and why rows were rejected, as their makers wrote it down.

In: what lies under `models/` and `reports/quality/`. Out: sections of the report. Nothing is decided by it. A card is shown
with what became of its signature; what cannot be read is left out, not guessed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nudge.errors import BadInput, NotFound, NotReady
from nudge.measure import quality
from nudge.ports import Arrival, Models, Objects
from nudge.score import demand

MOST_REPORTS = 500
"""Quality reports read for their reasons: those of the contents with the most rejected rows."""
MOST_SERIES = 12
"""Series of a forecast that are shown."""
VERIFIED, FORGED, UNCHECKED = "verified", "not ours", "not checked"
INSIDE = ("golden", "reference", "verdict", "metrics")
"""Parts of a card that machines need, or that stand elsewhere in the report."""


def reject_reasons(objects: Objects, arrived: Iterable[Arrival]) -> dict[str, Counter[str]]:
    """content → reason → rejected rows, from the quality reports that `prepare` wrote."""
    worst = sorted((one for one in arrived if one.counts.rejected), key=lambda one: (-one.counts.rejected, one.content))
    return {
        one.content: Counter(_json(objects, f"reports/quality/{one.content}.json").get("reasons") or {})
        for one in worst[:MOST_REPORTS]
    }


def data_quality(objects: Objects, arrived: Sequence[Arrival]) -> dict[str, Any]:
    """The section of the report: rows by kind, objects by state, and the files that need a look first."""
    reasons = reject_reasons(objects, arrived)
    by_kind: dict[str, Counter[str]] = {}
    for one in arrived:
        by_kind.setdefault(one.kind, Counter()).update(reasons.get(one.content, {}))
    whole = quality.data_quality(((one.kind, one.state, one.counts) for one in arrived), by_kind)
    files = quality.pieces(
        quality.Piece(one.key, one.kind, one.state, one.detail, one.counts, reasons.get(one.content, {}))
        for one in arrived
    )
    return {**whole, "files": files}


def models(objects: Objects, names: Iterable[str], verified: Models | None) -> list[dict[str, Any]]:
    """For each model of the plan: the champion's kind, version, metrics ({name: {value, low, high}}), reason, signature, gates,
    card and drift; or why there is none."""
    return [_standing(objects, name, verified) for name in names]


def forecasts(objects: Objects, names: Iterable[str], verified: Models | None) -> list[dict[str, Any]]:
    """What each demand model in force expects, series by series; models that cannot be read, or are not ours, are left out."""
    found = []
    for name in names:
        try:
            artefact = _artefact(objects, name, verified)
            held = demand.load(artefact)
        except (BadInput, NotFound, NotReady, KeyError):
            continue
        found.append(
            {
                "name": name,
                **{key: artefact[key] for key in ("event", "of", "by", "every", "method", "confidence")},
                "series": [held.shown(series) for series in held.series[:MOST_SERIES]],
            }
        )
    return found


def _artefact(objects: Objects, name: str, verified: Models | None) -> Mapping[str, Any]:
    if verified is not None:
        return verified.champion(name)[1]
    return _json(objects, f"models/{name}/{_json(objects, f'models/{name}/champion.json')['version']}/model.json")


def _standing(objects: Objects, name: str, verified: Models | None) -> dict[str, Any]:
    pointer = _json(objects, f"models/{name}/champion.json")
    version = pointer.get("version")
    card, signature = _card(objects, name, version, verified) if version else ({}, None)
    newest, verdict = _newest_verdict(objects, name)
    own = _json(objects, f"models/{name}/{version}/verdict.json") if version else {}
    drift = _json(objects, f"models/{name}/drift.json")
    return {
        "goal": name,
        "kind": card.get("kind"),
        "version": version,
        "metrics": {title: figure for title, held in (card.get("metrics") or {}).items() if (figure := _figure(held))},
        "reason": pointer.get("reason") or verdict.get("reason"),
        "signature": signature,
        "gates": (own if version else verdict).get("gates") or [],
        "card": {title: held for title, held in card.items() if title not in INSIDE},
        "drift": drift if drift.get("version") == version else {},
        "challenger": None if newest in (None, version) else {"version": newest, "reason": verdict.get("reason")},
    }


def _card(objects: Objects, name: str, version: str, verified: Models | None) -> tuple[dict[str, Any], str]:
    if verified is not None:
        try:
            trusted = verified.pointer(name).get("version") == version
            return verified.version(name, version)[1], VERIFIED if trusted else FORGED
        except (BadInput, NotFound):
            return _json(objects, f"models/{name}/{version}/card.json"), FORGED
    return _json(objects, f"models/{name}/{version}/card.json"), UNCHECKED


def _newest_verdict(objects: Objects, name: str) -> tuple[str | None, Mapping[str, Any]]:
    """The version judged last, and its verdict."""
    prefix, ending = f"models/{name}/", "/verdict.json"
    held = [(one.modified_at, one.key) for one in objects.list(prefix) if one.key.endswith(ending)]
    if not held:
        return None, {}
    key = max(held)[1]
    return key.removeprefix(prefix).removesuffix(ending), _json(objects, key)


def _figure(held: Any) -> dict[str, float] | None:
    """`[value, low, high]`, or a bare number, by name."""
    values = held if isinstance(held, list) else [held]
    if not values or not all(isinstance(one, int | float) for one in values):
        return None
    return dict(zip(("value", "low", "high"), values, strict=False))


def _json(objects: Objects, key: str) -> dict[str, Any]:
    try:
        found = json.loads(objects.get(key))
    except (NotFound, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
