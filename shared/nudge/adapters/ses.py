"""E-mail through SES v2 as the port `Mailer`. One call is one attempt: the client must be built with `attempts=1`.

What an error means is decided here, once. About *this mail*: refused, never again. About *our account or the moment*: later, nothing
was sent. No answer, or an answer that something broke on their side: unsure, and then nobody sends it again.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)

from nudge.adapters.clients import code
from nudge.ports import Refused, Throttled, Unsure
from nudge.vocabulary import Email

THIS_MAIL = {
    "MessageRejected": "rejected",
    "BadRequestException": "bad_request",
    "InvalidParameterValue": "bad_request",
    "ValidationException": "bad_request",
}
"""Sending the same mail again cannot help."""

BROKEN = {"InternalFailure", "InternalServerError", "InternalServiceErrorException", "ServiceUnavailable"}
"""They do not say whether the mail left."""

NEVER_LEFT = (EndpointConnectionError, ConnectTimeoutError, NoCredentialsError)
"""No byte of the request reached SES."""


class SesMailer:
    """`Mailer` over an SES v2 client and a configuration set, whose event destination tells what becomes of each mail."""

    def __init__(self, sesv2: Any, configuration_set: str) -> None:
        self._sesv2 = sesv2
        self._configuration_set = configuration_set

    def send(self, email: Email) -> str:
        try:
            answer = self._sesv2.send_email(**self._asked(email))
        except ClientError as error:
            raise _meaning(error) from error
        except ParamValidationError as error:
            raise Refused("bad_request") from error
        except NEVER_LEFT as error:
            raise Throttled(type(error).__name__) from error
        except BotoCoreError as error:
            raise Unsure(type(error).__name__) from error
        return str(answer["MessageId"])

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


def _meaning(error: ClientError) -> Exception:
    """Refused, Throttled or Unsure. Whatever is neither about this mail nor a breakdown is a definite "not now": throttling,
    quota, a paused or suspended account, a missing identity or configuration set, our own permissions."""
    name = code(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    if name in THIS_MAIL:
        return Refused(THIS_MAIL[name])
    if name in BROKEN or status >= 500:
        return Unsure(name)
    return Throttled(name)


def _text(data: str) -> dict[str, str]:
    return {"Data": data, "Charset": "UTF-8"}


def _encoded(sender: str) -> str:
    """`Name <address>` with the name as SES wants it: RFC 2047 where it is not ASCII."""
    if sender.isascii():
        return sender
    from email.utils import formataddr, parseaddr

    return formataddr(parseaddr(sender), "utf-8")
