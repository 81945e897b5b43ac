"""Everything that admits the instances, from discovery to what the plan makes of it, in the lab's AWS: data stores of every kind, and the web ACL.

Each stands behind a security group of its own that admits the instances. Discovery is to say what it is, the plan to grant the tasks the same way in, and
EC2 to have the rule afterwards. Nothing here is written by hand but the calls a person would make.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.apply import Clock
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._ec2 import security_groups
from ansible_collections.cutover.fargate.plugins.module_utils._elbv2 import load_balancer
from ansible_collections.cutover.fargate.plugins.module_utils._system import system as discovery
from ansible_collections.cutover.fargate.plugins.module_utils._translate import planner
from lab import source
from lab.aws.server import AwsServer
from lab.settings import FQDN, REGION, Settings
from registries.server import Server

from .lab.usable import NEEDS_LAB

pytestmark = NEEDS_LAB
KEYS = {"aws_access_key_id": "AKIATESTTESTTESTTEST", "aws_secret_access_key": "not-a-secret"}
Made = tuple[str, str, int]
"""Kind and id that discovery is to tell, and the port that the instances may reach."""
Json = dict[str, Any]


@dataclass
class Account:
    """The lab's source system as its playbook builds it, without a data plane."""

    server: AwsServer
    vpc: str = ""
    subnets: list[str] = field(default_factory=list)
    instances: str = ""

    def client(self, service: str) -> Any:
        return boto3.client(service, region_name=REGION, endpoint_url=self.server.url, **KEYS)

    def clients(self) -> Clients:
        return Clients(
            {"region": REGION, "endpoint_url": self.server.url, "access_key": KEYS["aws_access_key_id"], "secret_key": KEYS["aws_secret_access_key"]}
        )

    def system(self) -> Json:
        return dict(discovery.run({"name": "shop", "fqdn": FQDN}, self.clients(), False)["system"])

    def group(self, name: str) -> str:
        return str(self.client("ec2").create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"])

    def admit(self, group: str, port: int) -> None:
        pairs = [{"GroupId": self.instances}]
        self.client("ec2").authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": pairs}]
        )


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with Server(tmp_path_factory.mktemp("registry")) as registry:
        yield from built(replace(Settings(), name="discovered", base_port=registry.port - 1))


def built(settings: Settings) -> Iterator[Account]:
    server = AwsServer(settings, port=0)
    server.start()
    try:
        source.create(settings, server, lambda _text: None)
        made = Account(server)
        groups = {group["GroupName"]: group for group in made.client("ec2").describe_security_groups()["SecurityGroups"]}
        made.vpc, made.instances = groups["shop-instances"]["VpcId"], groups["shop-instances"]["GroupId"]
        subnets = made.client("ec2").describe_subnets(Filters=[{"Name": "vpc-id", "Values": [made.vpc]}])["Subnets"]
        made.subnets = sorted(subnet["SubnetId"] for subnet in subnets)[:2]
        yield made
    finally:
        server.stop()
        shutil.rmtree(settings.run_dir, ignore_errors=True)


# -- what a person has made ---------------------------------------------------------------------------------------------------------------------------


def rds(account: Account, group: str) -> Made:
    account.client("rds").create_db_instance(
        DBInstanceIdentifier="orders", DBInstanceClass="db.t3.micro", Engine="mysql", MasterUsername="root", MasterUserPassword="not-a-secret-1",
        AllocatedStorage=20, VpcSecurityGroupIds=[group],
    )  # fmt: skip
    return "rds", "orders", 3306


def documentdb(account: Account, group: str) -> Made:
    """DescribeDBInstances "can also return information for Amazon Neptune DB instances and Amazon DocumentDB instances"."""
    account.client("rds").create_db_instance(DBInstanceIdentifier="papers", DBInstanceClass="db.r5.large", Engine="docdb", VpcSecurityGroupIds=[group])
    return "rds", "papers", 27017


def neptune(account: Account, group: str) -> Made:
    account.client("rds").create_db_instance(DBInstanceIdentifier="graph", DBInstanceClass="db.r5.large", Engine="neptune", VpcSecurityGroupIds=[group])
    return "rds", "graph", 8182


