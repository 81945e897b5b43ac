"""What the parts of the plan say, where a finding alone doesn't tell."""

from __future__ import annotations

import importlib
import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.cutover.fargate.plugins.module_utils._translate import image, intent, load_balancer, report, target_group
from unit.plugins.module_utils._translate import systems
from unit.plugins.module_utils._translate.systems import Json

ARN = "arn:aws:iam::123456789012:role/existing"
OWN = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


# --- images


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nginx", ("docker.io", "nginx", None, None)),
        ("nginx:1.27", ("docker.io", "nginx", "1.27", None)),
        ("acme/nginx", ("docker.io", "acme/nginx", None, None)),
        ("localhost/nginx:1", ("localhost", "nginx", "1", None)),
        ("registry:5000/a/b:2", ("registry:5000", "a/b", "2", None)),
        (f"{OWN}/shop/nginx:1@sha256:ab", (OWN, "shop/nginx", "1", "sha256:ab")),
    ],
)
def test_references(text: str, expected: tuple[str, str, str | None, str | None]) -> None:
    reference = image.parse(text)
    assert (reference.host, reference.repository, reference.tag, reference.digest) == expected


@pytest.mark.parametrize(
    ("source", "result"),
    [
        (f"{OWN}/shop/nginx:1.4.2", f"{OWN}/shop/nginx-fargate:1.4.2-fargate"),
        (f"{OWN}/shop/nginx@sha256:{'ab' * 32}", f"{OWN}/shop/nginx-fargate:abababababab-fargate"),
        ("nginx:1.27", f"{OWN}/nginx-fargate:1.27-fargate"),
        ("210987654321.dkr.ecr.eu-west-1.amazonaws.com/base/nginx:3", f"{OWN}/base/nginx-fargate:3-fargate"),
    ],
)
def test_where_a_derived_image_goes(source: str, result: str) -> None:
    system = systems.system()
    systems.containers(system)["nginx"]["image"] = source
    plan = systems.plan(system)
    (entry,) = plan["image"]["images"]
    assert entry["source_image"] == source
    assert entry["image"] == result == systems.planned_containers(plan)["nginx"]["image"]


def test_one_image_for_two_services_that_rewrite_it_alike_and_two_where_peers_differ() -> None:
    system = systems.system()
    other = systems.definition(system, 1)
    other["containerDefinitions"] = [dict(item) for item in systems.definition(system)["containerDefinitions"]]
    assert len(systems.plan(system)["image"]["images"]) == 1
    other["containerDefinitions"][0]["links"] = ["php-fpm:app"]
    images = systems.plan(system)["image"]["images"]
    assert len({entry["image"] for entry in images}) == 2
    used = {item["containerDefinitions"][0]["image"] for item in systems.plan(system)["task_definitions"]}
    assert used == {entry["image"] for entry in images}


def test_arm_images_are_built_for_arm() -> None:
    system = systems.system()
    systems.definition(system)["runtimePlatform"] = {"cpuArchitecture": "ARM64"}
    assert systems.plan(system)["image"]["images"][0]["platform"] == "linux/arm64"


