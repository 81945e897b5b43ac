"""The plan against the lab's rules of AWS, over all golden cases: what the lab refuses was predicted, and what is planned is accepted.

A source is moved to Fargate as it is: launch type FARGATE and network mode awsvpc, nothing else. Whatever the lab refuses then must have a finding at the
very member, and giving that member the planned value must satisfy the lab; so it goes on, refusal by refusal, until the lab takes it or only a BLOCKER is left.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError
from unit.lab.aws.conftest import Vpc, client, name, running, vpc
from unit.plugins.module_utils._translate import goldens
from unit.plugins.module_utils._translate.goldens import Golden
from unit.plugins.module_utils._translate.test_properties import REGISTRY, create_service

__all__ = ["client", "name", "running", "vpc"]

Json = dict[str, Any]
NUMBERS = itertools.count(1)
READ_ONLY = ("taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy", "deregisteredAt")
# What the lab says (AWS's words) -> the members it says it about; ``*`` is every container or volume.
MEMBERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"^Links are not supported", ("containerDefinitions.*.links",)),
    (r"^hostname is not supported", ("containerDefinitions.*.hostname",)),
    (r"^DNS servers are not supported", ("containerDefinitions.*.dnsServers",)),
    (r"^DNS search domains are not supported", ("containerDefinitions.*.dnsSearchDomains",)),
    (r"^Extra hosts are not supported", ("containerDefinitions.*.extraHosts",)),
    (r"host ports and container ports in port mappings must match|is mapped more than once", ("containerDefinitions.*.portMappings",)),
    (r"be defined at the task level|^Invalid '(cpu|memory)' setting for task|^No Fargate configuration exists|above the task's", ("cpu", "memory")),
    (r"do not support constraints$", ("placementConstraints",)),
    (r"do not support ipcMode$", ("ipcMode",)),
    (r"do not support pidMode", ("pidMode",)),
    (r"'inferenceAccelerators'$", ("inferenceAccelerators",)),
    (r"setting for ephemeralStorage", ("ephemeralStorage",)),
    (r"do not support (sourcePath|dockerVolumeConfiguration|fsxWindowsFileServerVolumeConfiguration)$", ("volumes.*", "containerDefinitions.*.mountPoints")),
    (r"'privileged' setting", ("containerDefinitions.*.privileged",)),
    (r"do not support dockerSecurityOptions$", ("containerDefinitions.*.dockerSecurityOptions",)),
    (r"do not support disableNetworking$", ("containerDefinitions.*.disableNetworking",)),
    (r"resource requirements$", ("containerDefinitions.*.resourceRequirements",)),
    (r"FirelensConfiguration config file from 's3'$", ("containerDefinitions.*.firelensConfiguration",)),
    (r"do not support devices$", ("containerDefinitions.*.linuxParameters.devices",)),
    (r"do not support sharedMemorySize$", ("containerDefinitions.*.linuxParameters.sharedMemorySize",)),
    (r"do not support (maxSwap|swappiness)$", ("containerDefinitions.*.linuxParameters.maxSwap", "containerDefinitions.*.linuxParameters.swappiness")),
    (r"^\w+ is not allowed on Fargate", ("containerDefinitions.*.linuxParameters.capabilities.add",)),
    (r"^Invalid 'stopTimeout'", ("containerDefinitions.*.stopTimeout",)),
    (r"^Invalid 'startTimeout'", ("containerDefinitions.*.startTimeout",)),
    (r"is not a valid log driver|^Log driver awslogs requires", ("containerDefinitions.*.logConfiguration",)),
    (r"to have execution role ARN", ("executionRoleArn",)),
    (r"^Task definitions can contain at most", ("containerDefinitions",)),
)
# Members that follow from another one, whose finding speaks for them.
FOLLOWS = {"portMappings": "networkMode", "memory": "cpu", "mountPoints": "volumes"}
SERVICE_MEMBERS: tuple[tuple[str, str], ...] = (
    (r"^Placement constraints are not supported", "placementConstraints"),
    (r"^Placement strategies are not supported", "placementStrategy"),
    (r"^The daemon scheduling strategy is not supported", "schedulingStrategy"),
    (r"^Specifying both a launch type and capacity provider strategy", "capacityProviderStrategy"),
    (r"only support Application and Network Load Balancers|has target type|does not have an associated load balancer", "loadBalancers"),
    (r"^You cannot specify an IAM role", "roleArn"),
    (r"^SC service is already used|^Service Connect port name", "serviceConnectConfiguration"),
    (r"^Volume configuration|volume type standard is not supported|^The task definition has a volume", "volumeConfigurations"),
    (r"^The VPC Lattice target group .* has the type|VPC Lattice configuration does not exist", "vpcLatticeConfigurations"),
    (r"^The tag key .* is reserved", "volumeConfigurations"),
)


# What a service attaches to its tasks is planned, not left out.
ATTACHED = {"volumeConfigurations": "volume_configurations", "vpcLatticeConfigurations": "vpc_lattice_configurations"}


@pytest.fixture(scope="module")
def cases() -> list[Golden]:
    return goldens.every()


@dataclass
class Stage:
    """A cluster and target groups behind a listener, one of each type. Most cases change one thing: the lab is asked once for what they have in common."""

    ecs: Any
    cloud_map: Any
    vpc: Vpc
    cluster: str
    groups: dict[str, str]
    lattice: dict[str, str]
    registries: dict[tuple[str, ...], str]
    _asked: set[str] = field(default_factory=set)

    def new(self, *arguments: Any) -> bool:
        text = json.dumps(arguments, sort_keys=True, default=str)
        known = text in self._asked
        self._asked.add(text)
        return not known

    def namespace(self) -> str:
        made = f"n{next(NUMBERS)}"
        self.cloud_map.create_http_namespace(Name=made)
        return made

    def refusal(self, operation: str, **arguments: Any) -> str:
        """AWS's words, or '' when the call was taken. Anything but a refusal of the API is the test's own fault."""
        try:
            getattr(self.ecs, operation)(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ClientException", "InvalidParameterException"):
                raise
            return str(error.response["Error"]["Message"])
        return ""


@pytest.fixture
def stage(client: Callable[..., Any], vpc: Vpc, name: str) -> Stage:
    ecs, elb = client("ecs"), client("elbv2")
    ecs.create_cluster(clusterName=name)
    balancer = elb.create_load_balancer(Name=name, Subnets=vpc.subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    groups = {}
    for port, kind in ((80, "instance"), (81, "ip")):
        group = elb.create_target_group(Name=f"{name}-{kind}", Protocol="HTTP", Port=80, VpcId=vpc.id, TargetType=kind)["TargetGroups"][0]
        groups[kind] = group["TargetGroupArn"]
        elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=[{"Type": "forward", "TargetGroupArn": groups[kind]}])
    config = {"port": 80, "protocol": "HTTP", "vpcIdentifier": vpc.id}
    lattice = {kind: client("vpc-lattice").create_target_group(name=f"{name}-{kind.lower()}", type=kind, config=config)["arn"] for kind in ("INSTANCE", "IP")}
    return Stage(ecs, client("servicediscovery"), vpc, name, groups, lattice, registries(client("servicediscovery"), name))


def registries(cloud_map: Any, name: str) -> dict[tuple[str, ...], str]:
    """Record types -> ARN of a Cloud Map service that has them."""
    cloud_map.create_http_namespace(Name=name)
    namespace = next(item["Id"] for item in cloud_map.list_namespaces()["Namespaces"] if item["Name"] == name)
    made = {}
    for types in ((), ("A",), ("SRV",), ("A", "SRV")):
        records = {"DnsConfig": {"DnsRecords": [{"Type": kind, "TTL": 30} for kind in types]}} if types else {}
        made[types] = cloud_map.create_service(Name="-".join(("registry", *types)), NamespaceId=namespace, **records)["Service"]["Arn"]
    return made


def test_whatever_the_lab_refuses_of_a_definition_was_predicted_where_it_is(cases: list[Golden], stage: Stage) -> None:
    refusals: Counter[str] = Counter()
    for case in cases:
        for source, planned, path in definitions(case):
            if stage.new(source, planned):
                refusals.update(healed(case, source, planned, path, stage))
    unused = [pattern for pattern, _members in MEMBERS if not any(re.search(pattern, refusal) for refusal in refusals)]
    assert unused == [], "no golden case shows these refusals"


def definitions(case: Golden) -> Iterator[tuple[Json, Json, str]]:
    """Source, planned definition, and where the plan's findings about it are."""
    families = {item["name"]: item["family"] for item in case.plan["services"]}
    planned = {item["family"]: item for item in case.plan["task_definitions"]}
    for service in case.services:
        family = families.get(service["serviceName"])
        if family:
            source = {key: value for key, value in service["TaskDefinition"].items() if key not in READ_ONLY}
            yield source, planned[family], f"task_definitions[{service['TaskDefinition']['family']}]"


