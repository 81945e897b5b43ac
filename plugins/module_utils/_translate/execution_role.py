# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The execution role: on EC2 the instance's role did its work. fargate-rules.md 1 executionRoleArn, 5"""

from __future__ import annotations

import typing as t

from .context import Context, Json, short
from .findings import Finding, found

MANAGED_POLICY = "service-role/AmazonECSTaskExecutionRolePolicy"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def given_arn(context: Context) -> str | None:
    """The inventory's ``fargate_execution_role``, when it is an ARN; a name is a role that we may create."""
    given = str(context.intent.get("execution_role") or "")
    return given if given.startswith("arn:") else None


def name(context: Context) -> str:
    given = str(context.intent.get("execution_role") or "")
    return short(given) if given else context.names["execution_role"]


def arn(context: Context) -> str:
    """The role's ARN: known before it exists, since path and name are ours."""
    return given_arn(context) or f"arn:{context.partition}:iam::{context.account_id}:role/{name(context)}"


def role(draft: Json, context: Context, path: str) -> t.Iterator[Finding]:
    """Fargate needs an execution role for ECR images and awslogs; one that the definition has is kept. fargate-rules.md 1 executionRoleArn"""
    existing = draft.get("executionRoleArn")
    if existing and not context.intent.get("execution_role"):
        return
    draft["executionRoleArn"] = arn(context)
    yield found("FG-EXECUTION-ROLE", f"{path}.executionRoleArn", existing, draft["executionRoleArn"])


def section(definitions: t.Sequence[Json], context: Context) -> Json:
    """What the plan says about the role: ``arn`` is set when every definition brings an existing one, so that none is created."""
    used = list(dict.fromkeys(str(definition["executionRoleArn"]) for definition in definitions if definition.get("executionRoleArn")))
    existing = [role_arn for role_arn in used if role_arn != arn(context) or given_arn(context)]
    kept = existing[0] if existing and len(existing) == len(used) else None
    return {
        "name": short(kept) if kept else name(context),
        "arn": kept,
        "managed_policy_arns": [f"arn:{context.partition}:iam::aws:policy/{MANAGED_POLICY}"],
        "assume_role_policy": TRUST,
        "tags": dict(context.own_tags),
    }
