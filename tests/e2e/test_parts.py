"""From nothing to everything by single tags, each in a fresh process, with users clicking. Before that: what must refuse, and what must write nothing."""

from __future__ import annotations

import json
import time
import typing as t
from contextlib import contextmanager
from pathlib import Path

import pytest

from .harness import Lab, Run, assert_unharmed

TAGS = ("image", "cluster", "security", "taskdef", "alb", "service", "monitoring", "verify", "dns")

BAD_INPUT = [
    pytest.param({"fargate_fqdn": "nothing.example.test"}, "fargate_fqdn", id="unknown name"),
    pytest.param({"fargate_fqdn": "shop.example.org"}, "fargate_fqdn", id="no hosted zone"),
    pytest.param({"fargate_fqdn": ""}, "fargate_fqdn", id="no name"),
    pytest.param({"fargate_region": "eu-central-1"}, "fargate_region", id="another region"),
    pytest.param({"fargate_account_id": "210987654321"}, "fargate_account_id", id="another account"),
    pytest.param({"fargate_services": ["web", "nobody"]}, "fargate_services", id="unknown service"),
]


@pytest.mark.parametrize(("variables", "named"), BAD_INPUT)
def test_bad_input_names_the_variable_and_writes_nothing(lab: Lab, variables: dict[str, object], named: str) -> None:
    run = lab.play("migrate", "-e", json.dumps(variables)).failed()
    assert run.mutating == []
    assert named in run.output
    assert "Traceback" not in run.output


ELSEWHERE = [
    pytest.param("A", "192.0.2.10", "is A 192.0.2.10", id="an address"),
    pytest.param("CNAME", "d111111abcdef8.cloudfront.net", "is a CNAME to d111111abcdef8.cloudfront.net", id="CloudFront"),
]


@pytest.mark.parametrize(("kind", "value", "told"), ELSEWHERE)
def test_a_name_that_is_no_alias_of_a_load_balancer_is_refused(lab: Lab, kind: str, value: str, told: str) -> None:
    record = {"Name": "elsewhere.example.test", "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
    with changed_record(lab, record):
        run = lab.play("migrate", "-e", "fargate_fqdn=elsewhere.example.test").failed()
    assert run.mutating == []
    assert f"fargate_fqdn elsewhere.example.test {told}" in run.output
    assert "Nothing was written" in run.output
    assert "Traceback" not in run.output


def test_without_credentials_it_says_where_they_come_from(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in lab.environment if name.startswith("AWS_")]:
        monkeypatch.delitem(lab.environment, name)
    monkeypatch.setitem(lab.environment, "AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setitem(lab.environment, "AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setitem(lab.environment, "AWS_CONFIG_FILE", str(tmp_path / "config"))
    run = lab.play("migrate", "-e", json.dumps({"fargate_access_key": "", "fargate_secret_key": ""})).failed()
    assert run.calls == []
    assert "No AWS credentials were found. Set fargate_profile" in run.output
    assert "Traceback" not in run.output


def test_a_load_balancer_that_another_system_uses_is_refused(lab: Lab) -> None:
    with foreign_rule(lab):
        run = lab.play("migrate").failed()
    assert run.mutating == []
    assert "FG-ALB-SHARED" in run.output
    assert "neighbour" in run.output
    assert "name all services in fargate_services" in run.output
    assert "Traceback" not in run.output


def test_a_service_of_another_cluster_on_the_same_target_group_is_refused_even_without_a_task(lab: Lab) -> None:
    with foreign_service(lab):
        run = lab.play("migrate").failed()
    assert run.mutating == []
    assert "FG-ALB-SHARED" in run.output
    assert "service guest of cluster elsewhere" in " ".join(run.output.split())
    assert "Traceback" not in run.output


@contextmanager
def foreign_service(lab: Lab) -> t.Iterator[None]:
    """Somebody's service that wants no task yet, and would register it in the system's own target group."""
    ecs, group = lab.client("ecs"), lab.client("elbv2").describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
    definition = ecs.describe_services(cluster="shop", services=["web"])["services"][0]["taskDefinition"]
    balancer = ecs.describe_services(cluster="shop", services=["web"])["services"][0]["loadBalancers"][0]
    ecs.create_cluster(clusterName="elsewhere")
    ecs.create_service(
        cluster="elsewhere",
        serviceName="guest",
        taskDefinition=definition,
        desiredCount=0,
        launchType="EC2",
        loadBalancers=[{**balancer, "targetGroupArn": group}],
    )
    try:
        yield
    finally:
        ecs.delete_service(cluster="elsewhere", service="guest", force=True)
        ecs.delete_cluster(cluster="elsewhere")


@contextmanager
def changed_record(lab: Lab, record: dict[str, t.Any]) -> t.Iterator[None]:
    route53 = lab.client("route53")
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]

    def change(action: str) -> None:
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]})

    change("CREATE")
    try:
        yield
    finally:
        change("DELETE")


