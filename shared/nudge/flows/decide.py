"""Decide: what should we do for this person now? Then see that it is done.

In: a request and its Idempotency-Key. Out: the answer. The ledger row, the counters and the message are one transaction, written
before anything leaves the house; a repeated key gets the stored answer. Calls of a fresh decision: the profile, one look at the ledger
(known? counters), one transaction, and one message to the queue when there is something to send now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from nudge.decide import chance, eligible, policy
from nudge.decide import request as requests
from nudge.decide.answer import public
from nudge.decide.limits import NONE
from nudge.errors import Conflict, Unavailable
from nudge.flows.candidates import Case
from nudge.flows.champions import Champions, PlanInForce
from nudge.ports import Ledger, People, Queue, Templates
from nudge.vocabulary import DAY, CampaignRun, Decision, Message, Micros

KEPT: Micros = 180 * DAY
"""How long a decision stays in the ledger: keys repeat for that long, and late channel events still find their message."""

MOST_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Decide:
    """`POST /v1/decisions`. `plan` and `champions` are what stays warm (see `flows.champions`)."""

    profiles: People
    plan: PlanInForce
    champions: Champions
    templates: Templates
    ledger: Ledger
    queue: Queue

    def __call__(
        self, body: Mapping[str, Any], *, key: str | None, now: Micros, run: CampaignRun | None = None
    ) -> dict[str, Any]:
        """Answer one request, of an app or of a campaign's run.

        Raises
        ------
        BadInput
            The request is wrong, or has no key and is not a dry run.
        Conflict
            `key_reused`: the key was used for another request.
        Unavailable
            A store did not answer. Nothing was done, or the same key will tell what was.
        """
        request = requests.parse(body)
        key = requests.idempotency_key(key, needed=not request.dry_run) or f"dry run {request.hash} {now}"
        decision_id = chance.decision_id(request.user_id, key)
        case = Case.of(request, self.plan(), self.profiles.get(request.user_id), now, run)
        panel = case.panel(self.champions)
        case = case.timed(decision_id, panel)
        full: dict[str, float] = {}
        for _ in range(MOST_ROUNDS):
            known, counts = self.ledger.look(decision_id, case.counters())
            if known is not None and not request.dry_run:
                return _repeated(known, request)
            question, contents = case.question(decision_id, panel, counts | full, self.templates)
            decision = policy.choose(question, case.plan)
            if case.explains():
                decision = decision._replace(why=panel.explanation(question.vector, decision.activity))
            content = contents.get(decision.activity)
            answer = public(decision, content=content, cold_start=case.cold_start, dry_run=request.dry_run)
            if request.dry_run:
                return answer
            try:
                self._record(case, decision, answer)
            except (
                Conflict
            ) as lost:  # someone used this key, or the last place under a cap, since we looked: look again
                if lost.reason in ("cap", "budget"):
                    full[str(lost)] = inf
                continue
            return answer
        raise Unavailable("too many decisions for this person at the same time")

    def _record(self, case: Case, decision: Decision, answer: dict[str, Any]) -> None:
        """Decision, message and counters at once; then the message goes to the queue if it is due."""
        message = _message(decision)
        claims = case.claims.get(decision.activity, NONE)
        self.ledger.record(
            decision,
            request_hash=case.request.hash,
            answer=answer,
            message=message,
            caps=claims.caps,
            budgets=claims.budgets,
            expires_at=case.now + KEPT,
        )
        if message is None or message.state != "pending":
            return
        try:
            self.queue.send([{"decision_id": decision.decision_id}])
        except Unavailable:
            return  # the message is in the ledger and due: the minute sweep of `deliver` puts it on the queue


def _message(decision: Decision) -> Message | None:
    """The message of a decision: shown by the caller at once (inline), due now, or held until it is no longer quiet."""
    if decision.channel is None or decision.due_at is None:
        return None
    inline = decision.channel == eligible.INLINE
    held = decision.due_at > decision.decided_at
    return Message(
        decision_id=decision.decision_id,
        user_id=decision.user_id,
        activity=decision.activity,
        goal=decision.goal,
        channel=decision.channel,
        state="sent" if inline else "held" if held else "pending",
        due_at=decision.due_at,
        changed_at=decision.decided_at,
    )


def _repeated(known: tuple[dict[str, Any], str], request: requests.Request) -> dict[str, Any]:
    answer, request_hash = known
    if request_hash != request.hash:
        raise Conflict("this Idempotency-Key was used for another request; use a new one", reason="key_reused")
    return answer
