"""What stands around a system: who starts tasks, what the instances may do, limits, owners and neighbours."""

from __future__ import annotations

import datetime
import json
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._system.measured import used
from ansible_collections.cutover.fargate.plugins.module_utils._system.owners import owner
from ansible_collections.cutover.fargate.plugins.module_utils._translate import planner
from botocore.awsrequest import AWSResponse
from moto.backends import get_backend
from moto.ecs.models import EC2ContainerServiceBackend
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend
from moto.servicequotas.models import ServiceQuotasBackend

from .conftest import ACCOUNT, FQDN, INTERCEPT, REGION, World, registered, stops
from .test_asking import Raw

pytestmark = pytest.mark.account

CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/shop"
DEFINITION = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/shop-web:1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/events"


def problems(system: t.Mapping[str, t.Any]) -> list[str]:
    return [problem["id"] for problem in system["problems"]]


def test_tasks_that_a_rule_starts(world: World) -> None:
    events = world.client("events")
    for name, cluster in (("nightly", CLUSTER), ("other", CLUSTER.replace("shop", "other"))):
        events.put_rule(Name=name, ScheduleExpression="cron(0 3 * * ? *)")
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": cluster, "RoleArn": ROLE, "EcsParameters": {"TaskDefinitionArn": DEFINITION, "TaskCount": 1}}])
    (task,) = world.system()["source"]["scheduled_tasks"]
    assert (task["kind"], task["name"], task["group"], task["state"]) == ("rule", "nightly", "default", "ENABLED")
    assert (task["expression"], task["task_definition"]) == ("cron(0 3 * * ? *)", DEFINITION)


def test_tasks_that_the_scheduler_starts(world: World) -> None:
    scheduler = world.client("scheduler")
    universal = "arn:aws:scheduler:::aws-sdk:ecs:runTask"
    targets = {
        "templated": {"Arn": CLUSTER, "RoleArn": ROLE, "EcsParameters": {"TaskDefinitionArn": DEFINITION}},
        "universal": {"Arn": universal, "RoleArn": ROLE, "Input": json.dumps({"Cluster": "shop", "TaskDefinition": "shop-web"})},
        "elsewhere": {"Arn": universal, "RoleArn": ROLE, "Input": json.dumps({"Cluster": "other", "TaskDefinition": "x"})},
        "unread": {"Arn": universal, "RoleArn": ROLE, "Input": "not json"},
        "queue": {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q", "RoleArn": ROLE},
    }
    for name, target in targets.items():
        scheduler.create_schedule(Name=name, ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target)
    found = world.system()["source"]["scheduled_tasks"]
    assert [(task["kind"], task["name"], task["task_definition"]) for task in found] == [("schedule", "templated", DEFINITION), ("schedule", "universal", "shop-web")]


def test_what_the_instances_may_do(world: World) -> None:
    iam, ec2 = world.client("iam"), world.client("ec2")
    iam.create_role(RoleName="ecs-instance", AssumeRolePolicyDocument="{}")
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}]})
    policy = iam.create_policy(PolicyName="uploads", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="ecs-instance", PolicyArn=policy)
    iam.put_role_policy(RoleName="ecs-instance", PolicyName="mail", PolicyDocument=document)
    iam.create_instance_profile(InstanceProfileName="ecs")
    iam.add_role_to_instance_profile(InstanceProfileName="ecs", RoleName="ecs-instance")
    ec2.create_launch_template_version(LaunchTemplateName="shop", LaunchTemplateData={"IamInstanceProfile": {"Name": "ecs"}})
    (profile,) = world.system()["source"]["capacity"]["instance_profiles"]
    (role,) = profile["Roles"]
    assert (profile["InstanceProfileName"], role["RoleName"]) == ("ecs", "ecs-instance")
    assert (role["AttachedPolicies"], role["InlinePolicies"]) == (["uploads"], ["mail"])
    assert [(name, statements[0]["Action"]) for name, statements in sorted(role["Policies"].items())] == [("mail", "s3:PutObject"), ("uploads", "s3:PutObject")]


def test_profile_that_is_gone(world: World) -> None:
    world.client("ec2").create_launch_template_version(LaunchTemplateName="shop", LaunchTemplateData={"IamInstanceProfile": {"Name": "gone"}})
    system = world.system()
    assert (system["source"]["capacity"]["instance_profiles"], problems(system)) == ([], [])


