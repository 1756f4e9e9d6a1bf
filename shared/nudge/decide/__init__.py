"""Scores → decision. In: a profile, its vector, probabilities, the plan, counters, a decision id. Out: a `Decision`.

Knows no store, no clock and no model: chance comes from the decision id, time is an argument.
"""
