"""How a person stands in the Profiles table. In: our nouns. Out: DynamoDB's typed maps, and back. Knows no client.

Numbers are kept as JSON text, so that a float comes back bit for bit and no Decimal is ever met.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from nudge.decide.dead import RETOLD, normal
from nudge.errors import BadInput
from nudge.jsontext import loads
from nudge.vocabulary import LIFTED, Consent, Micros, Profile, Suppression

PERSON, ADDRESS = "person#", "address#"


def address_id(channel: str, address: str) -> str:
    """Key of an address; it holds a hash, not the address. Case and blanks do not matter, nor does how a number is written."""
    return f"{ADDRESS}{channel}#{hashlib.sha256(normal(channel, address).encode()).hexdigest()}"


def _text(data: Any) -> str:
    try:
        return json.dumps(data, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as wrong:
        raise BadInput(f"a profile cannot be stored: {wrong}", reason="not_storable") from None


def row(profile: Profile) -> tuple[dict[str, Any], int]:
    """The whole row that `save` writes, and its weight in bytes. Its version is one higher than the one that was read.

    Raises
    ------
    BadInput
        When a number is not finite, or a value has no JSON form.
    """
    state, traits, seen = _text(dict(profile.state)), _text(dict(profile.traits)), profile.seen or b""
    whole = "\n".join((profile.user_id, str(profile.version), state, traits)).encode() + seen
    item: dict[str, Any] = {
        "id": {"S": PERSON + profile.user_id},
        "numbers": {"S": state},
        "traits": {"S": traits},
        "seen": {"B": seen},
        "version": {"N": str(profile.version + 1)},
    }
    item |= {f"consent_{channel}": consent_map(one) for channel, one in profile.consents.items()}
    item |= {f"suppressed_{channel}": suppression_map(one) for channel, one in profile.suppressions.items()}
    flags = repr((sorted(profile.consents.items(), key=str), sorted(profile.suppressions.items(), key=str))).encode()
    item["writer"] = {"S": hashlib.sha256(whole + flags).hexdigest()[:32]}
    return item, len(whole)


def consent_map(consent: Consent) -> dict[str, Any]:
    return {"M": {"granted": {"BOOL": consent.granted}, "at": {"N": str(consent.at)}, "source": {"S": consent.source}}}


def suppression_map(suppression: Suppression) -> dict[str, Any]:
    held = {"reason": {"S": suppression.reason}, "at": {"N": str(suppression.at)}}
    return {"M": held if suppression.of is None else held | {"of": {"S": suppression.of}}}


def suppression_of(attribute: dict[str, Any]) -> Suppression:
    held = attribute["M"]
    return Suppression(held["reason"]["S"], int(held["at"]["N"]), held["of"]["S"] if "of" in held else None)


def holds(suppression: Suppression, told_at: Micros) -> bool:
    """Whether nothing may go to an address; `told_at`: when it was last told."""
    retold = suppression.reason in RETOLD and told_at > suppression.at
    return suppression.reason != LIFTED and not retold


def person(item: dict[str, Any]) -> Profile:
    """The person of a row. A row that only has flags is a person without numbers."""
    consents: dict[str, Consent] = {}
    suppressions: dict[str, Suppression] = {}
    for name, attribute in item.items():
        kind, _, channel = name.partition("_")
        if kind == "consent":
            flag = attribute["M"]
            consents[channel] = Consent(flag["granted"]["BOOL"], int(flag["at"]["N"]), flag["source"]["S"])
        elif kind == "suppressed":
            suppressions[channel] = suppression_of(attribute)
    traits = loads(item["traits"]["S"]) if "traits" in item else {}
    return Profile(
        user_id=item["id"]["S"].removeprefix(PERSON),
        state=loads(item["numbers"]["S"]) if "numbers" in item else {},
        traits={name: (value, at) for name, (value, at) in traits.items()},
        consents=consents,
        suppressions=suppressions,
        seen=bytes(item["seen"]["B"]) if "seen" in item else b"",
        version=int(item["version"]["N"]),
    )
