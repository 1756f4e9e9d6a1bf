"""What the flows need of the world, as Protocols. Adapters keep them; `adapters.memory` keeps them too.

Errors are part of a port: `NotFound`, `Conflict`, `Unavailable` mean the same in every adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nudge.act.reputation import Figures
from nudge.vocabulary import Chunk, Consent, Counts, Decision, Kind, Message, Micros, Profile, Suppression

if TYPE_CHECKING:
    from nudge.decide.journey import Journey  # most doors know no journeys


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a store says of an object without its body."""

    key: str
    size: int
    etag: str
    version: str | None
    modified_at: Micros


class Objects(Protocol):
    """One bucket. Keys are full keys (`lake/events/…`)."""

    name: str

    def head(self, key: str, *, version: str | None = None) -> ObjectInfo:
        """Raises NotFound when the object (or that version of it) is gone."""

    def get(
        self,
        key: str,
        *,
        span: tuple[int, int] | None = None,
        version: str | None = None,
        etag: str | None = None,
    ) -> bytes:
        """The bytes [start, end) of `span`, or all. Raises NotFound; Conflict when `etag` is given and no longer true."""

    def read(self, key: str) -> tuple[bytes, str]:
        """Body and ETag in one call, for a later `put(..., etag=…)`. Raises NotFound."""

    def stream(
        self, key: str, *, version: str | None = None, etag: str | None = None, block: int = 8 << 20
    ) -> Iterator[bytes]:
        """The body in blocks. Raises as `get`."""

    def put(
        self,
        key: str,
        body: bytes,
        *,
        new: bool = False,
        etag: str | None = None,
        content_type: str = "application/octet-stream",
    ) -> str:
        """Write; returns the ETag. `new`: only if nothing is there (If-None-Match: *); `etag`: only if that is there
        (If-Match). Raises Conflict when the condition does not hold."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object under the prefix, in key order."""

    def delete(self, keys: Sequence[str]) -> None:
        """Remove; an absent key is no error."""


class Queue(Protocol):
    """A standard queue: at least once, in any order."""

    def send(self, bodies: Sequence[Mapping[str, Any]], *, delay_seconds: int = 0) -> None:
        """Put JSON bodies on the queue, all or raise Unavailable."""


class Backlog(Queue, Protocol):
    """A queue that says how much is on it."""

    def waiting(self) -> int:
        """About how many messages wait. Raises Unavailable."""


class Signer(Protocol):
    """A MAC that only its key can make (KMS HMAC)."""

    def sign(self, message: bytes) -> bytes: ...

    def verify(self, message: bytes, mac: bytes) -> bool:
        """False when the MAC is not ours, in whichever way the service says so."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What `Arrivals` knows of one content: `planned` chunks, which are `done`, and their counts."""

    content: str
    key: str
    kind: Kind
    state: str
    planned: int = 0
    done: int = 0
    counts: Counts = Counts()
    detail: str | None = None


class Arrivals(Protocol):
    """Which objects and chunks were claimed, and how each ended. Every call is safe to repeat."""

    def newest(self, bucket: str, key: str, sequencer: str | None) -> bool:
        """Remember the highest sequencer of a key; False when a higher one was already seen."""

    def claim(self, content: str, *, bucket: str, key: str, kind: Kind, chunks: int, owner: str, now: Micros) -> bool:
        """Claim a content and fix its number of chunks. True for the first claimant and for its own repetition
        (the same owner, or a claim whose tasks were not yet `queued`), False when the work is already queued."""

    def queued(self, content: str) -> None:
        """All chunk tasks of the content are on the queue."""

    def close(self, content: str, *, bucket: str, key: str, kind: Kind, state: str, detail: str, now: Micros) -> None:
        """A content that needs no chunks ends here: `missing`, `refused`, `superseded`, `empty`, `unchanged`."""

    def chunk_done(self, chunk: Chunk, counts: Counts, parts: Sequence[str], now: Micros) -> Arrival:
        """Record a chunk once (a repetition changes nothing) and return the content as it now stands. One transaction."""

    def is_chunk_done(self, content: str, number: int) -> bool: ...

    def get(self, content: str) -> Arrival | None: ...

    def all(self) -> Iterator[Arrival]:
        """Every content, for reconciliation and reports."""


