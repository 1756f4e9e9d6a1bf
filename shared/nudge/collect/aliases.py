"""Column names of others become ours. A header and a kind come in; our names go out, an unknown one stays as it is.

Recognised without configuration: Segment, RudderStack, Klaviyo, Mailchimp, Mautic, Dittofeed, Pinpoint exports, Amazon
Personalize, GA4 exports. Case, blanks, underscores, hyphens and dots do not matter (`Email Address`, `EMAIL_ADDRESS`,
`emailAddress`). A mapping in the plan (`columns: {theirs: ours}`) goes before all of it. Knows no value.

Our names for what is not a column of the lake but says something about one: `anonymous_id` (the person where `user_id` is
empty; after it `email`, then `phone`: Mailchimp's and Klaviyo's files name people by address alone), `updated_at` (since
when the row holds), `email_opt_out` and `sms_opt_out` (the contrary of a consent: Mautic's doNotEmail, Pinpoint's OptOut).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Final

from nudge.vocabulary import Kind

# Ours → theirs, folded; where several columns of a file mean the same, the one that stands first here is taken.
_PERSON: Final = {
    "user_id": "userid customerid personid profileid contactid subscriberid memberid externalid useruserid distinctid",
    "anonymous_id": "anonymousid userpseudoid visitorid",
    "email": "email emailaddress mail useremail contactemail",
    "phone": "phone phonenumber smsphonenumber mobilephone mobile telephone",
}
_USERS: Final = _PERSON | {
    "user_id": f"{_PERSON['user_id']} id",
    "timezone": "timezone tz demographictimezone contexttimezone",
    "locale": "locale demographiclocale contextlocale language",
    "created_at": "createdat created dateadded creationdate signupdate registeredat registrationdate",
    "updated_at": "updatedat lastchanged effectivedate lastupdated lastmodified timestamp",
    "email_consent": "emailconsent emailmarketingconsent emailoptin acceptsemailmarketing emailsubscribed",
    "email_consent_at": "emailconsentat emailconsenttimestamp optintime confirmtime",
    "email_consent_source": "emailconsentsource consentsource",
    "email_opt_out": "emailoptout donotemail optout",
    "sms_consent": "smsconsent smsmarketingconsent smsoptin acceptssmsmarketing",
    "sms_consent_at": "smsconsentat smsconsenttimestamp",
    "sms_consent_source": "smsconsentsource",
    "sms_opt_out": "smsoptout donotsms",
    "push_consent": "pushconsent pushoptin pushsubscribed pushenabled",
    "push_consent_at": "pushconsentat pushconsenttimestamp",
    "push_consent_source": "pushconsentsource",
    "push_opt_out": "pushoptout donotpush",
    "first_name": "firstname fname givenname",
    "last_name": "lastname lname surname familyname",
}
_EVENTS: Final = _PERSON | {
    "event_type": "eventtype event eventname metricname metric type",
    "event_time": "eventtime timestamp eventtimestamp originaltimestamp occurredat datetime time eventdate date",
    "event_id": "eventid messageid insertid",
    "event_action": "eventaction",
    "item_id": "itemid productid contentid actionid sku",
    "category": "category itemcategory productcategory",
    "value": "value eventvalue revenue eventvalueinusd ecommercepurchaserevenue amount total",
    "currency": "currency currencycode",
    "channel": "channel",
    "decision_id": "decisionid",
    "received_at": "receivedat",
}
_ITEMS: Final = {
    "item_id": "itemid productid contentid sku id",
    "title": "title name productname itemname",
    "category": "category itemcategory productcategory categoryl1 genres",
    "price": "price",
    "text": "text description body",
    "available_from": "availablefrom creationtimestamp startdate",
    "available_to": "availableto enddate",
    "updated_at": "updatedat lastchanged lastmodified",
}
_TABLES: Final[Mapping[Kind, Mapping[str, str]]] = {
    "users": _USERS,
    "events": _EVENTS,
    "outcomes": _EVENTS,
    "items": _ITEMS,
    "decisions": {},
}
_PINPOINT: Final = {"address": ("email", 0)}
"""An endpoint's address, beside its ChannelType; in any other file an address is where someone lives."""
_SAY_LITTLE: Final = ("type", "date", "time", "id", "name")
_FOLDED_AWAY: Final = re.compile(r"[\s_\-.$]+")


