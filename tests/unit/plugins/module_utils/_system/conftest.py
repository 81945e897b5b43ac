"""A small ECS-on-EC2 system in moto, made with boto3: the shape of the runbook."""

from __future__ import annotations

import base64
import json
import typing as t
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._system import system as system_module
from ansible_collections.cutover.fargate.plugins.module_utils._translate import planner
from botocore.awsrequest import AWSResponse
from moto import mock_aws
from moto.backends import get_backend
from moto.ecs.models import ecs_backends

REGION = "eu-west-1"
ACCOUNT = "123456789012"
FQDN = "shop.example.test"
ECR = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


CALLS: Counter[str] = Counter()
ACTIONS: set[str] = set()
"""The same calls as IAM names them."""
INTERCEPT: list[Callable[[str], AWSResponse | None]] = []
"""What is asked before a request is sent, with ``service.Operation``; an answer of its own is the answer."""
IAM_NAMES = {"monitoring": "cloudwatch", "tagging": "tag"}


def _called(model: t.Any, **_more: object) -> None:
    CALLS.update([model.name])
    signing = model.service_model.signing_name
    ACTIONS.add(f"{IAM_NAMES.get(signing, signing)}:{model.name}")


def _intercepted(event_name: str, **_more: object) -> AWSResponse | None:
    answers = (ask(event_name.partition(".")[2]) for ask in INTERCEPT)
    return next((answer for answer in answers if answer is not None), None)


class SharedClients(Clients):
    """Making boto3 clients takes longer than all else here: one session for all tests, which counts its calls."""

    _shared: t.ClassVar[t.Any] = None
    _made: t.ClassVar[dict[str, t.Any]] = {}

    def __init__(self) -> None:
        super().__init__({"region": REGION})
        if SharedClients._shared is None:
            SharedClients._shared = super().session()
            SharedClients._shared.events.register("before-call", _called)
            SharedClients._shared.events.register_first("before-send", _intercepted)
        self._session, self._clients = SharedClients._shared, SharedClients._made


@dataclass
class Balancer:
    arn: str
    dns_name: str
    listener: str
    group: str


