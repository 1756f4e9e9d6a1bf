"""Each channel with its world behind it, made to answer in every way that matters. Out: rigs that one suite can drive."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from nudge.adapters.channels.email import SesMailer
from nudge.adapters.channels.event import EventSender
from nudge.adapters.channels.push import PushSender
from nudge.adapters.channels.sms import SmsSender
from nudge.adapters.channels.webhook import WebhookSender
from nudge.adapters.memory_sender import MemorySender
from nudge.errors import NotFound
from nudge.ports import Refused, Sender, Throttled, Unsure
from nudge.vocabulary import Channel, Email, Parcel
from tests.acting import NOON

HOST = "hooks.shop.example"
PUBLIC = "93.184.216.34"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PHONE, ADDRESS = "+4915112345678", "ana@customer.example"
ENDPOINT = "arn:aws:sns:eu-central-1:123456789012:endpoint/GCM/shop/0a1b"
PRIVATE = (PHONE, PHONE[1:], ADDRESS, ENDPOINT, SECRET)
"""What must be in no error."""

MAIL = Email(
    to=ADDRESS,
    sender="Shop <news@shop.example>",
    subject="Hi",
    text="Hi https://n.example/u/t",
    html='<a href="https://n.example/u/t">stop</a>',
    headers={"List-Unsubscribe": "<https://n.example/u/t>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    tags={"decision_id": "d1"},
)


def parcel(name: str, to: str = "", url: str = f"https://{HOST}/nudge?a=1") -> Parcel:
    channel = Channel(name, origination="pool-1", url=url, secret_name="hooks", bus="shop")
    facts = {"specversion": "1.0", "id": "d1", "source": "nudge", "type": "nudge.decision", "data": {"user_id": "ana"}}
    return Parcel("d1", channel, to, {"text": "10 % off. STOP to end", "subject": "Hi"}, facts, NOON)


class Answers:
    """A client of AWS whose every operation answers, or raises, as it is told."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.error: BaseException | None = None
        self.answer: dict[str, Any] = {"MessageId": "m-1", "Entries": [{"EventId": "m-1"}]}

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def call(**asked: Any) -> dict[str, Any]:
            self.asked.append({"operation": operation, **asked})
            if self.error is not None:
                raise self.error
            return self.answer

        return call


def client_error(code: str, status: int = 400, **more: Any) -> ClientError:
    told = {"Error": {"Code": code, "Message": f"about {ADDRESS} {PHONE} {ENDPOINT}"}, **more}
    return ClientError({**told, "ResponseMetadata": {"HTTPStatusCode": status}}, "Send")  # type: ignore[typeddict-item]


@dataclass
class Rig:
    """A channel. `set_up` makes its world `take`, `throttle`, `refuse` or leave it `unsure`; `sent` counts what left."""

    sender: Sender[Any]
    composed: Email | Parcel
    set_up: Callable[[str], None]
    sent: Callable[[], int]


def of_aws(make: Callable[[Answers], Sender[Any]], composed: Email | Parcel, refusal: ClientError) -> Rig:
    """A channel over a client of AWS."""
    client = Answers()
    errors = {
        "take": None,
        "throttle": client_error("ThrottlingException"),
        "refuse": refusal,
        "unsure": ReadTimeoutError(endpoint_url=f"https://x.example/?to={ADDRESS}"),
        "broken": client_error("InternalFailure", 500),
    }
    return Rig(make(client), composed, lambda how: setattr(client, "error", errors[how]), lambda: len(client.asked))


def of_memory() -> Rig:
    """The channel of tests."""
    sender = MemorySender[Email]()
    errors = {"throttle": Throttled("x"), "refuse": Refused("bad_request")}

    def set_up(how: str) -> None:
        def answer(_: Email) -> None:
            if how in errors:
                raise errors[how]

        def lose(_: Email) -> None:
            if how in ("unsure", "broken"):
                raise Unsure("x")

        sender.before, sender.after = answer, lose

    return Rig(sender, MAIL, set_up, lambda: len(sender.sent))


