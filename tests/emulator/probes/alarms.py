"""CloudWatch alarms: their states, what they send, and the metrics that logs hold."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.emulator.probes import Lab, probe
from tests.emulator.probes.deliveries import arn_of, messages, policy, queue

_ACCOUNT = "123456789012"
_PLACE = f"us-east-1:{_ACCOUNT}"


def alarm_with_topic(lab: Lab, **topic: str) -> tuple[str, str]:
    """Make an alarm whose topic sends to a queue; return the alarm's name and the queue's URL."""
    sns, name, alarm = lab.client("sns"), lab.name("topic"), lab.name("alarm")
    arn = f"arn:aws:sns:{_PLACE}:{name}"
    source = f"arn:aws:cloudwatch:{_PLACE}:alarm:{alarm}"
    given = {"Policy": policy("cloudwatch", "sns:Publish", arn, source)} | topic
    sns.create_topic(Name=name, Attributes=given)
    url = queue(lab, "sns", arn)
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=arn_of(url))
    lab.client("cloudwatch").put_metric_alarm(
        AlarmName=alarm,
        Namespace="Lab",
        MetricName="a",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[arn],
    )
    return alarm, url


@probe((1, 0))
def alarm_actions(lab: Lab) -> Any:
    elsewhere = policy("cloudwatch", "sns:Publish", "*", f"arn:aws:cloudwatch:{_PLACE}:alarm:another")
    made = alarm_with_topic(lab), alarm_with_topic(lab, Policy=elsewhere)
    for alarm, _ in made:
        lab.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a test")
    return tuple(len(messages(lab, url)) for _, url in made)


def alarm(lab: Lab, **more: Any) -> str:
    """Make an alarm of a metric of its own name; return the name."""
    name = lab.name("alarm")
    lab.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        **{"Namespace": "Lab", "MetricName": name, "Statistic": "Sum", "Period": 60} | more,
    )
    return name


def state(lab: Lab, name: str) -> str:
    [found] = lab.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(found["StateValue"])


@probe(("INSUFFICIENT_DATA", "ALARM"))
def alarm_states(lab: Lab) -> Any:
    name = alarm(lab)
    before = state(lab, name)
    lab.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    again = {"Namespace": "Lab", "MetricName": name, "Statistic": "Sum", "Period": 120}
    lab.client("cloudwatch").put_metric_alarm(
        AlarmName=name, EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold", **again
    )
    return before, state(lab, name)


@probe(("OK", "ALARM", "OK", "ALARM"))
def alarm_evaluation(lab: Lab) -> Any:
    cloudwatch, name, of_two = lab.client("cloudwatch"), alarm(lab), lab.name("alarm")
    metrics: list[dict[str, Any]] = []
    for each in ("failed", "succeeded"):
        metric = {"Namespace": "Lab", "MetricName": each + of_two}
        metrics.append({"Id": each, "ReturnData": False, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}})
    expression = "IF(failed >= 2, 100 * failed / (failed + succeeded), 0)"
    cloudwatch.put_metric_alarm(
        AlarmName=of_two,
        EvaluationPeriods=1,
        Threshold=50,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        Metrics=[*metrics, {"Id": "percent", "Expression": expression}],
    )

    def put(alarm: str, **values: float) -> str:
        data = [{"MetricName": metric, "Value": value} for metric, value in values.items()]
        cloudwatch.put_metric_data(Namespace="Lab", MetricData=data)
        return state(lab, alarm)

    failed, succeeded = f"failed{of_two}", f"succeeded{of_two}"
    return (
        put(name, **{name: 1}),
        put(name, **{name: 1}),
        put(of_two, **{failed: 1, succeeded: 1}),
        put(of_two, **{failed: 1, succeeded: 1}),
    )


@probe([("Lab", "Waits", [{"Name": "Queue", "Value": "main"}])])
def embedded_metrics(lab: Lab) -> Any:
    logs, name = lab.client("logs"), lab.name("group")
    metric = {"Namespace": "Lab", "Dimensions": [["Queue"]], "Metrics": [{"Name": "Waits", "Unit": "Count"}]}
    now = int(time.time() * 1000)
    line = {"_aws": {"Timestamp": now, "CloudWatchMetrics": [metric]}, "Queue": "main", "Waits": 3}
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="a")
    events = [{"timestamp": now, "message": text} for text in (json.dumps(line), '{"CloudWatchMetrics": 1}')]
    logs.put_log_events(logGroupName=name, logStreamName="a", logEvents=events)
    listed = lab.client("cloudwatch").list_metrics(Namespace="Lab", MetricName="Waits")["Metrics"]
    return [(each["Namespace"], each["MetricName"], each["Dimensions"]) for each in listed]


@probe((1, 0))
def event_patterns(lab: Lab) -> Any:
    events, patterned, scheduled = lab.client("events"), lab.name("rule"), lab.name("rule")
    pattern = json.dumps({"source": ["lab.arrays"], "detail": {"attempts": {"reason": [{"prefix": "Host"}]}}})
    made = {
        patterned: events.put_rule(Name=patterned, EventPattern=pattern)["RuleArn"],
        scheduled: events.put_rule(Name=scheduled, ScheduleExpression="rate(5 minutes)")["RuleArn"],
    }
    urls = {rule: queue(lab, "events", arn) for rule, arn in made.items()}
    for rule, url in urls.items():
        events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn_of(url)}])
    for reason in ("Host EC2 terminated", "exit 1"):
        detail = json.dumps({"attempts": [{"reason": "exit 1"}, {"reason": reason}]})
        events.put_events(Entries=[{"Source": "lab.arrays", "DetailType": "a", "Detail": detail}])
    return tuple(len(messages(lab, url)) for url in urls.values())


PROBES = (alarm_actions, alarm_states, alarm_evaluation, embedded_metrics, event_patterns)
