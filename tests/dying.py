"""Workers that die: stores whose n-th call ends the process that made it, before or after it was done."""

from __future__ import annotations

from typing import Any


class Killed(BaseException):
    """The process is gone."""


class Dies:
    """A store whose n-th call kills the worker: before it is done, or after."""

    def __init__(self, inner: Any, countdown: list[int], *, after: bool) -> None:
        self._inner, self._countdown, self._after = inner, countdown, after

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)
        if not callable(call):
            return call

        def counted(*args: Any, **named: Any) -> Any:
            self._countdown[0] -= 1
            dies = self._countdown[0] == 0
            if dies and not self._after:
                raise Killed
            answer = call(*args, **named)
            if dies:
                raise Killed
            return answer

        return counted
