"""The modules as Ansible starts them: sections of a plan pass the argument spec, and no secret leaves the module while everything else stays readable."""

from __future__ import annotations

import importlib
import json
import typing as t

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.testing import patch_module_args
from unit.plugins.module_utils._translate.systems import CASES
from unit.plugins.module_utils._translate.systems import intent as make_intent
from unit.plugins.module_utils._translate.systems import plan as make_plan
from unit.plugins.module_utils._translate.systems import system as make_system
from unit.plugins.module_utils.apply_account import REGION, SYSTEM, Account

PACKAGE = "ansible_collections.cutover.fargate.plugins.modules"
SECRETS = ("base64:c2VjcmV0LWtleS1vZi10aGUtc2hvcA==", "hunter2-hunter2")
ROLE = {
    "name": "ecsTaskExecutionRole",
    "arn": None,
    "managed_policy_arns": ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"],
    "assume_role_policy": {"Version": "2012-10-17", "Statement": []},
    "tags": SYSTEM,
}
ENVIRONMENT = [{"name": "APP_KEY", "value": SECRETS[0]}, {"name": "DB_PASSWORD", "value": SECRETS[1]}, {"name": "APP_ENV", "value": "production"}]
DEFINITION = {
    "family": "shop-web-fargate",
    "cpu": "256",
    "memory": "512",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "containerDefinitions": [{"name": "nginx", "image": "nginx:1", "portMappings": [{"containerPort": 80}], "environment": ENVIRONMENT}],
    "tags": [{"key": "cutover:system", "value": "shop"}],
}


def sections(account: Account) -> dict[str, dict[str, t.Any]]:
    """Module -> its arguments, in the shapes of docs/architecture.md, nulls included."""
    forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupName": "shop-web", "Weight": 1}]}}
    oidc = {"Type": "authenticate-oidc", "AuthenticateOidcConfig": {"Issuer": "https://id.example.test", "ClientId": "shop", "ClientSecret": SECRETS[1]}}
    group = {"name": "shop-web", "source_arn": "x", "protocol": "HTTP", "protocol_version": "HTTP1", "port": 80, "vpc_id": account.vpc, "target_type": "ip"}
    rule = {"priority": 10, "conditions": [{"Field": "path-pattern", "Values": ["/admin"]}], "actions": [oidc, forward], "transforms": [], "tags": SYSTEM}
    listener = {"port": 80, "protocol": "HTTP", "ssl_policy": None, "certificate_arn": None, "sni_certificate_arns": [], "alpn_policy": None}
    cautious = {"deployment_configuration": {"maximumPercent": 200}, "availability_zone_rebalancing": "DISABLED"}
    errors = {"name": "shop-errors-fargate", "settings": {"Threshold": 1}, "actions": {}, "tags": SYSTEM}
    service = {"name": "web", "kind": "web", "cluster": "shop-fargate", "family": "shop-web-fargate", "desired_count": 1, "subnets": account.subnets[:2]}
    alarm = {"name": "hosts", "kind": "healthy_hosts", "load_balancer": "shop-fargate", "target_group": "shop-web", "cluster": "c", "service": "web"}
    return {
        "fargate_cluster": {"cluster": {"name": "shop-fargate", "settings": {"containerInsights": "enabled"}, "capacity_providers": ["FARGATE"], "tags": SYSTEM}},
        "fargate_execution_role": {"execution_role": ROLE},
        "fargate_security_groups": {
            "security": {
                "vpc_id": account.vpc,
                "group": {"name": "shop-fargate", "description": "x", "tags": SYSTEM},
                "ingress": [{"source_group_id": account.groups["alb"], "protocol": "tcp", "from_port": 80, "to_port": 80, "description": "x"}],
                "grants": [{"group_id": account.groups["db"], "group_name": "db", "protocol": "tcp", "from_port": 3306, "to_port": 3306, "description": "x"}],
                "load_balancer_egress": [],
            }
        },
        "fargate_task_definitions": {"task_definitions": [DEFINITION]},
        "fargate_load_balancer": {
            "load_balancer": {
                "name": "shop-fargate",
                "scheme": "internet-facing",
                "ip_address_type": "ipv4",
                "subnets": account.subnets[:2],
                "security_groups": [account.groups["alb"]],
                "attributes": {"idle_timeout.timeout_seconds": "75"},
                "web_acl_arn": None,
                "deletion_protection": False,
                "tags": SYSTEM,
                "target_groups": [{**group, "ip_address_type": "ipv4", "health_check": {"HealthCheckPath": "/up"}, "attributes": {}, "tags": SYSTEM}],
                "listeners": [
                    {**listener, "mutual_authentication": None, "attributes": {}, "default_actions": [forward], "rules": [rule], "tags": SYSTEM},
                ],
            }
        },
        "fargate_services": {
            "services": [
                {
                    **service,
                    "platform_version": "LATEST",
                    "security_group": "shop-fargate",
                    "assign_public_ip": "DISABLED",
                    "load_balancers": [{"target_group": "shop-web", "container_name": "nginx", "container_port": 80}],
                    "health_check_grace_period_seconds": None,
                    "deployment_configuration": {"maximumPercent": 200},
                    "enable_execute_command": False,
                    "propagate_tags": "SERVICE",
                    "enable_ecs_managed_tags": False,
                    "availability_zone_rebalancing": "DISABLED",
                    "tags": SYSTEM,
                }
            ],
            "task_definitions": [DEFINITION],
        },
        "fargate_deployments": {
            "deployments": [{"service": "web", "cluster": "shop-fargate", "held": cautious, "serving": cautious, "alarms": [errors], "tags": SYSTEM}],
            "hold": True,
        },
        "fargate_alarms": {"alarms": [{**alarm, "threshold": 1, "alarm_actions": [], "tags": SYSTEM}]},
    }


