# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the roles made of a target: looked up by the plan's names, each part with its tags and the calls that remove it.

A half-made target is found as well as a whole one, so a run that was killed is finished by the next. A part that is gone is not in the list.
"""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from .._aws import tags as aws_tags
from .._aws.apply import Call
from .._aws.clients import Clients
from .._aws.errors import ClientError, error_code
from .._ec2.common import find_group
from .._ecs import registries as cloud_map
from .._ecs.namespaces import find as find_namespace
from .._ecs.namespaces import tags_of as namespace_tags
from .._elbv2.common import find_load_balancer, find_target_group
from . import delete, proof
from .items import Item

Params = t.Mapping[str, t.Any]
Tags = t.Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Part:
    """``item`` names it, ``tags`` tell whose it is."""

    item: Item
    tags: Tags
    calls: t.Callable[[Clients], list[Call]]

    def belongs_to(self, system: str) -> bool:
        return self.tags.get(aws_tags.SYSTEM) == system

    def __str__(self) -> str:
        return str(self.item)


def find(params: Params, clients: Clients) -> list[Part]:
    """In the order in which AWS lets them go: what uses something before what is used."""
    return [part for finder in FINDERS for part in finder(params, clients)]


def _part(kind: str, identity: str, name: str, tags: Tags) -> Part:
    item = Item(kind, identity, name)
    return Part(item, tags, functools.partial(delete.calls, item))


def alarms(params: Params, clients: Clients) -> t.Iterator[Part]:
    client = clients("cloudwatch")
    for name in params["alarms"]:
        for alarm in client.describe_alarms(AlarmNames=[name])["MetricAlarms"]:
            yield _part("alarm", name, name, aws_tags.to_dict(client.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]))


def services(params: Params, clients: Clients) -> t.Iterator[Part]:
    """All services of the target's cluster. ``force``: the tasks that still run are the target's own, and stop with their service."""
    try:
        found = list(proof.live_services(clients, params["cluster"]))
    except ClientError as error:
        if error_code(error) != "ClusterNotFoundException":
            raise
        return
    for service in found:
        item = Item("service", service["serviceArn"], service["serviceName"])
        yield Part(item, aws_tags.to_dict(service.get("tags")), functools.partial(_forced, item))


def _forced(service: Item, clients: Clients) -> list[Call]:
    calls = delete.calls(service, clients)
    return [dataclasses.replace(call, params={**call.params, "force": True}) if call.operation == "delete_service" else call for call in calls]


def load_balancer(params: Params, clients: Clients) -> t.Iterator[Part]:
    found = find_load_balancer(clients, params["load_balancer"])
    if found:
        yield _part("load_balancer", found["LoadBalancerArn"], found["LoadBalancerName"], _elb_tags(clients, found["LoadBalancerArn"]))


def target_groups(params: Params, clients: Clients) -> t.Iterator[Part]:
    for name in params["target_groups"]:
        found = find_target_group(clients, name)
        if found:
            yield _part("target_group", found["TargetGroupArn"], name, _elb_tags(clients, found["TargetGroupArn"]))


def _elb_tags(clients: Clients, arn: str) -> Tags:
    return aws_tags.to_dict(clients("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"])


def cluster(params: Params, clients: Clients) -> t.Iterator[Part]:
    for found in clients("ecs").describe_clusters(clusters=[params["cluster"]], include=["TAGS"])["clusters"]:
        if found["status"] != "INACTIVE":
            yield _part("cluster", found["clusterArn"], found["clusterName"], aws_tags.to_dict(found.get("tags")))


def registries(params: Params, clients: Clients) -> t.Iterator[Part]:
    """The Cloud Map services. ECS deregisters a task when it stops, so they are empty after the cluster; AWS refuses to delete one that is not.

    Not a kind of ``delete``: the source's is never deleted, since nobody can tell who asks for a name.
    """
    for wanted in params.get("registries") or []:
        found = cloud_map.find(clients, wanted["namespace_id"], wanted["name"])
        if found:
            item = Item("cloud_map_service", found["Id"], found["Name"])
            yield Part(item, found["Tags"], functools.partial(_delete_registry, item))


def _delete_registry(item: Item, _clients: Clients) -> list[Call]:
    return [Call(f"delete {item}", "servicediscovery", "delete_service", {"Id": item.id}, again=(("ResourceInUse", ""),))]


def namespaces(params: Params, clients: Clients) -> t.Iterator[Part]:
    """Of Service Connect. ECS takes a service's endpoints out of its namespace when the service goes; with anything in it Cloud Map keeps it."""
    for name in params["namespaces"]:
        found = find_namespace(clients, name)
        if found:
            item = Item("namespace", found["Id"], name)
            call = Call(f"delete {item}", "servicediscovery", "delete_namespace", {"Id": found["Id"]}, again=(("ResourceInUse", ""),))
            yield Part(item, namespace_tags(clients, found["Arn"]), functools.partial(_only, call))


