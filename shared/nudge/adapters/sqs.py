"""One SQS queue as the port `Queue`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from nudge.adapters.clients import code
from nudge.errors import Unavailable

LONGEST_DELAY = 900


class SqsQueue:
    """Sends JSON bodies ten a call. A message that the service refuses is an error: nothing is dropped in silence."""

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, bodies: Sequence[Mapping[str, Any]], *, delay_seconds: int = 0) -> None:
        delay = max(0, min(delay_seconds, LONGEST_DELAY))
        for start in range(0, len(bodies), 10):
            entries = [
                {"Id": str(number), "MessageBody": json.dumps(body, allow_nan=False), "DelaySeconds": delay}
                for number, body in enumerate(bodies[start : start + 10])
            ]
            try:
                answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            except ClientError as error:
                raise Unavailable(f"the queue answered {code(error)}") from error
            except BotoCoreError as error:
                raise Unavailable(f"the queue did not answer ({type(error).__name__})") from error
            if failed := answer.get("Failed"):
                raise Unavailable(
                    f"the queue refused {len(failed)} of {len(entries)} messages: {failed[0].get('Code')}"
                )

    def waiting(self) -> int:
        name = "ApproximateNumberOfMessages"
        try:
            answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=[name])
        except ClientError as error:
            raise Unavailable(f"the queue answered {code(error)}") from error
        except BotoCoreError as error:
            raise Unavailable(f"the queue did not answer ({type(error).__name__})") from error
        return int(answer["Attributes"][name])
