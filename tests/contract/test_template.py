"""template.yaml keeps its promises: linted in translation, and by the checks that no linter has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.translate import TEMPLATE, lint, source
from tests.contract.checks import CHECKS, functions, routes

ROOT = Path(__file__).parents[2]
YAML: dict[str, Any] = source()


@pytest.mark.parametrize("name", CHECKS)
def test_the_template_holds(name: str, translated: dict[str, Any]) -> None:
    assert CHECKS[name](translated) == []


def test_cfn_lint_finds_nothing_on_the_translation(translated: dict[str, Any]) -> None:
    status, findings = lint(translated)
    assert (status, findings.strip()) == (0, "")


def test_every_door_is_a_function_and_every_function_a_door(translated: dict[str, Any]) -> None:
    doors = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}
    assert {name.lower() for name in functions(translated)} == doors


def test_every_handler_is_where_the_template_says() -> None:
    for name, one in _functions().items():
        if one.get("PackageType") == "Image":
            module, _, function = one["ImageConfig"]["Command"][0].rpartition(".")
            path = ROOT / f"{module.replace('.', '/')}.py"
        else:
            module, _, function = one["Handler"].rpartition(".")
            path = ROOT / one["CodeUri"] / f"{module}.py"
        assert path.is_file(), name
        assert f"def {function}(" in path.read_text(), name


def test_globals_hold_only_what_fits_zips_and_images() -> None:
    assert not {"Runtime", "Handler", "Layers"} & set(YAML["Globals"]["Function"])


def test_images_share_one_dockerfile_and_no_tag() -> None:
    built = [one["Metadata"] for one in YAML["Resources"].values() if "Dockerfile" in one.get("Metadata", {})]
    assert {one["Dockerfile"] for one in built} == {"functions/Dockerfile"}
    assert len({one["DockerTag"] for one in built}) == len(built) == 3


def test_a_second_stack_can_stand_beside_the_first() -> None:
    names = {"FunctionName", "TableName", "QueueName", "TopicName", "RoleName", "LogGroupName", "AlarmName"}
    for logical, one in YAML["Resources"].items():
        assert not names & set(one.get("Properties", {})), logical
    assert "AWS::StackId" in str(YAML["Resources"]["Lake"]["Properties"]["BucketName"])


def test_each_function_and_parameter_says_what_it_is_in_one_sentence() -> None:
    described = list(_functions().items()) + list(YAML["Parameters"].items()) + list(YAML["Outputs"].items())
    for name, one in described:
        assert one["Description"].endswith("."), name


def test_the_template_is_read_in_the_order_in_which_the_data_travels() -> None:
    order = [name for name in YAML["Resources"] if name in _functions()]
    doors = ["Collect", "Arrive", "Prepare", "Train", "Decide", "Campaign", "Deliver", "Feedback", "Report", "Console"]
    assert order == doors
    assert TEMPLATE.read_text().count("# ── ") >= 12


def test_openapi_and_the_template_list_the_same_routes(translated: dict[str, Any]) -> None:
    import yaml

    document = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
    written = {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in item
        if method in {"get", "post", "put", "patch", "delete"}
    }
    assert written == {(method, path) for method, path, _ in routes(translated)}


def _functions() -> dict[str, dict[str, Any]]:
    kind = "AWS::Serverless::Function"
    return {name: one["Properties"] for name, one in YAML["Resources"].items() if one["Type"] == kind}
