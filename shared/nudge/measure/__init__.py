"""outcomes → knowledge: decisions, outcomes and events come in as frames; what Nudge changed goes out, with how sure we are.

It knows no store, no clock and no model; it never guesses: where people are too few it says so instead of a number.
"""
