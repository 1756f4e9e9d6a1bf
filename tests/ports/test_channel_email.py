"""The channel e-mail: what SES is asked, and what each of its errors means."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from nudge.adapters.channels.email import SesMailer
from nudge.adapters.clients import client
from nudge.ports import Refused, Throttled, Unsure
from nudge.vocabulary import Email

MAIL = Email(
    to="ana@customer.example",
    sender="Größe <news@shop.example>",
    subject="Grüße",
    text="Hi https://n.example/u/t",
    html='<p>Hi</p><a href="https://n.example/u/t">stop</a>',
    headers={"List-Unsubscribe": "<https://n.example/u/t>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    tags={"decision_id": "d1", "activity": "a"},
    reply_to="help@shop.example",
)


class Sesv2:
    """A client that answers or raises as it is told."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error, self.asked = error, dict[str, Any]()

    def send_email(self, **asked: Any) -> dict[str, str]:
        self.asked = asked
        if self.error is not None:
            raise self.error
        return {"MessageId": "ses-1"}


def client_error(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "SendEmail")  # type: ignore[typeddict-item]


def test_everything_a_mail_says_is_asked_of_ses() -> None:
    ses = Sesv2()
    assert SesMailer(ses, "mails").send(MAIL) == "ses-1"
    simple = ses.asked["Content"]["Simple"]
    assert {one["Name"]: one["Value"] for one in simple["Headers"]} == MAIL.headers
    assert simple["Subject"] == {"Data": "Grüße", "Charset": "UTF-8"}
    assert {one["Name"]: one["Value"] for one in ses.asked["EmailTags"]} == MAIL.tags
    assert ses.asked["ConfigurationSetName"] == "mails"
    assert ses.asked["Destination"] == {"ToAddresses": ["ana@customer.example"]}
    assert ses.asked["FromEmailAddress"] == "=?utf-8?b?R3LDtsOfZQ==?= <news@shop.example>"


def test_the_request_has_the_shape_that_the_sdk_checks(aws: None) -> None:
    sesv2 = client("sesv2", attempts=1)
    sesv2.create_email_identity(EmailIdentity="news@shop.example")
    assert SesMailer(sesv2, "mails").send(MAIL)


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (client_error("TooManyRequestsException", 429), Throttled),
        (client_error("ThrottlingException"), Throttled),
        (client_error("Throttling"), Throttled),
        (client_error("LimitExceededException"), Throttled),
        (client_error("AccountSuspendedException"), Throttled),
        (client_error("SendingPausedException"), Throttled),
        (client_error("MailFromDomainNotVerifiedException"), Throttled),
        (client_error("NotFoundException", 404), Throttled),
        (client_error("AccessDeniedException", 403), Throttled),
        (client_error("MessageRejected"), Refused),
        (client_error("BadRequestException"), Refused),
        (client_error("InternalFailure", 500), Unsure),
        (client_error("InternalServerError", 409), Unsure),
        (client_error("Whatever", 503), Unsure),
        (EndpointConnectionError(endpoint_url="x"), Throttled),
        (ConnectTimeoutError(endpoint_url="x"), Throttled),
        (NoCredentialsError(), Throttled),
        (ReadTimeoutError(endpoint_url="x"), Unsure),
        (ConnectionClosedError(endpoint_url="x"), Unsure),
        (BotoCoreError(), Unsure),
        (ParamValidationError(report="x"), Refused),
    ],
)
def test_each_error_is_later_never_or_doubt(error: Exception, meaning: type[Exception]) -> None:
    with pytest.raises(meaning):
        SesMailer(Sesv2(error), "mails").send(MAIL)


def test_the_client_never_tries_twice() -> None:
    assert client("sesv2", attempts=1).meta.config.retries["total_max_attempts"] == 1
