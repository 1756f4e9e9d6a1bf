"""The Lambda edge: logs, metrics, and the one map from our errors to HTTP answers and queue retries.

In: raw Lambda events. Out: what Lambda expects back. Knows no store and no rule; the doors pass their flows in.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from logging import LogRecord
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import RESERVED_LOG_ATTRS, LambdaPowertoolsFormatter

from nudge.errors import BadInput, Conflict, NotFound, NotReady, NudgeError, Unavailable
from nudge.http import Answer, Request, Routes
from nudge.jsontext import compact
from nudge.vocabulary import Micros

STATUS: dict[type[NudgeError], int] = {BadInput: 400, NotFound: 404, NotReady: 409, Conflict: 409, Unavailable: 503}
LARGEST_BODY = 6 * 1024 * 1024

SERVICE, NAMESPACE = "nudge", "Nudge"
MOST_VALUES = 100
"""CloudWatch takes so many values of a metric in one line, and as many metrics."""
_NOT_SAID = frozenset(RESERVED_LOG_ATTRS)


class Line(LambdaPowertoolsFormatter):
    """The line that powertools writes, sooner: our messages are words and ids, never JSON, and rarely have a traceback."""

    def format(self, record: LogRecord) -> str:
        if record.exc_info:
            return super().format(record)
        facts = {name: one for name, one in record.__dict__.items() if name not in _NOT_SAID}
        location, at = f"{record.funcName}:{record.lineno}", int(record.created) * 1000 + int(record.msecs)
        return self.serialize(_line(record.levelname, location, record.getMessage(), at, facts))


def _line(level: str, location: str, message: str, at: int, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What one line says; `at` in milliseconds since the epoch."""
    second, zone = _second(at // 1000)
    head = {"level": level, "location": location, "message": message, "timestamp": f"{second},{at % 1000:03d}{zone}"}
    said = {**head, "service": SERVICE} | {name: one for name, one in facts.items() if one is not None}
    if trace := os.environ.get("_X_AMZN_TRACE_ID"):
        said["xray_trace_id"] = trace.partition(";")[0].removeprefix("Root=")
    return said


@lru_cache(maxsize=8)
def _second(at: int) -> tuple[str, str]:
    """A second, and how far its clock is from UTC: lines come many a second."""
    local = time.localtime(at)
    return time.strftime("%Y-%m-%d %H:%M:%S", local), time.strftime("%z", local)


for _asked in ("logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks"):
    setattr(
        logging, _asked, False
    )  # a line names none of them, so no record looks them up (logging HOWTO, "Optimization")

logger = Logger(
    service=SERVICE,
    log_uncaught_exceptions=False,
    logger_formatter=Line(service=SERVICE, json_serializer=lambda said: compact(said, str)),
)


def say(message: str, facts: Mapping[str, Any]) -> None:
    """`logger.info(message, extra=facts)`, sooner: for what is said of every decision. A record of `logging` takes as long to make
    and hand around as the rules of a decision take to judge."""
    if logger.log_level > logging.INFO:
        return
    caller = sys._getframe(1)
    location = f"{caller.f_code.co_name}:{caller.f_lineno}"
    sys.stdout.write(compact(_line("INFO", location, message, time.time_ns() // 1_000_000, facts), str) + "\n")


def _wall_clock() -> Micros:
    return time.time_ns() // 1000


clock: Callable[[], Micros] = _wall_clock
"""Replaced by the laptop, which plays weeks in a minute (`edge.clock = …`); nothing else sets it."""


def now() -> Micros:
    """The only clock of the deployed functions."""
    return clock()


def answer(
    body: Any, status: int = 200, *, content_type: str = "application/json", headers: Mapping[str, str] | None = None
) -> Answer:
    """An HTTP answer; JSON unless told otherwise."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": content_type, "Cache-Control": "no-store", **(headers or {})},
        "body": body if isinstance(body, str) and content_type != "application/json" else compact(body),
        "isBase64Encoded": False,
    }


def refusal(error: NudgeError) -> Answer:
    """The HTTP answer of one of our errors: `{"error": {"reason", "message", "where"}}`, no stack, no names."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    reason = getattr(error, "reason", type(error).__name__.lower())
    if reason == "key_reused":
        status = 422
    if reason == "too_large":
        status = 413
    shown = "try again in a moment" if status == 503 else str(error)
    headers = {"Retry-After": "2"} if status == 503 else None
    return _wrong(status, reason, shown, getattr(error, "where", None), headers=headers)


def _wrong(
    status: int, reason: str, message: str, where: str | None = None, *, headers: Mapping[str, str] | None = None
) -> Answer:
    return answer({"error": {"reason": reason, "message": message, "where": where}}, status, headers=headers)


def http(routes: Routes, event: Mapping[str, Any]) -> Answer:
    """Answer one HTTP event: our errors as documented, and anything else with a bare 500. Logs name the route, never the
    path, which may carry a token."""
    route = None
    try:
        request = Request(event)
        try:
            route, works, named = routes.find(request.path)
        except LookupError:
            return _wrong(404, "notfound", "no such route")
        work = works.get(request.method)
        if work is None:
            return _wrong(405, "method", "the route has other methods", headers={"Allow": ", ".join(works)})
        return work(request, **named)
    except NudgeError as error:
        count(f"Refused{type(error).__name__}")
        logger.info("refused", extra={"reason": getattr(error, "reason", type(error).__name__), "route": route})
        return refusal(error)
    except Exception as error:  # what failed inside is logged, and stays inside
        count("Failed")
        logger.error("failed", extra={"error": type(error).__name__, "at": _where(error), "route": route})
        return _wrong(500, "internal", "something failed here; it is logged")
    finally:
        flush()


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Raises BadInput for anything else: other types, NaN, infinities, too deep, too large."""
    return json_object(text_of(request))


def text_of(request: Request) -> str:
    """The body of a request. Raises BadInput when it is not text."""
    try:
        return request.text()
    except ValueError:
        raise BadInput("the body is not valid text", reason="bad_body") from None


def json_object(text: str) -> dict[str, Any]:
    """A JSON object from untrusted text; see `body_of`."""
    if len(text) > LARGEST_BODY:
        raise BadInput("the body is larger than 6 MB", reason="too_large")
    try:
        value = _decode(text)
    except BadInput:
        raise
    except (ValueError, RecursionError):
        raise BadInput("the body is not JSON", reason="bad_json") from None
    if not isinstance(value, dict):
        raise BadInput("the body must be a JSON object", reason="bad_json")
    return value


def _no_constant(name: str) -> float:
    raise BadInput(f"{name} is not a JSON number", reason="bad_number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadInput("a number is too large", reason="bad_number")
    return number


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) != len(pairs):
        raise BadInput("a name stands twice in one object", reason="duplicate_key")
    return held


_decode: Callable[[str], Any] = json.JSONDecoder(
    parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_no_twins
).decode


def _where(error: BaseException) -> str:
    """file:line of the innermost frame; never the message, which may carry what a person sent."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else "?"


_noted: dict[str, tuple[str, list[float]]] = {}


def count(name: str, value: float = 1) -> None:
    """Add to a business metric."""
    measure(name, value, "Count")


def measure(name: str, value: float, unit: str = "None") -> None:
    """A business metric that is not a count; `unit` as CloudWatch names it. What is not finite is not noted."""
    if not math.isfinite(value):
        return
    values = _noted.setdefault(name, (unit, []))[1]
    values.append(float(value))
    if len(values) == MOST_VALUES or len(_noted) == MOST_VALUES:
        flush()


def snapshot(build: Callable[[], object]) -> None:
    """Build at import what a door otherwise builds on first use, where Lambda is about to take a SnapStart snapshot: every
    instance then starts from it. What is built may hold clients and settings, nothing that must differ between instances."""
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        build()


def batch(event: Mapping[str, Any], work: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Do the work for each record of a queue; report those that failed, so that only they come again.

    `BadInput` is final: the record is counted, logged and done (its message lies in quarantine or in the log by id).
    Everything else returns to the queue, and after its redrive limit to the dead-letter queue.
    """
    failed = []
    for record in event["Records"]:
        try:
            work(record)
        except BadInput as wrong:
            count("RecordsRefused")
            logger.error("record refused", extra={"message_id": record.get("messageId"), "reason": wrong.reason})
        except Exception as error:  # one bad record must not stop the others
            count("RecordsFailed")
            logger.error(
                "record failed",
                extra={"message_id": record.get("messageId"), "error": type(error).__name__, "at": _where(error)},
            )
            failed.append({"itemIdentifier": record["messageId"]})
    flush()
    return {"batchItemFailures": failed}


def flush() -> None:
    """Write the metrics of this invocation, if there are any: one line in CloudWatch's embedded metric format (EMF 1.0)."""
    taken = {name: _noted.pop(name) for name in list(_noted)}
    if not taken:
        return
    kinds = [{"Name": name, "Unit": unit} for name, (unit, _) in taken.items()]
    said = {"Namespace": NAMESPACE, "Dimensions": [["service"]], "Metrics": kinds}
    head = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [said]}
    line = {"_aws": head, "service": SERVICE, **{name: values for name, (_, values) in taken.items()}}
    sys.stdout.write(compact(line) + "\n")
