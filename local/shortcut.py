"""A shorter way into moto, for what a run calls ten thousand times: DynamoDB, SQS, and S3's plain reads and writes.

In: a call of this process, checked as botocore checks it. Out: moto's own answer, without the endpoint's rules, the signing, the
HTTP request, its user agent, the routing, the serialising and the parsing that would lie between. Which rules hold (conditions, limits,
errors) is decided by the same code of moto either way; `NUDGE_LOCAL_SHORTCUT=no` takes the long way, to compare.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore import xform_name
from botocore.client import BaseClient
from botocore.parsers import create_parser
from botocore.useragent import UserAgentString
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.core.serialize import AttributePicker, AttributePickerContext
from moto.core.utils import get_value
from moto.dynamodb.responses import DynamoHandler
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler
from moto.sqs.responses import SQSResponse
from werkzeug.exceptions import HTTPException

from local import shortcut_s3
from local.taken import taken

HANDLERS: Mapping[str, type[BaseResponse]] = {
    "dynamodb": DynamoHandler,
    "dynamodbstreams": DynamoDBStreamsHandler,
    "sqs": SQSResponse,
}
SERVICES = (*HANDLERS, "s3")
CREATES = {"CreateTable", "CreateQueue", "GetQueueUrl", "ListQueues"}
"""Operations that need the request's address; they go the long way."""

METADATA = {"HTTPStatusCode": 200, "RequestId": "local", "HTTPHeaders": {}, "RetryAttempts": 0}

_call = BaseClient._make_api_call
_user_agent = UserAgentString.to_string
_pick = AttributePicker.__call__


class Shortcut:
    """Installed while an embedded AWS runs."""

    def __init__(self, region: str, account: str) -> None:
        self._region = region
        self._account = account

    def install(self) -> None:
        AttributePicker.__call__ = _quick_pick  # type: ignore[method-assign]
        UserAgentString.to_string = lambda self: "nudge-local"  # type: ignore[method-assign]
        if os.environ.get("NUDGE_LOCAL_SHORTCUT", "yes") == "no":
            return

        def call(client: Any, operation: str, given: dict[str, Any]) -> Any:
            """Answer what can be answered here; the rest goes on its way to moto's routes."""
            answer = None
            if client.meta.service_model.service_name in SERVICES and client.meta.region_name == self._region:
                answer = self._answer(client, operation, given)
            return _call(client, operation, given) if answer is None else answer

        BaseClient._make_api_call = call  # type: ignore[method-assign]

    def remove(self) -> None:
        AttributePicker.__call__ = _pick  # type: ignore[method-assign]
        UserAgentString.to_string = _user_agent
        BaseClient._make_api_call = _call

    def _answer(self, client: Any, operation: str, given: dict[str, Any]) -> dict[str, Any] | None:
        """The parsed answer, None when it is to be had the long way only. Raises what botocore would raise."""
        service = client.meta.service_model
        if service.service_name == "s3":
            read = shortcut_s3.answer(operation, given, self._account)
            return None if read is None else {**read, "ResponseMetadata": dict(METADATA)}
        method = None if operation in CREATES else self._method(service.service_name, operation)
        if method is None:
            return None
        model = service.operation_model(operation)
        method.__self__.params = method.__self__.body = taken(given, service.service_name, model.input_shape)
        try:
            answer = method()
        except ServiceException as error:
            status, headers, body = method.__self__.serialized(ActionResult(error))
            refused = _parsed_error(int(status), headers, body, model)
        except HTTPException as error:
            refused = _parsed_error(error.code or 400, {}, error.description or "{}", model)
        else:
            parsed = _plain(answer.result, model.output_shape) if answer.result is not None else {}
            parsed["ResponseMetadata"] = dict(METADATA)
            return parsed
        raise client.exceptions.from_code(refused["Error"]["Code"])(refused, operation)

    def _method(self, service: str, operation: str) -> Any:
        """What answers an operation in moto, on a handler of its own; None when nothing does."""
        handler = HANDLERS[service]()
        handler.automated_parameter_parsing = True
        handler.region, handler.current_account = self._region, self._account
        handler.headers = {"X-Amz-Target": f".{operation}"}
        handler.querystring, handler.uri_match, handler.response_headers = {}, {}, {}
        return getattr(handler, xform_name(operation), None)


def _plain(value: Any, shape: Any) -> Any:
    """What botocore would have parsed out of moto's serialised result: only what the output shape knows, in its types."""
    if shape is None:
        return {}
    kind = shape.type_name
    if kind == "structure":
        found = {}
        for name, member in shape.members.items():
            below = value.get(name) if type(value) is dict else get_value(value, name, None)
            if below is not None:
                found[name] = _plain(below, member)
        return found
    if kind == "list":
        return [_plain(below, shape.member) for below in value]
    if kind == "map":
        return {str(key): _plain(below, shape.value) for key, below in value.items()}
    return _scalar(value, kind)


def _scalar(value: Any, kind: str) -> Any:
    if kind == "string":
        return value if isinstance(value, str) else json.dumps(value) if isinstance(value, dict) else str(value)
    if kind == "blob":
        return value.encode() if isinstance(value, str) else bytes(value)
    if kind in ("integer", "long"):
        return int(value)
    if kind == "timestamp" and isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def _parsed_error(status: int, headers: Mapping[str, Any], body: str | bytes, model: Any) -> dict[str, Any]:
    """An error as botocore gives it: code and message, and the fields that the service's model knows of that error."""
    lowered = {name.lower(): str(value) for name, value in headers.items()}
    answer = {"status_code": status, "headers": lowered, "body": body.encode() if isinstance(body, str) else body}
    parser = create_parser("json")
    parsed: dict[str, Any] = parser.parse(answer, model.output_shape)
    shape = model.service_model.shape_for_error_code(parsed.get("Error", {}).get("Code"))
    if shape is not None:
        parsed |= parser.parse(answer, shape)
    return parsed


def _quick_pick(self: AttributePicker, context: AttributePickerContext) -> Any:
    """moto looks for each member under up to ten names; where the plain name is there, the search would end there too."""
    obj, key, shape = context.obj, context.key, context.shape
    if type(obj) is dict and not self.response_transformers:
        own_name = shape is None or shape.serialization.get("name", key) == key
        if own_name and key in obj:
            return obj[key]
    return _pick(self, context)