# ── a receiver of webhooks ───────────────────────────────────────────────────────────────────────────────────────────
class Secrets:
    def get(self, name: str) -> str:
        if name != "hooks":
            raise NotFound("no such secret")
        return SECRET


class Receiver(HTTPServer):
    """HTTPS on loopback with a certificate for `HOST`; `how` it answers."""

    how = "take"

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.connected: list[tuple[str, int]] = []
        self.server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.client_tls = ssl.create_default_context(cafile=certificate(folder, self.server_tls))
        self.socket = self.server_tls.wrap_socket(self.socket, server_side=True)

    def connect(self, address: tuple[str, int], seconds: float) -> socket.socket:
        """The world's wire: whoever goes to the public address arrives here."""
        self.connected.append(address)
        return socket.create_connection(self.server_address[:2], seconds)  # type: ignore[arg-type]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no matter."""


class _Hook(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        getattr(self, f"_{self.server.how}")()

    def _status(self, code: int, **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _take(self) -> None:
        self._status(200)

    def _throttle(self) -> None:
        self._status(429, **{"Retry-After": "60"})

    def _refuse(self) -> None:
        self._status(410)

    def _broken(self) -> None:
        self._status(500)

    def _redirect(self) -> None:
        self._status(301, Location="https://169.254.169.254/latest/meta-data/")

    def _unsure(self) -> None:
        self.connection.close()

    def _drip(self) -> None:
        for number in range(200):
            self.wfile.write(b"HTTP/1.1 200 OK"[number : number + 1] or b"!")
            time.sleep(0.05)

    def _endless(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 ")
        for _ in range(4000):
            self.wfile.write(b"y" * 1000)

    def _hints(self) -> None:
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        self._status(200)

    def _gibberish(self) -> None:
        self.wfile.write(b"SSH-2.0-OpenSSH\r\n")

    def _large(self) -> None:
        self._status(200, **{"Content-Length": str(10 << 30), "Content-Encoding": "gzip"})
        self.wfile.write(b"\x1f\x8b" + b"0" * 100_000)

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


def certificate(folder: Path, server: ssl.SSLContext) -> str:
    """A certificate of our own for `HOST`, loaded into the server; the path of what clients must trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    own, trusted = folder / "key.pem", folder / "certificate.pem"
    own.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    server.load_cert_chain(trusted, own)
    return str(trusted)


@contextmanager
def receiving(folder: Path) -> Iterator[Receiver]:
    """A receiver that runs."""
    with Receiver(folder) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join()


def hook(receiver: Receiver, addresses: tuple[str, ...] = (PUBLIC,), seconds: float = 2.0) -> WebhookSender:
    """A sender to that receiver, whose host has these addresses."""
    return WebhookSender(
        Secrets(),
        resolve=lambda host, port: list(addresses),
        connect=receiver.connect,
        tls=receiver.client_tls,
        longest_seconds=seconds,
    )


def of_webhook(receiver: Receiver) -> Rig:
    """The channel webhook."""
    return Rig(hook(receiver), parcel("webhook"), lambda how: setattr(receiver, "how", how), lambda: len(receiver.got))


AWS: dict[str, Callable[[], Rig]] = {
    "memory": of_memory,
    "email": lambda: of_aws(lambda one: SesMailer(one, "mails"), MAIL, client_error("MessageRejected")),
    "sms": lambda: of_aws(
        lambda client: SmsSender(client, "texts"),
        parcel("sms", PHONE),
        client_error("ConflictException", Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT"),
    ),
    "push": lambda: of_aws(PushSender, parcel("push", ENDPOINT), client_error("EndpointDisabled")),
    "event": lambda: of_aws(EventSender, parcel("event"), client_error("ValidationException")),
}


def facts(body: bytes) -> dict[str, Any]:
    """What a receiver reads."""
    return dict(json.loads(body))
