"""What moto's SES v2 lacks for sending: `GetAccount`. An account that may send as much and as fast as this machine can.

In: nothing. Out: a method on moto's class of responses; a second call of `install` changes nothing.
"""

from __future__ import annotations

import json
from typing import Any

from moto.sesv2 import urls
from moto.sesv2.responses import SESV2Response

QUOTA = {"Max24HourSend": -1.0, "MaxSendRate": 1_000_000.0, "SentLast24Hours": 0.0}


def install() -> None:
    """Make moto answer `GetAccount`, in this process and as a server."""
    SESV2Response.get_account = _account  # type: ignore[attr-defined]
    urls.url_paths["{0}/v2/email/account$"] = SESV2Response.dispatch


def _account(self: Any) -> str:
    return json.dumps(
        {"SendQuota": QUOTA, "SendingEnabled": True, "ProductionAccessEnabled": True, "EnforcementStatus": "HEALTHY"}
    )
