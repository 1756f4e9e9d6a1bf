"""The floor: one decision with the standard library alone: parse, look up, score four candidates, answer."""

import json
import sys
import time
from pathlib import Path

from nudge.score import load

FOLDER, CALLS = Path(sys.argv[1]), int(sys.argv[2])
scorer = load(json.loads((FOLDER / "model.json").read_text()))
plan = json.loads((FOLDER / "plan.json").read_text())
profiles = {"u1": json.loads((FOLDER / "features.json").read_text())}
request = json.loads((FOLDER / "request.json").read_text())
taken = []
for _ in range(CALLS):
    started = time.process_time()
    question = json.loads(request["body"])
    vector = profiles[question["user_id"]]
    worth = plan["goals"][question["goal"]]["value"]
    chances = scorer.probabilities(vector, ("nothing", *plan["activities"]))
    costs = {name: one["cost"] for name, one in plan["activities"].items()}
    values = {name: chance * worth - costs.get(name, 0) for name, chance in chances.items()}
    print(json.dumps({"statusCode": 200, "activity": max(values, key=lambda name: values[name])}))
    taken.append(time.process_time() - started)
sys.stderr.write(json.dumps(taken))
