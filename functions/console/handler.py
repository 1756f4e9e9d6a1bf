"""GET /console and what it loads: a page without data, open to anybody. GET /v1/people/{id}/timeline: what we decided for a person, and why."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import unquote

from nudge import edge
from nudge.adapters.clients import client
from nudge.adapters.history import DynamoHistory
from nudge.adapters.profiles import DynamoProfiles
from nudge.flows import console
from nudge.flows.timeline import Timeline
from nudge.http import Request, Routes
from nudge.settings import ConsoleSettings

routes = Routes()


@cache
def here() -> ConsoleSettings:
    return ConsoleSettings.read()


@cache
def flow() -> Timeline:
    """Who is who, built on first use and kept while warm."""
    dynamodb = client("dynamodb")
    return Timeline(DynamoHistory(dynamodb, here().ledger_table), DynamoProfiles(dynamodb, here().profiles_table))


@routes.get("/console")
def shell(request: Request) -> dict[str, Any]:
    return _given(console.shell(login=here().console_login, held=request.headers.get("if-none-match", "")))


@routes.get("/console/session.json")
def session(_: Request) -> dict[str, Any]:
    return edge.answer(console.session(here().console_login, here().console_client_id, here().console_scope))


@routes.get("/console/{version}/{file}")
def asset(request: Request, version: str, file: str) -> dict[str, Any]:
    return _given(console.asset(version, file, held=request.headers.get("if-none-match", "")))


@routes.get("/v1/people/{id}/timeline")
def timeline(request: Request, id: str) -> dict[str, Any]:
    edge.count("Timelines")
    return edge.answer(flow()(unquote(id), before=request.query.get("before")))


def _given(one: console.Given) -> dict[str, Any]:
    told = edge.answer("", 304 if one.unchanged else 200, content_type=one.file.content_type, headers=one.headers)
    return {**told, "body": "" if one.unchanged else one.file.text}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return edge.http(routes, event)
