"""The peer: the same audience as an analyst writes it, a batch in pandas and scikit-learn. `campaign_peer.py FOLDER PEOPLE [ROUNDS]`.

All people at once: one call of the model over four rows each, rules as columns, a keyed hash for holdouts and draws, inverse-gap weighting
in numpy, a JSON record a person (orjson, which is what we use). It is given the features; it keeps no ledger, no transaction, no reasons
in words, and cannot go on where it was killed.
"""

import hashlib
import json
import sys
import time
from collections import Counter
from pathlib import Path

import joblib
import numpy as np
import orjson
import pandas as pd
from campaign_world import NOW, PLAN, had_a_mail, people, table

FOLDER, PEOPLE, ROUNDS = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 3
NAMES = ["nothing", *PLAN["activities"]]
COSTS = np.array([0.0, *(one["cost"] for one in PLAN["activities"].values())])
WORTH, GAMMA = 30.0, float(PLAN["policy"]["exploration"])
loaded = joblib.load(FOLDER / "model.joblib")
asked = [one for one in json.loads((FOLDER / "model.json").read_bytes())["features"]]


def uniform(text: str) -> float:
    return (int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 11) / (1 << 53)


def scores(frame: pd.DataFrame) -> np.ndarray:
    """(people, candidates): p(goal) of each."""
    table = pd.DataFrame(index=frame.index)
    for one in asked:
        if one["type"] == "number":
            table[one["name"]] = frame[one["name"]]
        else:
            told = frame[one["name"]] if one["name"] != "activity" else "nothing"
            table[one["name"]] = pd.Categorical(told, categories=one["levels"]) if one["name"] != "activity" else told
    levels = next(one["levels"] for one in asked if one["name"] == "activity")
    found = []
    for name in NAMES:
        table["activity"] = pd.Categorical([name] * len(frame), categories=levels)
        raw = loaded["model"].decision_function(table).reshape(-1, 1)
        found.append(loaded["calibration"].predict_proba(raw)[:, 1])
    return np.column_stack(found)


def quiet_until(frame: pd.DataFrame) -> pd.Series:
    """When each may be written to: now, or at eight in the morning."""
    now = pd.Timestamp(NOW, unit="us", tz="UTC")
    due = pd.Series(now, index=frame.index)
    for zone, rows in frame.groupby("timezone").groups.items():
        local = now.tz_convert(zone)
        if local.hour >= 21 or local.hour < 8:
            morning = (local + pd.Timedelta(days=1 if local.hour >= 21 else 0)).replace(
                hour=8, minute=0, second=0, microsecond=0
            )
            due[rows] = morning.tz_convert("UTC")
    return due


def play(frame: pd.DataFrame, number: int) -> tuple[float, list[bytes]]:
    began = time.process_time()
    run, users = f"20261118T120{number}", frame["user_id"].to_numpy()
    due = quiet_until(frame)
    local_day, today = pd.Series(index=frame.index, dtype=object), pd.Series(index=frame.index, dtype=bool)
    for zone, rows in frame.groupby("timezone").groups.items():
        local_day[rows] = due[rows].dt.tz_convert(zone).dt.date.astype(str)
        today[rows] = local_day[rows] == str(pd.Timestamp(NOW, unit="us", tz=zone).date())
    removed = np.select(
        [frame["email"].isna(), frame["suppressed"], ~frame["consent"], frame["had_one_today"] & today],
        ["no_address", "suppressed", "no_consent", "cap_day"],
        default="",
    )
    chances = scores(frame)
    values = chances * WORTH - COSTS
    open_ones = np.ones_like(values, dtype=bool)
    open_ones[:, 1:] = (removed == "")[:, None]
    shut = np.where(open_ones, values, -np.inf)
    best, top = shut.argmax(axis=1), shut.max(axis=1)
    reward = np.where(open_ones, np.maximum(values, 0) / np.where(top > 0, top, 1)[:, None], 0.0)
    count = open_ones.sum(axis=1)
    gap = reward[np.arange(len(frame)), best][:, None] - reward
    shares = np.where(open_ones, 1.0 / (count[:, None] + GAMMA * gap), 0.0)
    shares[np.arange(len(frame)), best] = 0.0
    shares[np.arange(len(frame)), best] = 1.0 - shares.sum(axis=1)
    names = [hashlib.sha256(f"{user}\ncampaign/spring/{run}".encode()).hexdigest()[:32] for user in users]
    draws = np.array([uniform(f"{name}/draw") for name in names])
    chosen = np.minimum((shares.cumsum(axis=1) <= draws[:, None]).sum(axis=1), len(NAMES) - 1)
    out_of_all = np.array([uniform(f"holdout/{user}") < 0.05 for user in users])
    held = np.array([uniform(f"holdout/campaign/spring/{user}") < 0.1 for user in users])
    group = np.select([out_of_all, held], ["global_holdout", "holdout"], default="treatment")
    done = np.where(group == "treatment", chosen, 0)
    vectors = frame.drop(columns=["user_id", "email", "timezone", "consent", "suppressed", "had_one_today"]).to_dict(
        "records"
    )
    due_at = due.astype("int64").to_numpy() // 1000
    records = []
    for row, user in enumerate(users):
        candidates = [
            {
                "activity": NAMES[n], "probability": float(chances[row, n]), "value": float(values[row, n]),
                "propensity": float(shares[row, n]), "removed": None if open_ones[row, n] else str(removed[row]),
            }
            for n in range(len(NAMES))
        ]  # fmt: skip
        record = {
            "decision_id": names[row], "user_id": user, "decided_at": NOW, "goal": "purchase",
            "chosen": NAMES[chosen[row]], "activity": NAMES[done[row]], "channel": "email" if done[row] else None,
            "group": str(group[row]), "propensity": float(shares[row, chosen[row]]), "draw": float(draws[row]),
            "probability": float(chances[row, done[row]]), "value": float(values[row, done[row]]),
            "cost": float(COSTS[done[row]]), "candidates": candidates, "vector": vectors[row], "context": {},
            "policy": f"squarecb gamma={GAMMA} goal_value={WORTH}", "plan_version": "bench", "model_version": "v1",
            "due_at": int(due_at[row]), "campaign": "spring", "run": run, "local_day": local_day.iloc[row],
        }  # fmt: skip
        records.append(orjson.dumps(record))
    return time.process_time() - began, records


made = list(people(PEOPLE))
frame = table(made, had_a_mail(made))
play(frame, 9)
taken, kept = zip(*(play(frame, number) for number in range(ROUNDS)), strict=True)
records = [json.loads(one) for one in kept[0]]
said = {
    "seconds": taken,
    "decisions": len(records),
    "activities": Counter(one["activity"] for one in records),
    "record_bytes": sum(map(len, kept[0])) / len(records),
    "done": {one["user_id"]: one["activity"] for one in records},
}
sys.stderr.write(json.dumps(said))
