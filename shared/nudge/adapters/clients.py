"""Every AWS client of Nudge is made here, so that no retry is left to a default.

The SDK's own retry sends a call twice when an answer is lost. That is safe where a repetition changes nothing; for a
message to a person it is not: such clients take `attempts=1`.
"""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def _session() -> Any:
    import botocore.session  # half of a cold start: paid when the first client is built, not by who only tests a flow

    return botocore.session.get_session()


def client(service: str, *, attempts: int = 4, connect_seconds: float = 2, read_seconds: float = 20) -> Any:
    """A client with explicit retries and time limits. Built on botocore: boto3's s3transfer would double the cold start."""
    from botocore.config import Config

    return _session().create_client(
        service,
        config=Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            connect_timeout=connect_seconds,
            read_timeout=read_seconds,
        ),
    )


def code(error: Any) -> str:
    """The service's own name of an error, from a botocore ClientError."""
    return str(error.response.get("Error", {}).get("Code", ""))
