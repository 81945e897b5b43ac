# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The two alarms a system must have: healthy targets behind the load balancer, running (or missing) tasks of a service."""

from __future__ import annotations

import typing as t

from .._aws import tags as tagging
from .._aws.apply import CLOCK, Call, Clock, apply, overlay, report
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from .._aws.run import KNOWN_AFTER_APPLY
from .._elbv2.common import find_load_balancer, find_target_group, full_name

Dict = t.Dict[str, t.Any]
Section = t.Mapping[str, t.Any]

COMMON: Dict = {
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 3,
    "ActionsEnabled": True,
}
"""Three bad minutes in a row."""

BELOW: Dict = {**COMMON, "Statistic": "Minimum", "Period": 60, "ComparisonOperator": "LessThanThreshold", "TreatMissingData": "breaching"}
"""No data is no proof of health: both metrics are published every minute as long as what they measure exists."""

MISSING: Dict = {**COMMON, "ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching"}
"""Of a service that is meant to have no task now and then there may be no data."""

METRICS: dict[str, tuple[str, str]] = {
    "healthy_hosts": ("AWS/ApplicationELB", "HealthyHostCount"),
    "running_tasks": ("ECS/ContainerInsights", "RunningTaskCount"),
}

COMPARED = ("AlarmDescription", "Namespace", "MetricName", "Dimensions", "Metrics", "Threshold", "AlarmActions", *BELOW)


def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool, clock: Clock = CLOCK) -> Dict:
    wanted = {item["name"]: look_up(item, clients, check_mode) for item in params["alarms"]}
    tags = {item["name"]: {key: str(value) for key, value in (item.get("tags") or {}).items()} for item in params["alarms"]}
    current = read(clients, list(wanted))
    for name, found in current.items():
        refuse_foreign(name, tags[name], found)
    calls = [call for name, alarm in wanted.items() for call in compare(alarm, tags[name], current.get(name))]
    changes = apply(calls, clients, {}, check_mode, clock)
    before = {name: view(found) for name, found in current.items()}
    after = {name: overlay(before.get(name, {}), {**alarm, "Tags": tags[name]}) for name, alarm in wanted.items()}
    return report(changes, before, after, alarms=sorted(wanted))


def look_up(item: Section, clients: Clients, check_mode: bool) -> Dict:
    """The plan's entry as PutMetricAlarm's arguments."""
    common = {"AlarmName": item["name"], "AlarmDescription": _description(item), "Threshold": float(item["threshold"])}
    common["AlarmActions"] = sorted(item.get("alarm_actions") or [])
    if item["kind"] == "missing_tasks":
        return {**common, "Metrics": _missing(item), **MISSING}
    namespace, metric = METRICS[item["kind"]]
    dimensions = _target_dimensions(item, clients, check_mode) if item["kind"] == "healthy_hosts" else _service_dimensions(item)
    return {**common, "Namespace": namespace, "MetricName": metric, "Dimensions": _named(dimensions), **BELOW}


def _named(dimensions: t.Mapping[str, str]) -> list[Dict]:
    return [{"Name": name, "Value": value} for name, value in sorted(dimensions.items())]


def _missing(item: Section) -> list[Dict]:
    """Wanted less running, in CloudWatch's metric math. [D AmazonCloudWatch/using-metric-math, AmazonCloudWatch/Container-Insights-metrics-ECS]"""
    metrics: list[Dict] = [{"Id": "missing", "Expression": "desired - running", "Label": "missing tasks", "ReturnData": True}]
    for name, metric in (("desired", "DesiredTaskCount"), ("running", "RunningTaskCount")):
        measured = {"Namespace": METRICS["running_tasks"][0], "MetricName": metric, "Dimensions": _named(_service_dimensions(item))}
        metrics.append({"Id": name, "MetricStat": {"Metric": measured, "Period": 60, "Stat": "Minimum"}, "ReturnData": False})
    return metrics


def _description(item: Section) -> str:
    if item["kind"] == "healthy_hosts":
        return f"Fewer than {item['threshold']:g} healthy targets in {item['target_group']} behind {item['load_balancer']}."
    if item["kind"] == "missing_tasks":
        return f"At least {item['threshold']:g} tasks of service {item['service']} in cluster {item['cluster']} that should run do not."
    return f"Fewer than {item['threshold']:g} running tasks of service {item['service']} in cluster {item['cluster']}."


def _service_dimensions(item: Section) -> dict[str, str]:
    return {"ClusterName": item["cluster"], "ServiceName": item["service"]}


