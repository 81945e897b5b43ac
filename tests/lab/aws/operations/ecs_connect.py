"""Service Connect and the namespaces of Cloud Map that it needs. There is no proxy: what was given is described, refused and freed as AWS does."""

from __future__ import annotations

import copy
import hashlib
from typing import TYPE_CHECKING, Any

from lab.aws.errors import AwsError
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation, page

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

MEMBER = "serviceConnectConfiguration"


# -- look-ups ---------------------------------------------------------------------------------------------------------------------------------


def http_name(namespace: Any) -> str:
    return str((namespace.http_properties or {}).get("HttpName") or namespace.name)


def find_namespace(aws: AwsServer, reference: str) -> Any | None:
    """Cloud Map's namespace by the name that ECS uses, or by its ARN."""
    found = aws.backend("servicediscovery").namespaces.values()
    return next((item for item in found if reference in (item.arn, http_name(item))), None)


def existing(aws: AwsServer, reference: str) -> Any:
    found = find_namespace(aws, reference)
    if found is None:
        raise AwsError("NamespaceNotFoundException", "The specified namespace wasn't found.")
    return found


def configuration(service: Any) -> dict[str, Any]:
    """What the service has; empty where it is off."""
    found = getattr(service, "configuration", {}).get(MEMBER) or {}
    return found if found.get("enabled") else {}


def members(aws: AwsServer, namespace: Any) -> list[Any]:
    """The services in a namespace, also those whose last tasks are going: until then their names are theirs."""
    services = aws.backend("ecs").services.values()
    return [item for item in services if item.status != "INACTIVE" and find_namespace(aws, configuration(item).get("namespace", "")) is namespace]


def discovery_name(endpoint: dict[str, Any]) -> str:
    return str(endpoint.get("discoveryName") or endpoint["portName"])


def aliases(endpoint: dict[str, Any], namespace: Any) -> set[tuple[str, int]]:
    """Name and port of each, the default name written out."""
    default = f"{discovery_name(endpoint)}.{http_name(namespace)}"
    return {(alias.get("dnsName") or default, alias["port"]) for alias in endpoint.get("clientAliases") or []}


# -- what the operations of clusters and services keep and show -------------------------------------------------------------------------------


def complete(cluster: Any, given: dict[str, Any] | None) -> dict[str, Any] | None:
    """The configuration of a service, in the cluster's namespace where it names none."""
    if not given or not given.get("enabled"):
        return given
    default = (getattr(cluster, "service_connect_defaults", None) or {}).get("namespace")
    return {**given, "namespace": given.get("namespace") or default}


def shown(aws: AwsServer, service: Any) -> dict[str, Any]:
    """The members of a deployment. DescribeServices has them nowhere else."""
    found = configuration(service)
    if not found:
        return {}
    resources = [{"discoveryName": discovery_name(item), "discoveryArn": _arn(aws, service, item)} for item in found.get("services") or []]
    return {MEMBER: copy.deepcopy(found), **({"serviceConnectResources": resources} if resources else {})}


def _arn(aws: AwsServer, service: Any, endpoint: dict[str, Any]) -> str:
    identity = hashlib.sha256(f"{service.arn}/{discovery_name(endpoint)}".encode()).hexdigest()[:16]
    return f"arn:aws:servicediscovery:{aws.region}:{aws.account}:service/srv-{identity}"


def defaults(aws: AwsServer, given: dict[str, Any] | None) -> dict[str, Any] | None:
    """The default namespace of a cluster as its ARN. A name that Cloud Map doesn't know becomes a namespace. [B ClusterServiceConnectDefaultsRequest]"""
    if not given or not given.get("namespace"):
        return None
    name = given["namespace"]
    if find_namespace(aws, name) is None and not name.startswith("arn:"):
        aws.backend("servicediscovery").create_http_namespace(name, "ecs", "", [{"Key": "AmazonECSManaged", "Value": "true"}])
    return {"namespace": existing(aws, name).arn}


# -- operations -------------------------------------------------------------------------------------------------------------------------------


@operation("ecs", "ListServicesByNamespace")
def list_services_by_namespace(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    namespace = existing(aws, call.parameters["namespace"])
    arns, token = page(sorted(item.arn for item in members(aws, namespace)), call.parameters, 10)
    return {"serviceArns": arns, "nextToken": token}


@operation("servicediscovery", "ListNamespaces")
def list_namespaces(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """With its filters, which moto ignores: HTTP_NAME, NAME and TYPE."""
    of = {"HTTP_NAME": http_name, "NAME": lambda item: item.name, "TYPE": lambda item: item.type}
    filters = call.parameters.get("Filters") or []
    found = [
        item.to_json()
        for item in aws.backend("servicediscovery").namespaces.values()
        if all(of[each["Name"]](item) in each["Values"] for each in filters if each["Name"] in of)
    ]
    return {"Namespaces": found}


@operation("servicediscovery", "CreateHttpNamespace")
def create_http_namespace(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """The HTTP name is the account's only one. [B NamespaceAlreadyExists]"""
    if find_namespace(aws, call.parameters["Name"]) is not None:
        raise AwsError("NamespaceAlreadyExists", "Namespace already exists.")
    return aws.ask_moto(call)


@operation("servicediscovery", "DeleteNamespace")
def delete_namespace(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """Refused while it holds services. [B DeleteNamespace]: "If the namespace still contains one or more services, the request fails"."""
    backend, identity = aws.backend("servicediscovery"), call.parameters["Id"].rpartition("/")[2]
    namespace = backend.namespaces.get(identity)
    held = [service for service in backend.services.values() if service.namespace_id == identity]
    if namespace is not None and (held or any(configuration(item).get("services") for item in members(aws, namespace))):
        raise AwsError("ResourceInUse", "Namespace has associated services; delete the services before deleting the namespace.")
    return aws.ask_moto(call)