def rds_proxy(account: Account, group: str) -> Made:
    account.client("rds").create_db_proxy(
        DBProxyName="pool", EngineFamily="MYSQL", Auth=[{"SecretArn": f"arn:aws:secretsmanager:{REGION}:123456789012:secret:pool"}],
        RoleArn="arn:aws:iam::123456789012:role/pool", VpcSubnetIds=account.subnets, VpcSecurityGroupIds=[group],
    )  # fmt: skip
    return "rds_proxy", "pool", 3306


def memcached(account: Account, group: str) -> Made:
    account.client("elasticache").create_cache_cluster(
        CacheClusterId="pages", Engine="memcached", CacheNodeType="cache.t3.micro", NumCacheNodes=1, SecurityGroupIds=[group]
    )
    return "elasticache", "pages", 11211


def redis(account: Account, group: str) -> Made:
    """Of a replication group, whose name people know, and not of its nodes."""
    account.client("elasticache").create_replication_group(
        ReplicationGroupId="carts",
        ReplicationGroupDescription="carts",
        Engine="redis",
        CacheNodeType="cache.t3.micro",
        NumCacheClusters=2,
        SecurityGroupIds=[group],
    )
    return "elasticache", "carts", 6379


def opensearch(account: Account, group: str) -> Made:
    account.client("opensearch").create_domain(DomainName="search", VPCOptions={"SubnetIds": account.subnets[:1], "SecurityGroupIds": [group]})
    return "opensearch", "search", 443


def efs(account: Account, group: str) -> Made:
    client = account.client("efs")
    system = str(client.create_file_system(CreationToken="uploads")["FileSystemId"])
    for subnet in account.subnets:
        client.create_mount_target(FileSystemId=system, SubnetId=subnet, SecurityGroups=[group])
    return "efs", system, 2049


def endpoint(account: Account, group: str) -> Made:
    made = account.client("ec2").create_vpc_endpoint(
        VpcId=account.vpc,
        ServiceName=f"com.amazonaws.{REGION}.secretsmanager",
        VpcEndpointType="Interface",
        SubnetIds=account.subnets,
        SecurityGroupIds=[group],
    )
    return "endpoint", str(made["VpcEndpoint"]["VpcEndpointId"]), 443


def mq(account: Account, group: str) -> Made:
    made = account.client("mq").create_broker(
        BrokerName="jobs", EngineType="ACTIVEMQ", EngineVersion="5.18", HostInstanceType="mq.t3.micro", DeploymentMode="SINGLE_INSTANCE",
        PubliclyAccessible=False, AutoMinorVersionUpgrade=True, SecurityGroups=[group], SubnetIds=account.subnets[:1],
        Users=[{"Username": "shop", "Password": "not-a-secret-1"}],
    )  # fmt: skip
    return "mq", str(made["BrokerId"]), 61617


def msk(account: Account, group: str) -> Made:
    nodes = {"InstanceType": "kafka.t3.small", "ClientSubnets": account.subnets, "SecurityGroups": [group]}
    account.client("kafka").create_cluster_v2(
        ClusterName="events", Provisioned={"BrokerNodeGroupInfo": nodes, "KafkaVersion": "3.6.0", "NumberOfBrokerNodes": 2}
    )
    return "msk", "events", 9094


def internal_load_balancer(account: Account, group: str) -> Made:
    account.client("elbv2").create_load_balancer(Name="prices", Scheme="internal", Subnets=account.subnets, SecurityGroups=[group])
    return "load_balancer", "prices", 443


