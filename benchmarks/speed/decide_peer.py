"""The peer: the same function as the field writes it. `decide_peer.py FOLDER CALLS [client|bare]`; prints as decide_ours.py.

pandas + scikit-learn + joblib + boto3 + powertools (Logger, Metrics, Tracer, a resolver with validation), stores stubbed with
dicts. `bare` leaves boto3 out altogether; `client` builds the table that `decide` would read.
"""

import json
import os
import sys
import time
import uuid
from pathlib import Path
from random import Random

FOLDER, CALLS = Path(sys.argv[1]), int(sys.argv[2])
os.environ.update(AWS_DEFAULT_REGION="eu-central-1", AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none")
os.environ.update(POWERTOOLS_TRACE_DISABLED="true", POWERTOOLS_SERVICE_NAME="peer")

if "bare" not in sys.argv:
    import boto3
import joblib  # noqa: E402
import pandas as pd  # noqa: E402
from aws_lambda_powertools import Logger, Metrics, Tracer  # noqa: E402
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver  # noqa: E402
from aws_lambda_powertools.metrics import MetricUnit  # noqa: E402
from pydantic import BaseModel  # noqa: E402

logger, metrics, tracer = Logger(), Metrics(namespace="peer"), Tracer()
app = APIGatewayHttpResolver(enable_validation=True)
if "client" in sys.argv:
    table = boto3.resource("dynamodb").Table("profiles")
loaded = joblib.load(FOLDER / "model.joblib")
plan = json.loads((FOLDER / "plan.json").read_text())
profiles = {"u1": json.loads((FOLDER / "features.json").read_text())}
decisions: dict[str, dict[str, object]] = {}


class Question(BaseModel):
    user_id: str
    goal: str


class Answer(BaseModel):
    decision_id: str
    activity: str
    propensity: float
    probability: float


@app.post("/v1/decisions")
@tracer.capture_method
def decide(question: Question) -> Answer:
    key = app.current_event.headers["idempotency-key"]
    if key in decisions:
        return Answer(**decisions[key])
    person = profiles[question.user_id]
    names = ["nothing", *plan["activities"]]
    frame = pd.DataFrame([{**person, "activity": name} for name in names])
    for name in frame.columns:
        if frame[name].dtype == object or str(frame[name].dtype) == "str":
            frame[name] = frame[name].astype("category")
    raw = loaded["model"].decision_function(frame).reshape(-1, 1)
    chances = loaded["calibration"].predict_proba(raw)[:, 1]
    values = [
        chance * plan["goals"][question.goal]["value"] - plan["activities"].get(name, {}).get("cost", 0)
        for name, chance in zip(names, chances, strict=True)
    ]
    best = max(range(len(names)), key=lambda place: values[place])
    chosen = best if Random(key).random() > 0.1 else Random(key).randrange(len(names))
    answer = {
        "decision_id": str(uuid.uuid5(uuid.NAMESPACE_OID, key)),
        "activity": names[chosen],
        "propensity": 0.9 + 0.1 / len(names) if chosen == best else 0.1 / len(names),
        "probability": float(chances[chosen]),
    }
    decisions[key] = answer
    logger.info("decided", extra=answer)
    metrics.add_metric(name="Decisions", unit=MetricUnit.Count, value=1)
    return Answer(**answer)


@metrics.log_metrics
def handler(event: dict[str, object], context: object) -> dict[str, object]:
    return app.resolve(event, context)


request = json.loads((FOLDER / "request.json").read_text())
taken = []
for number in range(CALLS):
    request["headers"]["idempotency-key"] = f"k-{number}"
    started = time.process_time()
    reply = handler(request, None)
    taken.append(time.process_time() - started)
    assert reply["statusCode"] == 200, reply
sys.stderr.write(json.dumps(taken))
