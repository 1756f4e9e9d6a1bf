"""Reading messages: whatever the text, the stored model and its numpy form say the same; what is broken is refused."""

from __future__ import annotations

import copy
import json
import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.errors import BadInput
from nudge.learn.intent import Messages, Model, fit, meant
from nudge.learn.intent import strange as learned
from nudge.learn.intent.hostile import TEXTS
from nudge.score import meaning, strange, text, verify

WORDS = (
    "card",
    "lost",
    "refund",
    "money",
    "late",
    "parcel",
    "卡丢了",
    "退款",
    "慢",
    "where",
    "please",
    "is",
    "my",
    "😀",
)


def messages(intents: int, seed: int) -> Messages:
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for number in range(40 * intents):
        intent = number % intents
        own = [WORDS[(intent * 3 + int(rng.integers(0, 3))) % len(WORDS)] for _ in range(2)]
        others = [WORDS[int(rng.integers(0, len(WORDS)))] for _ in range(int(rng.integers(0, 5)))]
        texts.append(" ".join(rng.permutation([*own, *others])))
        labels.append(f"intent {intent}")
    everyone = np.arange(len(texts))
    return Messages(texts, np.array(labels), everyone, everyone)


@cache
def model(intents: int, seed: int = 0) -> Model:
    return fit(messages(intents, seed), text.reads)


@cache
def artefact(intents: int, seed: int = 0) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(model(intents, seed).export("intent.message"))
    return made


@cache
def reader(intents: int, seed: int = 0) -> text.Reader:
    return text.load(artefact(intents, seed))


