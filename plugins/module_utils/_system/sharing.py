# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Who else lives on what a side uses: its load balancer, instances and security groups."""

from __future__ import annotations

import typing as t

from . import network
from .balancers import forwarded
from .capacity import runs_on_ec2
from .hostnames import covers, normal
from .read import Reader, Shape, unique
from .services import names_in
from .sides import Side


def shared(side: Side, fqdn: str, only: t.Sequence[str]) -> list[Shape]:
    """``shared`` of the source: what a move of this system would take from others, or leave behind.

    A rule for another host that leads to services the FQDN never reaches counts as another system's, unless the inventory names those services
    (``fargate_services``).
    """
    return [*_foreign_groups(side), *_foreign_rules(side.data, fqdn, only)]


def neighbours(read: Reader, side: Side, fqdn: str, records: t.Sequence[Shape], path: str) -> Shape:
    """``sharing`` of a side: other hosts of the load balancer, other services on the instances, other users of the security groups."""
    rules = [rule for listener in side.data["load_balancer"]["Listeners"] for rule in listener["Rules"]]
    hosts = [normal(host) for rule in rules for host in hosts_of(rule)] + [normal(record["record_set"]["Name"]) for record in records if record["side"] == path]
    return {
        "hosts": sorted(unique(host for host in hosts if not covers(host, fqdn))),
        "services": sorted(service["serviceName"] for service in side.others if runs_on_ec2(service)) if side.data["capacity"]["auto_scaling_groups"] else [],
        "security_groups": _group_users(read, side.data, path),
    }


def _group_users(read: Reader, data: Shape, path: str) -> list[Shape]:
    groups = data["security_groups"]
    names = {group["GroupId"]: group["GroupName"] for group in [*groups["load_balancer"], *groups["tasks"]]}
    if not names:
        return []
    own = {("load_balancer", data["load_balancer"]["LoadBalancerName"])}
    launched = [instance for scaling in data["capacity"]["auto_scaling_groups"] for instance in scaling.get("Instances") or []]
    own |= {("instance", instance["InstanceId"]) for instance in [*data["capacity"]["instances"], *launched]}
    own |= {("interface", interface) for service in data["services"] for task in service["Tasks"] for interface in _interfaces(task)}
    told = network.users(read, list(names), f"{path}.sharing.security_groups")
    found = {group: [use for use in uses if (use["kind"], use["id"]) not in own] for group, uses in told.items()}
    return [{"GroupId": group, "GroupName": names[group], "used_by": found[group]} for group in names if found[group]]


def _interfaces(task: Shape) -> list[str]:
    details = [detail for attachment in task.get("attachments", []) for detail in attachment.get("details", [])]
    return [detail.get("value", "") for detail in details if detail.get("name") == "networkInterfaceId"]


def _foreign_groups(side: Side) -> list[Shape]:
    """Target groups whose tasks belong to another cluster, to a service that was excluded, or that something outside ECS registers in."""
    found = []
    for group in side.data["target_groups"]:
        arn = group["TargetGroupArn"]
        used_by = [*side.elsewhere.get(arn, []), *(f"service {name} of this cluster" for name in side.excluded.get(arn, []))]
        if not used_by and group["TargetHealth"] and not names_in(side.data["services"], arn):
            used_by = [f"{len(group['TargetHealth'])} registered targets that no ECS service manages"]
        strangers = _strangers(group, side.data["capacity"]["instances"])
        if not used_by and strangers:
            used_by = [f"{len(strangers)} registered instances that are not of the cluster: {', '.join(strangers)}"]
        if used_by:
            found.append({"kind": "target_group", "id": arn, "name": group["TargetGroupName"], "used_by": used_by})
    return found


def _strangers(group: Shape, instances: t.Sequence[Shape]) -> list[str]:
    """Instances in the group that another cluster, or nobody of ECS, brought there: seen however many clusters the account has.

    Addresses are not judged: a task may have come or gone since the group was read.
    """
    own = {instance["InstanceId"] for instance in instances}
    taking = [item["Target"]["Id"] for item in group["TargetHealth"] if item["TargetHealth"]["State"] not in ("draining", "unused")]
    return sorted(set(taking) - own) if group.get("TargetType") == "instance" else []


def _foreign_rules(data: Shape, fqdn: str, only: t.Sequence[str]) -> list[Shape]:
    rules = [(listener, rule) for listener in data["load_balancer"]["Listeners"] for rule in listener["Rules"]]
    reached = {arn for _listener, rule in rules if _serves(rule, fqdn) for arn in forwarded(rule["Actions"])}
    ours = {name for arn in reached for name in names_in(data["services"], arn)} | set(only)
    found = []
    for listener, rule in rules:
        users = [] if _serves(rule, fqdn) else [name for arn in forwarded(rule["Actions"]) for name in names_in(data["services"], arn)]
        foreign = sorted(set(users) - ours)
        if foreign:
            name = f"{listener.get('Protocol')}:{listener.get('Port')} priority {rule['Priority']} ({', '.join(hosts_of(rule))})"
            found.append({"kind": "listener_rule", "id": rule["RuleArn"], "name": name, "used_by": foreign})
    return found


def hosts_of(rule: Shape) -> list[str]:
    """The host names a rule is for; [] = every host."""
    conditions = [condition for condition in rule.get("Conditions", []) if condition.get("Field") == "host-header"]
    return [value for condition in conditions for value in (condition.get("HostHeaderConfig") or condition).get("Values", [])]


def _serves(rule: Shape, fqdn: str) -> bool:
    """Regular expressions (``RegexValues``) are not read here: such a rule counts as one for the FQDN."""
    hosts = hosts_of(rule)
    return not hosts or any(covers(host, fqdn) for host in hosts)
