"""Feedback: what became of a mail changes at once whom we may write to, and is kept for the lake.

In: events of SES. Out: suppressions, settled messages, rows in `inbox/outcomes/`. Everything here may run twice: suppressions are
last-write-wins by the event's own time, rows have the event's own id. A type that nobody knew when this was written is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nudge.act import machine
from nudge.act import notice as notices
from nudge.act import reputation as rules
from nudge.decide import dead
from nudge.ports import Clicks, Ledger, Objects, Profiles, Reputation
from nudge.vocabulary import Message, Micros, Suppression

CHANNEL, BOUNCE = "email", "bounce"


@dataclass(frozen=True, slots=True)
class Feedback:
    """One SES event: `take` does what it demands and answers with its rows; `keep` writes rows of many; calling does both."""

    profiles: Profiles
    ledger: Ledger
    inbox: Objects
    clicks: Clicks
    reputation: Reputation

    def __call__(self, event: Mapping[str, Any], *, now: Micros) -> list[dict[str, Any]]:
        """Take one event and keep its rows. Raises Unavailable: then it must come again."""
        rows = self.take(event, now=now)
        self.keep(rows)
        self.watch(now=now)
        return rows

    def take(self, event: Mapping[str, Any], *, now: Micros) -> list[dict[str, Any]]:
        """Suppress and settle as the event demands.

        Returns
        -------
        Its rows for the lake; none for a mail that is not of a decision, and none for a type we do not know, which is
        kept raw under `quarantine/feedback/`.
        """
        notice = notices.read(event)
        if notice is None:
            set_aside(self.inbox, event)
            return []
        if notice.kind == "Send":
            self.reputation.sent()
        message = self.ledger.message(notice.decision_id) if notice.decision_id else None
        if notice.suppress is not None:
            self._suppress(notice, notice.suppress, message, now)
        if message is None:
            if notice.kind in notices.EVENT_TYPE:
                set_aside(self.inbox, event)
            return []
        if notice.proves_sending and message.state in ("sending", "unknown"):
            self.ledger.settle(message.decision_id, provider_id=notice.message_id, now=now)
        return [self._judged(row, notice, message) for row in notices.rows(notice, message, now)]

    def _suppress(self, notice: notices.Notice, reason: str, message: Message | None, now: Micros) -> None:
        """Nothing more to these addresses. A complaint is the person's; that mail bounces is true of the address alone (our mails go to
        one), and a new one is believed."""
        self.reputation.blame(reason, notice.message_id, now=now)
        suppression = Suppression(reason, notice.at)
        for address in notice.to:
            self.profiles.suppress_address(CHANNEL, address, suppression)
        if message is None:
            return
        if reason == BOUNCE and notice.to:
            gone = dead.suppression(reason, notice.at, CHANNEL, notice.to[0])
            self.profiles.suppress(message.user_id, dead.scope(CHANNEL), gone)
        else:
            self.profiles.suppress(message.user_id, CHANNEL, suppression)

    def _judged(self, row: dict[str, Any], notice: notices.Notice, message: Message) -> dict[str, Any]:
        """The row; of another type, with the reason, where a machine and no person opened or clicked."""
        kind = row["event_type"]
        if kind not in machine.TYPES:
            return row
        followed = 1
        if kind == "email_click":
            noted = self.clicks.note(message.decision_id, _name(str(notice.detail.get("link")).encode()), at=notice.at)
            followed = machine.burst(noted, notice.at)
        agent = notice.detail.get("userAgent")
        since = notice.at - max(message.changed_at, notice.sent_at or 0)
        return marked(row, machine.verdict(kind, agent=str(agent or ""), since=since, burst=followed))

    def watch(self, *, now: Micros) -> rules.Verdict:
        """After a batch: how our reputation stands; where it is bad, marketing mail stops until a person lets it go on."""
        self.reputation.flush(now=now)
        figures = self.reputation.figures(now=now)
        verdict = rules.judge(figures)
        if verdict == "stop":
            bounced, complained = figures.share(figures.bounced), figures.share(figures.complained)
            self.reputation.stop(f"bounces {bounced:.2%}, complaints {complained:.3%} of {figures.sent}", now=now)
        return verdict

    def keep(self, rows: Sequence[Mapping[str, Any]]) -> str | None:
        """Write rows as one object, named by its content (so that a repetition writes the same again); returns its key, None when there are none."""
        if not rows:
            return None
        lines = sorted(json.dumps(row, sort_keys=True, ensure_ascii=False, allow_nan=False) for row in rows)
        body = ("\n".join(lines) + "\n").encode()
        key = f"inbox/outcomes/ses-{_name(body)}.jsonl"
        self.inbox.put(key, body, content_type="application/x-ndjson")
        return key


def set_aside(inbox: Objects, event: Mapping[str, Any]) -> None:
    """Keep an event as it came, for somebody to look at."""
    body = json.dumps(event, sort_keys=True, ensure_ascii=False).encode()
    inbox.put(f"quarantine/feedback/{_name(body)}.json", body, content_type="application/json")


def marked(row: dict[str, Any], reason: str | None) -> dict[str, Any]:
    """A row of an opening or a click, as a person's (no reason) or a machine's."""
    if reason is None:
        return row
    return {**row, "event_type": machine.TYPES[row["event_type"]], "machine": True, "machine_reason": reason}


def _name(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
