"""The ready-made IAM policies: made from the table, allowing nothing that no code calls, lacking nothing that code calls by name."""

from __future__ import annotations

import ast
import functools
import itertools
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session
from cfnlint.api import lint
from cfnlint.core import get_rules
from policies.calls import BESIDE, PREFIXES, REGISTRY, STOCK, action
from policies.documents import LIMIT, actions, document, made, path, refused
from policies.table import DOCUMENTS, PLAYBOOKS, READING, TAG

ROOT = Path(__file__).parents[3]
READS = re.compile(r"[a-z0-9-]+:(Describe|List|Get|BatchGet|Filter|Test)[A-Za-z0-9]+")
SERVICES = (
    *("ecs", "elbv2", "elb", "ec2", "cloudwatch", "logs", "iam", "route53", "autoscaling", "application-autoscaling", "ecr", "wafv2", "rds"),
    *("elasticache", "events", "scheduler", "service-quotas", "sts", "servicediscovery", "vpc-lattice", "resourcegroupstaggingapi", "secretsmanager", "ssm", "kms", "efs"),
)
# Long, but real: the account's number, a region and names as people give them.
FILLED = {
    "ACCOUNT_ID": "123456789012",
    "REGION": "ap-southeast-2",
    "EXECUTION_ROLE": "ecsTaskExecutionRole",
    "TASK_ROLE": "shop-task-role",
    "INFRASTRUCTURE_ROLE": "ecsInfrastructureRole",
    "ZONE_ID": "Z" * 21,
}


@functools.cache
def operations() -> dict[str, dict[str, str]]:
    """Service -> method of boto3 -> action."""
    session = get_session()
    return {service: {xform_name(name): action(service, name) for name in session.get_service_model(service).operation_names} for service in SERVICES}


@functools.cache
def trees() -> list[ast.AST]:
    return [ast.parse(path.read_text()) for path in sorted((ROOT / "plugins").rglob("*.py"))]


@functools.cache
def words() -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """Every attribute and string of the code, and the f-strings, in which anything may stand where something is filled in."""
    nodes = [node for tree in trees() for node in ast.walk(tree)]
    plain = {node.attr if isinstance(node, ast.Attribute) else text(node) for node in nodes if isinstance(node, (ast.Attribute, ast.Constant))}
    formatted = {text(node) for node in nodes if isinstance(node, ast.JoinedStr)}
    return frozenset(plain), tuple(re.compile(each.replace("*", "[a-z_]+")) for each in formatted if re.fullmatch(r"[a-z_]{8,}\*|[a-z_]*\*[a-z_]{8,}", each))


def text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
    return ""


def matching(word: str, service: str) -> Iterator[str]:
    """The actions that a word, with ``*`` in it or not, stands for."""
    pattern = re.compile(word.replace("*", "[a-z_]+"))
    return (name for method, name in operations()[service].items() if pattern.fullmatch(method))


def called() -> set[str]:
    """What stands in the code as service and operation side by side, as in ``Call(text, "ecs", "create_cluster", ...)``, or as ``clients("ecs").create_cluster``."""
    found: set[str] = set()
    for node in (node for tree in trees() for node in ast.walk(tree)):
        values = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
        for service, operation in itertools.pairwise(values):
            if isinstance(service, ast.Constant) and service.value in operations() and text(operation):
                found.update(matching(text(operation), str(service.value)))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Call) and node.value.args and getattr(node.value.func, "id", "") == "clients" and text(node.value.args[0]) in operations():
            found.update(matching(node.attr, text(node.value.args[0])))
    return found


@pytest.mark.parametrize("playbook", DOCUMENTS)
def test_the_document_is_what_the_table_says(playbook: str) -> None:
    wanted = json.dumps(document(playbook), indent=2) + "\n"
    if os.environ.get("CUTOVER_GOLDEN") == "write":
        path(playbook).write_text(wanted)
    assert path(playbook).read_text() == wanted


def test_there_is_one_document_for_each_playbook() -> None:
    assert {file.stem for file in path("plan").parent.glob("*.json")} == set(DOCUMENTS)
    assert set(PLAYBOOKS) == {file.stem for file in (ROOT / "playbooks").glob("*.yml")}


