"""From the FQDN to everything, against moto."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._system import other_clusters
from ansible_collections.cutover.fargate.plugins.module_utils._system.other_clusters import CLUSTERS_LISTED, DESCRIPTIONS, groups_of
from ansible_collections.cutover.fargate.plugins.module_utils._system.system import serving
from moto.ecs.exceptions import TaskDefinitionNotFoundException
from moto.ecs.models import EC2ContainerServiceBackend, Task, ecs_backends

from .conftest import ACCOUNT, FQDN, REGION, World, stops

pytestmark = pytest.mark.account

SIDE = {
    "load_balancer", "target_groups", "cluster", "services", "other_services", "daemons", "capacity",
    "security_groups", "subnets", "log_groups", "repositories", "alarms",
    "vpc_endpoints", "nat_gateways", "roles", "secret_keys", "mount_targets", "network_acls", "vpc_dns", "scheduled_tasks", "databases", "owners", "sharing", "namespaces", "vpc_lattice", "registries",
}  # fmt: skip


def names(items: t.Iterable[t.Mapping[str, t.Any]], key: str) -> list[str]:
    return [item[key] for item in items]


def problems(system: t.Mapping[str, t.Any]) -> list[str]:
    return names(system["problems"], "id")


def test_system_has_every_key_of_the_contract(world: World) -> None:
    system = world.system()
    assert {key: system[key] for key in ("name", "fqdn", "region", "account_id", "serving")} == {
        "name": "shop",
        "fqdn": FQDN,
        "region": REGION,
        "account_id": ACCOUNT,
        "serving": "source",
    }
    assert set(system) == {"name", "fqdn", "region", "account_id", "serving", "records", "source", "target", "shared", "account_settings", "quotas", "problems"}
    assert set(system["source"]) == SIDE
    assert (system["target"], system["shared"], system["problems"]) == (None, [], [])


def test_load_balancer_comes_with_all_that_hangs_on_it(world: World) -> None:
    hidden = [{"Key": "routing.http.response.server.enabled", "Value": "false"}]
    world.client("elbv2").modify_listener_attributes(ListenerArn=world.balancers["shop"].listener, Attributes=hidden)
    source = world.system()["source"]
    balancer, (group,) = source["load_balancer"], source["target_groups"]
    assert (balancer["Tags"], balancer["WebAclArn"]) == ({"Team": "web"}, None)
    assert balancer["Attributes"]["deletion_protection.enabled"] == "false"
    (listener,) = balancer["Listeners"]
    assert (listener["SniCertificates"], listener["Attributes"]["routing.http.response.server.enabled"]) == ([], "false")
    assert [rule["Priority"] for rule in listener["Rules"]] == ["default"]
    assert group["Attributes"]["deregistration_delay.timeout_seconds"] == "300"
    assert len(group["TargetHealth"]) == 2


def test_certificates_of_other_hosts_come_with_the_listener(world: World) -> None:
    """The default one is the listener's own; those that SNI chooses are told beside it."""
    acm, elbv2, balancer = world.client("acm"), world.client("elbv2"), world.balancers["shop"]
    own, other = (acm.request_certificate(DomainName=name)["CertificateArn"] for name in (FQDN, "www.example.test"))
    actions = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    listener = elbv2.create_listener(LoadBalancerArn=balancer.arn, Protocol="HTTPS", Port=8443, Certificates=[{"CertificateArn": own}], DefaultActions=actions)
    elbv2.add_listener_certificates(ListenerArn=listener["Listeners"][0]["ListenerArn"], Certificates=[{"CertificateArn": other}])
    found = {item["Port"]: item for item in world.system()["source"]["load_balancer"]["Listeners"]}
    assert (found[8443]["Certificates"][0]["CertificateArn"], found[8443]["SniCertificates"]) == (own, [other])


def test_services_come_with_task_definition_tags_and_workers(world: World) -> None:
    web, worker = world.system()["source"]["services"]
    assert (web["serviceName"], worker["serviceName"]) == ("web", "worker")
    assert web["Tags"] == {"Team": "web"}
    assert "tags" not in web
    assert web["TaskDefinition"]["family"] == "shop-web"
    assert isinstance(web["deployments"][0]["createdAt"], str)


