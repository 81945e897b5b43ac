# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The plan for people: printable lines, and both sides in one normalised shape so that a diff is the review of the migration."""

from __future__ import annotations

import typing as t

from .context import Json
from .findings import BLOCKER, INFO, SEVERITIES, Finding
from .secrets import mask, mask_value
from .task_definition import READ_ONLY

WIDTH = 96


def blockers(plan: Json) -> list[Finding]:
    """What nobody has solved or waived."""
    return [finding for finding in plan["findings"] if finding["severity"] == BLOCKER and not finding["waived"]]


def summary(plan: Json) -> list[str]:
    """What will be created, changed and left alone, then the findings by severity, each with its fix."""
    lines = [f"{plan['system']} ({plan['fqdn']}, {plan['region']}, account {plan['account_id']}): {plan['phase'].replace('_', ' ')}"]
    titles = ("Create" if plan["phase"] == "new" else "Target", "Change", "Leave alone")
    for title, entries in zip(titles, (created(plan), changed(plan), left(plan)), strict=True):
        lines += ["", title, *(f"  {entry}" for entry in entries or ["nothing"])]
    for severity in SEVERITIES:
        cards = list(grouped(plan["findings"], severity))
        if cards:
            lines += ["", f"{severity} ({sum(map(len, cards))})", *(line for card in cards for line in _lines(card))]
    return [str(mask(line)) for line in lines]


def created(plan: Json) -> list[str]:
    balancer = plan["load_balancer"]
    entries = [f"image           {entry['image']}" for entry in plan["image"]["images"]]
    if plan["source"] is None:
        return []
    entries += [f"cluster         {plan['cluster']['name']}", f"security group  {plan['security']['group']['name']}"]
    entries += [f"ingress         from {_peer(rule)} ({_ports(rule)}): {rule['description']}" for rule in plan["security"]["ingress"]]
    if plan["execution_role"]["arn"] is None:
        entries.append(f"role            {plan['execution_role']['name']} (when it doesn't exist)")
    entries += [f"namespace       {item['name']} (Service Connect)" for item in plan["cluster"]["namespaces"] if not item["shared"]]
    entries += [f"Cloud Map       {item['name']}.{item['namespace_name']}" for item in plan["registries"]]
    entries += [f"log group       {group['name']}" for group in plan["log_groups"]]
    entries += [f"task            {item['family']} ({item['cpu']} CPU units, {item['memory']} MiB)" for item in plan["task_definitions"]]
    if balancer:
        entries.append(f"load balancer   {balancer['name']} ({', '.join(str(item['port']) for item in balancer['listeners'])})")
        entries += [f"target group    {group['name']} (ip, port {group['port']})" for group in balancer["target_groups"]]
    entries += [f"service         {item['name']} ({item['kind']}, {_tasks(item)}{_volumes(item)})" for item in plan["services"]]
    entries += [f"scaling         {item['service']} ({item['min_capacity']} to {item['max_capacity']}, {_policies(item)})" for item in plan["scaling"]]
    alarms = [*plan["alarms"], *(alarm for part in ("scaling", "deployments") for entry in plan[part] for alarm in entry["alarms"])]
    return entries + [f"alarm           {alarm['name']}" for alarm in alarms]


def changed(plan: Json) -> list[str]:
    entries = [f"security group  {grant['group_name'] or grant['group_id']} admits the tasks ({_ports(grant)})" for grant in plan["security"]["grants"]]
    entries += [
        f"security group  {rule['group_id']} lets the load balancer reach the tasks ({_ports(rule)})" for rule in plan["security"]["load_balancer_egress"]
    ]
    for record in plan["dns"]["record_sets"]:
        entries.append(f"record          {record['record_set'].get('Name')} {record['record_set'].get('Type')} -> {plan['dns']['target_load_balancer']}")
    if plan["keep_alive"]["load_balancer_arn"]:
        entries.append(f"load balancer   {plan['dns']['source_load_balancer']}: client keep-alive {plan['keep_alive']['seconds']} s until rolled back")
    return entries


