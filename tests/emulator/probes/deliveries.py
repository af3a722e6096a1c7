"""What services send and do by themselves, where policies let them."""

from __future__ import annotations

import json
from typing import Any

from tests.emulator.probes import Lab, probe, refusal

_ACCOUNT = "123456789012"
_PLACE = f"us-east-1:{_ACCOUNT}"
_PATTERN = json.dumps({"source": ["lab"]})


def policy(service: str, action: str, resource: str, source: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": action,
        "Resource": resource,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}, "StringEquals": {"aws:SourceAccount": _ACCOUNT}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def queue(lab: Lab, service: str = "", source: str = "", **attributes: str) -> str:
    """Make a queue that takes messages of a service for one resource; return its URL."""
    name = lab.name("queue")
    if service:
        attributes["Policy"] = policy(service, "sqs:SendMessage", f"arn:aws:sqs:{_PLACE}:{name}", source)
    return str(lab.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


def arn_of(url: str) -> str:
    return f"arn:aws:sqs:{_PLACE}:{url.rpartition('/')[2]}"


def messages(lab: Lab, url: str) -> list[str]:
    return [each["Body"] for each in lab.client("sqs").receive_message(QueueUrl=url).get("Messages", [])]


@probe((0, 1, 1))
def event_deliveries(lab: Lab) -> Any:
    events, rule = lab.client("events"), lab.name("rule")
    arn = events.put_rule(Name=rule, EventPattern=_PATTERN)["RuleArn"]
    refused, allowed, dead = queue(lab), queue(lab, "events", arn), queue(lab, "events", arn)
    targets: list[dict[str, Any]] = [
        {"Id": "1", "Arn": arn_of(refused), "DeadLetterConfig": {"Arn": arn_of(dead)}},
        {"Id": "2", "Arn": arn_of(allowed)},
    ]
    events.put_targets(Rule=rule, Targets=targets)
    refusal(events.put_events, Entries=[{"Source": "lab", "DetailType": "a", "Detail": "{}"}])
    return tuple(len(messages(lab, url)) for url in (refused, allowed, dead))


@probe((0, 1))
def topic_deliveries(lab: Lab) -> Any:
    sns = lab.client("sns")
    topic = sns.create_topic(Name=lab.name("topic"))["TopicArn"]
    queues = queue(lab), queue(lab, "sns", topic)
    for url in queues:
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn_of(url))
    sns.publish(TopicArn=topic, Message="a")
    return tuple(len(messages(lab, url)) for url in queues)


def untrusted(lab: Lab) -> str:
    """Make a role that no service may assume."""
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    made = lab.client("iam").create_role(RoleName=lab.name("role"), AssumeRolePolicyDocument=document)
    return str(made["Role"]["Arn"])


@probe(("ValidationException", "accepted"))
def schedule_roles(lab: Lab) -> Any:
    target = f"arn:aws:codebuild:{_PLACE}:project/a"

    def create(role: str) -> str:
        return refusal(
            lab.client("scheduler").create_schedule,
            Name=lab.name("schedule"),
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": target, "RoleArn": role},
        )

    return create(untrusted(lab)), create(lab.role("schedules"))


@probe("InvalidParameterValueException")
def function_roles(lab: Lab) -> Any:
    return refusal(lambda: lab.function("def handler(event, context): pass", Role=untrusted(lab)))


@probe(("FAILED", "SUCCESS"))
def flow_log_status(lab: Lab) -> Any:
    ec2, group = lab.client("ec2"), lab.name("/lab/flow")
    lab.client("logs").create_log_group(logGroupName=group)
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/24")["Vpc"]["VpcId"]
    trust = {"Effect": "Allow", "Principal": {"Service": "vpc-flow-logs.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document, name = json.dumps({"Version": "2012-10-17", "Statement": [trust]}), lab.name("flow")
    role = lab.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    made = ec2.create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[vpc],
        TrafficType="ALL",
        LogDestination=f"arn:aws:logs:{_PLACE}:log-group:{group}",
        DeliverLogsPermissionArn=role,
    )["FlowLogIds"]

    def status() -> str:
        return str(ec2.describe_flow_logs(FlowLogIds=made)["FlowLogs"][0]["DeliverLogsStatus"])

    before = status()
    lab.allow(name, "logs:*", "*")
    return before, status()


PROBES = (
    event_deliveries,
    topic_deliveries,
    schedule_roles,
    function_roles,
    flow_log_status,
)
