"""What a browser is given of the console. In: a name and a version. Out: a file and its headers. Reads no data at all.

The words of other languages are one table: the report's and the console's together.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from nudge.console import files
from nudge.errors import NotFound
from nudge.jsontext import compact

NOWHERE = "none"
"""In place of an address: people have no place to sign in, and paste a token."""


class Given(NamedTuple):
    """A file with its headers; `unchanged` where the browser has it already."""

    file: files.File
    headers: Mapping[str, str]
    unchanged: bool


@cache
def words(language: str) -> str:
    """English → the language, as JSON. Raises NotFound for a language that we do not speak."""
    if language != "zh":
        raise NotFound("no such words")
    from nudge.console import chinese
    from nudge.measure.chinese import CHINESE

    return compact({**CHINESE, **chinese.CHINESE})


def shell(*, login: str = NOWHERE, held: str = "") -> Given:
    """The page. `login`: the origin where people sign in; `held`: the ETag that the browser has (If-None-Match)."""
    text = files.bodies()[files.SHELL].replace("{version}", _version())
    headers = {**files.HEADERS, "Content-Security-Policy": files.policy(None if login == NOWHERE else login)}
    return _given(files.file(files.SHELL, text), files.ASK_AGAIN, held, headers)


def asset(version: str, name: str, *, held: str = "") -> Given:
    """What the page loads. Of another version (a page that was open during a deployment), it is today's, and not kept.

    Raises NotFound for a name that is none of ours.
    """
    if name.startswith("words.") and name.endswith(".json"):
        text = words(name[len("words.") : -len(".json")])
    elif name in files.bodies() and name != files.SHELL:
        text = files.bodies()[name]
    else:
        raise NotFound("no such file")
    kept = files.FOR_EVER if version == _version() else files.ASK_AGAIN
    return _given(files.file(name, text), kept, held, files.HEADERS)


def session(login: str, client_id: str, scope: str) -> dict[str, str]:
    """How people sign in: with an account where there is a place for it, else with a token of theirs."""
    if NOWHERE in (login, client_id):
        return {}
    return {"login": login, "client_id": client_id, "scope": scope}


@cache
def _version() -> str:
    return files.version(words("zh"))


def _given(file: files.File, kept: str, held: str, headers: Mapping[str, str]) -> Given:
    known = file.etag in (one.strip().removeprefix("W/") for one in held.split(","))
    return Given(file, {**headers, "Cache-Control": kept, "ETag": file.etag}, known)