class People(Protocol):
    """Who asks for one person at a time."""

    def get(self, user_id: str, *, consistent: bool = False) -> Profile | None: ...


class Profiles(People, Protocol):
    """People. Numbers are written by who read the latest version; consents and suppressions by anyone: the latest time wins."""

    def get_many(self, user_ids: Iterable[str]) -> dict[str, Profile]:
        """Consistent, with `seen`; absent people are absent from the answer."""

    def save(self, profiles: Sequence[Profile]) -> list[str]:
        """Write each person as given, if the stored version is `profile.version` (0 = not there). Every write of numbers or
        flags raises the version, so nothing written meanwhile is lost. Returns the user ids that lost the race, to be
        read and folded again."""

    def consent(self, user_id: str, channel: str, consent: Consent) -> None:
        """The consent with the latest `at` wins; a withdrawal wins a tie."""

    def suppress(self, user_id: str, channel: str, suppression: Suppression) -> None:
        """The latest wins; but a `stop`, which its reader can lift, replaces no other reason."""

    def suppress_address(self, channel: str, address: str, suppression: Suppression) -> None:
        """Also for an address whose person we do not know."""

    def lift(self, user_id: str, channel: str, *, at: Micros) -> bool:
        """Take back a suppression whose reason is `stop`, and that is older. False where there is none. A later one holds again;
        the same one told again does not."""

    def lift_address(self, channel: str, address: str, *, at: Micros) -> bool:
        """The same of an address."""

    def is_address_suppressed(self, channel: str, address: str, *, told_at: Micros = 0) -> bool:
        """Strongly consistent. `told_at`: when the person's address was last told (see `decide.dead`). Raises Unavailable: then
        nothing is sent."""

    def all(self, *, part: tuple[int, int] = (0, 1)) -> Iterator[Profile]:
        """Every person, with `seen`; of `part` (n, of) those in the n-th of so many parts, each person in one of them."""

    def forget(self, user_id: str) -> None:
        """The person's row goes, flags and all; an absent one is no error. Suppressed addresses stay."""


class Lake(Protocol):
    """Parquet parts under `lake/<kind>/dt=YYYY-MM-DD/`, named by their content."""

    def put(self, kind: Kind, day: str, body: bytes, *, label: str = "") -> str:
        """Write a part once (the same bytes again change nothing); returns its key."""

    def parts(self, kind: Kind, *, since: str | None = None, until: str | None = None) -> list[ObjectInfo]:
        """Parts of the days since ≤ day < until, in key order."""

    def get(self, key: str) -> bytes: ...

    def drop(self, keys: Sequence[str]) -> None: ...


