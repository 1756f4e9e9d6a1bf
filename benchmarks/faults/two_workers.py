"""Two workers, each a process of its own, decide and deliver for one audience and are killed (SIGKILL) twenty times at random.

In: how many people, how many kills, a seed. Out: what everybody ended as, and every promise that was broken (none). The stores are those of
`adapters.memory`, in a process that nobody kills; a worker dies at one of its calls to them, before it is done or after, drawn by the
seed. Two campaigns meet one audience under a cap of one mail a day, and each has a capacity and a budget.

    python -m benchmarks.faults.two_workers --people 100000
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import connection
from multiprocessing.managers import BaseManager
from multiprocessing.process import BaseProcess
from typing import Any

from nudge import plan as plans
from nudge.act import link
from nudge.adapters.memory import MemoryObjects, MemoryPlans, MemoryQueue, MemorySigner
from nudge.adapters.memory_journeys import MemoryJourneys
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.adapters.memory_pace import MemoryPace
from nudge.adapters.memory_profiles import MemoryProfiles
from nudge.adapters.templates import StoredTemplates
from nudge.errors import Unavailable
from nudge.flows.campaign_runs import Runs
from nudge.flows.campaigns import Campaigns
from nudge.flows.champions import Champion, PlanInForce
from nudge.flows.compose import Compose
from nudge.flows.decide import Decide
from nudge.flows.deliver import UNSURE_FOR, Deliver, Sweep
from nudge.flows.pauses import Pauses
from nudge.ports import ObjectInfo, Refused, Throttled, Unsure
from nudge.vocabulary import DAY, FINAL_STATES, SECOND, Consent, Email, Message, Micros, Profile

MORNING: Micros = 1_795_000_000 * SECOND // DAY * DAY + 8 * 3600 * SECOND
COST, WORKERS, SEGMENTS = 0.25, 2, 8
FORK = multiprocessing.get_context("fork")
PLAN = """
currency: EUR
timezone: Europe/Berlin
goals: {{purchase: {{event: purchase, within_days: 7, value: 100}}}}
activities: {{mail: {{goal: purchase, channel: email, template: mail, cost: {cost}, holdout: 0}}}}
policy: {{holdout: 0.05, caps: {{email: {{per_day: 1}}}}, base_rate: 0.1}}
channels: {{email: {{sender: "Shop <news@shop.example>", postal_address: "Shop, 1 Street, Berlin"}}}}
campaigns:
  spring: {{goal: purchase, activities: [mail], schedule: {{every: day, at: "09:00"}}, capacity: {capacity}, holdout: 0.1, policy: greedy}}
  winback:
    {{goal: purchase, activities: [mail], schedule: {{every: day, at: "09:00"}}, budget_per_run: {budget}, holdout: 0, policy: greedy}}
