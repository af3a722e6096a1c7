"""Deliver what EventBridge and SNS send, where the policies of the receiver and of its key allow it.

Services act under their own names; a refused delivery is lost, counted in a metric, or set aside.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html
"""

from __future__ import annotations

import copy
import json
import re
import threading
import time
from typing import TYPE_CHECKING, Any

from moto.awslambda_simple.models import lambda_simple_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.events.models import Rule
from moto.logs.models import logs_backends
from moto.moto_api._internal import mock_random
from moto.sns.models import Subscription, sns_backends
from moto.sqs.models import sqs_backends

from gen_infra.emulator.authorization import acts
from gen_infra.emulator.authorization.keys import ENCRYPT
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gen_infra.emulator.authorization.acts import Actor

_PATH = re.compile(r"<([^<>]+)>")


@moto_patch(
    moto="5.2.5 sends events to queues and log groups only, whatever their policies say",
    aws="sends them to topics, queues, log groups and functions whose policies let the rule, counts the others in the"
    " metric FailedInvocations, and sends them to the target's dead-letter queue",
)
def event_deliveries() -> None:
    """Deliver an event to each target by itself, and leave targets of other types to moto."""

    @around(Rule, "send_to_targets")
    def send(original: Any, rule: Rule, event: Any, transform_input: bool = True) -> None:
        if not rule.event_pattern.matches_event(event) or rule.state == "DISABLED":
            return
        for target in rule.targets:
            service = target["Arn"].split(":")[2]
            if service not in _SENDERS:
                alone = copy.copy(rule)
                alone.targets = [target]
                original(alone, event, transform_input)
                continue
            actor = acts.service("events.amazonaws.com", rule.region_name, rule.arn)
            message = _message(target, event)
            if deliver(actor, target["Arn"], message):
                dimension = {"Name": "RuleName", "Value": rule.name}
                count_failure(rule.region_name, rule.account_id, "AWS/Events", "FailedInvocations", dimension)
                if queue := (target.get("DeadLetterConfig") or {}).get("Arn"):
                    deliver(actor, queue, message)


def _message(target: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """Return what a target gets: the event, its constant input, or the template with the values of its paths.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    if "Input" in target:
        return str(target["Input"])
    whole = {**event, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(float(event["time"])))}
    whole.pop("ingestion-time", None)
    transformer = target.get("InputTransformer")
    if not transformer:
        return json.dumps(whole)
    paths = transformer.get("InputPathsMap") or {}

    def value(match: re.Match[str]) -> str:
        found: Any = whole
        for part in paths.get(match[1], "$").split(".")[1:]:
            found = found.get(part, "") if isinstance(found, dict) else ""
        return found if isinstance(found, str) else json.dumps(found)

    text = _PATH.sub(value, transformer["InputTemplate"])
    try:
        made = json.loads(text)
    except ValueError:
        return text
    return made if isinstance(made, str) else text


@moto_patch(
    moto="5.2.5 sends a topic's messages to a queue or a function whatever its policy says, to a function in docker",
    aws="sends them only where the policy of the queue or the function lets the topic",
)
def topic_deliveries() -> None:
    """Ask the policy of the endpoint, and that of the queue's key."""

    @around(Subscription, "publish")
    def publish(original: Any, subscription: Subscription, *args: Any, **kwargs: Any) -> None:
        region = subscription.topic.arn.split(":")[3]
        actor = acts.service("sns.amazonaws.com", region, subscription.topic.arn)
        action = {"sqs": "sqs:SendMessage", "lambda": "lambda:InvokeFunction"}.get(subscription.protocol)
        if action and acts.refusal(actor, action, subscription.endpoint):
            return
        if action == "sqs:SendMessage" and _queue_key_refusal(actor, subscription.endpoint):
            return
        if action == "lambda:InvokeFunction":
            sns = {"Type": "Notification", "TopicArn": subscription.topic.arn, "Message": args[0]}
            _invoke(subscription.endpoint, json.dumps({"Records": [{"EventSource": "aws:sns", "Sns": sns}]}))
            return
        original(subscription, *args, **kwargs)


def count_failure(region: str, account: str, namespace: str, metric: str, dimension: dict[str, str]) -> None:
    """Count one failure in a metric of CloudWatch."""
    data = {"MetricName": metric, "Value": 1.0, "Unit": "Count", "Dimensions": [dimension]}
    cloudwatch_backends[account][region].put_metric_data(namespace, [data])


def deliver(actor: Actor, arn: str, message: str) -> str:
    """Send a message to a topic, a queue, a log group or a function; return why it was refused, or an empty text."""
    return _SENDERS[arn.split(":")[2]](actor, arn, message)


def _to_topic(actor: Actor, arn: str, message: str) -> str:
    _, _, _, region, account, _ = arn.split(":", 5)
    topic = sns_backends[account][region].topics.get(arn)
    if topic is None:
        return f"the topic {arn} does not exist"
    context = {"aws:sns:topicArn": arn}
    refused = acts.refusal(actor, "sns:Publish", arn) or acts.key_refusal(
        actor, topic.kms_master_key_id, ENCRYPT, context, via="sns"
    )
    if not refused:
        topic.publish(message)
    return refused


def _to_queue(actor: Actor, arn: str, message: str) -> str:
    _, _, _, region, account, name = arn.split(":", 5)
    sqs = sqs_backends[account][region]
    if name not in sqs.queues:
        return f"the queue {arn} does not exist"
    refused = acts.refusal(actor, "sqs:SendMessage", arn) or _queue_key_refusal(actor, arn)
    if not refused:
        sqs.send_message(name, message)
    return refused


def _queue_key_refusal(actor: Actor, arn: str) -> str:
    _, _, _, region, account, name = arn.split(":", 5)
    queue: Any = sqs_backends[account][region].queues.get(name)
    key = queue.kms_master_key_id if queue else None
    return acts.key_refusal(actor, key, ENCRYPT, {"aws:sqs:arn": arn}, via="sqs")


def _to_log_group(actor: Actor, arn: str, message: str) -> str:
    _, _, _, region, account, name = arn.split(":", 5)
    group, stream = name.removeprefix("log-group:").partition(":")[0], str(mock_random.uuid4())
    logs = logs_backends[account][region]
    if group not in logs.groups:
        return f"the log group {group} does not exist"
    place = f"{arn[: -len(name)]}log-group:{group}:log-stream:{stream}"
    refused = acts.first_refusal(actor, [("logs:CreateLogStream", place), ("logs:PutLogEvents", place)])
    if not refused:
        logs.ensure_log_stream(group, stream)
        logs.put_log_events(group, stream, [{"timestamp": int(time.time() * 1000), "message": message}])
    return refused


def _to_function(actor: Actor, arn: str, message: str) -> str:
    refused = acts.refusal(actor, "lambda:InvokeFunction", arn)
    if not refused:
        _invoke(arn, message)
    return refused


def _invoke(arn: str, message: str) -> None:
    """Start a function, and do not wait for it."""
    _, _, _, region, account, name = arn.split(":", 5)
    invoke: Any = lambda_simple_backends[account][region].invoke
    headers = {"X-Amz-Invocation-Type": "Event"}
    arguments: tuple[Any, ...] = (name.removeprefix("function:"), None, message, headers, {})
    threading.Thread(target=invoke, args=arguments, daemon=True).start()


_SENDERS: Mapping[str, Callable[[Actor, str, str], str]] = {
    "lambda": _to_function,
    "logs": _to_log_group,
    "sns": _to_topic,
    "sqs": _to_queue,
}
PATCHES: tuple[MotoPatch, ...] = (
    event_deliveries,
    topic_deliveries,
)