def test_roles_of_the_tasks(world: World) -> None:
    """The execution role that the target would get, because it exists already."""
    iam = world.client("iam")
    trust = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}}
    iam.create_role(RoleName="ecsTaskExecutionRole", AssumeRolePolicyDocument=json.dumps(trust), Tags=[{"Key": "ManagedBy", "Value": "terraform"}])
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ecr:BatchGetImage"], "Resource": "*"}]})
    iam.attach_role_policy(RoleName="ecsTaskExecutionRole", PolicyArn=iam.create_policy(PolicyName="pull", PolicyDocument=document)["Policy"]["Arn"])
    (role,) = world.system(names={"execution_role": "ecsTaskExecutionRole"})["source"]["roles"]
    assert (role["TrustedServices"], role["InlinePolicies"]) == (["ecs-tasks.amazonaws.com"], [])
    assert role["Policies"]["pull"][0]["Action"] == ["ecr:BatchGetImage"]
    assert role["Tags"] == {"ManagedBy": "terraform"}


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"execution_role": "own"}, ["own"]),
        ({"execution_role": f"arn:aws:iam::{ACCOUNT}:role/path/own", "task_role_arn": f"arn:aws:iam::{ACCOUNT}:role/app"}, ["app", "own"]),
        ({"task_role_arn": {"web": f"arn:aws:iam::{ACCOUNT}:role/app", "worker": f"arn:aws:iam::{ACCOUNT}:role/gone"}}, ["app"]),
        ({"execution_role": None, "task_role_arn": None}, []),
    ],
)
def test_roles_that_the_inventory_gives(world: World, given: dict[str, t.Any], read: list[str]) -> None:
    for name in ("own", "app", "other"):
        world.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    assert [role["RoleName"] for role in world.system(**given)["source"]["roles"]] == read


def test_keys_of_the_secrets(world: World) -> None:
    """Those of customers only, by their ARNs, from whatever names them. Values are not read."""
    kms, store, parameters, ecs = (world.client(name) for name in ("kms", "secretsmanager", "ssm", "ecs"))
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/shop", TargetKeyId=key["KeyId"])
    own = store.create_secret(Name="own", SecretString="x", KmsKeyId="alias/shop")["ARN"]
    of_aws = store.create_secret(Name="of-aws", SecretString="x")["ARN"]
    parameters.put_parameter(Name="/shop/own", Value="x", Type="SecureString", KeyId=key["KeyId"])
    parameters.put_parameter(Name="plain", Value="x", Type="String")
    parameters.put_parameter(Name="of-aws", Value="x", Type="SecureString")
    arn = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"
    named = [f"{own}:password::", of_aws, "/shop/own", f"{arn}/shop/own", "plain", f"{arn}/of-aws", "/gone", own.replace(ACCOUNT, "999999999999")]
    definition = ecs.describe_task_definition(taskDefinition="shop-web")["taskDefinition"]
    container = {**definition["containerDefinitions"][0], "secrets": [{"name": f"S{index}", "valueFrom": value} for index, value in enumerate(named)]}
    ecs.register_task_definition(family="shop-web", containerDefinitions=[container])
    ecs.update_service(cluster="shop", service="web", taskDefinition="shop-web")
    system = world.system()
    assert system["source"]["secret_keys"] == dict.fromkeys([own, "/shop/own", f"{arn}/shop/own"], key["Arn"])
    assert {"DescribeSecret": 2, "DescribeParameters": 1, "DescribeKey": 2}.items() <= world.calls.items()
    assert not {"GetSecretValue", "GetParameters", "Decrypt"} & set(world.calls)
    assert problems(system) == []


def test_without_secrets_no_key_is_asked_for(world: World) -> None:
    assert world.system()["source"]["secret_keys"] == {}
    assert not {"DescribeSecret", "DescribeParameters", "DescribeKey"} & set(world.calls)


