"""The nouns of Nudge. What comes in: nothing. What goes out: frozen types that every room speaks.

They know no store, no file format and no clock. Times are microseconds since the epoch, UTC (`Micros`) where they are
data that is computed with, and aware `datetime` where a person reads them. Amounts of money are numbers in the plan's
one currency, in its major unit (a mail costs 0.0001: minor units would round it away); they are rounded when shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

type Micros = int
"""Microseconds since 1970-01-01T00:00:00Z."""

type Vector = dict[str, float | str | None]
"""Feature name → value. Numbers are floats, categories are strings, a missing value is None."""

SECOND: Micros = 1_000_000
DAY: Micros = 86_400 * SECOND

Kind = Literal["users", "events", "items", "decisions", "outcomes"]
KINDS: tuple[Kind, ...] = ("users", "events", "items", "decisions", "outcomes")
"""What may lie under `inbox/<kind>/` and `lake/<kind>/`. Outcomes are events about our own messages: same columns."""

NOTHING = "nothing"
"""The activity that is always a candidate."""


# ── what people did ──────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Event:
    """Something one person did, once. `event_id` is given or derived from the content: (user_id, event_id) is unique."""

    event_id: str
    user_id: str
    event_type: str
    event_time: Micros
    event_action: str | None = None
    item_id: str | None = None
    category: str | None = None
    value: float | None = None
    currency: str | None = None
    channel: str | None = None
    decision_id: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person allowed on a channel, since when, and where we have it from. The latest `at` wins."""

    granted: bool
    at: Micros
    source: str


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why we must not write to a person on a channel: bounce, complaint, unsubscribe."""

    reason: str
    at: Micros


@dataclass(frozen=True, slots=True)
class Profile:
    """One person as the online functions see them.

    `state` is what `profile.fold` adds up; `traits` are attributes with the time of each (`{name: [value, micros]}`);
    `seen` are the ids of the events already in `state` (8 bytes each, see `profile.seen`), None when it was not read;
    `version` rises with every write; numbers are saved by who read the latest; consents and suppressions win by time.
    """

    user_id: str
    state: Mapping[str, Any] = field(default_factory=dict)
    traits: Mapping[str, tuple[Any, Micros]] = field(default_factory=dict)
    consents: Mapping[str, Consent] = field(default_factory=dict)
    suppressions: Mapping[str, Suppression] = field(default_factory=dict)
    seen: bytes | None = None
    version: int = 0

    def trait(self, name: str, default: Any = None) -> Any:
        """The latest value of an attribute: `profile.trait("email")`."""
        held = self.traits.get(name)
        return default if held is None or held[0] is None else held[0]


# ── what arrived ─────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text file is written, as sniffed from its first bytes."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'


@dataclass(frozen=True, slots=True)
class Chunk:
    """One task for `prepare`: a piece of one object that can be read on its own.

    `span` is a byte range [start, end) cut at record boundaries (plain text), `rows` a range [first, last) of rows
    (Parquet); both None means the whole object. `first_line` is the line number (1-based) of the first byte of the span.
    `content` names the version of the object (see `flows.arrive`); `number` and `of` count the chunks of one object.
    """

    content: str
    kind: Kind
    bucket: str
    key: str
    version: str | None
    etag: str
    uploaded_at: Micros
    format: Literal["csv", "jsonl", "json", "parquet"]
    compression: Literal["none", "gzip", "zstd"] = "none"
    dialect: Dialect = Dialect()
    header: tuple[str, ...] | None = None
    span: tuple[int, int] | None = None
    rows: tuple[int, int] | None = None
    first_line: int = 1
    number: int = 0
    of: int = 1


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of one chunk or object; `read == accepted + rejected + duplicate`, always."""

    read: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicate: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.read + other.read,
            self.accepted + other.accepted,
            self.rejected + other.rejected,
            self.duplicate + other.duplicate,
        )


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not accepted: where it stood, why (a reason code), and what it said."""

    file: str
    line: int
    column: str | None
    reason: str
    raw: str


# ── what the plan says ───────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Goal:
    """What we want people to do: an event (and optionally an action, a category) within a window; worth `value` each.

    `value` None means: what the event itself says (its `value` column); `typical_value` is then what one is worth for a
    person of whom we know no such event. `after` names the event type that raises the question (a campaign received, a
    cart filled): the model learns from the moments just after it, not from the calendar; with `same`, only goal events
    that share the category, action or item of the event before count there.
    """

    name: str
    event: str
    within_days: float
    value: float | None = None
    action: str | None = None
    category: str | None = None
    typical_value: float | None = None
    after: str | None = None
    same: Literal["category", "action", "item"] | None = None
    absent: bool = False
    among: str | None = None
    kinds: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


Operator = Literal["is", "is_not", "in", "at_least", "at_most", "known"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One audience test: trait or feature `name`, an operator, a value. `{"name": "country", "is": "DE"}`."""

    name: str
    op: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class Activity:
    """Something we can do for a person.

    `expected_lift` is the marketer's prior: by which share the activity raises the probability of its goal. It is used
    while the model has not seen the activity, and is replaced by what the model learned. `recommended` is how many items
    are chosen for each person (0: none are); `send_time` is `best` where a message waits for the person's best hour.
    """

    name: str
    goal: str
    channel: str
    template: str | None
    cost: float
    expected_lift: float = 0.1
    holdout: float = 0.1
    transactional: bool = False
    audience: tuple[Condition, ...] = ()
    starts_at: Micros | None = None
    ends_at: Micros | None = None
    items: tuple[str, ...] = ()
    recommended: int = 0
    send_time: Literal["now", "best"] = "now"