@dataclass
class World:
    """The account: what was built, and the calls that reading it takes."""

    vpc: str = ""
    subnets: list[str] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)
    zone: str = ""
    balancers: dict[str, Balancer] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def client(self, service: str) -> t.Any:
        return SharedClients()(service)

    def read(self, name: str = "shop", fqdn: str = FQDN, **params: t.Any) -> dict[str, t.Any]:
        """The result of the module, and the calls it made in ``calls``."""
        CALLS.clear()
        ACTIONS.clear()
        try:
            return system_module.run({"name": name, "fqdn": fqdn, **params}, SharedClients(), False)
        finally:
            self.calls = Counter(CALLS)

    def system(self, **params: t.Any) -> dict[str, t.Any]:
        return self.read(**params)["system"]

    def balancer(self, name: str, group: str, tags: t.Mapping[str, str] | None = None, target_type: str = "instance") -> Balancer:
        elbv2 = self.client("elbv2")
        made = elbv2.create_load_balancer(
            Name=name, Subnets=self.subnets, SecurityGroups=[self.groups["alb"]], Tags=[{"Key": key, "Value": value} for key, value in (tags or {"Team": "web"}).items()]
        )["LoadBalancers"][0]
        target = self.target_group(group, target_type)
        listener = elbv2.create_listener(
            LoadBalancerArn=made["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[{"Type": "forward", "TargetGroupArn": target}]
        )["Listeners"][0]
        self.balancers[name] = Balancer(made["LoadBalancerArn"], made["DNSName"], listener["ListenerArn"], target)
        return self.balancers[name]

    def target_group(self, name: str, target_type: str = "instance") -> str:
        return self.client("elbv2").create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=self.vpc, TargetType=target_type)["TargetGroups"][0]["TargetGroupArn"]

    def rule(self, balancer: Balancer, priority: int, host: str, group: str) -> None:
        self.client("elbv2").create_rule(
            ListenerArn=balancer.listener,
            Priority=priority,
            Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [host]}}],
            Actions=[{"Type": "forward", "TargetGroupArn": group}],
        )

    def record(self, name: str, zone: str | None = None, kind: str = "A", host: str | None = None, values: t.Sequence[str] = (), **more: t.Any) -> None:
        record: dict[str, t.Any] = {"Name": name, "Type": kind, **more}
        if host:
            record["AliasTarget"] = {"HostedZoneId": "Z32O12XQLNTSW2", "DNSName": host, "EvaluateTargetHealth": False}
        else:
            record.update(TTL=60, ResourceRecords=[{"Value": value} for value in values])
        self.client("route53").change_resource_record_sets(
            HostedZoneId=zone or self.zone, ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
        )

    def unrecord(self, name: str, kind: str = "A") -> None:
        route53 = self.client("route53")
        for record in route53.list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]:
            if (record["Name"], record["Type"]) == (name + ".", kind):
                route53.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch={"Changes": [{"Action": "DELETE", "ResourceRecordSet": record}]})

    def service(self, cluster: str, name: str, group: str | None = None, **more: t.Any) -> None:
        container = {"loadBalancers": [{"targetGroupArn": group, "containerName": "nginx", "containerPort": 80}]} if group else {}
        self.client("ecs").create_service(cluster=cluster, serviceName=name, taskDefinition="shop-web", **{"launchType": "EC2", "desiredCount": 2, **container, **more})

    def target(self) -> Balancer:
        """The Fargate side, as provisioning makes it."""
        ecs = self.client("ecs")
        balancer = self.balancer(
            "shop-fargate",
            "shop-web-fargate",
            {"cutover:system": "shop", "cutover:source-load-balancer": self.balancers["shop"].arn},
            target_type="ip",
        )
        ecs.create_cluster(clusterName="shop-fargate")
        network = {"awsvpcConfiguration": {"subnets": self.subnets, "securityGroups": [self.groups["tasks"]]}}
        self.service("shop-fargate", "web", balancer.group, launchType="FARGATE", networkConfiguration=network)
        return balancer


def _network(world: World) -> None:
    ec2 = world.client("ec2")
    world.vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    world.subnets = [
        ec2.create_subnet(VpcId=world.vpc, CidrBlock=f"10.20.{index}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]["SubnetId"]
        for index, zone in enumerate("ab")
    ]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=world.vpc)
    table = ec2.create_route_table(VpcId=world.vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=world.subnets[0])
    for name in ("alb", "instances", "rds", "redis", "tasks"):
        world.groups[name] = ec2.create_security_group(GroupName=f"shop-{name}", Description=name, VpcId=world.vpc)["GroupId"]
    for name, port in (("rds", 3306), ("redis", 6379)):
        ec2.authorize_security_group_ingress(
            GroupId=world.groups[name],
            IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": port,
                    "ToPort": port,
                    "UserIdGroupPairs": [{"GroupId": world.groups["instances"]}, {"GroupId": world.groups["alb"]}],
                }
            ],
        )


def _data_tier(world: World) -> None:
    rds = world.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="shop", DBInstanceClass="db.t3.micro", Engine="mysql", MasterUsername="root", MasterUserPassword="not-a-secret-1",
        AllocatedStorage=20, VpcSecurityGroupIds=[world.groups["rds"]],
    )  # fmt: skip


def _capacity(world: World) -> None:
    ec2 = world.client("ec2")
    data = base64.b64encode(b"#!/bin/bash\necho ECS_CLUSTER=shop >> /etc/ecs/ecs.config\n").decode()
    image = ec2.register_image(Name="ecs", Architecture="x86_64")["ImageId"]
    get_backend("ec2")[ACCOUNT][REGION].amis[image].architecture = "x86_64"  # moto forgets it
    ec2.create_launch_template(
        LaunchTemplateName="shop",
        LaunchTemplateData={"ImageId": image, "InstanceType": "t3.small", "UserData": data, "SecurityGroupIds": [world.groups["instances"]]},
    )
    world.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="shop", MinSize=1, MaxSize=4, DesiredCapacity=2, VPCZoneIdentifier=",".join(world.subnets),
        LaunchTemplate={"LaunchTemplateName": "shop", "Version": "$Latest"},
    )  # fmt: skip
    ecs = world.client("ecs")
    for reservation in ec2.describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])["Reservations"]:
        for instance in reservation["Instances"]:
            document = json.dumps({"instanceId": instance["InstanceId"], "accountId": ACCOUNT, "region": REGION})
            ecs.register_container_instance(cluster="shop", instanceIdentityDocument=document)
            world.client("elbv2").register_targets(TargetGroupArn=world.balancers["shop"].group, Targets=[{"Id": instance["InstanceId"], "Port": 32768}])


