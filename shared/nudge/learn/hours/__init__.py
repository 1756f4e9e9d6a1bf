"""When people answer: rates of response by local hour, shrunk from the person to the segment to the whole, judged out
of time.

In: messages with their answers, and what people did. Out: an artefact for `score.hours` and its card. Knows no store.
"""
