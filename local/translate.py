"""`template.yaml` as CloudFormation sees it: translated offline by SAM's own translator, and linted in that form.

In: the template. Out: plain CloudFormation as a dict; and, as a command, what cfn-lint says of it
(`python -m local.translate lint`: recent cfn-lint does not expand SAM, so it is blind on the source).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
REGION = "eu-central-1"
CODE = "s3://local/"
"""Where functions' code seems to lie, so that the translator accepts it and the path of the folder survives."""


class _NoManagedPolicies:
    """The translator asks IAM for managed policies; the template uses none."""

    def load(self) -> dict[str, str]:
        return {}


def source(path: Path = TEMPLATE) -> dict[str, Any]:
    """The template as written, parsed."""
    from samtranslator.yaml_helper import yaml_parse

    return dict(yaml_parse(path.read_text(encoding="utf-8")))


def translate(path: Path = TEMPLATE) -> dict[str, Any]:
    """The template as CloudFormation; nothing is uploaded and no account is asked.

    Raises
    ------
    samtranslator.model.exceptions.InvalidDocumentException
        When the template is not valid SAM.
    """
    from boto3.session import Session
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    template = source(path)
    for resource in template["Resources"].values():
        _point_code_at_s3(resource.get("Properties", {}))
    translator = Translator({}, Parser(), boto_session=Session(region_name=REGION))
    translated = translator.translate(template, {}, get_managed_policy_map=_NoManagedPolicies().load)
    plain: dict[str, Any] = json.loads(json.dumps(translated))
    return plain


def _point_code_at_s3(properties: dict[str, Any]) -> None:
    for name in ("CodeUri", "ContentUri"):
        if isinstance(properties.get(name), str) and not properties[name].startswith("s3://"):
            properties[name] = CODE + properties[name].strip("./")
    if properties.get("PackageType") == "Image":
        properties.setdefault("ImageUri", f"123456789012.dkr.ecr.{REGION}.amazonaws.com/nudge:latest")


def lint(template: dict[str, Any]) -> tuple[int, str]:
    """cfn-lint's exit code and findings on a translated template."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "translated.json"
        path.write_text(json.dumps(template, indent=1), encoding="utf-8")
        linter = Path(sys.executable).parent / "cfn-lint"
        command = [str(linter), "--regions", REGION, "--format", "parseable", "--template", str(path)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
        return done.returncode, done.stdout + done.stderr


if __name__ == "__main__":
    if sys.argv[1:] != ["lint"]:
        sys.exit("usage: python -m local.translate lint")
    status, findings = lint(translate())
    print(findings or "template.yaml: cfn-lint finds nothing on its translation")
    sys.exit(status)