def healed(case: Golden, source: Json, planned: Json, path: str, stage: Stage) -> Iterator[str]:
    """The refusals of a source that is moved as it is, each looked up in the plan."""
    moved = {**copy.deepcopy(source), "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc"}
    while refusal := stage.refusal("register_task_definition", **moved):
        yield refusal
        members = next((members for pattern, members in MEMBERS if re.search(pattern, refusal)), None)
        assert members, f"{case.name}: nobody knows what this is about: {refusal}"
        places = [place for member in members for place in differing(moved, planned, member.split("."))]
        if not places:
            top = members[0].split(".")[0]
            assert case.blocked(f"{path}.{top}") or any(
                case.blocked(item["path"]) for item in case.plan["findings"] if item["path"].startswith(f"{path}.{top}")
            ), f"{case.name}: planned as it is, and refused: {refusal}"
            return
        for place in places:
            last = place.rpartition(".")[2].partition("[")[0]
            follows = FOLLOWS.get(last)
            assert case.at(f"{path}.{place}") or (follows and foretold(case, f"{path}.{follows}")), f"{case.name}: no finding at {place}: {refusal}"
        for member in members:
            give(moved, planned, member.split("."))


def foretold(case: Golden, path: str) -> bool:
    return any(item["path"].startswith(path) for item in case.plan["findings"])


