"""What people met, in order → neighbour tables that say what they want next.

In: events with an item (a frame), facts about items, rules of the plan. Out: a JSON artefact for `score.neighbours`, its card, its gates.
Knows no store, no clock, and never the online path: `load` is handed in for parity.
"""

from nudge.learn.recommend.contest import Trained, train
from nudge.learn.recommend.facts import facts
from nudge.learn.recommend.recipe import Rules, Settings
from nudge.learn.recommend.verdict import card, figures, gates

__all__ = ["Rules", "Settings", "Trained", "card", "facts", "figures", "gates", "train"]
