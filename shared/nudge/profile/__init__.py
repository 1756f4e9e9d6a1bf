"""Events → numbers about a person.

In: events and traits. Out: a mergeable state, and `vector(state, as_of)`. Knows no store, no model and no clock.
"""
