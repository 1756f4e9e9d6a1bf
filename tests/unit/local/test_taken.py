"""What botocore would not send, the short way does not take either; and what it takes is a copy."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ParamValidationError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from local.taken import taken

DYNAMODB = ServiceModel(Loader().load_service_model("dynamodb", "service-2"), "dynamodb")
PUT = DYNAMODB.operation_model("PutItem").input_shape

right = st.recursive(
    st.one_of(
        st.builds(lambda text: {"S": text}, st.text()),
        st.builds(lambda number: {"N": str(number)}, st.integers()),
        st.builds(lambda body: {"B": body}, st.one_of(st.binary(), st.binary().map(bytearray))),
        st.builds(lambda said: {"BOOL": said}, st.booleans()),
        st.builds(lambda texts: {"SS": texts}, st.lists(st.text())),
    ),
    lambda below: st.one_of(
        st.builds(lambda values: {"L": values}, st.lists(below, max_size=3)),
        st.builds(lambda values: {"M": values}, st.dictionaries(st.text(), below, max_size=3)),
    ),
    max_leaves=6,
)
odd = st.sampled_from(
    [None, 7, "text", {"S": 1}, {"N": 1.5}, {"X": "no"}, {"B": 3}, {"BOOL": 1}, {"L": "x"}, {"M": {"a": 1}}, []]
)
calls = st.fixed_dictionaries(
    {},
    optional={
        "TableName": st.one_of(st.text(max_size=4), st.just(5)),
        "Item": st.dictionaries(st.text(max_size=3), st.one_of(right, right, right, odd), max_size=3),
        "ReturnValues": st.sampled_from(["NONE", 3]),
        "Unknown": st.just(1),
    },
)


@given(calls)
def test_what_botocore_would_not_send_is_refused_in_its_words(call: dict[str, Any]) -> None:
    report = ParamValidator().validate(call, PUT)
    if report.has_errors():
        with pytest.raises(ParamValidationError) as refused:
            taken(call, "dynamodb", PUT)
        assert report.generate_report() in str(refused.value)
    else:
        assert taken(call, "dynamodb", PUT) == call


def test_what_is_taken_is_a_copy() -> None:
    call = {"TableName": "t", "Item": {"id": {"L": [{"M": {"a": {"S": "b"}}}]}}}
    copy = taken(call, "dynamodb", PUT)
    call["Item"]["id"]["L"][0]["M"]["a"]["S"] = "changed"  # type: ignore[index]
    assert copy == {"TableName": "t", "Item": {"id": {"L": [{"M": {"a": {"S": "b"}}}]}}}


def test_an_operation_without_parameters_takes_none() -> None:
    assert taken({}, "dynamodb", None) == {}