def test_what_a_conf_may_stand_on_comes_along_and_secrets_do_not() -> None:
    system = systems.system()
    systems.containers(system)["nginx"].update(
        links=["php-fpm:app"],
        environment=[
            {"name": "PHP_FPM_HOST", "value": "app"},
            {"name": "APP_NAME", "value": "app"},
            {"name": "FASTCGI_PASS", "value": "app:9000"},
            {"name": "DB_PASSWORD", "value": "hunter2"},
            {"name": "REDIS_URL", "value": "redis://u:hunter2@app:6379"},
        ],
        secrets=[{"name": "TOKEN", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/x"}],
    )
    (entry,) = systems.plan(system)["image"]["images"]
    assert entry["containers"] == {"app": "php-fpm"}
    assert entry["environment"] == {"PHP_FPM_HOST": "app", "APP_NAME": "app", "FASTCGI_PASS": "app:9000"}
    assert entry["target_environment"] == {"PHP_FPM_HOST": "127.0.0.1", "FASTCGI_PASS": "127.0.0.1:9000"}
    assert entry["unknown_environment"] == ["DB_PASSWORD", "REDIS_URL", "TOKEN"]
    assert "hunter2" not in str(systems.plan(system)["image"])
    (entry,) = systems.plan(system, peer_variables=["APP_NAME"])["image"]["images"]
    assert entry["target_environment"]["APP_NAME"] == "127.0.0.1"


def test_two_images_where_the_environment_differs() -> None:
    """The image's own variables are changed where the definition does not set them, so the result depends on both."""
    system = systems.system()
    other = systems.definition(system, 1)
    other["containerDefinitions"] = [dict(item) for item in systems.definition(system)["containerDefinitions"]]
    other["containerDefinitions"][0]["environment"] = [{"name": "PHP_HOST", "value": "10.0.0.1"}]
    assert len({entry["image"] for entry in systems.plan(system)["image"]["images"]}) == 2


def test_the_linked_containers_images_are_looked_at_as_they_will_run() -> None:
    (looked_at,) = systems.plan()["image"]["peer_images"]
    assert (looked_at["container"], looked_at["image"], looked_at["platform"]) == ("php-fpm", f"{OWN}/shop/php:1.4.2", "linux/amd64")
    (looked_at,) = systems.plan(images={"php-fpm": "php:new"})["image"]["peer_images"]
    assert looked_at["image"] == "php:new"
    assert systems.plan(images={"nginx": "nginx:new"})["image"] == {"images": [], "peer_images": []}
    system = systems.system()
    systems.containers(system)["php-fpm"]["links"] = ["nginx"]
    assert sorted(each["image"] for each in systems.plan(system)["image"]["peer_images"]) == [f"{OWN}/shop/nginx:1.4.2", f"{OWN}/shop/php:1.4.2"]


def test_findings_of_confs_are_waived_by_the_same_variable() -> None:
    assert "FG-INTENT" not in systems.ids(systems.plan(waive=["NGX-LUA", "FPM-CLIENTS@etc/php/8.3/fpm/pool.d/www.conf"]))
    assert "FG-INTENT" in systems.ids(systems.plan(waive=["XGN-LUA"]))


# --- task definitions and roles


def test_two_revisions_of_a_family_become_two_families() -> None:
    system = systems.system()
    second = systems.definition(system, 1)
    second.update(family="shop-web", taskDefinitionArn=second["taskDefinitionArn"].replace("shop-worker", "shop-web"))
    assert [item["family"] for item in systems.plan(system)["task_definitions"]] == ["shop-web-fargate", "shop-web-worker-fargate"]


def test_services_of_one_definition_share_it() -> None:
    system = systems.system()
    system["source"]["services"][1]["TaskDefinition"] = systems.definition(system)
    plan = systems.plan(system)
    assert len(plan["task_definitions"]) == 1
    assert {item["family"] for item in plan["services"]} == {"shop-web-fargate"}


def test_an_existing_execution_role_is_kept_and_none_is_created() -> None:
    system = systems.system()
    for number in (0, 1):
        systems.definition(system, number)["executionRoleArn"] = ARN
    plan = systems.plan(system)
    assert plan["execution_role"]["arn"] == ARN
    assert {item["executionRoleArn"] for item in plan["task_definitions"]} == {ARN}


def test_a_definition_without_one_gets_ours_beside_an_existing_one() -> None:
    system = systems.system()
    systems.definition(system)["executionRoleArn"] = ARN
    plan = systems.plan(system)
    assert (plan["execution_role"]["name"], plan["execution_role"]["arn"]) == ("ecsTaskExecutionRole", None)


@pytest.mark.parametrize(("given", "name", "arn"), [(ARN, "existing", ARN), ("shop-execution", "shop-execution", None)])
def test_the_inventorys_execution_role(given: str, name: str, arn: str | None) -> None:
    plan = systems.plan(None, execution_role=given)
    assert (plan["execution_role"]["name"], plan["execution_role"]["arn"]) == (name, arn)
    assert all(item["executionRoleArn"].endswith(f":role/{name}") for item in plan["task_definitions"])


def test_log_groups_carry_retention_and_key_of_the_old_one() -> None:
    system = systems.system()
    system["source"]["log_groups"][0]["kmsKeyId"] = "arn:aws:kms:x"
    (group,) = systems.plan(system)["log_groups"]
    assert (group["name"], group["source_name"], group["retention_in_days"], group["kms_key_id"]) == ("/ecs/shop-fargate", "/ecs/shop", 90, "arn:aws:kms:x")
    assert systems.plan(system, log_retention_days=30)["log_groups"][0]["retention_in_days"] == 30


# --- network and security


@pytest.mark.parametrize(
    ("case", "subnets", "address"),
    [("shop", ["subnet-0a", "subnet-0b"], "ENABLED"), ("private_subnets", ["subnet-1a", "subnet-1b"], "DISABLED")],
)
def test_tasks_run_where_the_instances_did(case: str, subnets: list[str], address: str) -> None:
    for service in systems.plan(systems.system(case))["services"]:
        assert (service["subnets"], service["assign_public_ip"]) == (subnets, address)


def test_the_subnets_outlive_the_instances() -> None:
    assert systems.plan(systems.system("scaled_in"))["services"][0]["subnets"] == ["subnet-0a", "subnet-0b"]


def test_each_grant_comes_once() -> None:
    system = systems.system()
    admitting = system["source"]["security_groups"]["admitting"]
    admitting[0]["rules"].append(dict(admitting[0]["rules"][0]))
    grants = systems.plan(system, grants=[{"group_id": "sg-0rds", "port": 3306}, {"group_id": "sg-0efs", "protocol": "tcp", "from_port": 2049, "to_port": 2049}])[
        "security"
    ]["grants"]
    assert [(grant["group_id"], grant["from_port"]) for grant in grants] == [("sg-0rds", 3306), ("sg-0red", 6379), ("sg-0efs", 2049)]


def test_a_rule_for_everything_stays_one() -> None:
    system = systems.system()
    system["source"]["security_groups"]["admitting"][0]["rules"] = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-0inst"}]}]
    grant = systems.plan(system)["security"]["grants"][0]
    assert (grant["protocol"], grant["from_port"], grant["to_port"]) == ("-1", -1, -1)


def test_instances_that_admit_themselves_are_no_data_tier_unless_a_database_shares_their_group() -> None:
    system = systems.system()
    own = {**system["source"]["security_groups"]["admitting"][0], "GroupId": "sg-0inst", "GroupName": "shop-instances"}
    system["source"]["security_groups"]["admitting"] = [{**own, "used_by": [{"kind": "instance", "id": "i"}]}]
    assert systems.plan(system)["security"]["grants"] == []
    system["source"]["security_groups"]["admitting"] = [{**own, "used_by": [{"kind": "instance", "id": "i"}, {"kind": "rds", "id": "shop"}]}]
    plan = systems.plan(system)
    assert [grant["group_id"] for grant in plan["security"]["grants"]] == ["sg-0inst"]
    assert "security_group" not in {item["kind"] for item in plan["teardown"]["items"]}


def test_restricted_egress_is_opened_once_for_each_port() -> None:
    assert systems.plan(systems.system("restricted_egress"))["security"]["load_balancer_egress"] == [
        {"group_id": "sg-0alb", "protocol": "tcp", "from_port": 80, "to_port": 80, "description": "shop: Fargate tasks"}
    ]


def test_a_health_check_on_another_container_needs_its_port_admitted() -> None:
    system = systems.system()
    system["source"]["target_groups"][0]["HealthCheckPort"] = "18080"
    systems.containers(system)["php-fpm"]["portMappings"] = [{"containerPort": 8080, "hostPort": 18080}]
    plan = systems.plan(system)
    assert plan["load_balancer"]["target_groups"][0]["health_check"]["HealthCheckPort"] == "8080"
    assert [rule["from_port"] for rule in plan["security"]["ingress"]] == [80, 8080]


# --- load balancer


def test_only_attributes_of_the_chosen_stickiness_are_sent() -> None:
    kept, dropped = target_group.attributes(
        {
            "stickiness.type": "app_cookie",
            "stickiness.app_cookie.cookie_name": "c",
            "stickiness.lb_cookie.duration_seconds": "1",
            "load_balancing.algorithm.type": "weighted_random",
            "load_balancing.algorithm.anomaly_mitigation": "on",
            "lambda.multi_value_headers.enabled": "false",
            "preserve_client_ip.enabled": "true",
            "future.attribute": "x",
        }
    )
    assert sorted(kept) == [
        "future.attribute",
        "load_balancing.algorithm.anomaly_mitigation",
        "load_balancing.algorithm.type",
        "stickiness.app_cookie.cookie_name",
        "stickiness.type",
    ]
    assert dropped == {"preserve_client_ip.enabled": "true"}


@pytest.mark.parametrize(
    ("source", "result"),
    [
        (
            {"Field": "host-header", "Values": ["a"], "HostHeaderConfig": {"Values": ["a"]}},
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["a"]}},
        ),
        ({"Field": "path-pattern", "Values": ["/x"]}, {"Field": "path-pattern", "Values": ["/x"]}),
        ({"Field": "new-field", "Values": [], "NewConfig": {"x": 1}}, {"Field": "new-field", "NewConfig": {"x": 1}}),
    ],
)
def test_conditions_are_said_once(source: Json, result: Json) -> None:
    assert load_balancer.condition(source) == result


