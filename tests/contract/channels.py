"""A message on every channel beside mail, so that each right of the role `Deliver` is used once.

moto does not know End User Messaging: its answer is put in before the call leaves botocore.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from nudge import plan as plans
from nudge.adapters import clients
from nudge.adapters.clients import client
from nudge.adapters.plans import publish
from nudge.adapters.profiles import DynamoProfiles
from nudge.adapters.s3 import S3Objects
from nudge.vocabulary import Consent
from tests.acting import person, put_person
from tests.sam_local.shop import ALWAYS, a_waiting_message, publish_plan
from tests.stores import Stores, queue_event

SMS = "before-call.pinpoint-sms-voice-v2.SendTextMessage"
ACTIVITIES = """activities:
  text: {goal: purchase, channel: sms, template: short}
  app: {goal: purchase, channel: push, template: short}
  call: {goal: purchase, channel: webhook, consent: none}
  tell: {goal: purchase, channel: event, consent: none}
"""
CHANNELS = """channels:
  sms: {origination: pool/p-1}
  push: {}
  webhook: {url: "https://127.0.0.1/", secret_name: hooks}
  event: {bus: shop}
"""
ENDS = {"text": "sent", "app": "sent", "call": "failed", "tell": "sent"}
"""A webhook to loopback is refused, after its secret was read."""


def live(stores: Stores, deliver: Callable[[dict[str, Any]], Any]) -> None:
    """Send one message on each channel; `deliver` calls the door."""
    text = ALWAYS.replace("activities:\n", ACTIVITIES).replace("channels:\n", CHANNELS)
    bucket = S3Objects(client("s3"), stores.physical("Lake"))
    publish(bucket, text, plans.parse(text))
    bucket.put("templates/short.json", b'{"text": "10 % off. STOP to end"}')
    client("events").create_event_bus(Name="shop")
    client("ssm").put_parameter(Name="/nudge/hooks", Value="whsec_" + "A" * 32, Type="SecureString")
    profiles = DynamoProfiles(client("dynamodb"), stores.physical("Profiles"))
    put_person(profiles, person("live-cem", phone="+4915112345678", push=(endpoint := _endpoint())))
    for channel in ("sms", "push"):
        profiles.consent("live-cem", channel, Consent(True, 1, "form"))
    with _sms_that_answers():
        for activity, channel in (("text", "sms"), ("app", "push"), ("call", "webhook"), ("tell", "event")):
            waiting = a_waiting_message(stores, "live-cem", activity=activity, channel=channel)
            deliver(queue_event("deliver.message", {"decision_id": waiting}))
            (row,) = stores.rows("Ledger", f"message#{waiting}")
            assert row["state"]["S"] == ENDS[activity], row
        _off(endpoint)
        waiting = a_waiting_message(stores, "live-cem", activity="app", channel="push")
        deliver(queue_event("deliver.message", {"decision_id": waiting}))
        (row,) = stores.rows("Ledger", f"message#{waiting}")
        assert (row["state"]["S"], row["reason"]["S"]) == ("failed", "endpoint_disabled"), row
    publish_plan(stores)


def _endpoint() -> str:
    sns = client("sns")
    application = sns.create_platform_application(Name="shop", Platform="GCM", Attributes={})["PlatformApplicationArn"]
    return str(sns.create_platform_endpoint(PlatformApplicationArn=application, Token="t")["EndpointArn"])


def _off(endpoint: str) -> None:
    """The app is gone from the phone: SNS has noticed, and so must its person's profile."""
    client("sns").set_endpoint_attributes(EndpointArn=endpoint, Attributes={"Enabled": "false"})


@contextmanager
def _sms_that_answers() -> Iterator[None]:
    def answer(**_: Any) -> tuple[Any, dict[str, Any]]:
        return SimpleNamespace(status_code=200, headers={}), {"MessageId": "sms-1"}

    clients._session().register(SMS, answer, unique_id="contract-sms")
    yield
    clients._session().unregister(SMS, unique_id="contract-sms")
