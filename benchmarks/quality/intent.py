"""Intents on banking77 (77 intents, English) and waimai (Chinese, good or bad), through the product's own training and reading.

5-fold stratified (seed 42), each message a person of its own; what is chosen is chosen inside the training folds by the code. The
baseline of the same run is a linear SVM (C = 0.3) on TF-IDF of words (1,2) and characters (2,5) (waimai: characters (1,3)).
`none of these`: ten intents are kept out of training; how many of their messages are found, at how much loss of the accuracy on
the others, over several draws of ten. The baseline there is the largest probability alone.

waimai stands at 0.9052 ± 0.012. Letters in a row that stop at punctuation gave 0.9037 → 0.9046, a plain hinge beside the squared one
0.9046 → 0.9052; both were found inside the training part of the first fold (other folds, seeds 7 to 9): 0.9034 → 0.9053 → 0.9060, log loss
0.2557 → 0.2527. Tried there without gain that would last: single characters as a family of their own (0.9057), pairs and neighbours within a
clause (0.9042, 0.9051), first and last clause, three and four words in a row, more or less weight of long messages (0.9052), other weights of
the families or of idf, bagging, logistic regression, NBSVM, a network of one hidden layer beside the rest (weight 0.1 to 0.5, no more right),
leaving out of training what folds call mislabelled, choice by log loss, 200 directions of an SVD. Of 60 misread messages about half carry a
label that their text does not bear out.

banking77 stands at 0.9082 ± 0.004.

`none of these` stands at 0.643 ± 0.05 (0.636, 0.599, 0.606, 0.731). Until what a message means had a say (`learn.intent.meant`: vectors of
word pieces that others trained) it was 0.574 ± 0.09. These four draws are not blind: they were looked at twice on the way (0.584 with a vote
on the intent, 0.599 without points), and what was built changed after each look. What was taken was compared in five other draws (seeds 13
to 17), which are draws of the same messages: an intent that is hidden here may have been hidden there. There, found at 3 % loss: 0.594 without;
a linear model of the mean vector 0.637 (of the mean of unit length, or weighted by idf, within 0.005; the nearest messages alone as much);
points that messages lie around beside it 0.66 (of eight messages; of sixteen 0.655; the five nearest messages themselves 0.655; half of
the numbers of a vector 0.648); distances by a discriminant analysis 0.61; best and worst intents of pieces and of terms no more. With a vote
on the intent, in-scope accuracy rose from 0.921 to 0.925 and found 0.62: at the same accuracy left about the same, by the measure less.

Tried before that, without lasting gain, inside the training part of one other draw (seed 10), weights fitted on two thirds of the intents
that are hidden there and asked of the last third, found at 3 % loss: now 0.586. Similarity to the nearest messages (which would have to be
stored) 0.588, with piecewise linear weights 0.607; to the centroids of intents 0.582; the gaps between the best intents, and how many margins
are positive, 0.584; each piece of evidence against what is usual for the likeliest intent 0.587; piecewise linear weights of what is there
0.591, pairwise products 0.581, boosted trees 0.581. Of terms, weighted by their TF-IDF: those against the likeliest intent, their share,
the three worst, and what the best intent of each term has beside it: of words 0.585, of words and letters 0.605, of pairs as well 0.602.
The thirds differ by 0.11, so 0.02 is little, and costs nine more sums a family: not kept.
Tried in five whole draws (seeds 13 to 17; hidden intents, weights and line as the product has them; 0.595 there, from 0.535 to 0.652):
mean, spread and rank of the naive Bayes scores and the mean logit 0.585 (0.572 here), the second margin 0.602, that of the third to fifth
0.604, the gap between two margins 0.602, pairs that fit or do not 0.596, 21 more of that kind together 0.579, known messages weighed
threefold 0.599, tenfold 0.596, pairwise products 0.589 to 0.606 by their penalty, known messages of models that had no intent hidden 0.500.
At a fixed penalty of 0.2 (draws 10 and 11) hiding a sixth of the intents instead of a third lost 0.014. None is more than noise.
"""

from __future__ import annotations

import csv
import json
import sys
from time import process_time

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from benchmarks.quality import data
from nudge.learn.intent import Messages, fit
from nudge.score import text
from nudge.score.text import Reader

LOSSES = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1)
ASKED = 0.03
OUT = 10


def main() -> None:
    """Print the table, and the curve of `none of these`."""
    given = data.options(__doc__)
    banking = read("banking77/train.csv", "text", "category")
    waimai = read("waimai/waimai_10k.csv", "review", "label")
    words = (
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    )
    few = 1 if given.quick else 5
    figures = [
        accuracy("banking77", *banking, make_union(*words), few, "words + characters, logistic 0.898", 0.905),
        accuracy(
            "waimai",
            *waimai,
            TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True),
            few,
            "characters, logistic 0.897",
            0.905,
        ),
        unknown(*banking, draws=1 if given.quick else 4, as_json=given.json),
    ]
    data.show(figures, given.json)


