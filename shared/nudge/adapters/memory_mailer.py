"""The port `Mailer` in this process's memory: keeps what was sent, and answers as it was told to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from nudge.vocabulary import Email


@dataclass
class MemoryMailer:
    """`before` runs when a mail is handed over, before it counts as sent; `after` when it was sent, before the answer.
    Either may raise what the port allows: Throttled, Refused, Unsure."""

    sent: list[Email] = field(default_factory=list)
    before: Callable[[Email], None] | None = None
    after: Callable[[Email], None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, email: Email) -> str:
        if self.before is not None:
            self.before(email)
        with self._lock:
            self.sent.append(email)
            provider_id = f"mail-{len(self.sent)}"
        if self.after is not None:
            self.after(email)
        return provider_id
