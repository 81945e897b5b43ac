"""What AWS services put into a VPC: network interfaces with AWS's descriptions and requesters, which moto does not make, or makes without saying whose they are.

RDS and ElastiCache are not here: in a running lab their interfaces are those of real servers (``lab.reconcile.stores``).
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lab.aws import interfaces
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation

if TYPE_CHECKING:
    from lab.aws.server import AwsServer


def _attach(aws: AwsServer, subnets: Iterable[str], groups: Sequence[str], description: str, requester: str) -> None:
    """One interface in each subnet."""
    for subnet in subnets:
        interfaces.create(aws, subnet, groups, description, requester)


@operation("efs", "CreateMountTarget")
def create_mount_target(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    answer = aws.ask_moto(call)
    interface = aws.backend("ec2").get_network_interface(answer["NetworkInterfaceId"])
    interface.description = f"EFS mount target for {answer['FileSystemId']} ({answer['MountTargetId']})"
    _managed(interface, aws.account)
    return answer


@operation("ec2", "CreateVpcEndpoint")
def create_vpc_endpoint(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """An interface endpoint's interfaces carry its security groups."""
    answer = aws.ask_moto(call)
    endpoint = answer["VpcEndpoint"]
    for identity in endpoint.get("NetworkInterfaceIds") or []:
        interface = aws.backend("ec2").get_network_interface(identity)
        interface.description = f"VPC Endpoint Interface {endpoint['VpcEndpointId']}"
        interface.interface_type = "vpc_endpoint"
        interfaces.set_groups(aws, interface, call.parameters.get("SecurityGroupIds") or [])
        _managed(interface, aws.account)
    return answer


def _managed(interface: Any, requester: str) -> None:
    interface.status, interface.requester_managed, interface.requester_id = "in-use", True, requester


@operation("opensearch", "CreateDomain")
def create_domain(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """A domain in a VPC; the description still says ES (Elasticsearch)."""
    answer = aws.ask_moto(call)
    options = call.parameters.get("VPCOptions") or {}
    _attach(aws, options.get("SubnetIds") or [], options.get("SecurityGroupIds") or [], f"ES {call.parameters['DomainName']}", "amazon-elasticsearch")
    return answer


@operation("mq", "CreateBroker")
def create_broker(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """Ids are ``b-`` and a UUID, which moto's are not."""
    answer = aws.ask_moto(call)
    brokers = aws.backend("mq").brokers
    broker = brokers.pop(answer["BrokerId"])
    broker.id = f"b-{uuid.uuid5(uuid.NAMESPACE_URL, answer['BrokerId'])}"
    broker.arn = answer["BrokerArn"].removesuffix(answer["BrokerId"]) + broker.id
    brokers[broker.id] = broker
    description = f"Amazon MQ network interface for broker {broker.id}"
    _attach(aws, call.parameters.get("SubnetIds") or [], call.parameters.get("SecurityGroups") or [], description, aws.account)
    return {"BrokerId": broker.id, "BrokerArn": broker.arn}


@operation("kafka", "CreateClusterV2")
def create_cluster(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """ARNs are ``cluster/<name>/<uuid>-<number>``, which moto's are not."""
    answer = aws.ask_moto(call)
    clusters = aws.backend("kafka").clusters
    cluster = clusters.pop(answer["ClusterArn"])
    prefix, _slash, identity = answer["ClusterArn"].rpartition("/")
    cluster.arn = f"{prefix}/{call.parameters['ClusterName']}/{identity}-2"
    clusters[cluster.arn] = cluster
    brokers = (call.parameters.get("Provisioned") or {}).get("BrokerNodeGroupInfo") or {}
    description = f"DO NOT DELETE - Amazon MSK network interface for cluster {cluster.arn}."
    _attach(aws, brokers.get("ClientSubnets") or [], brokers.get("SecurityGroups") or [], description, aws.account)
    return {**answer, "ClusterArn": cluster.arn}


@operation("rds", "CreateDBProxy")
def create_proxy(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    answer = aws.ask_moto(call)
    description = f"Network interface for DBProxy {call.parameters['DBProxyName']}"
    _attach(aws, call.parameters["VpcSubnetIds"], call.parameters.get("VpcSecurityGroupIds") or [], description, "amazon-rds")
    return answer


@operation("rds", "CreateDBInstance")
def create_db_instance(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """The APIs of DocumentDB and Neptune are RDS's own; moto knows no instances of theirs."""
    engine = str(call.parameters.get("Engine"))
    if engine not in ("docdb", "neptune"):
        return aws.ask_moto(call)
    body = call.body.replace(f"Engine={engine}".encode(), b"Engine=mysql")
    answer = aws.moto.result(call, {**aws.current_environ.value, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
    aws.backend("rds").databases[call.parameters["DBInstanceIdentifier"]].engine = engine
    answer["DBInstance"]["Engine"] = engine
    return answer