def differing(moved: Any, planned: Any, member: list[str]) -> Iterator[str]:
    """The places of a member where the plan has something else than the source."""
    head, *rest = member
    if rest[:1] == ["*"]:
        others = {item["name"]: item for item in (planned or {}).get(head) or []}
        for item in (moved or {}).get(head) or []:
            where = f"{head}[{item['name']}]"
            if rest[1:]:
                yield from (f"{where}.{place}" for place in differing(item, others.get(item["name"]), rest[1:]))
            elif item != others.get(item["name"]):
                yield where
        return
    before, after = (moved or {}).get(head), (planned or {}).get(head)
    if rest:
        yield from (f"{head}.{place}" for place in differing(before, after, rest))
    elif before != after:
        yield head


def give(moved: Json, planned: Json, member: list[str]) -> None:
    """Put the planned value of a member into the source."""
    head, *rest = member
    if not rest or rest == ["*"]:
        moved.pop(head, None)
        if head in planned:
            moved[head] = copy.deepcopy(planned[head])
    elif rest[0] == "*":
        others = {item["name"]: item for item in planned[head]}
        for item in moved[head]:
            give(item, others[item["name"]], rest[1:])
    elif moved.get(head):
        give(moved[head], planned.get(head) or {}, rest)


def test_whatever_the_plan_calls_ready_registers(cases: list[Golden], stage: Stage) -> None:
    """Also what isn't ready, unless the plan has a BLOCKER in that very definition."""
    registered = 0
    for case in cases:
        for _source, planned, path in definitions(case):
            refusal = stage.new(planned) and stage.refusal("register_task_definition", **planned)
            registered += not refusal
            assert not refusal or any(
                item["severity"] == "BLOCKER" and not item["waived"] and item["path"].startswith(path) for item in case.plan["findings"]
            ), f"{case.name}: {refusal}"
    assert registered > len(cases)