def _only(call: Call, _clients: Clients) -> list[Call]:
    return [call]


def security_group_rules(params: Params, clients: Clients) -> t.Iterator[Part]:
    """The rules of other groups that name the tasks' group: the grants of the data tier, the way out of a restricted load balancer."""
    group = find_group(clients, params["security_group"], params["vpc_id"])
    if group is None:
        return
    for rule in rules_naming(group["GroupId"], clients):
        yield _rule(rule, params["security_group"])


def rules_naming(group_id: str, clients: Clients) -> list[dict[str, t.Any]]:
    """Rules of other groups that name this one. AWS finds groups by the peer of a rule, not rules; so first the groups, then their rules."""
    groups = {
        found["GroupId"]
        for side in ("ip-permission", "egress.ip-permission")
        for found in clients("ec2").describe_security_groups(Filters=[{"Name": f"{side}.group-id", "Values": [group_id]}])["SecurityGroups"]
    } - {group_id}
    if not groups:
        return []
    pages = clients("ec2").get_paginator("describe_security_group_rules").paginate(Filters=[{"Name": "group-id", "Values": sorted(groups)}])
    rules = [rule for page in pages for rule in page["SecurityGroupRules"]]
    return [rule for rule in rules if rule.get("ReferencedGroupInfo", {}).get("GroupId") == group_id]


def _rule(rule: t.Mapping[str, t.Any], peer: str) -> Part:
    direction = "egress" if rule["IsEgress"] else "ingress"
    ports = "all ports" if rule["IpProtocol"] == "-1" else "-".join(dict.fromkeys((str(rule["FromPort"]), str(rule["ToPort"]))))
    preposition = "to" if rule["IsEgress"] else "from"
    name = f"of {rule['GroupId']}, {direction} {preposition} {peer} ({rule['IpProtocol']} {ports})"
    item = Item("security_group_rule", rule["SecurityGroupRuleId"], name)
    params = {"GroupId": rule["GroupId"], "SecurityGroupRuleIds": [rule["SecurityGroupRuleId"]]}
    call = Call(f"revoke {item}", "ec2", f"revoke_security_group_{direction}", params)
    return Part(item, aws_tags.to_dict(rule.get("Tags")), functools.partial(_only, call))


def security_group(params: Params, clients: Clients) -> t.Iterator[Part]:
    found = find_group(clients, params["security_group"], params["vpc_id"])
    if found:
        yield _part("security_group", found["GroupId"], found["GroupName"], aws_tags.to_dict(found.get("Tags")))


def task_definitions(params: Params, clients: Clients) -> t.Iterator[Part]:
    """Those revisions of a family that carry a tag of the system: somebody may have used the name before us, or since."""
    for family in params["families"]:
        tags = {arn: _definition_tags(arn, clients) for arn in proof.revisions(family, clients)}
        ours = [arn for arn in tags if tags[arn].get(aws_tags.SYSTEM) == params["system"]]
        if tags:
            item = Item("task_definition", family, family)
            yield Part(item, tags[ours[0]] if ours else {}, functools.partial(_deregister, ours))


def _definition_tags(arn: str, clients: Clients) -> Tags:
    return aws_tags.to_dict(clients("ecs").describe_task_definition(taskDefinition=arn, include=["TAGS"]).get("tags"))


def _deregister(arns: t.Sequence[str], _clients: Clients) -> list[Call]:
    return [Call(f"deregister task definition {arn.rpartition('/')[2]}", "ecs", "deregister_task_definition", {"taskDefinition": arn}) for arn in arns]


def repositories(params: Params, clients: Clients) -> t.Iterator[Part]:
    for name in params["repositories"]:
        try:
            found = clients("ecr").describe_repositories(repositoryNames=[name])["repositories"]
        except ClientError as error:
            if error_code(error) != "RepositoryNotFoundException":
                raise
            continue
        for repository in found:
            arn = repository["repositoryArn"]
            yield _part("repository", arn, name, aws_tags.to_dict(clients("ecr").list_tags_for_resource(resourceArn=arn)["tags"]))


def log_groups(params: Params, clients: Clients) -> t.Iterator[Part]:
    client = clients("logs")
    for name in params["log_groups"]:
        for group in client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]:
            if group["logGroupName"] == name:
                arn = group["arn"].removesuffix(":*")
                yield _part("log_group", name, name, client.list_tags_for_resource(resourceArn=arn)["tags"])


FINDERS: tuple[t.Callable[[Params, Clients], t.Iterator[Part]], ...] = (
    alarms,
    services,
    load_balancer,
    target_groups,
    cluster,
    registries,
    namespaces,
    security_group_rules,
    security_group,
    task_definitions,
    repositories,
    log_groups,
)