def test_rules_of_others_stay_behind_and_so_does_everything_they_need() -> None:
    plan = systems.plan(systems.system("shared_load_balancer_waived"), **systems.intent("shared_load_balancer_waived"))
    assert [rule["priority"] for listener in plan["load_balancer"]["listeners"] for rule in listener["rules"]] == [10]
    assert [record["record_set"]["Name"] for record in plan["dns"]["record_sets"]] == ["shop.example.test."]
    assert not {"load_balancer", "target_group"} & {item["kind"] for item in plan["teardown"]["items"]}
    assert report.blockers(plan) == []


def test_a_default_action_that_cannot_be_cloned_answers_503() -> None:
    system = systems.system("shared_load_balancer")
    listener = system["source"]["load_balancer"]["Listeners"][0]
    listener["DefaultActions"] = listener["Rules"][1]["Actions"]
    actions = systems.plan(system)["load_balancer"]["listeners"][1]["default_actions"]
    assert [action["Type"] for action in actions] == ["fixed-response"]


def test_without_services_nothing_is_cloned() -> None:
    """A teardown that was interrupted must not turn the target's rules into errors."""
    system = systems.system("scaled_in")
    system["source"]["services"] = []
    plan = systems.plan(system)
    assert plan["load_balancer"] is None
    assert systems.ids(plan, "BLOCKER") == {"FG-NO-SERVICE"}
    assert [item["name"] for item in plan["verify"]["target"]["services"]] == ["web", "worker"]


