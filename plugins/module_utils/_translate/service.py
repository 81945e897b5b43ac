# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Services: from DescribeServices of the source to what CreateService of the target needs. fargate-rules.md 7"""

from __future__ import annotations

import typing as t

from . import connect, deployments, ebs, lattice, network, registries, schedulers, target_group
from .context import DESIRED_COUNT_TAG, Context, Json, as_int, carried_tags, deployed, per_service
from .findings import Finding, found
from .task_definition import Translated

LEAST_GRACE = 60
PLATFORM_VERSION = "LATEST"
# Members of DescribeServices that a rule below reads, that AWS computes, or that mean nothing on Fargate.
KNOWN = frozenset(
    {
        "serviceArn",
        "serviceName",
        "clusterArn",
        "loadBalancers",
        "serviceRegistries",
        "status",
        "desiredCount",
        "runningCount",
        "pendingCount",
        "launchType",
        "capacityProviderStrategy",
        "platformVersion",
        "platformFamily",
        "taskDefinition",
        "deploymentConfiguration",
        "taskSets",
        "deployments",
        "roleArn",
        "events",
        "createdAt",
        "currentServiceDeployment",
        "currentServiceRevisions",
        "placementConstraints",
        "placementStrategy",
        "networkConfiguration",
        "healthCheckGracePeriodSeconds",
        "schedulingStrategy",
        "deploymentController",
        "tags",
        "createdBy",
        "enableECSManagedTags",
        "propagateTags",
        "enableExecuteCommand",
        "availabilityZoneRebalancing",
        "resourceManagementType",
        "Tags",
        "TaskDefinition",
        "TaskDefinitionTags",
        "Tasks",
        "ScalableTargets",
        "ScalingPolicies",
        "ScheduledActions",
        "Measured",
    }
)


def kind(service: t.Mapping[str, t.Any]) -> str:
    """A web service is behind the load balancer, a worker is not."""
    return "web" if service.get("loadBalancers") else "worker"


def usable(service: Json, path: str) -> list[Finding]:
    """Why a service can't be moved at all: it is then left out of the plan, and the finding stops the migration. fargate-rules.md 7"""
    findings = []
    if service.get("schedulingStrategy") == "DAEMON":
        findings.append(found("FG-DAEMON", f"{path}.schedulingStrategy", "DAEMON"))
    if (service.get("deploymentController") or {}).get("type") == "EXTERNAL":
        findings.append(found("FG-EXTERNAL", f"{path}.deploymentController", "EXTERNAL"))
    if service.get("status") not in (None, "ACTIVE"):
        findings.append(found("FG-SERVICE-STATUS", f"{path}.status", service["status"]))
    if not service.get("TaskDefinition"):
        findings.append(found("FG-NO-TASK-DEFINITION", f"{path}.taskDefinition", service.get("taskDefinition")))
    return findings


def select(context: Context) -> tuple[list[Json], list[Finding]]:
    """The services that can be moved, in the order of their names."""
    chosen, findings = [], []
    for service in sorted(context.source_services, key=lambda item: str(item.get("serviceName"))):
        reasons = usable(service, path_of(service))
        findings += reasons
        if not reasons:
            chosen.append(service)
    return chosen, findings


def path_of(service: t.Mapping[str, t.Any]) -> str:
    return f"services[{service.get('serviceName')}]"


def plan_services(
    services: t.Sequence[Json], tasks: t.Sequence[Translated], placement: network.Placement, context: Context
) -> tuple[list[Json], list[Finding]]:
    """One entry for each service, and what a person must know about it."""
    by_name = {name: task for task in tasks for name in task.services}
    plan: list[Json] = []
    findings: list[Finding] = []
    for service in services:
        path = path_of(service)
        entry, more = _plan(service, by_name[str(service.get("serviceName"))], placement, context)
        plan.append(entry)
        findings += more
        for rule in RULES:
            findings += rule(service, path)
        task = by_name[entry["name"]]
        findings += _behaviour(service, entry, task, path)
        findings += schedulers.findings(service, entry, task.definition.get("containerDefinitions") or [], task.path, context)
    return plan, findings