def machine(account: Account, group: str) -> Made:
    """An instance with a database of its own."""
    ec2 = account.client("ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    started = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=account.subnets[0], SecurityGroupIds=[group])
    return "instance", str(started["Instances"][0]["InstanceId"]), 5432


def by_hand(account: Account, group: str) -> Made:
    """What nobody knows is told as the interface that it is, and granted none the less."""
    made = account.client("ec2").create_network_interface(SubnetId=account.subnets[0], Groups=[group], Description="appliance")
    return "interface", str(made["NetworkInterface"]["NetworkInterfaceId"]), 9000


USERS: list[Callable[[Account, str], Made]] = [
    rds, documentdb, neptune, rds_proxy, memcached, redis, opensearch, efs, endpoint, mq, msk, internal_load_balancer, machine, by_hand,
]  # fmt: skip


@dataclass(frozen=True)
class Looked:
    """One look at the account in which all users are there: what was made, and what came of it."""

    made: dict[str, tuple[str, Made]]
    system: Json
    plan: Json


@pytest.fixture(scope="module")
def looked(account: Account) -> Looked:
    made = {}
    for make in USERS:
        group = account.group(make.__name__.replace("_", "-"))
        made[make.__name__] = group, make(account, group)
        account.admit(group, made[make.__name__][1][2])
    system = account.system()
    return Looked(made, system, planner.plan(system, {}))


@pytest.mark.parametrize("name", [make.__name__ for make in USERS])
def test_discovery_says_who_stands_behind_a_group_and_the_plan_grants_the_way_in(looked: Looked, name: str) -> None:
    group, (kind, identity, port) = looked.made[name]
    (told,) = [item for item in looked.system["source"]["security_groups"]["admitting"] if item["GroupId"] == group]
    assert told["used_by"] == [{"kind": kind, "id": identity}]
    (grant,) = [item for item in looked.plan["security"]["grants"] if item["group_id"] == group]
    assert (grant["protocol"], grant["from_port"], grant["to_port"]) == ("tcp", port, port)


def test_the_databases_are_read_with_what_limits_them(looked: Looked) -> None:
    assert {item["DBInstanceIdentifier"] for item in looked.system["source"]["databases"]} >= {"orders", "papers", "graph"}


def test_the_granted_rules_are_there_afterwards_beside_those_of_the_source(account: Account, looked: Looked) -> None:
    params = {"security": looked.plan["security"]}
    assert security_groups.run(params, account.clients(), False)["changed"]
    assert not security_groups.run(params, account.clients(), False)["changed"]
    ec2 = account.client("ec2")
    own = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [looked.plan["security"]["group"]["name"]]}])["SecurityGroups"][0]["GroupId"]
    for group, (_kind, _identity, port) in looked.made.values():
        rules = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
        assert {pair["GroupId"] for rule in rules if rule["FromPort"] == port for pair in rule["UserIdGroupPairs"]} == {account.instances, own}


def test_a_machine_in_the_instances_own_group_is_granted_too(account: Account) -> None:
    """The group admits itself: that is how the containers reach a database on a machine beside them."""
    account.admit(account.instances, 5432)
    own = [item for item in planner.plan(account.system(), {})["security"]["grants"] if item["group_id"] == account.instances]
    assert own == []
    machine(account, account.instances)
    (own,) = [item for item in planner.plan(account.system(), {})["security"]["grants"] if item["group_id"] == account.instances]
    assert own["from_port"] == 5432


def provisioned(server: AwsServer) -> Clock:
    """AWS provisions load balancers while one waits."""
    states = server.observed.load_balancer_state
    return Clock(lambda _seconds: states.update(dict.fromkeys(server.backend("elbv2").load_balancers, "active")), time.monotonic)


def test_a_web_acl_is_found_carried_and_associated(account: Account) -> None:
    waf, elbv2 = account.client("wafv2"), account.client("elbv2")
    visibility = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "shop"}
    acl = waf.create_web_acl(Name="shop", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visibility)["Summary"]["ARN"]
    assert account.system()["source"]["load_balancer"]["WebAclArn"] is None
    waf.associate_web_acl(WebACLArn=acl, ResourceArn=elbv2.describe_load_balancers(Names=["shop"])["LoadBalancers"][0]["LoadBalancerArn"])
    system = account.system()
    plan = planner.plan(system, {})
    assert system["source"]["load_balancer"]["WebAclArn"] == acl
    assert plan["load_balancer"]["web_acl_arn"] == acl
    assert "FG-WAF" in {finding["id"] for finding in plan["findings"]}
    params = {"load_balancer": plan["load_balancer"], "wait_timeout": 60, "poll_seconds": 1}
    load_balancer.run(params, account.clients(), False, provisioned(account.server))
    made = elbv2.describe_load_balancers(Names=["shop-fargate"])["LoadBalancers"][0]["LoadBalancerArn"]
    assert waf.get_web_acl_for_resource(ResourceArn=made)["WebACL"]["ARN"] == acl
    assert not load_balancer.run(params, account.clients(), False)["changed"]
    assert account.system()["target"]["load_balancer"]["WebAclArn"] == acl
