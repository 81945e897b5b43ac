"""What a task reserves on an instance."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from lab.reconcile.placement import _lacking, requirements, reserve


def instance() -> Any:
    resources = [
        {"name": "CPU", "integerValue": 2048},
        {"name": "MEMORY", "integerValue": 512},
        {"name": "PORTS", "stringSetValue": ["22"]},
    ]
    return SimpleNamespace(running_tasks_count=0, remaining_resources=resources)


def test_requirements_add_up_and_dynamic_ports_reserve_none() -> None:
    web = [
        {"name": "a", "cpu": 128, "memory": 256, "portMappings": [{"containerPort": 80, "hostPort": 0}]},
        {"name": "b", "cpu": 64, "memory": 512, "memoryReservation": 128, "portMappings": [{"containerPort": 81, "hostPort": 8081}]},
    ]
    assert requirements(web) == {"CPU": 192, "MEMORY": 384, "PORTS": ["8081"]}


def test_reserving_and_giving_back_is_neutral() -> None:
    item, needs = instance(), {"CPU": 100, "MEMORY": 200, "PORTS": ["80"]}
    reserve(item, needs, +1)
    assert item.running_tasks_count == 1
    assert _lacking(item, {"CPU": 0, "MEMORY": 0, "PORTS": ["80"]}) == "ports"
    assert _lacking(item, {"CPU": 0, "MEMORY": 400, "PORTS": []}) == "memory"
    reserve(item, needs, -1)
    assert vars(item) == vars(instance())


def test_cpu_is_named_first() -> None:
    assert _lacking(instance(), {"CPU": 4096, "MEMORY": 9999, "PORTS": []}) == "CPU units"
