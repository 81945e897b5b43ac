"""A target is removed as a whole or not at all, only what is ours of it, and only while the source serves."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._teardown import target
from unit.plugins.module_utils.apply_account import REGION, SYSTEM, Account

NAME = "shop.example.test."
NEW = "shop-fargate"
UPPER = [{"Key": key, "Value": value} for key, value in SYSTEM.items()]
LOWER = [{"key": key, "value": value} for key, value in SYSTEM.items()]


class Target:
    """What the roles make, beside a source whose load balancer the record leads to."""

    def __init__(self, account: Account) -> None:
        self.account, client = account, account.client
        elbv2, ecs, ec2 = client("elbv2"), client("ecs"), client("ec2")
        balancer = {"Subnets": account.subnets[:2], "SecurityGroups": [account.groups["alb"]]}
        self.source = elbv2.create_load_balancer(Name="shop", **balancer)["LoadBalancers"][0]
        self.balancer = elbv2.create_load_balancer(Name=NEW, Tags=UPPER, **balancer)["LoadBalancers"][0]
        group = elbv2.create_target_group(Name="web-fargate", Protocol="HTTP", Port=80, VpcId=account.vpc, TargetType="ip", Tags=UPPER)["TargetGroups"][0]
        self.group = group["TargetGroupArn"]
        elbv2.create_listener(
            LoadBalancerArn=self.balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[{"Type": "forward", "TargetGroupArn": self.group}]
        )
        tagged = [{"ResourceType": "security-group", "Tags": UPPER}]
        self.tasks = ec2.create_security_group(GroupName=NEW, Description="tasks", VpcId=account.vpc, TagSpecifications=tagged)["GroupId"]
        self.grant = self.admit(UPPER)
        ecs.create_cluster(clusterName=NEW, tags=LOWER)
        ecs.register_task_definition(family="web-fargate", containerDefinitions=[{"name": "web", "image": "web", "memory": 64}], tags=LOWER)
        self.service("web", LOWER)
        client("ecr").create_repository(repositoryName=NEW, tags=UPPER)
        client("cloudwatch").put_metric_alarm(
            AlarmName="web-fargate-cpu", Namespace="AWS/ECS", MetricName="m", Period=60, EvaluationPeriods=1, Threshold=1, Statistic="Sum",
            ComparisonOperator="GreaterThanThreshold", Tags=UPPER,
        )  # fmt: skip
        client("logs").create_log_group(logGroupName="/ecs/shop-fargate", tags=SYSTEM)
        client("servicediscovery").create_http_namespace(Name="internal.example")
        self.namespace = client("servicediscovery").list_namespaces()["Namespaces"][0]["Id"]
        self.registry = client("servicediscovery").create_service(Name="web-fargate", NamespaceId=self.namespace, Tags=UPPER)["Service"]["Id"]
        client("servicediscovery").create_service(Name="web", NamespaceId=self.namespace)
        self.zone = client("route53").create_hosted_zone(Name="example.test", CallerReference="1")["HostedZone"]["Id"].rpartition("/")[2]
        self.point(self.source)

    def admit(self, tags: list[dict[str, str]]) -> str:
        """A rule of the database's group that names the tasks' group; its id."""
        permission = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306 + bool(not tags), "UserIdGroupPairs": [{"GroupId": self.tasks}]}
        tagged = {"TagSpecifications": [{"ResourceType": "security-group-rule", "Tags": tags}]} if tags else {}
        answer = self.account.client("ec2").authorize_security_group_ingress(GroupId=self.account.groups["db"], IpPermissions=[permission], **tagged)
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def service(self, name: str, tags: list[dict[str, str]]) -> None:
        self.account.client("ecs").create_service(cluster=NEW, serviceName=name, taskDefinition="web-fargate", desiredCount=1, tags=tags)

    def point(self, balancer: dict[str, t.Any]) -> None:
        alias = {"HostedZoneId": "Z32O12XQLNTSW2", "DNSName": balancer["DNSName"], "EvaluateTargetHealth": True}
        change = {"Action": "UPSERT", "ResourceRecordSet": {"Name": NAME, "Type": "A", "AliasTarget": alias}}
        self.account.client("route53").change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch={"Changes": [change]})

    def heard(self, seconds_ago: float) -> None:
        name = self.balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]
        at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=seconds_ago)
        data = {"MetricName": "RequestCount", "Dimensions": [{"Name": "LoadBalancer", "Value": name}], "Timestamp": at, "Value": 7}
        self.account.client("cloudwatch").put_metric_data(Namespace="AWS/ApplicationELB", MetricData=[data])

    def params(self, **more: t.Any) -> dict[str, t.Any]:
        record = {"zone_id": self.zone, "record_set": {"Name": NAME, "Type": "A"}}
        names = {"system": "shop", "confirm": "shop", "source_load_balancer": "shop", "vpc_id": self.account.vpc}
        parts = {"cluster": NEW, "load_balancer": NEW, "security_group": NEW, "target_groups": ["web-fargate"], "families": ["web-fargate"]}
        more_parts = {"alarms": ["web-fargate-cpu"], "repositories": [NEW], "log_groups": [], "namespaces": []}
        more_parts["registries"] = [{"namespace_id": self.namespace, "name": "web-fargate"}]
        times = {"silence_seconds": 900.0, "metric_delay": 120.0, "metric_period": 60, "max_requests": 0}
        return {**names, **parts, **more_parts, **times, "record_sets": [record], **more}

    def run(self, check_mode: bool = False, **more: t.Any) -> dict[str, t.Any]:
        return self.account.run(target.run, check_mode=check_mode, **self.params(**more))

    def left(self) -> dict[str, t.Any]:
        """What an independent look finds of the target."""
        client = self.account.client
        found = client("ec2").describe_security_groups(GroupIds=[self.account.groups["db"]])["SecurityGroups"][0]["IpPermissions"]
        return {
            "clusters": [each["clusterName"] for each in client("ecs").describe_clusters(clusters=[NEW])["clusters"] if each["status"] == "ACTIVE"],
            "balancers": sorted(each["LoadBalancerName"] for each in client("elbv2").describe_load_balancers()["LoadBalancers"]),
            "target groups": [each["TargetGroupName"] for each in client("elbv2").describe_target_groups()["TargetGroups"]],
            "groups": [each["GroupName"] for each in client("ec2").describe_security_groups()["SecurityGroups"] if each["GroupName"] == NEW],
            "admitted": [pair["GroupId"] for rule in found for pair in rule["UserIdGroupPairs"]],
            "definitions": client("ecs").list_task_definitions(status="ACTIVE")["taskDefinitionArns"],
            "Cloud Map": [each["Name"] for each in client("servicediscovery").list_services()["Services"]],
            "repositories": [each["repositoryName"] for each in client("ecr").describe_repositories()["repositories"]],
            "alarms": [each["AlarmName"] for each in client("cloudwatch").describe_alarms()["MetricAlarms"]],
            "log groups": [each["logGroupName"] for each in client("logs").describe_log_groups()["logGroups"]],
        }


NOTHING = {
    "clusters": [],
    "balancers": ["shop"],
    "target groups": [],
    "groups": [],
    "admitted": [],
    "definitions": [],
    "Cloud Map": ["web"],
    "repositories": [],
    "alarms": [],
    "log groups": ["/ecs/shop-fargate"],
}


@pytest.fixture
def made(account: Account) -> Target:
    return Target(account)


def test_nothing_is_left_but_the_history(made: Target) -> None:
    assert made.run()["changed"]
    assert made.left() == NOTHING
    assert not made.run()["changed"]
    assert made.account.calls == []


def test_log_groups_go_when_they_are_named(made: Target) -> None:
    made.run(log_groups=["/ecs/shop-fargate"])
    assert made.left() == {**NOTHING, "log groups": []}


@pytest.mark.parametrize("count", range(1, 10))
def test_killed_after_any_call_the_next_run_finishes(made: Target, count: int) -> None:
    assert made.account.killed_after(count, target.run, **made.params())
    made.run()
    assert made.left() == NOTHING


def test_what_is_not_ours_stays_and_is_told(made: Target) -> None:
    client = made.account.client
    client("ecr").untag_resource(resourceArn=f"arn:aws:ecr:{REGION}:123456789012:repository/{NEW}", tagKeys=["cutover:system"])
    result = made.run()
    assert made.left() == {**NOTHING, "repositories": [NEW]}
    assert result["kept"] == [f"repository {NEW} does not carry the tag cutover:system=shop"]


def test_what_another_system_uses_stays_and_is_told(made: Target) -> None:
    """Staging and production of one account may have the same source image or log group, so the same new repository; it carries the tag of the first."""
    ecs = made.account.client("ecs")
    image = made.account.client("ecr").describe_repositories()["repositories"][0]["repositoryUri"] + ":1-fargate"
    logs = {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/shop-fargate"}}
    ecs.register_task_definition(family="live", containerDefinitions=[{"name": "web", "image": image, "memory": 64, "logConfiguration": logs}])
    ecs.create_cluster(clusterName="live")
    service = ecs.create_service(cluster="live", serviceName="web", taskDefinition="live", desiredCount=1)["service"]["serviceArn"]
    result = made.run(log_groups=["/ecs/shop-fargate"])
    assert (made.left()["repositories"], made.left()["log groups"], made.left()["clusters"]) == ([NEW], ["/ecs/shop-fargate"], [])
    assert result["kept"] == [f"{part} is used by service {service}" for part in (f"repository {NEW}", "log group /ecs/shop-fargate")]


def test_revisions_of_somebody_else_stay(made: Target) -> None:
    """Under the same family, with a newer one of ours before and after it."""
    ecs, container = made.account.client("ecs"), {"name": "web", "image": "theirs", "memory": 64}
    theirs = ecs.register_task_definition(family="web-fargate", containerDefinitions=[container])["taskDefinition"]["taskDefinitionArn"]
    ecs.register_task_definition(family="web-fargate", containerDefinitions=[container], tags=LOWER)
    made.run()
    assert made.left() == {**NOTHING, "definitions": [theirs]}
    assert made.run()["kept"] == ["task definition web-fargate does not carry the tag cutover:system=shop"]


def test_check_mode_tells_and_removes_nothing(made: Target) -> None:
    before = made.left()
    result = made.run(check_mode=True)
    assert made.account.calls == []
    assert made.left() == before
    assert {"delete service web", f"delete cluster {NEW}", f"delete security group {NEW}"} <= set(result["changes"])
    assert [text for text in result["changes"] if text.startswith("revoke")] == [
        f"revoke security group rule of {made.account.groups['db']}, ingress from {NEW} (tcp 3306)"
    ]


def refused(made: Target, match: str, **more: t.Any) -> None:
    before = made.left()
    with pytest.raises(CutoverError, match=match) as caught:
        made.run(**more)
    assert "Nothing was removed" in caught.value.message
    assert made.account.calls == []
    assert made.left() == before


@pytest.mark.parametrize("confirm", [None, "", "yes", "Shop"])
def test_without_the_name_typed_out(made: Target, confirm: str | None) -> None:
    refused(made, "fargate_abandon_confirm", confirm=confirm)


def test_while_a_record_leads_to_the_target(made: Target) -> None:
    made.point(made.balancer)
    refused(made, "points to .* not to shop; run rollback first")


def test_while_no_record_is_known(made: Target) -> None:
    refused(made, "No record is known", record_sets=[])


@pytest.mark.parametrize("name", [None, "torn-down"])
def test_when_the_source_is_gone(made: Target, name: str | None) -> None:
    refused(made, "does not exist, so nothing else serves", source_load_balancer=name)


def test_while_the_target_sees_requests(made: Target) -> None:
    made.heard(seconds_ago=300)
    refused(made, r"served 7 request\(s\)")


def test_requests_long_ago_do_not_count(made: Target) -> None:
    made.heard(seconds_ago=2 * 3600)
    assert made.run()["changed"]


def test_while_a_stranger_runs_in_the_cluster(made: Target) -> None:
    made.service("theirs", [])
    refused(made, "Service theirs runs in the target's cluster")


def test_while_another_load_balancer_uses_the_target_group(made: Target) -> None:
    elbv2 = made.account.client("elbv2")
    elbv2.create_listener(
        LoadBalancerArn=made.source["LoadBalancerArn"], Protocol="HTTP", Port=81, DefaultActions=[{"Type": "forward", "TargetGroupArn": made.group}]
    )
    refused(made, "Target group web-fargate is used by load balancer app/shop/")


def test_instances_of_the_targets_own_tasks_do_not_count_and_others_do(made: Target) -> None:
    client = made.account.client("servicediscovery")
    client.register_instance(ServiceId=made.registry, InstanceId="task", Attributes={"ECS_CLUSTER_NAME": NEW})
    assert made.run(check_mode=True)["changed"]
    client.register_instance(ServiceId=made.registry, InstanceId="theirs", Attributes={"AWS_INSTANCE_IPV4": "10.0.0.9"})
    refused(made, "Cloud map service web-fargate has instances that are not of this system: theirs")


def test_a_cloud_map_service_without_our_tag_stays(made: Target) -> None:
    client = made.account.client("servicediscovery")
    arn = client.get_service(Id=made.registry)["Service"]["Arn"]
    client.untag_resource(ResourceARN=arn, TagKeys=["cutover:system"])
    assert made.run()["kept"] == ["cloud map service web-fargate does not carry the tag cutover:system=shop"]
    assert made.left()["Cloud Map"] == ["web-fargate", "web"]


def test_while_a_rule_of_somebody_else_names_the_tasks_group(made: Target) -> None:
    theirs = made.admit([])
    refused(made, f"is named by rule {theirs}")