MODULES = sorted(
    [
        *("fargate_alarms", "fargate_cluster", "fargate_deployments", "fargate_execution_role", "fargate_load_balancer", "fargate_security_groups"),
        *("fargate_services", "fargate_task_definitions"),
    ]
)


def start(name: str, arguments: dict[str, t.Any], capsys: pytest.CaptureFixture[str]) -> dict[str, t.Any]:
    """Run the module in check mode and diff mode; give what Ansible would read."""
    module = importlib.import_module(f"{PACKAGE}.{name}")
    common = {"region": REGION, "secret_key": "unusual", "access_key": "test", "_ansible_check_mode": True, "_ansible_diff": True}
    with patch_module_args({**arguments, **common}), pytest.raises(SystemExit):
        module.main()
    return dict(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize("name", MODULES)
def test_a_section_of_the_plan_is_understood_before_anything_exists(account: Account, capsys: pytest.CaptureFixture[str], name: str) -> None:
    result = start(name, sections(account)[name], capsys)
    assert not result.get("failed"), result
    assert result["changed"] is True
    assert result["changes"]
    assert result["diff"]["before"] != result["diff"]["after"]


@pytest.mark.parametrize("name", MODULES)
def test_no_secret_leaves_a_module_and_the_rest_stays_readable(account: Account, capsys: pytest.CaptureFixture[str], name: str) -> None:
    result = start(name, sections(account)[name], capsys)
    assert not [secret for secret in (*SECRETS, "unusual") if secret in json.dumps(result)]
    arguments = result.pop("invocation")["module_args"]
    assert "NO_LOG" not in json.dumps([result, {key: arguments[key] for key in sections(account)[name]}])
    assert "shop" in json.dumps(result)


@pytest.mark.parametrize("name", MODULES)
def test_documented_options_are_the_options(name: str) -> None:
    module = importlib.import_module(f"{PACKAGE}.{name}")
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    assert shape(documented, "suboptions") == shape(module.ARGUMENT_SPEC, "options")


def shape(options: dict[str, t.Any], nested: str) -> dict[str, t.Any]:
    """What documentation and argument spec must say alike."""
    members = ("type", "elements", "required", "default", "choices")
    return {
        name: {**{key: option[key] for key in members if key in option}, **({"in": shape(option[nested], nested)} if nested in option else {})}
        for name, option in options.items()
    }


@pytest.mark.parametrize("name", MODULES)
def test_returned_keys_are_documented(account: Account, capsys: pytest.CaptureFixture[str], name: str) -> None:
    module = importlib.import_module(f"{PACKAGE}.{name}")
    result = start(name, sections(account)[name], capsys)
    assert set(result) - {"changed", "diff", "invocation", "warnings", "deprecations"} == set(yaml.safe_load(module.RETURN))


SECTIONS = {
    "fargate_cluster": "cluster",
    "fargate_execution_role": "execution_role",
    "fargate_security_groups": "security",
    "fargate_task_definitions": "task_definitions",
    "fargate_load_balancer": "load_balancer",
    "fargate_services": "services",
    "fargate_alarms": "alarms",
    "fargate_deployments": "deployments",
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_plan_says_is_what_the_modules_take(case: str) -> None:
    """The contract between part and part: every key of a golden plan is an option. A section that is null is not applied."""
    plan = make_plan(make_system(case), **make_intent(case))
    for name, section in SECTIONS.items():
        if plan[section] is not None:
            spec = importlib.import_module(f"{PACKAGE}.{name}").ARGUMENT_SPEC
            assert ArgumentSpecValidator(spec).validate({section: plan[section], **({"hold": True} if "hold" in spec else {})}).error_messages == [], name
