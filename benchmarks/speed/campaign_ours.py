"""Our `campaign`, stores in memory: `campaign_ours.py FOLDER PEOPLE [ROUNDS] [records=FILE]`. Prints seconds of each round, and what was decided, as JSON; the records go
to a file where one is named.

Everything else is what is deployed: freezing, the decide flow, records, messages. Each round is a run of its own.
"""

import cProfile
import json
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from campaign_world import NOW, had_a_mail, people

from nudge.adapters.memory import MemoryObjects, MemoryPlans, MemoryQueue
from nudge.adapters.memory_journeys import MemoryJourneys
from nudge.adapters.memory_ledger import MemoryLedger
from nudge.adapters.templates import StoredTemplates
from nudge.flows.campaign_runs import Runs
from nudge.flows.campaigns import Campaigns
from nudge.flows.champions import Champion, PlanInForce
from nudge.flows.decide import Decide
from nudge.score import load
from nudge.vocabulary import SECOND, Profile

FOLDER, PEOPLE, ROUNDS = (
    Path(sys.argv[1]),
    int(sys.argv[2]),
    int(sys.argv[3]) if sys.argv[3:] and sys.argv[3].isdigit() else 3,
)


class Held:
    """The table of profiles, stubbed with a dict: reading a row costs nothing."""

    def __init__(self, made: list[Profile]) -> None:
        self._people = {one.user_id: one for one in made}

    def get(self, user_id: str, *, consistent: bool = False) -> Profile | None:
        return self._people.get(user_id)

    def get_many(self, user_ids):  # type: ignore[no-untyped-def]
        return {one: self._people[one] for one in user_ids if one in self._people}

    def all(self, *, part=(0, 1)):  # type: ignore[no-untyped-def]
        return (one for number, one in enumerate(self._people.values()) if number % part[1] == part[0])


champion = Champion("v1", load(json.loads((FOLDER / "model.json").read_bytes())), 30.0)
made = list(people(PEOPLE))
had = had_a_mail(made)
plans = PlanInForce(MemoryPlans(json.loads((FOLDER / "plan.json").read_text())))
plans()


def play(number: int) -> tuple[float, MemoryLedger]:
    """Seconds of one run, from its beginning to its last decision."""
    objects, tasks, ledger = MemoryObjects(), MemoryQueue(), MemoryLedger()
    objects.put("templates/mail.json", b'{"subject":"s","text":"t","html":"<p>h</p>"}')
    for one in made:
        if one.user_id in had:
            local = datetime.fromtimestamp(NOW / SECOND, UTC).astimezone(ZoneInfo(str(one.trait("timezone"))))
            ledger.counters[f"cap/email/{one.user_id}/day/{local.date().isoformat()}"] = 1
    decide = Decide(
        profiles=Held(made),
        plan=plans,
        champions=lambda name: champion if name == "purchase" else None,  # type: ignore[arg-type]
        templates=StoredTemplates(objects, clock=lambda: NOW),
        ledger=ledger,
        queue=MemoryQueue(),
    )
    campaigns = Campaigns(decide, Held(made), Runs(objects), tasks, MemoryJourneys())  # type: ignore[arg-type]
    began = time.process_time()
    campaigns.begin("spring", f"20261118T120{number}", now=NOW)
    while tasks.sent:
        task, _ = tasks.sent.pop(0)
        campaigns.go_on(task, now=NOW, left=lambda: 900.0)
    return time.process_time() - began, ledger


if "profile" in sys.argv:
    profiler = cProfile.Profile(time.process_time)
    profiler.runcall(play, 0)
    profiler.print_stats("cumulative")
    sys.exit()
play(9)
taken, kept = zip(*(play(number) for number in range(ROUNDS)), strict=True)
answers = [json.loads(one.answer) for one in kept[0].decisions.values()]
size = sum(len(one.text) for one in kept[0].decisions.values()) / len(answers)
said = {
    "seconds": taken,
    "decisions": len(answers),
    "activities": Counter(one["activity"] for one in answers),
    "record_bytes": size,
    "done": {one["user_id"]: one["activity"] for one in answers},
}
for option in sys.argv:
    if option.startswith("records="):  # for who wants them as they were written
        lines = (one.text.encode() + b"\n" for one in kept[0].decisions.values())
        Path(option.removeprefix("records=")).write_bytes(b"".join(lines))
sys.stderr.write(json.dumps(said))
