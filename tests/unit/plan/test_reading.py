"""A plan's text: read as YAML 1.2 has it, each name with its line, and nothing that could exhaust the reader."""

from __future__ import annotations

import pytest

from nudge.errors import BadInput
from nudge.plan.reading import DEEPEST, LONGEST, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on: monday", {"on": "monday"}),
        ("countries: [DE, NO, on, off, yes]", {"countries": ["DE", "NO", "on", "off", "yes"]}),
        ("yes: [1]\nno: []", {"yes": [1], "no": []}),
        ("at: 21:00", {"at": "21:00"}),
        ("day: 2026-12-01", {"day": "2026-12-01"}),
        ("a: true\nb: null\nc: ~\nd:", {"a": True, "b": None, "c": None, "d": None}),
        ("a: 007\nb: 1e3\nc: .5\nd: -2\ne: 0x10", {"a": 7, "b": 1000.0, "c": 0.5, "d": -2, "e": "0x10"}),
        ("a: &x {p: 1}\nb: {<<: *x, q: 2}", {"a": {"p": 1}, "b": {"p": 1, "q": 2}}),
        ("1: a", {"1": "a"}),
        ("", None),
    ],
)
def test_words_are_words_and_numbers_are_numbers(text: str, value: object) -> None:
    assert read(text, name="plan.yaml")[0] == value


def test_lines_are_found_for_what_stands_there_and_for_what_is_missing() -> None:
    _, lines = read("goals:\n  buy:\n    kinds:\n      - a\n      - b\n", name="plan.yaml")
    assert [lines[path] for path in ("goals", "goals.buy.kinds[1]", "goals.buy.value", "goals.none", "else", "")] == [
        1,
        5,
        2,
        1,
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n", "plan.yaml:4: b.c: stands here twice\nplan.yaml:5: a: stands here twice"),
        ("a: [unclosed\n", "plan.yaml:2: not YAML"),
        ("a: 1e999", "plan.yaml:1: not YAML: this number is too large"),
        ("? [a, b]\n: c", "plan.yaml:1: not YAML: found unhashable key"),
        ("a: !!python/object/apply:os.getcwd []", "plan.yaml:1: not YAML: could not determine a constructor"),
        ("a: 1\n---\nb: 2", "plan.yaml:2: not YAML: but found another document"),
        ("a: &a [*a]", f"more than {DEEPEST} levels"),
        ("a: " + "[" * 5_000, "more than"),
        ("a: " + "[" * 60 + "]" * 60, f"more than {DEEPEST} levels"),
        ("l0: &l0 [x, x]\n" + "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 12)), "more than"),
        ("a" * (LONGEST + 1), f"at most {LONGEST} are read"),
    ],
    ids=["twice", "unclosed", "infinite", "key", "object", "two", "itself", "endless", "deep", "laughs", "long"],
)  # fmt: skip
def test_what_is_no_plan_is_refused_before_it_costs_anything(text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(text, name="plan.yaml")
    assert said in str(caught.value)
