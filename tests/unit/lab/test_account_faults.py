"""Faults in the account: changed once, changed again when repaired, put back at the end."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from lab.faults import Fault, Faults


def everywhere(name: str) -> Any:
    return SimpleNamespace(id=name, ip_protocol="-1", from_port=None, to_port=None, ip_range={"CidrIp": "0.0.0.0/0"}, source_group={}, prefix_list_id={})


class Aws:
    """An account with one Fargate service behind a load balancer, as far as faults look."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.region, self.account = "eu-west-1", "123456789012"
        self.group = SimpleNamespace(arn="tg", matcher={"HttpCode": "200"}, load_balancer_arns=["lb"])
        self.balancer = SimpleNamespace(security_groups=["sg-alb"], listeners={})
        self.groups = {name: SimpleNamespace(id=name, ingress_rules=[], egress_rules=[everywhere(name)]) for name in ("sg-alb", "sg-tasks", "sg-rds", "sg-vm")}
        self.definition = SimpleNamespace(arn="web:1", container_definitions=[{"name": "web"}], document={"containerDefinitions": [{"name": "web"}]})
        network = {"awsvpcConfiguration": {"securityGroups": ["sg-tasks"]}}
        service = SimpleNamespace(
            launch_type="FARGATE",
            configuration={},
            status="ACTIVE",
            network_configuration=network,
            load_balancers=[{"targetGroupArn": "tg"}],
            deployments=[{"taskDefinition": "web:1"}],
        )
        machine = SimpleNamespace(security_groups=[SimpleNamespace(id="sg-vm")])
        self._backends = {
            "ecs": SimpleNamespace(services={"web": service}, task_definitions={"web": {1: self.definition}}),
            "elbv2": SimpleNamespace(target_groups={"tg": self.group}, load_balancers={"lb": self.balancer}),
            "ec2": SimpleNamespace(groups={"vpc": self.groups}, reservations={"r": SimpleNamespace(instances=[machine])}, launch_templates={}),
            "rds": SimpleNamespace(databases={"db": SimpleNamespace(vpc_security_group_ids=["sg-rds"])}),
            "elasticache": SimpleNamespace(cache_clusters={}),
        }

    def backend(self, name: str) -> Any:
        return self._backends[name]


@pytest.fixture
def aws() -> Any:
    return Aws()


def allowed(group: Any) -> list[tuple[Any, Any]]:
    return [(rule.from_port, rule.source_group.get("GroupId")) for rule in group.egress_rules]


def test_a_change_is_made_again_when_it_was_repaired_and_put_back_at_the_end(aws: Any) -> None:
    faults = Faults(aws)
    faults.on(Fault("matcher"))
    faults.tick()
    assert aws.group.matcher == {"HttpCode": "202"}
    aws.group.matcher = {"HttpCode": "200-399"}
    faults.tick()
    assert aws.group.matcher == {"HttpCode": "202"}
    assert faults.off() == ["matcher"]
    assert aws.group.matcher == {"HttpCode": "200"}


def test_egress_of_the_load_balancer_keeps_the_source_reachable(aws: Any) -> None:
    faults = Faults(aws)
    faults.on(Fault("alb-egress"))
    faults.tick()
    faults.tick()
    assert allowed(aws.groups["sg-alb"]) == [(1024, "sg-vm")]
    assert allowed(aws.groups["sg-tasks"]) == [(None, None)]
    faults.off()
    assert allowed(aws.groups["sg-alb"]) == [(None, None)]


def test_egress_of_the_tasks_keeps_the_database_reachable(aws: Any) -> None:
    faults = Faults(aws)
    faults.on(Fault("no-egress"))
    faults.tick()
    assert allowed(aws.groups["sg-tasks"]) == [(3306, "sg-rds")]
    assert allowed(aws.groups["sg-vm"]) == [(None, None)]
    faults.off()
    assert allowed(aws.groups["sg-tasks"]) == [(None, None)]


def test_definitions_are_as_before_when_the_fault_ends(aws: Any) -> None:
    faults = Faults(aws)
    for name in ("secret", "wrong-arch"):
        faults.on(Fault(name))
    faults.tick()
    faults.tick()
    assert [len(container["secrets"]) for container in (aws.definition.container_definitions[0], aws.definition.document["containerDefinitions"][0])] == [1, 1]
    assert aws.definition.document["runtimePlatform"]["cpuArchitecture"] == "ARM64"
    faults.off()
    assert aws.definition.container_definitions == [{"name": "web"}]
    assert aws.definition.document == {"containerDefinitions": [{"name": "web"}]}


def test_a_log_goes_into_a_file_only_while_the_fault_is_on(aws: Any) -> None:
    for container in (*aws.definition.container_definitions, *aws.definition.document["containerDefinitions"]):
        container["environment"] = [{"name": "LOG_CHANNEL", "value": "stderr"}, {"name": "APP_ENV", "value": "production"}]
    faults = Faults(aws)
    faults.on(Fault("app-500-silent"))
    faults.tick()
    faults.tick()
    changed = [container["environment"] for container in (*aws.definition.container_definitions, *aws.definition.document["containerDefinitions"])]
    assert changed == [[{"name": "LOG_CHANNEL", "value": "single"}, {"name": "APP_ENV", "value": "production"}]] * 2
    faults.off()
    assert [container["environment"][0]["value"] for container in aws.definition.container_definitions] == ["stderr"]
