"""What every test may use."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data"

os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="eu-central-1",
    AWS_ACCOUNT_ID_ENDPOINT_MODE="disabled",
    POWERTOOLS_METRICS_NAMESPACE="Nudge",
    POWERTOOLS_LOG_LEVEL="CRITICAL",
)
for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
    os.environ.pop(name, None)

settings.register_profile("here", deadline=None)  # no test says how fast a machine is
settings.register_profile("ci", deadline=None, derandomize=True)  # what lands is decided by the change, not by a draw
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "here"))


@pytest.fixture
def load_event() -> Any:
    """`load_event("arrive.put")` reads `events/arrive.put.json`."""
    return lambda name: json.loads((ROOT / "events" / f"{name}.json").read_text())


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of public data sets; the test is skipped where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"public data is absent: {DATA.name}/ is not beside the project")
    return DATA
