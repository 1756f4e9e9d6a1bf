"""A policy is judged by a log whose truth is known: the worse one is refused, the better one is not, thin support is said."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

import numpy as np
import polars as pl
import pytest

from local import policies
from nudge import plan
from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects, MemoryPlans
from nudge.clean import parts
from nudge.decide import chance, explore, record
from nudge.errors import BadInput, NotReady
from nudge.flows.policy_evaluation import PolicyEvaluation
from nudge.measure import frames, obp, policy_value
from nudge.measure.off_policy import Log
from nudge.ports import ObjectInfo
from nudge.vocabulary import NOTHING, Candidate, Decision
from tests.unit.measure import world

NOW = world.micros(world.NOW)
MAILS = ("discount_mail", "reminder_mail")


@dataclass
class Shelf:
    bodies: dict[str, list[bytes]]

    def parts(self, kind: str, *, since: str | None = None, until: str | None = None) -> list[ObjectInfo]:
        return [ObjectInfo(f"{kind}/{n}", 0, "", None, 0) for n in range(len(self.bodies.get(kind, [])))]

    def get(self, key: str) -> bytes:
        kind, _, number = key.partition("/")
        return self.bodies[kind][int(number)]

    def put(self, kind: str, day: str, body: bytes, *, label: str = "") -> str:
        raise AssertionError("an evaluation writes nothing")

    def drop(self, keys: Sequence[str]) -> None:
        raise AssertionError("an evaluation drops nothing")


def decided(number: int, guess: dict[str, float], gamma: float, at: Any) -> Decision:
    """One decision of the policy that ran: inverse-gap weighting of guessed values, with the plan's holdouts."""
    loaded = plan.load(world.PLAN)
    user, names = f"u{number:05d}", (NOTHING, *MAILS)
    shares = explore.propensities([guess[name] for name in names], gamma)
    identity = chance.decision_id(user, str(number))
    chosen = names[explore.pick(shares, chance.draw(identity))]
    held = chance.in_global_holdout(user, 0.1) or (chosen != NOTHING and chance.in_holdout(chosen, user, 0.3))
    activity = NOTHING if held else chosen
    return Decision(
        decision_id=identity, user_id=user, decided_at=world.micros(at), goal="purchase", chosen=chosen, activity=activity,
        channel=None, group="holdout" if held else "treatment", propensity=shares[names.index(chosen)], draw=0.5,
        probability=0.1, value=guess[activity], cost=loaded.activities[activity].cost if activity != NOTHING else 0.0,
        candidates=(
            *(Candidate(name, 0.1, guess[name], share) for name, share in zip(names, shares, strict=True)),
            Candidate("banner", 0.1, 1.0, 0.0, "audience"),
        ),
        vector={"total.purchase": float(number % 3), "trait.country": "DE" if number % 2 else "AT"}, context={},
        reason="", policy=f"squarecb gamma={gamma} goal_value=40.0 cold_start=False measured=reminder_mail",
        plan_version="plan-1", model_version=None,
    )  # fmt: skip


def lake(size: int, guess: dict[str, float], truth: dict[str, float], gamma: float = 5.0) -> Shelf:
    """A log in which each activity's true purchase rate is `truth`; a purchase is worth 40."""
    random, rows, events = np.random.default_rng(3), [], []
    for number in range(size):
        at = world.START + timedelta(minutes=number)
        one = decided(number, guess, gamma, at)
        rows.append(
            {name: getattr(one, name) for name in ("decision_id", "user_id", "goal", "chosen", "activity", "group", "propensity", "cost")}
            | {"decided_at": at, "record": record.dumps(one)}
        )  # fmt: skip
        if random.random() < truth[one.activity]:
            events.append(world.event(one.user_id, at + timedelta(days=1), "purchase", 40.0, event_id=one.decision_id))
    out = BytesIO()
    world.frame({**frames.DECISIONS, "record": pl.String()}, rows).write_parquet(out)
    return Shelf({"decisions": [out.getvalue()], "events": [world.parquet("events", events)]})


GUESS = {NOTHING: 4.0, "discount_mail": 6.0, "reminder_mail": 5.0}


def evaluation(shelf: Shelf) -> PolicyEvaluation:
    return PolicyEvaluation(shelf, MemoryPlans(world.PLAN))


@pytest.fixture(scope="module")
def wrong() -> Shelf:
    """The guesses are wrong: what looks best does harm, so greedy is worse than the exploring policy that ran."""
    return lake(3000, GUESS, {NOTHING: 0.10, "discount_mail": 0.02, "reminder_mail": 0.30})


def test_a_policy_that_is_worse_than_the_one_that_ran_is_refused(wrong: Shelf) -> None:
    told = evaluation(wrong).evaluate("greedy", now=NOW)
    assert told["verdict"] == "refused"
    assert "its interval lies below the value of the policy that ran" in told["reasons"]
    assert told["difference"]["high"] < 0


def test_a_policy_that_is_better_is_said_to_be_and_its_value_holds_the_truth(wrong: Shelf) -> None:
    told = evaluation(wrong).evaluate("uplift_first", goal="purchase", now=NOW)
    assert told["verdict"] == "better"
    true = 0.30 * 40 - world.PLAN["activities"]["reminder_mail"]["cost"]
    for name in ("ips", "snips", "doubly_robust"):
        assert told["policy"][name]["low"] <= true <= told["policy"][name]["high"]
    assert told["policy"]["effective"] < told["policy"]["decisions"]