def test_whatever_the_lab_refuses_of_a_service_was_predicted_where_it_is(cases: list[Golden], stage: Stage) -> None:
    """The service is moved as it is, with the planned task definition: what is refused then is the service's own."""
    refusals: Counter[str] = Counter()
    for case in cases:
        planned = {item["name"]: item for item in case.plan["services"]}
        for service in case.services:
            if not stage.new({**service, "Tasks": None, "Tags": None}, case.system["source"]["target_groups"]):
                continue
            path = f"services[{service['serviceName']}]"
            arguments = moved_service(case, service, planned.get(service["serviceName"]), stage)
            while refusal := stage.refusal("create_service", **arguments):
                refusals[refusal] += 1
                member = next((member for pattern, member in SERVICE_MEMBERS if re.search(pattern, refusal)), None)
                assert member, f"{case.name}: nobody knows what this is about: {refusal}"
                left_out = (service["serviceName"] not in planned and case.blocked(path)) or (member == "volumeConfigurations" and unattached(case, service))
                assert left_out or case.at(f"{path}.{member}") or (member == "loadBalancers" and retyped(case)), (
                    f"{case.name}: no finding at {path}.{member}: {refusal}"
                )
                if member in ATTACHED:
                    if not attach_planned(arguments, member, planned.get(service["serviceName"]) or {}, stage):
                        assert case.blocked(f"{path}.{member}"), f"{case.name}: planned as it is, and refused: {refusal}"
                        break
                    continue
                arguments.pop({"roleArn": "role"}.get(member, member))
                arguments.pop("healthCheckGracePeriodSeconds", None)  # without a load balancer there is none
    unused = [pattern for pattern, _member in SERVICE_MEMBERS if not any(re.search(pattern, refusal) for refusal in refusals)]
    assert unused == [], "no golden case shows these refusals"


def attach_planned(arguments: Json, member: str, planned: Json, stage: Stage) -> bool:
    """Put the planned value of a member in; False when it is there already."""
    value = copy.deepcopy(planned.get(ATTACHED[member]) or [])
    for item in value if member == "vpcLatticeConfigurations" else []:
        item["targetGroupArn"] = stage.lattice["IP"]
    changed = value != arguments.get(member, [])
    arguments[member] = value
    return changed


def unattached(case: Golden, service: Json) -> bool:
    """The volume itself became another one, and says so where it is."""
    path = f"task_definitions[{service['TaskDefinition']['family']}].volumes"
    return any(case.at(f"{path}[{volume['name']}]") for volume in service["TaskDefinition"].get("volumes") or [] if volume.get("configuredAtLaunch"))


def record_types(case: Golden, arn: str) -> tuple[str, ...]:
    """Of the Cloud Map service that the source has, or that the plan makes of it."""
    found = [item for item in case.system["source"].get("registries") or [] if item["Arn"] == arn]
    configs = [item.get("DnsConfig") for item in found] or [item["dns_config"] for item in case.plan["registries"] if REGISTRY.format(item["name"]) == arn]
    return tuple(sorted(record["Type"] for config in configs for record in (config or {}).get("DnsRecords") or []))


def retyped(case: Golden) -> bool:
    """The type of the target groups is a finding of theirs."""
    return any(item["id"] == "FG-TARGET-TYPE" for item in case.plan["findings"])


