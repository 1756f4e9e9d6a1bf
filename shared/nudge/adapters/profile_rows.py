"""How a person stands in the Profiles table. In: our nouns. Out: DynamoDB's typed maps, and back. Knows no client.

Numbers are kept as JSON text, so that a float comes back bit for bit and no Decimal is ever met.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from nudge.errors import BadInput
from nudge.vocabulary import Consent, Profile, Suppression

PERSON, ADDRESS = "person#", "address#"


def address_id(channel: str, address: str) -> str:
    """Key of an address; it holds a hash, not the address. Case and surrounding blanks do not matter."""
    return f"{ADDRESS}{channel}#{hashlib.sha256(address.strip().lower().encode()).hexdigest()}"


def _text(data: Any) -> str:
    try:
        return json.dumps(data, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as wrong:
        raise BadInput(f"a profile cannot be stored: {wrong}", reason="not_storable") from None


def profile_map(profile: Profile) -> tuple[dict[str, Any], int]:
    """What `save` writes, and its weight in bytes. The stored version is one higher than the one that was read.

    Raises
    ------
    BadInput
        When a number is not finite, or a value has no JSON form.
    """
    state, traits, seen = _text(dict(profile.state)), _text(dict(profile.traits)), profile.seen or b""
    weight = len(state.encode()) + len(traits.encode()) + len(seen)
    whole = "\n".join((profile.user_id, str(profile.version), state, traits)).encode() + seen
    written = {
        "state": {"S": state},
        "traits": {"S": traits},
        "seen": {"B": seen},
        "version": {"N": str(profile.version + 1)},
        "writer": {"S": hashlib.sha256(whole).hexdigest()[:32]},
    }
    return {"M": written}, weight


def consent_map(consent: Consent) -> dict[str, Any]:
    return {"M": {"granted": {"BOOL": consent.granted}, "at": {"N": str(consent.at)}, "source": {"S": consent.source}}}


def suppression_map(suppression: Suppression) -> dict[str, Any]:
    return {"M": {"reason": {"S": suppression.reason}, "at": {"N": str(suppression.at)}}}


def person(item: dict[str, Any]) -> Profile:
    """The person of a row. A row that only has flags is a person without numbers, version 0."""
    held = item.get("profile", {}).get("M")
    consents: dict[str, Consent] = {}
    suppressions: dict[str, Suppression] = {}
    for name, attribute in item.items():
        kind, _, channel = name.partition("_")
        if kind == "consent":
            flag = attribute["M"]
            consents[channel] = Consent(flag["granted"]["BOOL"], int(flag["at"]["N"]), flag["source"]["S"])
        elif kind == "suppressed":
            suppressions[channel] = Suppression(attribute["M"]["reason"]["S"], int(attribute["M"]["at"]["N"]))
    user_id = item["id"]["S"].removeprefix(PERSON)
    if held is None:
        return Profile(user_id, consents=consents, suppressions=suppressions, seen=b"")
    traits = json.loads(held["traits"]["S"])
    return Profile(
        user_id=user_id,
        state=json.loads(held["state"]["S"]),
        traits={name: (value, at) for name, (value, at) in traits.items()},
        consents=consents,
        suppressions=suppressions,
        seen=bytes(held["seen"]["B"]),
        version=int(held["version"]["N"]),
    )
