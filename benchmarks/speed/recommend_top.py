"""Ten items for a person: ours in plain Python beside numpy and scipy, in this process. Also how long a model takes to load.

`python benchmarks/speed/recommend_top.py` makes a catalogue of 5,000 items with two tables of 100 neighbours an item, and asks for 200
people who met 20 items each. Times are processor time, the median of some repeats. Prints JSON.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from nudge.score import neighbours

ITEMS, NEIGHBOURS, PEOPLE, MET, TOP, REPEATS = 5_000, 100, 200, 20, 10, 5


def model() -> dict[str, Any]:
    """Neighbours at random, popular ones more often."""
    rng = np.random.default_rng(0)
    weight = 1 / np.arange(1, ITEMS + 1) ** 0.6
    tables = []
    for decay in (0.7, 0.95):
        rows = [np.unique(rng.choice(ITEMS, NEIGHBOURS, p=weight / weight.sum())) for _ in range(ITEMS)]
        item = np.concatenate(rows)
        length = [len(row) for row in rows]
        values = rng.integers(1, 32_768, len(item))
        table = {"by": "item", "decay": decay, "scale": 1e-4, "length": length}
        tables.append(table | {"item": item.tolist(), "weight": values.tolist()})
    return {
        **{"format": 1, "kind": "recommend", "name": "recommend.purchase", "items": [f"i{n}" for n in range(ITEMS)]},
        **{"categories": ["a", "b"], "category": [n % 2 for n in range(ITEMS)], "about": [{}] * ITEMS},
        **{"popularity": list(range(ITEMS, 0, -1)), "popularity_scale": 1e-6, "tables": tables},
        **{"out": [], "windows": [], "events": {}, "bought": "purchase", "again": False, "per_category": None},
    }


def peer(told: dict[str, Any]) -> Callable[[list[int]], np.ndarray]:
    """The same scores by sparse matrices, and the best by argpartition: no rules, no ids."""
    matrices = []
    for table in told["tables"]:
        starts = np.r_[0, np.cumsum(table["length"])]
        held = (np.asarray(table["weight"]) * table["scale"], np.asarray(table["item"]), starts)
        matrices.append((table["decay"], sp.csr_matrix(held, shape=(ITEMS, ITEMS))))
    popularity = np.asarray(told["popularity"]) * told["popularity_scale"]

    def top(met: list[int]) -> np.ndarray:
        total = popularity.copy()
        zeros = np.zeros(len(met), dtype=int)
        for decay, matrix in matrices:
            history = sp.csr_matrix((decay ** np.arange(len(met)), (zeros, np.array(met))), shape=(1, ITEMS))
            total += (history @ matrix).toarray().ravel()
        total[met] = -np.inf
        best = np.argpartition(-total, TOP)[:TOP]
        return best[np.argsort(-total[best])]

    return top


def milliseconds(work: Callable[[], object], each: int) -> float:
    """Processor time of one of `each` things."""
    spent = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return statistics.median(spent) / each * 1000


def main() -> None:
    """Print the figures; the answers of both must be the same."""
    told = model()
    body = json.dumps(told)
    scorer, theirs = neighbours.Neighbours(told), peer(told)
    rng = np.random.default_rng(1)
    people = [rng.choice(ITEMS, MET, replace=False).tolist() for _ in range(PEOPLE)]
    recent = [{f"i{item}": MET - rank for rank, item in enumerate(met)} for met in people]
    for met, held in zip(people, recent, strict=True):
        ours = [item for item, _ in scorer.top(held, TOP, now=0, bought=held)]
        assert ours == [f"i{item}" for item in theirs(met)]
    mine = milliseconds(lambda: [scorer.top(held, TOP, now=0, bought=held) for held in recent], PEOPLE)
    numpys = milliseconds(lambda: [theirs(met) for met in people], PEOPLE)
    load = milliseconds(lambda: neighbours.load(json.loads(body)), 1)
    said = {"ours_ms": mine, "numpy_ms": numpys, "ratio": mine / numpys, "load_ms": load, "megabytes": len(body) / 1e6}
    print(json.dumps({name: round(value, 3) for name, value in said.items()}))


if __name__ == "__main__":
    main()
