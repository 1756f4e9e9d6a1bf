"""What `make build` made: small, and with bytecode that Lambda accepts, so that a cold start compiles nothing."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path

import pytest

from local.build import BUILT, IMAGE_LIMIT, ZIP_LIMIT, image_size, images, size, zips
from nudge.learn.intent.meaning import meaning

pytestmark = pytest.mark.sam_local
UNCHECKED_HASH = 1
"""Flags of a .pyc: by hash, and nobody compares the hash (PEP 552)."""

IN_THE_IMAGE = """
import importlib.util, json, pathlib
task = pathlib.Path("/var/task")
def flag(path):
    compiled = pathlib.Path(importlib.util.cache_from_source(str(path)))
    return compiled.read_bytes()[4] if compiled.is_file() else None
bad = [str(path) for path in task.rglob("*.py") if flag(path) != 1]
print(json.dumps({"bad": bad[:10], "tests": [str(path) for path in task.rglob("tests")][:10]}))
"""


def flag(path: Path) -> int | None:
    """How a module's bytecode says that it is valid; None where there is none, or another Python's."""
    compiled = Path(importlib.util.cache_from_source(str(path)))
    if not compiled.is_file() or compiled.read_bytes()[:4] != importlib.util.MAGIC_NUMBER:
        return None
    return compiled.read_bytes()[4]


def test_every_module_of_a_zip_has_bytecode_that_needs_no_check() -> None:
    for folder in zips():
        modules = list(folder.rglob("*.py"))
        assert len(modules) > 5, folder.name
        assert [path.name for path in modules if flag(path) != UNCHECKED_HASH] == [], folder.name


def test_the_zips_are_the_light_functions_and_one_layer() -> None:
    light = {"Collect", "Arrive", "Decide", "Campaign", "Deliver", "Feedback", "Console"}
    assert {folder.name for folder in zips()} == light | {"Domain"}
    assert [path.name for path in (BUILT / "Domain" / "python").iterdir()] == ["nudge"]


def test_each_light_function_weighs_less_than_its_limit() -> None:
    layer = size(BUILT / "Domain")
    for folder in zips():
        weight = size(folder) + (0 if folder.name == "Domain" else layer)
        print(f"{folder.name}: {weight / 1e6:.1f} MB unzipped, with the layer")
        assert weight < ZIP_LIMIT, folder.name


def test_the_image_weighs_less_than_its_limit_and_carries_bytecode_but_no_tests() -> None:
    tags = images()
    assert {tag.partition(":")[0] for tag in tags} == {"prepare", "train", "report"}
    for tag in tags:
        print(f"{tag}: {image_size(tag) / 1e6:.0f} MB")
        assert image_size(tag) < IMAGE_LIMIT
    assert json.loads(told(tags[0], IN_THE_IMAGE)) == {"bad": [], "tests": []}


def test_the_image_has_the_vectors_that_messages_are_understood_by() -> None:
    ask = "from nudge.learn.intent.meaning import meaning; print(*meaning().vectors.shape)"
    (train,) = (tag for tag in images() if tag.startswith("train"))
    assert told(train, ask).split() == [str(one) for one in meaning().vectors.shape]


def told(tag: str, script: str) -> str:
    """What a script prints in a container of an image, without a network."""
    command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "python3", tag, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