def test_mount_targets_of_the_file_systems(world: World) -> None:
    """Of those that the tasks mount and those that the inventory answers with; none is asked for otherwise."""
    assert (world.system()["source"]["mount_targets"], world.calls["DescribeMountTargets"]) == ({}, 0)
    efs, ecs = world.client("efs"), world.client("ecs")
    mounted, answered, other = (efs.create_file_system(CreationToken=name)["FileSystemId"] for name in "abc")
    for system in (mounted, other):
        efs.create_mount_target(FileSystemId=system, SubnetId=world.subnets[0], SecurityGroups=[world.groups["rds"]])
    container = ecs.describe_task_definition(taskDefinition="shop-web")["taskDefinition"]["containerDefinitions"][0]
    volumes = [{"name": "data", "efsVolumeConfiguration": {"fileSystemId": mounted}}, {"name": "gone", "efsVolumeConfiguration": {"fileSystemId": "fs-0123456789abcdef0"}}]
    ecs.register_task_definition(family="shop-web", containerDefinitions=[container], volumes=volumes)
    ecs.update_service(cluster="shop", service="web", taskDefinition="shop-web")
    source = world.system(volumes={"uploads": {"efs": answered}, "cache": "ephemeral"})["source"]
    assert set(source["mount_targets"]) == {mounted, answered}
    (target,) = source["mount_targets"][mounted]
    assert (target["AvailabilityZoneName"], target["Groups"]) == (f"{REGION}a", [world.groups["rds"]])
    assert [group["GroupName"] for group in source["security_groups"]["mount_targets"]] == ["shop-rds"]


def test_ways_out_of_the_vpc(world: World) -> None:
    ec2 = world.client("ec2")
    address = ec2.allocate_address(Domain="vpc")
    gateway = ec2.create_nat_gateway(SubnetId=world.subnets[0], AllocationId=address["AllocationId"])["NatGateway"]["NatGatewayId"]
    ec2.create_vpc_endpoint(
        VpcId=world.vpc, ServiceName=f"com.amazonaws.{REGION}.ecr.api", VpcEndpointType="Interface", SubnetIds=world.subnets, SecurityGroupIds=[world.groups["rds"]]
    )
    source = world.system()["source"]
    assert [(item["NatGatewayId"], item["NatGatewayAddresses"][0]["PublicIp"]) for item in source["nat_gateways"]] == [(gateway, address["PublicIp"])]
    assert [group["GroupName"] for group in source["security_groups"]["endpoints"]] == ["shop-rds"]
    assert all(subnet["RouteTableId"].startswith("rtb-") for subnet in source["subnets"])


def test_network_of_the_vpc(world: World) -> None:
    ec2 = world.client("ec2")
    made = ec2.create_vpc_endpoint(VpcId=world.vpc, ServiceName=f"com.amazonaws.{REGION}.s3", VpcEndpointType="Gateway")["VpcEndpoint"]["VpcEndpointId"]
    source = world.system()["source"]
    assert [endpoint["VpcEndpointId"] for endpoint in source["vpc_endpoints"]] == [made]
    assert {acl["VpcId"] for acl in source["network_acls"]} == {world.vpc}
    routes = {subnet["SubnetId"]: [route["DestinationCidrBlock"] for route in subnet["Routes"]] for subnet in source["subnets"]}
    assert routes == {world.subnets[0]: ["10.20.0.0/16", "0.0.0.0/0"], world.subnets[1]: ["10.20.0.0/16"]}


def test_database_with_its_limit(world: World) -> None:
    rds = world.client("rds")
    rds.create_db_parameter_group(DBParameterGroupName="shop", DBParameterGroupFamily="mysql8.0", Description="x")
    rds.modify_db_parameter_group(
        DBParameterGroupName="shop", Parameters=[{"ParameterName": "max_connections", "ParameterValue": "120", "ApplyMethod": "immediate"}]
    )
    rds.modify_db_instance(DBInstanceIdentifier="shop", DBParameterGroupName="shop", ApplyImmediately=True)
    rds.create_db_instance(DBInstanceIdentifier="other", DBInstanceClass="db.t3.micro", Engine="mysql")
    (database,) = world.system()["source"]["databases"]
    assert (database["DBInstanceIdentifier"], database["DBInstanceClass"], database["max_connections"]) == ("shop", "db.t3.micro", "120")