def _plan(service: Json, task: Translated, placement: network.Placement, context: Context) -> tuple[Json, list[Finding]]:
    name = str(service.get("serviceName"))
    path = path_of(service)
    tags, findings = carried_tags(service.get("Tags"), context, path)
    balancers, more = load_balancers(service, context, path)
    connected, pairs, told = connect.translate(service, task.definition, task.family, context, path)
    task.log_pairs.extend(pairs)
    attached, about_volumes = ebs.configurations(service, task, context, path)
    reached, about_lattice = lattice.configurations(service, task, context, path)
    registered, of_registries = registries.of_service(service, context, path)
    entry = {
        "name": name,
        "kind": kind(service),
        "cluster": context.names["cluster"],
        "family": task.family,
        "desired_count": desired_count(service, context),
        "held_count": full_count(service, context) if schedulers.held(service, source_count(service), context) else None,
        "platform_version": PLATFORM_VERSION,
        "subnets": placement.subnets,
        "security_group": context.names["security_group"],
        "assign_public_ip": placement.assign_public_ip,
        "load_balancers": balancers,
        "volume_configurations": attached,
        "vpc_lattice_configurations": reached,
        "service_registries": registered,
        "health_check_grace_period_seconds": grace_period(service),
        **deployments.in_force(service, context),
        "enable_execute_command": bool(service.get("enableExecuteCommand")),
        "propagate_tags": "TASK_DEFINITION" if service.get("propagateTags") == "TASK_DEFINITION" else "SERVICE",
        "enable_ecs_managed_tags": bool(service.get("enableECSManagedTags")),
        "service_connect": connected,
        "tags": tags,
    }
    return entry, [*findings, *more, *told, *about_volumes, *about_lattice, *of_registries]


def desired_count(service: Json, context: Context) -> int:
    """None of a scheduler while the source's may run; else its full count. fargate-rules.md 7 desiredCount"""
    return 0 if schedulers.held(service, source_count(service), context) else full_count(service, context)


def full_count(service: Json, context: Context) -> int:
    """The inventory's; after the cutover the target's own; else what the source has when it is up."""
    given = as_int(per_service(context.intent.get("desired_count"), str(service.get("serviceName"))))
    if given is not None and not schedulers.switched_off(service, source_count(service), context):
        return given
    target = context.target_services.get(str(service.get("serviceName"))) or {}
    if context.system.get("serving") == "target" and target.get("desiredCount"):
        return int(target["desiredCount"])
    return source_count(service)


def source_count(service: t.Mapping[str, t.Any]) -> int:
    """How many tasks the source's service has when it is up: as remembered at scale-in, else as running."""
    remembered = as_int((service.get("Tags") or {}).get(DESIRED_COUNT_TAG))
    if remembered is not None:
        return remembered
    return max(service.get("desiredCount") or 0, 0)


def load_balancers(service: Json, context: Context, path: str) -> tuple[list[Json], list[Finding]]:
    """The same containers and ports behind the new target groups. fargate-rules.md 7 loadBalancers"""
    known = target_group.mapping(context)
    plan, findings = [], []
    for index, balancer in enumerate(service.get("loadBalancers") or []):
        where = f"{path}.loadBalancers[{index}]"
        if balancer.get("loadBalancerName"):
            findings.append(found("FG-CLB", where, balancer["loadBalancerName"]))
        elif balancer.get("targetGroupArn") not in known:
            findings.append(found("FG-SECOND-ALB", where, balancer.get("targetGroupArn")))
        else:
            plan.append(
                {
                    "target_group": known[balancer["targetGroupArn"]],
                    "container_name": balancer.get("containerName"),
                    "container_port": balancer.get("containerPort"),
                }
            )
    return plan, findings


def grace_period(service: Json) -> int | None:
    """0 kills tasks that are still booting: at least 60 seconds behind a load balancer. fargate-rules.md 7 healthCheckGracePeriodSeconds"""
    given = service.get("healthCheckGracePeriodSeconds") or 0
    if kind(service) == "web":
        return max(given, LEAST_GRACE)
    return given or None if deployed(service, lattice.MEMBER) else None


