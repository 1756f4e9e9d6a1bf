"""Labelled messages → a linear model of intents as data, with a calibrated confidence and a line for `none of these`.

In: texts, what people said they were about, who wrote them, when; `score.text` handed in as functions. Out: canonical JSON and
a card. Knows no store; no text leaves it, and no term that fewer than three people used.
"""

from nudge.learn.intent.messages import Messages, Reading
from nudge.learn.intent.model import Model, fit
from nudge.learn.intent.training import Trained, train

__all__ = ["Messages", "Model", "Reading", "Trained", "fit", "train"]
