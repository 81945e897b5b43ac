"""Cloud Map: what its own calls reject, and what ECS rejects of a service that registers in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.aws.errors import AwsError
from lab.aws.protocol import ApiCall
from lab.aws.refusals.ecs_services import container_port, effective, reject
from lab.aws.registry import refuse

if TYPE_CHECKING:
    from lab.aws.server import AwsServer


@refuse("servicediscovery", "CreateService")
def known_namespace(aws: AwsServer, call: ApiCall) -> None:
    """[B] NamespaceNotFound."""
    namespace = call.parameters.get("NamespaceId")
    if namespace and namespace not in aws.backend("servicediscovery").namespaces:
        raise AwsError("NamespaceNotFound", f"Could not find namespace {namespace}")


@refuse("servicediscovery", "CreateService")
def free_name(aws: AwsServer, call: ApiCall) -> None:
    """[B] ServiceAlreadyExists. Names that differ by case only are the same DNS name."""
    for service in aws.backend("servicediscovery").services.values():
        if service.namespace_id == call.parameters.get("NamespaceId") and service.name.lower() == call.parameters["Name"].lower():
            raise AwsError("ServiceAlreadyExists", f"Service already exists: {service.name}")


@refuse("servicediscovery", "CreateService")
def one_health_check(aws: AwsServer, call: ApiCall) -> None:
    """[B] "either HealthCheckCustomConfig or HealthCheckConfig but not both"."""
    if call.parameters.get("HealthCheckConfig") and call.parameters.get("HealthCheckCustomConfig"):
        raise AwsError("InvalidInput", "HealthCheckConfig and HealthCheckCustomConfig cannot both be specified.")


@refuse("servicediscovery", "DeleteService")
def empty_service(aws: AwsServer, call: ApiCall) -> None:
    """[B] "If the service still contains one or more registered instances, the request fails"."""
    service = aws.backend("servicediscovery").services.get(call.parameters["Id"])
    if service is not None and service.instances:
        raise AwsError("ResourceInUse", "Service contains registered instances; delete the instances before deleting the service")


@refuse("ecs", "CreateService", "UpdateService")
def service_registries(aws: AwsServer, call: ApiCall) -> None:
    """One registry, which exists; a port where its records have one, and only there."""
    given = call.parameters.get("serviceRegistries") or []
    if len(given) > 1:  # [I] "Multiple service registries for each service are not supported" [B ServiceRegistry]
        raise reject("Multiple service registries for each service are not supported.")
    definition, _network = effective(aws, call)
    for item in given:
        arn = item.get("registryArn") or ""
        found = aws.backend("servicediscovery").services.get(arn.rpartition("/")[2])
        if found is None or found.arn != arn:  # [I]
            raise reject(f"The specified service registry does not exist. (registryArn {arn})")
        _ports(definition, item, found)


def _ports(definition: Any, item: dict[str, Any], registry: Any) -> None:
    pair = bool(item.get("containerName") or item.get("containerPort"))
    types = [record["Type"] for record in (registry.dns_config or {}).get("DnsRecords") or []]
    if definition.network_mode != "awsvpc":
        if not (item.get("containerName") and item.get("containerPort")):  # [M]
            raise reject(
                "When specifying 'host' or 'bridge' for networkMode, values for 'containerName' and 'containerPort' must be specified from the task definition. "
                f"Registry: {item['registryArn']}"
            )
        if types and "SRV" not in types:  # [D] bridge and host: SRV records only
            raise reject(f"SRV records are required for networkMode 'host' or 'bridge'. Registry: {item['registryArn']}")
    if pair and item.get("port"):  # [M]
        raise reject("Specify a value for either 'port' or the 'containerName' and 'containerPort' combination, but not both. Remove one and retry.")
    if types and "SRV" not in types and pair:  # [M]
        raise reject("The values specified for serviceRegistries do not require a value for 'containerPort'. Remove the value and retry.")
    if types and "SRV" not in types and item.get("port"):  # [M]
        raise reject("A port was provided but is not required by the specified service registry")
    if "SRV" in types and not pair and not item.get("port"):  # [I]
        raise reject("Specify a value for either 'port' or the 'containerName' and 'containerPort' combination. The service registry has an SRV record.")
    if pair:
        container_port(definition, item)
