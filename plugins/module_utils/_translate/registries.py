# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Service discovery: the Cloud Map service of each service, made anew beside the source's. fargate-rules.md 7 serviceRegistries

A Cloud Map service of its own keeps both sides apart: registered under the source's name, new tasks would answer before they are verified. Its record types
are the source's. Where that has SRV records only (bridge and host can have no others), no A record is added: "DNS records in one of the following
combinations: A; AAAA; A and AAAA; SRV; CNAME" [B CreateServiceRequest.DnsConfig], and whoever asks for SRV goes on doing so, under the new name.
"""

from __future__ import annotations

import re
import typing as t

from . import names
from .context import Context, Json, as_int, carried_tags
from .findings import Finding, found
from .secrets import mask_value
from .task_definition import Translated

NONE = "none"
ARN = re.compile(r"arn:[\w-]+:servicediscovery:[\w-]+:\d{12}:service/[\w-]+")
# Every range that Docker takes host ports from holds these. [B PortMapping.hostPort]
DYNAMIC = (49153, 60999)
# A copy of what listens here is empty: its clients must not be moved to it unasked.
STORES = frozenset({1433, 3306, 5432, 5672, 6379, 9042, 9200, 11211, 27017})


def section(services: t.Sequence[Json], context: Context) -> list[Json]:
    """The Cloud Map services to be made. Services that share one in the source share its successor."""
    plan: dict[str, Json] = {}
    for service in services:
        for registry in service.get("serviceRegistries") or []:
            known = _known(context).get(str(registry.get("registryArn")))
            if known and answer(service, context) is None:
                plan.setdefault(str(known.get("Arn")), _planned(known, context))
    return list(plan.values())


def of_service(service: Json, context: Context, path: str) -> tuple[list[Json], list[Finding]]:
    """What the service registers in, and the one thing that its clients must know."""
    plan: list[Json] = []
    findings: list[Finding] = []
    for registry in service.get("serviceRegistries") or []:
        where, arn, given = f"{path}.serviceRegistries", str(registry.get("registryArn")), answer(service, context)
        known = _known(context).get(arn)
        old = dns_name(known) if known else arn
        # The pair (or the port) stays: containers and their ports do. With SRV it is needed, with A alone AWS takes none, in either network mode.
        port = {"container_name": registry.get("containerName"), "container_port": registry.get("containerPort"), "port": registry.get("port")}
        if given == NONE:
            findings.append(found("FG-REGISTRY-NONE", where, old))
        elif given:
            plan.append({"registry_arn": given, "namespace_id": None, "name": None, **port})
            findings.append(found("FG-REGISTRY-SHARED", where, old, given))
        elif known:
            name = _name(known, context)
            plan.append({"registry_arn": None, "namespace_id": known.get("NamespaceId"), "name": name, **port})
            findings.append(found("FG-REGISTRY", where, old, dns_name(known, name)))
        else:
            findings.append(found("FG-SERVICE-DISCOVERY", where, arn))
    return plan, findings


def answer(service: Json, context: Context) -> str | None:
    """The inventory's: ``none``, the ARN of an existing Cloud Map service, or None for a new one."""
    given = (context.intent.get("service_registries") or {}).get(str(service.get("serviceName")))
    return str(given) if given else None


def answers(context: Context) -> t.Iterator[Finding]:
    """Answers that can't be right."""
    for name, value in (context.intent.get("service_registries") or {}).items():
        if value != NONE and not ARN.fullmatch(str(value)):
            yield found("FG-INTENT", f"fargate_service_registries[{name}]", value, expected="it should be none or the ARN of a Cloud Map service.")
        elif value != NONE and any(service.get("serviceName") == name and not service.get("serviceRegistries") for service in context.source_services):
            yield found("FG-INTENT", f"fargate_service_registries[{name}]", value, expected="it should name a service that registers in Cloud Map.")


def dns_name(registry: Json, name: str | None = None) -> str:
    """``web.internal.example``: what clients ask for. In an HTTP namespace they name both parts to DiscoverInstances."""
    return f"{name or registry.get('Name')}.{(registry.get('Namespace') or {}).get('Name')}"


def _known(context: Context) -> dict[str, Json]:
    return {str(registry.get("Arn")): registry for registry in context.source.get("registries") or []}


