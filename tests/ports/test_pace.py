"""The pace of mail over all workers: never above SES's rate and quota, stopped by reputation, started again by a person (E12 to E17)."""

from __future__ import annotations

import random
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from local import moto_account
from nudge.act.reputation import TRIAL, Figures, judge
from nudge.adapters.clients import client
from nudge.adapters.pace import FRESH_FOR, PATIENCE, DynamoPace, Quota, quota_of
from nudge.adapters.reputation import KEY, DynamoReputation
from nudge.errors import Unavailable
from nudge.ports import Closed, Throttled
from nudge.vocabulary import DAY, SECOND, Micros
from tests.acting import NOON
from tests.ports.conftest import make_table

HOUR: Micros = 3600 * SECOND


class Ses:
    """An account; it counts what is sent."""

    def __init__(self, per_second: float = 1.0, per_day: float = 200.0) -> None:
        self.per_second, self.per_day, self.enabled = per_second, per_day, True
        self.sent: list[Micros] = []
        self.asked = 0
        self.lags: Micros = 0

    def quota(self, now: Micros) -> Quota:
        self.asked += 1
        lately = [at for at in self.sent if now - DAY < at <= now - self.lags]
        return Quota(self.per_second, self.per_day, float(len(lately)), self.enabled)


class World:
    def __init__(self, ses: Ses) -> None:
        self.ses, self.now, self.dynamodb = ses, NOON, client("dynamodb")
        self.reputation = DynamoReputation(self.dynamodb, "ledger")

    def worker(self) -> DynamoPace:
        return DynamoPace(self.dynamodb, "ledger", lambda: self.ses.quota(self.now))

    def send(self, worker: DynamoPace, *, transactional: bool = False) -> str:
        """What became of one try: `sent` at its slot, or why not."""
        try:
            wait = worker.take(transactional=transactional, now=self.now)
        except Throttled as later:
            return str(later)
        self.ses.sent.append(self.now + round(wait * SECOND))
        return "sent"


@pytest.fixture
def world(aws: None) -> World:
    make_table("ledger")
    return World(Ses())


def most_in(sent: list[Micros], span: Micros) -> int:
    """The largest number of sends in any window of that length."""
    ordered = sorted(sent)
    return max(sum(first <= at < first + span for at in ordered) for first in ordered)


def test_one_a_second_is_never_more_than_one_a_second_by_however_many_workers(world: World) -> None:
    workers, chance = [world.worker() for _ in range(4)], random.Random(3)
    for _ in range(120):
        world.now += chance.randrange(200_000)
        world.send(chance.choice(workers))
    assert len(world.ses.sent) > 10
    assert most_in(world.ses.sent, SECOND) == 1


def test_nobody_waits_longer_than_a_worker_may(world: World) -> None:
    worker = world.worker()
    said = [world.send(worker) for _ in range(6)]
    assert said == ["sent", "sent", "sent", "sent", "rate", "rate"]
    assert max(world.ses.sent) - NOON < PATIENCE


def test_the_quota_of_a_day_is_never_exceeded_although_ses_counts_late(world: World) -> None:
    world.ses.lags, world.ses.per_day = 30 * SECOND, 50.0
    workers, said = [world.worker() for _ in range(2)], list[str]()
    for number in range(200):
        world.now += SECOND
        said.append(world.send(workers[number % 2]))
    assert 40 <= len(world.ses.sent) <= 50
    assert said[-1] == "daily_quota"
    world.now += DAY
    assert world.send(workers[0]) == "sent"


def test_the_quota_is_asked_for_once_a_minute_by_all_workers_together(world: World) -> None:
    for number in range(60):
        world.now = NOON + number * SECOND
        world.send(world.worker())
    assert world.ses.asked == 1
    world.now = NOON + FRESH_FOR
    world.send(world.worker())
    assert world.ses.asked == 2


def test_a_changed_rate_is_kept_within_a_minute(world: World) -> None:
    world.send(world.worker())
    world.ses.per_second = 100.0
    world.now += FRESH_FOR
    assert [world.send(world.worker()) for _ in range(20)] == ["sent"] * 20


def test_an_account_that_may_not_send_sends_nothing(world: World) -> None:
    world.ses.enabled = False
    assert world.send(world.worker(), transactional=True) == "daily_quota"
    world.ses.enabled = True
    world.now += FRESH_FOR
    assert world.send(world.worker()) == "sent"


def test_a_quota_that_is_not_told_stops_everything(world: World) -> None:
    def silent() -> Quota:
        raise Unavailable("SES")

    with pytest.raises(Unavailable):
        DynamoPace(world.dynamodb, "ledger", silent).take(transactional=True, now=NOON)


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="x"),
        ClientError({"Error": {"Code": "TooManyRequestsException"}}, "GetAccount"),
        None,
    ],
)
def test_whatever_keeps_ses_from_telling_its_quota_is_unavailable(error: Exception | None) -> None:
    class Sesv2:
        def get_account(self) -> dict[str, Any]:
            if error is not None:
                raise error
            return {}

    with pytest.raises(Unavailable):
        quota_of(Sesv2())


