"""Deliver: a message that is due goes out once, or it is known why not.

In: a decision id from the queue. Out: the state the message is in. The order keeps the promise: claim the row, then ask for
consent and suppression, then send once, then record. Whoever dies between sending and recording leaves `sending`: nobody
sends it again; the channel's own event, or the sweep after an hour (`unknown`), ends it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from nudge.act import recipient
from nudge.decide import dead, eligible, limits, quiet
from nudge.errors import BadInput, Unavailable
from nudge.flows.champions import PlanInForce
from nudge.flows.compose import Compose, address_of
from nudge.flows.pauses import Pauses
from nudge.ports import (
    Backlog,
    Closed,
    Ledger,
    Pace,
    Profiles,
    Refused,
    Senders,
    Throttled,
    Unsure,
)
from nudge.vocabulary import (
    CHANNELS,
    DAY,
    FINAL_STATES,
    SECOND,
    STOP,
    Activity,
    Decision,
    Email,
    Message,
    Micros,
    Parcel,
    Plan,
    Profile,
    Suppression,
)

STALE: Micros = 3 * DAY
"""A message this much later than its decision is no longer what was decided."""

PAUSE: Micros = 60 * SECOND
"""After a definite "not now"; up to twice that, spread by the decision's id."""

LONG_PAUSE: Micros = 900 * SECOND
"""After a quota that is used up, or while the breaker is open."""

KEY_OF_RECIPIENTS = 0
"""The day whose key names recipients: one that never changes, and that no link has."""

RESERVED_FOR: Micros = 30 * DAY

PACED = "email"
"""The channel whose provider has a rate and a quota for the account; the others say "not now" themselves."""

APP = "push"
ADDRESS_REFUSED = {"endpoint_disabled": "disabled", "no_endpoint": "disabled", "opted_out": STOP}
"""What a channel's refusal says of the address: an app that is gone, a number whose owner wrote STOP to the carrier."""

GRACE: Micros = 30 * SECOND
"""The sweep leaves what was due only now to the queue, which has it already."""

REPEATED_FOR: Micros = DAY
LONGEST_PAUSE: Micros = 3600 * SECOND
"""A message whose receiver knows repetitions is tried again for so long, with pauses that double up to this."""

LONGEST_HALT: Micros = 3600 * SECOND
"""A message of a paused campaign is looked at again after as long as the pause took so far, up to this, and at most twice that:
so long may it take until it goes on after `nudge campaign resume`."""

