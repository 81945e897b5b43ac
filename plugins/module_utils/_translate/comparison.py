# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Both sides in one normalised shape, so that a diff of them is the review of the migration."""

from __future__ import annotations

import typing as t

from .context import Json
from .secrets import mask, mask_value
from .task_definition import READ_ONLY


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