def _target_dimensions(item: Section, clients: Clients, check_mode: bool) -> dict[str, str]:
    """CloudWatch names them by the last part of their ARNs, which only AWS knows."""
    balancer, group = find_load_balancer(clients, item["load_balancer"]), find_target_group(clients, item["target_group"])
    missing = [name for name, found in ((item["load_balancer"], balancer), (item["target_group"], group)) if found is None]
    if missing and not check_mode:
        raise CutoverError(
            f"The alarm {item['name']} watches {' and '.join(missing)}, which does not exist. Run the role alb first (--tags alb). "
            "No alarm was created or changed."
        )
    return {
        "LoadBalancer": full_name(balancer["LoadBalancerArn"]) if balancer else KNOWN_AFTER_APPLY,
        "TargetGroup": full_name(group["TargetGroupArn"]) if group else KNOWN_AFTER_APPLY,
    }


def existing(clients: Clients, names: t.Sequence[str]) -> dict[str, Dict]:
    """The alarms that exist by name. AWS takes a hundred names a call."""
    found: dict[str, Dict] = {}
    for start in range(0, len(names), 100):
        described = clients("cloudwatch").describe_alarms(AlarmNames=list(names[start : start + 100]), AlarmTypes=["MetricAlarm"])["MetricAlarms"]
        found.update({alarm["AlarmName"]: alarm for alarm in described})
    return found


def read(clients: Clients, names: t.Sequence[str]) -> dict[str, Dict]:
    """The same with their tags."""
    client, found = clients("cloudwatch"), existing(clients, names)
    return {name: {**alarm, "Tags": tagging.to_dict(client.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"])} for name, alarm in found.items()}


def view(found: Section) -> Dict:
    """An alarm as AWS describes it, as PutMetricAlarm's arguments."""
    shown = {key: found.get(key) for key in COMPARED}
    if found.get("Metrics"):
        shown = {key: value for key, value in shown.items() if key not in ("Namespace", "MetricName", "Dimensions", "Statistic", "Period")}
        shown["Metrics"] = [plain(metric) for metric in found["Metrics"]]
    else:
        del shown["Metrics"]
        shown["Dimensions"] = sorted(found.get("Dimensions") or [], key=lambda item: str(item["Name"]))
    shown["AlarmActions"] = sorted(found.get("AlarmActions") or [])
    shown["DatapointsToAlarm"] = found.get("DatapointsToAlarm") or found.get("EvaluationPeriods")
    return {"AlarmName": found["AlarmName"], **shown, "Tags": found["Tags"]}


def plain(metric: Section) -> Dict:
    """One entry of metric math without the members that AWS adds empty, its dimensions in order."""
    plain = {key: value for key, value in metric.items() if value not in (None, [], {})}
    measured = (metric.get("MetricStat") or {}).get("Metric")
    if measured:
        ordered = sorted(measured.get("Dimensions") or [], key=lambda item: str(item["Name"]))
        plain["MetricStat"] = {**metric["MetricStat"], "Metric": {**measured, "Dimensions": ordered}}
    return plain


def refuse_foreign(name: str, tags: Section, found: Section) -> None:
    owner = tags.get(tagging.SYSTEM)
    if owner is not None and found["Tags"].get(tagging.SYSTEM) != owner:
        raise CutoverError(
            f"The alarm {name} exists without the tag {tagging.SYSTEM}={owner}, so it is not ours to change. Choose another name (fargate_names.alarms, for "
            "one that is made again), or tag it if it is this system's. No alarm was created or changed."
        )


def compare(wanted: Section, tags: Section, found: Section | None) -> list[Call]:
    """PutMetricAlarm replaces the whole alarm; its tags count only when it creates one. [B PutMetricAlarmInput.Tags]"""
    name = wanted["AlarmName"]
    if found is None:
        return [Call(f"create alarm {name}", "cloudwatch", "put_metric_alarm", {**wanted, "Tags": tagging.to_list(tags)})]
    calls = []
    current = view(found)
    different = sorted(key for key in COMPARED if wanted.get(key) != current.get(key))
    if different:
        kept = {key: found[key] for key in ("OKActions", "InsufficientDataActions") if found.get(key)}
        calls.append(Call(f"set {', '.join(different)} of alarm {name}", "cloudwatch", "put_metric_alarm", {**kept, **wanted}))
    missing = tagging.missing(tags, found["Tags"])
    if missing:
        params = {"ResourceARN": found["AlarmArn"], "Tags": tagging.to_list(missing)}
        calls.append(Call(f"tag alarm {name} with {', '.join(sorted(missing))}", "cloudwatch", "tag_resource", params))
    return calls
