"""The doors as Lambda would call them: one call in, one JSON answer out.

In: a function of the template and an event. Out: what the handler answered, as it would look on the wire, or
`FunctionFailed`. What the doors log goes to a file, never to standard output.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from local.deployment import Function


class FunctionFailed(Exception):
    """The handler raised; its error is the cause."""


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda passes beside the event."""

    function_name: str
    memory_limit_in_mb: int
    invoked_function_arn: str
    timeout: int
    function_version: str = "$LATEST"
    log_group_name: str = "/local"
    log_stream_name: str = "local"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def get_remaining_time_in_millis(self) -> int:
        return self.timeout * 1000


class Doors:
    """Every function of the template, imported from this repository."""

    def __init__(self, functions: Mapping[str, Function], log: Path) -> None:
        self._functions = functions
        self._modules: dict[str, ModuleType] = {}
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log: TextIO = log.open("a", encoding="utf-8")
        self.calls: dict[str, int] = {}
        self.seconds: dict[str, float] = {}

    def invoke(self, logical: str, event: Mapping[str, Any]) -> Any:
        """Call a function. The event and the answer pass through JSON, as they do in the cloud."""
        function = self._functions[logical]
        self.calls[function.door] = self.calls.get(function.door, 0) + 1
        began = time.perf_counter()
        context = Context(logical, function.memory, f"arn:aws:lambda:local:0:function:{logical}", function.timeout)
        with self._logging():
            handler = getattr(self._module(function), function.attribute)
            try:
                answer = handler(json.loads(json.dumps(event)), context)
            except Exception as error:
                raise FunctionFailed(f"{function.door} failed: {type(error).__name__}: {error}") from error
            finally:
                took = time.perf_counter() - began
                self.seconds[function.door] = self.seconds.get(function.door, 0.0) + took
            return json.loads(json.dumps(answer))

    def cold(self) -> None:
        """Forget what warm functions hold (flows, clients, champions): the next call is a cold start."""
        for module in self._modules.values():
            for one in vars(module).values():
                clear = getattr(one, "cache_clear", None)
                if callable(clear):
                    clear()

    def close(self) -> None:
        self.cold()
        self._log.close()

    def _module(self, function: Function) -> ModuleType:
        if function.module not in self._modules:
            self._modules[function.module] = importlib.import_module(function.module)
            self.cold()
        return self._modules[function.module]

    @contextlib.contextmanager
    def _logging(self) -> Iterator[None]:
        """Logs and metrics of the doors go to the file: standard output is the caller's."""
        from nudge import edge

        handler: Any = edge.logger.registered_handler
        was, handler.stream = handler.stream, self._log
        try:
            with contextlib.redirect_stdout(self._log):
                yield
        finally:
            handler.stream = sys.__stdout__ if was.closed else was
