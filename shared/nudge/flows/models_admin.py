"""What a person does with models: look at them, and point to another one.

Rollback is a promotion like any other, with a fencing token of its own: a training that was under way when the rollback
came holds an older token and can no longer point anywhere. Before anything is pointed to by hand it is loaded: its
signature, its structure, and the golden rows of its card must hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from nudge import score
from nudge.errors import BadInput, Conflict, NotFound, NotReady
from nudge.ports import Models
from nudge.score import golden
from nudge.score.verify import OTHERS, structure
from nudge.vocabulary import SECOND, Micros

LEAD = ("auc", "log_loss", "qini", "mae", "ndcg", "accuracy", "smape", "gain")
"""The figures of a line, of those that a kind has; at most two."""

type ByLog = Callable[[str, Any], tuple[bool, str] | None]
"""`by_log(name, scorer)`: may it decide, and why; None where the log has no say."""

type Line = dict[str, Any]
"""`name version kind created_at champion previous figures log_loss auc promoted reason` of one version."""


def load(artefact: Mapping[str, Any]) -> Any:
    """The scorer of an artefact of any kind, after its structure was checked. Raises BadInput when it is not whole."""
    structure(artefact)
    module = OTHERS.get(artefact["kind"])
    return score.load(artefact) if module is None else import_module(module).load(artefact)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models of a stack."""

    models: Models

    def all(self) -> dict[str, list[Line]]:
        """Lines by name: of everything that was ever trained."""
        return {name: self.list(name) for name in self.models.names()}

    def list(self, name: str) -> list[Line]:
        """One line a version, oldest first."""
        lines = []
        for card in self.models.versions(name):
            verdict = card.get("verdict") or {}
            line = {"name": name} | {
                key: card.get(key) for key in ("version", "kind", "created_at", "champion", "previous")
            }
            line["figures"] = _figures(card.get("metrics") or {})
            line |= {key: (card["metrics"].get(key) or [None])[0] for key in ("log_loss", "auc")}
            lines.append(line | {"promoted": verdict.get("promoted"), "reason": verdict.get("reason")})
        return lines

    def show(self, name: str, version: str | None = None) -> dict[str, Any]:
        """The whole card of a version; of the champion when none is named. Raises NotFound."""
        for card in self.models.versions(name):
            if card["version"] == version or (version is None and card["champion"]):
                return card
        raise NotFound(f"{name} has no version {version}" if version else f"{name} has no champion")


@dataclass(frozen=True, slots=True)
class Promote:
    """Point to a version by hand. `by_log` is asked what the log of decisions says of a model (see `flows.log_gate`)."""

    models: Models
    by_log: ByLog | None = None

    def __call__(self, name: str, version: str, *, reason: str, by: str = "hand", force: bool = False) -> str:
        """What was checked, in words. `force`: whatever the log says; that is kept with the reason.

        Raises
        ------
        NotFound
            There is no such version.
        BadInput
            It is not whole and ours, or does not say any more what it said of its golden rows; or the log refuses it.
        Conflict
            Someone else pointed meanwhile.
        """
        checked = self.check(name, version)
        told = None if self.by_log is None else self.by_log(name, load(self.models.version(name, version)[0]))
        if told is not None:
            passed, said = told
            if not passed and not force:
                raise BadInput(f"{name}/{version} is {said}; --force promotes it all the same", reason="refused")
            checked, reason = f"{checked}; {said}", reason if passed else f"{reason} (forced: {said})"
        token = self.models.token(name)
        if not self.models.promote(name, version, token=token, reason=f"by {by}: {reason}"):
            raise Conflict(f"{name}: someone else pointed to a model meanwhile; look, and try again")
        return checked

    def check(self, name: str, version: str) -> str:
        """The gates that need no data: signature, structure, golden rows; what was checked, in words."""
        artefact, card = self.models.version(name, version)
        scorer, rows = load(artefact), card.get("golden") or []
        if not rows:
            return "signature and structure hold; the card keeps no golden rows"
        worst = golden.worst(scorer, rows)
        if not worst <= golden.TOLERANCE:
            raise BadInput(
                f"{name}/{version} says of its golden rows what it did not say when it was trained (by {worst:.2g})",
                reason="bad_model",
            )
        return f"signature, structure and {len(rows)} golden rows hold"


@dataclass(frozen=True, slots=True)
class Rollback:
    """Point to the version before the present one, or to a named one."""

    models: Models

    def __call__(self, name: str, version: str | None = None, *, by: str = "hand") -> str:
        """The version that is now in force. Raises NotFound when there is none to go back to; else as `Promote`."""
        if version is None:
            version = self.models.pointer(name).get("previous")
        if version is None:
            raise NotFound(f"{name} has no version before the present one")
        Promote(self.models)(name, version, reason="rollback", by=by)
        return version


def age_hours(models: Models, name: str, now: Micros) -> float | None:
    """How old the newest data is that the champion has seen, in hours (its version begins with that day); None when a
    name has no champion that can be trusted."""
    try:
        day = models.champion(name)[0].partition("-")[0]
        seen = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
    except (NotReady, ValueError):
        return None
    return max(now / SECOND - seen.timestamp(), 0.0) / 3600


def _figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Two figures of a card: those that people look at first, else the first ones."""
    plain = {name: held[0] if isinstance(held, list) else held for name, held in metrics.items()}
    told = {name: value for name, value in plain.items() if isinstance(value, int | float)}
    first = sorted(told, key=lambda name: LEAD.index(name) if name in LEAD else len(LEAD))
    return {name: told[name] for name in first[:2]}