def test_weights_and_stickiness_of_a_forward_are_kept() -> None:
    system = systems.system()
    rule = system["source"]["load_balancer"]["Listeners"][0]["Rules"][0]
    arn = rule["Actions"][0]["TargetGroupArn"]
    config = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": 0}], "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60}}
    rule["Actions"] = [{"Type": "forward", "ForwardConfig": config}]
    action = systems.plan(system)["load_balancer"]["listeners"][1]["rules"][0]["actions"][0]
    assert action["ForwardConfig"]["TargetGroups"] == [{"TargetGroupName": "shop-web-fargate", "Weight": 0}]
    assert action["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": True, "DurationSeconds": 60}


# --- what goes to zero, and what goes


def test_instances_that_others_use_are_left_alone() -> None:
    system = systems.system()
    system["source"]["other_services"] = ["blog"]
    plan = systems.plan(system)
    assert plan["scale_in"]["auto_scaling_groups"] == []
    kept = {"cluster", "capacity_provider", "auto_scaling_group", "launch_template", "security_group", "ingress_rule"}
    assert not kept & {item["kind"] for item in plan["teardown"]["items"]}


def test_the_repository_of_an_image_that_was_used_as_it_is_is_not_deleted() -> None:
    """The plan names the derived image of every candidate; the role taskdef registered the source's, because nothing in it needed a change."""
    system = systems.system("scaled_in")
    assert "shop/nginx" in {item["name"] for item in systems.plan(system)["teardown"]["items"]}
    source = systems.containers(system)["nginx"]["image"]
    for service in system["target"]["services"]:
        for container in service["TaskDefinition"]["containerDefinitions"]:
            if container["name"] == "nginx":
                container["image"] = source
    assert "shop/nginx" not in {item["name"] for item in systems.plan(system)["teardown"]["items"]}