@dataclass(frozen=True, slots=True)
class Caps:
    """How often a person may be contacted on a channel, by the person's own calendar. 0 = no cap."""

    per_day: int = 0
    per_week: int = 0


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local time in which nothing is sent; messages are held until `until`. May cross midnight. Minutes of the day."""

    start_minute: int
    until_minute: int


@dataclass(frozen=True, slots=True)
class Policy:
    """What binds every decision. `exploration` is SquareCB's γ (larger = greedier)."""

    holdout: float = 0.05
    exploration: float = 100.0
    base_rate: float = 0.05
    caps: Mapping[str, Caps] = field(default_factory=dict)
    quiet_hours: QuietHours | None = None
    budget_per_day: float | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """How a channel is used: the sender it writes as. `inline` needs none."""

    name: str
    sender: str | None = None
    reply_to: str | None = None
    postal_address: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What the marketer wrote, checked. `version` is the hash of its text: decisions carry it. `learn` is what is learned
    besides the goals, with all defaults filled in (`plan.learn.filled`)."""

    version: str
    currency: str
    timezone: str
    goals: Mapping[str, Goal]
    activities: Mapping[str, Activity]
    policy: Policy
    channels: Mapping[str, Channel]
    columns: Mapping[str, str] = field(default_factory=dict)
    learn: Mapping[str, Any] = field(default_factory=dict)


# ── what we decide and do ────────────────────────────────────────────────────────────────────────────────────────────
Group = Literal["treatment", "holdout", "global_holdout"]

FINAL_STATES = ("sent", "skipped", "failed", "unknown")
MessageState = Literal["pending", "held", "sending", "sent", "skipped", "failed", "unknown"]


class Candidate(NamedTuple):
    """One activity that could be chosen: its score, its value in money and its propensity; or why it was removed."""

    activity: str
    probability: float | None = None
    value: float | None = None
    propensity: float = 0.0
    removed: str | None = None


class Contribution(NamedTuple):
    """What one feature adds to a score, in log-odds."""

    feature: str
    effect: float


class Explanation(NamedTuple):
    """Why a score is what it is: `base` + the effects of `reasons`, largest first, + `others` are its log-odds before calibration."""

    base: float
    reasons: tuple[Contribution, ...]
    others: float


class SendTime(NamedTuple):
    """When a message that may choose its hour goes out. `drawn`: at random, to learn from; `propensity` is the probability of
    that hour; `gain` is the expected ratio of responses to sending now, where a model says."""

    at: Micros
    drawn: bool
    propensity: float
    gain: float | None = None


class Decision(NamedTuple):
    """Everything needed to judge a decision later, and to make it again bit for bit.

    `chosen` is what the policy drew; `activity` is what is done: `nothing` when the person is held out (the intent stays
    in `chosen`). `propensity` is the probability with which `chosen` was drawn among the candidates. `model_version` names
    what gave the probabilities, `models` every model that took part (kind → version). `items` are those recommended with
    the activity, `person` what the person is expected to be worth, `why` the explanation of `probability`, where asked for.
    """

    decision_id: str
    user_id: str
    decided_at: Micros
    goal: str
    chosen: str
    activity: str
    channel: str | None
    group: Group
    propensity: float
    draw: float
    probability: float
    value: float
    cost: float
    candidates: tuple[Candidate, ...]
    vector: Mapping[str, float | str | None]
    context: Mapping[str, Any]
    reason: str
    policy: str
    plan_version: str
    model_version: str | None
    due_at: Micros | None = None
    models: Mapping[str, str] = {}
    items: tuple[Mapping[str, Any], ...] = ()
    send_time: SendTime | None = None
    person: Mapping[str, float] | None = None
    why: Explanation | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message of one decision (its id is the decision's), on its way to exactly one final state."""

    decision_id: str
    user_id: str
    activity: str
    goal: str
    channel: str
    state: MessageState
    due_at: Micros
    owner: str | None = None
    reason: str | None = None
    provider_id: str | None = None
    changed_at: Micros = 0


@dataclass(frozen=True, slots=True)
class Email:
    """A composed mail, ready for a channel. `headers` holds both RFC 8058 headers; `tags` the decision id."""

    to: str
    sender: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    tags: Mapping[str, str]
    reply_to: str | None = None
