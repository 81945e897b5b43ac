"""Snapshots from JSON: a healthy base, and what differs from it in a case."""

from __future__ import annotations

import copy
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._health import checks
from ansible_collections.cutover.fargate.plugins.module_utils._health.diagnose import diagnose
from ansible_collections.cutover.fargate.plugins.module_utils._health.model import (
    Cause,
    HealthRecord,
    LogLine,
    Network,
    Outcome,
    Service,
    Snapshot,
    StepResult,
)
from unit.plugins.module_utils._health.web import pki, serve

__all__ = ["pki", "serve"]

FIXTURES = Path(__file__).parent / "fixtures"
SETTLE = 20.0


def put(data: t.Any, path: str, value: t.Any) -> None:
    """``services/0/service/runningCount`` = value; null removes. ``-`` appends."""
    *parents, last = path.split("/")
    for part in parents:
        data = data[int(part)] if isinstance(data, list) else data.setdefault(part, {})
    if isinstance(data, list):
        if last == "-":
            data.append(value)
        else:
            data[int(last)] = value
    elif value is None:
        data.pop(last, None)
    else:
        data[last] = value


def load_snapshot(data: dict[str, t.Any]) -> Snapshot:
    plain = {key: value for key, value in data.items() if key not in ("services", "network", "health_history", "probes")}
    services = [
        Service(**{**entry, "logs": [LogLine(*line) for line in entry.get("logs", [])], "definition": entry.get("definition") or entry.get("newest")})
        for entry in data["services"]
    ]
    return Snapshot(
        **plain,
        services=services,
        network=Network(**data.get("network", {})),
        health_history=[HealthRecord(**record) for record in data.get("health_history", [])],
        probes=[StepResult(**result) for result in data.get("probes", [])],
    )


def log_lines(lines: t.Iterable[t.Sequence[t.Any]]) -> dict[str, list[tuple[str, str, str, str, float, str]]]:
    """(service, task, container, at, text) by service, with group and stream as awslogs names them."""
    found: dict[str, list[tuple[str, str, str, str, float, str]]] = {}
    for service, task, container, at, text in lines:
        prefix = {"php-fpm": "php"}.get(container, container)
        found.setdefault(service, []).append((task, container, f"/ecs/{service}-fargate", f"{prefix}/{container}/{task}", at, text))
    return found


def make(changes: t.Mapping[str, t.Any] | None = None, logs: t.Iterable[t.Sequence[t.Any]] = ()) -> Snapshot:
    data = copy.deepcopy(json.loads((FIXTURES / "base.json").read_text()))
    for path, value in (changes or {}).items():
        put(data, path, value)
    by_service = log_lines(logs)
    for entry in data["services"]:
        entry["logs"] = by_service.get(entry["name"], [])
    return load_snapshot(data)


def judged(snapshot: Snapshot) -> list[Outcome]:
    outcomes = checks.judge(snapshot, SETTLE)
    return [*outcomes, *checks.probe_outcomes(snapshot, checks.ready_for_probes(snapshot, outcomes))]


def causes_of(snapshot: Snapshot) -> list[Cause]:
    return diagnose(snapshot, judged(snapshot))


class Kit(t.NamedTuple):
    make: t.Callable[..., Snapshot]
    judge: t.Callable[[Snapshot], list[Outcome]]
    causes: t.Callable[[Snapshot], list[Cause]]


@pytest.fixture
def kit() -> Kit:
    return Kit(make, judged, causes_of)


# --- AWS that answers from the base


class FakeService:
    """One boto3 client: answers by operation, also through paginators, and notes every call."""

    def __init__(self, name: str, clients: FakeClients) -> None:
        self.name, self.clients = name, clients

    def __getattr__(self, operation: str) -> t.Callable[..., t.Any]:
        def call(**params: t.Any) -> t.Any:
            self.clients.calls.append((operation, params))
            answer = self.clients.answers.get(operation, {})
            if isinstance(answer, Exception):
                raise answer
            return copy.deepcopy(answer(**params) if callable(answer) else answer)

        return call

    def get_paginator(self, operation: str) -> t.Any:
        call = getattr(self, operation)

        class Pages:
            def paginate(self, **params: t.Any) -> list[t.Any]:
                return [call(**params)]

        return Pages()


