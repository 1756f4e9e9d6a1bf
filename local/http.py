"""The HTTP API's part: a request becomes the payload (version 2.0) that the function of its route gets.

In: method, path, headers, body. Out: status, headers, body. Tokens are checked by the API in the cloud, not by the
doors; here `serve` checks one local token, and calls within the process carry claims as if one had been checked.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from local.aws import ACCOUNT
from local.clock import Clock, moment
from local.deployment import Route


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        return json.loads(self.body)


def match(routes: Sequence[Route], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The first route that takes the request, with its path parameters."""
    for route in routes:
        pattern = re.sub(r"\\\{(\w+)(\\\+)?\\\}", _parameter, re.escape(route.path))
        found = re.fullmatch(pattern, path)
        if found and route.method in (method, "ANY"):
            return route, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def _parameter(found: re.Match[str]) -> str:
    return f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})"


class Api:
    """The routes of the template, answered in this process."""

    def __init__(self, routes: Sequence[Route], invoke: Callable[[str, Mapping[str, Any]], Any], clock: Clock) -> None:
        self.routes = routes
        self._invoke = invoke
        self._clock = clock

    def request(
        self,
        method: str,
        target: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Answer a request; a body that is no text or bytes is sent as JSON."""
        path = urlsplit(target).path
        found = match(self.routes, method, path)
        if found is None:
            return Answer(404, '{"message":"Not Found"}', {"content-type": "application/json"})
        route, parameters = found
        event = self._event(route, parameters, method, target, body, headers or {})
        answer = self._invoke(route.function, event)
        if not isinstance(answer, dict) or "statusCode" not in answer:
            return Answer(200, json.dumps(answer), {"content-type": "application/json"})
        text = answer.get("body") or ""
        if answer.get("isBase64Encoded"):
            text = base64.b64decode(text).decode("utf-8")
        lowered = {name.lower(): str(value) for name, value in (answer.get("headers") or {}).items()}
        return Answer(int(answer["statusCode"]), text, lowered)

    def _event(
        self,
        route: Route,
        parameters: dict[str, str],
        method: str,
        target: str,
        body: Any,
        headers: Mapping[str, str],
    ) -> dict[str, Any]:
        parts = urlsplit(target)
        now = self._clock.now()
        text, encoded = _body(body)
        lowered = {"host": "localhost", "content-type": "application/json"}
        lowered |= {name.lower(): value for name, value in headers.items()}
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": f"{route.method} {route.path}",
            "rawPath": parts.path,
            "rawQueryString": parts.query,
            "headers": lowered,
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": "local",
                "domainName": "localhost",
                "domainPrefix": "localhost",
                "http": {
                    "method": method,
                    "path": parts.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": lowered.get("user-agent", "local"),
                },
                "requestId": str(uuid.uuid4()),
                "routeKey": f"{route.method} {route.path}",
                "stage": "$default",
                "time": moment(now).strftime("%d/%b/%Y:%H:%M:%S +0000"),
                "timeEpoch": now // 1000,
            },
            "isBase64Encoded": encoded,
        }
        if text is not None:
            event["body"] = text
        if parts.query:
            event["queryStringParameters"] = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parameters:
            event["pathParameters"] = parameters
        if route.authorised:
            claims = {"sub": "local", "client_id": "local", "scope": "nudge/api"}
            event["requestContext"]["authorizer"] = {"jwt": {"claims": claims, "scopes": ["nudge/api"]}}
        return event


def _body(body: Any) -> tuple[str | None, bool]:
    if body is None or isinstance(body, str):
        return body, False
    if isinstance(body, bytes):
        try:
            return body.decode("utf-8"), False
        except UnicodeDecodeError:
            return base64.b64encode(body).decode("ascii"), True
    return json.dumps(body), False
