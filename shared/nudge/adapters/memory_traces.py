"""The port `Traces` over the ledger, journeys and clicks in this process's memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from nudge.adapters.clicks import MemoryClicks
from nudge.adapters.memory_journeys import MemoryJourneys
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.adapters.sent import MemorySent
from nudge.adapters.traces import NOBODY, in_turn, keeps_its_place, trace_of
from nudge.decide import record as records
from nudge.traces import Trace


@dataclass
class MemoryTraces:
    """Looks through everything, under the keys that the table would have."""

    ledger: MemoryLedger
    journeys: MemoryJourneys = field(default_factory=MemoryJourneys)
    clicks: MemoryClicks = field(default_factory=MemoryClicks)
    sent: MemorySent = field(default_factory=MemorySent)

    def decisions_of(self, user_id: str) -> Iterator[str]:
        made = [records.loads(one.text) for one in self.ledger.decisions.values()]
        yield from (one.decision_id for one in made if one.user_id == user_id)

    def of(self, user_ids: Collection[str], decisions: Collection[str]) -> list[Trace]:
        traces = (trace_of(row) for row in self._rows())
        return [one for one in traces if one.user_id in user_ids or one.decision_id in decisions]

    def _rows(self) -> Iterator[dict[str, str]]:
        ledger = self.ledger
        for name, kept in ledger.decisions.items():
            yield {"id": f"decision#{name}", "user_id": records.loads(kept.text).user_id}
        for name, one in ledger.messages.items():
            yield {"id": f"message#{name}", "user_id": one.user_id, "state": one.state}
        yield from ({"id": f"count#{name}"} for name in ledger.counters)
        yield from ({"id": f"once#counted/{name}"} for name in ledger.counted)
        yield from ({"id": f"once#{name}", "user_id": user} for name, user in ledger.recipients.items())
        yield from ({"id": f"journey#{campaign}/{user}"} for campaign, user in self.journeys.rows)
        yield from ({"id": f"clicks#{name}"} for name in self.clicks.held)
        for (channel, provider_id), decision in self.sent.held.items():
            yield {"id": f"sent#{channel}#{provider_id}", "decision_id": decision}

    def drop(self, traces: Sequence[Trace]) -> None:
        for one in in_turn(traces):
            name = one.id.partition("#")[2]
            if keeps_its_place(one):
                if name in self.ledger.recipients:
                    self.ledger.recipients[name] = NOBODY
            elif one.kind == "journey":
                campaign, _, user = name.partition("/")
                self.journeys.forget((campaign, user))
            elif one.kind == "sent":
                channel, _, provider_id = name.partition("#")
                self.sent.held.pop((channel, provider_id), None)
            elif one.kind == "once":
                self.ledger.counted.discard(name.removeprefix("counted/"))
            else:
                self._tables[one.kind].pop(name, None)

    @property
    def _tables(self) -> dict[str, dict[str, Any]]:
        return {
            "decision": self.ledger.decisions,
            "message": self.ledger.messages,
            "count": self.ledger.counters,
            "clicks": self.clicks.held,
        }
