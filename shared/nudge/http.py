"""HTTP as the doors speak it: an event of API Gateway (payload format 2.0) becomes a `Request`, and finds its work in `Routes`.

Knows methods, paths, headers and bodies; neither our errors nor how they are answered (see `edge`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

type Answer = dict[str, Any]
"""What Lambda returns for an HTTP event: statusCode, headers, body."""

type Work = Callable[..., Answer]
"""Takes the request, and the parts of the path that the route names: `/u/{token}` gives `token`."""


class Request:
    """One HTTP request. The names of `headers` are in lower case; `path` is without the stage; a name that stands twice in the query
    has its values joined by a comma (so does API Gateway)."""

    __slots__ = ("_event", "headers", "method", "path", "query")

    def __init__(self, event: Mapping[str, Any]) -> None:
        context = event["requestContext"]
        self._event = event
        self.method: str = context["http"]["method"]
        self.path: str = event["rawPath"].removeprefix(f"/{context.get('stage', '$default')}")
        self.query: dict[str, str] = event.get("queryStringParameters") or {}
        self.headers: dict[str, str] = {name.lower(): value for name, value in (event.get("headers") or {}).items()}

    def text(self) -> str:
        """The body as text, empty when there is none. Raises ValueError when it is not base64 or not UTF-8."""
        body: str = self._event.get("body") or ""
        return base64.b64decode(body, validate=True).decode() if self._event.get("isBase64Encoded") else body


class Routes:
    """The routes of one door: `@routes.post("/v1/decisions")` over a function."""

    def __init__(self) -> None:
        self._works: dict[str, dict[str, Work]] = {}

    def get(self, route: str) -> Callable[[Work], Work]:
        return self._add("GET", route)

    def post(self, route: str) -> Callable[[Work], Work]:
        return self._add("POST", route)

    def _add(self, method: str, route: str) -> Callable[[Work], Work]:
        def keep(work: Work) -> Work:
            self._works.setdefault(route, {})[method] = work
            return work

        return keep

    def find(self, path: str) -> tuple[str, dict[str, Work], dict[str, str]]:
        """The route of a path, its works by method, and what the path says for the names in the route.

        Raises LookupError when there is no such route.
        """
        if path in self._works and "{" not in path:
            return path, self._works[path], {}
        asked = path.split("/")
        for route, works in self._works.items():
            parts = route.split("/")
            if len(parts) == len(asked) and all(map(_fits, parts, asked)):
                named = {part[1:-1]: one for part, one in zip(parts, asked, strict=True) if part.startswith("{")}
                return route, works, named
        raise LookupError("no such route")


def _fits(part: str, asked: str) -> bool:
    return part == asked or (part.startswith("{") and asked != "")
