"""The port `History` over the ledger in this process's memory."""

from __future__ import annotations

from dataclasses import dataclass

from nudge.adapters.history import MOST, cursor_of
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.decide import record as records
from nudge.ports import Past


@dataclass
class MemoryHistory:
    """Looks through all decisions."""

    ledger: MemoryLedger

    def of(self, user_id: str, *, before: str | None = None, limit: int = MOST) -> tuple[list[Past], str | None]:
        last = None if before is None else cursor_of(before)
        made = [records.loads(one.text) for one in self.ledger.decisions.values()]
        found = sorted(((one.decided_at, one.decision_id, one) for one in made if one.user_id == user_id), reverse=True)
        if last is not None:
            found = [one for one in found if one[:2] < last]
        some = found[: min(limit, MOST)]
        past = [(one, self.ledger.message(name)) for _, name, one in some]
        return past, f"{some[-1][0]}-{some[-1][1]}" if len(found) > len(some) else None
