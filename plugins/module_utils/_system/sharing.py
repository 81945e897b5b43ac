# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Who else lives on the source's load balancer. Pure."""

from __future__ import annotations

import typing as t

from .balancers import forwarded
from .hostnames import covers
from .read import Shape
from .services import names_in
from .sides import Side


def shared(side: Side, fqdn: str, only: t.Sequence[str]) -> list[Shape]:
    """``shared`` of the source: what a move of this system would take from others, or leave behind.

    A rule for another host that leads to services the FQDN never reaches counts as another system's, unless the inventory names those services
    (``fargate_services``).
    """
    return [*_foreign_groups(side), *_foreign_rules(side.data, fqdn, only)]


def _foreign_groups(side: Side) -> list[Shape]:
    """Target groups whose tasks belong to another cluster, to a service that was excluded, or that something outside ECS registers in."""
    found = []
    for group in side.data["target_groups"]:
        arn = group["TargetGroupArn"]
        used_by = [*side.elsewhere.get(arn, []), *(f"service {name} of this cluster" for name in side.excluded.get(arn, []))]
        if not used_by and group["TargetHealth"] and not names_in(side.data["services"], arn):
            used_by = [f"{len(group['TargetHealth'])} registered targets that no ECS service manages"]
        if used_by:
            found.append({"kind": "target_group", "id": arn, "name": group["TargetGroupName"], "used_by": used_by})
    return found


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
