"""Compose: what is said to one person. In: a decision, the person, the plan. Out: an `Email` or a `Parcel`, or why it cannot be.

Nothing leaves the house here: `deliver` sends what this makes, `preview` shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nudge.act import email, link, parcel, token
from nudge.act.render import render
from nudge.act.words import item_words, words
from nudge.errors import BadInput, NotFound
from nudge.ports import Signer, Templates
from nudge.vocabulary import (
    CHANNELS,
    DAY,
    Activity,
    Channel,
    Decision,
    Email,
    Message,
    Micros,
    Parcel,
    Plan,
    Profile,
)


@dataclass(frozen=True, slots=True)
class Compose:
    """The message of a decision. `link_key` gives the key of a day's click links (`link.keys`)."""

    templates: Templates
    signer: Signer
    link_key: Callable[[int], bytes]
    public_url: str

    def __call__(
        self, message: Message, decision: Decision, activity: Activity, profile: Profile, plan: Plan, now: Micros
    ) -> Email | Parcel:
        """The message, ready for its channel. Raises BadInput with the reason why it cannot be written, Unavailable when it
        cannot be signed."""
        channel = plan.channels.get(activity.channel)
        if channel is None or activity.channel not in CHANNELS:
            raise BadInput("the plan has no sender for this channel", reason="no_channel")
        signed = token.make(message.user_id, message.channel, message.decision_id, now=now, sign=self.signer.sign)
        out = email.unsubscribe_url(self.public_url, signed)
        texts = self._texts(decision, activity, channel, profile, plan, out)
        to = address_of(activity, profile)
        if activity.channel != "email":
            return parcel.compose(decision, texts, activity=activity, channel=channel, to=to, unsubscribe=out, now=now)
        if (
            "html" in texts and not activity.transactional
        ):  # a receipt's links may open an account: they go nowhere else
            key = self.link_key(now // DAY)
            texts["html"] = link.track(texts["html"], decision, public_url=self.public_url, key=key, now=now)
        return email.compose(
            message, texts, to=to, channel=channel, unsubscribe=out, transactional=activity.transactional
        )

    def _texts(
        self, decision: Decision, activity: Activity, channel: Channel, profile: Profile, plan: Plan, out: str
    ) -> dict[str, str]:
        """What the template says to this person; nothing where a channel needs no template and the plan names none."""
        if activity.template is None:
            if CHANNELS[activity.channel].texts:
                raise BadInput("this channel needs a template", reason="no_template")
            return {}
        try:
            template = self.templates.get(activity.template)
        except NotFound:
            raise BadInput("there is no such template", reason="no_template") from None
        said = words(
            profile.traits,
            decision.context,
            unsubscribe_url=out,
            postal_address=channel.postal_address,
            currency=plan.currency,
            goal=decision.goal,
            **item_words(decision.items),
        )
        return render(template, said)


def address_of(activity: Activity, profile: Profile) -> object:
    """The person's address on the activity's channel; None where the channel itself is the address."""
    form = CHANNELS.get(activity.channel)
    return profile.trait(form.address) if form is not None and form.address is not None else None