def _name(registry: Json, context: Context) -> str:
    source = str(registry.get("Name"))
    return context.renamed("cloud_map_services", source) or names.cloud_map_service(source)


def _planned(registry: Json, context: Context) -> Json:
    """A new service is as the source's, so that clients see no other difference than the name."""
    name, namespace = _name(registry, context), registry.get("Namespace") or {}
    config = registry.get("DnsConfig") or {}
    records = [{key: record.get(key) for key in ("Type", "TTL")} for record in config.get("DnsRecords") or []]
    tags, _lost = carried_tags(registry.get("Tags"), context, f"registries[{name}]")
    return {
        "name": name,
        "source_arn": registry.get("Arn"),
        "namespace_id": registry.get("NamespaceId"),
        "namespace_name": namespace.get("Name"),
        "dns_config": {"RoutingPolicy": config.get("RoutingPolicy") or "MULTIVALUE", "DnsRecords": records} if records else None,
        "health_check_config": registry.get("HealthCheckConfig") or None,
        "health_check_custom_config": registry.get("HealthCheckCustomConfig"),
        # In an HTTP namespace all services are of that type, and none is told.
        "type": "HTTP" if not records and namespace.get("Type") != "HTTP" else None,
        "tags": tags,
    }


def clients(tasks: t.Sequence[Translated], services: t.Sequence[Json], context: Context) -> None:
    """Containers of the system that name a service of the system talk to the target's from now on: the source's ends with the teardown.

    A full DNS name is never another word, and its port stays (an SRV record tells it, behind an A record it is the container's on both sides), so
    the rewriting is safe. But clients of a data store stay with the one that holds the data.
    """
    for service in services:
        for registry in service.get("serviceRegistries") or []:
            known = _known(context).get(str(registry.get("registryArn")))
            if known and _records(known) and answer(service, context) is None:
                kept = bool(STORES & {port for port, _hosts in _doors(service, registry)})
                for task in tasks:
                    task.findings.extend(_renamed(task, dns_name(known), None if kept else dns_name(known, _name(known, context))))


def _renamed(task: Translated, old: str, new: str | None) -> t.Iterator[Finding]:
    pattern = _pattern(old)
    for container in task.definition.get("containerDefinitions") or []:
        path = f"{task.path}.containerDefinitions[{container.get('name')}]"
        for holder, key, where, label in _texts(container, path):
            value = str(holder[key])
            if pattern.search(value) and new is None:
                yield found("FG-REGISTRY-STORE", where, mask_value(label, value))
            elif pattern.search(value) and new is not None:
                holder[key] = pattern.sub(new, value)
                yield found("FG-REGISTRY-CLIENT", where, mask_value(label, value), mask_value(label, holder[key]))


def _texts(container: Json, path: str) -> t.Iterator[tuple[t.Any, t.Any, str, str]]:
    """Where a container names others: (holder, key, path, name of the variable)."""
    for pair in container.get("environment") or []:
        if pair.get("value"):
            yield pair, "value", f"{path}.environment[{pair.get('name')}]", str(pair.get("name"))
    for holder, where in ((container, path), (container.get("healthCheck") or {}, f"{path}.healthCheck")):
        for key in ("entryPoint", "command"):
            words = holder.get(key) or []
            for index in range(len(words)):
                yield words, index, f"{where}.{key}[{index}]", ""


def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])(?!\.\w)", re.IGNORECASE)


def _records(registry: Json) -> list[Json]:
    return list((registry.get("DnsConfig") or {}).get("DnsRecords") or [])


