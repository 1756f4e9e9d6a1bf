"""Five errors, and what each means to the outside. `edge` maps them to HTTP; nobody else does.

A message says what is wrong, where (file, line, column, field) and what to do; it carries no address and no name.
"""


class NudgeError(Exception):
    """Base of the five; never raised itself."""


class BadInput(NudgeError):
    """The caller's data is wrong; sending it again cannot help (400, or a row in quarantine)."""

    def __init__(self, message: str, *, reason: str = "bad_input", where: str | None = None) -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.reason = reason
        self.where = where


class NotFound(NudgeError):
    """The thing that was asked for is not here (404)."""


class NotReady(NudgeError):
    """There is no model we trust yet; `missing` says what it lacks. Decisions fall back to rules (409)."""

    def __init__(self, message: str, *, missing: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.missing = missing or {}


class Conflict(NudgeError):
    """Someone else did it first, or did something else under the same key (409; 422 for `key_reused`)."""

    def __init__(self, message: str, *, reason: str = "conflict") -> None:
        super().__init__(message)
        self.reason = reason


class Unavailable(NudgeError):
    """The world did not answer; try again later (503, or the queue delivers again)."""