def test_quotas_and_their_use(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    dimensions = {"Service": "Fargate", "Resource": "vCPU", "Type": "Resource", "Class": "Standard/OnDemand"}

    def quota(_self: object, service_code: str, quota_code: str) -> dict[str, t.Any]:
        usage = {"MetricNamespace": "AWS/Usage", "MetricName": "ResourceCount", "MetricDimensions": dimensions, "MetricStatisticRecommendation": "Maximum"}
        return {"ServiceCode": service_code, "QuotaCode": quota_code, "Value": 6.0, **({"UsageMetric": usage} if quota_code == "L-3032A538" else {})}

    before = world.system()["quotas"]
    assert (before["fargate_vcpu"], before["rules_per_load_balancer"]) == (None, {"value": 100.0, "used": None})
    monkeypatch.setattr(ServiceQuotasBackend, "get_service_quota", quota)
    named = [{"Name": name, "Value": value} for name, value in sorted(dimensions.items())]
    earlier = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=10)
    world.client("cloudwatch").put_metric_data(
        Namespace="AWS/Usage", MetricData=[{"MetricName": "ResourceCount", "Dimensions": named, "Value": 4.0, "Timestamp": earlier}]
    )
    system = world.system()
    assert (system["quotas"]["fargate_vcpu"], system["quotas"]["target_groups"]) == ({"value": 6.0, "used": 4.0}, {"value": 6.0, "used": None})
    assert set(system["quotas"]) == {
        "fargate_vcpu", "load_balancers", "target_groups", "rules_per_load_balancer", "listeners_per_load_balancer", "certificates_per_load_balancer",
        "network_interfaces", "rules_per_security_group",
    }  # fmt: skip


def test_alarms_that_scale_the_services(world: World) -> None:
    """Whatever they watch."""
    for service in ("web", "other"):
        policy = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:1:resource/ecs/service/shop/{service}:policyName/backlog"
        world.client("cloudwatch").put_metric_alarm(
            AlarmName=f"{service}-backlog", Namespace="AWS/SQS", MetricName="m", Dimensions=[{"Name": "QueueName", "Value": "shop"}], Period=60, EvaluationPeriods=1,
            Threshold=1, ComparisonOperator="GreaterThanThreshold", Statistic="Sum", AlarmActions=[policy],
        )  # fmt: skip
    assert {alarm["AlarmName"] for alarm in world.system()["source"]["alarms"]} == {"shop-5xx", "shop-cpu", "web-backlog"}


def test_alarms_that_decide_on_deployments(world: World) -> None:
    """Whatever they watch; those of another service's are none of ours."""
    for service in ("web", "other"):
        world.client("cloudwatch").put_metric_alarm(
            AlarmName=f"{service}-age", Namespace="AWS/SQS", MetricName="m", Dimensions=[{"Name": "QueueName", "Value": "shop"}], Period=60, EvaluationPeriods=1,
            Threshold=1, ComparisonOperator="GreaterThanThreshold", Statistic="Sum",
        )  # fmt: skip
    watched = {"alarms": {"alarmNames": ["web-age"], "enable": True, "rollback": True}}
    world.client("ecs").update_service(cluster="shop", service="web", deploymentConfiguration=watched)
    assert {alarm["AlarmName"] for alarm in world.system()["source"]["alarms"]} == {"shop-5xx", "shop-cpu", "web-age"}


def test_what_a_task_used_at_most(world: World) -> None:
    """Percent of the 128 MiB that it reserves; the task reserves no CPU."""
    dimensions = [{"Name": "ClusterName", "Value": "shop"}, {"Name": "ServiceName", "Value": "web"}]
    now = datetime.datetime.now(datetime.UTC)

    def told(days: t.Iterable[int]) -> dict[str, t.Any]:
        data = [
            {"MetricName": name, "Dimensions": dimensions, "Value": value, "Timestamp": now - datetime.timedelta(days=day, hours=1)}
            for name, values in (("CPUUtilization", (250.0,)), ("MemoryUtilization", (40.0, 75.0, 10.0)))
            for value in values
            for day in days
        ]
        world.client("cloudwatch").put_metric_data(Namespace="AWS/ECS", MetricData=data)
        return {service["serviceName"]: service["Measured"] for service in world.system()["source"]["services"]}

    assert told([1]) == {"web": None, "worker": None}, "a quiet night says nothing about a week"
    measured = told(range(2, 9))
    assert measured == {"web": {"cpu": None, "memory": 96, "days": 14, "source": "AWS/ECS"}, "worker": None}