def ingress(services: t.Sequence[Json], planned: t.Sequence[Json], tasks: t.Sequence[Translated], context: Context) -> tuple[list[Json], list[Finding]]:
    """Clients of a registry reach the tasks past the load balancer: who might reach the instances on the host port may reach the tasks on the container's.

    ``itself`` is the tasks' own group: it takes the place of the source's own groups. Those are let in only when other services share the
    instances, and so the groups outlive the source; a rule that names them would keep the teardown from deleting them. fargate-rules.md 7 serviceRegistries
    """
    own = _own_groups(context)
    registered = {entry["name"] for entry in planned if entry["service_registries"]}
    rules: dict[tuple[t.Any, int], Json] = {}
    findings: list[Finding] = []
    for service in (service for service in services if service.get("serviceName") in registered):
        name = str(service.get("serviceName"))
        for registry in service.get("serviceRegistries") or []:
            ours = _asked_by(tasks, registry, context)
            for port, hosts in _doors(service, registry):
                groups, others = _admitted(service, hosts, context)
                outlive = [group for group in groups if group not in own or context.source.get("other_services")]
                peers: list[str | None] = [*outlive, *([None] if ours or own & set(groups) else [])]
                for peer in peers:
                    rules.setdefault((peer, port), _rule(peer, port, f"{context.name}: clients of {name}"))
                if others or not peers:
                    findings.append(found("FG-REGISTRY-INGRESS", f"services[{name}].serviceRegistries", ", ".join(others) or None, port))
    return list(rules.values()), findings


def _rule(peer: str | None, port: int, description: str) -> Json:
    who = {"source_group_id": peer} if peer else {"itself": True}
    return {**who, "protocol": "tcp", "from_port": port, "to_port": port, "description": description}


def _asked_by(tasks: t.Sequence[Translated], registry: Json, context: Context) -> bool:
    """Whether a container of the system names the registry."""
    known = _known(context).get(str(registry.get("registryArn")))
    if not known:
        return False
    pattern = _pattern(dns_name(known))
    containers = [container for task in tasks for container in task.source.get("containerDefinitions") or []]
    return any(pattern.search(str(holder[key])) for container in containers for holder, key, _where, _label in _texts(container, ""))


def _doors(service: Json, registry: Json) -> list[tuple[int, tuple[int, int]]]:
    """Container port -> the range of ports by which clients reach it in the source. A name with A records alone says no port: all of the service's count."""
    definition = service.get("TaskDefinition") or {}
    mappings = [mapping for container in definition.get("containerDefinitions") or [] for mapping in container.get("portMappings") or []]
    wanted = as_int(registry.get("containerPort")) or as_int(registry.get("port"))
    bridge = (definition.get("networkMode") or "bridge") == "bridge"
    doors: dict[int, tuple[int, int]] = {wanted: (wanted, wanted)} if wanted and not bridge else {}
    for mapping in mappings:
        port, host = as_int(mapping.get("containerPort")), as_int(mapping.get("hostPort"))
        if port and wanted in (None, port) and (mapping.get("protocol") or "tcp") == "tcp":
            doors[port] = (port, port) if not bridge else (host, host) if host else DYNAMIC
    return sorted(doors.items())


def _own_groups(context: Context) -> set[str]:
    return {str(group.get("GroupId")) for group in (context.source.get("security_groups") or {}).get("tasks") or []}


def _admitted(service: Json, hosts: tuple[int, int], context: Context) -> tuple[list[str], list[str]]:
    """Groups of this account that the source's groups admit to the ports, and who else is (addresses, groups of other networks)."""
    configured = ((service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}).get("securityGroups") or []
    balancers = set(context.source_load_balancer.get("SecurityGroups") or [])
    groups: dict[str, None] = {}
    others: dict[str, None] = {}
    for group in (context.source.get("security_groups") or {}).get("tasks") or []:
        if configured and group.get("GroupId") not in configured:
            continue
        for permission in group.get("IpPermissions") or []:
            if not _covers(permission, hosts):
                continue
            for pair in permission.get("UserIdGroupPairs") or []:
                here = pair.get("UserId") in (None, context.account_id) and not pair.get("VpcPeeringConnectionId")
                if pair.get("GroupId") not in balancers:
                    (groups if here else others)[str(pair.get("GroupId"))] = None
            ranges = (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"), ("PrefixListIds", "PrefixListId"))
            others.update({str(item.get(key)): None for member, key in ranges for item in permission.get(member) or []})
    return list(groups), list(others)


def _covers(permission: Json, hosts: tuple[int, int]) -> bool:
    protocol = str(permission.get("IpProtocol"))
    if protocol == "-1":
        return True
    return protocol in ("tcp", "6") and (permission.get("FromPort") or 0) <= hosts[0] and hosts[1] <= (permission.get("ToPort") or 65535)
