"""What the template deploys, as nouns the laptop plays with: functions, mappings, schedules, routes, notifications.

In: a resolved `Template`. Out: frozen lists. Everything is read from the template; nothing of it is typed again here, so
that the laptop cannot drift from the cloud.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.template import Template
from nudge.vocabulary import SECOND, Micros

FUNCTION = "AWS::Lambda::Function"


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function: which door it is, and the environment it gets."""

    logical: str
    module: str
    attribute: str
    environment: dict[str, str]
    timeout: int
    memory: int

    @property
    def door(self) -> str:
        return self.module.split(".")[1]


@dataclass(frozen=True, slots=True)
class Mapping:
    """An event source mapping: a queue or a stream feeds a function."""

    function: str
    source: str
    batch: int
    window_seconds: int
    partial: bool
    filters: tuple[dict[str, Any], ...] = ()

    def takes(self, record: Any) -> bool:
        """Whether a record passes the mapping's filter (one of its patterns; none given: everything passes)."""
        return not self.filters or any(fits(pattern, record) for pattern in self.filters)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A function that is called by the clock, with the input of its target."""

    name: str
    function: str
    expression: str
    input: dict[str, Any]

    @property
    def seconds(self) -> int | None:
        """The period of a `rate(…)`; None for cron."""
        match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", self.expression)
        if match is None:
            return None
        return int(match[1]) * {"minute": 60, "hour": 3600, "day": 86_400}[match[2]]

    def event(self, now: Micros) -> dict[str, Any]:
        """What the function is called with: the input, with the time in the place that the scheduler fills."""
        at = f"{datetime.fromtimestamp(now // SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
        return {name: at if value == "<aws.scheduler.scheduled-time>" else value for name, value in self.input.items()}


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path of the HTTP API, and whether it wants a token."""

    method: str
    path: str
    function: str
    authorised: bool


@dataclass(frozen=True, slots=True)
class Notification:
    """Objects created under a prefix of a bucket are told to a queue."""

    bucket: str
    prefix: str
    suffix: str
    queue_arn: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic whose messages go to a queue; `raw` without the SNS envelope."""

    topic_arn: str
    queue_arn: str
    raw: bool


def functions(template: Template) -> dict[str, Function]:
    """Every function by its logical id."""
    found = {}
    for logical, _ in template.resources(FUNCTION):
        properties = template.properties(logical)
        module, _, attribute = _entry(properties).rpartition(".")
        found[logical] = Function(
            logical=logical,
            module=module,
            attribute=attribute,
            environment={k: str(v) for k, v in properties.get("Environment", {}).get("Variables", {}).items()},
            timeout=int(properties.get("Timeout", 3)),
            memory=int(properties.get("MemorySize", 128)),
        )
    return found


def _entry(properties: dict[str, Any]) -> str:
    """`functions.<door>.handler.<name>` of a zip (by its folder) or an image (by its command)."""
    command = properties.get("ImageConfig", {}).get("Command")
    if command:
        return str(command[0])
    handler = str(properties["Handler"]).replace("/", ".")
    if handler.startswith("functions."):
        return handler
    folder = str(properties["Code"]["S3Key"]).strip("/").split("/")[-1]
    return f"functions.{folder}.{handler}"


def function_named(template: Template, arn: str) -> str:
    """The logical id of the function in an ARN, a name, or an invocation URI; aliases included."""
    words = re.split(r"[:/]", str(arn))
    for logical, _ in template.resources(FUNCTION):
        if logical in words:
            return logical
    raise LookupError(f"no function of the template is meant by {arn!r}")


def fits(pattern: Any, record: Any) -> bool:
    """Whether a record fits an event pattern: every name of it, with one of the values or prefixes listed.

    >>> fits({"a": {"b": [{"prefix": "x#"}]}}, {"a": {"b": "x#1"}}), fits({"a": ["1"]}, {"a": "2"})
    (True, False)
    """
    if isinstance(pattern, dict):
        return isinstance(record, dict) and all(fits(below, record.get(name)) for name, below in pattern.items())
    return any(
        isinstance(record, str) and record.startswith(one["prefix"]) if isinstance(one, dict) else record == one
        for one in pattern
    )


def mappings(template: Template) -> list[Mapping]:
    """Queues and streams that feed functions."""
    found = []
    for logical, _ in template.resources("AWS::Lambda::EventSourceMapping"):
        properties = template.properties(logical)
        found.append(
            Mapping(
                function=function_named(template, properties["FunctionName"]),
                source=str(properties["EventSourceArn"]),
                batch=int(properties.get("BatchSize", 10)),
                window_seconds=int(properties.get("MaximumBatchingWindowInSeconds", 0)),
                partial="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
                filters=tuple(
                    json.loads(one["Pattern"]) for one in properties.get("FilterCriteria", {}).get("Filters", [])
                ),
            )
        )
    return found


def schedules(template: Template) -> list[Schedule]:
    """EventBridge Scheduler schedules that call a function."""
    found = []
    for logical, _ in template.resources("AWS::Scheduler::Schedule"):
        properties = template.properties(logical)
        target = properties["Target"]
        found.append(
            Schedule(
                name=logical,
                function=function_named(template, target["Arn"]),
                expression=properties["ScheduleExpression"],
                input=json.loads(target.get("Input") or "{}"),
            )
        )
    return found


def routes(template: Template) -> list[Route]:
    """Routes of the HTTP API, most specific first."""
    found = []
    for _, resource in template.resources("AWS::ApiGatewayV2::Api"):
        body = template.value(resource["Properties"].get("Body", {}))
        for path, methods in body.get("paths", {}).items():
            for method, operation in methods.items():
                integration = operation.get("x-amazon-apigateway-integration")
                if integration is None:
                    continue
                names = [name for one in operation.get("security", []) for name in one]
                found.append(
                    Route(
                        method="ANY" if method.startswith("x-") else method.upper(),
                        path=path,
                        function=function_named(template, integration["uri"]),
                        authorised=bool(names) and "NONE" not in names,
                    )
                )
    return sorted(found, key=lambda route: (route.path.count("{"), -len(route.path)))


def notifications(template: Template) -> list[Notification]:
    """S3 object-created notifications to queues."""
    found = []
    for logical, _ in template.resources("AWS::S3::Bucket"):
        properties = template.properties(logical)
        for one in properties.get("NotificationConfiguration", {}).get("QueueConfigurations", []):
            rules = one.get("Filter", {}).get("S3Key", {}).get("Rules", [])
            by_name = {rule["Name"].lower(): rule["Value"] for rule in rules}
            found.append(
                Notification(
                    bucket=template.ref(logical),
                    prefix=by_name.get("prefix", ""),
                    suffix=by_name.get("suffix", ""),
                    queue_arn=str(one["Queue"]),
                )
            )
    return found


def subscriptions(template: Template) -> list[Subscription]:
    """Topics that are delivered to queues."""
    found = []
    for logical, _ in template.resources("AWS::SNS::Subscription"):
        properties = template.properties(logical)
        if properties.get("Protocol") == "sqs":
            raw = str(properties.get("RawMessageDelivery", False)).lower() == "true"
            found.append(Subscription(str(properties["TopicArn"]), str(properties["Endpoint"]), raw))
    for logical, _ in template.resources("AWS::SNS::Topic"):
        for one in template.properties(logical).get("Subscription", []):
            if one.get("Protocol") == "sqs":
                found.append(Subscription(template.ref(logical), str(one["Endpoint"]), False))
    return found
