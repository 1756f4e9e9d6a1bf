"""Secrets as the port `Secrets`: SSM parameters `/nudge/<name>`, encrypted, kept for some minutes while a container is warm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nudge.adapters.clients import code
from nudge.errors import NotFound, Unavailable
from nudge.vocabulary import SECOND, Micros

PREFIX = "/nudge/"
ABSENT = {"ParameterNotFound", "ParameterVersionNotFound"}


class StoredSecrets:
    """`Secrets` over an SSM client that is built when the first secret is asked for."""

    def __init__(
        self, ssm: Callable[[], Any], *, clock: Callable[[], Micros], fresh_for: Micros = 300 * SECOND
    ) -> None:
        self._ssm, self._clock, self._fresh_for = ssm, clock, fresh_for
        self._held: dict[str, tuple[Micros, str]] = {}

    def get(self, name: str) -> str:
        now = self._clock()
        held = self._held.get(name)
        if held is None or not 0 <= now - held[0] < self._fresh_for:
            held = (now, self._read(name))
            self._held[name] = held
        return held[1]

    def _read(self, name: str) -> str:
        try:
            found = self._ssm().get_parameter(Name=f"{PREFIX}{name}", WithDecryption=True)
        except ClientError as error:
            if code(error) in ABSENT:
                raise NotFound(f"there is no parameter {PREFIX}{name}") from None
            raise Unavailable(f"the parameter store answered {code(error)}") from None
        except BotoCoreError as error:
            raise Unavailable(f"the parameter store did not answer ({type(error).__name__})") from None
        return str(found["Parameter"]["Value"])
