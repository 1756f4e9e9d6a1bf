"""Who still buys, how often, for how much: models of buying beside a learned correction, the better one out of time.

In: frames of vectors as of several moments with what came after. Out: an artefact for `score.lifetime` and its card.
Knows no store.
"""
