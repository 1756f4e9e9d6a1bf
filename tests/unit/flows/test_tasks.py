"""Chunks travel as JSON and come back as they were."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.errors import BadInput
from nudge.flows.tasks import from_task, to_task
from nudge.vocabulary import Chunk, Dialect

pairs = st.none() | st.tuples(st.integers(0, 10), st.integers(10, 20))
chunks = st.builds(
    Chunk,
    header=st.none() | st.lists(st.text(), max_size=3).map(tuple),
    dialect=st.builds(Dialect),
    span=pairs,
    rows=pairs,
)


@given(chunks)
def test_a_chunk_comes_back_as_it_was(chunk: Chunk) -> None:
    assert from_task(json.loads(json.dumps(to_task(chunk)))) == chunk


@pytest.mark.parametrize(
    "task", [{}, {"task": "compact"}, {"task": "chunk", "kind": "events"}, {"task": "chunk", "kind": "x"}]
)
def test_what_is_no_chunk_task_is_bad_input(task: dict) -> None:
    with pytest.raises(BadInput):
        from_task(task)
