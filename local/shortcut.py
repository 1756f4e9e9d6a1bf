"""A shorter way into moto, for what a run calls ten thousand times: DynamoDB, SQS, and reads of S3.

In: a call of this process, after botocore has checked and serialised it. Out: moto's own answer, without the signing, the
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
from nudge.adapters import clients

HANDLERS: Mapping[str, type[BaseResponse]] = {
    "dynamodb": DynamoHandler,
    "dynamodb-streams": DynamoDBStreamsHandler,
    "sqs": SQSResponse,
}
SERVICES = (*HANDLERS, "s3")
CREATES = {"CreateTable", "CreateQueue", "GetQueueUrl", "ListQueues"}
"""Operations that need the request's address; they go the long way."""

METADATA = {"HTTPStatusCode": 200, "RequestId": "local", "HTTPHeaders": {}, "RetryAttempts": 0}

_user_agent = UserAgentString.to_string
_pick = AttributePicker.__call__


class _Ok:
    status_code = 200
    headers: Mapping[str, str] = {}


class _Refused:
    status_code = 400
    headers: Mapping[str, str] = {}


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
        session = clients._session()
        for service in SERVICES:
            session.register(f"provide-client-params.{service}", self._keep, unique_id=f"local-keep-{service}")
            session.register(f"before-call.{service}", self._call, unique_id=f"local-call-{service}")

    def remove(self) -> None:
        AttributePicker.__call__ = _pick  # type: ignore[method-assign]
        UserAgentString.to_string = _user_agent  # type: ignore[method-assign]
        session = clients._session()
        for service in SERVICES:
            session.unregister(f"provide-client-params.{service}", unique_id=f"local-keep-{service}")
            session.unregister(f"before-call.{service}", unique_id=f"local-call-{service}")

    def _keep(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["local_params"] = params

    def _call(self, model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> Any:
        service = model.service_model.service_id.hyphenize()
        given = context.get("local_params")
        if given is None or model.name in CREATES:
            return None
        if service == "s3":
            read = shortcut_s3.answer(model.name, given, self._account)
            return None if read is None else (_Ok(), {**read, "ResponseMetadata": dict(METADATA)})
        handler = HANDLERS[service]()
        method = getattr(handler, xform_name(model.name), None)
        if method is None:
            return None
        handler.automated_parameter_parsing = True
        handler.params = handler.body = _copy(given)
        handler.headers = params["headers"]
        handler.region, handler.current_account = self._region, self._account
        handler.querystring, handler.uri_match, handler.response_headers = {}, {}, {}
        try:
            answer = method()
        except ServiceException as error:
            status, headers, body = handler.serialized(ActionResult(error))
            return _Refused(), _parsed_error(int(status), headers, body, model)
        except HTTPException as error:
            return _Refused(), _parsed_error(error.code or 400, {}, error.description or "{}", model)
        parsed = _plain(answer.result, model.output_shape) if answer.result is not None else {}
        parsed["ResponseMetadata"] = dict(METADATA)
        return _Ok(), parsed


def _copy(value: Any) -> Any:
    """A deep copy of JSON-like parameters."""
    if isinstance(value, dict):
        return {key: _copy(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(below) for below in value]
    return bytes(value) if isinstance(value, bytearray | memoryview) else value


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
