"""What must hold of the translated template and no linter sees: each check takes it and returns what is wrong.

Checks are functions of the template alone, so that `test_gates.py` can break a copy and see that the check notices.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nudge import settings

type Template = Mapping[str, Any]
type Check = Callable[[Template], list[str]]

OPEN_ROUTES = {
    ("GET", "/u/{token}"),
    ("POST", "/u/{token}"),
    ("GET", "/c/{token}"),
    ("GET", "/console"),
    ("GET", "/console/session.json"),
    ("GET", "/console/{version}/{file}"),
}
"""People who unsubscribe or follow a link have no token of ours but the one in the path, and that one is signed. The console's files
are the same for everybody and hold no data: a browser sends no token when it opens a page, the page does when it asks for data."""

WEEKLY, DAILY, MINUTELY, HOURLY = "a cron of a weekday", "a cron of every day", "rate(1 minute)", "rate(1 hour)"
SCHEDULES = {("Train", WEEKLY), ("Train", DAILY), ("Report", DAILY), ("Deliver", MINUTELY), ("Prepare", HOURLY)}
ROWS_THAT_EXPIRE = {"Ledger"}
FOURTEEN_DAYS = 14 * 86_400
WITHOUT_A_RESOURCE = {"ses:GetAccount"}
"""Actions that IAM lets nobody narrow: they are about the account as a whole, and these only read."""

METHODS = {"get", "post", "put", "patch", "delete"}


# ── reading a template ───────────────────────────────────────────────────────────────────────────────────────────────
def resources(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """Logical id → properties of one type of resource."""
    return {
        name: one.get("Properties", {}) for name, one in sorted(template["Resources"].items()) if one["Type"] == kind
    }


def functions(template: Template) -> dict[str, dict[str, Any]]:
    return resources(template, "AWS::Lambda::Function")


def named(node: Any) -> str | None:
    """The logical id that a Ref, a GetAtt or a one-name Sub points to."""
    if not isinstance(node, dict):
        return None
    if "Ref" in node:
        return str(node["Ref"])
    if "Fn::GetAtt" in node:
        found = node["Fn::GetAtt"]
        return str(found[0] if isinstance(found, list) else found.split(".")[0])
    return None


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(template: Template, function: str) -> list[dict[str, Any]]:
    """The statements of the role that a function runs under."""
    role = named(functions(template)[function]["Role"])
    policies = template["Resources"][role]["Properties"].get("Policies", [])
    return [one for policy in policies for one in listed(policy["PolicyDocument"]["Statement"])]


def routes(template: Template) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and operation of every route of every HTTP API."""
    for api in resources(template, "AWS::ApiGatewayV2::Api").values():
        for path, item in api["Body"]["paths"].items():
            for method, operation in item.items():
                if method in METHODS or method.startswith("x-amazon-apigateway-any"):
                    yield method.upper(), path, operation