def test_the_quota_of_an_account_is_read(aws: None) -> None:
    moto_account.install()
    assert quota_of(client("sesv2")) == Quota(1_000_000.0, -1.0, 0.0, True)


def test_a_store_that_is_down_stops_everything(world: World) -> None:
    world.dynamodb.delete_table(TableName="ledger")
    with pytest.raises(Unavailable):
        world.worker().take(transactional=False, now=NOON)


# ── reputation ───────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        (Figures(1000, 24), "good"),
        (Figures(1000, 25), "warn"),
        (Figures(1000, 39), "warn"),
        (Figures(1000, 40), "stop"),
        (Figures(1000, 50), "stop"),
        (Figures(10_000, 0, 4), "good"),
        (Figures(10_000, 0, 5), "warn"),
        (Figures(10_000, 0, 7), "warn"),
        (Figures(10_000, 0, 8), "stop"),
        (Figures(10_000, 0, 10), "stop"),
        (Figures(99, 99, 99), "good"),
        (Figures(100, 4), "good"),
        (Figures(100, 5), "stop"),
        (Figures(1000, 0, 2), "good"),
        (Figures(1000, 0, 3), "stop"),
        (Figures(0, 5, 5), "good"),
    ],
)
def test_shares_and_samples_decide(figures: Figures, verdict: str) -> None:
    assert judge(figures) == verdict


def test_what_is_told_twice_counts_once_and_old_days_fall_out(world: World) -> None:
    for _ in range(3):
        world.reputation.blame("bounce", "m1", now=NOON)
    world.reputation.blame("complaint", "m1", now=NOON)
    for _ in range(7):
        world.reputation.sent()
    world.reputation.flush(now=NOON)
    world.reputation.flush(now=NOON)
    assert world.reputation.figures(now=NOON + 2 * DAY) == Figures(7, 1, 1)
    assert world.reputation.figures(now=NOON + 3 * DAY) == Figures()


def test_an_open_breaker_stops_marketing_not_receipts_until_a_person_closes_it(world: World) -> None:
    world.ses.per_second, worker = 1000.0, world.worker()
    assert world.send(worker) == "sent"
    assert world.reputation.stop("bounces 5.00%", now=NOON)
    assert not world.reputation.stop("again", now=NOON + 1)
    world.now += DAY
    assert world.send(worker) == "stopped"
    assert world.send(worker, transactional=True) == "sent"
    with pytest.raises(Closed):
        worker.take(transactional=False, now=world.now)
    told = world.reputation.state(now=world.now)
    assert (told["stopped"], told["stopped_at"]) == ("bounces 5.00%", NOON)
    assert world.reputation.reset(by="mia", now=world.now)
    assert not world.reputation.reset(by="mia", now=world.now)
    assert world.send(worker) == "sent"
    assert world.reputation.state(now=world.now)["reset_by"] == "mia"


def stopped_and_reset(world: World) -> DynamoPace:
    world.ses.per_second, world.ses.per_day = 1000.0, 50_000.0
    worker = world.worker()
    world.send(worker)
    world.reputation.stop("bounces", now=world.now)
    world.now += HOUR
    world.reputation.reset(by="mia", now=world.now)
    return worker


def run(world: World, worker: DynamoPace, number: int) -> dict[str, int]:
    """So many tries, one each second; what was sent is told to the reputation as SES's events would."""
    said: dict[str, int] = {}
    for _ in range(number):
        world.now += SECOND
        one = world.send(worker)
        said[one] = said.get(one, 0) + 1
        if one == "sent":
            world.reputation.sent()
    world.reputation.flush(now=world.now)
    return said


def test_after_a_reset_a_trial_goes_out_and_then_all_when_nothing_bad_comes_back(world: World) -> None:
    worker = stopped_and_reset(world)
    assert run(world, worker, 120) == {"sent": TRIAL, "trial": 20}
    world.now += HOUR
    assert run(world, worker, 120) == {"sent": 120}


def test_a_trial_that_goes_wrong_is_not_followed_by_more(world: World) -> None:
    worker = stopped_and_reset(world)
    run(world, worker, 105)
    for number in range(5):
        world.reputation.blame("bounce", f"m{number}", now=world.now)
    world.now += HOUR
    assert run(world, worker, 20) == {"trial": 20}


def test_a_reset_begins_to_count_anew(world: World) -> None:
    world.reputation.blame("bounce", "m1", now=NOON)
    stopped_and_reset(world)
    assert world.reputation.figures(now=world.now) == Figures()


def test_the_row_of_the_pace_holds_no_address(world: World) -> None:
    world.send(world.worker())
    row = world.dynamodb.get_item(TableName="ledger", Key={"id": {"S": KEY}})["Item"]
    assert set(row) == {"id", "read_at", "gap", "free_at", "taken", "room"}
