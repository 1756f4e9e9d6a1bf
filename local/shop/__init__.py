"""The sample shop: a world with known laws, so that what Nudge reports can be held against what is true.

In: a seed and a number of people. Out: files as a shop would drop them, behaviour, reactions to mail, and the true effect
of each activity. Refuses to know how Nudge works: it sees what people see.
"""
