"""ECS clusters: counts that are true, settings that are kept, members that moto omits when they are unset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.aws.errors import AwsError
from lab.aws.operations import ecs_connect
from lab.aws.operations.ecs_services import cluster_name, find_cluster, services_of
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation, page

if TYPE_CHECKING:
    from lab.aws.server import AwsServer


def document(aws: AwsServer, cluster: Any, include: list[str]) -> dict[str, Any]:
    """The cluster as DescribeClusters shows it: settings, tags, configuration only where asked for."""
    tasks = list(aws.backend("ecs").tasks.get(cluster.name, {}).values())
    optional = {"SETTINGS": ("settings", cluster.settings), "TAGS": ("tags", cluster.tags or []), "CONFIGURATIONS": ("configuration", cluster.configuration)}
    return {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": cluster.status,
        "registeredContainerInstancesCount": len(aws.backend("ecs").container_instances.get(cluster.name, {})),
        "runningTasksCount": sum(task.last_status == "RUNNING" for task in tasks),
        "pendingTasksCount": sum(task.last_status in ("PROVISIONING", "PENDING", "ACTIVATING") for task in tasks),
        "activeServicesCount": len(services_of(aws, cluster)),
        "capacityProviders": cluster.capacity_providers or [],
        "defaultCapacityProviderStrategy": cluster.default_capacity_provider_strategy or [],
        "statistics": [],
        **({"serviceConnectDefaults": cluster.service_connect_defaults} if getattr(cluster, "service_connect_defaults", None) else {}),
        **{key: value for name, (key, value) in optional.items() if name in include and value is not None},
    }


ALL = ["SETTINGS", "TAGS", "CONFIGURATIONS"]


@operation("ecs", "CreateCluster")
def create(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """Idempotent: an ACTIVE cluster of the name is returned as it is."""
    given = call.parameters
    name = given.get("clusterName") or "default"
    backend = aws.backend("ecs")
    cluster = backend.clusters.get(name)
    if cluster is None or cluster.status != "ACTIVE":
        cluster = backend.create_cluster(
            name,
            given.get("tags") or [],
            _settings(given.get("settings")),
            given.get("configuration"),
            given.get("capacityProviders") or [],
            given.get("defaultCapacityProviderStrategy") or [],
            ecs_connect.defaults(aws, given.get("serviceConnectDefaults")),
        )
    return {"cluster": document(aws, cluster, ALL)}


def _settings(given: list[dict[str, str]] | None) -> list[dict[str, str]]:
    return list({item["name"]: item for item in [{"name": "containerInsights", "value": "disabled"}, *(given or [])]}.values())


@operation("ecs", "UpdateCluster", "UpdateClusterSettings")
def update(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    given, cluster = call.parameters, find_cluster(aws, call.parameters)
    if given.get("settings"):
        cluster.settings = list({item["name"]: item for item in [*cluster.settings, *given["settings"]]}.values())
    if given.get("configuration"):
        cluster.configuration = given["configuration"]
    if given.get("serviceConnectDefaults"):
        cluster.service_connect_defaults = ecs_connect.defaults(aws, given["serviceConnectDefaults"])
    return {"cluster": document(aws, cluster, ALL)}


@operation("ecs", "PutClusterCapacityProviders")
def put_capacity_providers(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    cluster = find_cluster(aws, call.parameters)
    cluster.capacity_providers = call.parameters["capacityProviders"]
    cluster.default_capacity_provider_strategy = call.parameters["defaultCapacityProviderStrategy"]
    return {"cluster": document(aws, cluster, ALL)}


@operation("ecs", "DeleteCluster")
def delete(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    cluster = find_cluster(aws, call.parameters)
    cluster.status = "INACTIVE"
    return {"cluster": document(aws, cluster, [])}


@operation("ecs", "DescribeClusters")
def describe(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    include = call.parameters.get("include", [])
    found, failures = [], []
    for name in call.parameters.get("clusters") or ["default"]:
        try:
            found.append(document(aws, find_cluster(aws, {"cluster": name}), include))
        except AwsError:
            arn = f"arn:aws:ecs:{aws.region}:{aws.account}:cluster/{cluster_name({'cluster': name})}"
            failures.append({"arn": arn, "reason": "MISSING"})
    return {"clusters": found, "failures": failures}


@operation("ecs", "ListClusters")
def list_clusters(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    arns, token = page([item.arn for item in aws.backend("ecs").clusters.values() if item.status == "ACTIVE"], call.parameters, 100)
    return {"clusterArns": arns, "nextToken": token}
