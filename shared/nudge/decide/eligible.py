"""Which activities may be done for a person now. In: what is known of the person. Out: for each activity None, or why not.

Knows nothing of probabilities and money, except that a budget is spent. The reasons are words that reports count by:
`not_started ended audience transactional no_address suppressed no_consent`, and those of `limits`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from nudge.decide import dead
from nudge.decide.audience import belongs
from nudge.decide.limits import Claims
from nudge.vocabulary import CHANNELS, LIFTED, NO_CONSENT_NEEDED, Activity, Micros, Profile

INLINE = "inline"
STOPS_EVERYTHING = frozenset({"bounce", "complaint"})
"""Suppressions that stop transactional messages too: the address is dead, or its owner called us spam."""

FLAGS = ("consent.", "reachable.")
"""How the names of an audience begin that are true or false of everybody."""
UNKNOWN_WHERE_ABSENT = frozenset({"predicted", "context", "days_since", "days_since_first"})
PEAK_HOUR = "hour_of_week.peak_hour"
"""Names that are unknown where a vector lacks them; any other number of a profile is 0 (as `profile.spec.absent` has it)."""


class Situation(NamedTuple):
    """What eligibility is judged by: the person, their vector, when each activity would reach
    them, what it would add to, and what was already spent."""

    profile: Profile
    vector: Mapping[str, float | str | None]
    now: Micros
    due_at: Mapping[str, Micros]
    claims: Mapping[str, Claims]
    counts: Mapping[str, float]
    named: frozenset[str] = frozenset()


def obstacle(activity: Activity, situation: Situation) -> str | None:
    """Why an activity may not be done, or None. The first obstacle in this order is the one that is told:
    the activity's own window, its audience, the law (address, suppression, consent), then caps and budget."""
    return (
        _out_of_season(activity, situation)
        or _wrong_audience(activity, situation)
        or unreachable(activity, situation.profile)
        or _used_up(activity, situation)
    )


def _out_of_season(activity: Activity, situation: Situation) -> str | None:
    if activity.starts_at is not None and situation.now < activity.starts_at:
        return "not_started"
    due = situation.due_at.get(activity.name, situation.now)
    if activity.ends_at is not None and due >= activity.ends_at:
        return "ended"
    return None


def _wrong_audience(activity: Activity, situation: Situation) -> str | None:
    if activity.transactional and activity.name not in situation.named:
        return "transactional"
    if activity.audience is None or belongs(activity.audience, Known(situation.profile, situation.vector)):
        return None
    return "audience"


def unreachable(activity: Activity, profile: Profile) -> str | None:
    """Why the law, or the absence of an address, forbids this activity for this person; None when it does not.

    Marketing needs a granted consent on the channel and no suppression; a transactional message needs only an address that
    neither bounced nor complained. A consent given after an unsubscription lifts it. Inline needs nothing: the person is
    here; nor does what reaches no person (`consent: none`).
    """
    return barred(activity.channel, profile, consent=activity.consent, transactional=activity.transactional)


def barred(channel: str, profile: Profile, *, consent: str | None = None, transactional: bool = False) -> str | None:
    """Why a person may not be written to on a channel: `no_address suppressed no_consent`, or None. `consent` names the channel
    whose consent counts, where that is another, or none is needed."""
    if channel == INLINE:
        return None
    form = CHANNELS.get(channel)
    if form is not None and form.address is not None and not profile.trait(form.address):
        return "no_address"
    if consent == NO_CONSENT_NEEDED:
        return None
    if profile.suppressions and dead.is_dead(profile, channel):
        return "suppressed"
    suppression = profile.suppressions.get(consent or channel)
    if suppression is not None and suppression.reason == LIFTED:
        suppression = None
    said = profile.consents.get(consent or channel)
    if suppression is not None and suppression.reason in STOPS_EVERYTHING:
        return "suppressed"
    if transactional:
        return None
    if suppression is not None and not (said is not None and said.granted and said.at > suppression.at):
        return "suppressed"
    return None if said is not None and said.granted else "no_consent"


class Known:
    """What is known of a person, by the names that an audience uses: attributes, numbers, predictions, consents, reachability.

    An attribute is read from the profile; what a vector makes of attributes (`trait.account_days`), numbers, predictions and the
    request's context are read from the vector. What a person never did counts 0 times, and is unknown as a time since.
    """

    __slots__ = ("profile", "vector")

    def __init__(self, profile: Profile, vector: Mapping[str, Any]) -> None:
        self.profile = profile
        self.vector = vector

    def get(self, name: str) -> Any:
        kind, _, rest = name.partition(".")
        if kind == "trait":
            held = self.profile.trait(rest)
            return self.vector.get(name) if held is None else held
        if kind == "consent":
            consent = self.profile.consents.get(rest)
            return consent is not None and consent.granted
        if kind == "reachable":
            return barred(rest, self.profile) is None
        held = self.vector.get(name)
        return 0.0 if held is None and kind not in UNKNOWN_WHERE_ABSENT and name != PEAK_HOUR else held


def _used_up(activity: Activity, situation: Situation) -> str | None:
    return situation.claims[activity.name].full(situation.counts)
