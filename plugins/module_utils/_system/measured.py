# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What one task of a service used at most, as CloudWatch saw it: evidence beats what a task definition declares."""

from __future__ import annotations

import datetime
import re
import typing as t

from .read import Reader, Shape, chunks

DAYS = 14
LEAST_DAYS = 7
"""A week has busy days and quiet ones. What was measured since yesterday (a new service, Container Insights just turned on) would make a task too small."""
PERIOD = 86400
QUERIES = 500
"""Of one call. [B GetMetricDataInput.MetricDataQueries]"""
# Container Insights tells units and MiB, the metrics that every service has tell percent of what its tasks reserve.
# [D ecs/cloudwatch-metrics, AmazonCloudWatch/Container-Insights-metrics-ECS]
METRICS = (
    ("ECS/ContainerInsights", "CpuUtilized"),
    ("ECS/ContainerInsights", "MemoryUtilized"),
    ("AWS/ECS", "CPUUtilization"),
    ("AWS/ECS", "MemoryUtilization"),
)


def read_measured(read: Reader, cluster: Shape, services: t.Sequence[Shape], path: str) -> dict[str, Shape | None]:
    """Service -> ``{cpu: CPU units, memory: MiB, days, source}``, each None where nothing was measured; None for a service without any."""
    queries = [_query(f"m{row}_{column}", cluster, service, *METRICS[column]) for row, service in enumerate(services) for column in range(len(METRICS))]
    until = datetime.datetime.now(datetime.UTC)
    when = {"StartTime": until - datetime.timedelta(days=DAYS), "EndTime": until}
    results = [item for part in chunks(queries, QUERIES) for item in _asked(read, part, when, f"{path}.services")]
    daily: dict[str, list[float]] = {}
    for item in results:
        daily.setdefault(item["Id"], []).extend(item.get("Values", []))
    most = {identifier: max(values) for identifier, values in daily.items() if len(values) >= LEAST_DAYS}
    return {
        service["serviceName"]: used(service["TaskDefinition"] or {}, [most.get(f"m{row}_{column}") or None for column in range(len(METRICS))])
        for row, service in enumerate(services)
    }


def _asked(read: Reader, queries: t.Sequence[Shape], when: Shape, path: str) -> list[Shape]:
    return read.if_possible(path, [], lambda: read.all("cloudwatch", "get_metric_data", "MetricDataResults", MetricDataQueries=list(queries), **when))


def used(definition: t.Mapping[str, t.Any], most: t.Sequence[float | None]) -> Shape | None:
    """Units and MiB from the highest values of ``METRICS``. Percent of nothing declared says nothing."""
    units, mebibytes, cpu_percent, memory_percent = most
    reserved_cpu, reserved_memory = reserved(definition)
    cpu = units or (cpu_percent * reserved_cpu / 100 if cpu_percent and reserved_cpu else None)
    memory = mebibytes or (memory_percent * reserved_memory / 100 if memory_percent and reserved_memory else None)
    if cpu is None and memory is None:
        return None
    source = "Container Insights" if units or mebibytes else "AWS/ECS"
    return {"cpu": None if cpu is None else round(cpu), "memory": None if memory is None else round(memory), "days": DAYS, "source": source}


def reserved(definition: t.Mapping[str, t.Any]) -> tuple[int, int]:
    """CPU units and MiB that a task reserves: its own numbers, else the sum of its containers'. Sizes in words (1 vCPU) count as undeclared."""
    containers = definition.get("containerDefinitions") or []
    cpu = _number(definition.get("cpu")) or sum(container.get("cpu") or 0 for container in containers)
    memory = _number(definition.get("memory")) or sum(container.get("memoryReservation") or container.get("memory") or 0 for container in containers)
    return cpu, memory


def _number(value: t.Any) -> int:
    return int(value) if re.fullmatch(r"\d+", str(value or "")) else 0


def _query(identifier: str, cluster: Shape, service: Shape, namespace: str, metric: str) -> Shape:
    dimensions = [{"Name": "ClusterName", "Value": cluster["clusterName"]}, {"Name": "ServiceName", "Value": service["serviceName"]}]
    stat = {"Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions}, "Period": PERIOD, "Stat": "Maximum"}
    return {"Id": identifier, "MetricStat": stat}