def _services(world: World) -> None:
    ecs, logs, ecr = world.client("ecs"), world.client("logs"), world.client("ecr")
    logs.create_log_group(logGroupName="/ecs/shop/web")
    logs.create_log_group(logGroupName="/ecs/shop/web-old")
    ecr.create_repository(repositoryName="shop/nginx")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "config": {"digest": "sha256:" + "0" * 64}, "layers": []}
    ecr.put_image(repositoryName="shop/nginx", imageTag="v1", imageManifest=json.dumps(manifest))
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(
        family="shop-web",
        containerDefinitions=[
            {
                "name": "nginx",
                "image": f"{ECR}/shop/nginx:v1",
                "memory": 128,
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/shop/web", "awslogs-region": REGION}},
            }
        ],
    )
    world.service("shop", "web", world.balancers["shop"].group, tags=[{"key": "Team", "value": "web"}])
    world.service("shop", "worker")


def _alarms(world: World) -> None:
    balancer = world.balancers["shop"].arn.partition(":loadbalancer/")[2]
    for name, dimensions in (
        ("shop-5xx", [{"Name": "LoadBalancer", "Value": balancer}]),
        ("shop-cpu", [{"Name": "ClusterName", "Value": "shop"}, {"Name": "ServiceName", "Value": "web"}]),
        ("other", [{"Name": "LoadBalancer", "Value": "app/other/1"}]),
    ):
        world.client("cloudwatch").put_metric_alarm(
            AlarmName=name, Namespace="AWS/X", MetricName="m", Dimensions=dimensions, Period=60, EvaluationPeriods=1, Threshold=1,
            ComparisonOperator="GreaterThanThreshold", Statistic="Sum",
        )  # fmt: skip


def stops(system: t.Mapping[str, t.Any]) -> set[str]:
    """The findings that stop the migration of what was discovered."""
    return {finding["id"] for finding in planner.plan(system, {})["findings"] if finding["severity"] == "BLOCKER"}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[World]:
    """An account with nothing but network and zone."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE00")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unit-unit-unit-unit")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with mock_aws():
        yield empty()


def empty() -> World:
    world = World()
    _network(world)
    zone = world.client("route53").create_hosted_zone(Name="example.test", CallerReference="1")["HostedZone"]["Id"]
    world.zone = zone.rpartition("/")[2]
    return world


@pytest.fixture
def world(aws: World) -> World:
    """The running source system: two services, two instances, an alias, a database."""
    return furnish(aws)


def furnish(aws: World) -> World:
    aws.balancer("shop", "shop-web")
    _services(aws)
    _capacity(aws)
    _data_tier(aws)
    _alarms(aws)
    aws.record(FQDN, host=aws.balancers["shop"].dns_name)
    return aws


def registered(world: World) -> str:
    """The web service, registered in Cloud Map; its ARN there."""
    cloud_map = world.client("servicediscovery")
    cloud_map.create_private_dns_namespace(Name="internal.example", Vpc=world.vpc)
    namespace = cloud_map.list_namespaces()["Namespaces"][0]["Id"]
    records = {"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": "SRV", "TTL": 30}]}
    arn = str(cloud_map.create_service(Name="web", NamespaceId=namespace, DnsConfig=records, Tags=[{"Key": "Team", "Value": "web"}])["Service"]["Arn"])
    ecs_backends[ACCOUNT][REGION].services["shop:web"].service_registries = [{"registryArn": arn, "containerName": "nginx", "containerPort": 80}]
    return arn
