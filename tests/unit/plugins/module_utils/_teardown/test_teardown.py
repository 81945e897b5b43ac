"""All of it or nothing; and a killed teardown is finished by the next run."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._teardown import teardown
from unit.plugins.module_utils.apply_account import ACCOUNT, REGION, Account

NAME = "shop.example.test."
DAY = 86400


class System:
    """A source that was scaled in, and the target that serves."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.arns = {name: self._balancer(name) for name in ("shop", "shop-fargate")}
        elbv2, ecs = account.client("elbv2"), account.client("ecs")
        group = elbv2.create_target_group(Name="shop", Protocol="HTTP", Port=80, VpcId=account.vpc, TargetType="instance")
        self.group = group["TargetGroups"][0]["TargetGroupArn"]
        elbv2.create_listener(
            LoadBalancerArn=self.arns["shop"], Protocol="HTTP", Port=80, DefaultActions=[{"Type": "forward", "TargetGroupArn": self.group}]
        )
        self.instances = account.client("ec2").create_security_group(GroupName="instances", Description="i", VpcId=account.vpc)["GroupId"]
        self._admit()
        for cluster, family in (("shop", "web"), ("shop-fargate", "web-fargate")):
            ecs.create_cluster(clusterName=cluster)
            image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{family}:v1"
            ecs.register_task_definition(family=family, containerDefinitions=[{"name": "web", "image": image, "memory": 64}])
            ecs.create_service(cluster=cluster, serviceName="web", taskDefinition=family, desiredCount=0)
            scaled = {"ServiceNamespace": "ecs", "ResourceId": f"service/{cluster}/web", "ScalableDimension": "ecs:service:DesiredCount"}
            account.client("application-autoscaling").register_scalable_target(**scaled, MinCapacity=0, MaxCapacity=4)
            account.client("ecr").create_repository(repositoryName=family)
        ecs.register_task_definition(family="web", containerDefinitions=[{"name": "web", "image": "web", "memory": 128}])
        self.template = account.client("ec2").create_launch_template(LaunchTemplateName="shop", LaunchTemplateData={"ImageId": "ami-0123456789abcdef0"})
        account.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName="shop", MinSize=0, MaxSize=4, DesiredCapacity=0, AvailabilityZones=[f"{REGION}a"],
            LaunchTemplate={"LaunchTemplateName": "shop", "Version": "$Latest"},
        )  # fmt: skip
        self._alarm()
        zone = account.client("route53").create_hosted_zone(Name="example.test", CallerReference="1")["HostedZone"]["Id"]
        self.zone = zone.rpartition("/")[2]
        self.point("shop-fargate")
        self.cut_over(days_ago=40)
        self.heard(days_ago=41)

    def _balancer(self, name: str) -> str:
        made = self.account.client("elbv2").create_load_balancer(Name=name, Subnets=self.account.subnets[:2], SecurityGroups=[self.account.groups["alb"]])
        return str(made["LoadBalancers"][0]["LoadBalancerArn"])

    def _admit(self) -> None:
        pairs = [{"GroupId": self.instances, "Description": "as people write them"}, {"GroupId": self.account.groups["alb"]}]
        permission = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "UserIdGroupPairs": pairs}
        self.account.client("ec2").authorize_security_group_ingress(GroupId=self.account.groups["db"], IpPermissions=[permission])

    def _alarm(self) -> None:
        self.account.client("cloudwatch").put_metric_alarm(
            AlarmName="shop 5xx!", Namespace="AWS/X", MetricName="m", Period=60, EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold", Statistic="Sum"
        )

    def point(self, name: str) -> None:
        host = self.account.client("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"][0]["DNSName"]
        alias = {"HostedZoneId": "Z32O12XQLNTSW2", "DNSName": host, "EvaluateTargetHealth": True}
        change = {"Action": "UPSERT", "ResourceRecordSet": {"Name": NAME, "Type": "A", "AliasTarget": alias}}
        self.account.client("route53").change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch={"Changes": [change]})

    def cut_over(self, days_ago: float) -> None:
        at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days_ago)
        tag = {"Key": "cutover:cutover-at", "Value": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        self.account.client("elbv2").add_tags(ResourceArns=[self.arns["shop-fargate"]], Tags=[tag])

    def heard(self, days_ago: float) -> None:
        name = self.arns["shop"].partition(":loadbalancer/")[2]
        at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days_ago)
        data = {"MetricName": "RequestCount", "Dimensions": [{"Name": "LoadBalancer", "Value": name}], "Timestamp": at, "Value": 7}
        self.account.client("cloudwatch").put_metric_data(Namespace="AWS/ApplicationELB", MetricData=[data])

    def items(self) -> list[dict[str, t.Any]]:
        arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
        rule = {"protocol": "tcp", "from_port": 3306, "to_port": 3306, "source_group_ids": [self.instances]}
        pairs = [
            ("alarm", "shop 5xx!", {}),
            ("service", f"{arn}:service/shop/web", {}),
            ("cluster", f"{arn}:cluster/shop", {}),
            ("auto_scaling_group", "shop", {}),
            ("launch_template", self.template["LaunchTemplate"]["LaunchTemplateId"], {}),
            ("load_balancer", self.arns["shop"], {}),
            ("target_group", self.group, {}),
            ("ingress_rule", self.account.groups["db"], rule),
            ("security_group", self.instances, {}),
            ("task_definition", "web", {}),
            ("repository", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/web", {}),
        ]
        return [{"kind": kind, "id": identity, "name": identity.rpartition("/")[2], "detail": detail} for kind, identity, detail in pairs]

    def params(self, **more: t.Any) -> dict[str, t.Any]:
        record = {"zone_id": self.zone, "record_set": {"Name": NAME, "Type": "A"}}
        names = {"system": "shop", "confirm": "shop", "target_load_balancer": "shop-fargate", "target_cluster": "shop-fargate"}
        times = {"bake_seconds": 30.0 * DAY, "silence_seconds": 900.0, "metric_delay": 120.0, "metric_period": 60, "max_requests": 0}
        return {**names, **times, "record_sets": [record], "items": self.items(), "schedulers": [], **more}

    def run(self, check_mode: bool = False, **more: t.Any) -> dict[str, t.Any]:
        return self.account.run(teardown.run, check_mode=check_mode, **self.params(**more))

    def left(self) -> dict[str, t.Any]:
        """What an independent look finds of the source and of the target."""
        client = self.account.client
        clusters = client("ecs").describe_clusters(clusters=["shop", "shop-fargate"])["clusters"]
        groups = client("ec2").describe_security_groups(GroupIds=[self.account.groups["db"]])["SecurityGroups"][0]["IpPermissions"]
        tags = client("elbv2").describe_tags(ResourceArns=[self.arns["shop-fargate"]])["TagDescriptions"][0]["Tags"]
        scaled = client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        return {
            "scaled": [each["ResourceId"] for each in scaled],
            "alarms": [each["AlarmName"] for each in client("cloudwatch").describe_alarms()["MetricAlarms"]],
            "clusters": [each["clusterName"] for each in clusters if each["status"] == "ACTIVE"],
            "groups": [each["AutoScalingGroupName"] for each in client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]],
            "templates": [each["LaunchTemplateName"] for each in client("ec2").describe_launch_templates()["LaunchTemplates"]],
            "balancers": [each["LoadBalancerName"] for each in client("elbv2").describe_load_balancers()["LoadBalancers"]],
            "target_groups": [each["TargetGroupName"] for each in client("elbv2").describe_target_groups()["TargetGroups"]],
            "admitted": sorted(pair["GroupId"] for rule in groups for pair in rule["UserIdGroupPairs"]),
            "definitions": [arn.rpartition("/")[2].split(":")[0] for arn in client("ecs").list_task_definitions(status="ACTIVE")["taskDefinitionArns"]],
            "repositories": [each["repositoryName"] for each in client("ecr").describe_repositories()["repositories"]],
            "tags": [each["Key"] for each in tags],
        }


