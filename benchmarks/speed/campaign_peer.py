"""The peer: the same audience as an analyst writes it, a batch in pandas and scikit-learn.
`campaign_peer.py FOLDER PEOPLE [ROUNDS] [profiles | floor]`.

What both sides do: for each person the calibrated p(goal) of four candidates, address, suppression, consent, the day's cap and quiet hours in
the person's zone, both holdouts and the draw by keyed hashes, inverse-gap weighting, and a JSON record of the decision with its candidates
and its vector (orjson, which is what we use). Here all people at once: one call of the model a candidate, rules as columns.

What only ours does: it freezes who is meant, looks in the ledger whether the decision was made, checks and adds to the counters in the
transaction that keeps record, answer and message, says the reason in words, counts and keeps how far it is, and can go on where it was killed.

Features: they are handed over ready; with `profiles` they are computed from the profiles' stored numbers, as columns of a frame, as ours are from
the stored profiles. Neither side's reading of its input counts.

With `floor` only that is timed which no program may leave out and all do alike: the decision's name and three draws by keyed hashes, the
record as JSON, of a dict that is there already, and the model's compiled code, all people at once. No features, no rules, no policy, no
ledger; nothing is put together.
"""

import hashlib
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import orjson
import pandas as pd
from campaign_world import NOW, PLAN, had_a_mail, people, raw_table, table
from decide_world import KINDS

FOLDER, PEOPLE, ROUNDS = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 3
FROM_PROFILES, FLOOR = "profiles" in sys.argv, "floor" in sys.argv
DAY = 24 * 3600 * 1_000_000
NAMES = ["nothing", *PLAN["activities"]]
COSTS = np.array([0.0, *(one["cost"] for one in PLAN["activities"].values())])
WORTH, GAMMA = 30.0, float(PLAN["policy"]["exploration"])
loaded = joblib.load(FOLDER / "model.joblib")
asked = [one for one in json.loads((FOLDER / "model.json").read_bytes())["features"]]


def uniform(text: str) -> float:
    return (int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 11) / (1 << 53)


def features(stored: pd.DataFrame) -> pd.DataFrame:
    """Every number of the vector at this moment, of the stored ones: sums decayed to now, times since, shares of hours, rates."""
    found: dict[str, Any] = {}
    for kind in KINDS:
        last, first, total, worth, *sums = (stored[f"{kind}/{slot}"].to_numpy(float) for slot in range(11))
        age = (NOW - last) / DAY
        names = [("count", 1), ("count", 7), ("count", 30), ("count", 90), ("value", 7), ("value", 30), ("value", 90)]
        for (what, days), one in zip(names, sums, strict=True):
            found[f"{what}.{kind}.{days}d"] = one * np.exp2(-age / days)
        found |= {f"days_since.{kind}": age, f"days_since_first.{kind}": (NOW - first) / DAY}
        found |= {f"total.{kind}": total, f"value.{kind}.total": worth}
        found[f"trend.{kind}"] = found[f"count.{kind}.7d"] / (found[f"count.{kind}.30d"] + 0.1)
        found[f"value_per.{kind}"] = found[f"value.{kind}.90d"] / (found[f"count.{kind}.90d"] + 0.000001)
    hours = stored[[f"hour/{hour}" for hour in range(168)]].to_numpy()
    by_hour, whole = hours.reshape(-1, 7, 24).sum(axis=1), hours.sum(axis=1)
    for part, name in enumerate(("night", "morning", "afternoon", "evening")):
        found[f"hour_of_week.{name}"] = by_hour[:, part * 6 : part * 6 + 6].sum(axis=1) / whole
    found["hour_of_week.weekend"] = hours[:, 120:].sum(axis=1) / whole
    found["hour_of_week.peak_hour"] = by_hour.argmax(axis=1).astype(float)
    found["open_rate"] = (found["count.email_open.90d"] + 0.2) / 1.0  # nobody was sent any
    found["click_rate"] = (found["count.email_click.90d"] + 0.02) / 1.0
    found["purchase_rate"] = (found["count.purchase.30d"] + 0.01) / (found["count.page_view.30d"] + 1)
    others = [name for name in stored if "/" not in name]
    return pd.concat([pd.DataFrame(found, index=stored.index), stored[others]], axis=1)


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


def play(given: pd.DataFrame, number: int) -> tuple[float, list[bytes]]:
    began = time.process_time()
    frame = features(given) if FROM_PROFILES else given
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


def floor(given: pd.DataFrame, number: int) -> tuple[float, list[bytes]]:
    """Seconds of what is left of `play` when everything is left out that can be."""
    ready = [orjson.loads(one) for one in play(given, number)[1]]
    began = time.process_time()
    scores(given)
    for one in ready:
        user, name = one["user_id"], hashlib.sha256(f"{one['user_id']}\n{one['run']}".encode()).hexdigest()[:32]
        uniform(f"{name}/draw"), uniform(f"holdout/{user}"), uniform(f"holdout/campaign/spring/{user}")
    written = [orjson.dumps(one) for one in ready]
    return time.process_time() - began, written


made = list(people(PEOPLE))
given = (raw_table if FROM_PROFILES else table)(made, had_a_mail(made))
play(given, 9)
taken, kept = zip(*((floor if FLOOR else play)(given, number) for number in range(ROUNDS)), strict=True)
records = [json.loads(one) for one in kept[0]]
said = {
    "seconds": taken,
    "decisions": len(records),
    "activities": Counter(one["activity"] for one in records),
    "record_bytes": sum(map(len, kept[0])) / len(records),
    "done": {one["user_id"]: one["activity"] for one in records},
}
sys.stderr.write(json.dumps(said))
