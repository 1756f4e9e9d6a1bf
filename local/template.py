"""`template.yaml` as CloudFormation sees it: translated offline by SAM's own translator.

In: the template. Out: a plain CloudFormation template as a dict; and, as a command, what cfn-lint says of it
(`python -m local.template lint`: recent cfn-lint does not expand SAM, so it is blind on the source).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
REGION = "eu-central-1"
BASIC = "arn:aws:iam::aws:policy/service-role/"


class _ManagedPolicies:
    """What the translator would ask IAM for."""

    def load(self) -> dict[str, str]:
        names = ("AWSLambdaBasicExecutionRole", "AWSLambdaSQSQueueExecutionRole", "AWSLambdaDynamoDBExecutionRole")
        return {name: BASIC + name for name in names}


def source(path: Path = TEMPLATE) -> dict[str, Any]:
    """The template as written, parsed."""
    return dict(yaml_parse(path.read_text()))


def translated(path: Path = TEMPLATE) -> dict[str, Any]:
    """The template as CloudFormation; code locations are placeholders, as nothing is uploaded."""
    template = source(path)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for name in ("CodeUri", "ContentUri"):
            if isinstance(properties.get(name), str):
                properties[name] = "s3://bucket/key"
        if properties.get("PackageType") == "Image":
            properties.setdefault("ImageUri", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nudge:latest")
    return dict(transform(template, {}, _ManagedPolicies()))


def lint() -> int:
    """cfn-lint on the translated template; returns its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "translated.json"
        path.write_text(json.dumps(translated(), indent=1))
        linter = Path(sys.executable).parent / "cfn-lint"
        return subprocess.run([linter, "--regions", REGION, "--template", path], check=False).returncode  # noqa: S603


if __name__ == "__main__":
    if sys.argv[1:] != ["lint"]:
        sys.exit("usage: python -m local.template lint")
    sys.exit(lint())
