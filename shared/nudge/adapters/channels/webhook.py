"""Webhooks: a POST over HTTPS to the address in the plan, signed, and never to an address that is not public.

The host is resolved once, and the connection is made to that very address (so that a second answer of the DNS cannot move it); the
certificate must be the host's. No redirect is followed, no proxy is asked, and of the answer only the status is read, within a time
and a size. The delivery id stays the same over all attempts: doubt may be sent again.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit

from nudge.act import webhook as signing
from nudge.adapters.channels.public_address import is_public
from nudge.errors import BadInput, NotFound, Unavailable
from nudge.ports import Refused, Secrets, Throttled, Unsure
from nudge.vocabulary import SECOND, Parcel

CONNECT_SECONDS, LONGEST_SECONDS = 3.0, 13.0
LARGEST_HEAD = 32 * 1024
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]")
STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r\n")
LATER = {408, 425, 429}

type Resolve = Callable[[str, int], list[str]]
type Connect = Callable[[tuple[str, int], float], socket.socket]


def make(*, secrets: Secrets, **_: Any) -> WebhookSender:
    """The sender of this function's surroundings."""
    return WebhookSender(secrets)


def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system's resolver says. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class WebhookSender:
    """`Sender[Parcel]`. `resolve`, `connect` and `tls` are the world's; tests bring their own."""

    repeats = True

    def __init__(
        self,
        secrets: Secrets,
        *,
        resolve: Resolve = resolved,
        connect: Connect = socket.create_connection,
        tls: ssl.SSLContext | None = None,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        self._secrets, self._resolve, self._connect = secrets, resolve, connect
        self._tls, self._longest_seconds = tls, longest_seconds

    def send(self, parcel: Parcel, /) -> str:
        url = target(parcel.channel.url or "")
        body = json.dumps(parcel.facts, ensure_ascii=False, allow_nan=False).encode()
        said = self._headers(parcel, body, url)
        with closing(self._open(url), self._longest_seconds) as link:
            _shake_hands(link)
            status = _post(link, url, said, body)
        return _meaning(status, parcel.delivery_id)

    def _headers(self, parcel: Parcel, body: bytes, url: SplitResult) -> dict[str, str]:
        try:
            secret = self._secrets.get(parcel.channel.secret_name or "")
            signed = signing.headers(parcel.delivery_id, body, seconds=parcel.at // SECOND, secret=secret)
        except (Unavailable, NotFound) as error:
            raise Throttled(f"secret_{type(error).__name__.lower()}") from None
        except BadInput as wrong:
            raise Throttled(wrong.reason) from None
        host = url.netloc
        return {
            "Host": host,
            "User-Agent": "nudge",
            "Content-Type": "application/json",
            "Connection": "close",
            **signed,
        }

    def _open(self, url: SplitResult) -> ssl.SSLSocket:
        """A connection to the host at an address that was checked, TLS not begun. Raises Refused or Throttled."""
        host, port = url.hostname or "", url.port or 443
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise Throttled(f"dns_{type(error).__name__.lower()}") from None
        if not found or not all(is_public(one) for one in found):
            raise Refused("private_address")
        tls = self._tls or ssl.create_default_context()
        try:
            plain = self._connect((found[0], port), CONNECT_SECONDS)
        except OSError as error:
            raise Throttled(f"connect_{type(error).__name__.lower()}") from None
        try:
            return tls.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        except (OSError, ValueError) as error:
            plain.close()
            raise Throttled(f"tls_{type(error).__name__.lower()}") from None


@contextmanager
def closing(link: ssl.SSLSocket, seconds: float) -> Iterator[ssl.SSLSocket]:
    """The connection for so long and no longer: whoever drips a byte a second is cut off all the same."""

    def cut() -> None:
        with suppress(OSError):
            socket.socket.shutdown(link, socket.SHUT_RDWR)

    guard = threading.Timer(seconds, cut)
    guard.daemon = True
    guard.start()
    try:
        yield link
    finally:
        guard.cancel()
        link.close()


def _shake_hands(link: ssl.SSLSocket) -> None:
    """Raises Throttled when there is no TLS, or the certificate is not the host's: nothing was sent."""
    try:
        link.do_handshake()
    except (OSError, ValueError) as error:
        raise Throttled(f"tls_{type(error).__name__.lower()}") from None


def _post(link: ssl.SSLSocket, url: SplitResult, said: dict[str, str], body: bytes) -> int:
    """The status of the answer. Raises Unsure: bytes have left."""
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    head = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
    head.append(f"Content-Length: {len(body)}")
    try:
        link.settimeout(LONGEST_SECONDS)
        link.sendall("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body)
        return _status(link)
    except (OSError, ValueError) as error:
        raise Unsure(type(error).__name__) from None


def _status(link: ssl.SSLSocket) -> int:
    """The status of the final answer; 1xx are passed over. Nothing after the status line is of use, and it is not read."""
    held = b""
    while len(held) < LARGEST_HEAD and (block := link.recv(4096)):
        held += block
        while (found := STATUS.match(held)) and found[1].startswith(b"1") and b"\r\n\r\n" in held:
            held = held.partition(b"\r\n\r\n")[2]
        if found and not found[1].startswith(b"1"):
            return int(found[1])
    raise Unsure("no_status")


def target(text: str) -> SplitResult:
    """The address of a webhook: https, a host of ASCII letters, no name or password. Raises Refused `bad_url`."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise Refused("bad_url") from None
    clean = text.isascii() and text.isprintable() and " " not in text
    if not clean or url.scheme != "https" or "@" in url.netloc or port == 0:
        raise Refused("bad_url")
    name = url.netloc.rpartition(":")[0] if port is not None else url.netloc
    if not HOST.fullmatch(name.rstrip(":")):
        raise Refused("bad_url")
    return url


def _meaning(status: int, delivery_id: str) -> str:
    """2xx: taken. 3xx: we do not follow. 408, 425, 429: later. 5xx: nobody knows. Other 4xx: not this one."""
    if 200 <= status < 300:
        return delivery_id
    if status in LATER:
        raise Throttled(f"http_{status}")
    if status >= 500:
        raise Unsure(f"http_{status}")
    raise Refused("redirected" if 300 <= status < 400 else f"http_{status}")
