"""Choosing a model of intents: what folds compare, which intents are hidden, how numbers are rounded."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp

from nudge.learn.intent import Messages, fit
from nudge.learn.intent import choice as choosing
from nudge.learn.intent.choice import HIDDEN, Study, chosen
from nudge.learn.intent.linear import FINER, LEVELS, PENALTIES, SHARES, SMOOTHINGS, Mix, Parts, Rounded, Way
from nudge.learn.intent.meaning import BYTE, meaning
from nudge.learn.intent.meant import MOST_POINTS, Meant
from nudge.learn.intent.messages import Reading
from nudge.learn.intent.strange import EVIDENCE, threshold
from nudge.learn.intent.vocabulary import FEWEST_PEOPLE
from nudge.score.text import reads

INTENTS = 6


def messages(seed: int = 0) -> Messages:
    """Six intents, each with words of its own among words of all."""
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for number in range(60 * INTENTS):
        intent = number % INTENTS
        own = [f"{'abcdef'[intent] * 4}{'xyz'[int(rng.integers(0, 3))]}" for _ in range(2)]
        common = [f"common{'klmn'[int(rng.integers(0, 4))]}" for _ in range(3)]
        texts.append(" ".join(rng.permutation([*own, *common])))
        labels.append(f"intent {intent}")
    everyone = np.arange(len(texts))
    return Messages(texts, np.array(labels), everyone, everyone)


def study(held: Messages) -> Study:
    labels = np.unique(held.intents, return_inverse=True)[1]
    known = meaning()
    return Study.of(Reading.of(held.texts, reads, known.names), known.vectors, labels, held.people, 0)


def test_few_intents_are_cheap_so_that_every_penalty_is_compared() -> None:
    tried = chosen(study(messages())).tried
    assert len(tried) == len(FINER) * len(SMOOTHINGS) * len(SHARES)


def test_where_fits_are_dear_one_fold_compares_two_penalties(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "MANY", 0)
    made = chosen(study(messages()))
    assert len(made.tried) == len(PENALTIES) * len(SMOOTHINGS) * len(SHARES)
    assert made.tried[str(made.way)] > 0.9


def test_people_who_write_often_stand_in_one_fold() -> None:
    held = messages()
    often = study(dataclasses.replace(held, people=held.people % 40))
    for others, rows in often.folds:
        assert not set(often.people[others]) & set(often.people[rows])


def test_each_intent_is_hidden_once() -> None:
    held = messages()
    known, hidden = choosing._hidden(study(held), Way(1.0, 0.1, 0.1), Mix(1.0, 0.1))
    assert len(hidden) == len(held)
    assert len(known) == pytest.approx(len(held) * (1 - 1 / HIDDEN), abs=30)


def test_messages_of_an_intent_that_was_never_taught_are_stranger() -> None:
    held = messages()
    taught = fit(held.rows(held.intents != "intent 5"), reads)
    assert set(taught.choice.strange.weights) == set(EVIDENCE)
    strange = taught.judge(taught.reading.others(held.texts))[1]
    unknown = held.intents == "intent 5"
    assert (strange[unknown] > taught.choice.strange.threshold).mean() > 0.9
    assert (strange[~unknown] > taught.choice.strange.threshold).mean() < 0.05


def test_the_line_costs_no_more_accuracy_than_it_may() -> None:
    rng = np.random.default_rng(0)
    known, right, hidden = rng.normal(size=1000), rng.random(1000) < 0.9, rng.normal(1.0, 1.0, 500)
    line = threshold(known, right, hidden)
    assert (right & (known > line)).mean() <= 0.03


def test_weights_are_rounded_by_at_most_half_a_level() -> None:
    weights = np.random.default_rng(0).normal(size=(50, 4)) * np.logspace(-3, 3, 50)[:, None]
    weights[7] = 0.0
    error = np.abs(Rounded.of(weights).weights() - weights)
    assert (error <= 0.51 * np.abs(weights).max(axis=1, keepdims=True) / LEVELS).all()


def test_a_mix_of_no_naive_bayes_is_the_margin_alone() -> None:
    rng = np.random.default_rng(0)
    parts = Parts(rng.normal(size=(9, 3)), rng.normal(size=(9, 3)), np.zeros(3))
    mix = Mix.of(parts, 0.0)
    assert mix.bayes == 0
    assert mix.logits(parts).std() == pytest.approx(1.0)


SAID = {
    "money": ("I want my money", "send the cash back", "pay me what you owe", "where is my payment"),
    "travel": ("I go abroad soon", "my flight to Paris", "a trip next week", "leaving for vacation"),
}


def told(people: np.ndarray) -> tuple[Meant, Reading]:
    known = meaning()
    reading = Reading.of([text for texts in SAID.values() for text in texts], reads, known.names)
    return Meant.of(reading.pieces(), known.vectors, np.repeat([0, 1], 4), people, 0), reading


def test_a_word_that_no_message_had_is_understood_by_what_it_means() -> None:
    meant, reading = told(np.arange(8))
    unseen = reading.others(["dollars", "holiday"]).pieces()
    assert (unseen @ meant.vectors @ meant.weights + meant.bias).argmax(axis=1).tolist() == [0, 1]
    fits, strays = meant.evidence(unseen, np.array([0, 1])), meant.evidence(unseen, np.array([1, 0]))
    assert (fits[-1] < strays[-1]).all(), "nearer to the points of its own intent"


def test_what_fewer_than_three_people_said_is_no_point_of_its_own() -> None:
    rng = np.random.default_rng(0)
    shares = sp.csr_matrix(np.eye(64)[np.repeat(np.arange(64), 8)])
    vectors, intents = rng.normal(size=(64, 32)), np.repeat([0, 1], 256)
    many = Meant.of(shares, vectors, intents, np.arange(512), 0)
    assert np.bincount(many.intents).tolist() == [MOST_POINTS, MOST_POINTS]
    few = Meant.of(shares, vectors, intents, np.arange(512) % (FEWEST_PEOPLE - 1), 0)
    assert np.bincount(few.intents).tolist() == [1, 1]


def test_pieces_stand_in_the_order_in_which_they_are_joined() -> None:
    names = meaning().names
    assert sum(name.startswith(BYTE) for name in names) == 256
    joined = [len(name) > 1 and not name.startswith(BYTE) for name in names]
    assert joined == sorted(joined)
