"""E-mail through SES v2. One call is one attempt: the client must be built with `attempts=1`, its retry would be a second mail."""

from __future__ import annotations

from typing import Any

from nudge.act.email import must_unsubscribe
from nudge.adapters.channels.attempt import attempt
from nudge.adapters.clients import client
from nudge.errors import BadInput
from nudge.ports import Refused
from nudge.vocabulary import Email

REFUSALS = {
    "MessageRejected": "rejected",
    "BadRequestException": "bad_request",
    "InvalidParameterValue": "bad_request",
    "ValidationException": "bad_request",
}
"""Sending the same mail again cannot help."""


def make(*, configuration_set: str, **_: Any) -> SesMailer:
    """The sender of this function's surroundings."""
    return SesMailer(client("sesv2", attempts=1), configuration_set)


class SesMailer:
    """`Sender[Email]` over an SES v2 client and a configuration set, whose event destination tells what becomes of each mail."""

    repeats = False

    def __init__(self, sesv2: Any, configuration_set: str) -> None:
        self._sesv2 = sesv2
        self._configuration_set = configuration_set

    def send(self, email: Email, /) -> str:
        try:
            must_unsubscribe(email)
        except BadInput as wrong:
            raise Refused(wrong.reason) from None
        return str(attempt(lambda: self._sesv2.send_email(**self._asked(email)), REFUSALS)["MessageId"])

    def _asked(self, email: Email) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "FromEmailAddress": _encoded(email.sender),
            "Destination": {"ToAddresses": [email.to]},
            "Content": {
                "Simple": {
                    "Subject": _text(email.subject),
                    "Body": {"Text": _text(email.text), "Html": _text(email.html)},
                    "Headers": [{"Name": name, "Value": value} for name, value in email.headers.items()],
                }
            },
            "EmailTags": [{"Name": name, "Value": value} for name, value in email.tags.items()],
            "ConfigurationSetName": self._configuration_set,
        }
        if email.reply_to:
            asked["ReplyToAddresses"] = [_encoded(email.reply_to)]
        return asked


def _text(data: str) -> dict[str, str]:
    return {"Data": data, "Charset": "UTF-8"}


def _encoded(sender: str) -> str:
    """`Name <address>` with the name as SES wants it: RFC 2047 where it is not ASCII."""
    if sender.isascii():
        return sender
    from email.utils import formataddr, parseaddr

    return formataddr(parseaddr(sender), "utf-8")