def test_the_policy_that_ran_is_no_worse_than_itself(wrong: Shelf) -> None:
    held = evaluation(wrong).logged(None, NOW)
    told = policy_value.compare(held.log, held.shares("logged"), held.shares("logged"))
    assert (told.verdict, told.difference, told.low, told.high) == ("no worse", 0.0, 0.0, 0.0)


def test_holdouts_are_part_of_the_probability_of_what_was_done(wrong: Shelf) -> None:
    held = evaluation(wrong).logged(None, NOW)
    weights = 1 / held.log.propensity
    for place in range(len(held.names) - 1):
        own = held.log.activity == place
        if own.any():
            assert weights[own].sum() / len(weights) == pytest.approx(1.0, abs=0.12)


def test_too_thin_support_is_refused() -> None:
    greedy = lake(200, GUESS, {NOTHING: 0.1, "discount_mail": 0.2, "reminder_mail": 0.2}, gamma=5000.0)
    told = evaluation(greedy).evaluate("uplift_first", now=NOW)
    assert told["verdict"] == "refused"
    assert told["policy"]["flaws"]


def test_for_the_newest_decisions_no_earlier_days_are_read(wrong: Shelf) -> None:
    rows = pl.read_parquet(BytesIO(wrong.bodies["decisions"][0])).sort("decided_at")
    memory = ObjectsLake(MemoryObjects())
    for (day,), some in rows.group_by(pl.col("decided_at").dt.date().cast(pl.String), maintain_order=True):
        for half in (some.head(some.height // 2), some.tail(-(some.height // 2))):
            memory.put("decisions", str(day), parts.parquet(half))
    memory.put("events", "2026-01-01", wrong.bodies["events"][0])
    whole = evaluation(wrong).logged(None, NOW, newest=500)
    read: list[str] = []

    class Watched(ObjectsLake):
        def get(self, key: str) -> bytes:
            read.append(key)
            return super().get(key)

    held = PolicyEvaluation(Watched(memory._objects), MemoryPlans(world.PLAN)).logged(None, NOW, newest=500)
    assert [one.decision_id for one in held.decisions] == [one.decision_id for one in whole.decisions]
    assert len(held.decisions) == 500
    days = {key.split("/")[2] for key in read if "decisions" in key}
    assert days == {f"dt={day}" for day in sorted({str(one) for one in rows["decided_at"].dt.date()})[-len(days) :]}
    assert len(days) < rows["decided_at"].dt.date().n_unique()


def test_unknown_policies_and_goals_and_an_empty_log_are_errors(wrong: Shelf) -> None:
    with pytest.raises(BadInput, match="known policies are"):
        evaluation(wrong).evaluate("luck", now=NOW)
    with pytest.raises(BadInput, match="no such goal"):
        evaluation(wrong).evaluate("greedy", goal="wealth", now=NOW)
    with pytest.raises(NotReady, match="window that is over"):
        evaluation(Shelf({})).evaluate("greedy", now=NOW)


def test_the_log_is_exported_as_open_bandit_pipeline_names_it(wrong: Shelf) -> None:
    told = obp.load(evaluation(wrong).export(now=NOW))
    rounds = told["n_rounds"]
    assert (rounds, told["n_actions"]) == (3000, 4)
    for name in ("action", "reward", "pscore", "position"):
        assert told[name].shape == (rounds,)
    assert (told["action"].dtype, told["position"].dtype) == (np.int64, np.int64)
    assert told["context"].shape == (rounds, 3)
    assert list(told["feature_names"]) == ["total.purchase", "trait.country=AT", "trait.country=DE"]
    assert ((told["pscore"] > 0) & (told["pscore"] <= 1)).all()
    assert set(np.unique(told["action"])) <= set(range(told["n_actions"]))
    assert list(told["action_names"]) == [NOTHING, "banner", "discount_mail", "reminder_mail"]


def test_the_interval_of_the_difference_holds_the_truth_in_93_of_100_logs_or_more() -> None:
    random, covered = np.random.default_rng(4), []
    rates, shares, target = np.array([0.1, 0.2, 0.05]), np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.8, 0.1])
    truth = float(((target - shares) * rates).sum())
    for _ in range(300):
        activity = random.choice(3, 1500, p=shares)
        reward = (random.random(1500) < rates[activity]) * 1.0
        told = policy_value.compare(Log(activity, shares[activity], reward), target, shares)
        covered.append(told.low <= truth <= told.high)
    assert np.mean(covered) >= 0.93


def test_the_command_says_the_verdict_in_lines_and_refuses_with_its_own_exit_code(
    wrong: Shelf, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    monkeypatch.setattr(policies, "_flow", lambda: evaluation(wrong))
    monkeypatch.setattr(policies, "_now", lambda: NOW)
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    policies.add(commands, commands.add_parser("decisions").add_subparsers())

    def run(*arguments: str) -> tuple[int, str]:
        chosen = parser.parse_args(arguments)
        return chosen.command(chosen), capsys.readouterr().out

    code, said = run("policy", "evaluate", "--policy", "greedy")
    assert code == policies.REFUSED
    assert said.startswith("greedy for purchase: refused\n  because its interval lies below")
    code, said = run("policy", "evaluate", "--policy", "uplift_first", "--json")
    assert (code, json.loads(said)["verdict"]) == (0, "better")
    code, _ = run("decisions", "export", "--obp", str(tmp_path / "log.npz"))
    assert code == 0
    assert obp.load((tmp_path / "log.npz").read_bytes())["n_rounds"] == 3000