def sources(template: Template) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Function, logical id of what it reads (a queue or a table), and the event source mapping."""
    for mapping in resources(template, "AWS::Lambda::EventSourceMapping").values():
        function, source = named(mapping["FunctionName"]), named(mapping["EventSourceArn"])
        yield str(function), str(source), mapping


def dead_letters(template: Template) -> set[str]:
    """Logical ids of the queues that others redrive, fail or give up to."""
    names = set()
    text = json.dumps(template["Resources"])
    for name in resources(template, "AWS::SQS::Queue"):
        if name.endswith("DeadLetters") and f'"{name}"' in text:
            names.add(name)
    return names


# ── the front door ───────────────────────────────────────────────────────────────────────────────────────────────────
def every_route_has_an_authorizer_or_is_open_on_purpose(template: Template) -> list[str]:
    wrong, seen_open = [], set()
    for api in resources(template, "AWS::ApiGatewayV2::Api").values():
        schemes = api["Body"].get("components", {}).get("securitySchemes", {})
        kinds = {name: one.get("x-amazon-apigateway-authorizer", {}).get("type") for name, one in schemes.items()}
        for method, path, operation in routes(template):
            used = [name for need in operation.get("security", []) for name in need]
            closed = bool(used) and all(kinds.get(name) == "jwt" for name in used)
            scoped = all(scopes for need in operation.get("security", []) for scopes in need.values())
            if (method, path) in OPEN_ROUTES:
                seen_open.add((method, path))
            elif not (closed and scoped):
                wrong.append(f"{method} {path} has no authorizer with a scope")
    return wrong + [
        f"{method} {path} is on the open list and not in the template" for method, path in OPEN_ROUTES - seen_open
    ]


def requests_are_throttled_and_logged_without_paths(template: Template) -> list[str]:
    wrong = []
    for name, stage in resources(template, "AWS::ApiGatewayV2::Stage").items():
        limits = stage.get("DefaultRouteSettings", {})
        if not limits.get("ThrottlingRateLimit") or not limits.get("ThrottlingBurstLimit"):
            wrong.append(f"{name} does not limit requests")
        log = stage.get("AccessLogSettings", {})
        if named(log.get("DestinationArn")) not in resources(template, "AWS::Logs::LogGroup"):
            wrong.append(f"{name} does not log requests")
        if "path" in log.get("Format", "").lower():
            wrong.append(f"{name} logs paths, and a path of /u/ is a person's token")
    for name in resources(template, "AWS::Lambda::Url"):
        wrong.append(f"{name} goes round the front door")
    return wrong


# ── functions ────────────────────────────────────────────────────────────────────────────────────────────────────────
def environment_is_exactly_the_settings_of_the_door(template: Template) -> list[str]:
    wrong = []
    for name, function in functions(template).items():
        held = set(function.get("Environment", {}).get("Variables", {}))
        needed = set(getattr(settings, f"{name}Settings").variables().values())
        if held != needed:
            wrong.append(f"{name}: missing {sorted(needed - held)}, too much {sorted(held - needed)}")
    return wrong


def every_function_logs_json_that_expires(template: Template) -> list[str]:
    groups = resources(template, "AWS::Logs::LogGroup")
    wrong = [f"{name} keeps its logs for ever" for name, group in groups.items() if not group.get("RetentionInDays")]
    for name, function in functions(template).items():
        logging = function.get("LoggingConfig", {})
        if logging.get("LogFormat") != "JSON" or named(logging.get("LogGroup")) not in groups:
            wrong.append(f"{name} does not log JSON to a group of this template")
    return wrong


def decide_starts_from_a_snapshot_through_its_alias(template: Template) -> list[str]:
    wrong = []
    if functions(template)["Decide"].get("SnapStart") != {"ApplyOn": "PublishedVersions"}:
        wrong.append("Decide has no SnapStart on published versions")
    alias = [
        name
        for name, one in resources(template, "AWS::Lambda::Alias").items()
        if named(one["FunctionName"]) == "Decide"
    ]
    operation = next((one for _, path, one in routes(template) if path == "/v1/decisions"), {})
    if not alias or f"${{{alias[0]}}}" not in json.dumps(operation.get("x-amazon-apigateway-integration", {})):
        wrong.append("POST /v1/decisions does not go through the alias, so it would start without the snapshot")
    return wrong


def one_training_at_a_time(template: Template) -> list[str]:
    reserved = functions(template)["Train"].get("ReservedConcurrentExecutions")
    return (
        []
        if reserved == {"Fn::If": ["ReservesTrain", 1, {"Ref": "AWS::NoValue"}]}
        else ["Train reserves no concurrency"]
    )


def every_function_has_its_own_role(template: Template) -> list[str]:
    roles = [named(function["Role"]) for function in functions(template).values()]
    return [] if len(set(roles)) == len(roles) else [f"shared: {sorted(filter(None, roles))}"]


# ── permissions ──────────────────────────────────────────────────────────────────────────────────────────────────────
def no_role_may_do_anything_or_everywhere(template: Template) -> list[str]:
    wrong = []
    for name, role in resources(template, "AWS::IAM::Role").items():
        if role.get("ManagedPolicyArns"):
            wrong.append(f"{name} takes a managed policy, which is not about our resources")
        for policy in role.get("Policies", []):
            for one in listed(policy["PolicyDocument"]["Statement"]):
                wrong += _too_wide(f"{name}/{one.get('Sid')}", one)
    return wrong


def _too_wide(where: str, one: Mapping[str, Any]) -> list[str]:
    wrong = [f"{where} allows {action}" for action in listed(one["Action"]) if "*" in action]
    if set(listed(one["Action"])) <= WITHOUT_A_RESOURCE and one["Resource"] == "*":
        return wrong
    for resource in listed(one["Resource"]):
        text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else str(resource)
        text = text[0] if isinstance(text, list) else text
        if text == "*" or text.endswith((":*", "${Lake.Arn}/*")):
            wrong.append(f"{where} reaches {text}")
    if "NotAction" in one or "NotResource" in one:
        wrong.append(f"{where} allows all but something")
    return wrong


def every_statement_of_a_function_says_what_it_is_for(template: Template) -> list[str]:
    return [
        f"{name}: {one['Action']} has no Sid"
        for name in functions(template)
        for one in statements(template, name)
        if not one.get("Sid")
    ]


def no_function_writes_to_what_triggers_it(template: Template) -> list[str]:
    """A file that a function writes to the prefix that starts it starts it for ever; so does a row of its own stream."""
    wrong = []
    for function, source, _ in sources(template):
        if source in resources(template, "AWS::DynamoDB::Table"):
            if _may(template, function, "dynamodb:", source, {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"}):
                wrong.append(f"{function} writes to {source}, whose stream triggers it")
            continue
        for prefix in _prefixes_that_notify(template, source):
            for one in statements(template, function):
                if "s3:PutObject" in listed(one["Action"]) and any(
                    _overlap(prefix, key) for key in map(_key_of, listed(one["Resource"])) if key is not None
                ):
                    wrong.append(f"{function} writes under {prefix}, which triggers it")
    return wrong


def _may(template: Template, function: str, service: str, resource: str, actions: set[str]) -> bool:
    return any(
        named(target) == resource and {service + action for action in actions} & set(listed(one["Action"]))
        for one in statements(template, function)
        for target in listed(one["Resource"])
    )


def _prefixes_that_notify(template: Template, queue: str) -> Iterator[str]:
    for bucket in resources(template, "AWS::S3::Bucket").values():
        for one in bucket.get("NotificationConfiguration", {}).get("QueueConfigurations", []):
            if named(one["Queue"]) == queue:
                rules = one.get("Filter", {}).get("S3Key", {}).get("Rules", [])
                yield next((rule["Value"] for rule in rules if rule["Name"] == "prefix"), "")


def _key_of(resource: Any) -> str | None:
    text = resource.get("Fn::Sub") if isinstance(resource, dict) else None
    return text.removeprefix("${Lake.Arn}/").removesuffix("*") if isinstance(text, str) and "Lake" in text else None


def _overlap(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def only_named_sources_may_invoke(template: Template) -> list[str]:
    return [
        f"{name} lets {one.get('Principal')} in without a source"
        for name, one in resources(template, "AWS::Lambda::Permission").items()
        if one.get("Principal") == "*" or not one.get("SourceArn")
    ]


# ── queues, schedules, dead letters ──────────────────────────────────────────────────────────────────────────────────
def every_batch_may_fail_in_part(template: Template) -> list[str]:
    return [
        f"{function} from {source} returns a whole batch for one bad record"
        for function, source, mapping in sources(template)
        if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", [])
    ]


def visibility_outlasts_six_attempts(template: Template) -> list[str]:
    queues = resources(template, "AWS::SQS::Queue")
    return [
        f"{source} shows a message again while {function} may still work on it"
        for function, source, _ in sources(template)
        if source in queues
        and queues[source].get("VisibilityTimeout", 30) < 6 * functions(template)[function]["Timeout"]
    ]


def every_queue_has_dead_letters_that_stay_two_weeks(template: Template) -> list[str]:
    wrong = []
    queues, dead = resources(template, "AWS::SQS::Queue"), dead_letters(template)
    for name, queue in queues.items():
        if name in dead:
            if queue.get("MessageRetentionPeriod") != FOURTEEN_DAYS:
                wrong.append(f"{name} forgets before somebody has looked")
            continue
        redrive = queue.get("RedrivePolicy", {})
        if named(redrive.get("deadLetterTargetArn")) not in dead or redrive.get("maxReceiveCount") != 5:
            wrong.append(f"{name} does not give up after five attempts into dead letters")
    for function, source, mapping in sources(template):
        target = mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if source not in queues and named(target) not in dead:
            wrong.append(f"{function} from {source} gives up without a trace")
    return wrong


def every_queue_topic_and_store_is_encrypted(template: Template) -> list[str]:
    wrong = [
        f"{name} is not encrypted"
        for name, queue in resources(template, "AWS::SQS::Queue").items()
        if queue.get("SqsManagedSseEnabled") is not True
    ]
    wrong += [
        f"{name} is not encrypted"
        for name, topic in resources(template, "AWS::SNS::Topic").items()
        if named(topic.get("KmsMasterKeyId")) != "DataKey"
    ]
    return wrong


def schedules_are_there_and_miss_nothing_silently(template: Template) -> list[str]:
    found, wrong = set(), []
    dead = dead_letters(template)
    invoked = {
        named(one["FunctionName"]): one for one in resources(template, "AWS::Lambda::EventInvokeConfig").values()
    }
    for name, schedule in resources(template, "AWS::Scheduler::Schedule").items():
        target, expression = schedule["Target"], schedule["ScheduleExpression"]
        function = str(named(target["Arn"]))
        found.add((function, _rhythm(expression)))
        if named(target.get("DeadLetterConfig", {}).get("Arn")) not in dead or not target.get("RetryPolicy"):
            wrong.append(f"{name} gives up without a trace")
        failure = invoked.get(function, {}).get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        if named(failure) not in dead:
            wrong.append(f"{function} fails on a schedule without a trace")
        if "task" not in json.loads(target["Input"]):
            wrong.append(f"{name} does not say its task")
    return wrong + [f"no schedule: {one}" for one in sorted(SCHEDULES - found)]


def _rhythm(expression: str) -> str:
    if not expression.startswith("cron("):
        return expression
    return DAILY if expression.split()[4] in ("?", "*") else WEEKLY


# ── stores and keys ──────────────────────────────────────────────────────────────────────────────────────────────────
def the_bucket_is_closed_encrypted_and_versioned(template: Template) -> list[str]:
    wrong = []
    for name, bucket in resources(template, "AWS::S3::Bucket").items():
        rules = bucket.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [{}])
        default = rules[0].get("ServerSideEncryptionByDefault", {})
        if default.get("SSEAlgorithm") != "aws:kms" or named(default.get("KMSMasterKeyID")) != "DataKey":
            wrong.append(f"{name} is not encrypted with our key")
        if rules[0].get("BucketKeyEnabled") is not True:
            wrong.append(f"{name} asks KMS for every object")
        if bucket.get("VersioningConfiguration") != {"Status": "Enabled"}:
            wrong.append(f"{name} is not versioned")
        block = bucket.get("PublicAccessBlockConfiguration", {})
        if len(block) != 4 or not all(value is True for value in block.values()):
            wrong.append(f"{name} may become public")
        if not _denies_plain_http(template, name):
            wrong.append(f"{name} can be read without TLS")
    return wrong


def _denies_plain_http(template: Template, bucket: str) -> bool:
    return any(
        named(policy["Bucket"]) == bucket
        and one["Effect"] == "Deny"
        and one["Principal"] == "*"
        and one["Action"] == "s3:*"
        and len(listed(one["Resource"])) == 2
        and one.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for policy in resources(template, "AWS::S3::BucketPolicy").values()
        for one in policy["PolicyDocument"]["Statement"]
    )


def nobody_overwrites_the_lake_or_chooses_a_weaker_encryption(template: Template) -> list[str]:
    denied = [
        (one["Action"], json.dumps(one["Resource"]), json.dumps(one.get("Condition", {})))
        for policy in resources(template, "AWS::S3::BucketPolicy").values()
        for one in policy["PolicyDocument"]["Statement"]
        if one["Effect"] == "Deny" and one["Principal"] == "*"
    ]
    wanted = {"s3:if-none-match": "/lake/*", "s3:x-amz-server-side-encryption": "${Lake.Arn}/*"}
    return [
        f"no denial on {key} under {where}"
        for key, where in wanted.items()
        if not any(action == "s3:PutObject" and where in what and key in why for action, what, why in denied)
    ]


def personal_data_expires(template: Template) -> list[str]:
    wrong = []
    for name, bucket in resources(template, "AWS::S3::Bucket").items():
        rules = bucket.get("LifecycleConfiguration", {}).get("Rules", [])
        expiring = {rule.get("Prefix") for rule in rules if rule.get("ExpirationInDays")}
        wrong += [f"{name}/{prefix} never expires" for prefix in ("inbox/", "quarantine/") if prefix not in expiring]
        if not any(rule.get("NoncurrentVersionExpiration") and not rule.get("Prefix") for rule in rules):
            wrong.append(f"{name} keeps what was deleted for ever")
        if not any(rule.get("AbortIncompleteMultipartUpload") for rule in rules):
            wrong.append(f"{name} keeps unfinished uploads")
    return wrong


def tables_are_on_demand_encrypted_and_can_be_restored(template: Template) -> list[str]:
    wrong = []
    for name, table in resources(template, "AWS::DynamoDB::Table").items():
        if table.get("BillingMode") != "PAY_PER_REQUEST":
            wrong.append(f"{name} is not on demand")
        if table.get("PointInTimeRecoverySpecification") != {"PointInTimeRecoveryEnabled": True}:
            wrong.append(f"{name} cannot be restored to a point in time")
        if named(table.get("SSESpecification", {}).get("KMSMasterKeyId")) != "DataKey":
            wrong.append(f"{name} is not encrypted with our key")
        if (name in ROWS_THAT_EXPIRE) != (table.get("TimeToLiveSpecification", {}).get("AttributeName") == "expires"):
            wrong.append(f"{name}: TTL is not on `expires` where rows expire")
    return wrong


def what_holds_data_survives_the_stack(template: Template) -> list[str]:
    keeps = {"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key"}
    return [
        f"{name} would be deleted with the stack"
        for name, one in template["Resources"].items()
        if one["Type"] in keeps and not one.get("DeletionPolicy") == one.get("UpdateReplacePolicy") == "Retain"
    ]


def keys_sign_or_encrypt_and_never_both(template: Template) -> list[str]:
    keys = resources(template, "AWS::KMS::Key")
    wrong = [
        f"{name} is no MAC key"
        for name in ("ModelKey", "TokenKey")
        if (keys[name].get("KeySpec"), keys[name].get("KeyUsage")) != ("HMAC_256", "GENERATE_VERIFY_MAC")
    ]
    return wrong + ([] if keys["DataKey"].get("EnableKeyRotation") is True else ["DataKey does not rotate"])


def resource_policies_name_their_caller(template: Template) -> list[str]:
    """A service may act only for this account; a queue takes only its own bucket's, or its own topic's, messages."""
    wrong = []
    for kind in ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
        for name, policy in resources(template, kind).items():
            for one in policy["PolicyDocument"]["Statement"]:
                condition = json.dumps(one.get("Condition", {}))
                if "Service" not in one.get("Principal", {}) or "aws:SourceArn" not in condition:
                    wrong.append(f"{name}/{one.get('Sid')} does not say whose messages it takes")
                source = json.loads(condition).get("ArnEquals", {}).get("aws:SourceArn")
                if "aws:SourceAccount" not in condition and named(source) is None:
                    wrong.append(f"{name}/{one.get('Sid')} takes messages from other accounts")
    return wrong


def mail_events_reach_feedback(template: Template) -> list[str]:
    wrong = []
    wanted = {"SEND", "DELIVERY", "BOUNCE", "COMPLAINT", "REJECT", "RENDERING_FAILURE", "OPEN", "CLICK"}
    for one in resources(template, "AWS::SES::ConfigurationSetEventDestination").values():
        destination = one["EventDestination"]
        if wanted - set(destination["MatchingEventTypes"]) or destination["Enabled"] is not True:
            wrong.append("the configuration set does not tell all we need to know")
        if named(destination["SnsDestination"]["TopicARN"]) != "MailEvents":
            wrong.append("mail events go elsewhere")
    fed = {
        (named(one["TopicArn"]), named(one["Endpoint"]))
        for one in resources(template, "AWS::SNS::Subscription").values()
    }
    if ("MailEvents", "FeedbackQueue") not in fed:
        wrong.append("nobody tells Feedback")
    return wrong


def texts_and_apps_reach_feedback(template: Template) -> list[str]:
    """Every text's receipt; answers and apps by a topic that whoever owns the number or the app names."""
    (texts,) = resources(template, "AWS::SMSVOICE::ConfigurationSet").values()
    told = [
        one
        for one in texts["EventDestinations"]
        if one["Enabled"] is True
        and "TEXT_ALL" in one["MatchingEventTypes"]
        and named(one["SnsDestination"]["TopicArn"]) == "TextEvents"
    ]
    wrong = [] if told else ["receipts of texts go elsewhere"]
    fed = {
        (named(one["TopicArn"]), named(one["Endpoint"]))
        for one in resources(template, "AWS::SNS::Subscription").values()
    }
    for topic in ("TextEvents", "PushEvents"):
        if (topic, "FeedbackQueue") not in fed:
            wrong.append(f"{topic} does not reach Feedback")
    return wrong


