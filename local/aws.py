"""Embedded AWS: moto in this process, with the translated template deployed into it.

In: the path of template.yaml. Out: buckets, tables, queues, topics and keys that exist, and the rest of the template
(functions, mappings, schedules, routes, notifications) read and resolved for `lambda_part`. What CloudFormation in moto
can make is made by it; KMS keys are made by call, since moto's CloudFormation knows no MAC keys; functions are not given to moto, which
would want containers for them. No call can leave this machine: credentials are fake and endpoints of the user's
configuration are ignored.
"""

from __future__ import annotations

import json
import os
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch

from moto import mock_aws

from local import deployment, moto_account, moto_speed
from local.shortcut import Shortcut
from local.template import PSEUDO, Template
from local.translate import TEMPLATE
from nudge.adapters.clients import client

BY_CLOUDFORMATION = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::SNS::Topic")
NOT_IN_MOTO = {
    "AWS::S3::Bucket": ("NotificationConfiguration",),
    "AWS::SNS::Topic": ("Subscription",),
}
REGION = str(PSEUDO["AWS::Region"])
ACCOUNT = str(PSEUDO["AWS::AccountId"])
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_SESSION_TOKEN": "local",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",  # else moto does not know DynamoDB Streams' host name
    "MOTO_ALLOW_NONEXISTENT_REGION": "false",
}


class EmbeddedAws(AbstractContextManager["EmbeddedAws"]):
    """moto with our template in it. Enter it inside the clock that everything shall see."""

    def __init__(self, template: Path = TEMPLATE, **parameters: str) -> None:
        self._path = template
        self._parameters = parameters
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(patch.dict(os.environ, ENVIRONMENT))
            os.environ.pop("AWS_PROFILE", None)
            stack.enter_context(mock_aws())
            moto_speed.install()
            moto_account.install()
            shortcut = Shortcut(REGION, ACCOUNT)
            stack.callback(shortcut.remove)
            shortcut.install()
            self.template = Template.read(self._path, self._parameters)
            self._deploy()
            stack.enter_context(patch.dict(os.environ, self.environment))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def _deploy(self) -> None:
        template = self.template
        for logical, _ in template.resources(deployment.FUNCTION):
            template.physical[logical] = logical
            template.attributes[logical, "Arn"] = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{logical}"
        for logical, resource in template.resources("AWS::Lambda::Alias"):
            function = template.value(resource["Properties"]["FunctionName"])
            template.physical[logical] = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}:{logical}"
        for logical, _ in template.resources("AWS::KMS::Key"):
            self._make_key(logical)
        body = template.without(lambda _, resource: resource["Type"] in BY_CLOUDFORMATION)
        for resource in body["Resources"].values():
            for name in NOT_IN_MOTO.get(resource["Type"], ()):
                resource["Properties"].pop(name, None)
        cloudformation = client("cloudformation")
        stack = str(PSEUDO["AWS::StackName"])
        cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(body))
        for one in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]:
            self._note(one["LogicalResourceId"], one["ResourceType"], one["PhysicalResourceId"])
        for logical, _ in template.resources("AWS::S3::Bucket"):  # moto's CloudFormation leaves buckets unversioned
            wanted = template.properties(logical).get("VersioningConfiguration")
            if wanted:
                bucket = template.physical[logical]
                client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration=wanted)

    def _make_key(self, logical: str) -> None:
        properties = self.template.properties(logical)
        wanted = {name: properties[name] for name in ("KeySpec", "KeyUsage", "Description") if name in properties}
        made = client("kms").create_key(**wanted)["KeyMetadata"]
        self.template.physical[logical] = made["KeyId"]
        self.template.attributes[logical, "Arn"] = made["Arn"]
        self.template.attributes[logical, "KeyId"] = made["KeyId"]

    def _note(self, logical: str, kind: str, physical: str) -> None:
        self.template.physical[logical] = physical
        attributes = {
            "AWS::S3::Bucket": self._bucket,
            "AWS::DynamoDB::Table": self._table,
            "AWS::SQS::Queue": self._queue,
            "AWS::SNS::Topic": self._topic,
        }[kind](physical)
        for name, value in attributes.items():
            self.template.attributes[logical, name] = value

    def _bucket(self, physical: str) -> dict[str, str]:
        return {"Arn": f"arn:aws:s3:::{physical}"}

    def _table(self, physical: str) -> dict[str, str]:
        table = self._dynamodb.describe_table(TableName=physical)["Table"]
        return {"Arn": table["TableArn"], "StreamArn": table.get("LatestStreamArn", "")}

    def _queue(self, physical: str) -> dict[str, str]:
        arn = self._sqs.get_queue_attributes(QueueUrl=physical, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return {"Arn": arn, "QueueUrl": physical, "QueueName": arn.rpartition(":")[2]}

    def _topic(self, physical: str) -> dict[str, str]:
        return {"TopicArn": physical, "TopicName": physical.rpartition(":")[2]}

    @cached_property
    def _dynamodb(self) -> Any:
        return client("dynamodb")

    @cached_property
    def _sqs(self) -> Any:
        return client("sqs")

    @cached_property
    def functions(self) -> dict[str, deployment.Function]:
        return deployment.functions(self.template)

    @property
    def environment(self) -> dict[str, str]:
        """One environment for all doors of this process. Raises ValueError where two functions disagree on a name."""
        merged: dict[str, str] = {}
        for function in self.functions.values():
            for name, value in function.environment.items():
                if merged.setdefault(name, value) != value and not name.startswith(("POWERTOOLS_", "AWS_")):
                    raise ValueError(f"{function.logical} has another {name} than a function before it")
        return merged

    def queue_url(self, arn: str) -> str:
        """The URL of a queue of the stack."""
        for (logical, name), value in self.template.attributes.items():
            if name == "Arn" and value == arn:
                return self.template.physical[logical]
        raise LookupError(f"no queue of the template has the ARN {arn}")
