"""Click: a reader follows a link of a mail; it is noted, and they are sent on.

In: the token of the link, and what the browser says of itself. Out: where to go; a row for the lake. Going on never waits for the
noting: a store that is down costs the row, not the visit. Only a target that we signed is gone to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from nudge.act import link as links
from nudge.act import machine
from nudge.act.notice import clean, outcome
from nudge.flows.feedback import marked
from nudge.ports import Clicks, Ledger, Objects
from nudge.vocabulary import SECOND, Micros

LONGEST_AGENT = 300


@dataclass(frozen=True, slots=True)
class Click:
    """`GET /c/{token}`. `key` gives the key of a day (`link.keys`)."""

    ledger: Ledger
    inbox: Objects
    clicks: Clicks
    key: Callable[[int], bytes]

    def look(self, token: str, *, now: Micros) -> links.Link:
        """Where a token leads. Raises NotFound for one that we did not make, Unavailable when its key cannot be had."""
        return links.read(token, key=self.key, now=now)

    def note(self, link: links.Link, *, agent: str, now: Micros) -> str | None:
        """Keep the click, as a person's or a machine's; returns why it is a machine's.

        Nothing is kept of a message that is long gone from the Ledger. Raises Unavailable.
        """
        message = self.ledger.message(link.decision_id)
        if message is None:
            return None
        noted = self.clicks.note(link.decision_id, str(link.number), at=now)
        since, followed = now - message.changed_at, machine.burst(noted, now)
        reason = machine.verdict("email_click", agent=agent, since=since, burst=followed)
        told = {"link": link.target, "number": link.number, "of": link.of, "userAgent": agent[:LONGEST_AGENT]}
        event_id = "c" + hashlib.sha256(f"{link.decision_id}/{link.number}/{now // SECOND}".encode()).hexdigest()[:24]
        row = outcome(
            message, "email_click", event_id=event_id, at=now, received_at=now, properties={"click": clean(told)}
        )
        body = json.dumps(marked(row, reason), sort_keys=True, ensure_ascii=False) + "\n"
        self.inbox.put(f"inbox/outcomes/{event_id}.jsonl", body.encode(), content_type="application/x-ndjson")
        return reason