def moved_service(case: Golden, service: Json, planned: Json | None, stage: Stage) -> Json:
    """CreateService's arguments that DescribeServices shows, on Fargate."""
    copied = ("loadBalancers", "serviceRegistries", "placementConstraints", "placementStrategy", "schedulingStrategy", "capacityProviderStrategy", "healthCheckGracePeriodSeconds")
    kinds = {group["TargetGroupArn"]: group["TargetType"] for group in case.system["source"]["target_groups"]}
    arguments = {key: copy.deepcopy(service[key]) for key in copied if service.get(key)}
    for item in arguments.get("loadBalancers", []):
        if "targetGroupArn" in item:
            item["targetGroupArn"] = stage.groups[kinds.get(item["targetGroupArn"], "instance")]
    for deployment in service.get("deployments") or []:
        arguments |= {key: copy.deepcopy(deployment[key]) for key in ("volumeConfigurations", "vpcLatticeConfigurations") if deployment.get(key)}
    for item in arguments.get("vpcLatticeConfigurations", []):
        item["targetGroupArn"] = stage.lattice["INSTANCE"]
    for item in arguments.get("serviceRegistries", []):
        item["registryArn"] = stage.registries[record_types(case, item["registryArn"])]
    if "/aws-service-role/" not in (service.get("roleArn") or "/aws-service-role/"):
        arguments["role"] = service["roleArn"]
    arguments |= {
        "cluster": stage.cluster,
        "serviceName": f"s{next(NUMBERS)}",
        "desiredCount": 0,
        "launchType": "FARGATE",
        "taskDefinition": runnable(case, planned, stage),
    }
    arguments["networkConfiguration"] = network(stage)
    connect = connect_of(service)
    if connect:
        # The source is in the namespace, with the same names.
        arguments["serviceConnectConfiguration"] = {**connect, "namespace": stage.namespace()}
        elsewhere = ("loadBalancers", "placementConstraints", "placementStrategy", "healthCheckGracePeriodSeconds")
        stage.refusal("create_service", **{key: value for key, value in arguments.items() if key not in elsewhere})
        arguments["serviceName"] = f"s{next(NUMBERS)}"
    return arguments


def connect_of(service: Json) -> Json:
    primary: Json = next((item for item in service.get("deployments") or [] if item["status"] == "PRIMARY"), {})
    found = primary.get("serviceConnectConfiguration") or {}
    return dict(found) if found.get("enabled") else {}


def runnable(case: Golden, planned: Json | None, stage: Stage) -> str:
    """The planned definition, registered; one of the shop for a service that isn't planned or whose definition isn't ready."""
    found = next((item for item in case.plan["task_definitions"] if planned and item["family"] == planned["family"]), None)
    if found and not stage.refusal("register_task_definition", **found):
        return str(found["family"])
    container = {"name": "nginx", "image": "nginx", "portMappings": [{"containerPort": 80}]}
    fargate = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}
    assert not stage.refusal("register_task_definition", family="stand-in", containerDefinitions=[container], **fargate)
    return "stand-in"


def network(stage: Stage) -> Json:
    return {"awsvpcConfiguration": {"subnets": stage.vpc.subnets, "securityGroups": [stage.vpc.group]}}


def test_whatever_the_plan_calls_ready_becomes_a_service(cases: list[Golden], stage: Stage) -> None:
    made = 0
    for case in cases:
        if case.blocked():
            continue
        definitions = {item["family"]: item for item in case.plan["task_definitions"]}
        for service in case.plan["services"]:
            made += 1
            if not stage.new(service, definitions[service["family"]]):
                continue
            assert not stage.refusal("register_task_definition", **definitions[service["family"]]), case.name
            arguments = create_service(service)
            arguments |= {"cluster": stage.cluster, "serviceName": f"r{next(NUMBERS)}"}
            arguments["networkConfiguration"]["awsvpcConfiguration"] |= network(stage)["awsvpcConfiguration"]
            for item in arguments["loadBalancers"]:
                item["targetGroupArn"] = stage.groups["ip"]
            if "serviceConnectConfiguration" in arguments:
                arguments["serviceConnectConfiguration"] = {**arguments["serviceConnectConfiguration"], "namespace": stage.namespace()}
            for item in arguments["vpcLatticeConfigurations"]:
                item["targetGroupArn"] = stage.lattice["IP"]
            for item in arguments["serviceRegistries"]:
                item["registryArn"] = stage.registries[record_types(case, item["registryArn"])]
            assert not stage.refusal("create_service", **arguments), case.name
    assert made > len(cases)
