"""The console's files: their words are whole, they load from nowhere else, and a version changes with them."""

from __future__ import annotations

import re

import pytest

from nudge.console import chinese, files
from nudge.errors import NotFound
from nudge.flows import console
from nudge.measure.chinese import CHINESE

SAID = re.compile(r"(?<![\w.])t\(\s*((?:[^()]|\([^()]*\))*?)\)")
TABLES = [
    "CHANNELS",
    "METRICS",
    "REASONS",
    "STATES",
    "GROUPS",
    "STAGES",
    "TRAITS",
    "THEMES",
    "SEGMENTS",
    "ENDS",
    "PARTS",
    "REACTIONS",
    "SIGNATURES",
]
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
SENTENCE = re.compile(r"[A-Z][a-z]|[a-z] [a-z]|\{")


def said() -> set[str]:
    """Every text of the scripts that is given to `t`, and those of the tables from which some are taken."""
    found: set[str] = set()
    for name, body in files.bodies().items():
        if not name.endswith(".js"):
            continue
        parts = [one[1] for one in SAID.finditer(body)]
        parts += [one[0] for table in TABLES for one in re.finditer(rf"const {table} =[^;]*;", body)]
        found |= {text for part in parts for text in TEXT.findall(part)}
    return {text for text in found if SENTENCE.search(text)}


def test_every_word_of_the_page_is_in_the_one_table() -> None:
    words = {**CHINESE, **chinese.CHINESE}
    known = {"SHA-256", "not checked", "not ours"}  # no words but codes, that stand in the same expressions
    assert len(said()) > 250
    assert said() - set(words) - known == set()


def test_no_word_is_said_twice_and_none_is_left_over() -> None:
    assert set(CHINESE) & set(chinese.CHINESE) == set()
    scripts = "".join(body for name, body in files.bodies().items() if name.endswith(".js"))
    codes = {
        "done",
        "queued",
        "claimed",
        "missing",
        "superseded",
        "empty",
        "unchanged",
        "users",
        "events",
        "items",
        "decisions",
        "outcomes",
    }
    assert [text for text in chinese.CHINESE if f'"{text}"' not in scripts and text not in codes] == []


def test_a_sentence_keeps_its_places_in_the_other_language() -> None:
    places = re.compile(r"\{\w*\}")
    for english, theirs in chinese.CHINESE.items():
        assert sorted(places.findall(english)) == sorted(places.findall(theirs)), english


def test_the_page_names_no_other_place_and_makes_no_markup_of_text() -> None:
    for name, body in files.bodies().items():
        elsewhere = set(re.findall(r"https?://[^\s\"'`$)]+", body)) - {"http://www.w3.org/2000/svg"}
        assert elsewhere == set(), name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", body), (
            name
        )


def test_what_it_loads_is_named_by_what_it_is() -> None:
    page = console.shell().file.text
    version = re.findall(r"console/([0-9a-f]{16})/", page)
    assert len(set(version)) == 1
    assert "{version}" not in page
    assert console.asset(version[0], "app.js").headers["Cache-Control"] == files.FOR_EVER
    assert console.asset("0" * 16, "app.js").headers["Cache-Control"] == files.ASK_AGAIN
    assert files.version("some words") != files.version("other words")


def test_every_import_of_a_script_is_a_file_that_is_there() -> None:
    for name, body in files.bodies().items():
        for other in re.findall(r'from "\./([^"]+)"', body):
            assert other in files.bodies(), (name, other)


@pytest.mark.parametrize("held", ["{etag}", "W/{etag}", '"other", {etag}'])
def test_what_the_browser_has_is_not_sent_again(held: str) -> None:
    first = console.shell()
    assert not first.unchanged
    assert console.shell(held=held.format(etag=first.file.etag)).unchanged
    assert not console.shell(held='"other"').unchanged


@pytest.mark.parametrize("name", ["index.html", "../files.py", "words.en.json", "words.zh.jsonx", "", "chinese.py"])
def test_what_is_no_file_of_the_page_is_not_found(name: str) -> None:
    with pytest.raises(NotFound):
        console.asset("0" * 16, name)


def test_how_people_sign_in_is_said_only_where_there_is_a_place() -> None:
    assert console.session(console.NOWHERE, console.NOWHERE, "nudge/api") == {}
    assert console.session("https://login.example", console.NOWHERE, "nudge/api") == {}
    told = {"login": "https://login.example", "client_id": "c", "scope": "nudge/api"}
    assert console.session("https://login.example", "c", "nudge/api") == told
