"""The API on this machine: the template's routes over HTTP, with the console, the outbox and the report page beside them.

In: HTTP requests on loopback. Out: what the doors answer. Routes that want a token in the cloud want the local one here (it
is printed at the start); `/`, `/outbox` and `/report` are this server's own, for eyes. The console signs in by itself: its page is
given the token, as whoever reads pages of this machine's loopback sees the report and the outbox anyway. Queues, streams and
schedules run in the background, in real time. One request at a time reaches the doors, as in one warm Lambda.
"""

from __future__ import annotations

import html
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from email import policy
from email.parser import BytesParser
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from local.clock import RealClock
from local.http import Answer, match
from local.laptop import Laptop
from local.schedule import Due

LARGEST = 10 * 1024 * 1024
EVERY_SECONDS = 1.0
UNKEPT = {"cache-control": "no-store"}
STYLE = "<style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}td,th{text-align:left;padding:.2rem .8rem .2rem 0}</style>"


class Server:
    """A laptop that listens. `token` is what callers of the API send as `Authorization: Bearer …`."""

    def __init__(self, laptop: Laptop, port: int, token: str) -> None:
        self.laptop = laptop
        self.token = token
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._due = Due(laptop.part.schedules, laptop.clock.now())
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._threads = [
            threading.Thread(target=self._http.serve_forever, daemon=True),
            threading.Thread(target=self._work, daemon=True),
        ]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Answer what was begun, then end."""
        self._stop.set()
        self._http.shutdown()
        self._http.server_close()
        for thread in self._threads:
            thread.join(timeout=10)

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """What a request gets: a page of our own, or the answer of the route's door."""
        path, query = urlsplit(target).path, urlsplit(target).query
        if method == "GET" and (page := self._page(path, query, headers)) is not None:
            return page
        found = match(self.laptop.part.api.routes, method, path)
        if found is not None and found[0].authorised and not self._known(headers):
            return Answer(401, '{"message":"Unauthorized"}', {"content-type": "application/json"})
        with self._lock:
            return self.laptop.request(method, target, body or None, headers)

    def _known(self, headers: dict[str, str]) -> bool:
        return secrets.compare_digest(headers.get("authorization", "").encode(), f"Bearer {self.token}".encode())

    def _work(self) -> None:
        """Queues, streams and schedules, once a second."""
        while not self._stop.wait(EVERY_SECONDS):
            with self._lock:
                try:
                    for task in self._due.tasks(self.laptop.clock.now()):
                        self.laptop.part.fire(task)
                    self.laptop.settle()
                except Exception as error:  # the server outlives a door that fails; its log says why
                    self.laptop.part.failures.append(f"{type(error).__name__}: {error}")

    # ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────
    def _page(self, path: str, query: str, headers: Mapping[str, str]) -> Answer | None:
        if path == "/":
            return _html(self._index())
        if path == "/console/session.json" and self._is_own_page(headers):
            return Answer(200, json.dumps({"token": self.token}), {"content-type": "application/json", **UNKEPT})
        if path == "/outbox":
            return _html(self._outbox())
        if path.startswith("/outbox/"):
            return self._mail(path.removeprefix("/outbox/"))
        if path == "/report":
            with self._lock:
                asked = {"Accept": "text/html", "Accept-Language": headers.get("accept-language", "")}
                return self.laptop.request("GET", f"/v1/reports/latest?{query}", headers=asked)
        return None

    def _is_own_page(self, headers: Mapping[str, str]) -> bool:
        """A page of this very server asks: not one of elsewhere, also not under a name that was made to point here."""
        port = self._http.server_address[1]
        own = headers.get("host") in (f"127.0.0.1:{port}", f"localhost:{port}")
        return own and headers.get("sec-fetch-site") == "same-origin"

    def _index(self) -> str:
        routes = "".join(
            f"<tr><td>{one.method}<td><code>{html.escape(one.path)}</code><td>{'token' if one.authorised else 'open'}"
            for one in self.laptop.part.api.routes
        )
        links = '<p><a href="/console">console</a> · <a href="/report">report</a> · <a href="/outbox">outbox</a></p>'
        return f"<h1>Nudge on this machine</h1>{links}<table><tr><th>method<th>path<th>{routes}</table>"

    def _outbox(self) -> str:
        mails = self.laptop.part.ses.mails
        rows = "".join(
            f'<tr><td><a href="/outbox/{number:06d}.eml">{number}</a><td>{html.escape(", ".join(mail.to))}'
            f"<td>{html.escape(mail.subject)}"
            for number, mail in reversed(list(enumerate(mails)))
        )
        return f"<h1>Outbox: {len(mails)} mails</h1><p>Nothing here left this machine.</p><table>{rows}</table>"

    def _mail(self, name: str) -> Answer:
        path = self.laptop.out / "outbox" / Path(name).name
        if not path.is_file():
            return Answer(404, "no such mail", {"content-type": "text/plain; charset=utf-8"})
        message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
        heads = "".join(f"<tr><th>{html.escape(k)}<td>{html.escape(str(v))}" for k, v in message.items())
        text = message.get_body(("plain",))
        shown = html.escape(text.get_content() if text else "")
        return _html(f"<h1>{html.escape(str(message['Subject']))}</h1><table>{heads}</table><pre>{shown}</pre>")


