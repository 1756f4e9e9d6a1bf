"""The nouns of Nudge. What comes in: nothing. What goes out: frozen types that every room speaks.

They know no store, no file format and no clock. Times are microseconds since the epoch, UTC (`Micros`) where they are
data that is computed with, and aware `datetime` where a person reads them. Amounts of money are numbers in the plan's
one currency, in its major unit (a mail costs 0.0001: minor units would round it away); they are rounded when shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
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

MACHINE_TYPES = ("email_machine_open", "email_machine_click")
"""What machines did to our mails: kept, counted in reports, and in no profile, feature or label."""

NOTHING = "nothing"
"""The activity that is always a candidate."""


# ── what people did ──────────────────────────────────────────────────────────────────────────────────────────────────
class Event(NamedTuple):
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


class Consent(NamedTuple):
    """What a person allowed on a channel, since when, and where we have it from. The latest `at` wins."""

    granted: bool
    at: Micros
    source: str


class Suppression(NamedTuple):
    """Why we must not write to a person on a channel: bounce, complaint, unsubscribe, stop. `of` is a hash of the one address that it
    is about, where it is about an address and not about the person; those stand under `<channel> address` (see `decide.dead`)."""

    reason: str
    at: Micros
    of: str | None = None


STOP, LIFTED = "stop", "lifted"
"""The reader of a text message wrote STOP; and wrote START later, so that nothing is suppressed any more."""


class Profile(NamedTuple):
    """One person as the online functions see them.

    `state` is what `profile.fold` adds up; `traits` are attributes with the time of each (`{name: [value, micros]}`);
    `seen` are the ids of the events already in `state` (8 bytes each, see `profile.seen`), None when it was not read;
    `version` rises with every write; numbers are saved by who read the latest; consents and suppressions win by time.
    """

    user_id: str
    state: Mapping[str, Any] = {}
    traits: Mapping[str, tuple[Any, Micros]] = {}
    consents: Mapping[str, Consent] = {}
    suppressions: Mapping[str, Suppression] = {}
    seen: bytes | None = None
    version: int = 0

    def trait(self, name: str, default: Any = None) -> Any:
        """The latest value of an attribute: `profile.trait("email")`."""
        held = self.traits.get(name)
        return default if held is None or held[0] is None else held[0]


# ── what arrived ─────────────────────────────────────────────────────────────────────────────────────────────────────
class Dialect(NamedTuple):
    """How a text file is written, as sniffed from its first bytes."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'


class Chunk(NamedTuple):
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


class Counts(NamedTuple):
    """Rows of one chunk or object; `read == accepted + rejected + duplicate`, always."""

    read: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicate: int = 0

    def __add__(self, other: Counts) -> Counts:  # type: ignore[override]  # counts add up; tuples would be joined
        return Counts(
            self.read + other.read,
            self.accepted + other.accepted,
            self.rejected + other.rejected,
            self.duplicate + other.duplicate,
        )


class Reject(NamedTuple):
    """A row that was not accepted: where it stood, why (a reason code), and what it said."""

    file: str
    line: int
    column: str | None
    reason: str
    raw: str


# ── what the plan says ───────────────────────────────────────────────────────────────────────────────────────────────
class Goal(NamedTuple):
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


class Asked(NamedTuple):
    """One question of an audience: a name, how it is compared, with what. `has` asks a flag: `consent.email`, `reachable.email`.

    Names are whole: `trait.country`, `count.purchase.30d`, `predicted.churn`. `in` compares with each of a tuple; `known`
    and `has` compare with nothing.
    """

    op: Literal["=", "!=", "<", "<=", ">", ">=", "in", "known", "has"]
    name: str
    value: float | str | bool | date | tuple[float | str | bool | date, ...] | None = None


class Combined(NamedTuple):
    """Audiences combined: `and` and `or` of two or more, `not` of one."""

    op: Literal["and", "or", "not"]
    parts: tuple[Expression, ...]


type Expression = Asked | Combined
"""Who is meant, as a tree: what `plan.expression` reads, `decide.audience` and `measure.members` evaluate."""