@pytest.mark.parametrize(
    ("definition", "most", "expected"),
    [
        ({"cpu": "512", "memory": "1024"}, [None, None, 150.0, 50.0], (768, 512, "AWS/ECS")),
        ({"containerDefinitions": [{"cpu": 100, "memory": 300, "memoryReservation": 200}, {"cpu": 28}]}, [None, None, 200.0, 50.0], (256, 100, "AWS/ECS")),
        ({"cpu": "512", "memory": "1024"}, [700.4, 900.0, 150.0, 50.0], (700, 900, "Container Insights")),
        ({"cpu": ".5 vCPU"}, [None, None, 150.0, None], None),
        ({}, [None, None, None, None], None),
    ],
)
def test_use_is_told_in_units(definition: dict[str, t.Any], most: list[float | None], expected: tuple[int, int, str] | None) -> None:
    found = used(definition, most)
    assert (found and (found["cpu"], found["memory"], found["source"])) == expected


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ({"aws:cloudformation:stack-name": "shop"}, ("cloudformation", "shop")),
        ({"aws:cloudformation:stack-name": "shop-prod-web", "copilot-application": "shop"}, ("copilot", "shop-prod-web")),
        ({"aws:cloudformation:stack-name": "shop", "managed-by": "CDK"}, ("cloudformation", "shop")),
        ({"aws:cloudformation:stack-name": "shop", "aws-cdk:subnet-name": "private"}, ("cdk", "shop")),
        ({"ManagedBy": "Terraform"}, ("terraform", "")),
        ({"terraform": "true"}, ("terraform", "")),
        ({"Terraform": "false"}, None),
        ({"pulumi:project": "shop"}, ("pulumi", "shop")),
        ({"Name": "terraform-tests", "Team": "cdk"}, None),
        ({}, None),
    ],
)
def test_owner_is_told_by_tags(tags: dict[str, str], told: tuple[str, str] | None) -> None:
    assert owner(tags) == told


def test_owners_of_the_source(world: World) -> None:
    elbv2 = world.client("elbv2")
    elbv2.add_tags(ResourceArns=[world.balancers["shop"].arn], Tags=[{"Key": "ManagedBy", "Value": "terraform"}])
    assert world.system()["source"]["owners"] == [
        {"kind": "load_balancer", "id": world.balancers["shop"].arn, "name": "shop", "owner": "terraform", "deployment": ""}
    ]