@pytest.mark.parametrize("playbook", DOCUMENTS)
def test_a_document_fits_into_a_managed_policy_when_it_is_filled_in(playbook: str) -> None:
    filled = json.dumps(document(playbook))
    for word, value in FILLED.items():
        filled = filled.replace(word, value)
    assert len(re.sub(r"\s", "", filled)) <= LIMIT
    sids = [item["Sid"] for item in document(playbook)["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(re.fullmatch("[A-Za-z0-9]+", sid) for sid in sids)


def complaints(policies: dict[str, dict[str, Any]]) -> set[str]:
    """What cfn-lint says of policies: their schema, and whether AWS has the actions."""
    resources = {name.replace("_", ""): {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": policy}} for name, policy in policies.items()}
    text = json.dumps({"Resources": resources})
    for word, value in FILLED.items():
        text = text.replace(word, value)
    rules = get_rules([], [], ["E3510", "W3037"], mandatory_rules=[], include_experimental=False)
    return {match.rule.id for match in lint(text, rules=rules, regions=["eu-west-1"])}


def test_cfn_lint_knows_the_actions_and_takes_the_form() -> None:
    assert complaints({playbook: document(playbook) for playbook in DOCUMENTS}) == set()
    wrong = document("cutover")
    wrong["Statement"][0]["Action"] = ["ecs:DeleteServices"]
    wrong["Statement"][1]["Effect"] = "Alow"
    assert complaints({"wrong": wrong}) == {"E3510", "W3037"}


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_no_policy_allows_what_no_code_calls(playbook: str) -> None:
    plain, formatted = words()
    services = {PREFIXES.get(service, service): service for service in SERVICES if service != "elb"}
    for name in actions(playbook) - {beside for items in BESIDE.values() for beside in items} - {*REGISTRY, *STOCK}:
        prefix, _colon, operation = name.partition(":")
        method = xform_name(operation)
        assert name in operations()[services[prefix]].values(), f"{name} is no action"
        assert method in plain or any(pattern.fullmatch(method) for pattern in formatted), f"no code calls {name}"


def test_every_call_of_the_code_is_allowed_by_some_policy() -> None:
    allowed = set().union(*(actions(playbook) for playbook in PLAYBOOKS))
    found = called()
    assert {"ecs:CreateService", "ec2:RevokeSecurityGroupIngress", "elasticloadbalancing:ModifyRule", "autoscaling:UpdateAutoScalingGroup"} <= found
    assert found - allowed == set()


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_with_an_action_comes_what_aws_asks_for_beside_it(playbook: str) -> None:
    mine = actions(playbook)
    tags_only_new = {"application-autoscaling:TagResource", "iam:CreateServiceLinkedRole"}  # scaling in again registers what exists
    for name in mine & set(BESIDE):
        lacking = set(BESIDE[name]) - mine
        assert lacking <= (tags_only_new if name == "application-autoscaling:RegisterScalableTarget" else set()), f"{name} needs {lacking}"


@pytest.mark.parametrize("playbook", READING)
def test_who_only_reads_may_only_read(playbook: str) -> None:
    assert [name for name in actions(playbook) if not READS.fullmatch(name)] == []


def test_roles_are_passed_to_tasks_only_and_abandon_deletes_only_what_carries_the_tag() -> None:
    for playbook in PLAYBOOKS:
        for item in PLAYBOOKS[playbook]:
            if "iam:PassRole" in item.actions:
                receiver = "ecs.amazonaws.com" if item.sid == "PassInfrastructureRole" else "ecs-tasks.amazonaws.com"
                assert item.conditions == {"StringEquals": {"iam:PassedToService": receiver}}
                assert "*" not in "".join(item.resources)
    free = [name for item in PLAYBOOKS["abandon"] for name in item.actions if ":Delete" in name and f"aws:ResourceTag/{TAG}" not in str(item.conditions)]
    assert free == []


def call(service: str, operation: str, /, **parameters: object) -> dict[str, object]:
    return {"service": service, "operation": operation, "parameters": parameters}


def test_what_a_policy_refuses() -> None:
    """The judge of the runs in the lab is no rubber stamp."""
    ours = {"shop-fargate"}
    tags = [{"key": TAG, "value": "shop"}]
    assert refused("prepare", [call("ecs", "CreateCluster", clusterName="x", tags=tags)], ours, "shop") == []
    assert refused("prepare", [call("ecs", "CreateCluster", clusterName="x")], ours, "shop") == ["ecs:CreateCluster"]
    assert refused("prepare", [call("ecs", "UpdateService", cluster="shop-fargate", service="web")], ours, "shop") == []
    assert refused("prepare", [call("ecs", "UpdateService", cluster="shop", service="web")], ours, "shop") == ["ecs:UpdateService"]
    assert refused("abandon", [call("elbv2", "DeleteLoadBalancer", LoadBalancerArn="arn:x:loadbalancer/app/shop/1")], ours, "shop") == [
        "elasticloadbalancing:DeleteLoadBalancer"
    ]
    assert refused("scale_in", [call("ecs", "TagResource", resourceArn="arn:x", tags=[{"key": "Team", "value": "web"}])], ours, "shop") == ["ecs:TagResource"]
    assert refused("plan", [call("logs", "FilterLogEvents")], ours, "shop") == ["logs:FilterLogEvents"]
    assert refused("cutover", [call("ecs", "DeleteService", cluster="shop-fargate")], ours, "shop") == ["ecs:DeleteService"]
    assert made([call("ecs", "CreateCluster", clusterName="shop-fargate", tags=tags), call("ecs", "CreateCluster", clusterName="y")], "shop") == ours
