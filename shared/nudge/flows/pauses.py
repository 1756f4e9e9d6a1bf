"""Is a campaign paused? In: its name and the time. Out: since when, as read a few seconds ago at most; nobody is asked for each message.

A pause that cannot be read is no permission to send: the error goes up, and the message waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nudge.errors import Unavailable
from nudge.flows.campaign_runs import Runs
from nudge.vocabulary import SECOND, Micros

FRESH_FOR: Micros = 10 * SECOND
"""So long after `nudge campaign pause` a warm worker may still begin to send: the delay of a pause, besides one attempt."""


@dataclass(slots=True)
class Pauses:
    """What `campaigns/<name>/paused.json` says, kept for `FRESH_FOR`."""

    runs: Runs
    _held: dict[str, tuple[Micros, Micros | None]] = field(default_factory=dict)

    def since(self, campaign: str, *, now: Micros) -> Micros | None:
        """When the campaign was stopped; None when it goes on. Raises Unavailable when that cannot be told."""
        read_at, held = self._held.get(campaign, (-FRESH_FOR, None))
        if not 0 <= now - read_at < FRESH_FOR:
            try:
                paused = self.runs.paused(campaign)
                held = None if paused is None else int(paused["at"])
            except (ValueError, TypeError, KeyError):
                raise Unavailable(f"what stops {campaign} cannot be read") from None
            self._held[campaign] = now, held
        return held