def test_agents_of_the_instances_are_no_services_to_be_moved() -> None:
    """AWS takes no number of tasks for a DAEMON service: it goes with the instances, and before the cluster when that is deleted."""
    plan = systems.plan(systems.system("agents_and_daemons"))
    named = {"source": plan["source"]["services"], "scale_in": [item["name"] for item in plan["scale_in"]["services"]]}
    assert named == {"source": ["cron", "web", "worker"], "scale_in": ["cron", "web", "worker"]}
    assert "agent" not in {item["name"] for item in plan["verify"]["source"]["services"]}
    assert "agent" in {item["name"] for item in plan["teardown"]["items"] if item["kind"] == "service"}


def test_agents_do_not_keep_a_source_from_being_scaled_in() -> None:
    system = systems.system("scaled_in")
    system["source"]["services"].append({**system["source"]["services"][1], "serviceName": "agent", "schedulingStrategy": "DAEMON", "desiredCount": 1})
    assert systems.plan(system)["phase"] == "scaled_in"


def test_a_repository_that_the_target_still_pulls_from_is_not_deleted() -> None:
    system = systems.system()
    systems.containers(system)["php-fpm"]["image"] = f"{OWN}/shop/nginx:other"
    assert "repository" not in {item["kind"] for item in systems.plan(system)["teardown"]["items"]}


def test_old_log_groups_are_kept_unless_the_inventory_says_so() -> None:
    assert "log_group" not in {item["kind"] for item in systems.plan()["teardown"]["items"]}
    items = systems.plan(None, teardown_log_groups=True)["teardown"]["items"]
    assert [item["name"] for item in items if item["kind"] == "log_group"] == ["/ecs/shop"]


def test_the_load_balancers_groups_are_never_deleted() -> None:
    system = systems.system()
    system["source"]["security_groups"]["tasks"].append(system["source"]["security_groups"]["load_balancer"][0])
    assert [item["id"] for item in systems.plan(system)["teardown"]["items"] if item["kind"] == "security_group"] == ["sg-0inst"]


def test_a_metric_of_the_source_cluster_follows_to_the_target() -> None:
    system = systems.system("scalable_target")
    dimensions = [{"Name": "ClusterName", "Value": "shop"}, {"Name": "ServiceName", "Value": "web"}]
    metric = {"Metrics": [{"Id": "m", "MetricStat": {"Metric": {"MetricName": "x", "Namespace": "y", "Dimensions": dimensions}, "Stat": "Sum"}}]}
    custom = {"PolicyName": "custom", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": {"CustomizedMetricSpecification": metric}}
    system["source"]["services"][0]["ScalingPolicies"] = [custom]
    (policy,) = systems.plan(system)["scaling"][0]["policies"]
    planned = policy["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]["Metrics"][0]["MetricStat"]["Metric"]["Dimensions"]
    assert planned == [{"Name": "ClusterName", "Value": "shop-fargate"}, {"Name": "ServiceName", "Value": "web"}]


def test_alarms_use_the_minimum_of_scaling() -> None:
    system = systems.system("scalable_target")
    system["source"]["services"][0]["ScalableTargets"][0]["MinCapacity"] = 1
    thresholds = {alarm["name"]: alarm["threshold"] for alarm in systems.plan(system)["alarms"]}
    assert thresholds["shop-fargate-web-running-tasks"] == 1


# --- answers and reports


def test_waiving_by_id_and_by_path() -> None:
    system = systems.system()
    for container in systems.containers(system).values():
        container["privileged"] = True
    path = "task_definitions[shop-web].containerDefinitions[nginx].privileged"
    assert [item["path"] for item in report.blockers(systems.plan(system, waive=[f"FG-PRIVILEGED@{path}"]))] == [path.replace("nginx", "php-fpm")]
    assert report.blockers(systems.plan(system, waive=["FG-PRIVILEGED"])) == []


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ({"desired_count": {"wbe": 3}}, "fargate_desired_count[wbe]"),
        ({"images": {"apache": "x"}}, "fargate_images[apache]"),
        ({"volumes": {"uploads": "drop"}}, "fargate_volumes[uploads]"),
        ({"waive": ["FG-NOTHING"]}, "fargate_waive[FG-NOTHING]"),
        ({"architecture": "sparc"}, "fargate_architecture"),
        ({"grants": [{"port": 1}]}, "fargate_grants[0]"),
        ({"names": {"load_balancer": "internal-x"}}, "fargate_names.load_balancer"),
        ({"names": "shop"}, "fargate_names"),
        ({"subnets": "subnet-0a"}, "fargate_subnets"),
    ],
)
def test_answers_that_cannot_be_right_name_the_variable(wanted: dict[str, t.Any], path: str) -> None:
    plan = systems.plan(None, **wanted)
    assert systems.at(plan, "FG-INTENT") == [path]


