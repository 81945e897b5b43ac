# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The door of the package: ``plan(system, intent)`` is the whole ``discover_plan`` of docs/architecture.md.

Stages, each a function of its inputs only: select services -> translate their task definitions -> clone the load balancer -> place the tasks ->
plan services -> everything that follows from them (records, alarms, verification, scale-in, teardown). The plan is total: every key exists
in every plan, what is missing is null or empty, and problems are findings, not exceptions.
"""

from __future__ import annotations

import typing as t

from . import (
    alarms,
    cluster,
    connect,
    deployments,
    dns,
    drift,
    execution_role,
    image,
    lattice,
    load_balancer,
    logs,
    network,
    phases,
    readiness,
    registries,
    scaling,
    security,
    service,
    task_definition,
    task_images,
    teardown,
    verify,
    waivers,
)
from . import (
    intent as intents,
)
from .context import Context, Json, as_int, whole
from .findings import Finding, found, order
from .outline import Outline

KEEP_ALIVE_SECONDS = 60
PROBLEMS = {
    "not-readable": "FG-DISCOVERY-DENIED",
    "target-name-taken": "FG-NAME-CLASH",
    "image-missing": "FG-IMAGE-MISSING",
    "record-nowhere": "FG-RECORD-NOWHERE",
    "clusters-unread": "FG-CLUSTERS-UNREAD",
}


def plan(system: t.Mapping[str, t.Any], intent: t.Mapping[str, t.Any], told: t.Sequence[Finding] = ()) -> Json:
    """``discover_plan``. Deterministic: the same system and intent give the same plan. ``told`` was found by others."""
    wanted = intents.usable(intent)
    context = Context(whole(dict(system)), wanted, wanted.get("names") or {})
    findings = [*told, *intents.check(Context(context.system, intent, context.overrides))]
    findings += discovered(context)
    services, more = service.select(context)
    findings += more
    tasks, images = _definitions(services, context)
    findings += [finding for task in tasks for finding in task.findings]
    balancer, more = load_balancer.clone(context)
    findings += [*more, *load_balancer.web_acl(context), *load_balancer.shared(context), *_unattached(balancer)]
    placement, more = network.place(context) if context.source else (network.Placement([], "DISABLED"), [])
    findings += more
    planned, more = service.plan_services(services, tasks, placement, context)
    findings += [*more, *network.addresses(placement, planned, context)]
    findings += drift.findings(context, planned, [task.definition for task in tasks], images["images"])
    sections, more = _sections(context, services, planned, tasks, images, balancer, placement)
    added, items = sections["security"], sections["teardown"]["items"]
    outline = Outline(planned, tasks, placement, balancer, grants=added["grants"], egress=added["load_balancer_egress"], deletions=items)
    findings += [*more, *readiness.section(outline, context)]
    return {
        "system": context.name,
        "fqdn": context.fqdn,
        "region": context.region or None,
        "account_id": context.account_id or None,
        "phase": phases.phase(context),
        "source": source(context),
        "names": context.names,
        "image": images,
        "load_balancer": balancer,
        "services": planned,
        "task_definitions": [task.definition for task in tasks],
        **sections,
        "findings": order(waivers.applied(findings, context)),
    }


def _definitions(services: t.Sequence[Json], context: Context) -> tuple[list[task_definition.Translated], Json]:
    """The translated task definitions, and the images that have to be made or looked at for them."""
    tasks = task_definition.collect(services, context)
    entries = image.entries({task.key: task.source for task in tasks}, context)
    for task in tasks:
        task_definition.translate(task, entries, context)
    registries.clients(tasks, services, context)
    translated = [(task.key, task.source, task.definition) for task in tasks]
    return tasks, {**image.section(translated, entries), "tasks": task_images.section(translated, entries, context)}


def _sections(
    context: Context,
    services: t.Sequence[Json],
    planned: t.Sequence[Json],
    tasks: t.Sequence[task_definition.Translated],
    images: Json,
    balancer: Json | None,
    placement: network.Placement,
) -> tuple[Json, list[Finding]]:
    """The parts of the plan that follow from the services, the definitions and the load balancer."""
    definitions = [task.definition for task in tasks]
    groups = balancer["target_groups"] if balancer else []
    cluster_plan, cluster_findings = cluster.section(context)
    security_plan, security_findings = security.section(context, placement.subnets, groups)
    lattice_ingress, lattice_findings = lattice.ingress(planned, tasks, context)
    doors, door_findings = registries.ingress(services, planned, tasks, context)
    security_plan["ingress"] += [*connect.ingress(planned, definitions, context), *lattice_ingress, *doors]
    dns_plan, dns_findings = dns.section(context)
    scaling_plan, scaling_findings = scaling.section(services, context)
    deployments_plan, deployments_findings = deployments.section(services, context)
    sections = {
        "cluster": cluster_plan,
        "security": security_plan,
        "execution_role": execution_role.section(definitions, context),
        "registries": registries.section(services, context),
        "log_groups": logs.groups((pair for task in tasks for pair in task.log_pairs), context),
        "dns": dns_plan,
        "scaling": scaling_plan,
        "deployments": deployments_plan,
        "keep_alive": {
            "load_balancer_arn": context.source_load_balancer.get("LoadBalancerArn"),
            "seconds": as_int(context.intent.get("keep_alive_seconds")) or KEEP_ALIVE_SECONDS,
        },
        "alarms": alarms.section(planned, services, context),
        "verify": {"target": verify.target(planned, context), "source": verify.source(context)},
        "scale_in": phases.scale_in(context),
        "teardown": teardown.section(context, images["images"], definitions),
    }
    findings = [*cluster_findings, *cluster.clashes(context), *security_findings, *lattice_findings, *door_findings, *dns_findings]
    findings += [*scaling_findings, *deployments_findings]
    return sections, [*findings, *alarms.without_successor(context), *phases.shared_capacity(context)]


def source(context: Context) -> Json | None:
    """The facts of the source that roles need; None after teardown."""
    if not context.source:
        return None
    return {
        "load_balancer_arn": context.source_load_balancer.get("LoadBalancerArn"),
        "load_balancer_name": context.source_load_balancer.get("LoadBalancerName"),
        "cluster": (context.source.get("cluster") or {}).get("clusterName"),
        "services": sorted(str(item.get("serviceName")) for item in context.replica_services),
        "target_group_arns": [group.get("TargetGroupArn") for group in context.source.get("target_groups") or []],
    }


def discovered(context: Context) -> list[Finding]:
    """What discovery could not read or found odd, and what is missing altogether."""
    findings = [
        found(PROBLEMS.get(str(problem.get("id")), "FG-DISCOVERY"), str(problem.get("path")), problem.get("message"), problem=problem.get("id"))
        for problem in context.system.get("problems") or []
        if problem.get("path") != load_balancer.WEB_ACL
    ]
    if not context.source and not context.target:
        findings.append(found("FG-NO-SYSTEM", "system", context.fqdn))
    elif context.source and not context.source_services:
        findings.append(found("FG-NO-SERVICE", "services"))
    return findings


def _unattached(balancer: Json | None) -> list[Finding]:
    """A service may only be made when its target group hangs on a listener ("does not have an associated load balancer"). fargate-rules.md 7 loadBalancers"""
    if not balancer:
        return []
    chains = [listener["default_actions"] for listener in balancer["listeners"]]
    chains += [rule["actions"] for listener in balancer["listeners"] for rule in listener["rules"]]
    attached = {group.get("TargetGroupName") for chain in chains for action in chain for group in (action.get("ForwardConfig") or {}).get("TargetGroups") or []}
    return [
        found("FG-TG-UNATTACHED", f"target_groups[{group['name']}]", group["source_arn"])
        for group in balancer["target_groups"]
        if group["name"] not in attached
    ]
