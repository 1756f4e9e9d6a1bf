"""Templates: strict words, escaped HTML, and no way out of the language that marketers need."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.act.fill import fill
from nudge.act.render import render
from nudge.act.words import words
from nudge.errors import BadInput

WORDS = {"first_name": "Ana <b>", "items": [{"name": "shoes"}, {"name": "hat"}], "context": {"page": "x"}, "n": 3}


def one(source: str, name: str = "text", **more: object) -> str:
    return render({name: source}, WORDS | more)[name]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hi {{ first_name }}", "Hi Ana <b>"),
        ("{% if n > 2 %}many{% else %}few{% endif %}", "many"),
        ("{% for item in items %}{{ item.name }} {% endfor %}", "shoes hat "),
        ("{{ context.page }} {{ items[0]['name'] | upper }}", "x SHOES"),
        ("{{ nick | default('friend') }}", "friend"),
        ("{{ 'yes' if nick is defined else 'no' }}", "no"),
    ],
)
def test_words_conditions_and_loops_are_enough(source: str, text: str) -> None:
    assert one(source) == text


def test_html_is_escaped_and_text_is_not() -> None:
    made = render({"html": "<p>{{ first_name }}</p>", "text": "{{ first_name }}"}, WORDS)
    assert made == {"html": "<p>Ana &lt;b&gt;</p>", "text": "Ana <b>"}


@pytest.mark.parametrize(
    "source", ["{{ nick }}", "{{ context.nick }}", "{{ items[9] }}", "{{ n.real }}", "{{ nick.first }}"]
)
def test_a_missing_word_stops_the_message(source: str) -> None:
    with pytest.raises(BadInput) as wrong:
        one(source)
    assert wrong.value.reason == "missing_variable"


@pytest.mark.parametrize(
    "source",
    [
        "{{ first_name.__class__.__mro__ }}",
        "{{ first_name['__class__'] }}",
        "{{ items.__init__.__globals__ }}",
        "{{ 'a' * 200000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ first_name ~ first_name }}",
        "{{ first_name.upper() }}",
        "{{ range(100000000) | list }}",
        "{{ 'x' | center(200000000) }}",
        "{{ '%0999999999d' | format(1) }}",
        "{{ lipsum(9999) }}",
        "{{ cycler }}",
        "{{ self }}",
        "{% set a = 'x' %}{{ a }}",
        "{% include 'other' %}",
        "{% import 'os' as os %}",
        "{% macro m() %}{% endmacro %}",
        "{% for a in items %}{% for b in items %}{% for c in items %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in items recursive %}{{ loop(a) }}{% endfor %}",
        "{{ first_name | attr('__class__') }}",
        "{{ items | map(attribute='__class__') | list }}",
        "{% if %}",
        "{{",
        "x" * 200_000,
    ],
)
def test_what_templates_do_not_need_is_refused_at_once(source: str) -> None:
    began = time.perf_counter()
    with pytest.raises(BadInput) as wrong:
        one(source)
    assert wrong.value.reason in ("bad_template", "missing_variable", "too_large")
    assert time.perf_counter() - began < 1


def test_a_text_that_grows_beyond_its_limit_is_refused() -> None:
    with pytest.raises(BadInput) as wrong:
        one("{% for a in many %}" + "x" * 1000 + "{% endfor %}", many=list(range(1000)))
    assert wrong.value.reason == "too_large"


@given(st.text(max_size=200))
def test_what_a_person_is_called_is_never_a_template(name: str) -> None:
    said = words({"name": ("{{ 7 * 7 }}" + name, 1)}, {})
    assert render({"text": "{{ name }}"}, said)["text"] == "{{ 7 * 7 }}" + name
    assert fill({"text": "{{ name }}"}, said)["text"] == "{{ 7 * 7 }}" + name


@pytest.mark.parametrize("source", ["{{ name | upper }}", "{% if a %}", "{{ a.b.c }}", "{{", "a }} b", "{# x #}"])
def test_inline_texts_know_words_only(source: str) -> None:
    with pytest.raises(BadInput) as wrong:
        fill({"text": source}, WORDS)
    assert wrong.value.reason == "bad_template"


def test_inline_texts_are_strict_and_escaped_too() -> None:
    assert fill({"html": "<i>{{first_name}}</i> {{ context.page }}"}, WORDS) == {"html": "<i>Ana &lt;b&gt;</i> x"}
    for source in ("{{ nick }}", "{{ items }}", "{{ context }}", "{{ n.real }}"):
        with pytest.raises(BadInput) as wrong:
            fill({"text": source}, WORDS)
        assert wrong.value.reason == "missing_variable"
    with pytest.raises(BadInput) as wrong:
        fill({"text": "{{ big }}"}, {"big": "x" * 70_000})
    assert wrong.value.reason == "too_large"


def test_an_empty_word_is_a_missing_word() -> None:
    said = words({"first_name": ("  ", 1), "nick": (None, 2), "age": (0, 1)}, {"page": ""}, currency=None)
    assert said == {"age": 0, "context": {}}