NUMBER_TEXT = r"^[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]+)?$"
"""A text that an audience takes for a number where it is compared with one (as Python and Rust read the pattern)."""
DAY_TEXT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$"
"""A text that an audience takes for a day: ISO 8601, with or without a time."""
FIRST_MICROS, LAST_MICROS = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The years 1 to 9999 as times: a number outside is no time."""


class Activity(NamedTuple):
    """Something we can do for a person.

    `expected_lift` is the marketer's prior: by which share the activity raises the probability of its goal. It is used
    while the model has not seen the activity, and is replaced by what the model learned. `recommended` is how many items
    are chosen for each person (0: none are); `send_time` is `best` where a message waits for the person's best hour.
    `consent` names the channel whose consent it needs, where that is not its own; `none` for what reaches no person.
    """

    name: str
    goal: str
    channel: str
    template: str | None
    cost: float
    expected_lift: float = 0.1
    holdout: float = 0.1
    transactional: bool = False
    audience: Expression | None = None
    starts_at: Micros | None = None
    ends_at: Micros | None = None
    items: tuple[str, ...] = ()
    recommended: int = 0
    send_time: Literal["now", "best"] = "now"
    consent: str | None = None


# ── campaigns: who, when, what, how much ─────────────────────────────────────────────────────────────────────────────
Clock = Literal["plan", "person"]
"""Whose zone a time of day is in: the plan's, or each person's own (the plan's where a person has none)."""


class Schedule(NamedTuple):
    """When runs begin: `once` on a date (`on`), each `day`, each `week` on a weekday (0 = Monday), each `month` on a day
    (1 to 31; a shorter month's last day)."""

    every: Literal["once", "day", "week", "month"]
    at_minute: int
    weekday: int | None = None
    day: int | None = None
    on: date | None = None
    zone: Clock = "plan"


class OnEvent(NamedTuple):
    """A person begins when `event` happened; with `without`, when `within` has passed since and that did not happen."""

    event: str
    without: str | None = None
    within: Micros = 0


class OnDate(NamedTuple):
    """A person begins `before_days` before the date in an attribute, at a time of day: each year on that day, or once."""

    attribute: str
    at_minute: int
    before_days: int = 0
    yearly: bool = True
    zone: Clock = "person"


class OnPrediction(NamedTuple):
    """A person begins when a prediction (`churn`, `alive` …) crosses the line; it must fall back before it can do so again."""

    name: str
    line: float
    above: bool = True


type Trigger = OnEvent | OnDate | OnPrediction


class Step(NamedTuple):
    """One step of a sequence. What its fields mean depends on `kind`:

    - `do`: the activity `name`, if the person may have it;
    - `wait`: `time`;
    - `branch`: `yes` as soon as `name` happened after the last `do`, `no` when `time` passed without it. `name` is `opened`,
      `clicked`, `converted` (the campaign's goal) or an event type;
    - `stop_on`: from here on the sequence ends as soon as the goal `name` is reached.
    """

    kind: Literal["do", "wait", "branch", "stop_on"]
    name: str = ""
    time: Micros = 0
    yes: tuple[Step, ...] = ()
    no: tuple[Step, ...] = ()


PolicyName = Literal["squarecb", "greedy", "thompson", "uplift_first", "rules"]


class Campaign(NamedTuple):
    """What is done for an audience, when, and within which limits.

    One of `schedule` and `trigger` is there. `audience` None means everybody. With `steps` a person walks a sequence, and
    `activities` are those of its `do` steps. `budget` is money for the whole campaign, `budget_per_run` for one run;
    `capacity` is the most messages of one run. None binds nothing.
    """

    name: str
    goal: str
    activities: tuple[str, ...]
    audience: Expression | None = None
    schedule: Schedule | None = None
    trigger: Trigger | None = None
    steps: tuple[Step, ...] = ()
    holdout: float = 0.1
    budget: float | None = None
    budget_per_run: float | None = None
    capacity: int | None = None
    starts_at: Micros | None = None
    ends_at: Micros | None = None
    policy: PolicyName = "squarecb"


class CampaignRun(NamedTuple):
    """On whose behalf a decision is made: one run of a campaign. `run` names it: the moment it began for, `20261122T0900`; for
    what events begin, the day, `20261122T0000`. `step` is the place of the step that a person has come to, where there are steps."""

    campaign: Campaign
    run: str
    step: str | None = None


class Caps(NamedTuple):
    """How often a person may be contacted on a channel, by the person's own calendar. 0 = no cap."""

    per_day: int = 0
    per_week: int = 0


class QuietHours(NamedTuple):
    """Local time in which nothing is sent; messages are held until `until`. May cross midnight. Minutes of the day."""

    start_minute: int
    until_minute: int


class Policy(NamedTuple):
    """What binds every decision. `exploration` is SquareCB's γ (larger = greedier)."""

    holdout: float = 0.05
    exploration: float = 100.0
    base_rate: float = 0.05
    caps: Mapping[str, Caps] = {}
    quiet_hours: QuietHours | None = None
    budget_per_day: float | None = None


class Form(NamedTuple):
    """What a channel is: the trait that holds a person's address (None: the channel itself is the address), the texts that a
    template must give, and the settings that the plan must, and may, name."""

    address: str | None
    texts: tuple[str, ...]
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


CHANNELS: Mapping[str, Form] = {
    "email": Form("email", ("subject", "text", "html"), ("sender", "postal_address"), ("reply_to",)),
    "sms": Form("phone", ("text",), ("origination",)),
    "push": Form("push", ("text",)),
    "webhook": Form(None, (), ("url", "secret_name")),
    "event": Form(None, (), ("bus",)),
    "inline": Form(None, ()),
}
"""The table of channels. A new one is a line here, and a file of its name in `adapters/channels/`."""

NO_CONSENT_NEEDED = "none"


class Channel(NamedTuple):
    """How a channel is used: whom it writes as, or where it goes. `inline` needs none; a secret is only named here."""

    name: str
    sender: str | None = None
    reply_to: str | None = None
    postal_address: str | None = None
    origination: str | None = None
    url: str | None = None
    secret_name: str | None = None
    bus: str | None = None


class Plan(NamedTuple):
    """What the marketer wrote, checked. `version` is the hash of its text: decisions carry it. `learn` is what is learned
    besides the goals, with all defaults filled in (`plan.learn.filled`)."""

    version: str
    currency: str
    timezone: str
    goals: Mapping[str, Goal]
    activities: Mapping[str, Activity]
    policy: Policy
    channels: Mapping[str, Channel]
    columns: Mapping[str, str] = {}
    learn: Mapping[str, Any] = {}
    campaigns: Mapping[str, Campaign] = {}


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
    `campaign` and `run` say on whose behalf, where nobody asked, and `step` at which place of the campaign's steps.
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
    campaign: str | None = None
    run: str | None = None
    step: str | None = None


class Message(NamedTuple):
    """One message of one decision (its id is the decision's), on its way to exactly one final state.

    `attempt` grows each time a person puts a failed one on its way again; `resent_by` and `resent_at` say who did so last.
    """

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
    attempt: int = 1
    resent_by: str | None = None
    resent_at: Micros = 0


class Parcel(NamedTuple):
    """A composed message for any channel but e-mail, ready to go.

    `delivery_id` is the decision's: the same over all attempts, so that a receiver can tell a repetition. `to` is "" where
    the channel itself is the address. `texts` are for people; `facts` are for machines: a CloudEvent 1.0 of the decision.
    """

    delivery_id: str
    channel: Channel
    to: str
    texts: Mapping[str, str]
    facts: Mapping[str, Any]
    at: Micros
    transactional: bool = False


class Email(NamedTuple):
    """A composed mail, ready for a channel. `headers` holds both RFC 8058 headers; `tags` the decision id."""

    to: str
    sender: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    tags: Mapping[str, str]
    reply_to: str | None = None
    transactional: bool = False
