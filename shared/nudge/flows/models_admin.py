"""What a person does with models: look at them, and point to another one.

Rollback is a promotion like any other, with a fencing token of its own: a training that was under way when the rollback
came holds an older token and can no longer point anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nudge.errors import Conflict, NotFound, NotReady
from nudge.ports import Models
from nudge.vocabulary import SECOND, Micros


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The versions of a goal."""

    models: Models

    def list(self, goal: str) -> list[dict[str, Any]]:
        """One line a version, oldest first: `version kind created_at champion previous log_loss auc promoted reason`."""
        lines = []
        for card in self.models.versions(goal):
            verdict = card.get("verdict") or {}
            line = {name: card.get(name) for name in ("version", "kind", "created_at", "champion", "previous")}
            line |= {name: (card["metrics"].get(name) or [None])[0] for name in ("log_loss", "auc")}
            lines.append(line | {"promoted": verdict.get("promoted"), "reason": verdict.get("reason")})
        return lines

    def show(self, goal: str, version: str | None = None) -> dict[str, Any]:
        """The whole card of a version; of the champion when none is named. Raises NotFound."""
        for card in self.models.versions(goal):
            if card["version"] == version or (version is None and card["champion"]):
                return card
        raise NotFound(f"{goal} has no version {version}" if version else f"{goal} has no champion")


@dataclass(frozen=True, slots=True)
class Promote:
    """Point to a version by hand."""

    models: Models

    def __call__(self, goal: str, version: str, *, reason: str) -> None:
        """Raises NotFound when there is no such version, BadInput when it is not whole and ours, Conflict when someone
        else pointed meanwhile."""
        token = self.models.token(goal)
        if not self.models.promote(goal, version, token=token, reason=reason):
            raise Conflict(f"{goal}: someone else pointed to a model meanwhile; look, and try again")


@dataclass(frozen=True, slots=True)
class Rollback:
    """Point to the version before the present one, or to a named one."""

    models: Models

    def __call__(self, goal: str, version: str | None = None) -> str:
        """The version that is now in force. Raises NotFound when there is none to go back to; else as `Promote`."""
        if version is None:
            version = next((card["version"] for card in self.models.versions(goal) if card["previous"]), None)
        if version is None:
            raise NotFound(f"{goal} has no version before the present one")
        Promote(self.models)(goal, version, reason="rollback")
        return version


def age_hours(models: Models, goal: str, now: Micros) -> float | None:
    """How old the newest data is that the champion has seen, in hours (its version begins with that day); None when a
    goal has no champion that can be trusted."""
    try:
        day = models.champion(goal)[0].partition("-")[0]
        seen = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
    except (NotReady, ValueError):
        return None
    return max(now / SECOND - seen.timestamp(), 0.0) / 3600
