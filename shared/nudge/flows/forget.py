"""Somebody is erased: from every store, in every version, and so that no old file brings them back.

The order is the promise. A tombstone first: from then on `prepare` lets nothing old of theirs through. Then messages, so that nothing
more is sent. Then whatever holds them under an address or a decision, then what those are found by (the lake, the Ledger's decisions,
the profile). So who dies anywhere and comes again finds the rest. At the end everything is looked through once more, as others may
have written what they had in hand. What was reported stays; the tombstone keeps what no report counts any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, cast

from nudge import plan as plans_of
from nudge.errors import BadInput, Conflict, NotFound, NotReady
from nudge.flows import forget_rows
from nudge.flows.forget_look import INBOX, LAKE, REJECTS, Found, Look, Stored
from nudge.flows.forget_words import Words
from nudge.flows.tombstones import Tombstones
from nudge.ports import Lake, Objects, Plans, Profiles
from nudge.traces import UNVERSIONED, ObjectVersion, Traces, Versions
from nudge.vocabulary import Goal, Kind, Micros

ROUNDS = 4
"""How often what others wrote meanwhile is looked for and removed."""


class Erased(NamedTuple):
    """What was found and is gone, and what is still there."""

    found: Found
    left: Found


@dataclass(frozen=True, slots=True)
class Forget:
    """Erases people. Safe to repeat, and to die anywhere; `look` says where they are and changes nothing."""

    look: Look
    objects: Objects
    versions: Versions
    lake: Lake
    profiles: Profiles
    traces: Traces
    plans: Plans
    tombstones: Tombstones

    def find(self, user_ids: Iterable[str]) -> Found:
        """Where these people are. Raises BadInput for an id that is none, Unavailable."""
        return self.look(_words(user_ids), self._goals())

    def __call__(self, user_ids: Iterable[str], *, clock: Callable[[], Micros]) -> Erased:
        """Erase these people; `left` of the answer is empty when nothing is left of them.

        Raises
        ------
        BadInput
            An id is none.
        Unavailable
            A store did not answer: do it again.
        """
        goals, words = self._goals(), _words(user_ids)
        first = left = self.look(words, goals)
        for _ in range(ROUNDS):
            if not left:
                break
            self.tombstones.bury(first.removed, now=clock())
            if not left.can_go:
                break
            self._erase(left)
            left = self.look(words, goals)
        if not left:
            self.tombstones.close(words.ids)
        return Erased(first, left)

    def _goals(self) -> Mapping[str, Goal]:
        try:
            return plans_of.load(self.plans.current()).goals
        except NotReady:
            return {}

    def _erase(self, found: Found) -> None:
        self.traces.drop([one for one in found.traces if one.kind == "message"])
        going = sorted((one for one in found.objects if one.stays is None), key=_turn)
        for key, some in groupby(going, lambda one: one.version.key):
            self._remove(key, [one.version for one in some], found)
        self.traces.drop([one for one in found.traces if one.kind != "message"])
        for user_id in found.people:
            self.profiles.forget(user_id)

    def _remove(self, key: str, held: list[ObjectVersion], found: Found) -> None:
        """Replace what readers find under a key, where they would find somebody; then the versions that hold them go for good."""
        if any(one.live for one in held):
            self._replace(key, found)
        self.versions.expunge([one for one in held if not (one.live and one.version == UNVERSIONED)])

    def _replace(self, key: str, found: Found) -> None:
        try:
            body, etag = self.objects.read(key)
        except NotFound:
            return
        if key.startswith(LAKE):
            kept = forget_rows.without(key, body, found.words.ids)
            if kept is not None:
                _, kind, day, _ = key.split("/")
                self.lake.put(cast(Kind, kind), day.removeprefix("dt="), kept, label=forget_rows.label_of(key))
            self.objects.delete([key])
        elif key.startswith(INBOX) or (key.startswith(REJECTS) and not key.endswith(".jsonl")):
            self.objects.delete([key])
        else:
            self._rewrite(key, body, etag, found)

    def _rewrite(self, key: str, body: bytes, etag: str, found: Found) -> None:
        if key.startswith(REJECTS):
            _, kept = forget_rows.set_aside(body, found.words.finder())
        else:
            _, kept = forget_rows.meant(body, found.words.ids)
        try:
            self.objects.put(key, kept, etag=etag, content_type="application/json")
        except (Conflict, NotFound):
            return  # whoever wrote it meanwhile is looked at in the next round


def _words(user_ids: Iterable[str]) -> Words:
    ids = frozenset(user_ids)
    if not ids or any(not one.strip() for one in ids):
        raise BadInput("name at least one person, and no empty id", reason="no_user_id", where="user_id")
    return Words(ids)


def _turn(one: Stored) -> tuple[bool, str]:
    """The lake last, and in it the users: by what they say the others are found."""
    key = one.version.key
    return key.startswith(LAKE), key
