"""SMS, push and events: what each service is asked, in the shape that the SDK checks, and what its errors mean.

moto does not know End User Messaging: botocore's own Stubber checks the request of an SMS. SNS and EventBridge are moto's.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.stub import Stubber

from nudge.adapters.channels.event import EventSender
from nudge.adapters.channels.push import PushSender
from nudge.adapters.channels.sms import SmsSender
from nudge.adapters.clients import client
from nudge.adapters.secrets import StoredSecrets
from nudge.errors import NotFound, Unavailable
from nudge.ports import Refused, Throttled, Unsure
from nudge.vocabulary import SECOND
from tests.acting import NOON
from tests.ports.rigs import ENDPOINT, PHONE, Answers, client_error, parcel


def test_an_sms_is_asked_for_with_its_decision(aws: None) -> None:
    service = client("pinpoint-sms-voice-v2", attempts=1)
    with Stubber(service) as stub:
        stub.add_response(
            "send_text_message",
            {"MessageId": "sms-1"},
            {
                "DestinationPhoneNumber": PHONE,
                "OriginationIdentity": "pool-1",
                "MessageBody": "10 % off. STOP to end",
                "MessageType": "PROMOTIONAL",
                "TimeToLive": 86_400,
                "ConfigurationSetName": "texts",
                "Context": {"decision_id": "d1"},
            },
        )
        assert SmsSender(service, "texts").send(parcel("sms", PHONE)) == "sms-1"


def test_a_push_goes_to_the_endpoint_with_a_form_for_each_platform(aws: None) -> None:
    sns = client("sns", attempts=1)
    application = sns.create_platform_application(Name="shop", Platform="GCM", Attributes={})["PlatformApplicationArn"]
    endpoint = sns.create_platform_endpoint(PlatformApplicationArn=application, Token="t")["EndpointArn"]
    assert PushSender(sns).send(parcel("push", endpoint))
    with pytest.raises(Refused, match="no_endpoint"):
        PushSender(sns).send(parcel("push", f"{endpoint}0"))


def test_the_app_finds_the_decision_beside_the_texts() -> None:
    asked = Answers()
    PushSender(asked).send(parcel("push", ENDPOINT))
    (call,) = asked.asked
    forms = json.loads(call["Message"])
    assert (call["TargetArn"], call["MessageStructure"]) == (ENDPOINT, "json")
    assert json.loads(forms["APNS"]) == {
        "aps": {"alert": {"body": "10 % off. STOP to end", "title": "Hi"}},
        "decision_id": "d1",
    }
    assert json.loads(forms["GCM"])["fcmV1Message"]["message"]["data"] == {"decision_id": "d1"}
    assert forms["default"] == "10 % off. STOP to end"


def test_an_event_is_put_on_its_bus_with_the_decision_in_its_detail(aws: None) -> None:
    events = client("events", attempts=1)
    events.create_event_bus(Name="shop")
    assert EventSender(events).send(parcel("event"))
    asked = Answers()
    EventSender(asked).send(parcel("event"))
    (entry,) = asked.asked[0]["Entries"]
    assert (entry["Source"], entry["DetailType"], entry["EventBusName"]) == ("nudge", "Nudge Decision", "shop")
    assert json.loads(entry["Detail"])["id"] == "d1"


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("ThrottlingException", Throttled),
        ("InternalFailure", Unsure),
        ("InternalException", Unsure),
        ("MalformedDetail", Refused),
        ("InvalidArgument", Refused),
        ("NotAuthorizedForSourceException", Refused),
        ("", Throttled),
    ],
)
def test_an_entry_that_was_not_taken_has_its_meaning(name: str, meaning: type[Exception]) -> None:
    events = Answers()
    events.answer = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": name, "ErrorMessage": "x"}]}
    with pytest.raises(meaning):
        EventSender(events).send(parcel("event"))


@pytest.mark.parametrize(
    ("code", "more", "meaning", "reason"),
    [
        ("ConflictException", {"Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT"}, Refused, "opted_out"),
        ("ConflictException", {"Reason": "DESTINATION_PHONE_NUMBER_NOT_VERIFIED"}, Refused, "not_verified"),
        ("ConflictException", {"Reason": "NO_ORIGINATION_IDENTITIES_FOUND"}, Throttled, "ConflictException"),
        ("ValidationException", {"Reason": "INVALID_PARAMETER"}, Refused, "bad_request"),
        ("ServiceQuotaExceededException", {}, Throttled, "ServiceQuotaExceededException"),
        ("AccessDeniedException", {}, Throttled, "AccessDeniedException"),
        ("ResourceNotFoundException", {}, Throttled, "ResourceNotFoundException"),
        ("InternalServerException", {}, Unsure, "InternalServerException"),
    ],
)
def test_each_error_of_the_sms_service_has_its_meaning(
    code: str, more: dict[str, Any], meaning: type[Exception], reason: str
) -> None:
    service = Answers()
    service.error = client_error(code, **more)
    with pytest.raises(meaning, match=reason):
        SmsSender(service, "texts").send(parcel("sms", PHONE))


@pytest.mark.parametrize(
    ("code", "meaning", "reason"),
    [
        ("EndpointDisabled", Refused, "endpoint_disabled"),
        ("NotFound", Refused, "no_endpoint"),
        ("InvalidParameter", Refused, "bad_request"),
        ("ParameterValueInvalid", Refused, "bad_request"),
        ("PlatformApplicationDisabled", Throttled, "PlatformApplicationDisabled"),
        ("AuthorizationError", Throttled, "AuthorizationError"),
        ("KMSThrottling", Throttled, "KMSThrottling"),
        ("Throttled", Throttled, "Throttled"),
        ("InternalError", Unsure, "InternalError"),
    ],
)
def test_each_error_of_sns_has_its_meaning(code: str, meaning: type[Exception], reason: str) -> None:
    service = Answers()
    service.error = client_error(code)
    with pytest.raises(meaning, match=reason):
        PushSender(service).send(parcel("push", ENDPOINT))


@pytest.mark.parametrize("service", ["sesv2", "pinpoint-sms-voice-v2", "sns", "events"])
def test_a_client_of_a_channel_never_tries_twice(service: str, aws: None) -> None:
    from nudge.adapters.channels import senders

    name = {"sesv2": "email", "pinpoint-sms-voice-v2": "sms", "sns": "push", "events": "event"}[service]
    made = senders(configuration_set="mails", text_configuration_set="texts", secrets=object())(name)  # type: ignore[arg-type]
    (held,) = (one for one in vars(made).values() if hasattr(one, "meta"))
    assert held.meta.service_model.service_name == service
    assert held.meta.config.retries["total_max_attempts"] == 1


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_secret_is_read_by_its_name_kept_for_minutes_and_read_again(aws: None) -> None:
    ssm = client("ssm")
    ssm.put_parameter(Name="/nudge/hooks", Value="whsec_1", Type="SecureString")
    now = [NOON]
    secrets = StoredSecrets(lambda: ssm, clock=lambda: now[0])
    assert secrets.get("hooks") == "whsec_1"
    ssm.put_parameter(Name="/nudge/hooks", Value="whsec_2", Type="SecureString", Overwrite=True)
    assert secrets.get("hooks") == "whsec_1"
    now[0] += 300 * SECOND
    assert secrets.get("hooks") == "whsec_2"


def test_an_absent_secret_is_not_found_and_a_store_that_is_down_is_unavailable(aws: None) -> None:
    with pytest.raises(NotFound):
        StoredSecrets(lambda: client("ssm"), clock=lambda: NOON).get("gone")
    down = Answers()
    down.error = client_error("AccessDeniedException")
    with pytest.raises(Unavailable):
        StoredSecrets(lambda: down, clock=lambda: NOON).get("hooks")