@pytest.fixture
def system(account: Account) -> System:
    return System(account)


def gone(system: System) -> dict[str, t.Any]:
    return {
        "scaled": ["service/shop-fargate/web"],
        "alarms": [],
        "clusters": ["shop-fargate"],
        "groups": [],
        "templates": [],
        "balancers": ["shop-fargate"],
        "target_groups": [],
        "admitted": [system.account.groups["alb"]],
        "definitions": ["web-fargate"],
        "repositories": ["web-fargate"],
        "tags": ["cutover:cutover-at"],
    }


def test_the_source_is_gone_and_the_target_stays(system: System) -> None:
    assert system.run()["changed"]
    assert system.left() == gone(system)
    assert not system.run()["changed"]
    assert system.account.calls == []


def test_killed_after_any_call_the_next_run_finishes(system: System) -> None:
    """Discovery finds less and less of a source that is being deleted: the next run must not need the plan's list."""
    count = 1
    while system.account.killed_after(count, teardown.run, **system.params()):
        system.run(items=[item for item in system.items() if item["kind"] == "alarm"])
        assert system.left() == gone(system), f"killed after {count} calls"
        system = System(fresh(system.account))
        count += 1
    assert count > 10


def fresh(account: Account) -> Account:
    """The same account as it was, without the previous round."""
    client = account.client
    client("elbv2").delete_load_balancer(LoadBalancerArn=client("elbv2").describe_load_balancers(Names=["shop-fargate"])["LoadBalancers"][0]["LoadBalancerArn"])
    for name in ("web", "web-fargate"):
        if any(each["repositoryName"] == name for each in client("ecr").describe_repositories()["repositories"]):
            client("ecr").delete_repository(repositoryName=name, force=True)
    client("ecs").delete_service(cluster="shop-fargate", service="web", force=True)
    permissions = client("ec2").describe_security_groups(GroupIds=[account.groups["db"]])["SecurityGroups"][0]["IpPermissions"]
    client("ec2").revoke_security_group_ingress(GroupId=account.groups["db"], IpPermissions=permissions)
    for arn in client("ecs").list_task_definitions(status="ACTIVE")["taskDefinitionArns"]:
        client("ecs").deregister_task_definition(taskDefinition=arn)
    return account


