"""What CreateService and UpdateService reject of Service Connect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.aws.operations import ecs_connect
from lab.aws.operations.ecs_definitions import find as find_definition
from lab.aws.operations.ecs_services import find_cluster, find_service
from lab.aws.protocol import ApiCall
from lab.aws.refusals.ecs_services import reject
from lab.aws.registry import refuse

if TYPE_CHECKING:
    from lab.aws.server import AwsServer


@refuse("ecs", "CreateService", "UpdateService")
def service_connect(aws: AwsServer, call: ApiCall) -> None:
    """[B ServiceConnectConfiguration] an existing namespace, named ports of the definition, names and aliases that nobody else has in the namespace."""
    given = call.parameters.get("serviceConnectConfiguration") or {}
    if not given.get("enabled"):
        return
    cluster = find_cluster(aws, call.parameters)
    service = find_service(aws, cluster, call.parameters.get("serviceName") or call.parameters["service"])
    namespace = _namespace(aws, cluster, given)
    _log(given)
    definition = call.parameters.get("taskDefinition") or (service.task_definition if service else "")
    ports = {mapping.get("name") for container in find_definition(aws, definition).container_definitions for mapping in container.get("portMappings") or []}
    for endpoint in given.get("services") or []:
        if endpoint["portName"] not in ports:  # [I]
            raise reject(f"Service Connect port name {endpoint['portName']} is not the name of a port mapping in the task definition.")
        if len(endpoint.get("clientAliases") or []) > 1:  # [B ServiceConnectService.clientAliases] [I]
            raise reject("Service Connect service can have at most 1 client alias.")
        _unique(aws, endpoint, namespace, service)


def _namespace(aws: AwsServer, cluster: Any, given: dict[str, Any]) -> Any:
    reference = (ecs_connect.complete(cluster, given) or {}).get("namespace")
    if not reference:  # [I]
        raise reject("Service Connect needs a namespace: the service names none, and the cluster has no default.")
    return ecs_connect.existing(aws, reference)


def _log(given: dict[str, Any]) -> None:
    """[B ServiceConnectAccessLogConfiguration] access logs need a log configuration [I]."""
    if given.get("accessLogConfiguration") and not given.get("logConfiguration"):
        raise reject("Service Connect access logs need a logConfiguration.")


def _unique(aws: AwsServer, endpoint: dict[str, Any], namespace: Any, service: Any | None) -> None:
    """[M] a discovery name is one service's, as Cloud Map's service of that name is; [B ServiceConnectClientAlias] so is a name with its port [I]."""
    others = [item for item in ecs_connect.members(aws, namespace) if item is not service]
    taken = [other for item in others for other in ecs_connect.configuration(item).get("services") or []]
    if ecs_connect.discovery_name(endpoint) in map(ecs_connect.discovery_name, taken):
        raise reject(f"SC service is already used by {namespace.arn}")
    for name, port in ecs_connect.aliases(endpoint, namespace):
        if any((name, port) in ecs_connect.aliases(other, namespace) for other in taken):
            raise reject(f"Service Connect client alias {name}:{port} is already used in namespace {namespace.arn}")
