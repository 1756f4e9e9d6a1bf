"""Signed artefacts under `models/<goal>/`, and the pointer to the one in force. Over any `Objects` and `Signer`.

Layout: `models/<goal>/<version>/{model.json, card.json, manifest.json, verdict.json}`, `champion.json`, `token.json`.
A manifest names goal, version and the digest and size of every file, and carries a MAC over all of that; the pointer
names the manifest's digest and carries a MAC too. Reading goes: MAC, size and digest, parse, structure; in that order.
What cannot be verified is refused, and the champion that was in force stays in memory.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nudge.errors import BadInput, Conflict, NotFound, NotReady, Unavailable
from nudge.ports import Objects, Signer
from nudge.score.verify import structure
from nudge.vocabulary import SECOND, Micros

LARGEST_SIGNED = 64 * 1024
LARGEST_FILE = 64 * 1024 * 1024
TRIES = 30


@dataclass(slots=True)
class _Held:
    """A champion in memory. `etag` is that of the pointer, `token` the highest that was verified."""

    version: str
    artefact: dict[str, Any]
    etag: str
    token: int
    checked_at: Micros


class StoredModels:
    """The port `Models`. `clock` (microseconds) is asked how old what is in memory is; it is trusted for `fresh_for`."""

    def __init__(
        self, objects: Objects, signer: Signer, *, clock: Callable[[], Micros], fresh_for: Micros = 180 * SECOND
    ) -> None:
        self._objects = objects
        self._signer = signer
        self._clock = clock
        self._fresh_for = fresh_for
        self._held: dict[str, _Held] = {}
        self._none_at: dict[str, Micros] = {}

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def champion(self, goal: str) -> tuple[str, dict[str, Any]]:
        held, now = self._held.get(goal), self._clock()
        if held is not None and 0 <= now - held.checked_at < self._fresh_for:
            return held.version, held.artefact
        if held is None and 0 <= now - self._none_at.get(goal, -self._fresh_for) < self._fresh_for // 6:
            raise _none(goal)
        try:
            held = self._read_champion(goal, held, now)
        except (NotFound, BadInput, Unavailable) as wrong:
            if held is None:
                if isinstance(wrong, Unavailable):
                    raise
                self._none_at[goal] = now
                raise _none(goal) from wrong
            held.checked_at = now  # the last good one stays
        self._held[goal] = held
        return held.version, held.artefact

    def _read_champion(self, goal: str, held: _Held | None, now: Micros) -> _Held:
        body, etag = self._objects.read(_pointer_key(goal))
        if held is not None and etag == held.etag:
            held.checked_at = now
            return held
        pointer = self._verified(body, f"{goal}: the pointer", what="pointer", goal=goal)
        if held is not None and pointer["token"] < held.token:
            raise BadInput(f"{goal}: the pointer is older than the one before", reason="replayed_pointer")
        manifest = self._manifest(goal, pointer["version"], digest=pointer["manifest"])
        artefact = json.loads(self._file(goal, manifest, "model.json"))
        structure(artefact)
        if artefact["name"] != goal:
            raise BadInput(f"{goal}: the artefact is another goal's", reason="bad_model")
        return _Held(pointer["version"], artefact, etag, pointer["token"], now)

    def _verified(self, body: bytes, label: str, **bound: str) -> dict[str, Any]:
        """A signed JSON object, its MAC checked and its names compared with those that were asked for."""
        if len(body) > LARGEST_SIGNED:
            raise BadInput(f"{label} is too large", reason="bad_signature")
        try:
            held = json.loads(body)
            mac = base64.b64decode(held.pop("mac"), validate=True)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise BadInput(f"{label} is not a signed object", reason="bad_signature") from None
        if not self._signer.verify(_canonical(held), mac) or _canonical(held | {"mac": _text(mac)}) != body:
            raise BadInput(f"{label} does not carry our signature", reason="bad_signature")
        if any(held.get(name) != value for name, value in bound.items()):
            raise BadInput(f"{label} is another one's", reason="bad_signature")
        return dict(held)

    def _manifest(self, goal: str, version: str, *, digest: str | None = None) -> dict[str, Any]:
        body = self._objects.get(_key(goal, version, "manifest.json"))
        if digest is not None and _sha(body) != digest:
            raise BadInput(f"{goal}/{version}: not the manifest that the pointer names", reason="bad_digest")
        return self._verified(body, f"{goal}/{version}: the manifest", what="manifest", goal=goal, version=version)

    def _file(self, goal: str, manifest: Mapping[str, Any], name: str) -> bytes:
        said, version = manifest["files"][name], manifest["version"]
        body = self._objects.get(_key(goal, version, name), span=(0, min(said["size"], LARGEST_FILE) + 1))
        if len(body) != said["size"] or _sha(body) != said["sha256"]:
            raise BadInput(f"{goal}/{version}/{name}: not what its manifest says", reason="bad_digest")
        return body

    def versions(self, goal: str) -> list[dict[str, Any]]:
        """Cards of all versions, oldest first, with `version`, `created_at`, `champion`, `previous` and `verdict`."""
        try:
            pointer = self._verified(
                self._objects.read(_pointer_key(goal))[0], f"{goal}: the pointer", what="pointer", goal=goal
            )
        except NotFound:
            pointer = {}
        found = []
        for version in self._names(goal):
            manifest = self._manifest(goal, version)
            card = json.loads(self._file(goal, manifest, "card.json"))
            state = {"champion": version == pointer.get("version"), "previous": version == pointer.get("previous")}
            named = {"version": version, "created_at": manifest["created_at"], "verdict": self._verdict(goal, version)}
            found.append({**card, **named, **state})
        return sorted(found, key=lambda card: (card["created_at"], card["version"]))

    def version(self, goal: str, version: str) -> tuple[dict[str, Any], dict[str, Any]]:
        manifest = self._manifest(goal, version)
        artefact, card = (json.loads(self._file(goal, manifest, name)) for name in ("model.json", "card.json"))
        structure(artefact)
        if artefact["name"] != goal:
            raise BadInput(f"{goal}: the artefact is another goal's", reason="bad_model")
        return artefact, card | {"version": version, "created_at": manifest["created_at"]}

    def pointer(self, goal: str) -> dict[str, Any]:
        return self._pointer(goal)[0]

    def names(self) -> list[str]:
        keys = (one.key.split("/") for one in self._objects.list("models/"))
        return sorted({parts[1] for parts in keys if len(parts) > 2 and not parts[1].startswith(".")})

    def _names(self, goal: str) -> Iterator[str]:
        prefix, ending = f"models/{_name(goal)}/", "/manifest.json"
        for one in self._objects.list(prefix):
            if one.key.endswith(ending):
                yield one.key.removeprefix(prefix).removesuffix(ending)

    def _verdict(self, goal: str, version: str) -> dict[str, Any] | None:
        try:
            return dict(json.loads(self._objects.get(_key(goal, version, "verdict.json"))))
        except NotFound:
            return None

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────
    def token(self, goal: str) -> int:
        key = f"models/{_name(goal)}/token.json"
        for _ in range(TRIES):
            body, etag = self._read_or_none(key)
            token = max(_number(body), self._pointer(goal)[0].get("token", 0) if body is None else 0) + 1
            try:
                self._objects.put(key, _canonical({"token": token}), **_if(etag), content_type="application/json")
            except (Conflict, NotFound):
                continue
            return token
        raise Unavailable(f"{goal}: too many trainings want a token at once")

    def publish(self, goal: str, version: str, files: Mapping[str, bytes]) -> None:
        listed = {name: {"sha256": _sha(body), "size": len(body)} for name, body in sorted(files.items())}
        for name, body in files.items():
            self._put_once(_key(goal, version, name), body)
        card = json.loads(files["card.json"])
        kept = {name: card.get(name) for name in ("metrics", "libraries", "data", "spec")}
        said = {"what": "manifest", "goal": goal, "version": version, "files": listed, **kept}
        said["created_at"] = self._clock()
        try:
            self._objects.put(_key(goal, version, "manifest.json"), self._signed(said), new=True)
        except Conflict:
            if self._manifest(goal, version)["files"] != listed:
                raise

    def promote(self, goal: str, version: str, *, token: int, reason: str) -> bool:
        manifest = self._objects.get(_key(goal, version, "manifest.json"))
        self._manifest(goal, version)
        for _ in range(TRIES):
            pointer, etag = self._pointer(goal)
            if pointer.get("token") == token and pointer["version"] == version:
                return True  # ours: the answer to an earlier try was lost
            if pointer.get("token", 0) >= token or (not pointer and etag and not self._is_newest(goal, token)):
                return False
            said = {"what": "pointer", "goal": goal, "version": version, "token": token, "reason": reason}
            said |= {"manifest": _sha(manifest), "previous": pointer.get("version")}
            try:
                self._objects.put(_pointer_key(goal), self._signed(said), **_if(etag), content_type="application/json")
            except (Conflict, NotFound):
                continue
            self._none_at.pop(goal, None)
            if goal in self._held:
                self._held[goal].checked_at = -self._fresh_for  # look again at the next question
            return True
        raise Unavailable(f"{goal}: too many trainings want to point at once")

    def verdict(self, goal: str, version: str, verdict: Mapping[str, Any]) -> None:
        self._objects.put(_key(goal, version, "verdict.json"), _canonical(verdict), content_type="application/json")

    def _put_once(self, key: str, body: bytes) -> None:
        try:
            self._objects.put(key, body, new=True, content_type="application/json")
        except Conflict:
            if self._objects.get(key, span=(0, len(body) + 1)) != body:
                raise

    def _pointer(self, goal: str) -> tuple[dict[str, Any], str | None]:
        """The pointer as far as it can be trusted ({} otherwise), and the ETag of what is there."""
        body, etag = self._read_or_none(_pointer_key(goal))
        if body is None:
            return {}, None
        try:
            return self._verified(body, f"{goal}: the pointer", what="pointer", goal=goal), etag
        except BadInput:
            return {}, etag

    def _is_newest(self, goal: str, token: int) -> bool:
        return _number(self._read_or_none(f"models/{_name(goal)}/token.json")[0]) <= token

    def _read_or_none(self, key: str) -> tuple[bytes | None, str | None]:
        try:
            return self._objects.read(key)
        except NotFound:
            return None, None

    def _signed(self, said: Mapping[str, Any]) -> bytes:
        return _canonical({**said, "mac": _text(self._signer.sign(_canonical(said)))})


def _none(goal: str) -> NotReady:
    return NotReady(f"{goal}: no model can be trusted yet; run `nudge train`", missing={"champion": goal})


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()


def _text(mac: bytes) -> str:
    return base64.b64encode(mac).decode()


def _sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _number(body: bytes | None) -> int:
    """The counter in token.json; 0 when it is not there or not a counter."""
    try:
        return int(json.loads(body or b"{}").get("token", 0))
    except (ValueError, TypeError, AttributeError):
        return 0


def _if(etag: str | None) -> dict[str, Any]:
    return {"new": True} if etag is None else {"etag": etag}


def _name(name: str) -> str:
    """A goal or version as part of a key. Raises BadInput for one that would leave its folder."""
    if not name or "/" in name or name.startswith("."):
        raise BadInput(f"{name!r} cannot name a model", reason="bad_name")
    return name


def _key(goal: str, version: str, file: str) -> str:
    return f"models/{_name(goal)}/{_name(version)}/{file}"


def _pointer_key(goal: str) -> str:
    return f"models/{_name(goal)}/champion.json"
