"""A fault explorer: one fault at every AWS call of a worker, then redelivery, then the invariant.

For every call k that the worker makes, and every fault:

- `kill-before`  the worker dies before call k is sent
- `kill-after`   the worker dies after call k took effect; nobody saw the answer
- `lost-ack`     call k takes effect, the client sees a broken connection, the code goes on
- `twice`        call k takes effect twice (the SDK's retry after a lost answer); the worker sees the second answer
- `throttle`     call k is refused for now, without effect
- `conflict`     call k fails with that call's own race answer, without effect

Then the work is delivered again until the worker is done (this finds losses), then again although it is done (this finds
doubles). Death is a BaseException raised at the call: no handler of ours catches it, and all of the worker's memory is
thrown away, as each delivery builds its adapters anew. (Forking, as the reference harness does, would deadlock the
thread pools of Polars and OpenMP.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import botocore.client
from botocore.exceptions import ClientError, ConnectionClosedError

FAULTS = ("kill-before", "kill-after", "lost-ack", "twice", "throttle", "conflict")
RACE = {"TransactWriteItems": "TransactionCanceledException", "PutObject": "ConditionalRequestConflict"}
NEVER_RETRIED = frozenset({"SendEmail"})
"""Calls of clients with one attempt: the SDK cannot send them twice, so `twice` is a lost answer there."""
MOST_CALLS = 400
MOST_DELIVERIES = 6


class Died(BaseException):
    """The worker is gone."""


@dataclass
class Calls:
    """What a run asked of AWS."""

    made: int = 0
    names: tuple[str, ...] = ()


@contextmanager
def fault(kind: str | None = None, at: int = -1) -> Iterator[Calls]:
    """Count the AWS calls of the block, and inject one fault at call number `at` (from 1)."""
    real = botocore.client.BaseClient._make_api_call
    calls = Calls()

    def call(self: Any, name: str, asked: dict[str, Any]) -> Any:
        calls.made += 1
        calls.names += (name,)
        if calls.made != at:
            return real(self, name, asked)
        return _faulty(kind, lambda: real(self, name, dict(asked)), name)

    botocore.client.BaseClient._make_api_call = call  # type: ignore[method-assign]
    try:
        yield calls
    finally:
        botocore.client.BaseClient._make_api_call = real  # type: ignore[method-assign]


def _faulty(kind: str | None, send: Callable[[], Any], name: str) -> Any:
    if kind == "kill-before":
        raise Died
    if kind == "throttle":
        raise _refused(name, "ThrottlingException", 400)
    if kind == "conflict":
        raise _refused(name, RACE.get(name, "InternalServerError"), 409)
    answer = send()
    if kind == "kill-after":
        raise Died
    if kind == "lost-ack" or name in NEVER_RETRIED:
        raise ConnectionClosedError(endpoint_url="https://injected.invalid")
    return send() if kind == "twice" else answer


def _refused(name: str, code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "injected"}, "ResponseMetadata": {"HTTPStatusCode": status}}, name
    )


@dataclass(frozen=True)
class Worker:
    """What is explored: how the world is set up, one delivery (True = done, False = deliver again), what must hold."""

    name: str
    set_up: Callable[[], None]
    deliver: Callable[[int], bool]
    violated: Callable[[], str | None]


def deliver(worker: Worker, number: int, kind: str | None = None, at: int = -1) -> tuple[bool, Calls]:
    """One delivery; whatever it raises means: not done."""
    with fault(kind, at) as calls:
        try:
            done = worker.deliver(number)
        except (Died, Exception):
            done = False
    return done, calls


def explore(worker: Worker, faults: tuple[str, ...] = FAULTS) -> tuple[int, list[str]]:
    """Cases tried, and what was violated in which of them."""
    worker.set_up()
    done, calls = deliver(worker, 0)
    problem = worker.violated()
    assert done, f"{worker.name}: does not finish without a fault"
    assert problem is None, f"{worker.name}: wrong without a fault: {problem}"
    assert 0 < calls.made < MOST_CALLS, f"{worker.name}: {calls.made} calls"
    violations = []
    for kind in faults:
        for at in range(1, calls.made + 1):
            problem = _one_case(worker, kind, at)
            if problem:
                violations.append(f"{worker.name}: {kind} at call {at} ({calls.names[at - 1]}): {problem}")
    return calls.made * len(faults), violations


def _one_case(worker: Worker, kind: str, at: int) -> str | None:
    worker.set_up()
    done, _ = deliver(worker, 0, kind, at)
    for number in range(1, MOST_DELIVERIES):
        if done:
            break
        done, _ = deliver(worker, number)
    if not done:
        return f"not done after {MOST_DELIVERIES} deliveries"
    if problem := worker.violated():
        return problem
    for number in range(MOST_DELIVERIES, MOST_DELIVERIES + 2):
        deliver(worker, number)
    problem = worker.violated()
    return f"after duplicates: {problem}" if problem else None
