"""Train: from the lake to a champion, one goal at a time."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from nudge.adapters.lake import ObjectsLake
from nudge.adapters.memory import MemoryObjects, MemoryPlans, MemoryQueue, MemorySigner
from nudge.adapters.models import StoredModels
from nudge.decide import record
from nudge.errors import BadInput, NotFound, NotReady, Unavailable
from nudge.flows.drift import State, Watch
from nudge.flows.models_admin import Catalogue, Promote, Rollback, age_hours
from nudge.flows.train import Train
from nudge.flows.training_journey import Journey
from nudge.flows.training_runs import Runs
from nudge.learn import Recipe
from nudge.learn.export import canonical
from nudge.vocabulary import DAY, NOTHING, Candidate, Decision, Micros
from tests.unit.learn import shop

NOW = shop.START + 71 * DAY
RECIPE = Recipe(iterations=30, resamples=50, logged=200)


class Shop:
    """A lake, a plan and models in memory."""

    def __init__(self, plan: dict[str, Any] | None = None, objects: MemoryObjects | None = None) -> None:
        self.objects = objects or MemoryObjects()
        self.lake = ObjectsLake(self.objects)
        self.models = StoredModels(self.objects, MemorySigner(), clock=lambda: NOW, fresh_for=0)
        self.steps: list[tuple[str, str]] = []
        self.train = Train(
            self.lake,
            MemoryPlans(plan or shop.plan()),
            self.models,
            recipe=RECIPE,
            progress=lambda goal, step: self.steps.append((goal, step)),
        )

    def put(self, kind: Any, frame: pl.DataFrame, day: str = "2026-06-01") -> None:
        self.lake.put(kind, day, shop.parquet(frame))


@pytest.fixture(scope="module")
def filled() -> Shop:
    made = Shop()
    made.put("events", shop.events())
    made.put("users", shop.users())
    made.put("decisions", shop.decisions())
    made.verdicts = made.train(now=NOW)  # type: ignore[attr-defined]
    return made


def test_a_goal_that_can_be_learned_gets_a_champion_and_the_others_do_not_stop_it(filled: Shop) -> None:
    purchase, moon = filled.verdicts  # type: ignore[attr-defined]
    assert purchase.promoted
    assert purchase.reason.startswith("better than the base rate")
    assert purchase.metrics["auc"][1] > 0.6
    assert (moon.version, moon.promoted, moon.missing["has"]) == (None, False, 0)
    version, artefact = filled.models.champion("purchase")
    assert (version, artefact["name"]) == (purchase.version, "purchase")
    assert artefact["activities"] == ["banner", "nothing"]
    assert ("purchase", "fitting") in filled.steps


def test_the_card_says_what_the_model_saw(filled: Shop) -> None:
    card = Catalogue(filled.models).show("purchase")
    assert card["data"]["rows"]["users"] == 400
    assert card["parity"] < 1e-9
    assert card["verdict"]["promoted"]
    assert not any("name" in name for name in card["features"])
    assert set(card["all_kinds"]) == {"logistic"}
    assert {"1 logistic", "1 boosting"} <= set(card["chosen_by"]["log_loss"])
    assert {"golden", "reference", "segments", "definitions"} <= set(card)
    assert set(card["definitions"]) == set(card["features"])
    assert card["segments"][0]["segment"].startswith("newcomers") or card["segments"][0]["segment"].startswith("known")
    assert Catalogue(filled.models).list("purchase")[0]["champion"]
    assert 0 <= (age_hours(filled.models, "purchase", NOW) or -1) < 72


def test_the_same_lake_gives_the_same_bytes_in_any_order_and_split(filled: Shop) -> None:
    again = Shop()
    events = shop.events().sample(fraction=1.0, shuffle=True, seed=9)
    again.put("events", events[:5000])
    again.put("events", events[4000:], "2026-06-02")
    again.put("users", shop.users())
    again.put("decisions", shop.decisions())
    verdict = again.train(["purchase"], now=NOW)[0]
    key = f"models/purchase/{verdict.version}/model.json"
    assert again.objects.get(key) == filled.objects.get(key)


def test_training_twice_changes_nothing(filled: Shop) -> None:
    verdict = filled.train(["purchase"], now=NOW)[0]
    assert (verdict.promoted, verdict.reason) == (False, "this version is the champion already")
    assert len(filled.models.versions("purchase")) == 1


def test_people_who_do_not_differ_make_no_champion() -> None:
    made = Shop()
    made.put("events", shop.events(spread=0.0, rate=0.1))
    verdict = made.train(["purchase"], now=NOW)[0]
    assert not verdict.promoted
    with pytest.raises(NotReady):
        made.models.champion("purchase")


def test_without_events_it_says_of_each_model_what_is_missing() -> None:
    told = Shop().train(now=NOW)
    assert [(verdict.goal, verdict.missing) for verdict in told] == [
        ("purchase", {"events": 0}),
        ("moon", {"events": 0}),
    ]


def test_every_gate_is_kept_with_the_verdict(filled: Shop) -> None:
    verdict = Catalogue(filled.models).show("purchase")["verdict"]
    assert [gate["name"] for gate in verdict["gates"]] == [
        "better",
        "calibration",
        "parity",
        "positives",
        "leak",
        "golden",
        "size",
        "load",
        "log",
    ]
    assert all(gate["passed"] and gate["said"] for gate in verdict["gates"])


def test_a_challenger_that_would_do_what_was_hardly_ever_tried_is_not_promoted() -> None:
    """A banner costs more than a purchase brings, so the model would stop showing it; the log showed it to all but a few."""
    plan = shop.plan()
    plan["activities"]["banner"] |= {"cost": 40}  # type: ignore[index]
    made = Shop(plan)
    made.put("events", shop.events())
    made.put("users", shop.users())
    rows = [_logged(row) for row in shop.decisions().iter_rows(named=True)]
    made.put("decisions", pl.DataFrame(rows))
    verdict = made.train(["purchase"], now=NOW)[0]
    gates = {gate.name: gate for gate in verdict.gates}
    assert not verdict.promoted
    assert not gates["log"].passed
    assert all(gate.passed for name, gate in gates.items() if name != "log")
    assert verdict.reason.startswith("refused by the log: ")
    assert "goes to activities that the log never tried" in verdict.reason
    assert Catalogue(made.models).list("purchase")[0]["reason"] == verdict.reason


def _logged(row: dict[str, Any]) -> dict[str, Any]:
    """A decision as `decide` records it, of a policy that shows the banner to 99.9 % and showed it here."""
    candidates = (Candidate(NOTHING, 0.1, 2.0, 0.001), Candidate("banner", 0.1, 2.0, 0.999))
    made = Decision(
        row["decision_id"], row["user_id"], int(row["decided_at"].timestamp() * 1e6), "purchase", "banner", "banner",
        "inline", "treatment", 0.999, 0.5, 0.1, 2.0, 40.0, candidates, json.loads(row["record"])["vector"], {}, "",
        "squarecb gamma=100.0 goal_value=20.0 cold_start=False", "v1", None,
    )  # fmt: skip
    return row | {"activity": "banner", "propensity": 0.999, "record": record.dumps(made)}


def test_a_short_history_is_not_ready_and_the_verdict_is_kept() -> None:
    made = Shop()
    made.put("events", shop.events(people=20, days=15))
    verdict = made.train(["purchase"], now=NOW)[0]
    assert verdict.missing["days"] == 15
    assert b'"missing":{"days":15' in made.objects.get("models/purchase/not-ready/verdict.json")


def test_a_goal_that_breaks_stops_no_other() -> None:
    plan = shop.plan()
    plan["goals"] = {"bad": {"event": "purchase", "within_days": 7, "value": 1}, **plan["goals"]}  # type: ignore[dict-item]
    made = Shop(plan)
    made.put("events", shop.events())
    made.put("decisions", shop.decisions().with_columns(goal=pl.lit("bad"), record=pl.lit("not JSON")))
    bad, purchase, _ = made.train(now=NOW)
    assert (bad.failed, bad.promoted) == (True, False)
    assert bad.reason.startswith("broke: JSONDecodeError at ")
    assert purchase.promoted


def test_an_unknown_goal_is_named() -> None:
    with pytest.raises(NotFound, match="it wants purchase, moon"):
        Shop().train(["sell"], now=NOW)


def test_a_part_that_goes_away_is_looked_for_again() -> None:
    made = Shop()
    made.put("events", shop.events(people=20, days=15))

    class Moving(ObjectsLake):
        lost = 0

        def get(self, key: str) -> bytes:
            if key.startswith("lake/events") and self.lost < 2:
                self.lost += 1
                raise NotFound("compacted")
            return super().get(key)

    moving = Moving(made.objects)
    train = Train(moving, MemoryPlans(shop.plan()), made.models, recipe=RECIPE)
    assert len(train(now=NOW)) == 2
    moving.lost = -100
    with pytest.raises(Unavailable):
        train(now=NOW)


def test_a_rollback_outranks_a_training_that_is_under_way(filled: Shop) -> None:
    first = filled.models.champion("purchase")[0]
    card = filled.objects.get(f"models/purchase/{first}/card.json")
    model = filled.objects.get(f"models/purchase/{first}/model.json")
    under_way = filled.models.token("purchase")
    filled.models.publish("purchase", "20260901-other", {"model.json": model, "card.json": card})
    Promote(filled.models)("purchase", "20260901-other", reason="by hand")
    assert filled.models.champion("purchase")[0] == "20260901-other"
    assert Rollback(filled.models)("purchase") == first
    assert not filled.models.promote("purchase", "20260901-other", token=under_way, reason="late")
    assert filled.models.champion("purchase")[0] == first


def test_a_goal_that_stands_after_an_event_is_learned_from_the_moments_after_it(filled: Shop) -> None:
    plan = shop.plan()
    plan["goals"] = {"buys_next": {"event": "purchase", "after": "page_view", "within_days": 3, "value": "from_event"}}
    plan["activities"]["banner"]["goal"] = "buys_next"  # type: ignore[index]
    after = Shop(plan, filled.objects)
    (verdict,) = after.train(now=NOW)
    assert verdict.promoted, verdict.reason
    card = Catalogue(after.models).show("buys_next")
    assert card["goal"]["after"] == "page_view"
    cuts, people = card["data"]["cuts"], card["slices"]["test"]["people"]
    assert cuts == sorted(set(cuts))
    assert 0 < people <= 400


def test_a_promotion_by_hand_says_by_whom_and_refuses_what_is_not_whole(filled: Shop) -> None:
    version, artefact = filled.models.champion("purchase")
    said = Promote(filled.models)("purchase", version, reason="it is good", by="ada")
    assert said == "signature, structure and 12 golden rows hold"
    assert filled.models.pointer("purchase")["reason"] == "by ada: it is good"
    card = json.loads(filled.objects.get(f"models/purchase/{version}/card.json"))
    card["golden"][3]["probability"] += 1e-6
    files = {"model.json": canonical(artefact), "card.json": canonical(card)}
    filled.models.publish("purchase", "20260902-other", files)
    with pytest.raises(BadInput, match="golden rows"):
        Promote(filled.models)("purchase", "20260902-other", reason="it is good", by="ada")
    filled.objects.put(f"models/purchase/{version}/model.json", b"{}")
    with pytest.raises(BadInput, match="not what its manifest says"):
        Promote(filled.models)("purchase", version, reason="it is good", by="ada")
    filled.objects.put(f"models/purchase/{version}/model.json", canonical(artefact))
    assert filled.models.champion("purchase")[0] == version


def test_a_promotion_by_hand_that_the_log_refuses_needs_force_and_keeps_why(filled: Shop) -> None:
    version, _ = filled.models.champion("purchase")

    def refuses(name: str, scorer: Any) -> tuple[bool, str]:
        assert (name, scorer.knows("banner")) == ("purchase", True)
        return False, "refused by the log: it does harm"

    promote = Promote(filled.models, refuses)
    with pytest.raises(BadInput, match="is refused by the log: it does harm; --force"):
        promote("purchase", version, reason="it is good", by="ada")
    said = promote("purchase", version, reason="it is good", by="ada", force=True)
    assert said.endswith("golden rows hold; refused by the log: it does harm")
    assert (
        filled.models.pointer("purchase")["reason"] == "by ada: it is good (forced: refused by the log: it does harm)"
    )
    Promote(filled.models, lambda *_: (True, "better by the log"))("purchase", version, reason="again", by="ada")
    assert filled.models.pointer("purchase")["reason"] == "by ada: again"


def test_all_that_was_ever_trained_is_listed(filled: Shop) -> None:
    assert {"purchase", "moon"} <= set(Catalogue(filled.models).all())
    assert filled.models.names() == sorted(filled.models.names())
    assert ".training" not in filled.models.names()


def watch(made: Shop, now: Micros, run: str = "later") -> tuple[list[State], list[str], Watch]:
    journey = Journey(made.train, Runs(made.objects), MemoryQueue())
    looked = Watch(journey, made.objects, made.train.recipe)
    return *looked(run, now=now), looked


def test_the_world_moving_away_is_seen_and_what_moved_is_trained_again() -> None:
    made = Shop()
    made.put("events", shop.events())
    made.train(["purchase"], now=NOW)
    states, names, _ = watch(made, NOW)
    assert [(state.name, state.worst) for state in states] == [("purchase", 0.0)]
    assert names == ["moon"], "what has no champion is tried every day"

    new = shop.events(seed=5, rate=0.5, spread=0.2).with_columns(
        (pl.col("event_time") + pl.duration(days=70)), event_id=pl.lit("new-") + pl.col("event_id")
    )
    made.put("events", new, "2026-09-01")
    states, names, looked = watch(made, NOW + 70 * DAY, "much-later")
    (state,) = states
    assert state.over["score"] > 1
    assert state.figures["calibration"]["rows"] == 400
    assert names == ["purchase", "moon"]
    assert looked.journey.runs.get("later").tasks == ("moon",)
    assert looked.journey.runs.get("much-later").tasks == ("purchase", "moon")
    kept = json.loads(made.objects.get("models/purchase/drift.json"))
    assert kept["drifted"]
    assert kept["version"] == state.version


def test_a_run_goes_on_where_it_was_left(filled: Shop) -> None:
    journey = Journey(filled.train, Runs(filled.objects), queue := MemoryQueue())
    journey.begin("r1", now=NOW, why="schedule")
    assert journey.go_on("r1", left=lambda: 1.0).left == ["moon"]
    assert [one for one, _ in queue.sent] == [{"run": "r1"}, {"run": "r1"}]
    run = journey.go_on("r1", left=lambda: 1.0)
    assert run.left == []
    assert run.ended["purchase"]["reason"] == "this version is the champion already"
    assert filled.models.version("purchase", run.ended["purchase"]["version"])
    assert Catalogue(filled.models).show("purchase")["verdict"]["promoted"], "the first verdict on a version stays"
    with pytest.raises(NotFound):
        journey.go_on("r2", left=lambda: 1.0)
