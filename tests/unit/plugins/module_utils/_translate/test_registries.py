"""Service discovery: names, doors into the tasks, clients, answers."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import names
from unit.plugins.module_utils._translate import systems
from unit.plugins.module_utils._translate.systems import Json

ARN = "arn:aws:servicediscovery:eu-west-1:123456789012:service/srv-web"


def registry(*types: str, name: str = "web") -> Json:
    records = {"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": kind, "TTL": 30} for kind in types]}
    namespace = {"Id": "ns-1", "Name": "internal.example", "Type": "DNS_PRIVATE"}
    return {"Name": name, "Arn": ARN, "NamespaceId": "ns-1", "DnsConfig": records, "Namespace": namespace, "Tags": {}}


def system(*types: str, port: int | None = 80, rules: t.Sequence[Json] = (), mode: str | None = None, host: int = 0) -> Json:
    found = systems.system()
    source = found["source"]
    web = next(service for service in source["services"] if service["serviceName"] == "web")
    pair = {"containerName": "nginx", "containerPort": port} if port else {}
    web["serviceRegistries"] = [{"registryArn": ARN, **pair}]
    container = next(item for item in web["TaskDefinition"]["containerDefinitions"] if item["name"] == "nginx")
    container["portMappings"][0]["hostPort"] = host
    if mode:
        web["TaskDefinition"]["networkMode"] = mode
    source["registries"] = [registry(*types)]
    source["security_groups"]["tasks"][0]["IpPermissions"] = list(rules)
    return found


def worker_of(found: Json) -> Json:
    worker = next(service for service in found["source"]["services"] if service["serviceName"] == "worker")
    return t.cast(Json, worker["TaskDefinition"]["containerDefinitions"][0])


def rule(first: int, last: int, group: str = "sg-0client", protocol: str = "tcp", **more: t.Any) -> Json:
    return {"IpProtocol": protocol, "FromPort": first, "ToPort": last, "UserIdGroupPairs": [{"GroupId": group, **more}]}


def doors(found: Json) -> list[tuple[str | None, int]]:
    ingress = systems.plan(found)["security"]["ingress"]
    return [(None if item.get("itself") else item["source_group_id"], item["from_port"]) for item in ingress if "clients of" in item["description"]]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("web", "web-fargate"),
        ("_web._tcp", "_web-fargate._tcp"),
        ("a.b", "a-fargate.b"),
        ("w" * 63, "w" * 48 + "-" + names.digest("w" * 63) + "-fargate"),
    ],
)
def test_the_suffix_goes_onto_the_first_label(source: str, target: str) -> None:
    assert names.cloud_map_service(source) == target
    assert max(map(len, names.cloud_map_service(source).split("."))) <= 63


@pytest.mark.parametrize(
    ("rules", "host", "expected"),
    [
        ([rule(32768, 65535)], 0, [("sg-0client", 80)]),
        ([rule(49153, 65535)], 0, [("sg-0client", 80)]),
        ([rule(0, 0, protocol="-1")], 0, [("sg-0client", 80)]),
        ([rule(32768, 50000)], 0, []),
        ([rule(50000, 50010)], 0, []),  # opens some of the dynamic ports, for something else
        ([rule(32768, 65535, protocol="udp")], 0, []),
        ([rule(8080, 8080)], 8080, [("sg-0client", 80)]),
        ([rule(80, 80)], 8080, []),
        ([rule(8080, 8080, "sg-0alb")], 8080, []),  # the load balancer's own way in is another rule
        ([rule(8080, 8080, "sg-0inst")], 8080, [(None, 80)]),
        ([rule(8080, 8080, VpcPeeringConnectionId="pcx-1")], 8080, []),
        ([rule(8080, 8080, UserId="999999999999")], 8080, []),
    ],
)
def test_who_reached_the_host_port_reaches_the_container_port(rules: list[Json], host: int, expected: list[tuple[str | None, int]]) -> None:
    assert doors(system("SRV", rules=rules, host=host)) == expected


def test_a_name_without_ports_opens_every_port_of_the_service() -> None:
    assert doors(system("A", port=None, mode="awsvpc", rules=[rule(80, 80)])) == [("sg-0client", 80)]


def test_groups_of_the_source_are_named_only_when_they_outlive_it() -> None:
    """A rule that names the instances' group would keep the teardown from deleting it."""
    found = system("SRV", rules=[rule(32768, 65535, "sg-0inst")])
    found["source"]["other_services"] = ["blog"]
    assert doors(found) == [("sg-0inst", 80), (None, 80)]


