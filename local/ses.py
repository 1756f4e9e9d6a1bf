"""An SES that answers: it keeps what moto's drops, and tells what became of each mail.

In: every SESv2 SendEmail of this process, taken off the wire by a botocore hook. Out: an outbox of `.eml` files with
headers and tags, and events shaped as SES publishes them (SNS envelope, feedback queue), at their time on the clock.
What people do with a mail is not decided here but by the `Reader` given to it.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from local.aws import ACCOUNT, REGION
from local.clock import Clock, moment
from nudge.adapters import clients
from nudge.vocabulary import SECOND, Micros

SEND = "sesv2.SendEmail"


@dataclass(frozen=True, slots=True)
class Mail:
    """One accepted mail."""

    message_id: str
    to: tuple[str, ...]
    sender: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    tags: Mapping[str, str]
    configuration_set: str | None
    sent_at: Micros


@dataclass(frozen=True, slots=True)
class Reaction:
    """What becomes of a mail, `after` it was sent: `kind` is SES's own name of the event, `detail` its body."""

    kind: str
    after: Micros
    detail: Mapping[str, Any] = field(default_factory=dict)


type Reader = Callable[[Mail], Iterable[Reaction]]


def delivered(mail: Mail) -> list[Reaction]:
    """A reader who does nothing: the mail arrives, and that is all."""
    return [Reaction("Delivery", 2 * SECOND)]


class _Accepted:
    """What botocore wants of an HTTP answer."""

    status_code = 200
    headers: Mapping[str, str] = {}


class Ses:
    """SES for this process while it is installed."""

    def __init__(
        self,
        clock: Clock,
        outbox: Path,
        *,
        topic_arn: str,
        queue_url: str,
        raw: bool = False,
        reader: Reader = delivered,
    ) -> None:
        self._clock = clock
        self._outbox = outbox
        self._topic = topic_arn
        self._queue = queue_url
        self._raw = raw
        self.reader = reader
        self.mails: list[Mail] = []
        self._due: list[tuple[Micros, int, Mail, Reaction]] = []
        self._sqs = clients.client("sqs")

    def install(self) -> None:
        """From now on clients send here; those made before do not."""
        self._outbox.mkdir(parents=True, exist_ok=True)
        clients._session().register(f"before-call.{SEND}", self._send, unique_id="local-ses")

    def remove(self) -> None:
        clients._session().unregister(f"before-call.{SEND}", unique_id="local-ses")

    # ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def _send(self, params: dict[str, Any], **_: Any) -> tuple[_Accepted, dict[str, Any]]:
        request = json.loads(params["body"])
        number = len(self.mails)
        identity = hashlib.sha256(f"{number}/{params['body']!r}".encode()).hexdigest()
        mail = self._mail(request, f"{identity[:16]}-{identity[16:24]}-local-000000")
        self.mails.append(mail)
        self._keep(number, mail)
        self._plan(mail, [Reaction("Send", 0), *self.reader(mail)])
        return _Accepted(), {"MessageId": mail.message_id, "ResponseMetadata": {"HTTPStatusCode": 200}}

    def _mail(self, request: dict[str, Any], message_id: str) -> Mail:
        to = request.get("Destination", {})
        common = {
            "message_id": message_id,
            "to": tuple(to.get("ToAddresses", []) + to.get("CcAddresses", []) + to.get("BccAddresses", [])),
            "sender": request.get("FromEmailAddress", ""),
            "tags": {tag["Name"]: tag["Value"] for tag in request.get("EmailTags", [])},
            "configuration_set": request.get("ConfigurationSetName"),
            "sent_at": self._clock.now(),
        }
        content = request["Content"]
        if "Raw" in content:
            return Mail(**common, **_of_raw(base64.b64decode(content["Raw"]["Data"])))
        simple = content["Simple"]
        headers = {one["Name"]: one["Value"] for one in simple.get("Headers", [])}
        if request.get("ReplyToAddresses"):
            headers["Reply-To"] = ", ".join(request["ReplyToAddresses"])
        body = simple["Body"]
        return Mail(
            **common,
            subject=simple["Subject"]["Data"],
            text=body.get("Text", {}).get("Data", ""),
            html=body.get("Html", {}).get("Data", ""),
            headers=headers,
        )

    def _keep(self, number: int, mail: Mail) -> None:
        heads = {
            "From": mail.sender,
            "To": ", ".join(mail.to),
            "Subject": mail.subject,
            "Date": format_datetime(moment(mail.sent_at)),
            "Message-ID": f"<{mail.message_id}@{REGION}.amazonses.com>",
            **mail.headers,
            **{f"X-Nudge-Tag-{name}": value for name, value in mail.tags.items()},
            "MIME-Version": "1.0",
            "Content-Type": f'multipart/alternative; boundary="{mail.message_id}"',
        }
        lines = [f"{name}: {' '.join(value.split())}" for name, value in heads.items()]
        for kind, text in (("plain", mail.text), ("html", mail.html)):
            if text:
                lines += ["", f"--{mail.message_id}", f"Content-Type: text/{kind}; charset=utf-8"]
                lines += ["Content-Transfer-Encoding: 8bit", "", text]
        lines += ["", f"--{mail.message_id}--", ""]
        (self._outbox / f"{number:06d}.eml").write_text("\n".join(lines), encoding="utf-8")

    # ── answering ────────────────────────────────────────────────────────────────────────────────────────────────────
    def _plan(self, mail: Mail, reactions: Iterable[Reaction]) -> None:
        if not mail.configuration_set:
            return  # without a configuration set SES publishes nothing
        for reaction in reactions:
            heapq.heappush(self._due, (mail.sent_at + reaction.after, len(self._due), mail, reaction))

    def next_at(self) -> Micros | None:
        """When the next event is due."""
        return self._due[0][0] if self._due else None

    def emit(self) -> int:
        """Put every event that is due by now on the feedback queue; returns how many."""
        bodies = []
        while self._due and self._due[0][0] <= self._clock.now():
            at, _, mail, reaction = heapq.heappop(self._due)
            bodies.append(self._envelope(event_of(mail, reaction, at), at))
        self.publish(bodies)
        return len(bodies)

    def publish(self, bodies: Sequence[str]) -> None:
        """Queue bodies as they are."""
        for first in range(0, len(bodies), 10):
            entries = [
                {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies[first : first + 10])
            ]
            self._sqs.send_message_batch(QueueUrl=self._queue, Entries=entries)

    def _envelope(self, event: dict[str, Any], at: Micros) -> str:
        message = json.dumps(event)
        if self._raw:
            return message
        return json.dumps(
            {
                "Type": "Notification",
                "MessageId": hashlib.sha256(message.encode()).hexdigest()[:36],
                "TopicArn": self._topic,
                "Subject": "Amazon SES Email Event Notification",
                "Message": message,
                "Timestamp": _text(at),
                "SignatureVersion": "1",
                "Signature": "local",
                "SigningCertURL": f"https://sns.{REGION}.amazonaws.com/local.pem",
                "UnsubscribeURL": f"https://sns.{REGION}.amazonaws.com/?Action=Unsubscribe",
            }
        )


