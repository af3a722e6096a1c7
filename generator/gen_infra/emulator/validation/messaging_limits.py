"""Documented limits of SQS, SNS, EventBridge and its scheduler."""

from __future__ import annotations

import re
import zoneinfo

from gen_infra.emulator.validation import schedules
from gen_infra.emulator.validation.limit import Limit, at_most, between, limit, matches, one_of

SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_"
EVENT_SCHEDULES = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html"
SCHEDULES = "https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html"


def _queue_attribute(name: str, low: int, high: int) -> Limit:
    return Limit(
        "sqs",
        ("CreateQueue", "SetQueueAttributes"),
        f"Attributes.{name}",
        between(low, high),
        "InvalidAttributeValue",
        f"Invalid value for the parameter {name}.",
        f"{SQS}SetQueueAttributes.html",
    )


def _is_time_zone(name: str) -> bool:
    """Return whether the time zone database has the name; without a database, each is accepted."""
    known = zoneinfo.available_timezones()
    return name == "UTC" or not known or name in known


def _is_address(text: str) -> bool:
    return re.fullmatch(r"[^\s@,;:<>()\[\]]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text, re.ASCII) is not None


LIMITS: tuple[Limit, ...] = (
    # SQS
    limit(
        "sqs",
        "CreateQueue",
        "QueueName",
        matches(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo"),
        "InvalidParameterValue",
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        f"{SQS}CreateQueue.html",
    ),
    _queue_attribute("DelaySeconds", 0, 900),
    _queue_attribute("KmsDataKeyReusePeriodSeconds", 60, 86_400),
    _queue_attribute("MaximumMessageSize", 1024, 1_048_576),
    _queue_attribute("MessageRetentionPeriod", 60, 1_209_600),
    _queue_attribute("ReceiveMessageWaitTimeSeconds", 0, 20),
    _queue_attribute("VisibilityTimeout", 0, 43_200),
    # SNS
    limit(
        "sns",
        "CreateTopic",
        "Name",
        matches(r"[A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo"),
        "InvalidParameter",
        "Invalid parameter: Topic Name",
        "https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html",
    ),
    limit(
        "sns",
        "Subscribe",
        "Protocol",
        one_of("http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"),
        "InvalidParameter",
        "Invalid parameter: Amazon SNS does not support this protocol string: {value}",
        "https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html",
    ),
    limit(
        "sns",
        "Subscribe",
        "",
        lambda request: not request.get("Protocol", "").startswith("email") or _is_address(request.get("Endpoint", "")),
        "InvalidParameter",
        "Invalid parameter: Email address",
        "https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html",
    ),
    # EventBridge and its scheduler
    limit(
        "events",
        "PutRule",
        "ScheduleExpression",
        lambda text: not text or schedules.is_schedule(text),
        "ValidationException",
        "Parameter ScheduleExpression is not valid.",
        EVENT_SCHEDULES,
    ),
    limit(
        "events",
        "PutRule",
        "",
        lambda rule: bool(rule.get("ScheduleExpression") or rule.get("EventPattern")),
        "ValidationException",
        "Parameter(s) EventPattern or ScheduleExpression must be specified.",
        "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html",
    ),
    limit(
        "events",
        "PutTargets",
        "Targets",
        at_most(5),
        "LimitExceededException",
        "The requested resource exceeds the maximum number allowed.",
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
    ),
    limit(
        "scheduler",
        "CreateSchedule UpdateSchedule",
        "ScheduleExpression",
        schedules.is_scheduler_expression,
        "ValidationException",
        "Invalid Schedule Expression {value}.",
        SCHEDULES,
    ),
    limit(
        "scheduler",
        "CreateSchedule UpdateSchedule",
        "ScheduleExpressionTimezone",
        _is_time_zone,
        "ValidationException",
        "Invalid ScheduleExpressionTimezone {value}.",
        SCHEDULES,
    ),
    limit(
        "scheduler",
        "CreateSchedule UpdateSchedule",
        "FlexibleTimeWindow",
        lambda window: window.get("Mode") != "FLEXIBLE" or bool(window.get("MaximumWindowInMinutes")),
        "ValidationException",
        "MaximumWindowInMinutes is required for a FLEXIBLE time window.",
        SCHEDULES,
    ),
)
