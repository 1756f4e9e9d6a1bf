"""What comes back of text messages and apps: whom we must not write to any more, what became of a message, and who wants to hear again.

In: events of End User Messaging and of SNS. Out: suppressions, settled messages, rows. Everything may come twice, late and in any order:
suppressions win by the event's own time, rows have the event's own id. HELP is answered by the carrier; anything else that somebody
writes is kept as it came, for a person to read. What nobody knew when this was written is kept too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nudge.act import push_notice
from nudge.act import text_notice as texts
from nudge.decide import dead
from nudge.flows.feedback import set_aside
from nudge.ports import Ledger, Objects, Profiles, Sent
from nudge.vocabulary import STOP, Message, Micros, Suppression

SMS, PUSH = "sms", "push"


@dataclass(frozen=True, slots=True)
class TextFeedback:
    """Receipts and replies of text messages."""

    profiles: Profiles
    ledger: Ledger
    inbox: Objects
    sent: Sent

    def take(self, event: Mapping[str, Any], *, at: Micros, now: Micros) -> list[dict[str, Any]]:
        """Do what an event demands, and answer with its rows. `at`: when the event was told, where it does not say so itself.

        Raises Unavailable: then it must come again.
        """
        receipt, reply = texts.read_receipt(event), texts.read_reply(event)
        if receipt is not None:
            rows = self._receipt(receipt, now)
        elif reply is not None:
            rows = self._reply(reply, at, now)
        else:
            rows = None
        if rows is None or (reply is not None and reply.wish == "other"):
            set_aside(self.inbox, event)
        return rows or []

    def _receipt(self, receipt: texts.Receipt, now: Micros) -> list[dict[str, Any]] | None:
        """Rows; None where the message is not one of ours."""
        message = self.ledger.message(receipt.decision_id) if receipt.decision_id else None
        if receipt.kind == texts.INVALID and receipt.to:
            found = dead.suppression("invalid", receipt.at, SMS, receipt.to)
            self.profiles.suppress_address(SMS, receipt.to, found)
            if message is not None:
                self.profiles.suppress(message.user_id, dead.scope(SMS), found)
        if message is None:
            return [] if receipt.kind in texts.ON_THE_WAY else None
        self.sent.note(SMS, receipt.message_id, message.decision_id, at=receipt.at)
        if message.state in ("sending", "unknown"):
            self.ledger.settle(message.decision_id, provider_id=receipt.message_id, now=now)
        return [] if receipt.kind in texts.ON_THE_WAY else [texts.receipt_row(receipt, message, now)]

    def _reply(self, reply: texts.Reply, at: Micros, now: Micros) -> list[dict[str, Any]] | None:
        """The number first: it is known even where the person is not. Rows; None where nobody knows whom it is from."""
        message = self._answered(reply)
        if reply.wish == "stop":
            self.profiles.suppress_address(SMS, reply.number, Suppression(STOP, at))
            if message is not None:
                self.profiles.suppress(message.user_id, SMS, Suppression(STOP, at))
        elif reply.wish == "start":
            self.profiles.lift_address(SMS, reply.number, at=at)
            if message is not None:
                self.profiles.lift(message.user_id, SMS, at=at)
        return None if message is None else [texts.reply_row(reply, message, at=at, received_at=now)]

    def _answered(self, reply: texts.Reply) -> Message | None:
        decision_id = self.sent.find(SMS, reply.answers) if reply.answers else None
        return self.ledger.message(decision_id) if decision_id else None


@dataclass(frozen=True, slots=True)
class PushFeedback:
    """Endpoints of apps that are gone. Whose they were is found out by the next message to one (`flows.deliver`)."""

    profiles: Profiles
    inbox: Objects

    def take(self, event: Mapping[str, Any]) -> None:
        """Suppress the endpoint, or keep what says nothing of one. Raises Unavailable."""
        gone = push_notice.read(event)
        if gone is None:
            set_aside(self.inbox, event)
        else:
            found = dead.suppression("disabled", gone.at, PUSH, gone.arn)
            self.profiles.suppress_address(PUSH, gone.arn, found)
