# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Rights that the tasks need and may not have: the execution role's by resource, and those that came from the instance profile. fargate-rules.md 4, 5"""

from __future__ import annotations

import re
import typing as t

from . import execution_role, image, instance
from .context import SYSTEM_TAG, Context, Json
from .findings import Finding, found
from .logs import group_of

Need = t.Tuple[str, str]
"""Action and resource."""

TASKS = "ecs-tasks.amazonaws.com"
ECS = "ecs.amazonaws.com"
PULL = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")
WRITE = ("logs:CreateLogStream", "logs:PutLogEvents")
# Policies of ECS's agent and of the usual agents beside it: an application has no use for them.
AGENT_POLICIES = frozenset(
    {
        "AmazonEC2ContainerServiceforEC2Role",
        "AmazonEC2ContainerRegistryReadOnly",
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonSSMManagedInstanceCore",
        "AmazonEC2RoleforSSM",
        "AmazonSSMPatchAssociation",
        "CloudWatchAgentServerPolicy",
    }
)


def instance_profile(draft: Json, context: Context, path: str) -> t.Iterator[Finding]:
    """What a task without a role could do by the instance's role and can't on Fargate. With ECS's own policies only it was nothing. fargate-rules.md 1, 4"""
    if draft.get("taskRoleArn"):
        return
    profiles = (context.source.get("capacity") or {}).get("instance_profiles") or []
    extra = [text for profile in profiles for role in profile.get("Roles") or [] for text in _extra(role)]
    if instance.has_keys(draft):
        yield found("FG-NO-TASK-ROLE", f"{path}.taskRoleArn", None)
    elif profiles and not extra:
        yield found("FG-NO-INSTANCE-RIGHTS", f"{path}.taskRoleArn", ", ".join(str(profile.get("InstanceProfileName")) for profile in profiles))
    else:
        yield found("FG-IMDS", f"{path}.taskRoleArn", "; ".join(extra) or None)


def _extra(role: Json) -> list[str]:
    """``role ecs: uploads (s3:PutObject), mail (ses:SendEmail)``."""
    names = [name for name in [*(role.get("AttachedPolicies") or []), *(role.get("InlinePolicies") or [])] if name not in AGENT_POLICIES]
    allowed = {name: actions((role.get("Policies") or {}).get(name) or []) for name in names}
    told = [f"{name} ({', '.join(allowed[name])})" if allowed[name] else str(name) for name in names]
    return [f"role {role.get('RoleName')}: {', '.join(told)}"] if told else []


def actions(statements: t.Sequence[Json]) -> list[str]:
    """What statements allow, without resources."""
    return sorted({str(action) for statement in statements if statement.get("Effect") == "Allow" for action in _many(statement.get("Action"))})


def execution(draft: Json, context: Context, path: str) -> t.Iterator[Finding]:
    """What the tasks pull, write and read, by resource: beside the managed policy, for a role that we create; else as its policies say. fargate-rules.md 5

    A role of our name that somebody else made is used as it is: nothing is attached to it.
    """
    arn = str(draft.get("executionRoleArn"))
    role = _known(arn, context)
    ours = not role or (role.get("Tags") or {}).get(SYSTEM_TAG) == context.name
    created = ours and arn == execution_role.arn(context) and execution_role.given_arn(context) is None
    wanted = [need for need in dict.fromkeys([*needs(draft, context), *keys(draft, context)]) if not (created and need[0].startswith(("ecr:", "logs:")))]
    lacking = [need for need in wanted if not allows(_statements(role), *need)]
    if created and lacking:
        yield found("FG-EXECUTION-ROLE-SECRETS", f"{path}.executionRoleArn", arn, _told(lacking))
    elif lacking and "Policies" in role:
        yield found("FG-EXECUTION-ROLE-LACKS", f"{path}.executionRoleArn", arn, _told(lacking))


def trust(draft: Json, context: Context, path: str) -> t.Iterator[Finding]:
    """ "ECS was unable to assume the role": task and execution roles must trust the tasks. fargate-rules.md 1 taskRoleArn, 5"""
    for key in ("taskRoleArn", "executionRoleArn"):
        trusted = _known(str(draft.get(key)), context).get("TrustedServices")
        if trusted is not None and TASKS not in trusted:
            yield found("FG-ROLE-TRUST", f"{path}.{key}", ", ".join(trusted) or None, TASKS)


def infrastructure(arn: str, context: Context, path: str) -> t.Iterator[Finding]:
    """ECS itself assumes the infrastructure role. fargate-rules.md 7 volumeConfigurations, vpcLatticeConfigurations"""
    trusted = _known(arn, context).get("TrustedServices")
    if trusted is not None and ECS not in trusted:
        yield found("FG-INFRASTRUCTURE-ROLE", path, ", ".join(trusted) or None, ECS)