def folded(name: str) -> str:
    """A name without what does not matter.

    >>> folded("Email Consent Timestamp"), folded("$insert_id"), folded("User.UserId")
    ('emailconsenttimestamp', 'insertid', 'useruserid')
    """
    return _FOLDED_AWAY.sub("", name).lower()


def canonical(header: Sequence[str], kind: Kind, overrides: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Our name for each column of a header, in its order; a column that we do not know keeps its own name.

    Each name of ours is given once: to a column the plan maps to it, else to the one that says it best. The rest of such
    columns stay what they are: attributes or properties under their own names.

    >>> canonical(("Email Address", "First Name", "Tags"), "users")
    ('email', 'first_name', 'Tags')
    >>> canonical(("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"), "events")
    ('user_id', 'item_id', 'event_time', 'event_type', 'value')
    """
    planned = {folded(theirs): ours for theirs, ours in (overrides or {}).items()}
    ranks = _ranks(kind)
    if kind == "users" and "channeltype" in map(folded, header):
        ranks = _PINPOINT | ranks
    best: dict[str, tuple[int, int]] = {}
    for position, name in enumerate(header):
        ours, rank = (planned[folded(name)], -1) if folded(name) in planned else ranks.get(folded(name), (name, 0))
        if ours not in best or (rank, position) < best[ours]:
            best[ours] = (rank, position)
    names = [name.strip() for name in header]
    for ours, (_, position) in best.items():
        names[position] = ours
    taken = {position: ours for ours, (_, position) in best.items()}
    for position, name in enumerate(names):
        if position not in taken and name in best:
            names[position] = f"{name}_{position + 1}"
    return tuple(names)


def naming(
    kind: Kind, overrides: Mapping[str, str] | None = None, header: Sequence[str] | None = None
) -> Callable[[str], str | None]:
    """A function from a column's name to ours, or None for one we do not know; `header`, where there is one, lets the best win.

    Without a header (JSON) each name is looked at alone: the first of a row that means the same wins there.
    """
    planned = {folded(theirs): ours for theirs, ours in (overrides or {}).items()}
    known = set(_TABLES[kind])
    if header is not None:
        given = dict(zip(header, canonical(header, kind, overrides), strict=True))
        return lambda name: given[name] if given.get(name) in known else None
    ranks = _ranks(kind)

    def name_of(name: str) -> str | None:
        bare = folded(name)
        return planned.get(bare) or ranks.get(bare, (None, 0))[0]

    return name_of


def kind_names(header: Sequence[str]) -> set[str]:
    """Which of our names a header has whose kind is not known; names as common as `type` or `date` say nothing here."""
    telling = [name for name in header if folded(name) not in _SAY_LITTLE]
    return set(canonical(telling, "events")) | (set(canonical(telling, "items")) & {"item_id"})


def who(names: Iterable[str]) -> str | None:
    """Which of our columns names the person of a row when it is alone in the file: `user_id`, else the next best."""
    held = set(names)
    return next((name for name in ("user_id", "anonymous_id", "email", "phone") if name in held), None)


@cache
def _ranks(kind: Kind) -> dict[str, tuple[str, int]]:
    """Folded name → (our name, how well it says it; 0 is best)."""
    found: dict[str, tuple[str, int]] = {}
    for ours, theirs in _TABLES[kind].items():
        for rank, name in enumerate(theirs.split()):
            found.setdefault(name, (ours, rank))
    return found
