"""The port `Sender` in this process's memory: keeps what was sent, and answers as it was told to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from nudge.act.email import must_unsubscribe
from nudge.errors import BadInput
from nudge.ports import Refused
from nudge.vocabulary import Email, Parcel


@dataclass
class MemorySender[Composed: Email | Parcel]:
    """`before` runs when a message is handed over, before it counts as sent; `after` when it was sent, before the answer.
    Either may raise what the port allows: Throttled, Refused, Unsure."""

    sent: list[Composed] = field(default_factory=list)
    before: Callable[[Composed], None] | None = None
    after: Callable[[Composed], None] | None = None
    repeats: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, composed: Composed, /) -> str:
        if self.before is not None:
            self.before(composed)
        if isinstance(composed, Email):
            try:
                must_unsubscribe(composed)
            except BadInput as wrong:
                raise Refused(wrong.reason) from None
        with self._lock:
            self.sent.append(composed)
            provider_id = f"message-{len(self.sent)}"
        if self.after is not None:
            self.after(composed)
        return provider_id