class Ledger(Protocol):
    """Decisions and messages. The row is there before anything leaves the house."""

    def find(self, decision_id: str) -> tuple[Decision, str] | None:
        """The stored decision and the hash of the request that made it."""

    def record(
        self,
        decision: Decision,
        *,
        request_hash: str,
        answer: Mapping[str, Any],
        message: Message | None,
        caps: Mapping[str, int],
        budgets: Sequence[tuple[str, float, float]],
        expires_at: Micros,
    ) -> None:
        """One transaction: decision (must be new), message, `caps` counters {counter key: must stay ≤ this}, and
        `budgets`, each (key, cost of this, limit). Raises Conflict (reason `decision`) when the decision is known, (reason
        `cap` or `budget`, its text the counter's key) when a counter is full. The same record again, byte for byte,
        is our own after a lost answer: no error, and nothing counts twice."""

    def answer(self, decision_id: str) -> tuple[dict[str, Any], str] | None:
        """The stored answer and request hash, strongly consistent."""

    def counts(self, keys: Sequence[str]) -> dict[str, float]:
        """Current counters (caps, budget); absent = 0."""

    def look(self, decision_id: str, keys: Sequence[str]) -> tuple[tuple[dict[str, Any], str] | None, dict[str, float]]:
        """`answer(decision_id)` and `counts(keys)` in one call, strongly consistent."""

    def message(self, decision_id: str) -> Message | None:
        """Strongly consistent."""

    def messages_of(self, decision_ids: Sequence[str]) -> list[Message]:
        """Those that are there, strongly consistent, in the order asked for."""

    def claim(self, decision_id: str, *, owner: str, now: Micros) -> bool:
        """pending/held and due → sending, by this owner. True also when it is already ours."""

    def finish(
        self,
        decision_id: str,
        *,
        owner: str | None,
        state: str,
        now: Micros,
        reason: str | None = None,
        provider_id: str | None = None,
    ) -> bool:
        """sending (by this owner; any when None) → a final state. False when it is not in that state (any more)."""

    def give_back(self, decision_id: str, *, owner: str, due_at: Micros) -> bool:
        """sending (ours) → pending again: the channel said a definite "not now"."""

    def postpone(self, decision_id: str, *, now: Micros, due_at: Micros) -> bool:
        """pending/held and due → due later. False when it is neither."""

    def resend(self, decision_id: str, *, attempt: int, by: str, now: Micros) -> bool:
        """failed in this attempt → pending and due, in the next attempt, with who asked for it and when. True also when this very
        call has done it before; False when it is anything else by now."""

    def count_once(self, name: str, caps: Mapping[str, int], *, now: Micros) -> bool:
        """Add one to each counter (`caps` as in `record`) under a name, all or none. True also when that name has counted
        already; False when a counter is full."""

    def settle(self, decision_id: str, *, provider_id: str, now: Micros) -> bool:
        """The channel's own event proves that it was sent: sending or unknown → sent. Never goes back."""

    def reserve(self, recipient: str, user_id: str, *, expires_at: Micros) -> bool:
        """The first user id to ask for a recipient (of an occasion) has it; False for every other."""

    def due(self, *, now: Micros, limit: int = 100) -> list[str]:
        """Decision ids of messages that are pending or held and due."""

    def stuck(self, *, before: Micros, limit: int = 100) -> list[str]:
        """Decision ids of messages that are `sending` since before that time."""

    def unknown(self, *, limit: int = 100) -> list[str]:
        """Decision ids of messages that ended as `unknown` and were not settled since, oldest first."""

    def failed(self, *, limit: int = 100) -> list[str]:
        """Decision ids of messages that ended as `failed` and were not sent again since, oldest first."""


type Traveller = tuple[str, str]
"""Who walks where: (campaign, user_id)."""


class Journeys(Protocol):
    """People on their way through campaigns: a row a person and campaign, and the index by which due ones are found."""

    @property
    def shards(self) -> int:
        """In how many parts due journeys are looked for, side by side."""

    def get_many(self, travellers: Iterable[Traveller]) -> dict[Traveller, Journey]:
        """Strongly consistent; who never was on the way is absent from the answer."""

    def save(self, journey: Journey, *, tally: str | None = None) -> bool:
        """Write it, one version up, if the stored version is `journey.version` (0 = not there). False when somebody else wrote
        meanwhile. `tally` is a word (`begun`, `finished` …) by which the campaign's journeys are counted, in the same transaction."""

    def due(self, shard: int, *, now: Micros, limit: int = 100) -> list[Traveller]:
        """Who of a shard is due and has not ended, longest due first. Somebody who went on a moment ago may still be among them."""

    def under_way(self, campaign: str) -> Iterator[Journey]:
        """Those of a campaign that have not ended."""

    def tallies(self, campaign: str) -> dict[str, int]:
        """Word → how many journeys of the campaign were counted by it."""


type Past = tuple[Decision, Message | None]
"""A decision that was made, and how the message of it stands, where there is one."""


class History(Protocol):
    """What was decided for one person."""

    def of(self, user_id: str, *, before: str | None = None, limit: int = 50) -> tuple[list[Past], str | None]:
        """Newest first, and a cursor for `before` where there may be more. Raises BadInput for a cursor that is none of ours."""


class Templates(Protocol):
    """Message templates by name: `{"subject": …, "text": …, "html": …}`."""

    def get(self, name: str) -> dict[str, str]:
        """Raises NotFound."""