def is_read(arn: str, context: Context) -> bool:
    """Whether it is known whom a role trusts; who must be trusted is told otherwise."""
    return _known(arn, context).get("TrustedServices") is not None


def _known(arn: str, context: Context) -> Json:
    """A role as discovery read it; empty when it doesn't exist or wasn't read."""
    return next((role for role in context.source.get("roles") or [] if role.get("Arn") == arn), {})


def needs(definition: Json, context: Context) -> t.Iterator[Need]:
    """Actions and resources of one task definition's pull, logs, secrets and environment files. fargate-rules.md 5"""
    for container in definition.get("containerDefinitions") or []:
        source = str(container.get("image") or "")
        if image.ecr_region(source):
            yield "ecr:GetAuthorizationToken", "*"
            reference = image.parse(source)
            account, region = reference.host.split(".")[0], image.ecr_region(source)
            yield from ((action, f"arn:{context.partition}:ecr:{region}:{account}:repository/{reference.repository}") for action in PULL)
        group = group_of(container)
        if group:
            yield from ((action, f"arn:{context.partition}:logs:{context.region}:{context.account_id}:log-group:{group}:*") for action in WRITE)
        yield from _secrets(container, context)
        for file in container.get("environmentFiles") or []:
            yield "s3:GetObject", str(file.get("value"))
            yield "s3:GetBucketLocation", str(file.get("value")).partition("/")[0]


def keys(definition: Json, context: Context) -> t.Iterator[Need]:
    """``kms:Decrypt`` for secrets with a customer's key, "only customer keys". fargate-rules.md 5

    What a role decrypts on EC2 already it may decrypt: there, too, the execution role reads the secrets, and the key's own policy may be what allows it.
    """
    arn = str(definition.get("executionRoleArn"))
    before = [service.get("TaskDefinition") or {} for service in context.source_services]
    known = {name for task in before if task.get("executionRoleArn") == arn for name in _all_secrets(task)}
    key_of = context.source.get("secret_keys") or {}
    yield from (("kms:Decrypt", key_of[name]) for name in _all_secrets(definition) if name in key_of and name not in known)


def _all_secrets(definition: Json) -> list[str]:
    return [name for container in definition.get("containerDefinitions") or [] for name in secret_names(container)]


def secret_names(container: Json) -> list[str]:
    """ARNs and names of parameters, without JSON key, stage and version."""
    log = container.get("logConfiguration") or {}
    values = [str(item.get("valueFrom") or "") for item in [*(container.get("secrets") or []), *(log.get("secretOptions") or [])]]
    values += [str((container.get("repositoryCredentials") or {}).get("credentialsParameter") or "")]
    return [":".join(value.split(":")[:7]) for value in values if value]


def _secrets(container: Json, context: Context) -> t.Iterator[Need]:
    for value in secret_names(container):
        if ":secretsmanager:" in value:
            yield "secretsmanager:GetSecretValue", value
        else:
            named = value if value.startswith("arn:") else f"arn:{context.partition}:ssm:{context.region}:{context.account_id}:parameter/{value.lstrip('/')}"
            yield "ssm:GetParameters", named


def allows(statements: t.Sequence[Json], action: str, resource: str) -> bool:
    """Whether IAM statements allow it, conditions taken as fulfilled. A denial without conditions wins. [D IAM/reference_policies_evaluation-logic]"""
    fitting = [statement for statement in statements if _fits(statement, action, resource)]
    denied = any(statement.get("Effect") == "Deny" and not statement.get("Condition") for statement in fitting)
    return not denied and any(statement.get("Effect") == "Allow" for statement in fitting)


def _fits(statement: Json, action: str, resource: str) -> bool:
    if "NotAction" in statement:
        acts = not any(_like(pattern, action) for pattern in _many(statement["NotAction"]))
    else:
        acts = any(_like(pattern, action) for pattern in _many(statement.get("Action")))
    if "NotResource" in statement:
        return acts and not any(_like(pattern, resource) for pattern in _many(statement["NotResource"]))
    return acts and any(_like(pattern, resource) for pattern in _many(statement.get("Resource")))


def _like(pattern: t.Any, value: str) -> bool:
    """IAM's wildcards: ``*`` and ``?``. Names of actions have no case; resources with another one are not worth an alarm."""
    expression = "".join(".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", str(pattern)))
    return re.fullmatch(expression, value, re.IGNORECASE | re.DOTALL) is not None


def _statements(role: Json) -> list[Json]:
    return [statement for statements in (role.get("Policies") or {}).values() for statement in statements]


def _many(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _told(pairs: t.Iterable[Need]) -> str:
    """``a:X, a:Y on arn; b:Z on arn``: one entry for each resource."""
    by_resource: dict[str, list[str]] = {}
    for action, resource in pairs:
        by_resource.setdefault(resource, []).append(action)
    return "; ".join(f"{', '.join(names)} on {resource}" for resource, names in by_resource.items())


RULES = (instance_profile, execution, trust)
