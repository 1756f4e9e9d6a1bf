"""One training of intents: messages in order of time → a model of the earlier ones, its card, and what the gates say of the last
fifth of time. Nothing is chosen on that fifth.

The card has counts and figures; neither a text nor a person, and no term.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nudge.errors import BadInput, NotReady
from nudge.learn import judge
from nudge.learn.export import TOLERANCE
from nudge.learn.gate import ALREADY, BETTER, Answer, Gate
from nudge.learn.intent.choice import FOLDS
from nudge.learn.intent.figures import Judged, said
from nudge.learn.intent.hostile import TEXTS
from nudge.learn.intent.messages import Messages, Reads
from nudge.learn.intent.model import Model, fit
from nudge.learn.recipe import Recipe
from nudge.vocabulary import Micros

FEWEST = 5
"""People who wrote messages of an intent, for the intent to be learned."""
FEWEST_MESSAGES = 30
LAST = 0.2
MOST = 20_000
"""Messages: the newest."""
PARITY_TEXTS = 300


class Reader(Protocol):
    """What `score.text.load` gives."""

    def intent(self, text: str) -> tuple[str | None, float, list[tuple[str, float]]]: ...
    def strangeness(self, text: str) -> float: ...


type Load = Callable[[Mapping[str, Any]], Reader]


@dataclass(frozen=True, slots=True)
class Trained:
    """A challenger: its stored bytes, what it says of the last slice, and what the gates say of it."""

    version: str
    model: bytes
    card: dict[str, Any]
    metrics: dict[str, list[float]]
    answer: Answer


def train(
    messages: Messages,
    name: str,
    *,
    end: Micros,
    present: tuple[str, Reader] | None,
    recipe: Recipe,
    reads: Reads,
    load: Load,
) -> Trained:
    """Fit on the first four fifths of the messages (oldest first), judge on the last.

    Raises NotReady where there are too few labelled messages, or when the stored form differs from the numpy form.
    """
    newest = messages.rows(np.arange(max(0, len(messages) - MOST), len(messages)))
    early, late, left_out = _slices(newest)
    with threadpool_limits(1):
        model = fit(early, reads, recipe.seed)
        stored = model.export(name)
        reader = load(json.loads(stored))
        worst = _parity(model, reader, late)
        judged = _judged(model, early, late)
        rows = judge.Rows(np.ones(len(late)), np.ones(len(late)), np.unique(late.people, return_inverse=True)[1])
        told = said(judged, rows, recipe)
    version = f"{datetime.fromtimestamp(end / 1_000_000, UTC):%Y%m%d}-{hashlib.sha256(stored).hexdigest()[:12]}"
    better = _better(judged, rows, late, version, present, recipe)
    parity = Gate("parity", bool(worst <= TOLERANCE), f"differs from the numpy form by at most {worst:.2g}")
    card = told | {
        "parity": worst,
        "intents": model.intents,
        "left_out": left_out,
        "slices": {
            "train": _counted(early),
            "test": _counted(late),
            "capped": len(messages) - len(newest),
            "boundary": int(late.at[0]),
        },
        "terms": {family: len(columns) for family, columns in model.vocabulary.columns.items()},
        "chosen_by": {
            "folds": FOLDS,
            "accuracy": model.choice.tried,
            "penalty": model.choice.way.penalty,
            "smoothing": model.choice.way.smoothing,
            "naive_bayes": model.choice.way.share,
        },
        "none_of_these": {
            "weights": dict(model.choice.strange.weights),
            "threshold": model.choice.strange.threshold,
        },
    }
    return Trained(version, stored, card, told["metrics"], Answer((better, parity)))


def _slices(messages: Messages) -> tuple[Messages, Messages, dict[str, int]]:
    """The first four fifths in time, of intents that enough people wrote about; the last fifth, whatever it is about; and how
    many messages of which intents were left out."""
    if len(messages) < FEWEST_MESSAGES:
        raise NotReady(
            f"{len(messages)} labelled messages; {FEWEST_MESSAGES} are needed",
            missing={"messages": FEWEST_MESSAGES - len(messages)},
        )
    cut = int(len(messages) * (1 - LAST))
    early, late = messages.rows(np.arange(cut)), messages.rows(np.arange(cut, len(messages)))
    names = np.unique(early.intents)
    enough = [name for name in names if len(np.unique(early.people[early.intents == name])) >= FEWEST]
    if len(enough) < 2:
        raise NotReady(
            f"{len(enough)} intents with messages of {FEWEST} people; 2 are needed",
            missing={"intents": 2 - len(enough), "people_per_intent": FEWEST},
        )
    rare = {str(name): int((early.intents == name).sum()) for name in names if name not in enough}
    return early.rows(np.isin(early.intents, enough)), late, rare


def _counted(messages: Messages) -> dict[str, int]:
    return {"messages": len(messages), "people": len(np.unique(messages.people))}


def _judged(model: Model, early: Messages, late: Messages) -> Judged:
    chances, strange = model.judge(model.reading.others(late.texts))
    shares = np.array([(early.intents == name).mean() for name in model.intents])
    return Judged(np.array(model.intents), late, chances, strange, model.choice.strange.threshold, shares)


def _parity(model: Model, reader: Reader, late: Messages) -> float:
    """The largest difference between the stored form, read as online, and the numpy form: of probabilities and strangeness."""
    texts = [*late.texts[:PARITY_TEXTS], *TEXTS]
    theirs, strange = model.judge(model.reading.others(texts))
    worst = 0.0
    for text, row, odd in zip(texts, theirs, strange, strict=True):
        ranked = dict(reader.intent(text)[2])
        found = np.array([ranked[name] for name in model.intents])
        ours = reader.strangeness(text)
        worst = max(worst, float(np.abs(found - row).max()), float(abs(ours - odd) / max(1.0, abs(odd))))
    if not worst <= TOLERANCE:
        raise NotReady(
            f"the stored model differs from the numpy form by {worst:.3g}; it is not published",
            missing={"parity": worst, "allowed": TOLERANCE},
        )
    return worst


def _better(
    judged: Judged,
    rows: judge.Rows,
    late: Messages,
    version: str,
    present: tuple[str, Reader] | None,
    recipe: Recipe,
) -> Gate:
    """Is it likelier than the present model, or than always guessing the shares of before, that a message is about what people
    said, by more than noise? What a model does not know has probability 0 (cut at 1e-6)."""
    if present is not None and present[0] == version:
        return Gate(BETTER, False, ALREADY)
    against, theirs = (
        ("the shares of before", judged.guess()) if present is None else (present[0], _of(present[1], late))
    )
    found = judge.compare(
        judged.truth(), theirs, rows, resamples=recipe.resamples, confidence=recipe.confidence, seed=recipe.seed
    )
    sure = f"log loss lower by {found.gain:.5f} (at least {found.at_least:.5f} with {recipe.confidence:.0%} confidence)"
    said = f"better than {against}" if found.is_better else f"not better than {against} by more than noise"
    return Gate(BETTER, found.is_better, f"{said}: {sure}")


def _of(reader: Reader, late: Messages) -> np.ndarray:
    """The probability that a reader gives to what people said."""
    found = []
    for text, intent in zip(late.texts, late.intents, strict=True):
        try:
            found.append(dict(reader.intent(text)[2]).get(str(intent), 0.0))
        except BadInput:
            found.append(0.0)
    return np.array(found)