def refused(system: System, match: str, **more: t.Any) -> None:
    before = system.left()
    with pytest.raises(CutoverError, match=match) as caught:
        system.run(**more)
    assert "Nothing was deleted" in caught.value.message
    assert system.account.calls == []
    assert system.left() == before


@pytest.mark.parametrize("confirm", [None, "", "yes", "Shop"])
def test_without_the_name_typed_out(system: System, confirm: str | None) -> None:
    refused(system, "fargate_teardown_confirm", confirm=confirm)


def test_before_the_bake_time(system: System) -> None:
    system.cut_over(days_ago=29)
    refused(system, "fargate_bake_seconds")


def test_without_a_cutover(system: System) -> None:
    system.account.client("elbv2").remove_tags(ResourceArns=[system.arns["shop-fargate"]], TagKeys=["cutover:cutover-at"])
    refused(system, "there was no cutover")


def test_while_the_old_load_balancer_sees_requests(system: System) -> None:
    system.heard(days_ago=300 / DAY)
    refused(system, r"shop.* is still used: 7 request")


def test_while_a_record_points_to_the_source(system: System) -> None:
    system.point("shop")
    refused(system, "points to")


def test_while_a_scheduler_has_not_changed_hands(system: System) -> None:
    """A scale-in that was killed between the two sides."""
    schedulers = [{"name": "web", "cluster": "shop-fargate", "desired_count": 1}]
    with pytest.raises(CutoverError, match=r"scheduler web has no task on the target yet.*Run scale_in again.*Nothing was deleted"):
        system.run(schedulers=schedulers)
    assert system.account.calls == []
    system.account.client("ecs").update_service(cluster="shop-fargate", service="web", desiredCount=1)
    assert system.run(schedulers=schedulers)["changed"]


def test_while_tasks_are_wanted(system: System) -> None:
    system.account.client("ecs").update_service(cluster="shop", service="web", desiredCount=1)
    refused(system, "still used")


def test_while_a_stranger_uses_the_cluster(system: System) -> None:
    system.account.client("ecs").create_service(cluster="shop", serviceName="other", taskDefinition="web", desiredCount=0)
    refused(system, "service")


def test_while_a_service_of_another_cluster_names_the_target_group(system: System) -> None:
    """It has no task, so the group has no target of it."""
    ecs = system.account.client("ecs")
    ecs.create_cluster(clusterName="blog")
    balancers = [{"targetGroupArn": system.group, "containerName": "web", "containerPort": 80}]
    ecs.create_service(cluster="blog", serviceName="wordpress", taskDefinition="web", desiredCount=0, loadBalancers=balancers)
    refused(system, "service/blog/wordpress")


def test_while_an_interface_carries_the_group(system: System) -> None:
    system.account.client("ec2").create_network_interface(SubnetId=system.account.subnets[0], Groups=[system.instances])
    refused(system, "network interface")


def test_while_the_target_pulls_from_the_repository(system: System) -> None:
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/web:v1"
    ecs = system.account.client("ecs")
    ecs.register_task_definition(family="web-fargate", containerDefinitions=[{"name": "web", "image": image, "memory": 64}])
    ecs.update_service(cluster="shop-fargate", service="web", taskDefinition="web-fargate")
    refused(system, "container web of the target")


def test_while_another_system_pulls_from_the_repository(system: System) -> None:
    """Staging and production of one account may well have the same image."""
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/web:v1"
    ecs = system.account.client("ecs")
    ecs.register_task_definition(family="live", containerDefinitions=[{"name": "web", "image": image, "memory": 64}])
    ecs.create_cluster(clusterName="live")
    ecs.create_service(cluster="live", serviceName="web", taskDefinition="live", desiredCount=1)
    refused(system, "Repository web is still used: service .*service/live/web")


def test_check_mode_tells_and_deletes_nothing(system: System) -> None:
    before = system.left()
    result = system.run(check_mode=True)
    assert system.account.calls == []
    assert system.left() == before
    assert "delete service web" in result["changes"]
