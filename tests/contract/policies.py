"""Whether a function's role lets it do what it asked AWS for: calls come in, refusals go out.

Calls are taken where botocore makes them; each becomes the IAM actions and ARNs that the service would check. Knows
allow statements with ARNs and the three conditions that the template uses; a condition that it does not know is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parseaddr
from fnmatch import fnmatchcase
from typing import Any
from unittest.mock import patch

import botocore.client

from local.template import PSEUDO, Template

REGION, ACCOUNT = PSEUDO["AWS::Region"], PSEUDO["AWS::AccountId"]
TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that IAM would decide on."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def asked_for(service: str, operation: str, given: Mapping[str, Any]) -> Iterator[Asked]:
    """What one API call needs. Raises LookupError for a service that no function has business with."""
    if service == "s3":
        yield from _s3(operation, given)
    elif service == "dynamodb":
        yield from _dynamodb(operation, given)
    elif service == "sqs":
        name = given["QueueUrl"].rpartition("/")[2]
        yield Asked(f"sqs:{operation.removesuffix('Batch')}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
    elif service == "kms":
        yield Asked(f"kms:{operation}", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{given['KeyId']}")
    elif (service, operation) == ("sesv2", "GetAccount"):
        yield Asked("ses:GetAccount", "*")
    elif service == "sesv2":
        sender = parseaddr(given["FromEmailAddress"])[1]
        context, here = {"ses:FromAddress": sender}, f"arn:aws:ses:{REGION}:{ACCOUNT}"
        yield Asked("ses:SendEmail", f"{here}:identity/{sender.rpartition('@')[2]}", context)
        yield Asked("ses:SendEmail", f"{here}:configuration-set/{given['ConfigurationSetName']}", context)
    elif service in CHANNELS:
        yield from CHANNELS[service](f"{REGION}:{ACCOUNT}", given)
    else:
        raise LookupError(f"nobody may call {service}.{operation}")


def _events(here: str, given: Mapping[str, Any]) -> Iterator[Asked]:
    for one in given["Entries"]:
        bus = f"arn:aws:events:{here}:event-bus/{one['EventBusName']}"
        yield Asked("events:PutEvents", bus, {"events:source": one["Source"]})


def _text(here: str, given: Mapping[str, Any]) -> Iterator[Asked]:
    for one in (given["OriginationIdentity"], f"configuration-set/{given['ConfigurationSetName']}"):
        yield Asked("sms-voice:SendTextMessage", f"arn:aws:sms-voice:{here}:{one}")


def _one(
    action: str, arn: Callable[[str, Mapping[str, Any]], str]
) -> Callable[[str, Mapping[str, Any]], Iterator[Asked]]:
    return lambda here, given: iter([Asked(action, arn(here, given))])


CHANNELS: Mapping[str, Callable[[str, Mapping[str, Any]], Iterator[Asked]]] = {
    "sns": _one("sns:Publish", lambda here, given: given["TargetArn"]),
    "pinpoint-sms-voice-v2": _text,
    "ssm": _one("ssm:GetParameter", lambda here, given: f"arn:aws:ssm:{here}:parameter{given['Name']}"),
    "events": _events,
}
"""What the channels beside mail ask for. A pool, number or sender id of SMS is named here as in its ARN: `pool/…`."""


def _s3(operation: str, given: Mapping[str, Any]) -> Iterator[Asked]:
    bucket = f"arn:aws:s3:::{given['Bucket']}"
    if operation == "ListObjectsV2":
        yield Asked("s3:ListBucket", bucket, {"s3:prefix": given.get("Prefix", "")})
    elif operation == "DeleteObjects":
        for one in given["Delete"]["Objects"]:
            yield Asked("s3:DeleteObject", f"{bucket}/{one['Key']}")
    elif operation in ("GetObject", "HeadObject"):
        version = "Version" if given.get("VersionId") else ""
        yield Asked(f"s3:GetObject{version}", f"{bucket}/{given['Key']}")
        yield Asked("s3:ListBucket", bucket)  # or what is not there would look forbidden
    else:
        yield Asked(f"s3:{operation}", f"{bucket}/{given['Key']}")


def _dynamodb(operation: str, given: Mapping[str, Any]) -> Iterator[Asked]:
    def table(name: str) -> str:
        return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"

    if operation == "TransactWriteItems":
        for step in given["TransactItems"]:
            for kind, one in step.items():
                yield Asked(f"dynamodb:{TRANSACTED[kind]}", table(one["TableName"]))
    elif operation == "BatchGetItem":
        for name in given["RequestItems"]:
            yield Asked("dynamodb:BatchGetItem", table(name))
    else:
        index = f"/index/{given['IndexName']}" if "IndexName" in given else ""
        yield Asked(f"dynamodb:{operation}", table(given["TableName"]) + index)


def statements(template: Template, function: str) -> list[dict[str, Any]]:
    """The role's statements, resolved to the ARNs of a stack."""
    role = template.source["Resources"][function]["Properties"]["Role"]["Fn::GetAtt"][0]
    policies = template.properties(role)["Policies"]
    return [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]


def allows(statement: Mapping[str, Any], asked: Asked) -> bool:
    return (
        statement["Effect"] == "Allow"
        and asked.action in _listed(statement["Action"])
        and any(fnmatchcase(asked.resource, arn) for arn in _listed(statement["Resource"]))
        and all(_holds(operator, tests, asked) for operator, tests in statement.get("Condition", {}).items())
    )


def _holds(operator: str, tests: Mapping[str, Any], asked: Asked) -> bool:
    if operator not in ("StringLike", "StringLikeIfExists"):
        raise LookupError(f"{operator} is not understood here")
    for key, patterns in tests.items():
        value = asked.context.get(key)
        if value is None and operator.endswith("IfExists"):
            continue
        if value is None or not any(fnmatchcase(value, pattern) for pattern in _listed(patterns)):
            return False
    return True


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@contextmanager
def recorded() -> Iterator[list[Asked]]:
    """What the block asks AWS for."""
    real = botocore.client.BaseClient._make_api_call
    calls: list[Asked] = []

    def call(self: Any, operation: str, given: dict[str, Any]) -> Any:
        calls.extend(asked_for(self.meta.service_model.service_name, operation, given))
        return real(self, operation, given)

    with patch.object(botocore.client.BaseClient, "_make_api_call", call):
        yield calls
