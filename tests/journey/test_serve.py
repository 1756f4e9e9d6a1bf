"""`nudge serve` on loopback: who may call what, the pages, and work that goes on in the background."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.clock import RealClock
from local.laptop import Laptop
from local.serve import Server

PLAN = Path(__file__).parent.parent.parent / "local" / "shop" / "plan.yaml"
TOKEN = "a-token-for-tests"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    out = tmp_path_factory.mktemp("serve")
    with Laptop.running(RealClock(), out, PublicUrl="http://127.0.0.1:1") as laptop:
        laptop.publish(PLAN.read_text(encoding="utf-8"), templates=PLAN.parent / "templates")
        server = Server(laptop, 0, TOKEN)
        server.start()
        yield server
        server.stop()


def call(server: Server, method: str, path: str, body: Any = None, *, token: str | None = None) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k1"} if token else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_the_api_wants_the_token_and_the_unsubscribe_page_does_not(server: Server) -> None:
    body = {"user_id": "somebody", "goal": "purchase"}
    assert call(server, "POST", "/v1/decisions", body)[0] == 401
    assert call(server, "POST", "/v1/decisions", body, token="wrong")[0] == 401
    status, text = call(server, "POST", "/v1/decisions", body, token=TOKEN)
    assert (status, json.loads(text)["rules"]) == (200, "plan")
    assert call(server, "GET", "/u/not-a-token")[0] not in (401, 500)
    assert call(server, "GET", "/v1/nowhere", token=TOKEN)[0] == 404


def test_an_event_that_is_posted_reaches_the_lake_by_itself(server: Server) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    event = {"type": "track", "messageId": "m1", "userId": "somebody", "event": "page_view", "timestamp": now}
    assert call(server, "POST", "/v1/track", event, token=TOKEN)[0] == 200
    for _ in range(100):
        time.sleep(0.2)
        with server._lock:
            if len(server.laptop.lake("events")):
                return
    pytest.fail("the event did not arrive within 20 seconds")


def test_the_console_is_open_and_empty_and_only_its_own_page_is_given_the_token(server: Server) -> None:
    status, page = call(server, "GET", "/console")
    assert (status, TOKEN in page) == (200, False)
    script = page.partition('type="module" src="')[2].partition('"')[0]
    assert call(server, "GET", f"/{script}")[0] == 200
    assert call(server, "GET", "/v1/people/somebody/timeline")[0] == 401
    assert TOKEN not in _session(server)
    assert TOKEN not in _session(server, **{"Sec-Fetch-Site": "cross-site"})
    assert TOKEN not in _session(server, **{"Sec-Fetch-Site": "same-origin", "Host": "evil.example"})
    assert json.loads(_session(server, **{"Sec-Fetch-Site": "same-origin"})) == {"token": TOKEN}


def _session(server: Server, **headers: str) -> str:
    request = urllib.request.Request(server.url + "/console/session.json", headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(answer.read().decode())


def test_what_was_decided_for_a_person_is_told_with_its_reasons(server: Server) -> None:
    call(server, "POST", "/v1/decisions", {"user_id": "seen", "goal": "purchase"}, token=TOKEN)
    status, text = call(server, "GET", "/v1/people/seen/timeline", token=TOKEN)
    told = json.loads(text)
    assert (status, len(told["decisions"]), told["before"]) == (200, 1, None)
    assert told["decisions"][0]["candidates"]
    assert call(server, "GET", "/v1/people/nobody/timeline", token=TOKEN)[0] == 404
    assert call(server, "GET", "/v1/people/seen/events", token=TOKEN)[0] == 200


def test_pages_are_there_for_eyes(server: Server) -> None:
    status, index = call(server, "GET", "/")
    assert status == 200
    assert "/v1/decisions" in index
    assert call(server, "GET", "/outbox")[0] == 200
    assert call(server, "GET", "/outbox/..%2f..%2fdoors.jsonl")[0] == 404
    assert call(server, "GET", "/report")[0] == 404, "no report was made yet"
    with server._lock:
        server.laptop.part.fire("report")
    assert "<html" in call(server, "GET", "/report")[1]
