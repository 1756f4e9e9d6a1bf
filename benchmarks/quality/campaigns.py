"""Eight weeks of campaigns whose truth is known, twenty times: do the report's intervals hold it, and does the policy learn?

The sample shop's world fixes both potential outcomes of everybody beforehand, so that what a campaign really brought is a sum. Three
campaigns run on the product's own flows, over adapters in memory: a weekly mail whose policy learns which of three activities suits
whom, a text message that changes nothing, and a basket that is left (reminder, wait, branch, offer). Models are trained by the
product after the fifth week; the last two runs of the weekly campaign decide with them.

    .venv/bin/python benchmarks/quality/campaigns.py [--quick] [--json] [--seeds N] [--people N]

`--quick` is two seeds. Twenty seeds of 600 people take about a quarter of an hour of one core.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))
from local.shop import proof
from local.shop.season import Season


class Told(NamedTuple):
    """One seed: each campaign's interval and truth, and the choice of the last two runs."""

    seed: int
    said: dict[str, proof.Said]
    chosen: proof.Chosen
    seconds: float


def told(seed: int, people: int) -> Told:
    """Play one seed."""
    began = time.process_time()
    season = Season(seed, people)
    report = season.play()
    return Told(seed, proof.said(season, report), proof.chosen(season), time.process_time() - began)


def summary(all_of: Sequence[Told]) -> dict[str, Any]:
    """How often intervals held the truth, and by how much the policy was better than the best fixed activity."""
    needed = proof.fewest(len(all_of))
    held = {name: sum(one.said[name].holds for one in all_of) for name in all_of[0].said}
    gains = [one.chosen.gain for one in all_of]
    low, high = proof.interval(gains)
    return {
        "seeds": len(all_of),
        "needed": needed,
        "held": held,
        "idle_found_nothing": sum(one.said[proof.IDLE].finds_nothing for one in all_of),
        "policy": mean(one.chosen.policy for one in all_of),
        "best_fixed": mean(one.chosen.policy - one.chosen.gain for one in all_of),
        "gain": {"mean": mean(gains), "low": low, "high": high, "above_zero": sum(one > 0 for one in gains)},
    }


def plain(one: Told) -> dict[str, Any]:
    said = {name: {**held._asdict(), "holds": held.holds} for name, held in one.said.items()}
    chosen = {**one.chosen._asdict(), "best_fixed": one.chosen.best_fixed, "gain": one.chosen.gain}
    return {"seed": one.seed, "seconds": round(one.seconds, 1), "campaigns": said, "chosen": chosen}


def line(one: Told) -> str:
    """One seed, for people to read."""
    parts = [
        f"{name} {held.estimate:8.0f} [{held.low:7.0f}, {held.high:7.0f}] truth {held.truth:6.0f}{' ' if held.holds else '!'}"
        for name, held in one.said.items()
    ]
    chosen = one.chosen
    fixed = chosen.always[chosen.best_fixed]
    return f"{one.seed:3d}  {'  '.join(parts)}  policy {chosen.policy:5.2f}, always {chosen.best_fixed} {fixed:5.2f}"


def main(arguments: Sequence[str]) -> int:
    """Play, print, and say whether all of it is as it must be."""
    parser = argparse.ArgumentParser(description="campaigns whose truth is known")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--people", type=int, default=600)
    chosen = parser.parse_args(arguments)
    all_of = []
    for seed in range(1, 3 if chosen.quick else chosen.seeds + 1):
        all_of.append(told(seed, chosen.people))
        print(json.dumps(plain(all_of[-1])) if chosen.json else line(all_of[-1]), flush=True)
    found = summary(all_of)
    print(json.dumps(found) if chosen.json else _words(found))
    enough = min(*found["held"].values(), found["idle_found_nothing"]) >= found["needed"]
    return 0 if enough and found["gain"]["low"] > 0 else 1


def _words(found: dict[str, Any]) -> str:
    held = ", ".join(f"{name} {count}" for name, count in found["held"].items())
    gain = found["gain"]
    return (
        f"of {found['seeds']} seeds the 95 % interval holds the truth: {held} (needed {found['needed']}); "
        f"the idle campaign is called so in {found['idle_found_nothing']}\n"
        f"last two runs, worth a person: the policy {found['policy']:.2f}, the best fixed activity {found['best_fixed']:.2f}; "
        f"gain {gain['mean']:.2f} [{gain['low']:.2f}, {gain['high']:.2f}], above zero in {gain['above_zero']}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
