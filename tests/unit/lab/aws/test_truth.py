"""What DescribeX must tell truthfully, where moto doesn't."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lab.aws import targets, tasks
from lab.aws.observed import Health, Metrics
from lab.aws.operations import cloudwatch, ecs_services
from lab.aws.operations.logs import Pattern
from lab.aws.server import DnsAnswer

from .test_refusals_services import Stage, stage

__all__ = ["stage"]


# -- ECS --------------------------------------------------------------------------------------------------------------------------------------


def test_service_keeps_what_it_was_given(stage: Stage) -> None:
    given = {
        "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}, "minimumHealthyPercent": 50, "maximumPercent": 150},
        "healthCheckGracePeriodSeconds": 60,
        "enableExecuteCommand": True,
        "propagateTags": "SERVICE",
        "enableECSManagedTags": True,
        "availabilityZoneRebalancing": "DISABLED",
        "platformVersion": "LATEST",
    }
    stage.ecs.create_service(**stage.service(**given, tags=[{"key": "a", "value": "b"}]))
    shown = stage.ecs.describe_services(cluster=stage.cluster, services=["web"], include=["TAGS"])["services"][0]
    expected = given["deploymentConfiguration"]
    assert {key: shown["deploymentConfiguration"][key] for key in expected} == expected
    assert all(shown[key] == value for key, value in given.items() if key != "deploymentConfiguration")
    assert shown["tags"] == [{"key": "a", "value": "b"}]
    assert shown["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"
    assert "tags" not in stage.ecs.describe_services(cluster=stage.cluster, services=["web"])["services"][0]


def test_nothing_runs_by_itself(stage: Stage) -> None:
    stage.ecs.create_service(**stage.service(desiredCount=2))
    stage.ecs.update_service(cluster=stage.cluster, service="web", desiredCount=3)
    shown = stage.ecs.describe_services(cluster=stage.cluster, services=["web"])["services"][0]
    assert (shown["desiredCount"], shown["runningCount"], shown["pendingCount"]) == (3, 0, 0)
    assert [(item["status"], item["rolloutState"], item["desiredCount"]) for item in shown["deployments"]] == [("PRIMARY", "IN_PROGRESS", 3)]


@pytest.mark.parametrize(
    ("change", "deployments"),
    [
        ({"desiredCount": 4}, 1),
        ({"healthCheckGracePeriodSeconds": 9}, 1),
        ({"enableExecuteCommand": True}, 1),
        ({"deploymentConfiguration": {"maximumPercent": 150}}, 1),
        ({"forceNewDeployment": True}, 2),
        ({"platformVersion": "1.4.0"}, 2),
    ],
)
def test_what_starts_a_deployment(stage: Stage, change: dict[str, Any], deployments: int) -> None:
    stage.ecs.create_service(**stage.service())
    shown = stage.ecs.update_service(cluster=stage.cluster, service="web", **change)["service"]
    assert len(shown["deployments"]) == deployments


def test_new_definition_is_a_new_primary_and_the_same_one_is_not(stage: Stage) -> None:
    first = stage.ecs.create_service(**stage.service())["service"]["deployments"][0]["id"]
    definition = stage.ecs.describe_task_definition(taskDefinition=stage.fargate)["taskDefinition"]
    members = ("family", "containerDefinitions", "requiresCompatibilities", "networkMode", "cpu", "memory")
    second = stage.ecs.register_task_definition(**{key: definition[key] for key in members})["taskDefinition"]["taskDefinitionArn"]
    update = {"cluster": stage.cluster, "service": "web", "taskDefinition": stage.fargate}
    for _ in range(2):
        shown = stage.ecs.update_service(**update)["service"]
        assert [item["status"] for item in shown["deployments"]] == ["PRIMARY", "ACTIVE"]
        assert shown["deployments"][1]["id"] == first
        assert shown["taskDefinition"] == shown["deployments"][0]["taskDefinition"] == second


def test_definition_comes_back_whole(client, name: str) -> None:
    container = {"name": "a", "image": "i", "memory": 64, "links": ["b:c"], "extraHosts": [{"hostname": "h", "ipAddress": "10.0.0.1"}]}
    given = {"family": name, "containerDefinitions": [container, {"name": "b", "image": "i", "memory": 64}], "volumes": [{"name": "v"}], "pidMode": "task"}
    client("ecs").register_task_definition(**given)
    shown = client("ecs").describe_task_definition(taskDefinition=name)["taskDefinition"]
    assert {key: shown["containerDefinitions"][0][key] for key in container} == container
    assert shown["pidMode"] == "task"
    assert "networkMode" not in shown


def test_tasks_are_found_by_every_filter_and_do_not_move_when_seen(aws, stage: Stage) -> None:
    stage.ecs.create_service(**stage.service())
    backend = aws.backend("ecs")
    with aws.lock:
        service = backend.services[f"{stage.cluster}:web"]
        definition = backend.task_definitions[stage.fargate][1]
        launch = tasks.Launch("service:web", service.deployments[0]["id"], "FARGATE", network_configuration=service.network_configuration)
        task = tasks.create(aws, backend.clusters[stage.cluster], definition, launch)
    shown = stage.ecs.describe_tasks(cluster=stage.cluster, tasks=[task.task_arn, "absent"])
    assert shown["failures"][0]["reason"] == "MISSING"
    for _ in range(3):
        assert stage.ecs.describe_tasks(cluster=stage.cluster, tasks=[task.id])["tasks"][0]["lastStatus"] == "PROVISIONING"
    found = stage.ecs.list_tasks
    assert found(cluster=stage.cluster, serviceName="web")["taskArns"] == [task.task_arn]
    assert found(cluster=stage.cluster, serviceName="other")["taskArns"] == []
    assert found(cluster=stage.cluster, family=stage.fargate, startedBy=launch.started_by)["taskArns"] == [task.task_arn]
    task.desired_status = "STOPPED"
    assert found(cluster=stage.cluster, serviceName="web")["taskArns"] == []
    assert found(cluster=stage.cluster, desiredStatus="STOPPED")["taskArns"] == [task.task_arn]


def test_task_interface_lies_in_its_subnet_and_goes_with_it(aws, stage: Stage, client) -> None:
    network = stage.network
    task = stage.ecs.run_task(cluster=stage.cluster, taskDefinition=stage.fargate, launchType="FARGATE", networkConfiguration=network)["tasks"][0]
    details = {item["name"]: item["value"] for item in task["attachments"][0]["details"]}
    interface = {"NetworkInterfaceIds": [details["networkInterfaceId"]]}
    seen = client("ec2").describe_network_interfaces(**interface)["NetworkInterfaces"][0]
    assert seen["PrivateIpAddress"] == details["privateIPv4Address"]
    assert seen["PrivateIpAddress"].startswith("10.9.0.")
    assert [group["GroupId"] for group in seen["Groups"]] == [stage.vpc.group]
    assert task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] == details["privateIPv4Address"]
    with aws.lock:
        tasks.release(aws, aws.backend("ecs").tasks[stage.cluster][task["taskArn"]])
    assert client("ec2").describe_network_interfaces(Filters=[{"Name": "private-ip-address", "Values": [details["privateIPv4Address"]]}])["NetworkInterfaces"] == []


def test_container_instances_count_their_tasks(aws, stage: Stage, client, refuse) -> None:
    assert stage.ecs.list_container_instances(cluster=stage.cluster)["containerInstanceArns"] == []
    run = {"cluster": stage.cluster, "taskDefinition": stage.bridge}
    assert refuse(stage.ecs.run_task, **run)[1] == "No Container Instances were found in your cluster."
    image = {"ImageId": "ami-0b902854788f84e0e", "InstanceType": "t3.medium"}
    instance = client("ec2").run_instances(MinCount=1, MaxCount=1, SubnetId=stage.vpc.subnets[0], **image)["Instances"][0]["InstanceId"]
    backend = aws.backend("ecs")
    registered = backend.register_container_instance(stage.cluster, instance)
    launch = tasks.Launch("service:web", container_instance=registered)
    task = tasks.create(aws, backend.clusters[stage.cluster], backend.task_definitions[stage.bridge][1], launch)
    task.last_status = "RUNNING"
    shown = stage.ecs.describe_container_instances(cluster=stage.cluster, containerInstances=[registered.container_instance_arn, "absent"])
    assert [(item["ec2InstanceId"], item["runningTasksCount"]) for item in shown["containerInstances"]] == [(instance, 1)]
    assert {"name": "ecs.instance-type", "value": "t3.medium"} in shown["containerInstances"][0]["attributes"]
    assert len(shown["failures"]) == 1
    assert stage.ecs.run_task(**run)["tasks"][0]["launchType"] == "EC2"


def test_tags_of_everything_in_ecs(stage: Stage) -> None:
    service = stage.ecs.create_service(**stage.service())["service"]
    cluster = stage.ecs.describe_clusters(clusters=[stage.cluster])["clusters"][0]["clusterArn"]
    for arn in (service["serviceArn"], cluster, service["taskDefinition"]):
        stage.ecs.tag_resource(resourceArn=arn, tags=[{"key": "cutover:system", "value": "shop"}])
        assert stage.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "cutover:system", "value": "shop"}]
        stage.ecs.untag_resource(resourceArn=arn, tagKeys=["cutover:system"])
        assert stage.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == []


def test_stopped_task_says_who_stopped_it(stage: Stage) -> None:
    run = {"cluster": stage.cluster, "taskDefinition": stage.fargate, "launchType": "FARGATE", "networkConfiguration": stage.network}
    task = stage.ecs.run_task(**run)["tasks"][0]["taskArn"]
    stopped = stage.ecs.stop_task(cluster=stage.cluster, task=task, reason="enough")["task"]
    assert (stopped["desiredStatus"], stopped["stopCode"], stopped["stoppedReason"]) == ("STOPPED", "UserInitiated", "enough")
    assert stopped["lastStatus"] == "PROVISIONING"


def test_service_drains_while_tasks_are_left(aws, stage: Stage) -> None:
    stage.ecs.create_service(**stage.service())
    backend = aws.backend("ecs")
    service = backend.services[f"{stage.cluster}:web"]
    launch = tasks.Launch("service:web", "x", "FARGATE", network_configuration=service.network_configuration)
    task = tasks.create(aws, backend.clusters[stage.cluster], backend.task_definitions[stage.fargate][1], launch)
    assert stage.ecs.delete_service(cluster=stage.cluster, service="web", force=True)["service"]["status"] == "DRAINING"
    task.last_status = "STOPPED"
    ecs_services.retire(service)
    assert stage.ecs.describe_services(cluster=stage.cluster, services=["web"])["services"][0]["status"] == "INACTIVE"
    stage.ecs.create_service(**stage.service())


def test_events_are_newest_first_and_bounded(aws, stage: Stage) -> None:
    stage.ecs.create_service(**stage.service())
    service = aws.backend("ecs").services[f"{stage.cluster}:web"]
    for number in range(105):
        ecs_services.add_event(aws, service, f"event {number}.")
    shown = stage.ecs.describe_services(cluster=stage.cluster, services=["web"])["services"][0]["events"]
    assert len(shown) == 100
    assert shown[0]["message"] == "(service web) event 104."


def test_lists_come_in_pages(stage: Stage) -> None:
    for number in range(12):
        stage.ecs.create_service(**stage.service(serviceName=f"s{number}", loadBalancers=None))
    first = stage.ecs.list_services(cluster=stage.cluster)
    assert len(first["serviceArns"]) == 10
    assert len(stage.ecs.list_services(cluster=stage.cluster, nextToken=first["nextToken"])["serviceArns"]) == 2


def test_cluster_members_and_settings(client, name: str) -> None:
    ecs = client("ecs")
    ecs.create_cluster(clusterName=name)
    ecs.update_cluster_settings(cluster=name, settings=[{"name": "containerInsights", "value": "enabled"}])
    shown = ecs.describe_clusters(clusters=[name], include=["SETTINGS"])["clusters"][0]
    assert shown["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    assert shown["capacityProviders"] == shown["defaultCapacityProviderStrategy"] == []


# -- Elastic Load Balancing -------------------------------------------------------------------------------------------------------------------


def test_load_balancer_attributes_and_state(aws, client, vpc, name: str) -> None:
    elb = client("elbv2")
    made = elb.create_load_balancer(Name=name, Subnets=vpc.subnets)["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]
    attributes = {item["Key"]: item["Value"] for item in elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]}
    assert len(attributes) >= 20
    assert attributes["client_keep_alive.seconds"] == "3600"
    assert made["CanonicalHostedZoneId"] == "Z32O12XQLNTSW2"
    states = [elb.describe_load_balancers(Names=[name])["LoadBalancers"][0]["State"]["Code"]]
    aws.observed.load_balancer_state[arn] = "active"
    states.append(elb.describe_load_balancers(Names=[name])["LoadBalancers"][0]["State"]["Code"])
    assert states == ["provisioning", "active"]


def test_health_is_what_the_data_plane_saw(aws, stage: Stage) -> None:
    arn = stage.ip_group
    group = aws.backend("elbv2").target_groups[arn]
    shown = stage.elb.describe_target_health

    def states() -> dict[int, str]:
        return {item["Target"]["Port"]: item["TargetHealth"]["State"] for item in shown(TargetGroupArn=arn)["TargetHealthDescriptions"]}

    stage.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.9.0.4", "Port": port} for port in (80, 81)])
    assert states() == {80: "initial", 81: "initial"}
    aws.observed.target_health[arn, "10.9.0.4", 80] = Health("healthy")
    aws.observed.target_health[arn, "10.9.0.4", 81] = Health("unhealthy", "Target.Timeout", "Request timed out")
    assert states() == {80: "healthy", 81: "unhealthy"}
    stage.elb.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": "10.9.0.4", "Port": 81}])
    assert states() == {80: "healthy", 81: "draining"}
    assert targets.registered(group) == [("10.9.0.4", 80)]
    del aws.observed.target_health[arn, "10.9.0.4", 81]
    assert states() == {80: "healthy"}
    asked = shown(TargetGroupArn=arn, Targets=[{"Id": "10.9.0.9"}])["TargetHealthDescriptions"][0]["TargetHealth"]
    assert asked["Reason"] == "Target.NotRegistered"


def test_targets_of_a_loose_group_are_unused(stage: Stage) -> None:
    stage.elb.register_targets(TargetGroupArn=stage.loose_group, Targets=[{"Id": "10.9.0.4", "Port": 80}])
    health = stage.elb.describe_target_health(TargetGroupArn=stage.loose_group)["TargetHealthDescriptions"][0]["TargetHealth"]
    assert (health["State"], health["Reason"]) == ("unused", "Target.NotInUse")


def test_listener_attributes(stage: Stage) -> None:
    balancer = stage.elb.describe_target_groups(TargetGroupArns=[stage.ip_group])["TargetGroups"][0]["LoadBalancerArns"][0]
    listener = stage.elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]["ListenerArn"]
    key = "routing.http.response.server.enabled"
    stage.elb.modify_listener_attributes(ListenerArn=listener, Attributes=[{"Key": key, "Value": "false"}])
    shown = {item["Key"]: item["Value"] for item in stage.elb.describe_listener_attributes(ListenerArn=listener)["Attributes"]}
    assert shown[key] == "false"
    assert len(shown) == 11


# -- the rest ---------------------------------------------------------------------------------------------------------------------------------


def test_dns_answers_come_from_the_name_server(aws, client, name: str, refuse) -> None:
    zone = client("route53").create_hosted_zone(Name=f"{name}.test", CallerReference=name)["HostedZone"]["Id"]
    question = {"HostedZoneId": zone, "RecordName": f"Shop.{name}.test", "RecordType": "A"}
    aws.answer_dns = None
    assert refuse(client("route53").test_dns_answer, **question)[0] == "ServiceUnavailable"
    asked: list[tuple[str, str, str]] = []
    aws.answer_dns = lambda *key: (asked.append(key), DnsAnswer("NOERROR", ("10.0.0.1",)))[1]
    assert client("route53").test_dns_answer(**question)["RecordData"] == ["10.0.0.1"]
    assert asked == [(zone.rsplit("/", 1)[-1], f"shop.{name}.test.", "A")]


def test_rules_with_tags_and_descriptions(client, vpc) -> None:
    ec2 = client("ec2")
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": vpc.group, "Description": "itself"}]}
    tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "cutover:system", "Value": vpc.id}]}]
    made = ec2.authorize_security_group_ingress(GroupId=vpc.group, IpPermissions=[rule], TagSpecifications=tags)["SecurityGroupRules"]
    assert len(made) == 1
    found = ec2.describe_security_group_rules(Filters=[{"Name": "tag:cutover:system", "Values": [vpc.id]}])["SecurityGroupRules"]
    assert [(item["SecurityGroupRuleId"], item["Description"]) for item in found] == [(made[0]["SecurityGroupRuleId"], "itself")]
    ec2.revoke_security_group_ingress(GroupId=vpc.group, SecurityGroupRuleIds=[made[0]["SecurityGroupRuleId"]])
    assert ec2.describe_security_group_rules(Filters=[{"Name": "tag:cutover:system", "Values": [vpc.id]}])["SecurityGroupRules"] == []


NOW = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
METRIC = {"Namespace": "N", "MetricName": "M", "Dimensions": [{"Name": "d", "Value": "v"}]}


def measured(*values: float) -> Metrics:
    """One value a minute, the last one in the last whole minute."""
    metrics = Metrics()
    for age, value in enumerate(reversed(values), start=1):
        metrics.put("N", "M", {"d": "v"}, value, "Count", NOW - timedelta(minutes=age))
    return metrics


@pytest.mark.parametrize(
    ("values", "missing", "state"),
    [
        ((), "missing", "INSUFFICIENT_DATA"),
        ((), "breaching", "ALARM"),
        ((), "notBreaching", "OK"),
        ((2, 2), "missing", "OK"),
        ((2, 1), "missing", "OK"),
        ((1, 1), "missing", "ALARM"),
        ((1,), "breaching", "ALARM"),
    ],
)
def test_alarm_states(values: tuple[float, ...], missing: str, state: str) -> None:
    alarm = {
        **METRIC,
        "Period": 60,
        "EvaluationPeriods": 2,
        "Statistic": "Minimum",
        "Threshold": 2,
        "ComparisonOperator": "LessThanThreshold",
        "TreatMissingData": missing,
    }
    assert cloudwatch.state(measured(*values), alarm, NOW) == state


def test_metric_data_by_whole_periods(aws, client, name: str) -> None:
    start = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
    for second, value in ((1, 1.0), (2, 3.0), (61, 10.0)):
        aws.observed.metrics.put(name, "RequestCount", {"LoadBalancer": "app/x"}, value, "Count", start + timedelta(seconds=second))
    stat = {"Metric": {"Namespace": name, "MetricName": "RequestCount", "Dimensions": [{"Name": "LoadBalancer", "Value": "app/x"}]}, "Period": 60, "Stat": "Sum"}
    window = {"StartTime": start, "EndTime": start + timedelta(minutes=5)}
    data = client("cloudwatch").get_metric_data(MetricDataQueries=[{"Id": "a", "MetricStat": stat}], ScanBy="TimestampAscending", **window)
    assert data["MetricDataResults"][0]["Values"] == [4.0, 10.0]
    points = client("cloudwatch").get_metric_statistics(**stat["Metric"], Period=60, Statistics=["Maximum", "SampleCount"], **window)["Datapoints"]
    assert [(point["Maximum"], point["SampleCount"]) for point in points] == [(3.0, 2.0), (10.0, 1.0)]


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ("", ["GET /health 200", "GET / 500", "host not found in upstream"]),
        ("GET", ["GET /health 200", "GET / 500"]),
        ('"GET /" 500', ["GET / 500"]),
        ("GET -health", ["GET / 500"]),
        ('?500 ?"not found"', ["GET / 500", "host not found in upstream"]),
        ('-"GET"', ["host not found in upstream"]),
    ],
)
def test_filter_patterns(pattern: str, matching: list[str]) -> None:
    messages = ["GET /health 200", "GET / 500", "host not found in upstream"]
    assert [message for message in messages if Pattern(pattern).matches(message)] == matching


def test_filtered_events_by_time_stream_and_page(client, name: str) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName=name)
    base = int(datetime.now(UTC).timestamp() * 1000)
    for stream in ("web/nginx/1", "worker/x/2"):
        logs.create_log_stream(logGroupName=name, logStreamName=stream)
        events = [{"timestamp": base + number, "message": f"{stream} {number}"} for number in range(3)]
        logs.put_log_events(logGroupName=name, logStreamName=stream, logEvents=events)
    first = logs.filter_log_events(logGroupName=name, logStreamNamePrefix="web/", startTime=base + 1, limit=1)
    assert [event["message"] for event in first["events"]] == ["web/nginx/1 1"]
    rest = logs.filter_log_events(logGroupName=name, logStreamNamePrefix="web/", startTime=base + 1, limit=1, nextToken=first["nextToken"])
    assert [event["message"] for event in rest["events"]] == ["web/nginx/1 2"]
    assert len(logs.filter_log_events(logGroupName=name)["events"]) == 6


# -- Application Auto Scaling -----------------------------------------------------------------------------------------------------------------


def test_policies_and_their_alarms_go_with_the_scalable_target(stage: Stage, client: Any) -> None:
    stage.ecs.create_service(**stage.service())
    scaling, alarms = client("application-autoscaling"), client("cloudwatch")
    target = {"ServiceNamespace": "ecs", "ResourceId": f"service/{stage.cluster}/web", "ScalableDimension": "ecs:service:DesiredCount"}
    before = {each["AlarmName"] for each in alarms.describe_alarms()["MetricAlarms"]}
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2)
    tracking = {"TargetValue": 50.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}}
    scaling.put_scaling_policy(**target, PolicyName="cpu", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=tracking)
    scaling.put_scheduled_action(**target, ScheduledActionName="night", Schedule="cron(0 1 * * ? *)", ScalableTargetAction={"MinCapacity": 1})
    assert len(alarms.describe_alarms()["MetricAlarms"]) > len(before)
    scaling.deregister_scalable_target(**target)
    assert {each["AlarmName"] for each in alarms.describe_alarms()["MetricAlarms"]} == before
    of_target = {key: target[key] for key in ("ServiceNamespace", "ResourceId")}
    assert scaling.describe_scaling_policies(**of_target)["ScalingPolicies"] == []
    assert scaling.describe_scheduled_actions(**of_target)["ScheduledActions"] == []