UNSURE_FOR: Micros = 3600 * SECOND
MOST_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Deliver:
    """One message of one decision."""

    ledger: Ledger
    profiles: Profiles
    plan: PlanInForce
    compose: Compose
    senders: Senders
    pace: Pace
    pauses: Pauses
    wait: Callable[[float], None]

    def __call__(self, decision_id: str, *, owner: str, now: Micros) -> str:
        """Send it if it is due, ours and allowed; the answer is the state it is left in.

        Parameters
        ----------
        owner
            A name that no other attempt ever has, not even the next delivery of the same queue message.

        Raises
        ------
        Unavailable
            A store did not answer; nothing was sent, the message is (or will be) due again.
        BadInput
            There is no such message.
        """
        message, found, plan = self.ledger.message(decision_id), self.ledger.find(decision_id), self.plan()
        if message is None or found is None:
            raise BadInput("the ledger has no such message", reason="unknown_message")
        if message.state in FINAL_STATES:
            return message.state
        if self._halts(message, found[0], now) or not self.ledger.claim(decision_id, owner=owner, now=now):
            return message.state
        try:
            self._keep_pace(message, plan, now)
            return self._send(message, found[0], plan, owner, now)
        except Throttled as throttled:
            pause = LONG_PAUSE if isinstance(throttled, Closed) else PAUSE
            self.ledger.give_back(decision_id, owner=owner, due_at=_later(decision_id, now, pause))
            return "pending"
        except Unavailable:
            self.ledger.give_back(decision_id, owner=owner, due_at=_later(decision_id, now))
            raise

    def _halts(self, message: Message, decision: Decision, now: Micros) -> bool:
        """Whether its campaign is paused: then it is not claimed, and due later. Raises Unavailable when nobody can tell."""
        since = None if decision.campaign is None else self.pauses.since(decision.campaign, now=now)
        if since is None or message.state == "sending":
            return False
        wait = min(max(now - since, PAUSE), LONGEST_HALT)
        self.ledger.postpone(message.decision_id, now=now, due_at=_later(message.decision_id, now, wait))
        return True

    def _keep_pace(self, message: Message, plan: Plan, now: Micros) -> None:
        """Wait for a slot, before anything is asked about the person: what is true of them must be true when it goes out."""
        if message.channel != PACED:
            return
        activity = plan.activities.get(message.activity)
        seconds = self.pace.take(transactional=activity is not None and activity.transactional, now=now)
        if seconds > 0:
            self.wait(seconds)

    def _send(self, message: Message, decision: Decision, plan: Plan, owner: str, now: Micros) -> str:
        """From claimed to sent, skipped, failed or back. Raises Unavailable only when nothing left the house."""
        activity = plan.activities.get(message.activity)
        profile = self.profiles.get(message.user_id, consistent=True)
        if activity is None or profile is None:
            reason = "withdrawn" if activity is None else "no_person"
            return self._end(message, owner, "skipped", now, reason)
        if obstacle := overdue(decision, activity, plan, now) or self._obstacle(decision, activity, profile, now):
            return self._end(message, owner, "skipped", now, obstacle)
        calm = _calm(activity, profile, plan, now)
        if calm > now:
            self.ledger.give_back(message.decision_id, owner=owner, due_at=calm)
            return "held"
        try:
            composed = self.compose(message, decision, activity, profile, plan, now)
        except BadInput as wrong:
            return self._end(message, owner, "failed", now, wrong.reason)
        if not self._is_counted(decision, activity, profile, plan, now):
            return self._end(message, owner, "skipped", now, "cap")
        return self._hand_over(composed, message, owner, now, decision.due_at or decision.decided_at)

    def _obstacle(self, decision: Decision, activity: Activity, profile: Profile, now: Micros) -> str | None:
        """Why it must not go out after all: the person no longer allows it, or somebody else has it."""
        if reason := eligible.unreachable(activity, profile):
            return reason
        address = address_of(activity, profile)
        if address is None:
            return None
        if self.profiles.is_address_suppressed(activity.channel, str(address), told_at=_told_at(activity, profile)):
            if activity.channel == APP:
                self._found_gone(decision.user_id, str(address), now)
            return "suppressed"
        if activity.transactional or self._is_first(decision, activity, str(address), now):
            return None
        return "same_address"

    def _found_gone(self, user_id: str, endpoint: str, now: Micros) -> None:
        """SNS told of an endpoint, and could not say whose it is: from here on reachability says so too."""
        self.profiles.suppress(user_id, dead.scope(APP), dead.suppression("disabled", now, APP, endpoint))

    def _is_first(self, decision: Decision, activity: Activity, address: str, now: Micros) -> bool:
        """Whether no other user id with this address was written to on the same occasion: two accounts, one mail."""
        name = recipient.name(activity.channel, address, key=self.compose.link_key(KEY_OF_RECIPIENTS))
        key = f"{recipient.occasion(decision, now)}/{name}"
        return self.ledger.reserve(key, decision.user_id, expires_at=now + RESERVED_FOR)

    def _is_counted(self, decision: Decision, activity: Activity, profile: Profile, plan: Plan, now: Micros) -> bool:
        """Whether it has its place under the caps of the day on which it goes out. It was counted for the day for which it was
        decided; after a pause, or sent again, it may go out on another, which may be full."""
        zone = quiet.zone(profile.trait("timezone"), plan.timezone)
        planned, today = (
            limits.claims(activity, plan, decision.user_id, at, zone).caps
            for at in (decision.due_at or decision.decided_at, now)
        )
        more = {key: most for key, most in today.items() if key not in planned}
        return not more or self.ledger.count_once(f"{decision.decision_id}/{min(more)}", more, now=now)

    def _hand_over(self, composed: Email | Parcel, message: Message, owner: str, now: Micros, planned: Micros) -> str:
        """The one call that cannot be taken back, and what is recorded after each of its ends."""
        decision_id, repeats = message.decision_id, False
        try:
            sender = self.senders(message.channel)
            repeats = sender.repeats
            provider_id = sender.send(composed)
        except Refused as refused:
            self._learn(message, composed.to, str(refused), now)
            return self._end(message, owner, "failed", now, str(refused))
        except Unsure as unsure:
            return self._doubt(message, owner, now, planned, str(unsure)) if repeats else "sending"
        try:
            self.ledger.finish(decision_id, owner=owner, state="sent", now=now, provider_id=provider_id)
        except Unavailable:
            return "sending"  # it is out; the channel's own event will settle it. Raising would give it back and send twice
        return "sent"

    def _learn(self, message: Message, to: str, refusal: str, now: Micros) -> None:
        """What a refusal says of the address, or its owner, holds for all messages to come. Raises Unavailable: it was not sent."""
        reason = ADDRESS_REFUSED.get(refusal)
        if reason == STOP:
            self.profiles.suppress_address(message.channel, to, Suppression(STOP, now))
            self.profiles.suppress(message.user_id, message.channel, Suppression(STOP, now))
        elif reason is not None:
            suppression = dead.suppression(reason, now, message.channel, to)
            self.profiles.suppress_address(message.channel, to, suppression)
            self.profiles.suppress(message.user_id, dead.scope(message.channel), suppression)

    def _doubt(self, message: Message, owner: str, now: Micros, planned: Micros, reason: str) -> str:
        """Where the receiver knows repetitions by their id: again, each time after as long as it took so far, for a day."""
        waited = max(now - planned, 0)
        if waited >= REPEATED_FOR:
            return self._end(message, owner, "unknown", now, reason)
        again = _later(message.decision_id, now) + min(waited, LONGEST_PAUSE)
        self.ledger.give_back(message.decision_id, owner=owner, due_at=again)
        return "pending"

    def _end(self, message: Message, owner: str, state: str, now: Micros, reason: str) -> str:
        self.ledger.finish(message.decision_id, owner=owner, state=state, now=now, reason=reason)
        return state


