"""A log of decisions with their vectors comes in; Open Bandit Pipeline's `BanditFeedback` goes out: a dict of numpy arrays.

Names as in `obp` (Saito, Aihara, Matsutani, Narita, NeurIPS 2021): n_rounds, n_actions, action, position, reward, pscore, context,
action_context. An activity is shown at one place, so position is 0. Files are `.npz` without any pickled object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np

from nudge.measure.off_policy import Log

type Vector = Mapping[str, float | str | None]
MOST_LEVELS = 20
"""Words a category may have to become columns of its own."""


def feedback(log: Log, vectors: Sequence[Vector], actions: Sequence[str]) -> dict[str, Any]:
    """`context` is (n, features): numbers as they are (NaN: unknown), words as a column a level; `feature_names` says which.

    Raises ValueError where the log and the vectors differ in length.
    """
    if len(vectors) != len(log.reward):
        raise ValueError("every decision needs its vector")
    names, context = _context(vectors)
    return {
        "n_rounds": len(log.reward),
        "n_actions": len(actions),
        "action": log.activity.astype(np.int64),
        "position": np.zeros(len(log.reward), dtype=np.int64),
        "reward": log.reward.astype(np.float64),
        "pscore": log.propensity.astype(np.float64),
        "context": context,
        "action_context": np.eye(len(actions)),
        "action_names": np.array(list(actions), dtype=np.str_),
        "feature_names": np.array(names, dtype=np.str_),
    }


def packed(feedback: Mapping[str, Any]) -> bytes:
    """As the bytes of an `.npz` file; `load` gives the dict again."""
    out = BytesIO()
    np.savez_compressed(out, allow_pickle=False, **{name: np.asarray(value) for name, value in feedback.items()})
    return out.getvalue()


def load(body: bytes) -> dict[str, Any]:
    """The dict of a file: counts are ints again."""
    with np.load(BytesIO(body), allow_pickle=False) as held:
        return {name: int(held[name]) if held[name].ndim == 0 else held[name] for name in held.files}


def _context(vectors: Sequence[Vector]) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
    names = sorted({name for vector in vectors for name in vector})
    columns: list[tuple[str, list[float]]] = []
    for name in names:
        values = [vector.get(name) for vector in vectors]
        words = sorted({value for value in values if isinstance(value, str)})
        if not words:
            columns.append((name, [float("nan") if value is None else float(value) for value in values]))
        elif len(words) <= MOST_LEVELS:
            columns += [(f"{name}={word}", [float(value == word) for value in values]) for word in words]
    if not columns:
        return [], np.zeros((len(vectors), 0))
    return [name for name, _ in columns], np.array([values for _, values in columns], dtype=np.float64).T
