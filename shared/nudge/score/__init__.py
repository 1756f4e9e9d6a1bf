"""Model + numbers → a calibrated probability, with the standard library alone.

In: a verified artefact (JSON, as a dict) and a person's vector. Out: p(goal | person, activity).
Knows no training, no store, no scikit-learn; it never executes what an artefact says, it only looks numbers up.
"""

from nudge.score.scorer import Scorer, load

__all__ = ["Scorer", "load"]