@dataclass(frozen=True, slots=True)
class Sweep:
    """Every minute: what is due goes to the queue; what is `sending` for an hour becomes `unknown`, and is listed."""

    ledger: Ledger
    queue: Backlog

    def __call__(self, *, now: Micros) -> dict[str, int]:
        """How many were queued and how many became unknown."""
        room = (
            MOST_AT_ONCE - self.queue.waiting()
        )  # what waits there is due too: a slow channel must not fill the queue with copies
        due = self.ledger.due(now=now - GRACE, limit=room) if room > 0 else []
        self.queue.send([{"decision_id": one} for one in due])
        stuck = self.ledger.stuck(before=now - UNSURE_FOR, limit=MOST_AT_ONCE)
        ended = [self.ledger.finish(one, owner=None, state="unknown", now=now, reason="no_answer") for one in stuck]
        return {"queued": len(due), "unknown": sum(ended)}


def overdue(decision: Decision, activity: Activity, plan: Plan, now: Micros) -> str | None:
    """Why it is too late for a message, or None: decided too long ago, or what it says, or its campaign, is over."""
    if now - decision.decided_at > STALE:
        return "stale"
    campaign = plan.campaigns.get(decision.campaign or "")
    ends = [one.ends_at for one in (activity, campaign) if one is not None and one.ends_at is not None]
    return "expired" if ends and now >= min(ends) else None


def _told_at(activity: Activity, profile: Profile) -> Micros:
    """When the person's address on the activity's channel was last told."""
    form = CHANNELS.get(activity.channel)
    return 0 if form is None or form.address is None else profile.traits.get(form.address, (None, 0))[1]


def _calm(activity: Activity, profile: Profile, plan: Plan, now: Micros) -> Micros:
    """When it may go out: now, or after the person's quiet hours, if it waited into them."""
    if activity.transactional:
        return now
    return quiet.release(now, quiet.zone(profile.trait("timezone"), plan.timezone), plan.policy.quiet_hours)


def _later(decision_id: str, now: Micros, pause: Micros = PAUSE) -> Micros:
    """A pause or two from now; different ids at different moments, so that a throttled crowd does not return as one."""
    spread = hashlib.sha256(decision_id.encode()).digest()[0] / 256
    return now + pause + round(pause * spread)