def test_running_tasks_of_a_service_are_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what somebody started by hand nor what is about to end."""
    monkeypatch.setattr(Task, "advance", lambda _task: None)  # moto's tasks end by being looked at
    made = world.client("ecs").run_task(cluster="shop", taskDefinition="shop-web", launchType="EC2", count=3)["tasks"]
    serving, by_hand, ending = (ecs_backends[ACCOUNT][REGION].tasks["shop"][task["taskArn"]] for task in made)
    for task, group, status in ((serving, "service:web", "RUNNING"), (by_hand, "family:shop-web", "RUNNING"), (ending, "service:web", "DEACTIVATING")):
        task.group, task.last_status = group, status
    web, worker = world.system()["source"]["services"]
    assert (names(web["Tasks"], "taskArn"), worker["Tasks"]) == ([serving.task_arn], [])


def test_scaling_of_a_service_is_read(world: World) -> None:
    scaling = world.client("application-autoscaling")
    which = {"ServiceNamespace": "ecs", "ResourceId": "service/shop/web", "ScalableDimension": "ecs:service:DesiredCount"}
    scaling.register_scalable_target(**which, MinCapacity=2, MaxCapacity=6)
    scaling.put_scaling_policy(
        **which,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 60.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}},
    )
    scaling.put_scheduled_action(**which, ScheduledActionName="night", Schedule="cron(0 1 * * ? *)", ScalableTargetAction={"MinCapacity": 1, "MaxCapacity": 2})
    web, worker = world.system()["source"]["services"]
    assert (web["ScalableTargets"][0]["MaxCapacity"], names(web["ScalingPolicies"], "PolicyName")) == (6, ["cpu"])
    assert [(action["ScheduledActionName"], action["Schedule"]) for action in web["ScheduledActions"]] == [("night", "cron(0 1 * * ? *)")]
    assert (worker["ScalableTargets"], worker["ScalingPolicies"], worker["ScheduledActions"]) == ([], [], [])


def test_capacity_is_found_by_the_instances(world: World) -> None:
    capacity = world.system()["source"]["capacity"]
    (group,) = capacity["auto_scaling_groups"]
    assert (group["AutoScalingGroupName"], group["DesiredCapacity"]) == ("shop", 2)
    assert group["LaunchTemplate"]["LaunchTemplateData"]["InstanceType"] == "t3.small"
    assert (len(capacity["container_instances"]), len(capacity["instances"]), capacity["architectures"]) == (2, 2, ["x86_64"])


def test_data_tier_is_found_by_the_rules_that_admit_the_instances(world: World) -> None:
    groups = world.system()["source"]["security_groups"]
    assert names(groups["load_balancer"], "GroupName") == ["shop-alb"]
    assert names(groups["tasks"], "GroupName") == ["shop-instances"]
    rds, redis = groups["admitting"]
    assert (rds["GroupName"], rds["used_by"]) == ("shop-rds", [{"kind": "rds", "id": "shop"}])
    assert [pair["GroupId"] for pair in rds["rules"][0]["UserIdGroupPairs"]] == [world.groups["instances"]]
    assert (redis["GroupName"], redis["rules"][0]["FromPort"], redis["used_by"]) == ("shop-redis", 6379, [])


def test_subnets_tell_where_they_lead_and_how_much_room_they_have(world: World) -> None:
    subnets = world.system()["source"]["subnets"]
    assert {subnet["SubnetId"]: subnet["route"] for subnet in subnets} == {world.subnets[0]: "igw", world.subnets[1]: "none"}
    described = world.client("ec2").describe_subnets(SubnetIds=world.subnets)["Subnets"]
    assert {subnet["SubnetId"]: subnet["free"] for subnet in subnets} == {subnet["SubnetId"]: subnet["AvailableIpAddressCount"] for subnet in described}


def test_artefacts_are_those_that_are_named(world: World) -> None:
    source = world.system()["source"]
    assert names(source["log_groups"], "logGroupName") == ["/ecs/shop/web"]
    assert names(source["repositories"], "repositoryName") == ["shop/nginx"]
    assert source["repositories"][0]["images"][0]["imageTags"] == ["v1"]
    assert sorted(names(source["alarms"], "AlarmName")) == ["shop-5xx", "shop-cpu"]


def test_number_of_calls_does_not_depend_on_the_account(world: World) -> None:
    world.system()
    alone = world.calls
    elbv2, ecs, route53 = world.client("elbv2"), world.client("ecs"), world.client("route53")
    for index in range(30):
        world.target_group(f"other-{index}")
        ecs.create_cluster(clusterName=f"other-{index}")
        world.service(f"other-{index}", "web")
        world.client("logs").create_log_group(logGroupName=f"/ecs/other-{index}")
        route53.create_hosted_zone(Name=f"other-{index}.test", CallerReference=str(index))
    elbv2.create_load_balancer(Name="other", Subnets=world.subnets)
    world.system()
    more = world.calls - alone
    assert set(more) == {"ListServices", "DescribeServices"}
    assert more["ListServices"] <= CLUSTERS_LISTED
    assert more["DescribeServices"] <= DESCRIPTIONS
    assert alone.total() < 66
    assert not {"ListHostedZones"} & set(alone)


def test_only_reading_calls_are_made(world: World) -> None:
    world.target()
    world.system()
    assert all(call.startswith(("Describe", "List", "Get")) for call in world.calls)


def test_cluster_is_searched_when_user_data_does_not_name_it(world: World) -> None:
    for instance in [health["Target"]["Id"] for health in world.client("elbv2").describe_target_health(TargetGroupArn=world.balancers["shop"].group)["TargetHealthDescriptions"]]:
        world.client("ec2").modify_instance_attribute(InstanceId=instance, Attribute="userData", Value="")
    system = world.system()
    assert system["source"]["cluster"]["clusterName"] == "shop"
    assert "ListClusters" in world.calls


def test_services_of_another_load_balancer_are_not_of_the_system(world: World) -> None:
    other = world.balancer("admin", "admin-web")
    world.service("shop", "admin", other.group)
    source = world.system()["source"]
    assert (names(source["services"], "serviceName"), source["other_services"]) == (["web", "worker"], ["admin"])


def test_inventory_names_the_services(world: World) -> None:
    source = world.system(services=["web"])["source"]
    assert (names(source["services"], "serviceName"), source["other_services"]) == (["web"], ["worker"])


def test_agents_on_each_instance_are_told_when_the_inventory_leaves_them_out(world: World) -> None:
    world.service("shop", "agent", schedulingStrategy="DAEMON")
    source = world.system(services=["web"])["source"]
    assert (source["other_services"], source["daemons"]) == (["agent", "worker"], ["agent"])
    assert world.system()["source"]["daemons"] == []  # it is of the system, and FG-DAEMON tells it


class TestRecords:
    def test_alias_with_dualstack_upper_case_and_dot(self, world: World) -> None:
        world.record(FQDN, host="dualstack." + world.balancers["shop"].dns_name.upper() + ".")
        world.record(FQDN, kind="AAAA", host="dualstack." + world.balancers["shop"].dns_name)
        system = world.system()
        assert system["serving"] == "source"
        assert [(record["record_set"]["Type"], record["side"], record["zone_id"]) for record in system["records"]] == [
            ("A", "source", world.zone),
            ("AAAA", "source", world.zone),
        ]

    def test_every_other_name_that_leads_to_it(self, world: World) -> None:
        world.record("www.example.test", kind="CNAME", values=[world.balancers["shop"].dns_name])
        world.record("mail.example.test", values=["192.0.2.1"])
        found = [(record["record_set"]["Name"], record["record_set"]["Type"]) for record in world.system()["records"]]
        assert sorted(found) == [(FQDN + ".", "A"), ("www.example.test.", "CNAME")]

    def test_fqdn_over_another_name_of_the_zone(self, world: World) -> None:
        world.record("www.example.test", kind="CNAME", values=[FQDN])
        assert world.system(fqdn="WWW.example.test.")["serving"] == "source"

    def test_private_zone_of_the_same_name(self, world: World) -> None:
        zone = world.client("route53").create_hosted_zone(
            Name="example.test", CallerReference="private", VPC={"VPCRegion": REGION, "VPCId": world.vpc}, HostedZoneConfig={"PrivateZone": True}
        )["HostedZone"]["Id"].rpartition("/")[2]
        world.record(FQDN, zone=zone, host=world.balancers["shop"].dns_name)
        records = world.system()["records"]
        assert {(record["zone_id"], record["private_zone"]) for record in records} == {(world.zone, False), (zone, True)}

    def test_private_zone_that_leads_elsewhere_is_left_alone(self, world: World) -> None:
        zone = world.client("route53").create_hosted_zone(
            Name=FQDN, CallerReference="private", VPC={"VPCRegion": REGION, "VPCId": world.vpc}, HostedZoneConfig={"PrivateZone": True}
        )["HostedZone"]["Id"].rpartition("/")[2]
        world.record(FQDN, zone=zone, values=["10.20.0.9"])
        system = world.system()
        assert problems(system) == ["record-elsewhere"]
        assert system["serving"] == "source"

    def test_weighted_records_point_to_both_sides(self, world: World) -> None:
        target = world.target()
        world.unrecord(FQDN)
        for identifier, host in (("old", world.balancers["shop"].dns_name), ("new", target.dns_name)):
            world.record(FQDN, host=host, SetIdentifier=identifier, Weight=50)
        system = world.system()
        assert system["serving"] == "mixed"
        assert sorted(record["side"] for record in system["records"]) == ["source", "target"]

    def test_weight_zero_serves_nobody(self, world: World) -> None:
        target = world.target()
        world.unrecord(FQDN)
        world.record(FQDN, host=world.balancers["shop"].dns_name, SetIdentifier="old", Weight=100)
        world.record(FQDN, host=target.dns_name, SetIdentifier="new", Weight=0)
        system = world.system()
        assert system["serving"] == "source"
        assert sorted(record["side"] for record in system["records"]) == ["source", "target"]

    def test_wildcard(self, world: World) -> None:
        world.unrecord(FQDN)
        world.record("*.example.test", host=world.balancers["shop"].dns_name)
        system = world.system()
        assert (system["serving"], problems(system)) == ("source", ["wildcard-record"])


class TestTarget:
    def test_is_found_by_its_name(self, world: World) -> None:
        world.target()
        system = world.system()
        assert system["serving"] == "source"
        assert system["target"]["load_balancer"]["LoadBalancerName"] == "shop-fargate"
        assert names(system["target"]["services"], "serviceName") == ["web"]
        assert names(system["target"]["security_groups"]["tasks"], "GroupName") == ["shop-tasks"]
        assert set(system["target"]) == SIDE

    def test_is_found_by_the_fqdn_and_names_the_source(self, world: World) -> None:
        world.record(FQDN, host=world.target().dns_name)
        system = world.system(names={"load_balancer": "something-else"})
        assert system["serving"] == "target"
        assert system["source"]["load_balancer"]["LoadBalancerName"] == "shop"
        assert system["target"]["load_balancer"]["LoadBalancerName"] == "shop-fargate"

    def test_with_the_source_gone(self, world: World) -> None:
        world.record(FQDN, host=world.target().dns_name)
        world.client("elbv2").delete_load_balancer(LoadBalancerArn=world.balancers["shop"].arn)
        system = world.system()
        assert (system["source"], system["shared"], system["serving"]) == (None, [], "target")
        assert names(system["target"]["services"], "serviceName") == ["web"]

    def test_with_the_services_of_the_source_gone(self, world: World) -> None:
        world.record(FQDN, host=world.target().dns_name)
        world.client("elbv2").add_tags(ResourceArns=[world.balancers["shop-fargate"].arn], Tags=[{"Key": "cutover:source-cluster", "Value": "shop"}])
        for name in ("web", "worker"):
            world.client("ecs").delete_service(cluster="shop", service=name, force=True)
        system = world.system()
        assert (system["source"]["services"], system["source"]["cluster"]["clusterName"]) == ([], "shop")
        assert len(system["source"]["capacity"]["auto_scaling_groups"]) == 1
        assert "no-service" in problems(system)

    def test_without_a_service_yet(self, world: World) -> None:
        world.target()
        world.client("ecs").delete_service(cluster="shop-fargate", service="web", force=True)
        system = world.system()
        assert (system["target"]["services"], system["target"]["cluster"]["clusterName"]) == ([], "shop-fargate")

    def test_name_that_is_taken(self, world: World) -> None:
        world.balancer("shop-fargate", "foreign")
        system = world.system()
        assert (system["target"], problems(system)) == (None, ["target-name-taken"])


class TestAtZero:
    def scale_in(self, world: World) -> None:
        scaling, ecs, elbv2 = world.client("autoscaling"), world.client("ecs"), world.client("elbv2")
        for instance in ecs.list_container_instances(cluster="shop")["containerInstanceArns"]:
            ecs.deregister_container_instance(cluster="shop", containerInstance=instance, force=True)
        group = world.balancers["shop"].group
        targets = [health["Target"] for health in elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]]
        elbv2.deregister_targets(TargetGroupArn=group, Targets=targets)
        scaling.update_auto_scaling_group(AutoScalingGroupName="shop", MinSize=0, DesiredCapacity=0)

    def remember(self, world: World) -> None:
        world.client("autoscaling").create_or_update_tags(
            Tags=[{"ResourceId": "shop", "ResourceType": "auto-scaling-group", "Key": "cutover:capacity", "Value": "min=1,desired=2", "PropagateAtLaunch": False}]
        )

    def test_group_is_found_by_our_tag(self, world: World) -> None:
        self.scale_in(world)
        self.remember(world)
        capacity = world.system()["source"]["capacity"]
        assert names(capacity["auto_scaling_groups"], "AutoScalingGroupName") == ["shop"]
        assert capacity["auto_scaling_groups"][0]["Tags"]["cutover:capacity"] == "min=1,desired=2"
        assert capacity["architectures"] == ["x86_64"]

    def test_group_is_found_by_user_data(self, world: World) -> None:
        self.scale_in(world)
        source = world.system()["source"]
        assert names(source["capacity"]["auto_scaling_groups"], "AutoScalingGroupName") == ["shop"]
        assert names(source["security_groups"]["tasks"], "GroupName") == ["shop-instances"]

    def test_group_is_found_by_the_capacity_provider_of_the_cluster(self, world: World) -> None:
        self.scale_in(world)
        world.client("ec2").create_launch_template_version(LaunchTemplateName="shop", LaunchTemplateData={"InstanceType": "t3.small"})
        (group,) = world.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["shop"])["AutoScalingGroups"]
        ecs = world.client("ecs")
        ecs.create_capacity_provider(name="on-ec2", autoScalingGroupProvider={"autoScalingGroupArn": group["AutoScalingGroupARN"]}, tags=[{"key": "Team", "value": "web"}])
        ecs.put_cluster_capacity_providers(cluster="shop", capacityProviders=["on-ec2", "FARGATE"], defaultCapacityProviderStrategy=[])
        system = world.system()
        capacity = system["source"]["capacity"]
        assert (names(capacity["auto_scaling_groups"], "AutoScalingGroupName"), problems(system)) == (["shop"], [])
        assert [(provider["name"], provider["Tags"]) for provider in capacity["capacity_providers"]] == [("on-ec2", {"Team": "web"})]

    def test_group_with_a_mixture_of_instances(self, world: World) -> None:
        self.scale_in(world)
        template = {"LaunchTemplateSpecification": {"LaunchTemplateName": "shop", "Version": "$Latest"}, "Overrides": [{"InstanceType": "m5.large"}]}
        scaling = world.client("autoscaling")
        scaling.delete_auto_scaling_group(AutoScalingGroupName="shop", ForceDelete=True)
        scaling.create_auto_scaling_group(
            AutoScalingGroupName="mixed", MinSize=0, MaxSize=4, VPCZoneIdentifier=",".join(world.subnets), MixedInstancesPolicy={"LaunchTemplate": template}
        )
        (group,) = world.system()["source"]["capacity"]["auto_scaling_groups"]
        assert (group["AutoScalingGroupName"], group["LaunchTemplate"]["LaunchTemplateData"]["InstanceType"]) == ("mixed", "t3.small")

    def test_group_with_a_launch_configuration(self, world: World) -> None:
        """It tells what a launch template would, under the same names."""
        self.scale_in(world)
        scaling = world.client("autoscaling")
        scaling.delete_auto_scaling_group(AutoScalingGroupName="shop", ForceDelete=True)
        scaling.create_launch_configuration(
            LaunchConfigurationName="old", ImageId="ami-1", InstanceType="t2.small", UserData="echo ECS_CLUSTER=shop", SecurityGroups=[world.groups["instances"]],
            IamInstanceProfile="ecs",
        )  # fmt: skip
        scaling.create_auto_scaling_group(AutoScalingGroupName="old", MinSize=0, MaxSize=4, VPCZoneIdentifier=",".join(world.subnets), LaunchConfigurationName="old")
        source = world.system()["source"]
        (group,) = source["capacity"]["auto_scaling_groups"]
        data = group["LaunchTemplate"]["LaunchTemplateData"]
        assert (group["LaunchTemplate"]["LaunchConfigurationName"], data["InstanceType"], data["IamInstanceProfile"]) == ("old", "t2.small", {"Name": "ecs"})
        assert names(source["security_groups"]["tasks"], "GroupName") == ["shop-instances"]

    def test_tagged_group_of_another_cluster_is_not_taken(self, world: World) -> None:
        self.scale_in(world)
        self.remember(world)
        world.client("ec2").create_launch_template_version(LaunchTemplateName="shop", LaunchTemplateData={"UserData": "RUNTX0NMVVNURVI9b3RoZXI="})
        system = world.system()
        assert (system["source"]["capacity"]["auto_scaling_groups"], problems(system)) == ([], ["capacity-unknown"])

    def test_tagged_group_that_does_not_say_is_taken_and_told(self, world: World) -> None:
        self.scale_in(world)
        self.remember(world)
        world.client("ec2").create_launch_template_version(LaunchTemplateName="shop", LaunchTemplateData={"InstanceType": "t3.small"})
        system = world.system()
        assert names(system["source"]["capacity"]["auto_scaling_groups"], "AutoScalingGroupName") == ["shop"]
        assert problems(system) == ["capacity-assumed"]


class TestBroken:
    def test_task_definition_is_gone(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        def gone(*_arguments: object) -> None:
            raise TaskDefinitionNotFoundException

        monkeypatch.setattr(EC2ContainerServiceBackend, "describe_task_definition", gone)
        system = world.system()
        assert [service["TaskDefinition"] for service in system["source"]["services"]] == [None, None]
        assert problems(system) == ["task-definition-missing", "task-definition-missing"]
        assert system["problems"][0]["path"] == "source.services[web].TaskDefinition"
        assert "FG-NO-TASK-DEFINITION" in stops(system)

    def test_target_group_without_service(self, world: World) -> None:
        world.rule(world.balancers["shop"], 10, FQDN, world.target_group("orphan"))
        assert problems(world.system()) == ["target-group-without-service"]

    def test_log_group_image_and_repository_are_gone(self, world: World) -> None:
        world.client("logs").delete_log_group(logGroupName="/ecs/shop/web")
        world.client("ecr").delete_repository(repositoryName="shop/nginx", force=True)
        assert problems(world.system()) == ["log-group-missing", "image-missing", "repository-missing"]

    def test_load_balancer_without_listener(self, world: World) -> None:
        world.target()
        world.client("elbv2").delete_listener(ListenerArn=world.balancers["shop"].listener)
        system = world.system()
        assert "load-balancer-without-listener" in problems(system)
        assert "FG-NO-LISTENER" in stops(system)


class TestShared:
    def test_rule_for_another_host_leads_to_another_service(self, world: World) -> None:
        group = world.target_group("admin")
        world.rule(world.balancers["shop"], 10, "admin.example.test", group)
        world.service("shop", "admin", group)
        (shared,) = world.system()["shared"]
        assert (shared["kind"], shared["name"], shared["used_by"]) == ("listener_rule", "HTTP:80 priority 10 (admin.example.test)", ["admin"])
        assert world.system(services=["web", "worker", "admin"])["shared"] == []

    def test_rule_for_another_host_leads_to_the_same_service(self, world: World) -> None:
        world.rule(world.balancers["shop"], 10, "www.example.test", world.balancers["shop"].group)
        assert world.system()["shared"] == []

    def test_target_group_of_another_cluster(self, world: World) -> None:
        group = world.target_group("blog")
        world.rule(world.balancers["shop"], 10, "blog.example.test", group)
        world.client("elbv2").register_targets(TargetGroupArn=group, Targets=[{"Id": "i-0123456789abcdef0"}])
        world.client("ecs").create_cluster(clusterName="blog")
        world.service("blog", "wordpress", group)
        (shared,) = world.system()["shared"]
        assert (shared["kind"], shared["id"], shared["used_by"]) == ("target_group", group, ["service wordpress of cluster blog"])

    def test_service_of_another_cluster_without_a_running_task(self, world: World) -> None:
        """In the group that the system's own service registers in: nothing but that service's definition tells."""
        group = world.balancers["shop"].group
        world.client("ecs").create_cluster(clusterName="blog")
        world.service("blog", "wordpress", group, desiredCount=0)
        system = world.system()
        (shared,) = system["shared"]
        assert (shared["kind"], shared["id"], shared["used_by"]) == ("target_group", group, ["service wordpress of cluster blog"])
        assert (system["source"]["cluster"]["clusterName"], problems(system)) == ("shop", [])

    def test_service_of_another_cluster_with_a_group_of_its_own(self, world: World) -> None:
        world.client("ecs").create_cluster(clusterName="blog")
        world.service("blog", "wordpress", world.target_group("blog"))
        assert world.system()["shared"] == []

    def test_small_clusters_are_looked_into_before_large_ones(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(other_clusters, "DESCRIPTIONS", 3)
        ecs = world.client("ecs")
        for name, count in (("a-large-one", 21), ("middle", 11), ("small", 1)):
            ecs.create_cluster(clusterName=name)
            for index in range(count):
                world.service(name, f"wordpress-{index}", world.balancers["shop"].group if index == 0 else None, desiredCount=0)
        system = world.system()
        assert system["shared"][0]["used_by"] == ["service wordpress-0 of cluster middle", "service wordpress-0 of cluster small"]
        assert problems(system) == ["clusters-unread"]
        assert system["problems"][0]["message"] == "The services of 1 other clusters were not looked at: a-large-one."

    def test_instances_of_others_in_the_systems_own_group(self, world: World) -> None:
        """However many clusters the account has, their instances show in the group."""
        image = world.client("ec2").describe_images(Owners=["self"])["Images"][0]["ImageId"]
        made = world.client("ec2").run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=world.subnets[0])["Instances"][0]["InstanceId"]
        world.client("elbv2").register_targets(TargetGroupArn=world.balancers["shop"].group, Targets=[{"Id": made, "Port": 80}])
        (shared,) = world.system()["shared"]
        assert (shared["kind"], shared["used_by"]) == ("target_group", [f"1 registered instances that are not of the cluster: {made}"])

    def test_targets_that_ecs_does_not_manage(self, world: World) -> None:
        group = world.target_group("legacy")
        world.rule(world.balancers["shop"], 10, "old.example.test", group)
        world.client("elbv2").register_targets(TargetGroupArn=group, Targets=[{"Id": "i-0123456789abcdef0"}])
        (shared,) = world.system()["shared"]
        assert shared["used_by"] == ["1 registered targets that no ECS service manages"]


@pytest.mark.parametrize(
    "service",
    [
        {"loadBalancers": [{"targetGroupArn": "blue", "advancedConfiguration": {"alternateTargetGroupArn": "green"}}]},
        {"loadBalancers": [], "taskSets": [{"loadBalancers": [{"targetGroupArn": "blue"}]}, {"loadBalancers": [{"targetGroupArn": "green"}]}]},
    ],
    ids=["blue/green of ECS", "task sets"],
)
def test_groups_that_a_service_uses_in_turns(service: dict[str, t.Any]) -> None:
    assert groups_of(service) == ["blue", "green"]


@pytest.mark.parametrize(("sides", "told"), [([], "none"), (["source", "source"], "source"), (["target"], "target"), (["source", "target"], "mixed"), ([""], "none")])
def test_serving(sides: list[str], told: str) -> None:
    assert serving(sides) == told