letters = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)
mixed = st.lists(st.sampled_from([*WORDS, *TEXTS]) | letters, max_size=8).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(mixed, st.sampled_from([2, 3, 7]), st.sampled_from([0, 1]))
def test_the_stored_form_says_what_the_numpy_form_says(said: str, intents: int, seed: int) -> None:
    fitted, ours = model(intents, seed), reader(intents, seed)
    chances, strange = fitted.judge(fitted.reading.others([said]))
    ranked = dict(ours.intent(said)[2])
    assert [ranked[name] for name in fitted.intents] == pytest.approx(chances[0].tolist(), abs=1e-9)
    assert ours.strangeness(said) == pytest.approx(float(strange[0]), rel=1e-9, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(mixed)
def test_any_text_has_an_answer_whose_probabilities_add_up(said: str) -> None:
    intent, confidence, ranked = reader(3).intent(said)
    assert intent is None or intent == ranked[0][0]
    assert confidence == ranked[0][1] == max(chance for _, chance in ranked)
    assert math.fsum(chance for _, chance in ranked) == pytest.approx(1.0)


@pytest.mark.parametrize("said", ["\ud800", "hello \udfff there"])
def test_half_a_character_is_no_text(said: str) -> None:
    with pytest.raises(BadInput) as wrong:
        reader(3).intent(said)
    assert wrong.value.reason == "bad_text"


def test_the_same_letters_in_another_form_are_the_same_text() -> None:
    assert text.terms("Ｃａｒｄ café") == text.terms("card cafe\u0301")
    assert text.terms("order 123, line 7") == text.terms("order 99, line 5")


def test_chinese_and_thai_are_read_without_spaces() -> None:
    assert text.terms("卡丢了")["word"] == {"卡": 1, "丢": 1, "了": 1, "卡 丢": 1, "丢 了": 1}
    assert text.terms("नमस्ते दुनिया")["word"]["नमस्ते"] == 1


def test_letters_in_a_row_do_not_cross_a_stop_and_an_apostrophe_is_none() -> None:
    assert text.terms("很快，好吃！😀")["letter"] == text.terms("很快 好吃 😀")["letter"]
    assert "n't " in text.terms("don't")["letter"]


def test_a_long_message_is_cut_and_still_quick() -> None:
    assert len(text.plain("x" * 1_000_000)) == text.LONGEST
    assert reader(3).intent("lost card " * 100_000)[1] > 0


def test_what_it_was_taught_it_knows_and_gibberish_it_does_not() -> None:
    ours = reader(7)
    assert ours.intent("refund")[2][0][0] == "intent 0"
    assert ours.intent("zxqj wvkk pfft")[0] is None


def test_evidence_has_the_same_names_on_both_sides() -> None:
    assert strange.EVIDENCE == learned.EVIDENCE
    assert (strange.READ, strange.TIE, strange.SPREAD) == (learned.READ, learned.TIE, meant.SPREAD)
    assert meaning.SHARPNESS == meant.SHARPNESS


def test_words_that_its_likeliest_intent_does_not_explain_make_a_message_stranger() -> None:
    fitting, torn = [0.4, 0.2], [2.0, -1.4]
    one, other = (
        dict(
            zip(
                strange.EVIDENCE,
                strange.evidence(strange.Seen([2.0, 1.0], [0.5, -0.5], [1.0, 0.0], 0, [ratios, []], 0.0, 2, [0.0] * 6)),
                strict=True,
            )
        )
        for ratios in (fitting, torn)
    )
    assert one["word_fit"] == pytest.approx(other["word_fit"])
    assert one["word_against"] == 0 < other["word_against"]


def test_intents_with_nearly_the_same_logit_are_told_apart_by_their_order_alone() -> None:
    assert strange.likeliest([0.0, 1.0, 1.0 + 1e-12]) == strange.likeliest([0.0, 1.0 + 1e-12, 1.0]) == 1


def _broken(path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(artefact(3))
    *places, last = path.split(".")
    at: Any = made
    for place in places:
        at = at[place]
    if isinstance(at, list):
        at[int(last)] = value
    else:
        at[last] = value
    return made


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", 2),
        ("reading", 2),
        ("intents", ["one"]),
        ("intents", ["a", "a", "b"]),
        ("bias", [0.0]),
        ("mix.margin", 0),
        ("mix.margin", 1e300),
        ("mix.bayes", -0.1),
        ("meaning", {}),
        ("meaning.pieces", ["▁a", "▁a"]),
        ("meaning.scale", [1.0]),
        ("meaning.vectors", "AAAA"),
        ("meaning.weights", [[0.0]]),
        ("meaning.weights.0", [0.0]),
        ("meaning.bias", [0.0]),
        ("meaning.points.scale", [1e300]),
        ("meaning.points.vectors", "AAAA"),
        ("meaning.points.intent", [0]),
        ("mix", {}),
        ("people", 0),
        ("margin", "AAAA"),
        ("margin", "not base64!"),
        ("bayes", "AAAA"),
        ("bayes", 7),
        ("families", {}),
        ("families.word.terms", ["x"]),
        ("families.word.seen", [0]),
        ("families.word.margin", [1e300]),
        ("families.word.bayes", [1.0]),
        ("families.letter.weight", None),
        ("none.threshold", "high"),
        ("none.weights", {}),
    ],
)
def test_a_broken_artefact_is_refused(path: str, value: Any) -> None:
    with pytest.raises(BadInput) as wrong:
        verify.structure(_broken(path, value))
    assert wrong.value.reason == "bad_model"


def test_terms_of_fewer_than_three_people_are_not_in_it() -> None:
    held = messages(3, 0)
    said = Messages(
        [*held.texts, *["call mister Rumpelstiltskin"] * 50], np.r_[held.intents, np.repeat("intent 0", 50)],
        np.r_[held.people, np.repeat(held.people.max() + np.array([1, 2]), 25)], np.arange(len(held) + 50),
    )  # fmt: skip
    assert "rumpel" not in fit(said, text.reads).export("intent.message").decode()
    assert "rumpel" not in json.dumps(artefact(3))


def test_messages_of_one_word_are_learned_from_too() -> None:
    everyone = np.arange(60)
    said = Messages(["yes", "no"] * 30, np.array(["agrees", "declines"] * 30), everyone, everyone)
    ours = text.load(json.loads(fit(said, text.reads).export("intent.message")))
    assert ours.intent("Yes!")[2][0][0] == "agrees"
    assert ours.intent("no")[2][0][0] == "declines"


def test_people_who_write_often_stand_on_one_side_of_a_fold() -> None:
    held = messages(3, 0)
    often = Messages(held.texts, held.intents, held.people % 9, held.at)
    assert fit(often, text.reads).vocabulary.people == 9