class FakeClients:
    region = "eu-west-1"

    def __init__(self, answers: dict[str, t.Any]) -> None:
        self.answers = answers
        self.calls: list[tuple[str, dict[str, t.Any]]] = []

    def __call__(self, service: str) -> FakeService:
        return FakeService(service, self)

    def asked(self, operation: str) -> list[dict[str, t.Any]]:
        return [params for name, params in self.calls if name == operation]


def answers_of(data: dict[str, t.Any]) -> dict[str, t.Any]:
    """What AWS would answer about the system of ``base.json``."""
    services = {entry["name"]: entry for entry in data["services"]}
    tasks = {task["taskArn"]: task for entry in data["services"] for task in [*entry["tasks"], *entry.get("stopped", [])]}

    def list_tasks(serviceName: str, desiredStatus: str, **_more: t.Any) -> t.Any:  # noqa: N803
        found = services[serviceName]["tasks"] if desiredStatus == "RUNNING" else services[serviceName].get("stopped", [])
        return {"taskArns": [task["taskArn"] for task in found]}

    def definition(taskDefinition: str) -> t.Any:  # noqa: N803
        found = next(entry["newest"] for entry in data["services"] if taskDefinition in (entry["family"], entry["newest"]["taskDefinitionArn"]))
        return {"taskDefinition": found}

    network = data["network"]
    return {
        "list_tasks": list_tasks,
        "describe_task_definition": definition,
        "describe_load_balancers": {"LoadBalancers": [data["load_balancer"]]},
        "describe_listeners": {"Listeners": data["listeners"]},
        "describe_rules": {"Rules": []},
        "describe_target_groups": {"TargetGroups": [{k: v for k, v in group.items() if k != "TargetHealth"} for group in data["target_groups"].values()]},
        "describe_target_health": lambda TargetGroupArn: {"TargetHealthDescriptions": data["target_groups"][TargetGroupArn]["TargetHealth"]},  # noqa: N803
        "describe_network_interfaces": {"NetworkInterfaces": [{"PrivateIpAddress": "10.20.0.10", "Association": {"PublicIp": "192.0.2.10"}}]},
        "describe_security_groups": {"SecurityGroups": list(network["security_groups"].values())},
        "describe_subnets": {"Subnets": list(network["subnets"].values())},
        "describe_route_tables": {"RouteTables": network["route_tables"]},
        "describe_network_acls": {"NetworkAcls": network["network_acls"]},
        "describe_db_instances": {
            "DBInstances": [
                {
                    "DBInstanceIdentifier": "shop-db",
                    "Endpoint": {"Address": "shop-db.abc.eu-west-1.rds.amazonaws.com", "Port": 3306},
                    "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-rds"}],
                }
            ]
        },
        "describe_cache_clusters": {
            "CacheClusters": [
                {
                    "CacheClusterId": "shop-redis",
                    "CacheNodes": [{"Endpoint": {"Address": "shop-redis.abc.cache.amazonaws.com", "Port": 6379}}],
                    "SecurityGroups": [{"SecurityGroupId": "sg-redis"}],
                }
            ]
        },
        **_by_name(services, tasks),
    }


def _by_name(known: dict[str, t.Any], tasks: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "describe_services": lambda services, **_more: {"services": [known[name]["service"] for name in services if known[name].get("service")]},
        "describe_tasks": lambda cluster, tasks, _all=tasks: {"tasks": [_all[arn] for arn in tasks] if cluster else []},
    }


@pytest.fixture
def aws() -> t.Callable[..., FakeClients]:
    def build(changes: t.Mapping[str, t.Any] | None = None, **answers: t.Any) -> FakeClients:
        data = json.loads((FIXTURES / "base.json").read_text())
        for path, value in (changes or {}).items():
            put(data, path, value)
        return FakeClients({**answers_of(data), **answers})

    return build