# ── alarms ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def alarms_watch_what_we_promised(template: Template) -> list[str]:
    watched = set(_watched(template))
    wanted = {("ApproximateNumberOfMessagesVisible", name) for name in dead_letters(template)}
    wanted |= {("Errors", name) for name in functions(template)}
    wanted |= {
        ("ChampionAgeHours", "nudge"),
        ("QuarantineShare", "nudge"),
        ("ReputationStop", "nudge"),
        ("Duration p99", "Decide"),
    }
    silent = [
        f"{name} tells nobody"
        for name, one in resources(template, "AWS::CloudWatch::Alarm").items()
        if not one.get("AlarmActions")
    ]
    return silent + [f"no alarm on {metric} of {what}" for metric, what in sorted(wanted - watched)]


def _watched(template: Template) -> Iterator[tuple[str, str]]:
    for alarm in resources(template, "AWS::CloudWatch::Alarm").values():
        metrics = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
        for metric in metrics or [alarm]:
            first = metric["Dimensions"][0]["Value"]
            statistic = f" {alarm['ExtendedStatistic']}" if "ExtendedStatistic" in alarm else ""
            yield metric["MetricName"] + statistic, str(named(first) or first)


CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        every_route_has_an_authorizer_or_is_open_on_purpose,
        requests_are_throttled_and_logged_without_paths,
        environment_is_exactly_the_settings_of_the_door,
        every_function_logs_json_that_expires,
        decide_starts_from_a_snapshot_through_its_alias,
        one_training_at_a_time,
        every_function_has_its_own_role,
        no_role_may_do_anything_or_everywhere,
        every_statement_of_a_function_says_what_it_is_for,
        no_function_writes_to_what_triggers_it,
        only_named_sources_may_invoke,
        every_batch_may_fail_in_part,
        visibility_outlasts_six_attempts,
        every_queue_has_dead_letters_that_stay_two_weeks,
        every_queue_topic_and_store_is_encrypted,
        schedules_are_there_and_miss_nothing_silently,
        the_bucket_is_closed_encrypted_and_versioned,
        nobody_overwrites_the_lake_or_chooses_a_weaker_encryption,
        personal_data_expires,
        tables_are_on_demand_encrypted_and_can_be_restored,
        what_holds_data_survives_the_stack,
        keys_sign_or_encrypt_and_never_both,
        resource_policies_name_their_caller,
        mail_events_reach_feedback,
        texts_and_apps_reach_feedback,
        alarms_watch_what_we_promised,
    )
}
