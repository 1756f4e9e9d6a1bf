"""Our `decide` door, stores stubbed: `decide_ours.py FOLDER CALLS [client|record]`. Prints seconds of each call as JSON.

Everything else is what is deployed: the router, the checks, logs and metrics, the verified model, the policy. People and
decisions are dicts, as the peer's are; `record` writes each decision as the JSON that the table would hold.
"""

import json
import os
import sys
import time
from pathlib import Path

FOLDER, CALLS = Path(sys.argv[1]), int(sys.argv[2])
NOW = 1_795_000_000_000_000
os.environ.update(AWS_DEFAULT_REGION="eu-central-1", AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none")

from functions.decide import handler as door  # noqa: E402
from nudge.adapters.memory import MemoryObjects, MemoryPlans, MemoryQueue, MemorySigner  # noqa: E402
from nudge.adapters.memory_ledger import MemoryLedger  # noqa: E402
from nudge.adapters.models import StoredModels  # noqa: E402
from nudge.flows.champions import Champions, PlanInForce  # noqa: E402
from nudge.flows.decide import Decide  # noqa: E402
from nudge.vocabulary import Decision, Profile  # noqa: E402


class People:
    """The store of profiles, stubbed as the peer's is: a dict."""

    def __init__(self, *people: Profile) -> None:
        self._people = {one.user_id: one for one in people}

    def get(self, user_id: str, *, consistent: bool = False) -> Profile | None:
        return self._people.get(user_id)


class Ledger(MemoryLedger):
    """Decisions by their id, as they are."""

    def record(self, decision: Decision, *, answer: dict[str, object], request_hash: str, **_: object) -> None:
        self.decisions[decision.decision_id] = (decision, answer, request_hash)

    def answer(self, decision_id: str) -> tuple[dict[str, object], str] | None:
        held = self.decisions.get(decision_id)
        return held and held[1:]


class Templates:
    def get(self, name: str) -> dict[str, str]:
        return {"text": f"The {name}.", "html": f"<b>The {name}.</b>"}


def read(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


if "client" in sys.argv:
    from nudge.adapters.clients import client

    client("dynamodb")

models = StoredModels(MemoryObjects(), MemorySigner(), clock=lambda: NOW)
models.publish("purchase", "20261118-bench", {"model.json": read("model.json"), "card.json": b"{}"})
models.promote("purchase", "20261118-bench", token=1, reason="bench")
held = json.loads(read("person.json"))
traits = {name: tuple(told) for name, told in held["traits"].items()}
person = Profile("u1", state=held["state"], traits=traits)
flow = Decide(
    profiles=People(person),
    plan=PlanInForce(MemoryPlans(json.loads(read("plan.json")))),
    champions=Champions(models),
    templates=Templates(),
    ledger=MemoryLedger() if "record" in sys.argv else Ledger(),
    queue=MemoryQueue(),
)
door.flow = lambda: flow
door.edge.clock = lambda: NOW
request = json.loads(read("request.json"))
taken = []
for number in range(CALLS):
    request["headers"]["idempotency-key"] = f"k-{number}"
    started = time.process_time()
    answer = door.handler(request, None)
    taken.append(time.process_time() - started)
    assert answer["statusCode"] == 200, answer
assert json.loads(answer["body"])["model_version"] == "20261118-bench"
sys.stderr.write(json.dumps(taken))
