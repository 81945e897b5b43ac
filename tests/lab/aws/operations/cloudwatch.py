"""CloudWatch metrics from what the data plane measured (``observed.metrics``), and alarms that are evaluated against them when they are described."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lab.aws.errors import AwsError
from lab.aws.observed import Metrics
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Average": lambda values: sum(values) / len(values),
    "Minimum": min,
    "Maximum": max,
    "SampleCount": len,
}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
Period = tuple[datetime, list[float], str]  # start, values, unit


def statistic(name: str, values: Sequence[float]) -> float:
    """One of CloudWatch's statistics; ``p99`` and its kin by the nearest rank."""
    if name in STATISTICS:
        return float(STATISTICS[name](values))
    if name.startswith("p") and name[1:].replace(".", "", 1).isdigit():
        rank = max(math.ceil(float(name[1:]) / 100 * len(values)), 1)
        return float(sorted(values)[rank - 1])
    raise AwsError("ValidationError", f"The value {name} for parameter Stat is not supported.")


def aware(time: datetime) -> datetime:
    """Times in calls are UTC without a zone (moto's parser)."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def periods(metrics: Metrics, metric: dict[str, Any], seconds: int, start: datetime, end: datetime) -> list[Period]:
    """The samples in whole periods, aligned to the period's length, oldest first; periods without a sample are absent."""
    dimensions = {item["Name"]: item["Value"] for item in metric.get("Dimensions") or []}
    found: dict[datetime, tuple[list[float], str]] = {}
    begin = datetime.fromtimestamp(start.timestamp() // seconds * seconds, UTC)
    for point in metrics.points(metric["Namespace"], metric["MetricName"], dimensions, begin, end):
        bucket = datetime.fromtimestamp(point.time.timestamp() // seconds * seconds, UTC)
        found.setdefault(bucket, ([], point.unit))[0].append(point.value)
    return [(bucket, values, unit) for bucket, (values, unit) in sorted(found.items())]


@operation("cloudwatch", "PutMetricData")
def put_metric_data(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    for item in call.parameters.get("MetricData", []):
        dimensions = {pair["Name"]: pair["Value"] for pair in item.get("Dimensions") or []}
        time = aware(item["Timestamp"]) if item.get("Timestamp") else None
        for value in item.get("Values") or [item.get("Value", 0.0)]:
            aws.observed.metrics.put(call.parameters["Namespace"], item["MetricName"], dimensions, value, item.get("Unit") or "None", time)
    return {}


@operation("cloudwatch", "GetMetricStatistics")
def get_metric_statistics(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    wanted = call.parameters
    found = periods(aws.observed.metrics, wanted, wanted["Period"], aware(wanted["StartTime"]), aware(wanted["EndTime"]))
    names, extended = wanted.get("Statistics") or [], wanted.get("ExtendedStatistics") or []
    points = []
    for time, values, unit in found:
        point: dict[str, Any] = {"Timestamp": time, "Unit": unit, **{name: statistic(name, values) for name in names}}
        points.append(point | ({"ExtendedStatistics": {name: statistic(name, values) for name in extended}} if extended else {}))
    return {"Label": wanted["MetricName"], "Datapoints": points}


@operation("cloudwatch", "GetMetricData")
def get_metric_data(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    wanted = call.parameters
    start, end = aware(wanted["StartTime"]), aware(wanted["EndTime"])
    results = [_result(aws, query, start, end, wanted.get("ScanBy")) for query in wanted["MetricDataQueries"]]
    return {"MetricDataResults": results, "Messages": []}


def _result(aws: AwsServer, query: dict[str, Any], start: datetime, end: datetime, order: str | None) -> dict[str, Any]:
    if not query.get("MetricStat"):
        raise AwsError("ValidationError", "The lab answers MetricStat queries only, no expressions.")
    stat = query["MetricStat"]
    found = periods(aws.observed.metrics, stat["Metric"], stat["Period"], start, end)
    if order != "TimestampAscending":
        found.reverse()
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or stat["Metric"]["MetricName"],
        "Timestamps": [time for time, _, _ in found],
        "Values": [statistic(stat["Stat"], values) for _, values, _ in found],
        "StatusCode": "Complete",
    }


@operation("cloudwatch", "ListMetrics")
def list_metrics(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    wanted = call.parameters
    shown = [
        {"Namespace": namespace, "MetricName": name, "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(dimensions.items())]}
        for namespace, name, dimensions in aws.observed.metrics.series()
        if wanted.get("Namespace") in (None, namespace)
        and wanted.get("MetricName") in (None, name)
        and all(item.get("Value") in (None, dimensions.get(item["Name"])) and item["Name"] in dimensions for item in wanted.get("Dimensions") or [])
    ]
    return {"Metrics": shown}


@operation("cloudwatch", "DescribeAlarms")
def describe_alarms(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """A new alarm is INSUFFICIENT_DATA until there is data."""
    answer = aws.ask_moto(call)
    for alarm in answer.get("MetricAlarms", []):
        alarm["StateValue"] = state(aws.observed.metrics, alarm, aws.now())
    return answer


def ringing(aws: AwsServer, names: Sequence[str]) -> set[str]:
    """Which of these alarms are in ALARM."""
    known = aws.backend("cloudwatch").alarms
    return {name for name in names if name in known and state(aws.observed.metrics, _described(known[name]), aws.now()) == "ALARM"}


def _described(alarm: Any) -> dict[str, Any]:
    """moto's alarm as DescribeAlarms tells it, as far as :func:`state` looks."""
    return {
        "MetricName": alarm.metric_name,
        "Namespace": alarm.namespace,
        "Dimensions": [{"Name": item.name, "Value": item.value} for item in alarm.dimensions or []],
        "Period": alarm.period,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm,
        "Threshold": alarm.threshold,
        "ComparisonOperator": alarm.comparison_operator,
        "Statistic": alarm.statistic,
        "ExtendedStatistic": alarm.extended_statistic,
        "TreatMissingData": alarm.treat_missing_data,
        "StateValue": alarm.state_value,
    }


def state(metrics: Metrics, alarm: dict[str, Any], now: datetime) -> str:
    """OK, ALARM or INSUFFICIENT_DATA by the last whole periods and the alarm's treatment of missing data."""
    if not alarm.get("MetricName"):
        return str(alarm.get("StateValue") or "INSUFFICIENT_DATA")
    seconds, count = int(alarm["Period"]), int(alarm["EvaluationPeriods"])
    end = datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
    start = end - timedelta(seconds=seconds * count)
    found = {time: values for time, values, _ in periods(metrics, alarm, seconds, start, end)}
    missing = alarm.get("TreatMissingData") or "missing"
    if not found and missing in ("missing", "ignore"):
        return "INSUFFICIENT_DATA"
    name = str(alarm.get("Statistic") or alarm.get("ExtendedStatistic"))
    breaches = sum(COMPARISONS[alarm["ComparisonOperator"]](statistic(name, values), alarm["Threshold"]) for values in found.values())
    breaches += (count - len(found)) * (missing == "breaching")
    return "ALARM" if breaches >= int(alarm.get("DatapointsToAlarm") or count) else "OK"
