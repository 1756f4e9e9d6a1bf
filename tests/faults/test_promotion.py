"""Whatever happens at any AWS call: the champion is always whole, verified, and the newest (P10, P13; F1, F2, F4)."""

from __future__ import annotations

import json
import os
from random import Random
from typing import Any

from explorer import Worker, explore
from world import NOW, World

from nudge import score
from nudge.adapters.clients import client
from nudge.adapters.kms import KmsSigner
from nudge.adapters.memory import MemoryObjects, MemorySigner
from nudge.adapters.models import StoredModels
from nudge.adapters.s3 import S3Objects


def artefact(intercept: float) -> dict[str, Any]:
    """A whole model: one number, one weight."""
    return {
        "format": 1,
        "kind": "logistic",
        "name": "purchase",
        "activities": ["nothing"],
        "features": [{"name": "total.purchase", "type": "number", "absent": 0.0}],
        "calibration": {"kind": "sigmoid", "slope": 1.0, "intercept": 0.0},
        "model": {
            "intercept": intercept,
            "terms": [{"weight": 0.1, "center": 0.0, "scale": 1.0, "missing": 0.0, "log": False}],
            "interactions": [],
        },
    }


def files(intercept: float) -> dict[str, bytes]:
    return {"model.json": json.dumps(artefact(intercept)).encode(), "card.json": json.dumps({"metrics": {}}).encode()}


def store() -> StoredModels:
    """A store as a new worker, or a new reader, makes it: nothing in memory."""
    bucket = S3Objects(client("s3"), "lake")
    return StoredModels(bucket, KmsSigner(client("kms"), os.environ["MODEL_KEY_ID"]), clock=lambda: NOW)


def promote(intercept: float, version: str) -> bool:
    models = store()
    token = models.token("purchase")
    models.publish("purchase", version, files(intercept))
    return models.promote("purchase", version, token=token, reason="better")


def test_the_champion_is_whole_and_the_newest_whatever_happens(world: World) -> None:
    def set_up() -> None:
        world.reset()
        assert promote(0.1, "v1")

    def violated() -> str | None:
        version, held = store().champion("purchase")
        whole = held == artefact({"v1": 0.1, "v2": 0.2}[version]) and score.load(held) is not None
        return None if version == "v2" and whole else f"{version}, whole: {whole}"

    cases, violations = explore(Worker("promote", set_up, lambda attempt: promote(0.2, "v2"), violated))
    assert cases >= 6 * 8
    assert violations == []


def test_a_reader_never_sees_half_a_promotion(world: World) -> None:
    """Between any two calls of the promotion a fresh reader gets a verified model: the old one, then the new one."""
    import explorer

    world.reset()
    assert promote(0.1, "v1")
    with explorer.fault() as counted:
        promote(0.15, "v1b")
    for at in range(1, counted.made + 1):
        world.reset()
        assert promote(0.1, "v1")
        try:
            with explorer.fault("kill-after", at):
                promote(0.2, "v2")
        except explorer.Died:
            pass
        version, held = store().champion("purchase")
        assert held == artefact({"v1": 0.1, "v2": 0.2}[version])


def test_of_racing_trainers_and_a_zombie_the_newest_token_stays() -> None:
    bucket = MemoryObjects()
    models = StoredModels(bucket, MemorySigner(), clock=lambda: NOW)
    for number in range(1, 9):
        models.publish("purchase", f"v{number}", files(number / 10))
    for seed in range(15):
        tokens = {number: models.token("purchase") for number in range(1, 9)}
        order = list(tokens)
        Random(seed).shuffle(order)
        for number in [*order, 3]:  # 3 wakes up once more, long after
            models.promote("purchase", f"v{number}", token=tokens[number], reason="race")
        fresh = StoredModels(bucket, MemorySigner(), clock=lambda: NOW)
        assert fresh.champion("purchase")[0] == "v8"
