"""A light door stays light: imported in a fresh interpreter, with an empty environment, as Lambda would.

The import linter sees what a module says; it cannot see what a parent package or a third party drags in. This can.
The number of modules is what a cold start pays for and does not depend on the machine: a budget that is broken names
the newcomers, and is raised only by someone who wants to pay.
"""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import nudge

ROOT = Path(__file__).parents[2]
HEAVY = {
    "numpy", "pandas", "polars", "sklearn", "scipy", "pyarrow", "duckdb", "zstandard",
    "pydantic", "aws_xray_sdk", "yaml", "requests", "joblib", "jinja2",
}  # fmt: skip
ALLOWED = {"deliver": {"jinja2"}}
# decide pays five for orjson (2.5 ms of 254 when cold, 13 % of every warm decision), and eight for audiences, limits and policies
BUDGET = {"collect": 145, "arrive": 155, "decide": 195, "deliver": 240, "feedback": 165, "console": 165}

AS_LAMBDA = """
import json, sys
before = set(sys.modules)
sys.path[:0] = [{door!r}, {layer!r}]
import handler
assert callable(handler.handler)
print(json.dumps(sorted(set(sys.modules) - before)))
"""

NOTHING_AT_IMPORT = """
import importlib, io, socket, sys
def refuse(*a, **k): raise RuntimeError("work at import: a connection")
socket.socket.connect = refuse
for name in {names!r}:
    importlib.import_module(name)
import boto3
assert boto3.DEFAULT_SESSION is None, "work at import: a boto3 session"
"""


def alone(code: str) -> str:
    """What a fresh interpreter with an empty environment prints; fails with what it says."""
    done = subprocess.run([sys.executable, "-c", code], env={}, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def modules_of(door: str) -> list[str]:
    """Everything that importing a door's handler brings in, laid out as in its zip."""
    code = AS_LAMBDA.format(door=str(ROOT / "functions" / door), layer=str(ROOT / "shared"))
    return list(json.loads(alone(code)))


@pytest.mark.parametrize("door", BUDGET)
def test_a_light_door_brings_in_nothing_heavy(door: str) -> None:
    brought = {name.partition(".")[0] for name in modules_of(door)}
    assert brought & HEAVY <= ALLOWED.get(door, set())


@pytest.mark.parametrize("door", BUDGET)
def test_a_light_door_keeps_its_budget_of_modules(door: str) -> None:
    brought = modules_of(door)
    assert len(brought) <= BUDGET[door], f"{len(brought)} modules; by package: {_by_package(brought)}"


SNAPSHOT = """
import json, os, socket, sys
def refuse(*a, **k): raise RuntimeError("work at import: a connection")
socket.socket.connect = refuse
names = "LAKE_BUCKET PROFILES_TABLE LEDGER_TABLE DELIVER_QUEUE_URL MODEL_KEY_ID AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"
os.environ.update(dict.fromkeys(names.split(), "x"), AWS_DEFAULT_REGION="eu-central-1")
os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"] = {how!r}
sys.path[:0] = [{door!r}, {layer!r}]
import handler
print(handler.flow.cache_info().currsize)
"""


@pytest.mark.parametrize(("how", "built"), [("snap-start", 1), ("on-demand", 0)])
def test_a_snapshot_of_decide_holds_its_clients_and_nothing_else_is_built_at_import(how: str, built: int) -> None:
    code = SNAPSHOT.format(how=how, door=str(ROOT / "functions" / "decide"), layer=str(ROOT / "shared"))
    assert int(alone(code)) == built


def _by_package(modules: list[str]) -> dict[str, int]:
    tops = [name.partition(".")[0] for name in modules]
    return dict(sorted(((top, tops.count(top)) for top in set(tops)), key=lambda pair: -pair[1])[:12])


def test_no_module_works_at_import() -> None:
    names = [one.name for one in pkgutil.walk_packages(nudge.__path__, "nudge.")]
    assert "nudge.vocabulary" in names
    alone(NOTHING_AT_IMPORT.format(names=sorted(names)))


@pytest.mark.parametrize("door", ["prepare", "train", "report"])
def test_a_heavy_door_imports_as_in_its_image_with_an_empty_environment(door: str) -> None:
    where = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'shared')!r}]\n"
    alone(where + NOTHING_AT_IMPORT.format(names=[f"functions.{door}.handler"]))
