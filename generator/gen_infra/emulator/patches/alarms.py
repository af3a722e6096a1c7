"""CloudWatch: metrics in logs, and alarms that change their state by the metrics.

An alarm is evaluated when a value of its metric arrives, at that value's time, and when a test asks for it, at any
time; AWS evaluates each alarm every minute:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

import ast
import json
import operator
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends
from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.logs.models import LogsBackend
from moto.sqs.models import sqs_backends

from gen_infra.emulator.authorization import acts
from gen_infra.emulator.patches.deliveries import deliver
from gen_infra.emulator.patches.events import send_event
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, moto_patch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}
_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Average": lambda values: sum(values) / len(values),
    "Maximum": max,
    "Minimum": min,
    "SampleCount": len,
    "Sum": sum,
}


@moto_patch(
    moto="5.2.5 changes the state of an alarm and does nothing else",
    aws="publishes to the topics of the new state, where the topic's policy lets the alarm, and sends an event",
)
def alarm_actions() -> None:
    """Publish to the topics of a changed state, and send the event to EventBridge.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """

    @around(CloudWatchBackend, "set_alarm_state")
    def set_alarm_state(
        original: Any, backend: CloudWatchBackend, alarm_name: str, reason: str, reason_data: str, state_value: str
    ) -> None:
        alarm: Any = backend.alarms.get(alarm_name)
        before = alarm and alarm.state_value
        original(backend, alarm_name, reason, reason_data, state_value)
        _report(backend, alarm, before, time.time())


def _report(backend: CloudWatchBackend, alarm: Any, before: str, now: float) -> None:
    topics = {"ALARM": alarm.alarm_actions, "OK": alarm.ok_actions}.get(alarm.state_value)
    state = {"AlarmName": alarm.name, "NewStateValue": alarm.state_value, "NewStateReason": alarm.state_reason}
    for topic in topics or ():
        if ":sns:" in topic:
            actor = acts.service("cloudwatch.amazonaws.com", backend.region_name, alarm.alarm_arn)
            deliver(actor, topic, json.dumps(state))
    if before != alarm.state_value:
        at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        detail = {
            "alarmName": alarm.name,
            "configuration": {"description": alarm.description or "", "metrics": []},
            "state": {"value": alarm.state_value, "reason": alarm.state_reason, "timestamp": at},
            "previousState": {"value": before},
        }
        where = (backend.region_name, backend.account_id)
        kind, source = "CloudWatch Alarm State Change", "aws.cloudwatch"
        send_event(*where, source=source, kind=kind, resources=[alarm.alarm_arn], detail=detail, time=now)


@moto_patch(
    moto="5.2.5 makes a new alarm OK, and one that is put again too",
    aws="gives a new alarm the state INSUFFICIENT_DATA, and keeps the state of one that is put again",
)
def alarm_states() -> None:
    """Set or keep the state: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html."""

    @around(CloudWatchBackend, "put_metric_alarm")
    def put_metric_alarm(original: Any, backend: CloudWatchBackend, name: str, *args: Any, **kwargs: Any) -> Any:
        before = backend.alarms.get(name)
        alarm = original(backend, name, *args, **kwargs)
        alarm.state_value = before.state_value if before else "INSUFFICIENT_DATA"
        return alarm


@moto_patch(
    moto="5.2.5 never evaluates an alarm",
    aws="changes the state of an alarm by the values of its metrics",
)
def alarm_evaluation() -> None:
    """Evaluate the alarms of the metrics that arrive."""

    @around(CloudWatchBackend, "put_metric_data")
    def put_metric_data(
        original: Any, backend: CloudWatchBackend, namespace: str, metric_data: list[dict[str, Any]]
    ) -> None:
        count = len(backend.metric_data)
        original(backend, namespace, metric_data)
        arrived = backend.metric_data[count:]
        names = {datum.name for datum in arrived}
        for alarm in list(backend.alarms.values()):
            if any(name in names for _, name, _ in _metrics(alarm)):
                newest = max(_seconds(datum.timestamp) for datum in arrived)
                _evaluate(backend, alarm, max(newest, getattr(alarm, "evaluated_at", 0)))


@moto_patch(
    moto="5.2.5 stores log events and does nothing else",
    aws="makes metrics of log events in the embedded metric format",
)
def embedded_metrics() -> None:
    """Put the metrics of such events.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """

    @around(LogsBackend, "put_log_events")
    def put_log_events(
        original: Any, backend: LogsBackend, group: str, stream: str, log_events: list[dict[str, Any]]
    ) -> Any:
        answer = original(backend, group, stream, log_events)
        for event in log_events:
            if '"CloudWatchMetrics"' in event["message"]:
                _put_embedded(cloudwatch_backends[backend.account_id][backend.region_name], event["message"])
        return answer


def _put_embedded(backend: CloudWatchBackend, message: str) -> None:
    try:
        document = json.loads(message)
        at = datetime.fromtimestamp(document["_aws"]["Timestamp"] / 1000, UTC).replace(tzinfo=None)
        for directive in document["_aws"]["CloudWatchMetrics"]:
            data = [
                {
                    "MetricName": metric["Name"],
                    "Value": document[metric["Name"]],
                    "Unit": metric.get("Unit", "None"),
                    "Timestamp": at,
                    "Dimensions": [{"Name": name, "Value": document[name]} for name in names],
                }
                for names in directive["Dimensions"]
                for metric in directive["Metrics"]
            ]
            backend.put_metric_data(directive["Namespace"], data)
    except (KeyError, TypeError, ValueError):  # such an event stays a log event
        return


def evaluate(region: str, now: float) -> list[str]:
    """Evaluate every alarm at a time in seconds since 1970; return the names of those that changed.

    SQS's metric of visible messages is measured first: moto has none.
    """
    backend = cloudwatch_backends[ACCOUNT_ID][region]
    before = {name: alarm.state_value for name, alarm in backend.alarms.items()}
    at = datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
    now = _seconds(at)  # in whole microseconds, as the values are: none is later than the evaluation
    for name, queue in sqs_backends[ACCOUNT_ID][region].queues.items():
        dimensions = [{"Name": "QueueName", "Value": name}]
        metric = {"MetricName": "ApproximateNumberOfMessagesVisible", "Dimensions": dimensions, "Timestamp": at}
        backend.put_metric_data("AWS/SQS", [metric | {"Value": queue.approximate_number_of_messages}])
    for alarm in list(backend.alarms.values()):
        _evaluate(backend, alarm, now)
    return [name for name, alarm in backend.alarms.items() if alarm.state_value != before.get(name)]


def _evaluate(backend: CloudWatchBackend, alarm: Any, now: float) -> None:
    """Set the state of an alarm."""
    alarm.evaluated_at = now  # values arrive late and in any order, and change nothing that came after them
    values = [_value(backend, alarm, now, number) for number in range(int(alarm.evaluation_periods))]
    state, before = _state(alarm, values), alarm.state_value
    if state == before:
        return
    known = ", ".join(f"{value:g}" for value in values if value is not None)
    reason = f"Threshold Crossed: the values were [{known}] and the threshold ({alarm.threshold:g})"
    alarm.update_state(reason, "{}", state)
    _report(backend, alarm, before, now)


def _state(alarm: Any, values: Sequence[float | None]) -> str:
    missing = alarm.treat_missing_data or "missing"
    if all(value is None for value in values) and missing in ("ignore", "missing"):
        return str(alarm.state_value) if missing == "ignore" else "INSUFFICIENT_DATA"
    compare, threshold = _COMPARISONS[alarm.comparison_operator], float(alarm.threshold)
    breaching = [missing == "breaching" if value is None else compare(value, threshold) for value in values]
    needed = int(alarm.datapoints_to_alarm or alarm.evaluation_periods)
    return "ALARM" if sum(breaching) >= needed else "OK"


Metric = tuple[str, str, frozenset[tuple[str | None, str | None]]]


def _metric(namespace: str, name: str, dimensions: Sequence[Any]) -> Metric:
    return namespace, name, frozenset((each.name, each.value) for each in dimensions)


def _metrics(alarm: Any) -> list[Metric]:
    """Return the metrics of an alarm: its only one, or those of its expression."""
    of_queries = [query.metric_stat.metric for query in alarm.metric_data_queries if query.metric_stat]
    found = [_metric(each.namespace, each.metric_name, each.dimensions) for each in of_queries]
    return found or [_metric(alarm.namespace, alarm.metric_name, alarm.dimensions)]


def _value(backend: CloudWatchBackend, alarm: Any, now: float, number: int) -> float | None:
    """Return the value of a period, the newest of which is number 0; None without data."""

    def statistic(metric: Metric, period: int, name: str) -> float | None:
        end = now - number * period
        values = [
            datum.value
            for datum in backend.metric_data
            if end - period < _seconds(datum.timestamp) <= end
            and _metric(datum.namespace, datum.name, datum.dimensions) == metric
            and hasattr(datum, "value")
        ]
        return float(_STATISTICS[name](values)) if values else None

    queries = alarm.metric_data_queries
    if not queries:
        [metric] = _metrics(alarm)
        return statistic(metric, int(alarm.period), alarm.statistic)
    of_metrics = [query for query in queries if query.metric_stat]
    values = {
        query.id: statistic(metric, int(query.metric_stat.period), query.metric_stat.stat)
        for query, metric in zip(of_metrics, _metrics(alarm), strict=True)
    }
    [expression] = [query.expression for query in queries if query.expression]
    return None if None in values.values() else _calculated(ast.parse(expression, mode="eval").body, values)


_OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Mult: operator.mul,
    ast.Sub: operator.sub,
}


def _calculated(node: ast.expr, values: Mapping[str, float | None]) -> float | None:
    """Calculate an expression of metric math: its arithmetic, comparisons and IF.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return values[name]
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            first, second = (_calculated(side, values) for side in (left, right))
            if first is None or second is None or (second == 0 and isinstance(op, ast.Div)):
                return None
            return float(_OPERATORS[type(op)](first, second))
        case ast.Call(func=ast.Name(id="IF"), args=[condition, yes, no]):
            return _calculated(yes if _calculated(condition, values) else no, values)
    raise ValueError(f"cannot calculate {ast.unparse(node)}")


def _seconds(timestamp: Any) -> float:
    if isinstance(timestamp, str):
        timestamp = datetime.fromisoformat(timestamp)
    aware: datetime = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
    return aware.timestamp()


PATCHES: tuple[MotoPatch, ...] = (alarm_actions, alarm_states, alarm_evaluation, embedded_metrics)