def left(plan: Json) -> list[str]:
    source = plan["source"]
    if source is None:
        return []
    return [
        f"load balancer   {source['load_balancer_name']}",
        f"cluster         {source['cluster']}",
        *(f"service         {name}" for name in source["services"]),
        *(f"namespace       {item['name']} (joined as it is)" for item in plan["cluster"]["namespaces"] if item["shared"]),
    ]


def _tasks(service: Json) -> str:
    if service["held_count"] is None:
        return _count(service["desired_count"], "task")
    return f"a scheduler: 0 tasks until scale_in has stopped the source's, then {service['held_count']}"


def _volumes(service: Json) -> str:
    sizes = [volume["managedEBSVolume"].get("sizeInGiB") for volume in service["volume_configurations"]]
    return "".join(f", each with an EBS volume{f' of {size} GiB' if size else ''}" for size in sizes)


def _policies(target: Json) -> str:
    number = len(target["policies"])
    return f"{number} policy" if number == 1 else f"{number} policies"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _peer(rule: Json) -> str:
    return "the tasks themselves" if rule.get("itself") else str(rule.get("source_group_id") or rule.get("prefix_list_id"))


def _ports(rule: Json) -> str:
    if str(rule["protocol"]) == "-1":
        return "everything"
    ports = str(rule["from_port"]) if rule["from_port"] == rule["to_port"] else f"{rule['from_port']}-{rule['to_port']}"
    return f"{rule['protocol']} {ports}"


def grouped(findings: t.Iterable[Finding], severity: str) -> t.Iterator[list[Finding]]:
    """The findings of one severity in their order; those that say the same of several places are one card."""
    cards: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        if finding["severity"] == severity:
            cards.setdefault((finding["id"], finding["why"], finding["fix"]), []).append(finding)
    yield from cards.values()


def _lines(card: t.Sequence[Finding]) -> list[str]:
    """One thing to know, and its places. What has no consequence is one line; the page tells its places."""
    first = card[0]
    head = f"  {first['id']}{_times(card)}: {first['why']}"
    if first["severity"] == INFO:
        return [head]
    fix = [f"    Fix: {first['fix']}"] if first["fix"] != "Nothing." else []
    return [head, *(f"    {_place(finding)}" for finding in card), *fix]


def _times(card: t.Sequence[Finding]) -> str:
    return f" ({len(card)} times)" if len(card) > 1 else ""


def _place(finding: Finding) -> str:
    values = [_short(finding[key]) for key in ("source_value", "new_value")]
    change = f": {' -> '.join(filter(None, values))}" if any(values) else ""
    return f"{finding['path']}{change}{' (waived)' if finding['waived'] else ''}"


