"""For any source: what is planned passes botocore's validation, and holds nothing that Fargate refuses."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import comparison, image, report, sizes, task_definition
from ansible_collections.cutover.fargate.plugins.module_utils._translate.context import Context
from ansible_collections.cutover.fargate.plugins.module_utils._translate.task_definition import Translated
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.plugins.module_utils._translate import shapes, systems
from unit.plugins.module_utils._translate.systems import Json

ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{}/1"
REGISTRY = "arn:aws:servicediscovery:eu-west-1:123456789012:service/{}"
FORBIDDEN_TASK = {"placementConstraints", "ipcMode", "inferenceAccelerators"}
FORBIDDEN_CONTAINER = {
    "links", "hostname", "disableNetworking", "privileged", "dnsServers", "dnsSearchDomains", "extraHosts", "dockerSecurityOptions", "credentialSpecs",
}  # fmt: skip
FORBIDDEN_LINUX = {"devices", "sharedMemorySize", "maxSwap", "swappiness"}
FORBIDDEN_VOLUME = {"dockerVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration"}
LIMITED = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


SYSTEM = {**systems.system(), "source": {"capacity": {"architectures": ["x86_64"]}}}


def translate(source: Json) -> Translated:
    """As the planner does for a system whose only service runs this definition."""
    context = Context(SYSTEM, {})
    (task,) = task_definition.collect([{"serviceName": "web", "TaskDefinition": source}], context)
    task_definition.translate(task, image.entries({task.key: task.source}, context), context)
    return task


@given(shapes.definitions())
@LIMITED
def test_any_task_definition_can_be_registered(source: Json) -> None:
    result = translate(source).definition
    assert shapes.errors("ecs", "RegisterTaskDefinition", result) == ""
    assert result["networkMode"] == "awsvpc"
    assert result["requiresCompatibilities"] == ["FARGATE"]
    assert not FORBIDDEN_TASK & set(result)
    assert result.get("pidMode") in (None, "task")
    assert int(result["memory"]) in sizes.TABLE[int(result["cpu"])]
    for container in result["containerDefinitions"]:
        check_container(container)
    for volume in result.get("volumes", []):
        assert not FORBIDDEN_VOLUME & set(volume)
        assert not (volume.get("host") or {}).get("sourcePath")


def check_container(container: Json) -> None:
    linux = container.get("linuxParameters") or {}
    assert not FORBIDDEN_CONTAINER & set(container)
    assert not FORBIDDEN_LINUX & set(linux)
    assert set((linux.get("capabilities") or {}).get("add") or []) <= {"SYS_PTRACE"}
    assert all("hostPort" not in mapping for mapping in container.get("portMappings") or [])
    assert container["logConfiguration"]["logDriver"] in ("awslogs", "splunk", "awsfirelens")
    if container["logConfiguration"]["logDriver"] == "awslogs":
        assert {"awslogs-group", "awslogs-region", "awslogs-stream-prefix"} <= {key for key, value in container["logConfiguration"]["options"].items() if value}
    assert all(2 <= container[key] <= 120 for key in ("startTimeout", "stopTimeout") if key in container)
    assert all(item["type"] not in ("GPU", "InferenceAccelerator", "NeuronDevice") for item in container.get("resourceRequirements") or [])


@given(shapes.definitions(), st.dictionaries(st.sampled_from(["newMember", "another"]), st.just({"deep": [1]}), min_size=1))
@LIMITED
def test_members_that_are_new_to_us_survive(source: Json, new: Json) -> None:
    source = {**source, **new, "containerDefinitions": [{"name": "a", "image": "b", **new}]}
    result = translate(source).definition
    assert new.items() <= result.items()
    assert new.items() <= result["containerDefinitions"][0].items()


@given(shapes.definitions())
@LIMITED
def test_whatever_fargate_refuses_has_a_finding_at_its_path(source: Json) -> None:
    """Nothing is dropped silently."""
    findings = {finding["path"] for finding in translate(source).findings}
    for container in source.get("containerDefinitions") or []:
        named = [item.get("name") for item in source["containerDefinitions"]].count(container.get("name")) == 1
        for member in FORBIDDEN_CONTAINER & {key for key, value in container.items() if value}:
            where = f".containerDefinitions[{container.get('name')}].{member}"
            assert not named or any(where in path for path in findings), member


@given(shapes.definitions())
@LIMITED
def test_the_same_source_gives_the_same_plan_and_stays_as_it_is(source: Json) -> None:
    before = copy.deepcopy(source)
    assert translate(source) == translate(source)
    assert source == before


@given(shapes.definitions())
@LIMITED
def test_every_plan_can_be_printed_and_compared(source: Json) -> None:
    system = systems.system()
    system["source"]["services"][0]["TaskDefinition"] = source
    plan = systems.plan(system)
    assert report.summary(plan)
    assert set(comparison.diff(system, plan)) == {"before", "after"}


@pytest.mark.parametrize("case", systems.CASES)
def test_services_and_load_balancer_pass_the_validation(case: str) -> None:
    plan = systems.plan(systems.system(case), **systems.intent(case))
    for service in plan["services"]:
        assert shapes.errors("ecs", "CreateService", create_service(service)) == ""
    balancer = plan["load_balancer"]
    if balancer is None:
        return
    assert shapes.errors("elbv2", "CreateLoadBalancer", create_load_balancer(balancer)) == ""
    for group in balancer["target_groups"]:
        assert shapes.errors("elbv2", "CreateTargetGroup", create_target_group(group)) == ""
    for listener in balancer["listeners"]:
        assert shapes.errors("elbv2", "CreateListener", create_listener(listener)) == ""
        for rule in listener["rules"]:
            arguments = {"ListenerArn": "arn", "Priority": rule["priority"], "Conditions": rule["conditions"], "Actions": with_arns(rule["actions"])}
            assert shapes.errors("elbv2", "CreateRule", arguments) == ""


def create_service(service: Json) -> Json:
    network = {"subnets": service["subnets"], "securityGroups": ["sg-0"], "assignPublicIp": service["assign_public_ip"]}
    grace = service["health_check_grace_period_seconds"]
    return {
        "cluster": service["cluster"],
        "serviceName": service["name"],
        "taskDefinition": service["family"],
        "desiredCount": service["desired_count"],
        "launchType": "FARGATE",
        "platformVersion": service["platform_version"],
        "networkConfiguration": {"awsvpcConfiguration": network},
        "loadBalancers": [
            {"targetGroupArn": ARN.format(item["target_group"]), "containerName": item["container_name"], "containerPort": item["container_port"]}
            for item in service["load_balancers"]
        ],
        "volumeConfigurations": service["volume_configurations"],
        "vpcLatticeConfigurations": service["vpc_lattice_configurations"],
        "serviceRegistries": [service_registry(item) for item in service["service_registries"]],
        "deploymentConfiguration": service["deployment_configuration"],
        "enableExecuteCommand": service["enable_execute_command"],
        "propagateTags": service["propagate_tags"],
        "enableECSManagedTags": service["enable_ecs_managed_tags"],
        "availabilityZoneRebalancing": service["availability_zone_rebalancing"],
        "tags": [{"key": key, "value": value} for key, value in service["tags"].items()],
        **({} if grace is None else {"healthCheckGracePeriodSeconds": grace}),
        **({"serviceConnectConfiguration": service["service_connect"]} if service["service_connect"] else {}),
    }


def service_registry(item: Json) -> Json:
    members = {"containerName": item["container_name"], "containerPort": item["container_port"], "port": item["port"]}
    arn = item["registry_arn"] or REGISTRY.format(item["name"])
    return {"registryArn": arn, **{key: value for key, value in members.items() if value is not None}}


def create_load_balancer(balancer: Json) -> Json:
    return {
        "Name": balancer["name"],
        "Subnets": balancer["subnets"],
        "SecurityGroups": balancer["security_groups"],
        "Scheme": balancer["scheme"],
        "IpAddressType": balancer["ip_address_type"],
        "Tags": [{"Key": key, "Value": value} for key, value in balancer["tags"].items()],
    }


def create_target_group(group: Json) -> Json:
    return {
        "Name": group["name"],
        "Protocol": group["protocol"],
        "ProtocolVersion": group["protocol_version"],
        "Port": group["port"],
        "VpcId": group["vpc_id"],
        "TargetType": group["target_type"],
        "IpAddressType": group["ip_address_type"],
        **group["health_check"],
    }


def create_listener(listener: Json) -> Json:
    certificate = listener["certificate_arn"]
    return {
        "LoadBalancerArn": "arn",
        "Port": listener["port"],
        "Protocol": listener["protocol"],
        "DefaultActions": with_arns(listener["default_actions"]),
        **({"Certificates": [{"CertificateArn": certificate}], "SslPolicy": listener["ssl_policy"]} if certificate else {}),
        **({"MutualAuthentication": listener["mutual_authentication"]} if listener["mutual_authentication"] else {}),
    }


def with_arns(actions: list[Json]) -> list[Json]:
    """As the load balancer's module does: names become ARNs at the point of use."""
    result = copy.deepcopy(actions)
    for action in result:
        for group in (action.get("ForwardConfig") or {}).get("TargetGroups") or []:
            group["TargetGroupArn"] = ARN.format(group.pop("TargetGroupName"))
    return result