def test_the_summary_tells_what_happens() -> None:
    lines = report.summary(systems.plan())
    assert lines[0] == "shop (shop.example.test, eu-west-1, account 123456789012): new"
    text = "\n".join(lines)
    for part in ("Create", "  service         web (web, 2 tasks)", "Change", "shop-db admits the tasks (tcp 3306)", "Leave alone", "ACTION (", "Fix: "):
        assert part in text


def test_findings_that_say_the_same_are_told_once_with_each_place() -> None:
    lines = report.summary(systems.plan())
    at = next(number for number, line in enumerate(lines) if line.startswith("  FG-EXECUTION-ROLE (2 times): "))
    assert [line.split(":")[0] for line in lines[at + 1 : at + 4]] == [
        "    task_definitions[shop-web].executionRoleArn",
        "    task_definitions[shop-worker].executionRoleArn",
        "    Fix",
    ]
    # what has no consequence is one line
    at = next(number for number, line in enumerate(lines) if line.startswith("INFO ("))
    assert all(line.startswith("  FG-") for line in lines[at + 1 :])


def test_the_diff_has_the_same_names_on_both_sides() -> None:
    system = systems.system()
    compared = report.diff(system, systems.plan(system))
    shapes = [{kind: sorted(side[kind]) for kind in side} for side in compared.values()]
    assert shapes[0] == shapes[1] == {"task_definitions": ["web", "worker"], "services": ["web", "worker"], "target_groups": ["shop-web"]}
    assert compared["before"]["task_definitions"]["web"]["containerDefinitions"]["nginx"]["portMappings"] == ["any:80/tcp"]
    assert compared["after"]["task_definitions"]["web"]["containerDefinitions"]["nginx"]["portMappings"] == ["80/tcp"]


SECTIONS: dict[str, t.Callable[[Json], Json]] = {
    "fargate_cluster": lambda plan: {"cluster": plan["cluster"]},
    "fargate_security_groups": lambda plan: {"security": plan["security"]},
    "fargate_task_definitions": lambda plan: {"task_definitions": plan["task_definitions"]},
    "fargate_load_balancer": lambda plan: {"load_balancer": plan["load_balancer"]},
    "fargate_services": lambda plan: {"services": plan["services"], "task_definitions": plan["task_definitions"]},
    "fargate_scaling": lambda plan: {"scaling": plan["scaling"], "hold": True},
    "fargate_alarms": lambda plan: {"alarms": plan["alarms"]},
}


@pytest.mark.parametrize("module", SECTIONS)
@pytest.mark.parametrize("case", [case for case in systems.CASES if case != "torn_down"])
def test_the_modules_take_the_plan_as_it_is(module: str, case: str) -> None:
    spec = importlib.import_module(f"ansible_collections.cutover.fargate.plugins.modules.{module}").ARGUMENT_SPEC
    plan = systems.plan(systems.system(case), **systems.intent(case))
    assert ArgumentSpecValidator(spec).validate(SECTIONS[module](plan)).error_messages == []


def test_the_module_documents_every_key_of_the_intent() -> None:
    module = importlib.import_module("ansible_collections.cutover.fargate.plugins.modules.fargate_plan")
    described = yaml.safe_load(module.DOCUMENTATION)["options"]["intent"]["description"]
    assert [text.partition(")")[0].removeprefix("C(") for text in described[1:]] == list(intent.KEYS)
