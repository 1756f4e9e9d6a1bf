"""What an activity changes, for whom: randomised or logged decisions → effects as data, judged on people not learned from.

In: rows of features and labels, and how likely each was treated (from a flow). Out: an artefact that `score.uplift` reads, its
card, the gate's answer. Refuses to learn from treatment that was neither randomised nor logged with its propensity.
"""

from nudge.learn.uplift.logged import Shares, comparable
from nudge.learn.uplift.training import Present, Trained, better, imported, train

__all__ = ["Present", "Shares", "Trained", "better", "comparable", "imported", "train"]
