"""Unsubscribe: the reader of a mail takes their consent back.

In: the token of the link. Out: a withdrawn consent, and a row for the lake. Looking at the page changes nothing, however
often link scanners look; only POST acts, and a second POST changes nothing more.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from nudge.act import token as tokens
from nudge.act.notice import outcome
from nudge.ports import Ledger, Objects, Profiles, Signer
from nudge.vocabulary import Consent, Message, Micros

SOURCE = "unsubscribe link"


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """`GET` and `POST /u/{token}`."""

    profiles: Profiles
    ledger: Ledger
    inbox: Objects
    signer: Signer

    def look(self, token: str) -> tokens.Wish:
        """Whose page it is; changes nothing. Raises NotFound for a token that we did not make."""
        return tokens.read(token, verify=self.signer.verify)

    def __call__(self, token: str, *, now: Micros) -> tokens.Wish:
        """Withdraw the consent on the token's channel, as of now.

        Raises
        ------
        NotFound
            For a token that we did not make.
        Unavailable
            The wish could not be stored; the mail program will ask again.
        """
        wish = self.look(token)
        self.profiles.consent(wish.user_id, wish.channel, Consent(granted=False, at=now, source=SOURCE))
        self._tell(wish, now)
        return wish

    def _tell(self, wish: tokens.Wish, now: Micros) -> None:
        """One event for each message that was unsubscribed from: however often its link is used, the row has one id."""
        known = self.ledger.message(wish.decision_id)
        message = known or Message(wish.decision_id, wish.user_id, "", "", wish.channel, state="sent", due_at=now)
        event_id = "u" + hashlib.sha256(f"unsubscribe/{wish.user_id}/{wish.decision_id}".encode()).hexdigest()[:24]
        row = outcome(message, "email_unsubscribe", event_id=event_id, at=now, received_at=now, properties={})
        body = json.dumps({name: value for name, value in row.items() if value != ""}, ensure_ascii=False) + "\n"
        self.inbox.put(f"inbox/outcomes/{event_id}.jsonl", body.encode(), content_type="application/x-ndjson")