"""
TEMPLATE = {"subject": "Hello {{ first_name }}", "text": "Hello {{ first_name }}", "html": "<p>Hello</p>"}


# ── what survives ────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass
class Desk:
    """Tasks of the campaigns, each with one worker at a time until it is done or its worker is dead; and the clock."""

    open: list[dict[str, Any]] = field(default_factory=list)
    taken: dict[int, dict[str, Any]] = field(default_factory=dict)
    seconds: int = 0

    def send(self, bodies: list[dict[str, Any]], *, delay_seconds: int = 0) -> None:
        self.open += bodies

    def take(self, worker: int) -> dict[str, Any] | None:
        self.taken.pop(worker, None)
        if self.open:
            self.taken[worker] = self.open.pop(0)
        return self.taken.get(worker)

    def dead(self, worker: int) -> None:
        if worker in self.taken:
            self.open.append(self.taken.pop(worker))

    def idle(self) -> bool:
        return not self.open and not self.taken

    def now(self) -> Micros:
        self.seconds += 1
        return MORNING + self.seconds * SECOND


@dataclass
class Post:
    """A channel that now and then refuses, throttles, or takes a mail and does not say so; drawn once for an address and attempt."""

    to: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)

    def take(self, address: str) -> str:
        self.asked[address] += 1
        luck = random.Random(f"{address} {self.asked[address]}").random()
        if luck < 0.03:
            return "refused"
        if luck < 0.06:
            return "throttled"
        self.to[address] += 1
        return "silent" if luck < 0.08 else "taken"

    def mails(self) -> Counter[str]:
        return self.to


class KeptLedger(MemoryLedger):
    """The ledger, and what is asked of it when all is over."""

    def waiting(self) -> bool:
        return any(one.state in ("pending", "held") for one in self.messages.values())

    def everything(self) -> tuple[list[Message], dict[str, float]]:
        return list(self.messages.values()), dict(self.counters)

    def spent(self) -> tuple[int, dict[str, float]]:
        """How many decisions there are, and what those of each campaign cost."""
        cost: Counter[str] = Counter()
        for kept in self.decisions.values():
            told = json.loads(kept.text)
            cost[told["campaign"]] += told["cost"]
        return len(self.decisions), dict(cost)


class CarelessLedger(KeptLedger):
    """A ledger that forgets the first claim of each message: what the play must notice."""

    def claim(self, decision_id: str, *, owner: str, now: Micros) -> bool:
        forgets = f"forgot/{decision_id}" not in self.counted
        self.counted.add(f"forgot/{decision_id}")
        return forgets or super().claim(decision_id, owner=owner, now=now)


class KeptObjects(MemoryObjects):
    def listed(self, prefix: str) -> list[ObjectInfo]:
        return [*self.list(prefix)]


class Stores(BaseManager):
    """The process that nobody kills."""


for name, made in (
    ("Ledger", KeptLedger),
    ("CarelessLedger", CarelessLedger),
    ("Objects", KeptObjects),
    ("Desk", Desk),
    ("Post", Post),
):
    Stores.register(name, made)


@dataclass
class Shared:
    ledger: Any
    objects: Any
    desk: Any
    post: Any


# ── who dies ─────────────────────────────────────────────────────────────────────────────────────────────────────────
class Mortal:
    """A store of a worker that dies at a certain call: before it was done, or after, whether it was answered or refused."""

    def __init__(self, inner: Any, fate: list[int], *, after: bool) -> None:
        self._inner, self._fate, self._after = inner, fate, after

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)

        def counted(*args: Any, **named: Any) -> Any:
            self._fate[0] -= 1
            if self._fate[0] == 0 and not self._after:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return call(*args, **named)
            finally:
                if self._fate[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        return counted


class Channel:
    repeats = False

    def __init__(self, post: Any) -> None:
        self._post = post

    def send(self, mail: Email) -> str:
        said = self._post.take(mail.to)
        if said in WORDS:
            raise WORDS[said](said)
        return "id"


WORDS: dict[str, type[Exception]] = {"refused": Refused, "throttled": Throttled, "silent": Unsure}


class Listed:
    """Objects whose list crosses between processes."""

    name = "lake"

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def list(self, prefix: str) -> Iterator[Any]:
        return iter(self._inner.listed(prefix))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _runs(objects: Any) -> Runs:
    return Runs(Listed(objects))


class Worker:
    """Takes a task of a campaign, then delivers some of what is due, until nothing is left; a doomed one looks on until it dies."""

    def __init__(self, shared: Shared, people: MemoryProfiles, plan: dict[str, Any], fate: int, seed: int) -> None:
        self.random, left, self.doomed = random.Random(seed), [fate], fate > 0
        after = self.random.random() < 0.5
        self.desk, self.number = shared.desk, os.getpid()
        self.ledger: Any = Mortal(shared.ledger, left, after=after)
        objects: Any = Listed(Mortal(shared.objects, left, after=after))
        in_force = PlanInForce(MemoryPlans(plan))
        templates = StoredTemplates(objects, clock=lambda: MORNING)
        nobody: Any = _no_champion
        decide = Decide(people, in_force, nobody, templates, self.ledger, MemoryQueue())
        self.campaigns = Campaigns(
            decide, people, Runs(objects), Mortal(shared.desk, left, after=after), MemoryJourneys(), SEGMENTS
        )
        signer = MemorySigner()
        self.deliver = Deliver(
            ledger=self.ledger,
            profiles=people,
            plan=in_force,
            compose=Compose(templates, signer, link.keys(signer.sign), "https://nudge.example"),
            senders=lambda _: Channel(Mortal(shared.post, left, after=after)),
            pace=MemoryPace(),
            pauses=Pauses(Runs(objects)),
            wait=lambda _: None,
        )

    def work(self) -> None:
        while True:
            task, now = self.desk.take(self.number), self.desk.now()
            if task is not None:
                seconds = iter((900.0, 900.0, 1.0))
                self.campaigns.go_on(task, now=MORNING, left=lambda: next(seconds))  # noqa: B023
            due = self.ledger.due(now=now, limit=200)
            for name in self.random.sample(due, len(due)):
                try:
                    self.deliver(name, owner=f"{self.number} {self.random.random()}", now=now)
                except Unavailable:
                    continue
            if task is None and not due and self.desk.idle() and not self.ledger.waiting() and not self.doomed:
                return


def _no_champion(name: str) -> Champion | None:
    return None


# ── the play ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Played:
    """States of messages, how many workers were killed, how long it took, and what did not hold."""

    states: dict[str, int]
    decisions: int
    kills: int
    seconds: float
    broken: list[str]


def play(people: int, *, kills: int = 20, seed: int = 0, every: int = 400, ledger: str = "Ledger") -> Played:
    """`every`: a doomed worker makes up to so many calls; `ledger`: the name of another one."""
    capacity, budget = people * 3 // 10, people * COST / 4
    plan = plans.parse(PLAN.format(cost=COST, capacity=capacity, budget=budget))
    profiles, chance, began = _people(people, seed), random.Random(seed), time.perf_counter()
    stores = Stores(ctx=FORK)
    stores.start()
    try:
        made: Any = stores
        shared = Shared(getattr(made, ledger)(), made.Objects(), made.Desk(), made.Post())
        shared.objects.put("templates/mail.json", json.dumps(TEMPLATE).encode())
        first = Worker(shared, profiles, plan, -1, seed)
        first.campaigns.tick(now=MORNING)
        doomed = [chance.randrange(1, every) for _ in range(kills)]
        killed = _supervise(shared, profiles, plan, doomed, chance)
        end = shared.desk.now() + DAY
        Sweep(shared.ledger, MemoryQueue())(now=end + UNSURE_FOR)
        seconds = time.perf_counter() - began
        return _judged(shared, capacity, budget, killed, seconds)
    finally:
        stores.shutdown()


def _people(number: int, seed: int) -> MemoryProfiles:
    profiles, chance = MemoryProfiles(), random.Random(seed)
    for one in range(number):
        user = f"u{one:06d}"
        traits = {"email": (f"{user}@customer.example", 1), "first_name": ("Ana", 1)}
        profiles.save([Profile(user, traits=traits)])
        profiles.consent(user, "email", Consent(chance.random() < 0.9, 1, "form"))
    return profiles


def _supervise(
    shared: Shared, profiles: MemoryProfiles, plan: dict[str, Any], doomed: list[int], chance: random.Random
) -> int:
    """Two workers at any time; who is killed is replaced, by another doomed one while there are any."""
    running: list[BaseProcess] = []
    killed, ended = 0, 0
    while ended < WORKERS:
        while len(running) + ended < WORKERS:
            fate = doomed.pop() if doomed else -1
            worker = FORK.Process(target=_run, args=(shared, profiles, plan, fate, chance.randrange(1 << 30)))
            worker.start()
            running.append(worker)
        connection.wait([one.sentinel for one in running])
        for one in [one for one in running if one.exitcode is not None]:
            running.remove(one)
            if one.exitcode == 0:
                ended += 1
            elif one.exitcode == -signal.SIGKILL:
                killed += 1
                shared.desk.dead(one.pid)
            else:
                raise RuntimeError(f"a worker broke: {one.exitcode}")
    return killed


def _run(shared: Shared, profiles: MemoryProfiles, plan: dict[str, Any], fate: int, seed: int) -> None:
    Worker(shared, profiles, plan, fate, seed).work()


def _judged(shared: Shared, capacity: int, budget: float, killed: int, seconds: float) -> Played:
    messages, counters = shared.ledger.everything()
    mails: Counter[str] = shared.post.mails()
    states = Counter(one.state for one in messages)
    sent = {f"{one.user_id}@customer.example" for one in messages if one.state == "sent"}
    doubted = {f"{one.user_id}@customer.example" for one in messages if one.state == "unknown"}
    decisions, cost = shared.ledger.spent()
    runs = _runs(shared.objects)
    told = [one for name in ("spring", "winback") for run in runs.all(name) for one in runs.all_progress(run)]
    counted = {key.split("/")[1] + "/" + key.split("/")[-1]: n for key, n in counters.items() if key[:9] == "campaign/"}
    rules = {
        "nobody is mailed twice": max(mails.values(), default=0) <= 1,
        "every message is in a final state": set(states) <= set(FINAL_STATES),
        "what is sent has left, and what has left is sent or in doubt": sent <= set(mails) <= sent | doubted,
        "nobody has two messages of the day": max(Counter(one.user_id for one in messages).values(), default=0) <= 1,
        "no cap is exceeded": all(value <= 1 for key, value in counters.items() if key[:4] == "cap/"),
        "the capacity is not exceeded": counted["spring/messages"] <= capacity,
        "the budget is not exceeded": counted["winback/run_budget"] <= budget + 1e-9,
        "the money counted is that of the decisions": abs(counted["winback/run_budget"] - cost["winback"]) < 1e-6,
        "every member has one decision": decisions == sum(one.done - one.left_out for one in told),
        "every member is decided for": all(one.ended for one in told) and len(told) == 2 * SEGMENTS,
    }
    broken = [rule for rule, holds in rules.items() if not holds]
    return Played(dict(states), decisions, killed, seconds, broken)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=100_000)
    asked.add_argument("--kills", type=int, default=20)
    asked.add_argument("--seed", type=int, default=0)
    chosen = asked.parse_args()
    every = max(chosen.people * 8 // chosen.kills, 50)
    told = play(chosen.people, kills=chosen.kills, seed=chosen.seed, every=every)
    print(f"{chosen.people} people, {told.decisions} decisions, {told.kills} workers killed, {told.seconds:.0f} s")
    print(", ".join(f"{state} {count}" for state, count in sorted(told.states.items())))
    print("\n".join(f"BROKEN: {rule}" for rule in told.broken) or "every promise held")
    return 1 if told.broken else 0


if __name__ == "__main__":
    sys.exit(main())