class Sender[Composed](Protocol):
    """A channel: e-mail takes an `Email`, every other a `Parcel`. One call is one attempt; there is no retry inside."""

    @property
    def repeats(self) -> bool:
        """Whether the receiver can tell a repetition by the delivery id: then, and only then, doubt may be sent again."""

    def send(self, composed: Composed, /) -> str:
        """Returns the provider's id of the message. Raises Throttled (not sent, later), Refused (not sent, never; its
        text is the reason code) or Unsure (nobody knows). None of them carries an address."""


type Senders = Callable[[str], Sender[Any]]
"""The sender of a channel by its name."""


class Pace(Protocol):
    """How fast mail may go, for all workers together."""

    def take(self, *, transactional: bool, now: Micros) -> float:
        """Take a slot; the answer is how many seconds to wait for it. Raises Throttled (no slot soon), Closed (quota,
        breaker), Unavailable (nobody knows the quota, or the store is down): in each case nothing may be sent."""


class Reputation(Protocol):
    """What came back of our mails, lately; and the breaker that stops all marketing mail."""

    def sent(self) -> None:
        """One mail left; written with others by `flush`."""

    def flush(self, *, now: Micros) -> None: ...

    def blame(self, kind: str, mail: str, *, now: Micros) -> None:
        """A `bounce` (for good) or a `complaint` about a mail; a repetition changes nothing."""

    def figures(self, *, now: Micros) -> Figures:
        """Of the window."""

    def stop(self, why: str, *, now: Micros) -> bool:
        """Open the breaker. False when it is open already. Only a person closes it."""


class Clicks(Protocol):
    """Which links of a message were followed, for as long as it takes to tell a person from a machine."""

    def note(self, decision_id: str, link: str, *, at: Micros) -> list[tuple[Micros, str]]:
        """Add one, and return all that are known of the message as (time, link). A repetition changes nothing."""


class Sent(Protocol):
    """Which decision a message was of, by the id that the channel's provider gave it: an answer names no other."""

    def note(self, channel: str, provider_id: str, decision_id: str, *, at: Micros) -> None:
        """A repetition changes nothing."""

    def find(self, channel: str, provider_id: str) -> str | None:
        """Strongly consistent; None for one that was never noted, or is long gone."""


class Secrets(Protocol):
    """Secrets by the names that the plan uses for them."""

    def get(self, name: str) -> str:
        """Raises Unavailable when it cannot be read now, NotFound when there is none of that name."""


class Throttled(Exception):
    """The channel said: not now. Nothing was sent."""


class Closed(Throttled):
    """Not now, and not soon: a quota is used up, or the breaker is open."""


class Refused(Exception):
    """The channel said: not this one. Nothing was sent. The argument is the reason code."""


class Unsure(Exception):
    """The channel did not say. It may have been sent: never send again by yourself."""


class Models(Protocol):
    """Signed artefacts under `models/<goal>/<version>/` and the pointer `models/<goal>/champion.json`."""

    def champion(self, goal: str) -> tuple[str, dict[str, Any]]:
        """Version and verified artefact in force. Raises NotReady when there is none, or none that can be trusted."""

    def token(self, goal: str) -> int:
        """A fencing token, taken when a training starts: larger than any taken before."""

    def publish(self, goal: str, version: str, files: Mapping[str, bytes]) -> None:
        """Write an immutable version with its signed manifest. Raises Conflict when other bytes have that version."""

    def promote(self, goal: str, version: str, *, token: int, reason: str) -> bool:
        """Point to a version. False when a newer token has pointed already (we are the zombie)."""

    def verdict(self, goal: str, version: str, verdict: Mapping[str, Any]) -> None:
        """Keep why a version was, or was not, promoted."""

    def versions(self, goal: str) -> list[dict[str, Any]]:
        """Cards of all versions, oldest first, each with `champion: bool`."""

    def version(self, goal: str, version: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Artefact and card of one version, both verified. Raises NotFound, BadInput."""

    def pointer(self, goal: str) -> dict[str, Any]:
        """What the pointer says (`version token reason previous`); {} when there is none that can be trusted."""

    def names(self) -> list[str]:
        """Everything that models, or verdicts on why there are none, are stored under."""


class Plans(Protocol):
    """The plan in force: `plan/plan.json`."""

    def current(self) -> dict[str, Any]:
        """Raises NotReady when none was ever published."""