def test_services_that_share_a_cloud_map_service_share_its_successor() -> None:
    found = system("SRV", rules=[rule(32768, 65535)])
    for service in found["source"]["services"]:
        service["serviceRegistries"] = [{"registryArn": ARN, "containerName": "x", "containerPort": 80}]
    plan = systems.plan(found)
    assert [item["name"] for item in plan["registries"]] == ["web-fargate"]
    assert {entry["name"] for service in plan["services"] for entry in service["service_registries"]} == {"web-fargate"}


def test_the_inventory_names_it() -> None:
    plan = systems.plan(system("SRV"), names={"cloud_map_services": {"web": "api"}})
    assert plan["registries"][0]["name"] == "api"
    assert [item["new_value"] for item in plan["findings"] if item["id"] == "FG-REGISTRY"] == ["api.internal.example"]


@pytest.mark.parametrize("given", ["None", "srv-web", "arn:aws:ecs:eu-west-1:123456789012:service/x", ["x"]])
def test_answers_that_cannot_be_right(given: t.Any) -> None:
    plan = systems.plan(system("SRV"), service_registries={"web": given})
    assert systems.at(plan, "FG-INTENT") == ["fargate_service_registries[web]"]


def test_an_answer_for_a_service_that_registers_nowhere_is_told() -> None:
    plan = systems.plan(system("SRV"), service_registries={"worker": ARN})
    assert systems.at(plan, "FG-INTENT") == ["fargate_service_registries[worker]"]
    assert systems.at(systems.plan(system("SRV"), service_registries={"worker": "none"}), "FG-INTENT") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web.internal.example", "web-fargate.internal.example"),
        ("WEB.Internal.Example.:80", "web-fargate.internal.example.:80"),
        ("http://u:p@web.internal.example/x web.internal.example", "http://u:p@web-fargate.internal.example/x web-fargate.internal.example"),
        ("api.web.internal.example", None),
        ("web.internal.example.org", None),
        ("web.internal.example-2", None),
        ("web", None),
    ],
)
@pytest.mark.parametrize("place", ["environment", "command", "healthCheck"])
def test_full_names_are_rewritten_and_nothing_else(text: str, expected: str | None, place: str) -> None:
    found = system("SRV", rules=[rule(32768, 65535)])
    worker = worker_of(found)
    worker.update({"environment": {"environment": [{"name": "API", "value": text}]}, "healthCheck": {"healthCheck": {"command": ["CMD", text]}}}.get(place, {}))
    if place == "command":
        worker["command"] = [text]
    plan = systems.plan(found)
    planned = {item["name"]: item for task in plan["task_definitions"] for item in task["containerDefinitions"]}["worker"]
    values = {"environment": planned["environment"], "command": planned.get("command"), "healthCheck": (planned.get("healthCheck") or {}).get("command")}[place]
    assert (values[-1]["value"] if place == "environment" else values[-1]) == (expected or text)
    assert bool(systems.at(plan, "FG-REGISTRY-CLIENT")) == bool(expected)


@pytest.mark.parametrize("answer", ["none", ARN])
def test_with_an_answer_the_name_stays(answer: str) -> None:
    found = system("SRV", rules=[rule(32768, 65535)])
    worker_of(found)["environment"] = [{"name": "API", "value": "web.internal.example"}]
    plan = systems.plan(found, service_registries={"web": answer})
    assert systems.at(plan, "FG-REGISTRY-CLIENT") == []
    assert plan["registries"] == []