def _html(body: str) -> Answer:
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Nudge</title>{STYLE}<body>{body}</body></html>'
    policy_text = "default-src 'none'; style-src 'unsafe-inline'"
    return Answer(200, page, {"content-type": "text/html; charset=utf-8", "content-security-policy": policy_text})


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "nudge-local"

        def _serve(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            if length > LARGEST:
                self.close_connection = True
                self._send(Answer(413, '{"message":"Request Entity Too Large"}', {"content-type": "application/json"}))
                return
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                self._send(server.answer(self.command, self.path, headers, body))
            except Exception:  # what API Gateway answers when its function fails
                self._send(Answer(500, '{"message":"Internal Server Error"}', {"content-type": "application/json"}))

        def _send(self, answer: Answer) -> None:
            body = answer.body.encode("utf-8")
            self.send_response(answer.status, HTTPStatus(answer.status).phrase)
            for name, value in answer.headers.items():
                if name.lower() != "content-length":
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = _serve  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """The path of an unsubscribe link is a person's token: requests are not written down."""

    return Handler


def serve(*, port: int, out: Path, with_shop: bool, say: Callable[[str], None]) -> None:
    """Listen until interrupted. `with_shop`: a small sample shop is loaded and trained first, so that decisions are made
    by models."""
    token = secrets.token_urlsafe(24)
    with Laptop.running(RealClock(), out, PublicUrl=f"http://127.0.0.1:{port}") as laptop:
        if with_shop:
            say("loading a small sample shop …")
            _shop(laptop)
        server = Server(laptop, port, token)
        server.start()
        say(f"{server.url}/console\n{server.url}/  (report, outbox, routes)\ntoken: {token}\n")
        say(
            f"curl -s {server.url}/v1/decisions -H 'Authorization: Bearer {token}' -H 'Idempotency-Key: 1' \\\n"
            '  -d \'{"user_id": "u00001", "goal": "purchase"}\'\n\nCtrl-C ends.'
        )
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            say("ending …")
        finally:
            server.stop()


def _shop(laptop: Laptop) -> None:
    """A small shop whose history ends now."""
    from local.shop import files
    from local.shop.behaviour import WEEK
    from local.shop.play import HERE
    from local.shop.world import World
    from nudge.vocabulary import DAY

    now = laptop.clock.now() // DAY * DAY
    world = World(seed=7, count=400, start=now - 12 * WEEK, weeks=12)
    laptop.part.ses.reader = world.read
    laptop.publish((HERE / "plan.yaml").read_text(encoding="utf-8"), templates=HERE / "templates")
    for file in files.history(world, now)[0]:
        laptop.drop(file.key, file.body)
        laptop.settle()
    laptop.train()
    laptop.part.fire("report")
