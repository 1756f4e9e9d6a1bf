"""p-values of one family come in; the same, corrected for how many there are, go out.

Holm (Scandinavian Journal of Statistics 6, 1979), not Benjamini and Hochberg: whoever reads a table of segments acts on single
lines, so what must be bounded is the chance of *any* false line, whatever the lines have to do with each other (people stand in
several segments). A false discovery rate bounds only the share of false ones among all that are found. It costs some power.
"""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values in the same order; None (no test) is none of the family.

    >>> holm([0.01, None, 0.04, 0.03])
    [0.03, None, 0.06, 0.06]
    """
    order = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    reached = 0.0
    for rank, (p, place) in enumerate(order):
        reached = max(reached, min(1.0, p * (len(order) - rank)))
        adjusted[place] = reached
    return adjusted
