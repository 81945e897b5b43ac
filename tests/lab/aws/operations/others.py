"""Single operations of services that the flow touches at the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.aws.errors import AwsError
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation

if TYPE_CHECKING:
    from lab.aws.server import AwsServer


@operation("wafv2", "ListResourcesForWebACL")
def list_resources_for_web_acl(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """Regional resources of one kind (load balancers unless asked otherwise)."""
    acl = aws.backend("wafv2").wacls.get(call.parameters["WebACLArn"])
    if acl is None:
        raise AwsError("WAFNonexistentItemException", "AWS WAF couldn't perform the operation because your resource doesn't exist.")
    balancers = (call.parameters.get("ResourceType") or "APPLICATION_LOAD_BALANCER") == "APPLICATION_LOAD_BALANCER"
    return {"ResourceArns": [arn for arn in acl.associated_resources if (":loadbalancer/" in arn) is balancers]}


@operation("elasticache", "DescribeCacheClusters")
def describe_cache_clusters(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """With node end points (when asked), security groups and subnet group, and the nodes of replication groups, which moto omits."""
    answer = aws.ask_moto(call)
    for shown in answer["CacheClusters"]:
        cluster = aws.backend("elasticache").cache_clusters[shown["CacheClusterId"]]
        shown["SecurityGroups"] = [{"SecurityGroupId": group, "Status": "active"} for group in cluster.security_group_ids]
        shown["CacheSecurityGroups"] = []
        shown["CacheSubnetGroupName"] = cluster.cache_subnet_group_name
        if call.parameters.get("ShowCacheNodeInfo"):
            shown["CacheNodes"] = [cache_node(cluster)]
    if not call.parameters.get("CacheClusterId"):
        answer["CacheClusters"] += [node for group in aws.backend("elasticache").replication_groups.values() for node in _members(group)]
    return answer


def _members(group: Any) -> list[dict[str, Any]]:
    """A replication group's nodes are cache clusters of their own."""
    return [
        {
            "CacheClusterId": name,
            "ReplicationGroupId": group.replication_group_id,
            "CacheClusterStatus": group.status,
            "Engine": group.engine,
            "SecurityGroups": [{"SecurityGroupId": each, "Status": "active"} for each in group.security_group_ids or []],
            "CacheSecurityGroups": [],
        }
        for name in group.member_clusters
    ]


def cache_node(cluster: Any) -> dict[str, Any]:
    status = cluster.cache_cluster_status
    return {
        "CacheNodeId": "0001",
        "CacheNodeStatus": status,
        "Endpoint": {"Address": f"{cluster.cache_cluster_id}.lab.0001.euw1.cache.amazonaws.com", "Port": int(cluster.port)},
        "ParameterGroupStatus": "in-sync",
    }


@operation("elasticache", "DeleteCacheCluster")
def delete_cache_cluster(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """Gone at once: moto would keep it ``deleting`` for ever."""
    answer = aws.ask_moto(call)
    aws.backend("elasticache").cache_clusters.pop(call.parameters["CacheClusterId"], None)
    return answer


@operation("elasticache", "DeleteCacheSubnetGroup")
def delete_cache_subnet_group(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    name = call.parameters["CacheSubnetGroupName"]
    if aws.backend("elasticache").cache_subnet_groups.pop(name, None) is None:
        raise AwsError("CacheSubnetGroupNotFoundFault", f"CacheSubnetGroup {name} not found.")
    return {}


@operation("acm", "ImportCertificate")
def import_certificate(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """The chain is what was given (moto appends Amazon's root); without one it is the certificate."""
    answer = aws.ask_moto(call)
    certificate = aws.backend("acm")._certificates[answer["CertificateArn"]]
    certificate.chain = call.parameters.get("CertificateChain") or call.parameters["Certificate"]
    return answer
