"""What a message is about: events whose action says what a person took them for → a model of intents, better than what is in
force on the last fifth of time. Here learn and score meet: both read a text by `score.terms`.

No text leaves this run: the artefact holds terms that at least three people used, the card counts and figures.
"""

from __future__ import annotations

import json
import platform
from dataclasses import asdict

import numpy as np
import polars as pl
import scipy
import sklearn

from nudge.errors import BadInput
from nudge.flows.training_rows import History
from nudge.flows.trainings.task import Made, Present, Task, Tell
from nudge.learn import Recipe
from nudge.learn.export import canonical
from nudge.learn.intent import Messages, train
from nudge.learn.intent.training import Reader
from nudge.learn.intent.vocabulary import FEWEST_PEOPLE
from nudge.score import text
from nudge.vocabulary import Micros

LONGEST_INTENT = 200
LIMITS = (
    "It knows the intents that people labelled; whether a message needs a person is for the plan to say.",
    f"Words that fewer than {FEWEST_PEOPLE} people used are not known to it: names and numbers of people stay out.",
    "What words mean, for `none of these`, it knows from a table made of mostly English text; of Chinese it knows hardly any.",
    "The line of `none of these` was drawn where it costs at most 3 % of the accuracy on messages of the training part.",
)


def make(task: Task, history: History, present: Present, recipe: Recipe, tell: Tell, now: Micros) -> Made:
    """A challenger of an event's messages. Raises NotReady with what is missing."""
    tell("reading messages")
    messages = labelled(history, str(task.options["event"]), str(task.options["text"]))
    tell("fitting")
    made = train(
        messages,
        task.name,
        end=history.end,
        present=_reader(present),
        recipe=recipe,
        reads=text.reads,
        load=text.load,
    )
    told = {
        "kind": "intent",
        "data": history.data([]) | {"messages": len(messages), "event": task.options["event"]},
        "features": {name: said for name, said in _FAMILIES.items()},
        "limits": list(LIMITS),
        "options": dict(task.options),
        "recipe": asdict(recipe),
        "libraries": {
            "python": platform.python_version(),
            **{one.__name__: one.__version__ for one in (np, pl, scipy, sklearn)},
        },
    }
    card = canonical(made.card | told)
    answer = made.answer
    return Made(made.version, "intent", made.model, card, made.metrics, answer.passed, answer.reason, answer.gates)


_FAMILIES = {
    "word": "words, and two neighbours; a character of a script without spaces is a word; every number is 0",
    "letter": "two to five letters in a row",
    "pair": f"two words up to {text.REACH} words apart",
    "length": "how many words, in steps of a factor 1.4",
    "piece": "pieces of words, by vectors that others trained on much text, mostly English: for `none of these` alone",
}


def labelled(history: History, event: str, text_property: str) -> Messages:
    """Messages with a label, oldest first; what is no text, or has no text, is left out."""
    held = history.everything
    columns = held.collect_schema().names()
    wanted = ("user_id", "event_time", "event_id", "event_action", "properties")
    if any(name not in columns for name in wanted):
        return _messages([])
    found = (
        held.filter((pl.col("event_type") == event) & pl.col("event_action").is_not_null())
        .select(*wanted)
        .with_columns(pl.col("event_time").dt.epoch("us"))
        .collect()
        .sort("event_time", "user_id", "event_id")
    )
    rows = []
    for user_id, at, _, action, properties in found.iter_rows():
        said = _text(properties, text_property)
        if said is not None and 0 < len(action) <= LONGEST_INTENT:
            rows.append((said, action, user_id, at))
    return _messages(rows)


def _text(properties: str | None, name: str) -> str | None:
    """The text of an event; None when it has none that can be read."""
    said = json.loads(properties or "{}").get(name)
    if not isinstance(said, str):
        return None
    try:
        return said if text.plain(said) else None
    except BadInput:
        return None


def _messages(rows: list[tuple[str, str, str, int]]) -> Messages:
    texts, actions, users, times = zip(*rows, strict=True) if rows else ((), (), (), ())
    people = np.unique(np.array(users, str), return_inverse=True)[1]
    return Messages(list(texts), np.array(actions, str), people, np.array(times, np.int64))


def _reader(present: Present) -> tuple[str, Reader] | None:
    """The model in force, or None when it cannot be used: then any honest model is better."""
    try:
        return None if present is None else (present[0], text.load(present[1]))
    except BadInput:
        return None