def event_of(mail: Mail, reaction: Reaction, at: Micros) -> dict[str, Any]:
    """An event as SES publishes it for a configuration set."""
    headers = [{"name": name, "value": value} for name, value in mail.headers.items()]
    base: dict[str, Any] = {
        "eventType": reaction.kind,
        "mail": {
            "timestamp": _text(mail.sent_at),
            "source": mail.sender,
            "sourceArn": f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/local",
            "sendingAccountId": ACCOUNT,
            "messageId": mail.message_id,
            "destination": list(mail.to),
            "headersTruncated": False,
            "headers": headers,
            "commonHeaders": {"from": [mail.sender], "to": list(mail.to), "subject": mail.subject},
            "tags": {
                **{name: [value] for name, value in mail.tags.items()},
                "ses:configuration-set": [mail.configuration_set],
                "ses:operation": ["SendEmail"],
            },
        },
    }
    body = _BODIES[reaction.kind](mail, _text(at))
    name = reaction.kind[:1].lower() + reaction.kind[1:]
    base[name] = {**body, **reaction.detail}
    return base


_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"

_BODIES: dict[str, Callable[[Mail, str], dict[str, Any]]] = {
    "Send": lambda mail, at: {},
    "Delivery": lambda mail, at: {
        "timestamp": at,
        "processingTimeMillis": 840,
        "recipients": list(mail.to),
        "smtpResponse": "250 2.6.0 Message received",
        "reportingMTA": "a.local.amazonses.com",
    },
    "Open": lambda mail, at: {"timestamp": at, "ipAddress": "192.0.2.1", "userAgent": _BROWSER},
    "Click": lambda mail, at: {
        "timestamp": at,
        "ipAddress": "192.0.2.1",
        "userAgent": _BROWSER,
        "link": "https://shop.example/",
        "linkTags": None,
    },
    "Bounce": lambda mail, at: {
        "timestamp": at,
        "feedbackId": f"bounce-{mail.message_id}",
        "bounceType": "Permanent",
        "bounceSubType": "NoEmail",
        "bouncedRecipients": [
            {"emailAddress": one, "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 unknown"}
            for one in mail.to
        ],
        "reportingMTA": "dsn; a.local.amazonses.com",
    },
    "Complaint": lambda mail, at: {
        "timestamp": at,
        "feedbackId": f"complaint-{mail.message_id}",
        "complaintSubType": None,
        "complainedRecipients": [{"emailAddress": one} for one in mail.to],
        "userAgent": "Yahoo!-Mail-Feedback/2.0",
        "complaintFeedbackType": "abuse",
        "arrivalDate": at,
    },
}


def _text(at: Micros) -> str:
    return moment(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _of_raw(data: bytes) -> dict[str, Any]:
    message = BytesParser(policy=policy.default).parsebytes(data)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    usual = {"from", "to", "subject", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding"}
    return {
        "subject": str(message.get("Subject", "")),
        "text": text.get_content() if text else "",
        "html": html.get_content() if html else "",
        "headers": {name: str(value) for name, value in message.items() if name.lower() not in usual},
    }
