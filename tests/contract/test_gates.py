"""A gate that cannot close is no gate: break a copy of the template in one way, and see that its check notices."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.checks import CHECKS

type Template = dict[str, Any]


def _of(template: Template, logical: str) -> dict[str, Any]:
    properties: dict[str, Any] = template["Resources"][logical]["Properties"]
    return properties


def _each(template: Template, kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def _statement(template: Template, role: str, sid: str) -> dict[str, Any]:
    document = _of(template, role)["Policies"][0]["PolicyDocument"]
    return next(one for one in document["Statement"] if one["Sid"] == sid)


def _operation(template: Template, path: str, method: str) -> dict[str, Any]:
    operation: dict[str, Any] = _of(template, "Api")["Body"]["paths"][path][method]
    return operation


def _drop(logical: str, *names: str) -> Callable[[Template], None]:
    def change(template: Template) -> None:
        node = _of(template, logical)
        for name in names[:-1]:
            node = node[name]
        del node[names[-1]]

    return change


def _put(logical: str, value: Any, *names: str) -> Callable[[Template], None]:
    def change(template: Template) -> None:
        node = _of(template, logical)
        for name in names[:-1]:
            node = node[name]
        node[names[-1]] = value

    return change


def _without(logical: str) -> Callable[[Template], None]:
    return lambda template: template["Resources"].pop(logical)


def _no_tls(template: Template) -> None:
    document = _of(template, "LakePolicy")["PolicyDocument"]
    document["Statement"] = [one for one in document["Statement"] if one["Sid"] != "NobodyComesWithoutTls"]


def _may_overwrite(template: Template) -> None:
    document = _of(template, "LakePolicy")["PolicyDocument"]
    document["Statement"] = [one for one in document["Statement"] if one["Sid"] != "NobodyOverwritesAPartOfTheLake"]


def _wide(template: Template) -> None:
    _statement(template, "DecideRole", "ReadProfiles")["Resource"] = "*"


def _whole_bucket(template: Template) -> None:
    _statement(template, "DecideRole", "ReadChampionsThePlanAndTemplates")["Resource"] = {"Fn::Sub": "${Lake.Arn}/*"}


def _any_action(template: Template) -> None:
    _statement(template, "TrainRole", "SignModels")["Action"] = "kms:*"


def _loop(template: Template) -> None:
    statement = _statement(template, "ArriveRole", "ReadTheInbox")
    statement["Action"] = [*statement["Action"], "s3:PutObject"]


def _stream_loop(template: Template) -> None:
    document = _of(template, "CollectRole")["Policies"][0]["PolicyDocument"]
    ledger = {"Fn::GetAtt": ["Ledger", "Arn"]}
    document["Statement"].append({"Sid": "X", "Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": ledger})


def _forgotten_variable(template: Template) -> None:
    del _of(template, "Deliver")["Environment"]["Variables"]["PUBLIC_URL"]


def _extra_variable(template: Template) -> None:
    _of(template, "Decide")["Environment"]["Variables"]["SECRET"] = "x"


def _no_retry(template: Template) -> None:
    _of(template, "TrainWeekly")["Target"].pop("DeadLetterConfig")


def _anyone_may_mail(template: Template) -> None:
    _of(template, "FeedbackQueuePolicy")["PolicyDocument"]["Statement"][0].pop("Condition")


def _no_partial(logical: str) -> Callable[[Template], None]:
    return _drop(logical, "FunctionResponseTypes")


def _unwatched(alarm: str, metric: str) -> Callable[[Template], None]:
    def change(template: Template) -> None:
        properties = _of(template, alarm)
        properties["Metrics"] = [one for one in properties["Metrics"] if one["Id"] != metric]

    return change


def _anyone_may_invoke(template: Template) -> None:
    _each(template, "AWS::Lambda::Permission")[0]["Principal"] = "*"


GATES: list[tuple[str, str, Callable[[Template], None]]] = [
    (
        "an authorizer",
        "every_route_has_an_authorizer_or_is_open_on_purpose",
        lambda t: _operation(t, "/v1/decisions", "post").pop("security"),
    ),
    (
        "a scope",
        "every_route_has_an_authorizer_or_is_open_on_purpose",
        lambda t: _operation(t, "/v1/track", "post")["security"][0].update(Jwt=[]),
    ),
    (
        "an authorizer by NONE",
        "every_route_has_an_authorizer_or_is_open_on_purpose",
        lambda t: _operation(t, "/v1/batch", "post").update(security=[{"NONE": []}]),
    ),
    (
        "the authorizer's definition",
        "every_route_has_an_authorizer_or_is_open_on_purpose",
        lambda t: _of(t, "Api")["Body"]["components"]["securitySchemes"].pop("Jwt"),
    ),
    (
        "throttling",
        "requests_are_throttled_and_logged_without_paths",
        _drop("ApiApiGatewayDefaultStage", "DefaultRouteSettings"),
    ),
    (
        "access logs",
        "requests_are_throttled_and_logged_without_paths",
        _drop("ApiApiGatewayDefaultStage", "AccessLogSettings"),
    ),
    ("a variable", "environment_is_exactly_the_settings_of_the_door", _forgotten_variable),
    ("an undeclared variable", "environment_is_exactly_the_settings_of_the_door", _extra_variable),
    ("log retention", "every_function_logs_json_that_expires", _drop("DecideLogs", "RetentionInDays")),
    ("JSON logs", "every_function_logs_json_that_expires", _put("Train", "Text", "LoggingConfig", "LogFormat")),
    ("SnapStart", "decide_starts_from_a_snapshot_through_its_alias", _drop("Decide", "SnapStart")),
    ("the alias", "decide_starts_from_a_snapshot_through_its_alias", _without("DecideAliaslive")),
    ("the reserve of Train", "one_training_at_a_time", _drop("Train", "ReservedConcurrentExecutions")),
    ("own roles", "every_function_has_its_own_role", _put("Decide", {"Fn::GetAtt": ["TrainRole", "Arn"]}, "Role")),
    ("resources", "no_role_may_do_anything_or_everywhere", _wide),
    ("prefixes", "no_role_may_do_anything_or_everywhere", _whole_bucket),
    ("actions", "no_role_may_do_anything_or_everywhere", _any_action),
    (
        "no managed policies",
        "no_role_may_do_anything_or_everywhere",
        _put("ReportRole", ["arn:aws:iam::aws:policy/AdministratorAccess"], "ManagedPolicyArns"),
    ),
    (
        "a Sid",
        "every_statement_of_a_function_says_what_it_is_for",
        lambda t: _statement(t, "ArriveRole", "ReadTheInbox").pop("Sid"),
    ),
    ("one direction of files", "no_function_writes_to_what_triggers_it", _loop),
    ("one direction of rows", "no_function_writes_to_what_triggers_it", _stream_loop),
    ("who may invoke", "only_named_sources_may_invoke", _anyone_may_invoke),
    *[
        (f"partial batches of {mapping}", "every_batch_may_fail_in_part", _no_partial(mapping))
        for mapping in ("ArriveNotices", "PrepareTasks", "DeliverMessages", "FeedbackEvents", "CollectLedgerChanges")
    ],
    ("visibility", "visibility_outlasts_six_attempts", _drop("ChunkQueue", "VisibilityTimeout")),
    ("visibility by a longer timeout", "visibility_outlasts_six_attempts", _put("Deliver", 61, "Timeout")),
    *[
        (f"dead letters of {queue}", "every_queue_has_dead_letters_that_stay_two_weeks", _drop(queue, "RedrivePolicy"))
        for queue in ("ArrivalQueue", "ChunkQueue", "DeliverQueue", "FeedbackQueue")
    ],
    ("the dead-letter queue itself", "every_queue_has_dead_letters_that_stay_two_weeks", _without("ChunkDeadLetters")),
    (
        "the stream's dead letters",
        "every_queue_has_dead_letters_that_stay_two_weeks",
        _drop("CollectLedgerChanges", "DestinationConfig"),
    ),
    (
        "two weeks",
        "every_queue_has_dead_letters_that_stay_two_weeks",
        _drop("MissedDeadLetters", "MessageRetentionPeriod"),
    ),
    (
        "encryption of a queue",
        "every_queue_topic_and_store_is_encrypted",
        _drop("DeliverQueue", "SqsManagedSseEnabled"),
    ),
    ("encryption of a topic", "every_queue_topic_and_store_is_encrypted", _drop("MailEvents", "KmsMasterKeyId")),
    ("dead letters of a schedule", "schedules_are_there_and_miss_nothing_silently", _no_retry),
    (
        "dead letters of a scheduled function",
        "schedules_are_there_and_miss_nothing_silently",
        _without("ReportEventInvokeConfig"),
    ),
    ("a schedule", "schedules_are_there_and_miss_nothing_silently", _without("DeliverSweep")),
    ("the TLS deny", "the_bucket_is_closed_encrypted_and_versioned", _no_tls),
    ("the bucket policy", "the_bucket_is_closed_encrypted_and_versioned", _without("LakePolicy")),
    ("encryption of the bucket", "the_bucket_is_closed_encrypted_and_versioned", _drop("Lake", "BucketEncryption")),
    ("versioning", "the_bucket_is_closed_encrypted_and_versioned", _drop("Lake", "VersioningConfiguration")),
    (
        "the public block",
        "the_bucket_is_closed_encrypted_and_versioned",
        _put("Lake", False, "PublicAccessBlockConfiguration", "BlockPublicPolicy"),
    ),
    ("parts written once", "nobody_overwrites_the_lake_or_chooses_a_weaker_encryption", _may_overwrite),
    ("the lifecycle", "personal_data_expires", _drop("Lake", "LifecycleConfiguration")),
    (
        "restore",
        "tables_are_on_demand_encrypted_and_can_be_restored",
        _drop("Profiles", "PointInTimeRecoverySpecification"),
    ),
    (
        "encryption of a table",
        "tables_are_on_demand_encrypted_and_can_be_restored",
        _drop("Ledger", "SSESpecification"),
    ),
    (
        "expiry of rows",
        "tables_are_on_demand_encrypted_and_can_be_restored",
        _drop("Ledger", "TimeToLiveSpecification"),
    ),
    ("Retain", "what_holds_data_survives_the_stack", lambda t: t["Resources"]["Profiles"].pop("DeletionPolicy")),
    ("the MAC key", "keys_sign_or_encrypt_and_never_both", _drop("ModelKey", "KeySpec")),
    ("rotation", "keys_sign_or_encrypt_and_never_both", _drop("DataKey", "EnableKeyRotation")),
    ("the caller of a queue", "resource_policies_name_their_caller", _anyone_may_mail),
    (
        "bounces",
        "mail_events_reach_feedback",
        _put("MailEventDestination", ["OPEN"], "EventDestination", "MatchingEventTypes"),
    ),
    ("the subscription", "mail_events_reach_feedback", _without("MailEventsToFeedback")),
    ("receipts of texts", "texts_and_apps_reach_feedback", _put("TextConfigurationSet", [], "EventDestinations")),
    ("answers to texts", "texts_and_apps_reach_feedback", _without("TextEventsToFeedback")),
    ("apps that are gone", "texts_and_apps_reach_feedback", _without("PushEventsToFeedback")),
    *[
        (f"alarm {alarm}", "alarms_watch_what_we_promised", _without(alarm))
        for alarm in (
            "DeadLettersAlarm",
            "FunctionErrorsAlarm",
            "ChampionAgeAlarm",
            "QuarantineAlarm",
            "DecideSlowAlarm",
        )
    ],
    ("one queue of the alarm", "alarms_watch_what_we_promised", _unwatched("DeadLettersAlarm", "chunkDeadLetters")),
    ("the alarm's address", "alarms_watch_what_we_promised", _drop("QuarantineAlarm", "AlarmActions")),
]


@pytest.mark.parametrize(("what", "check", "change"), GATES, ids=[what for what, _, _ in GATES])
def test_a_template_without_it_is_refused(
    what: str, check: str, change: Callable[[Template], None], translated: Template
) -> None:
    broken = copy.deepcopy(translated)
    change(broken)
    assert CHECKS[check](broken), f"{what} was taken away and {check} did not notice"


def test_every_check_is_proved_to_bite() -> None:
    assert {check for _, check, _ in GATES} == set(CHECKS)
