"""The port `Ledger` in this process's memory, safe between threads."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field
from typing import Any, cast

from nudge.decide import record as records
from nudge.errors import Conflict
from nudge.jsontext import compact, loads
from nudge.vocabulary import FINAL_STATES, Decision, Message, MessageState, Micros


@dataclass(frozen=True, slots=True)
class _Kept:
    text: str
    answer: str
    request_hash: str


@dataclass
class MemoryLedger:
    """Decisions, messages and counters as dicts behind one lock."""

    decisions: dict[str, _Kept] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    counters: dict[str, float] = field(default_factory=dict)
    recipients: dict[str, str] = field(default_factory=dict)
    counted: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def find(self, decision_id: str) -> tuple[Decision, str] | None:
        with self._lock:
            kept = self.decisions.get(decision_id)
            return None if kept is None else (records.loads(kept.text), kept.request_hash)

    def record(
        self,
        decision: Decision,
        *,
        request_hash: str,
        answer: Mapping[str, Any],
        message: Message | None,
        caps: Mapping[str, int],
        budgets: Sequence[tuple[str, float, float]],
        expires_at: Micros,
    ) -> None:
        kept = _Kept(records.dumps(decision), compact(answer), request_hash)
        with self._lock:
            if (there := self.decisions.get(decision.decision_id)) is not None:
                if there.text == kept.text:
                    return
                raise Conflict("the decision is known", reason="decision")
            for key, limit in caps.items():
                if self.counters.get(key, 0) >= limit:
                    raise Conflict(key, reason="cap")
            for key, cost, most in budgets:
                if self.counters.get(key, 0.0) + cost > most + 1e-9:
                    raise Conflict(key, reason="budget")
            self.decisions[decision.decision_id] = kept
            for key in caps:
                self.counters[key] = self.counters.get(key, 0) + 1
            for key, cost, _ in budgets:
                self.counters[key] = self.counters.get(key, 0.0) + cost
            if message is not None:
                self.messages[message.decision_id] = message

    def answer(self, decision_id: str) -> tuple[dict[str, Any], str] | None:
        with self._lock:
            kept = self.decisions.get(decision_id)
            return None if kept is None else (loads(kept.answer), kept.request_hash)

    def counts(self, keys: Sequence[str]) -> dict[str, float]:
        with self._lock:
            return {key: float(self.counters.get(key, 0)) for key in keys}

    def look(self, decision_id: str, keys: Sequence[str]) -> tuple[tuple[dict[str, Any], str] | None, dict[str, float]]:
        with self._lock:
            return self.answer(decision_id), self.counts(keys)

    def message(self, decision_id: str) -> Message | None:
        with self._lock:
            return copy.copy(self.messages.get(decision_id))

    def messages_of(self, decision_ids: Sequence[str]) -> list[Message]:
        with self._lock:
            return [self.messages[one] for one in decision_ids if one in self.messages]

    def claim(self, decision_id: str, *, owner: str, now: Micros) -> bool:
        with self._lock:
            held = self.messages.get(decision_id)
            if held is None:
                return False
            if held.state in ("pending", "held") and held.due_at <= now:
                self.messages[decision_id] = replace(held, state="sending", owner=owner, changed_at=now, due_at=now)
                return True
            return held.state == "sending" and held.owner == owner

    def finish(
        self,
        decision_id: str,
        *,
        owner: str | None,
        state: str,
        now: Micros,
        reason: str | None = None,
        provider_id: str | None = None,
    ) -> bool:
        with self._lock:
            held = self.messages.get(decision_id)
            if held is None:
                return False
            if held.state == "sending" and owner in (None, held.owner):
                self.messages[decision_id] = replace(
                    held,
                    state=cast(MessageState, state),
                    reason=reason,
                    provider_id=provider_id or held.provider_id,
                    changed_at=now,
                )
                return True
            return held.state == state and owner is not None and held.owner == owner and held.state in FINAL_STATES

    def give_back(self, decision_id: str, *, owner: str, due_at: Micros) -> bool:
        with self._lock:
            held = self.messages.get(decision_id)
            if held is None or held.state != "sending" or held.owner != owner:
                return False
            self.messages[decision_id] = replace(held, state="pending", owner=None, due_at=due_at)
            return True

    def postpone(self, decision_id: str, *, now: Micros, due_at: Micros) -> bool:
        with self._lock:
            held = self.messages.get(decision_id)
            if held is None or held.state not in ("pending", "held") or held.due_at > now:
                return False
            self.messages[decision_id] = replace(held, due_at=due_at)
            return True

    def resend(self, decision_id: str, *, attempt: int, by: str, now: Micros) -> bool:
        with self._lock:
            held = self.messages.get(decision_id)
            if held is None or held.state != "failed" or held.attempt != attempt:
                said = None if held is None else (held.attempt, held.resent_by, held.resent_at)
                return said == (attempt + 1, by, now)
            self.messages[decision_id] = replace(
                held, state="pending", due_at=now, changed_at=now, owner=None, reason=None, provider_id=None,
                attempt=attempt + 1, resent_by=by, resent_at=now,
            )  # fmt: skip
            return True

    def count_once(self, name: str, caps: Mapping[str, int], *, now: Micros) -> bool:
        with self._lock:
            if name not in self.counted:
                if any(self.counters.get(key, 0) >= limit for key, limit in caps.items()):
                    return False
                self.counted.add(name)
                for key in caps:
                    self.counters[key] = self.counters.get(key, 0) + 1
            return True

    def settle(self, decision_id: str, *, provider_id: str, now: Micros) -> bool:
        with self._lock:
            held = self.messages.get(decision_id)
            if held is None or held.state not in ("sending", "unknown"):
                return False
            self.messages[decision_id] = replace(
                held, state="sent", provider_id=provider_id, changed_at=now, reason=None
            )
            return True

    def reserve(self, recipient: str, user_id: str, *, expires_at: Micros) -> bool:
        with self._lock:
            return self.recipients.setdefault(recipient, user_id) == user_id

    def due(self, *, now: Micros, limit: int = 100) -> list[str]:
        with self._lock:
            waiting = [
                (one.due_at, one.decision_id)
                for one in self.messages.values()
                if one.state in ("pending", "held") and one.due_at <= now
            ]
            return [name for _, name in sorted(waiting)[:limit]]

    def stuck(self, *, before: Micros, limit: int = 100) -> list[str]:
        with self._lock:
            waiting = [
                (one.changed_at, one.decision_id)
                for one in self.messages.values()
                if one.state == "sending" and one.changed_at < before
            ]
            return [name for _, name in sorted(waiting)[:limit]]

    def unknown(self, *, limit: int = 100) -> list[str]:
        return self._ended("unknown", limit)

    def failed(self, *, limit: int = 100) -> list[str]:
        return self._ended("failed", limit)

    def _ended(self, state: str, limit: int) -> list[str]:
        with self._lock:
            ended = [(one.due_at, one.decision_id) for one in self.messages.values() if one.state == state]
            return [name for _, name in sorted(ended)[:limit]]