def read(name: str, message: str, label: str) -> tuple[list[str], np.ndarray]:
    """Texts and their labels."""
    with data.path(name).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row[message] for row in rows], np.array([row[label] for row in rows])


def trained(texts: list[str], labels: np.ndarray, which: np.ndarray) -> tuple[Reader, int, float]:
    """A model of some of the messages as the product stores and reads it; its size in bytes; processor seconds of training."""
    everyone = np.arange(len(texts))
    began = process_time()
    model = fit(Messages(texts, labels, everyone, everyone).rows(which), text.reads)
    stored = model.export("intent.message")
    return text.load(json.loads(stored)), len(stored), process_time() - began


def accuracy(
    name: str, texts: list[str], labels: np.ndarray, terms: object, folds: int, published: str, reach: float
) -> data.Figure:
    """Share of messages whose likeliest intent is the one meant."""
    ours, theirs, notes = [], [], ""
    every = StratifiedKFold(5, shuffle=True, random_state=42).split(texts, labels)
    for others, held in list(every)[:folds]:
        reader, size, seconds = trained(texts, labels, others)
        began = process_time()
        told = [reader.intent(texts[one])[2][0] for one in held]
        each = (process_time() - began) / len(held)
        right = np.array([intent for intent, _ in told]) == labels[held]
        ours.append(float(right.mean()))
        sure = np.mean([chance for _, chance in told])
        notes = (
            f"{size / 1e6:.1f} MB, trained in {seconds:.0f} s of processor time, {each * 1000:.2f} ms a message; "
            f"said to be right {sure:.3f} of the time, was {right.mean():.3f} (last fold)"
        )
        simple = make_pipeline(terms, LinearSVC(C=0.3)).fit([texts[one] for one in others], labels[others])
        theirs.append(simple.score([texts[one] for one in held], labels[held]))
        print(f"  {name}: {ours[-1]:.4f}, SVM {theirs[-1]:.4f}", file=sys.stderr, flush=True)
    protocol = f"{folds} of 5 folds, seed 42"
    best = float(np.mean(theirs))
    return data.figure(
        name,
        protocol,
        "accuracy",
        ours,
        baseline=best,
        baseline_name="SVM",
        published=published,
        reach=reach,
        note=notes,
    )


def unknown(texts: list[str], labels: np.ndarray, draws: int, *, as_json: bool) -> data.Figure:
    """Recall of messages about intents that were kept out, where it costs `ASKED` of the accuracy on the others."""
    ours, plain, lines = [], [], []
    for seed in range(draws):
        out = np.isin(labels, np.random.default_rng(seed).choice(np.unique(labels), OUT, replace=False))
        inside = np.flatnonzero(~out)
        folds = StratifiedKFold(5, shuffle=True, random_state=42).split(inside, labels[inside])
        others, held = next(iter(folds))
        reader, _, _ = trained(texts, labels, inside[others])
        known, strangers = Judged(reader, texts, inside[held]), Judged(reader, texts, np.flatnonzero(out))
        right = known.told == labels[inside[held]]
        ours.append(curve(known.strange, right, strangers.strange))
        plain.append(curve(known.doubt, right, strangers.doubt))
        lines.append((float((known.none & right).mean()), float(strangers.none.mean())))
        print(
            f"  draw {seed}: found {ours[-1][LOSSES.index(ASKED)]:.3f} at {ASKED:.0%} loss", file=sys.stderr, flush=True
        )
    if not as_json:
        print("none of these: loss of accuracy → found (largest probability alone)")
        for number, loss in enumerate(LOSSES):
            found, simple = [one[number] for one in ours], [one[number] for one in plain]
            print(f"  {loss:5.1%} → {np.mean(found):.3f} ± {np.std(found):.3f}  ({np.mean(simple):.3f})")
        print("  at the model's own line: " + ", ".join(f"loss {loss:.3f}, found {found:.3f}" for loss, found in lines))
    at = LOSSES.index(ASKED)
    return data.figure(
        "banking77",
        f"{OUT} intents held out, {draws} draws",
        f"recall of the unknown at {ASKED:.0%} loss",
        [one[at] for one in ours],
        baseline=float(np.mean([one[at] for one in plain])),
        baseline_name="probability",
        reach=0.60,
    )


class Judged:
    """What a reader says of some messages."""

    def __init__(self, reader: Reader, texts: list[str], which: np.ndarray) -> None:
        told = [reader.intent(texts[one]) for one in which]
        self.told = np.array([ranked[0][0] for _, _, ranked in told])
        self.none = np.array([intent is None for intent, _, _ in told])
        self.doubt = np.array([-chance for _, chance, _ in told])
        self.strange = np.array([reader.strangeness(texts[one]) for one in which])


def curve(known: np.ndarray, right: np.ndarray, strangers: np.ndarray) -> list[float]:
    """The share of strangers above the line where so many of the known ones that were right are lost: for each of `LOSSES`."""
    lost = np.sort(known[right])[::-1]
    return [float((strangers > lost[int(loss * len(known))]).mean()) for loss in LOSSES]


if __name__ == "__main__":
    main()
