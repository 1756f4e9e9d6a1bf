"""Numbers + what came after → models as data, judged on later time.

In: frames of vectors, goal events and logged decisions (from a flow). Out: a signed-to-be JSON artefact, its card, and
the gate's answer. Knows no store, no clock, and never the online path: `score.load` is handed in for parity.
"""

from nudge.learn.contest import Trained, train
from nudge.learn.gate import Answer, Gate, gate
from nudge.learn.recipe import Recipe

__all__ = ["Answer", "Gate", "Recipe", "Trained", "gate", "train"]