def placement_rules(service: Json, path: str) -> t.Iterator[Finding]:
    """Fargate spreads over zones itself and takes no placement. fargate-rules.md 7 placementConstraints"""
    for index, constraint in enumerate(service.get("placementConstraints") or []):
        kind = "FG-PLACEMENT" if constraint.get("type") == "memberOf" else "FG-PLACEMENT-SPREAD"
        yield found(kind, f"{path}.placementConstraints[{index}]", constraint.get("expression") or constraint.get("type"))
    if service.get("placementStrategy"):
        yield found("FG-PLACEMENT-SPREAD", f"{path}.placementStrategy")


def role(service: Json, path: str) -> t.Iterator[Finding]:
    """ "You cannot specify an IAM role for services that require a service linked role", and with awsvpc all do. fargate-rules.md 7 role"""
    if service.get("roleArn") and "/aws-service-role/" not in service["roleArn"]:
        yield found("FG-SERVICE-ROLE", f"{path}.roleArn", service["roleArn"])


def controller(service: Json, path: str) -> t.Iterator[Finding]:
    """The target is deployed by ECS itself. fargate-rules.md 7 deploymentController, .strategy"""
    if (service.get("deploymentController") or {}).get("type") == "CODE_DEPLOY":
        yield found("FG-CODE-DEPLOY", f"{path}.deploymentController", "CODE_DEPLOY", "ECS")
    configuration = service.get("deploymentConfiguration") or {}
    if configuration.get("strategy") not in (None, "ROLLING"):
        yield found("FG-DEPLOY-STRATEGY", f"{path}.deploymentConfiguration.strategy", configuration["strategy"], "ROLLING")
    if configuration.get("lifecycleHooks"):
        yield found("FG-DEPLOY-HOOKS", f"{path}.deploymentConfiguration.lifecycleHooks", len(configuration["lifecycleHooks"]))


def capacity(service: Json, path: str) -> t.Iterator[Finding]:
    """A strategy that names Auto Scaling groups becomes launch type FARGATE. fargate-rules.md 7 capacityProviderStrategy"""
    providers = [str(item.get("capacityProvider")) for item in service.get("capacityProviderStrategy") or []]
    if providers:
        yield found("FG-CAPACITY-PROVIDER", f"{path}.capacityProviderStrategy", ", ".join(providers), "FARGATE")


def unknown(service: Json, path: str) -> t.Iterator[Finding]:
    """A member that no rule knows is refused, never dropped silently."""
    handled = {"serviceConnectConfiguration", "vpcLatticeConfigurations", "volumeConfigurations"}
    for key in sorted(set(service) - KNOWN - handled):
        if service[key]:
            yield found("FG-UNTRANSLATED", f"{path}.{key}", service[key])


RULES: tuple[t.Callable[[Json, str], t.Iterator[Finding]], ...] = (placement_rules, role, controller, capacity, unknown)


def _behaviour(service: Json, entry: Json, task: Translated, path: str) -> t.Iterator[Finding]:
    """What changes although the numbers stay: grace period, Exec, an empty web service."""
    source = service.get("healthCheckGracePeriodSeconds") or 0
    if entry["kind"] == "web" and source < LEAST_GRACE:
        yield found("FG-GRACE-PERIOD", f"{path}.healthCheckGracePeriodSeconds", source, entry["health_check_grace_period_seconds"])
    if entry["kind"] == "web" and not entry["desired_count"]:
        yield found("FG-DESIRED-ZERO", f"{path}.desiredCount", 0)
    containers = task.definition.get("containerDefinitions") or []
    if entry["enable_execute_command"] and not task.definition.get("taskRoleArn"):
        yield found("FG-EXEC-ROLE", f"{path}.enableExecuteCommand", True)
    if entry["enable_execute_command"] and any(container.get("readonlyRootFilesystem") for container in containers):
        yield found("FG-EXEC-READONLY", f"{path}.enableExecuteCommand", True)