@contextmanager
def foreign_rule(lab: Lab) -> t.Iterator[None]:
    """Another site on the same load balancer: a host name of its own that leads to machines ECS knows nothing of."""
    elbv2 = lab.client("elbv2")
    balancer = elbv2.describe_load_balancers(Names=["shop"])["LoadBalancers"][0]
    listener = next(each for each in elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"] if each["Port"] == 443)
    made = elbv2.create_target_group(Name="neighbour", Protocol="HTTP", Port=80, VpcId=balancer["VpcId"], TargetType="instance")
    group = made["TargetGroups"][0]["TargetGroupArn"]
    instance = lab.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"][0]["InstanceId"]
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": instance, "Port": 8099}])
    rule = elbv2.create_rule(
        ListenerArn=listener["ListenerArn"],
        Priority=4711,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["neighbour.example.test"]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Rules"][0]["RuleArn"]
    try:
        yield
    finally:
        elbv2.delete_rule(RuleArn=rule)
        elbv2.delete_target_group(TargetGroupArn=group)


def test_cutover_without_a_target_refuses(lab: Lab) -> None:
    before = lab.record_targets()
    run = lab.play("migrate", "--tags", "cutover").failed()
    assert run.mutating == []
    assert lab.record_targets() == before


def test_check_mode_before_anything_exists_shows_everything_and_writes_nothing(lab: Lab) -> None:
    run = lab.play("migrate", "--check", "--diff").ok()
    assert run.mutating == []
    assert "fastcgi_pass 127.0.0.1:9000" in run.output
    assert "shop-web-fargate" in run.output
    assert "(known after apply)" in run.output
    assert "base64:" not in run.output, "the application's key was printed"


def test_plan_is_written_and_holds_no_secret(lab: Lab, reports: Path) -> None:
    lab.play("plan").unchanged()
    text = (reports / "shop" / "plan.json").read_text()
    plan = json.loads(text)
    assert {"findings", "task_definitions", "load_balancer", "services", "dns"} <= plan.keys()
    assert all(each["requiresCompatibilities"] == ["FARGATE"] for each in plan["task_definitions"])
    page = (reports / "shop" / "plan.html").read_text()
    for written in (text, page):
        assert "base64:" not in written
        assert "lab-only" not in written


def test_each_tag_alone_in_order_under_load(lab: Lab, tmp_path: Path) -> None:
    with lab.load(tmp_path) as totals:
        runs = [lab.play("migrate", "--tags", tag) for tag in TAGS]
        for run in runs:
            run.ok()
        assert lab.served_by() == "shop-fargate"
    assert_unharmed(totals())


def test_the_same_end_as_migrate(lab: Lab) -> None:
    """`migrate` after the parts finds nothing left to do, so the parts gave what it would have given."""
    lab.play("migrate").unchanged()


def test_a_tag_again_changes_nothing(lab: Lab) -> None:
    lab.play("migrate", "--tags", "alb").unchanged()


@pytest.mark.parametrize("playbook", ["plan", "prepare", "cutover", "verify", "status"])
def test_a_playbook_again_changes_nothing(lab: Lab, playbook: str) -> None:
    lab.play(playbook).unchanged()


def test_check_mode_afterwards_changes_nothing(lab: Lab) -> None:
    run: Run = lab.play("migrate", "--check", "--diff").unchanged()
    assert "(known after apply)" not in run.output


def test_the_source_was_not_touched_but_for_what_is_promised(lab: Lab) -> None:
    """Promise 1: added ingress on the data tier, the client keep-alive, nothing else."""
    elbv2, ecs = lab.client("elbv2"), lab.client("ecs")
    services = ecs.describe_services(cluster="shop", services=["web", "worker"])["services"]
    assert {each["serviceName"]: (each["desiredCount"], each["runningCount"]) for each in services} == {"web": (2, 2), "worker": (1, 1)}
    balancer = elbv2.describe_load_balancers(Names=["shop"])["LoadBalancers"][0]["LoadBalancerArn"]
    attributes = {each["Key"]: each["Value"] for each in elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer)["Attributes"]}
    assert attributes["client_keep_alive.seconds"] == "60"
    tags = {each["Key"]: each["Value"] for each in elbv2.describe_tags(ResourceArns=[balancer])["TagDescriptions"][0]["Tags"]}
    assert tags["cutover:client-keep-alive"] == "3600"


def test_the_derived_image_starts_as_a_fargate_task_and_the_original_does_not(lab: Lab) -> None:
    """One definition, run twice where the target runs: as it was registered, and with the image that the source runs, which nobody has touched."""
    ecs, elbv2 = lab.client("ecs"), lab.client("elbv2")
    wanted = ecs.describe_task_definition(taskDefinition="shop-web-fargate")["taskDefinition"]
    source = ecs.describe_services(cluster="shop", services=["web"])["services"][0]["taskDefinition"]
    images = {each["name"]: each["image"] for each in ecs.describe_task_definition(taskDefinition=source)["taskDefinition"]["containerDefinitions"]}
    derived = next(each for each in wanted["containerDefinitions"] if each["image"] != images[each["name"]])
    assert derived["image"] == images["nginx"].replace("/nginx:", "/nginx-fargate:") + "-fargate"
    arguments = {key: wanted[key] for key in ("cpu", "memory", "networkMode", "requiresCompatibilities", "executionRoleArn", "runtimePlatform")}
    containers = [{**each, "image": images[each["name"]]} for each in wanted["containerDefinitions"]]
    original = ecs.register_task_definition(family="original", **arguments, containerDefinitions=containers)["taskDefinition"]["taskDefinitionArn"]

    ended = _run(lab, original)
    assert ended["lastStatus"] == "STOPPED"
    log = derived["logConfiguration"]["options"]
    stream = f"{log['awslogs-stream-prefix']}/nginx/{ended['taskArn'].rpartition('/')[2]}"
    events = lab.client("logs").filter_log_events(logGroupName=log["awslogs-group"], logStreamNames=[stream])["events"]
    assert 'host not found in upstream "php-fpm' in " ".join(each["message"] for each in events)

    running = _run(lab, wanted["taskDefinitionArn"])
    assert (running["lastStatus"], {each["lastStatus"] for each in running["containers"]}) == ("RUNNING", {"RUNNING"})
    ecs.stop_task(cluster="shop-fargate", task=running["taskArn"])
    # Its like serves: what the load balancer asks is answered by PHP-FPM, through Nginx.
    group = elbv2.describe_target_groups(Names=["shop-web-fargate"])["TargetGroups"][0]
    health = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    assert [each["TargetHealth"]["State"] for each in health] == ["healthy", "healthy"]


def _run(lab: Lab, definition: str) -> dict[str, t.Any]:
    """A task on Fargate, in the network of the target's web service; as it is when it has stopped or has run for some seconds."""
    ecs = lab.client("ecs")
    network = ecs.describe_services(cluster="shop-fargate", services=["web"])["services"][0]["networkConfiguration"]
    task = ecs.run_task(cluster="shop-fargate", taskDefinition=definition, launchType="FARGATE", networkConfiguration=network)["tasks"][0]["taskArn"]
    started = 0.0
    for _look in range(240):
        found: dict[str, t.Any] = ecs.describe_tasks(cluster="shop-fargate", tasks=[task])["tasks"][0]
        if found["lastStatus"] == "RUNNING":
            started = started or time.monotonic()
        if found["lastStatus"] == "STOPPED" or (started and time.monotonic() - started > 5):
            return found
        time.sleep(0.25)
    raise AssertionError(f"{definition} neither ran nor stopped: {found}")
