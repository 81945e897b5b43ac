# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What can be deleted about one month later, in the order in which AWS lets it go. runbook (Teardown)

The list is a proposal: the teardown looks at each item again and deletes only what is unused then.
"""

from __future__ import annotations

import typing as t

from . import copied_alarms, deployments, image, load_balancer, logs, phases, readiness_jobs, scaling_alarms, security
from .context import Context, Json

Items = t.Iterator[Json]


def section(context: Context, images: t.Sequence[Json], definitions: t.Sequence[Json]) -> Json:
    items = [
        item
        for part in (alarms, services, cluster, capacity, balancer, target_groups, ingress_rules, security_groups, task_definitions)
        for item in part(context)
    ]
    items += repositories(context, images, definitions)
    items += log_groups(context)
    return {
        "source_load_balancer_arn": context.source_load_balancer.get("LoadBalancerArn"),
        "target_load_balancer": context.names["load_balancer"],
        "items": items if context.source else [],
    }


def _item(kind: str, identifier: t.Any, name: t.Any, **detail: t.Any) -> Json:
    return {"kind": kind, "id": identifier, "name": name, "detail": detail}


def alarms(context: Context) -> Items:
    """All alarms on what goes, and those that did nothing but scale it. One that decides on the target's deployments stays, whoever named it there."""
    of_source, of_target = deployments.watched(context.source_services), deployments.watched(context.target_services.values())
    for alarm in context.source.get("alarms") or []:
        name = copied_alarms.name_of(alarm)
        useless = _ends(alarm, context) or (scaling_alarms.only_scales(alarm, context) and name not in of_source)
        if useless and name not in of_target:
            yield _item("alarm", name, name)


def _ends(alarm: Json, context: Context) -> bool:
    """Whether one of its metrics ends with the source. A load balancer or a cluster that stays for others keeps the alarms on it as a whole."""
    stays = {"LoadBalancer"} if load_balancer.is_shared(context) else set()
    stays |= set() if any(cluster(context)) else {"ClusterName"}
    return any(names - stays for names in copied_alarms.of_source(alarm, context))


def services(context: Context) -> Items:
    for service in context.source_services:
        yield _item("service", service.get("serviceArn"), service.get("serviceName"), cluster=_cluster_name(context))


def cluster(context: Context) -> Items:
    """Only when nobody else runs on it, and no clock starts tasks in it."""
    if context.source.get("cluster") and not phases.keeps_instances(context) and not readiness_jobs.enabled(context):
        yield _item("cluster", context.source["cluster"].get("clusterArn"), _cluster_name(context))


def capacity(context: Context) -> Items:
    """Capacity providers of Auto Scaling groups, the groups, their launch templates."""
    groups = phases.auto_scaling_groups(context)
    if groups:
        for provider in (context.source.get("cluster") or {}).get("capacityProviders") or []:
            if not str(provider).startswith("FARGATE"):
                yield _item("capacity_provider", provider, provider, cluster=_cluster_name(context))
    for group in groups:
        yield _item("auto_scaling_group", group.get("AutoScalingGroupName"), group.get("AutoScalingGroupName"))
    yield from _templates(groups)


def _templates(groups: t.Iterable[Json]) -> Items:
    seen: set[str] = set()
    for group in groups:
        data = group.get("LaunchTemplate") or {}
        for kind, identifier, name in (
            ("launch_template", data.get("LaunchTemplateId"), data.get("LaunchTemplateName")),
            ("launch_configuration", data.get("LaunchConfigurationName"), data.get("LaunchConfigurationName")),
        ):
            if identifier and identifier not in seen:
                seen.add(identifier)
                yield _item(kind, identifier, name)


def balancer(context: Context) -> Items:
    """The old load balancer with its listeners, unless somebody else lives on it."""
    source = context.source_load_balancer
    if source and not load_balancer.is_shared(context):
        yield _item("load_balancer", source.get("LoadBalancerArn"), source.get("LoadBalancerName"), listeners=len(source.get("Listeners") or []))


def target_groups(context: Context) -> Items:
    """All of them, unless the load balancer stays: then its rules still name them, and AWS refuses."""
    if load_balancer.is_shared(context):
        return
    for group in context.source.get("target_groups") or []:
        yield _item("target_group", group.get("TargetGroupArn"), group.get("TargetGroupName"))


def ingress_rules(context: Context) -> Items:
    """The rules of other groups that admit the old instances."""
    if phases.keeps_instances(context):
        return
    for group in (context.source.get("security_groups") or {}).get("admitting") or []:
        for permission in group.get("rules") or []:
            sources = sorted(str(pair.get("GroupId")) for pair in permission.get("UserIdGroupPairs") or [])
            yield _item(
                "ingress_rule",
                group.get("GroupId"),
                group.get("GroupName"),
                protocol=permission.get("IpProtocol"),
                from_port=permission.get("FromPort", security.ANY),
                to_port=permission.get("ToPort", security.ANY),
                source_group_ids=sources,
            )


def security_groups(context: Context) -> Items:
    """The instances' groups: not those of the load balancer (the new one uses them), not those that protect something else."""
    groups = context.source.get("security_groups") or {}
    kept = security.group_ids(context.target) | {str(group.get("GroupId")) for group in groups.get("load_balancer") or []}
    kept |= {str(group.get("GroupId")) for group in groups.get("admitting") or [] if security.others(group, context)}
    if phases.keeps_instances(context):
        return
    for group in groups.get("tasks") or []:
        if group.get("GroupId") not in kept and group.get("GroupName") != "default":
            yield _item("security_group", group.get("GroupId"), group.get("GroupName"), vpc_id=group.get("VpcId"))


def task_definitions(context: Context) -> Items:
    """All revisions of the families that the services ran, but those that a clock starts; none while that can't be read."""
    if phases.unread_schedules(context):
        return
    families = {str(service["TaskDefinition"]["family"]) for service in context.source_services if (service.get("TaskDefinition") or {}).get("family")}
    for family in sorted(families - readiness_jobs.families(context)):
        yield _item("task_definition", family, family)


def repositories(context: Context, images: t.Sequence[Json], definitions: t.Sequence[Json]) -> Items:
    """The repository of each image that was replaced, unless the target still pulls from it.

    Only what is registered tells which of the planned images were not needed after all.
    """
    registered = [service.get("TaskDefinition") or {} for service in context.target_services.values()]
    used = {(reference.host, reference.repository) for reference in _images([*definitions, *registered])}
    replaced = {(reference.host, reference.repository) for reference in (image.parse(str(entry.get("source_image"))) for entry in images)}
    known = {str(item.get("repositoryName")): item for item in context.source.get("repositories") or []}
    for _host, name in sorted(replaced - used):
        if name in known:
            yield _item("repository", known[name].get("repositoryArn"), name)


def log_groups(context: Context) -> Items:
    """They hold history: only when ``fargate_teardown_log_groups`` says so."""
    if not context.intent.get("teardown_log_groups"):
        return
    used = {logs.group_of(container) for service in context.target_services.values() for container in _containers(service.get("TaskDefinition"))}
    for group in context.source.get("log_groups") or []:
        if group.get("logGroupName") not in used:
            yield _item("log_group", group.get("logGroupName"), group.get("logGroupName"))


def _images(definitions: t.Sequence[Json]) -> list[image.Reference]:
    return [image.parse(str(container.get("image"))) for definition in definitions for container in _containers(definition)]


def _containers(definition: Json | None) -> list[Json]:
    return (definition or {}).get("containerDefinitions") or []


def _cluster_name(context: Context) -> str | None:
    return (context.source.get("cluster") or {}).get("clusterName")
