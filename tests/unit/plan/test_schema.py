"""docs/plan.schema.json: an editor says what `nudge plan check` says, wherever a schema can say it."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from local.examples.complete_journey import PLAN as GROCER
from nudge import plan
from nudge.plan import campaigns, goals, learn, policy, steps, triggers
from nudge.plan.activities import NAMES as ACTIVITY
from nudge.plan.audiences import OPERATORS
from nudge.plan.reading import read
from nudge.vocabulary import CHANNELS, PolicyName
from tests.acting import PLAN as ACTING
from tests.unit.plan.plans import EXAMPLE, ROOT, SAID_BY_CODE_ALONE, WRONG
from tests.unit.plan.trees import GOOD, PLACES, changed, json_values
from tests.unit.test_plan import CHOICES

SHOP = (ROOT / "local" / "shop" / "plan.yaml").read_text()
SCHEMA = json.loads((ROOT / "docs" / "plan.schema.json").read_text())


@cache
def validator() -> Any:
    Draft202012Validator.check_schema(SCHEMA)
    return Draft202012Validator(SCHEMA)


@pytest.mark.parametrize(
    "text", [EXAMPLE, SHOP, GROCER, ACTING, CHOICES], ids=["guide", "shop", "grocer", "acting", "choices"]
)
def test_every_sample_plan_is_valid_as_written_and_as_stored(text: str) -> None:
    assert not [error.message for error in validator().iter_errors(read(text, name="plan.yaml")[0])]
    assert not [error.message for error in validator().iter_errors(plan.parse(text))]


@pytest.mark.parametrize(("old", "new", "said"), WRONG)
def test_what_the_check_refuses_the_schema_refuses_too_where_it_can_say_it(old: str, new: str, said: str) -> None:
    if any(part in said for part in SAID_BY_CODE_ALONE):
        return
    data, _ = read(EXAMPLE.replace(old, new, 1), name="plan.yaml")
    assert list(validator().iter_errors(data)), said


@pytest.mark.parametrize("part", sorted(SAID_BY_CODE_ALONE))
def test_what_only_the_check_can_say_is_no_excuse_for_anything_else(part: str) -> None:
    """Each exception is one that the schema indeed lets pass, in at least one of its cases."""
    cases = [(old, new) for old, new, said in WRONG if part in said]
    assert cases
    if part != "stands here twice":
        assert any(not list(validator().iter_errors(read(EXAMPLE.replace(*one, 1), name="p")[0])) for one in cases), (
            part
        )


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PLACES), json_values)
def test_an_editor_finds_no_mistake_where_the_check_finds_none(place: tuple[Any, ...], value: Any) -> None:
    data = changed(GOOD, place, value)
    told = [error.message for error in validator().iter_errors(data)]
    assert plan.check(data) or not told


def names(where: str) -> set[str]:
    return set(SCHEMA["$defs"][where]["properties"])


def test_the_schema_knows_the_names_that_the_check_knows() -> None:
    assert set(SCHEMA["properties"]) == plan.TOP | {"version"}
    assert names("goal") == goals.GOAL
    assert names("activity") == ACTIVITY
    assert names("campaign") == campaigns.NAMES
    assert names("policy") == policy.POLICY
    assert names("condition") == {"name", *OPERATORS}
    assert names("channels") == set(CHANNELS)
    assert names("learn") == {*learn.OPTIONS, "uplift"}
    assert {next(iter(one["required"])) for one in SCHEMA["$defs"]["step"]["oneOf"]} == set(steps.KINDS)
    assert {one["required"][0]: set(one["properties"]) for one in SCHEMA["$defs"]["when"]["oneOf"]} == triggers.WHEN
    assert SCHEMA["$defs"]["campaign"]["properties"]["policy"]["enum"] == list(get_args(PolicyName))
    for name, form in CHANNELS.items():
        held = SCHEMA["$defs"]["channels"]["properties"][name]
        held = held if "properties" in held else held["anyOf"][0]
        assert (set(held["properties"]), set(held.get("required", ()))) == ({*form.needs, *form.may}, set(form.needs))


def test_a_time_is_a_time_to_both() -> None:
    pattern = SCHEMA["$defs"]["duration"]["pattern"]
    for text in (
        "2h",
        "30 minutes",
        "90 MIN",
        "1.5 Hours",
        "2 days",
        "1 week",
        "3w",
        "2 moons",
        "h",
        "-1 day",
        "1 day 2h",
        "5",
    ):
        assert (re.search(pattern, text) is not None) == (triggers.duration(text) is not None), text


def test_the_sample_plan_and_the_guide_tell_an_editor_where_the_schema_is() -> None:
    for text, folder in ((SHOP, ROOT / "local" / "shop"), (EXAMPLE, ROOT / "docs")):
        header = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
        assert header is not None
        assert (folder / header[1]).resolve() == ROOT / "docs" / "plan.schema.json"
