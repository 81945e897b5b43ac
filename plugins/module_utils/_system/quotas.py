# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The account's limits that a second, Fargate side of a system can meet, and how much of them is in use."""

from __future__ import annotations

import datetime
import typing as t

from .read import Reader, Shape, together

# Name -> service code and quota code of Service Quotas. [D ecs/service-quotas, elb/load-balancer-limits, vpc/amazon-vpc-limits]
QUOTAS = {
    "fargate_vcpu": ("fargate", "L-3032A538"),
    "load_balancers": ("elasticloadbalancing", "L-53DA6B97"),
    "target_groups": ("elasticloadbalancing", "L-B22855CB"),
    "network_interfaces": ("vpc", "L-DF5E4CA3"),
    "rules_per_security_group": ("vpc", "L-0EA8095F"),
}
# Name -> name of DescribeAccountLimits, which needs no further permission; per load balancer, so the account's use says nothing.
LIMITS = {
    "rules_per_load_balancer": "rules-per-application-load-balancer",
    "listeners_per_load_balancer": "listeners-per-application-load-balancer",
    "certificates_per_load_balancer": "certificates-per-application-load-balancer",
}
USAGE_HOURS = 3
PERIOD = 300


def read_quotas(read: Reader) -> Shape:
    """``quotas``: name -> ``{value, used}``, or None for one that AWS does not tell."""
    answers = together(
        limits=lambda: read.if_possible("quotas", [], lambda: read.all("elbv2", "describe_account_limits", "Limits")),
        **{name: _asked(read, name, *codes) for name, codes in QUOTAS.items()},
    )
    told = {item["Name"]: float(item["Max"]) for item in answers.pop("limits")}
    return {**answers, **{name: {"value": told[limit], "used": None} if limit in told else None for name, limit in LIMITS.items()}}


def _asked(read: Reader, name: str, service: str, code: str) -> t.Callable[[], Shape | None]:
    return lambda: read.if_possible(f"quotas.{name}", None, lambda: _quota(read, service, code), ["NoSuchResourceException"])


def _quota(read: Reader, service: str, code: str) -> Shape:
    found = read.one("service-quotas", "get_service_quota", ServiceCode=service, QuotaCode=code)["Quota"]
    return {"value": found.get("Value"), "used": _used(read, found.get("UsageMetric") or {})}


def _used(read: Reader, metric: Shape) -> float | None:
    """The highest use of the last hours, by the metric that Service Quotas names; None where it names none or it has no data."""
    if not metric.get("MetricName"):
        return None
    statistic = metric.get("MetricStatisticRecommendation") or "Maximum"
    until = datetime.datetime.now(datetime.UTC)
    points = read.one(
        "cloudwatch",
        "get_metric_statistics",
        Namespace=metric["MetricNamespace"],
        MetricName=metric["MetricName"],
        Dimensions=[{"Name": name, "Value": value} for name, value in sorted((metric.get("MetricDimensions") or {}).items())],
        StartTime=until - datetime.timedelta(hours=USAGE_HOURS),
        EndTime=until,
        Period=PERIOD,
        Statistics=[statistic],
    )["Datapoints"]
    return max((point[statistic] for point in points), default=None)
