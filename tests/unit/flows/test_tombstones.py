"""Who was erased is known by every worker at once, two erasures lose nothing, and no id is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nudge.adapters.memory import MemoryObjects
from nudge.errors import Unavailable
from nudge.flows.tombstones import KEY, Tombstones, Watched, summary

SALTS = iter(bytes([number]) * 32 for number in range(100))


def stones(objects: Any) -> Tombstones:
    return Tombstones(objects, lambda: next(SALTS))


def test_who_was_erased_is_known_with_the_time_and_nobody_else() -> None:
    objects = MemoryObjects()
    assert stones(objects).gone() is None
    stones(objects).bury({"ana": {"rows": {"events": 2}}}, now=7)
    gone = stones(objects).gone()
    assert gone is not None
    assert (gone("ana"), gone("bob"), gone("\ud800")) == (7, None, None)
    assert b"ana" not in objects.get(KEY)


class Busy(MemoryObjects):
    """Somebody else erases between the reading and the writing, so many times."""

    left = 1

    def put(self, key: str, body: bytes, **how: Any) -> str:
        if self.left:
            left, self.left = self.left - 1, 0
            stones(self).bury({f"other{left}": {}}, now=1)
            self.left = left
        return super().put(key, body, **how)


def test_two_erasures_at_once_lose_nothing() -> None:
    objects = Busy()
    stones(objects).bury({"ana": {}}, now=7)
    gone = stones(objects).gone()
    assert gone is not None
    assert (gone("ana"), gone("other0")) == (7, 1)


def test_a_list_that_others_keep_writing_is_said_to_be_unavailable() -> None:
    objects = Busy()
    objects.left = 10
    with pytest.raises(Unavailable):
        stones(objects).bury({"ana": {}}, now=7)


def test_an_erasure_that_is_taken_up_counts_once_and_a_second_one_adds() -> None:
    objects = MemoryObjects()
    stones(objects).bury({"ana": {"decisions": {"mail": 3}}}, now=7)
    stones(objects).bury({"ana": {"decisions": {"mail": 1}}}, now=8)
    assert summary(objects) == {"people": 1, "decisions": 3}
    stones(objects).close(["ana", "nobody"])
    stones(objects).bury({"ana": {"decisions": {"mail": 1}}}, now=9)
    assert summary(objects) == {"people": 1, "decisions": 4}
    (stone,) = json.loads(objects.get(KEY))["people"].values()
    assert (stone["at"], stone["open"]) == (9, True)


class Counting(MemoryObjects):
    reads = 0

    def read(self, key: str) -> tuple[bytes, str]:
        self.reads += 1
        return super().read(key)


def test_a_warm_worker_reads_the_list_when_it_changed_and_knows_a_new_one_at_once() -> None:
    objects = Counting()
    watched = Watched(objects)
    assert watched() is None
    stones(objects).bury({"ana": {}}, now=7)
    before = objects.reads
    assert all((gone := watched()) is not None and gone("ana") == 7 for _ in range(3))
    assert objects.reads == before + 1
    stones(objects).bury({"bob": {}}, now=8)
    gone = watched()
    assert gone is not None
    assert gone("bob") == 8
    objects.delete([KEY])
    assert watched() is None
