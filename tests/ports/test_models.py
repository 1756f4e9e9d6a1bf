"""Models: whatever happens to the files, what is loaded is whole, ours and the newest; else the last good one stays."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.adapters.kms import KmsSigner
from nudge.adapters.memory import MemoryObjects, MemorySigner
from nudge.adapters.models import StoredModels
from nudge.adapters.s3 import S3Objects
from nudge.errors import BadInput, Conflict, NotFound, NotReady, Unavailable
from nudge.ports import Objects, Signer

GOAL, FIRST, SECOND = "purchase", "20260101-aaaa", "20260102-bbbb"
POINTER = f"models/{GOAL}/champion.json"


def artefact(goal: str = GOAL, base: float = 0.0) -> dict[str, Any]:
    model = {"base": base, "leaf": [], "root": [], "sets": []}
    model |= {name: [] for name in ("feature", "threshold", "missing_left", "left", "right")}
    return {
        "format": 1,
        "kind": "boosting",
        "name": goal,
        "features": [],
        "activities": ["nothing"],
        "model": model,
        "calibration": {"kind": "sigmoid", "slope": 1.0, "intercept": 0.0},
    }


def files(goal: str = GOAL, base: float = 0.0) -> dict[str, bytes]:
    card = {"metrics": {"auc": [0.7, 0.6, 0.8]}, "libraries": {}, "data": {}, "spec": "s"}
    return {"model.json": json.dumps(artefact(goal, base)).encode(), "card.json": json.dumps(card).encode()}


class World:
    """A bucket, a signer and a clock; `models()` is a process that starts cold."""

    def __init__(self, objects: Objects | None = None, signer: Signer | None = None) -> None:
        self.objects = objects or MemoryObjects()
        self.signer = signer or MemorySigner()
        self.now = 1_000

    def models(self, objects: Objects | None = None, fresh_for: int = 0) -> StoredModels:
        return StoredModels(objects or self.objects, self.signer, clock=lambda: self.now, fresh_for=fresh_for)

    def put(self, version: str, *, goal: str = GOAL, base: float = 0.0) -> None:
        models = self.models()
        models.publish(goal, version, files(goal, base))
        assert models.promote(goal, version, token=models.token(goal), reason="better")


@pytest.fixture(params=["memory", "aws"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return World()
    request.getfixturevalue("aws")
    s3, kms = boto3.client("s3"), boto3.client("kms")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    return World(S3Objects(s3, "lake"), KmsSigner(kms, key))


def test_before_the_first_promotion_there_is_no_champion(world: World) -> None:
    with pytest.raises(NotReady, match="nudge train"):
        world.models().champion(GOAL)
    world.models().publish(GOAL, FIRST, files())
    with pytest.raises(NotReady):
        world.models().champion(GOAL)


def test_what_was_promoted_is_in_force_everywhere(world: World) -> None:
    world.put(FIRST)
    version, held = world.models().champion(GOAL)
    assert (version, held) == (FIRST, artefact())
    warm = world.models(fresh_for=10)
    assert warm.champion(GOAL)[0] == FIRST
    world.put(SECOND, base=1.0)
    assert warm.champion(GOAL)[0] == FIRST
    world.now += 10
    assert warm.champion(GOAL)[0] == SECOND
    cards = world.models().versions(GOAL)
    assert [(card["version"], card["champion"], card["previous"]) for card in cards] == [
        (FIRST, False, True),
        (SECOND, True, False),
    ]


def test_publishing_twice_is_fine_and_other_bytes_are_refused(world: World) -> None:
    world.models().publish(GOAL, FIRST, files())
    world.now += 5
    world.models().publish(GOAL, FIRST, files())
    with pytest.raises(Conflict):
        world.models().publish(GOAL, FIRST, files(base=2.0))


def test_tokens_rise_and_an_older_one_points_nowhere(world: World) -> None:
    models = world.models()
    models.publish(GOAL, FIRST, files())
    models.publish(GOAL, SECOND, files(base=1.0))
    old, new = models.token(GOAL), models.token(GOAL)
    assert new > old
    assert models.promote(GOAL, SECOND, token=new, reason="newer")
    assert not models.promote(GOAL, FIRST, token=old, reason="woke up late")
    assert models.promote(GOAL, SECOND, token=new, reason="its answer was lost")
    assert models.champion(GOAL)[0] == SECOND


def test_a_version_that_is_not_there_cannot_be_pointed_to(world: World) -> None:
    with pytest.raises(NotFound):
        world.models().promote(GOAL, FIRST, token=1, reason="typo")


def test_a_verdict_is_kept_beside_its_version(world: World) -> None:
    world.put(FIRST)
    world.models().verdict(GOAL, FIRST, {"promoted": True, "reason": "better"})
    assert world.models().versions(GOAL)[0]["verdict"]["reason"] == "better"


@pytest.mark.parametrize("goal", ["../plan", "", ".hidden", "a/b"])
def test_a_goal_cannot_leave_its_folder(goal: str) -> None:
    with pytest.raises(BadInput):
        World().models().token(goal)


@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_one_bit_flipped_anywhere_is_refused_and_the_last_good_one_stays(data: st.DataObject) -> None:
    world = World()
    world.put(FIRST)
    warm = world.models()
    assert warm.champion(GOAL)[0] == FIRST
    world.put(SECOND, base=1.0)
    names = [POINTER, *(f"models/{GOAL}/{SECOND}/{name}" for name in ("model.json", "manifest.json"))]
    key = data.draw(st.sampled_from(names))
    body = bytearray(world.objects.get(key))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= 1 << data.draw(st.integers(0, 7))
    world.objects.put(key, bytes(body))
    assert warm.champion(GOAL) == (FIRST, artefact())
    with pytest.raises(NotReady):
        world.models().champion(GOAL)


def test_a_validly_signed_manifest_of_another_goal_or_version_is_refused() -> None:
    world = World()
    world.put(FIRST)
    world.put(SECOND, base=1.0)
    world.put(FIRST, goal="visit", base=2.0)
    for source in (f"models/{GOAL}/{FIRST}", f"models/visit/{FIRST}"):
        other = World(MemoryObjects(), world.signer)
        for one in world.objects.list("models/"):
            other.objects.put(one.key, world.objects.get(one.key))
        for name in ("manifest.json", "model.json", "card.json"):
            other.objects.put(f"models/{GOAL}/{SECOND}/{name}", world.objects.get(f"{source}/{name}"))
        with pytest.raises(NotReady):
            other.models().champion(GOAL)
    world.objects.put(POINTER, world.objects.get("models/visit/champion.json"))
    with pytest.raises(NotReady):
        world.models().champion(GOAL)


def test_an_old_pointer_put_back_does_not_bring_an_old_model_back() -> None:
    world = World()
    world.put(FIRST)
    old = world.objects.get(POINTER)
    world.put(SECOND, base=1.0)
    warm = world.models()
    assert warm.champion(GOAL)[0] == SECOND
    world.objects.put(POINTER, old)
    assert warm.champion(GOAL)[0] == SECOND


def test_a_pointer_that_nobody_signed_does_not_block_the_next_training() -> None:
    world = World()
    world.put(FIRST)
    world.objects.put(POINTER, b'{"goal":"purchase","token":999999999}')
    with pytest.raises(NotReady):
        world.models().champion(GOAL)
    zombie = world.models().token(GOAL)
    world.put(SECOND, base=1.0)
    world.objects.put(POINTER, b"rubbish")
    assert not world.models().promote(GOAL, FIRST, token=zombie, reason="woke up late")
    world.put(SECOND, base=1.0)
    assert world.models().champion(GOAL)[0] == SECOND


class Counting(MemorySigner):
    """Says no to everything, and counts what it was asked."""

    def verify(self, message: bytes, mac: bytes) -> bool:
        return False


def test_nothing_is_parsed_before_it_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.put(FIRST)
    world.signer = Counting()
    asked: list[str] = []
    get = world.objects.get

    def watched(key: str, **more: Any) -> bytes:
        asked.append(key)
        return get(key, **more)

    monkeypatch.setattr(world.objects, "get", watched)
    with pytest.raises(NotReady):
        world.models().champion(GOAL)
    assert asked == []


class Refusing:
    """KMS answers a wrong MAC with an exception, moto with False: both are no."""

    def verify_mac(self, **_: Any) -> dict[str, Any]:
        from botocore.exceptions import ClientError

        raise ClientError({"Error": {"Code": "KMSInvalidMacException", "Message": ""}}, "VerifyMac")


def test_both_ways_in_which_a_mac_is_refused_are_a_no() -> None:
    world = World()
    world.put(FIRST)
    world.signer = KmsSigner(Refusing(), "key")
    with pytest.raises(NotReady):
        world.models().champion(GOAL)


class Faulty:
    """A bucket in which a chosen write fails before it is done, or is done and its answer lost."""

    def __init__(self, objects: MemoryObjects, at: int, after: bool, error: type[Exception] = Unavailable) -> None:
        self._objects, self._at, self._after, self._error = objects, at, after, error
        self.name, self.calls = objects.name, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)

    def put(self, key: str, body: bytes, **more: Any) -> str:
        self.calls += 1
        if self.calls != self._at:
            return self._objects.put(key, body, **more)
        if self._after:
            self._objects.put(key, body, **more)
        raise self._error("the answer was lost" if self._after else "it did not come through")


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [Unavailable, Conflict])
@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_a_training_that_dies_at_any_write_leaves_a_whole_champion_and_can_be_run_again(
    at: int, after: bool, error: type[Exception]
) -> None:
    world = World(MemoryObjects())
    world.put(FIRST)
    faulty = Faulty(world.objects, at, after, error)  # type: ignore[arg-type]

    def training(objects: Any) -> None:
        models = world.models(objects)
        token = models.token(GOAL)
        models.publish(GOAL, SECOND, files(base=1.0))
        models.promote(GOAL, SECOND, token=token, reason="better")

    try:
        training(faulty)
    except (Unavailable, Conflict, NotFound):
        assert world.models().champion(GOAL)[0] in (FIRST, SECOND)
    training(world.objects)
    assert world.models().champion(GOAL) == (SECOND, artefact(base=1.0))


def test_of_eight_trainings_that_race_the_newest_token_wins() -> None:
    world = World()
    started: dict[str, int] = {}
    zombie = world.models().token(GOAL)

    def training(number: int) -> None:
        models, version = world.models(), f"20260101-{number}"
        started[version] = models.token(GOAL)
        models.publish(GOAL, version, files(base=float(number)))
        models.promote(GOAL, version, token=started[version], reason="better")

    threads = [threading.Thread(target=training, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(set(started.values())) == 8
    newest = max(started, key=lambda version: started[version])
    assert not world.models().promote(GOAL, "20260101-0", token=zombie, reason="woke up late")
    version, held = world.models().champion(GOAL)
    assert version == newest
    assert held["model"]["base"] == float(version[-1])


def test_a_reader_between_any_two_writes_sees_a_verified_model() -> None:
    world = World(MemoryObjects())
    world.put(FIRST)
    seen: list[str] = []
    put = world.objects.put

    def watched(key: str, body: bytes, **more: Any) -> str:
        seen.append(world.models().champion(GOAL)[0])
        done = put(key, body, **more)
        seen.append(world.models().champion(GOAL)[0])
        return done

    world.objects.put = watched  # type: ignore[method-assign]
    world.put(SECOND, base=1.0)
    assert seen[:-1] == [FIRST] * (len(seen) - 1)
    assert seen[-1] == SECOND


class Down(MemoryObjects):
    """A bucket that answers until it is switched off."""

    down = False

    def read(self, key: str) -> tuple[bytes, str]:
        if self.down:
            raise Unavailable("S3 did not answer")
        return super().read(key)


def test_while_the_store_is_down_the_last_good_model_answers() -> None:
    objects = Down()
    world = World(objects)
    world.put(FIRST)
    warm = world.models()
    assert warm.champion(GOAL)[0] == FIRST
    objects.down = True
    assert warm.champion(GOAL)[0] == FIRST
    with pytest.raises(Unavailable):
        world.models().champion(GOAL)


def test_a_file_larger_than_its_manifest_says_is_not_read_whole() -> None:
    world = World()
    world.put(FIRST)
    world.objects.put(f"models/{GOAL}/{FIRST}/model.json", b"x" * 10_000_000)
    spans: list[Mapping[str, Any]] = []
    get = world.objects.get
    world.objects.get = lambda key, **more: (spans.append(more), get(key, **more))[1]  # type: ignore[method-assign,func-returns-value]
    with pytest.raises(NotReady):
        world.models().champion(GOAL)
    assert spans[-1]["span"][1] < 1000