def test_owners_of_what_is_described_without_tags(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them in one call. moto does not know repositories and launch templates there, so those are looked for in the question."""
    asked: list[str] = []
    original = ResourceGroupsTaggingAPIBackend.get_resources

    def get_resources(self: t.Any, **given: t.Any) -> t.Any:
        asked.extend(given["resource_arn_list"])
        return original(self, **given)

    monkeypatch.setattr(ResourceGroupsTaggingAPIBackend, "get_resources", get_resources)
    tags = [{"Key": "ManagedBy", "Value": "terraform"}]
    here = f"{REGION}:{ACCOUNT}"
    template = world.client("ec2").describe_launch_templates()["LaunchTemplates"][0]["LaunchTemplateId"]
    world.client("logs").tag_log_group(logGroupName="/ecs/shop/web", tags={"ManagedBy": "terraform"})
    world.client("cloudwatch").tag_resource(ResourceARN=f"arn:aws:cloudwatch:{here}:alarm:shop-cpu", Tags=tags)
    world.client("rds").add_tags_to_resource(ResourceName=f"arn:aws:rds:{here}:db:shop", Tags=tags)
    found = {(item["kind"], item["name"], item["id"]) for item in world.system()["source"]["owners"]}
    assert found == {
        ("log_group", "/ecs/shop/web", f"arn:aws:logs:{here}:log-group:/ecs/shop/web"),
        ("alarm", "shop-cpu", f"arn:aws:cloudwatch:{here}:alarm:shop-cpu"),
        ("database", "shop", f"arn:aws:rds:{here}:db:shop"),
    }
    assert world.calls["GetResources"] == 1
    assert {f"arn:aws:ecr:{here}:repository/shop/nginx", f"arn:aws:ec2:{here}:launch-template/{template}"} <= set(asked)


class TestSharing:
    def test_nobody(self, world: World) -> None:
        assert world.system()["source"]["sharing"] == {"hosts": [], "services": [], "security_groups": []}

    def test_other_services_on_the_instances_and_other_hosts(self, world: World) -> None:
        other = world.balancer("admin", "admin-web")
        world.service("shop", "admin", other.group)
        world.rule(world.balancers["shop"], 10, "Blog.example.test", world.balancers["shop"].group)
        world.rule(world.balancers["shop"], 11, FQDN, world.balancers["shop"].group)
        world.record("www.example.test", kind="CNAME", values=[world.balancers["shop"].dns_name])
        sharing = world.system()["source"]["sharing"]
        assert (sharing["hosts"], sharing["services"]) == (["blog.example.test", "www.example.test"], ["admin"])
        assert [(group["GroupName"], group["used_by"]) for group in sharing["security_groups"]] in (
            [("shop-alb", [{"kind": "load_balancer", "id": "admin"}])],
            [],  # an emulator without the load balancer's network interfaces
        )

    def test_other_users_of_the_security_groups(self, world: World) -> None:
        ec2 = world.client("ec2")
        image = ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"]
        instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=world.subnets[0], SecurityGroupIds=[world.groups["instances"]])
        world.client("rds").modify_db_instance(DBInstanceIdentifier="shop", VpcSecurityGroupIds=[world.groups["rds"], world.groups["instances"]])
        (group,) = world.system()["source"]["sharing"]["security_groups"]
        assert group["GroupName"] == "shop-instances"
        assert {"kind": "instance", "id": instance["Instances"][0]["InstanceId"]} in group["used_by"]
        assert {"kind": "rds", "id": "shop"} in group["used_by"]


class TestBroken:
    def test_service_is_draining(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        original = EC2ContainerServiceBackend.describe_services

        def draining(*arguments: t.Any) -> t.Any:
            services, failures = original(*arguments)
            for service in services:
                service.status = "DRAINING" if service.name == "worker" else service.status
            return services, failures

        monkeypatch.setattr(EC2ContainerServiceBackend, "describe_services", draining)
        system = world.system()
        assert problems(system) == ["service-not-active"]
        assert system["problems"][0]["path"] == "source.services[worker].status"
        assert "FG-SERVICE-STATUS" in stops(system)

    def test_daemon_service_is_listed(self, world: World) -> None:
        world.service("shop", "agent", schedulingStrategy="DAEMON")
        listed = {service["serviceName"]: service["schedulingStrategy"] for service in world.system()["source"]["services"]}
        assert listed == {"agent": "DAEMON", "web": "REPLICA", "worker": "REPLICA"}

    def test_the_only_record_leads_nowhere(self, world: World) -> None:
        world.unrecord(FQDN)
        world.record(FQDN, host="gone-1234.eu-west-1.elb.amazonaws.com")
        result = world.read()
        system = result["system"]
        assert (system["source"], system["target"], system["serving"], problems(system)) == (None, None, "none", ["record-nowhere"])
        assert system["problems"][0]["message"] == (
            f"fargate_fqdn {FQDN} is an alias of gone-1234.eu-west-1.elb.amazonaws.com, but account {ACCOUNT} has no load balancer of that DNS name in {REGION}. "
            "It should be an alias of the system's Application Load Balancer."
        )
        told = {finding["id"]: finding["severity"] for finding in planner.plan(system, {})["findings"]}
        assert told == {"FG-NO-SYSTEM": "BLOCKER", "FG-RECORD-NOWHERE": "ACTION"}
        assert any("problem" in line for line in result["status_lines"])

    def test_load_balancer_has_no_listener(self, world: World) -> None:
        """With the listener the target groups go, and with them all that leads to services."""
        bare = world.client("elbv2").create_load_balancer(Name="bare", Subnets=world.subnets, SecurityGroups=[world.groups["alb"]])["LoadBalancers"][0]
        world.record(FQDN, host=bare["DNSName"])
        system = world.system()
        assert problems(system) == ["load-balancer-without-listener", "no-service"]
        told = {finding["id"] for finding in planner.plan(system, {})["findings"] if finding["severity"] == "BLOCKER"}
        assert told == {"FG-NO-LISTENER", "FG-NO-SERVICE", "FG-NO-SUBNET"}

    def test_one_of_two_records_leads_nowhere(self, world: World) -> None:
        world.unrecord(FQDN)
        world.record(FQDN, host=world.balancers["shop"].dns_name, SetIdentifier="a", Weight=90)
        world.record(FQDN, host="gone-1234.eu-west-1.elb.amazonaws.com", SetIdentifier="b", Weight=10)
        system = world.system()
        assert (system["serving"], problems(system)) == ("source", ["record-nowhere"])


INFRASTRUCTURE = f"arn:aws:iam::{ACCOUNT}:role/infrastructure"


def attached(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """The web service registers with VPC Lattice and has an EBS volume, which moto doesn't keep."""
    made = world.client("vpc-lattice").create_target_group(name="shop-lattice", type="INSTANCE", config={"port": 80, "protocol": "HTTP", "vpcIdentifier": world.vpc})
    group, real = made["arn"], EC2ContainerServiceBackend.describe_services
    trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
    world.client("iam").create_role(RoleName="infrastructure", AssumeRolePolicyDocument=trust)

    def described(self: EC2ContainerServiceBackend, *arguments: t.Any) -> t.Any:
        found = real(self, *arguments)
        for service in found[0]:
            if service.name == "web":
                service.deployments = [
                    {
                        "status": "PRIMARY",
                        "volumeConfigurations": [{"name": "data", "managedEBSVolume": {"roleArn": INFRASTRUCTURE}}],
                        "vpcLatticeConfigurations": [{"roleArn": INFRASTRUCTURE, "targetGroupArn": group, "portName": "http"}],
                    }
                ]
        return found

    monkeypatch.setattr(EC2ContainerServiceBackend, "describe_services", described)
    return str(group)


def test_what_services_attach(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.system()
    assert not {"GetTargetGroup", "DescribeManagedPrefixLists"} & set(world.calls), "asked though no service uses VPC Lattice"
    group = attached(world, monkeypatch)
    system = world.system()
    lattice = system["source"]["vpc_lattice"]
    assert [(item["arn"], item["type"], item["config"]["port"]) for item in lattice["target_groups"]] == [(group, "INSTANCE", 80)]
    names = sorted(item["PrefixListName"] for item in lattice["prefix_lists"])
    assert names == [f"com.amazonaws.{REGION}.ipv6.vpc-lattice", f"com.amazonaws.{REGION}.vpc-lattice"]
    assert ["ecs.amazonaws.com"] in [role["TrustedServices"] for role in system["source"]["roles"] if role["RoleName"] == "infrastructure"]
    assert problems(system) == []


def test_target_groups_that_may_not_be_read_or_are_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    group = attached(world, monkeypatch)
    del get_backend("vpclattice")[ACCOUNT][REGION].target_groups[group.rpartition("/")[2]]
    assert world.system()["source"]["vpc_lattice"]["target_groups"] == []
    body = b'{"__type": "AccessDeniedException", "message": "not authorized"}'
    INTERCEPT.append(lambda event: AWSResponse("https://aws.test", 403, {"x-amzn-errortype": "AccessDeniedException"}, Raw(body)) if event == "vpc-lattice.GetTargetGroup" else None)
    try:
        system = world.system()
    finally:
        INTERCEPT.clear()
    assert [problem["path"] for problem in system["problems"] if problem["id"] == "not-readable"] == ["source.vpc_lattice"]
    assert "FG-DISCOVERY-DENIED" in {item["id"] for item in planner.plan(system, {})["findings"]}


def test_cloud_map_services_are_read_with_namespace_and_tags(world: World) -> None:
    arn = registered(world)
    system = world.system()
    (found,) = system["source"]["registries"]
    assert (found["Arn"], found["Name"], found["Namespace"]["Name"], found["Tags"]) == (arn, "web", "internal.example", {"Team": "web"})
    assert found["DnsConfig"]["DnsRecords"] == [{"Type": "SRV", "TTL": 30}]
    assert "FG-SERVICE-DISCOVERY" not in stops(system)
    (planned,) = planner.plan(system, {})["registries"]
    assert (planned["name"], planned["namespace_id"]) == ("web-fargate", found["NamespaceId"])


def test_cloud_map_is_not_asked_when_no_service_registers(world: World) -> None:
    assert world.system()["source"]["registries"] == []
    assert not {"GetService", "GetNamespace"} & set(world.calls)


def test_a_cloud_map_service_that_is_gone_stops_the_migration(world: World) -> None:
    world.client("servicediscovery").delete_service(Id=registered(world).rpartition("/")[2])
    system = world.system()
    assert system["source"]["registries"] == []
    assert "FG-SERVICE-DISCOVERY" in stops(system)
