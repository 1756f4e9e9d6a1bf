"""What is deployed is what was tested: every door pins, with hashes, the versions that requirements.txt pins."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from local.build import HEAVY, LIGHT, ROOT

PINNED = sorted((ROOT / "functions").rglob("requirements*.txt"))


def pins(path: Path) -> dict[str, str]:
    """Package → version, of a file of pins."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), re.MULTILINE))


def test_each_light_door_has_pins_and_the_heavy_ones_share_theirs() -> None:
    assert {path.parent.name for path in PINNED if path.name == "requirements.txt"} == set(LIGHT)
    assert [path.name for path in PINNED if path.name != "requirements.txt"] == ["requirements-heavy.txt"]


@pytest.mark.parametrize("path", PINNED, ids=lambda path: path.parent.name)
def test_what_is_deployed_is_what_is_tested(path: Path) -> None:
    assert pins(path).items() <= pins(ROOT / "requirements.txt").items()


@pytest.mark.parametrize("path", PINNED, ids=lambda path: path.parent.name)
def test_every_pin_has_hashes_and_no_file_names_a_host(path: Path) -> None:
    text = path.read_text()
    blocks = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pins(path))
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text


def test_pins_hold_what_the_doors_ask_for() -> None:
    for door, names in LIGHT.items():
        assert set(names) <= set(pins(ROOT / "functions" / door / "requirements.txt")), door
    assert set(HEAVY) <= set(pins(ROOT / "functions" / "requirements-heavy.txt"))
