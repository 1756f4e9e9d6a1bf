"""Lambda's part, and that of S3, EventBridge Scheduler and the HTTP API, in this process.

In: a deployed template. Out: doors that are called when their triggers say so: polled queues and streams, schedules,
notifications, routes. What a real account does at the same time happens here one after the other, until nothing is left
to do: `settle`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local import deployment
from local.arrivals import ObjectEvents
from local.aws import EmbeddedAws
from local.clock import Clock
from local.doors import Doors, FunctionFailed
from local.http import Api
from local.polling import QueuePoller, StreamPoller
from local.ses import Reader, Ses, delivered

ROUNDS = 100_000


class Lambda(AbstractContextManager["Lambda"]):
    """Everything that calls the doors. Enter it inside an `EmbeddedAws`."""

    def __init__(self, aws: EmbeddedAws, clock: Clock, out: Path, *, reader: Reader = delivered) -> None:
        template = aws.template
        self.doors = Doors(aws.functions, out / "doors.jsonl")
        self.api = Api(deployment.routes(template), self.doors.invoke, clock)
        self.schedules = deployment.schedules(template)
        self.failures: list[str] = []
        self._clock = clock
        self._fired: dict[str, int] = {}
        watched = [(one, aws.queue_url(one.queue_arn)) for one in deployment.notifications(template)]
        self.objects = ObjectEvents(watched, clock)
        subscription = next(iter(deployment.subscriptions(template)))
        self.ses = Ses(
            clock,
            out / "outbox",
            topic_arn=subscription.topic_arn,
            queue_url=aws.queue_url(subscription.queue_arn),
            raw=subscription.raw,
            reader=reader,
        )
        mappings = deployment.mappings(template)
        invoke = self.doors.invoke
        self.queues = [QueuePoller(one, aws.queue_url(one.source), invoke) for one in mappings if ":sqs:" in one.source]
        self.streams = [StreamPoller(one, invoke) for one in mappings if ":dynamodb:" in one.source]

    def __enter__(self) -> Self:
        self.objects.install()
        self.ses.install()
        self.doors.cold()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.doors.close()
        self.ses.remove()
        self.objects.remove()

    def settle(self) -> int:
        """Work until no queue has a visible message and no stream an unread record; returns how many there were."""
        done = 0
        for _ in range(ROUNDS):
            round_done = self.ses.emit()
            for queue in self.queues:
                while taken := queue.poll():
                    round_done += taken
            if not round_done:
                round_done = sum(stream.poll() for stream in self.streams)
            if not round_done:
                return done
            done += round_done
        raise RuntimeError("the queues do not come to rest: something feeds itself")

    def fire(self, task: str, by_hand: Mapping[str, Any] | None = None) -> Any:
        """Call the function of the schedule whose input has that task, with what a person asks of it where `by_hand` is
        given. Raises FunctionFailed after two more tries."""
        schedule = next((one for one in self.schedules if one.input.get("task") == task), None)
        if schedule is None:
            raise LookupError(f"the template has no schedule with the task {task!r}")
        for attempt in range(3):
            try:
                event = schedule.event(self._clock.now()) if by_hand is None else dict(by_hand)
                return self.doors.invoke(schedule.function, event)
            except FunctionFailed as failed:
                self.failures.append(str(failed))
                if attempt == 2:
                    raise
        return None

    def tick(self, *, shortest: int = 0) -> None:
        """Fire each `rate` schedule that is due by now (once, however often it would have fired, and not more often than
        every `shortest` seconds), and settle."""
        now = self._clock.now()
        for schedule in self.schedules:
            seconds = schedule.seconds
            if seconds is None:
                continue
            pause = seconds if seconds < 3600 else max(seconds, shortest)
            if now - self._fired.get(schedule.name, 0) >= pause * 1_000_000:
                self._fired[schedule.name] = now
                self.fire(str(schedule.input.get("task")))
        self.settle()

    def waiting(self) -> int:
        """Messages on the queues that feed functions, visible or not."""
        return sum(queue.waiting() for queue in self.queues)

    @property
    def failed(self) -> int:
        """Records that came back to their queue or were left behind on a stream."""
        return sum(one.failures for one in self.queues) + sum(one.failures for one in self.streams)