def _short(value: t.Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= WIDTH else text[: WIDTH - 3] + "..."


def diff(system: t.Mapping[str, t.Any], plan: Json) -> dict[str, Json]:
    """``{before: EC2 definitions, after: Fargate definitions}``, both by the source's names and masked."""
    source = system.get("source") or {}
    services = {str(item.get("serviceName")): item for item in source.get("services") or []}
    definitions = {item["family"]: item for item in plan["task_definitions"]}
    before: Json = {"task_definitions": {}, "services": {}, "target_groups": {}}
    after: Json = {"task_definitions": {}, "services": {}, "target_groups": {}}
    for entry in plan["services"]:
        name = entry["name"]
        before["task_definitions"][name] = definition(services[name].get("TaskDefinition") or {})
        after["task_definitions"][name] = definition(definitions[entry["family"]])
        before["services"][name] = source_service(services[name])
        after["services"][name] = target_service(entry)
    originals = {group.get("TargetGroupArn"): group for group in source.get("target_groups") or []}
    for group in (plan["load_balancer"] or {}).get("target_groups") or []:
        original = originals[group["source_arn"]]
        name = str(original.get("TargetGroupName"))
        before["target_groups"][name] = _group(original.get("TargetType"), original.get("Port"), original, original.get("Attributes"))
        after["target_groups"][name] = _group(group["target_type"], group["port"], group["health_check"], group["attributes"])
    return {"before": t.cast(Json, mask(before)), "after": t.cast(Json, mask(after))}


def definition(source: Json) -> Json:
    """A task definition with lists of named things as mappings and without what is empty or read-only, so that two can be compared line by line."""
    kept = {key: value for key, value in source.items() if key not in (*READ_ONLY, "tags") and value not in (None, [], {}, "")}
    kept["networkMode"] = kept.get("networkMode", "bridge")
    kept["containerDefinitions"] = {str(item.get("name")): container(item) for item in source.get("containerDefinitions") or []}
    if kept.get("volumes"):
        kept["volumes"] = {str(item.get("name")): {key: value for key, value in item.items() if key != "name"} for item in kept["volumes"]}
    return kept


def container(source: Json) -> Json:
    """One container; the environment as a mapping with its secrets masked."""
    kept = {key: value for key, value in source.items() if key != "name" and value not in (None, [], {}, "")}
    if "environment" in kept:
        kept["environment"] = {str(pair.get("name")): mask_value(str(pair.get("name")), pair.get("value")) for pair in kept["environment"]}
    if "secrets" in kept:
        kept["secrets"] = {f"{pair.get('name')} from": pair.get("valueFrom") for pair in kept["secrets"]}
    if "portMappings" in kept:
        kept["portMappings"] = sorted(_port_text(mapping) for mapping in kept["portMappings"])
    return kept


def _port_text(mapping: Json) -> str:
    """``80/tcp``, or ``32768:80/tcp`` where the instance's port is another; 0 is any port of the instance."""
    port = mapping.get("containerPort") or mapping.get("containerPortRange")
    host = mapping.get("hostPort")
    prefix = "" if host in (None, port) else "any:" if host == 0 else f"{host}:"
    return f"{prefix}{port}/{mapping.get('protocol') or 'tcp'}"


def source_service(service: Json) -> Json:
    """A service of the source in the shape of ``target_service``."""
    configuration = service.get("deploymentConfiguration") or {}
    primary: Json = next((item for item in service.get("deployments") or [] if item.get("status") == "PRIMARY"), {})
    attached = {
        "serviceConnect": primary.get("serviceConnectConfiguration"),
        "serviceRegistries": [item.get("registryArn") for item in service.get("serviceRegistries") or []],
        "volumeConfigurations": primary.get("volumeConfigurations"),
        "vpcLatticeConfigurations": primary.get("vpcLatticeConfigurations"),
    }
    return {
        **{key: value for key, value in attached.items() if value},
        "cluster": str(service.get("clusterArn") or "").rpartition("/")[2],
        "launchType": service.get("launchType") or "EC2",
        "desiredCount": service.get("desiredCount"),
        "loadBalancers": sorted(f"{item.get('containerName')}:{item.get('containerPort')}" for item in service.get("loadBalancers") or []),
        "healthCheckGracePeriodSeconds": service.get("healthCheckGracePeriodSeconds"),
        "deploymentConfiguration": {key: configuration.get(key) for key in ("minimumHealthyPercent", "maximumPercent", "deploymentCircuitBreaker")},
    }


def target_service(entry: Json) -> Json:
    """The members that few services have are only there when this one has them; ``heldCount`` is what a scheduler gets when the source's is stopped."""
    attached = {
        "heldCount": entry["held_count"],
        "serviceConnect": entry["service_connect"],
        "serviceRegistries": [item["registry_arn"] or item["name"] for item in entry["service_registries"]],
        "volumeConfigurations": entry["volume_configurations"],
        "vpcLatticeConfigurations": entry["vpc_lattice_configurations"],
    }
    return {
        **{key: value for key, value in attached.items() if value},
        "cluster": entry["cluster"],
        "launchType": "FARGATE",
        "desiredCount": entry["desired_count"],
        "loadBalancers": sorted(f"{item['container_name']}:{item['container_port']}" for item in entry["load_balancers"]),
        "healthCheckGracePeriodSeconds": entry["health_check_grace_period_seconds"],
        "deploymentConfiguration": entry["deployment_configuration"],
    }


def _group(target_type: t.Any, port: t.Any, check: Json, attributes: t.Any) -> Json:
    health = {key: value for key, value in check.items() if key.startswith(("HealthCheck", "HealthyThreshold", "UnhealthyThreshold", "Matcher"))}
    return {"TargetType": target_type, "Port": port, **health, "Attributes": dict(attributes or {})}
