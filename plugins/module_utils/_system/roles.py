# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""IAM roles with what their policies say: those of the task definitions, the target's execution role, those of the instance profiles."""

from __future__ import annotations

import typing as t

from .._aws import tags
from .read import Reader, Shape, each, together, unique

GONE = ["NoSuchEntity", "NoSuchEntityException"]


def read_roles(read: Reader, services: t.Sequence[Shape], names: t.Sequence[str], path: str) -> list[Shape]:
    """``roles`` of a side: ``{RoleName, Arn, TrustedServices: [principal], AttachedPolicies, InlinePolicies, Policies: {name: [statement]}, Tags}``.

    Those that the services' task definitions name, ECS's infrastructure roles that the services name, and ``names``, as far as they exist.
    """
    definitions = [service["TaskDefinition"] or {} for service in services]
    used = [definition.get(key, "") for definition in definitions for key in ("taskRoleArn", "executionRoleArn")]
    used += [arn for service in services for arn in _infrastructure(service)]
    wanted = sorted(unique([*(arn.rpartition("/")[2] for arn in used), *names]))
    found = each(lambda name: read.if_possible(f"{path}.roles", None, lambda: _role(read, name), GONE), wanted)
    return [role for role in found if role]


def _infrastructure(service: Shape) -> t.Iterator[str]:
    """By which ECS makes the tasks' EBS volumes and registers the tasks with VPC Lattice."""
    for deployment in service.get("deployments") or []:
        yield from ((volume.get("managedEBSVolume") or {}).get("roleArn", "") for volume in deployment.get("volumeConfigurations") or [])
        yield from (item.get("roleArn", "") for item in deployment.get("vpcLatticeConfigurations") or [])


def read_policies(read: Reader, name: str) -> Shape:
    """``AttachedPolicies``, ``InlinePolicies`` (names) and ``Policies`` (their statements) of a role."""
    answers = together(
        attached=lambda: read.all("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name),
        inline=lambda: read.all("iam", "list_role_policies", "PolicyNames", RoleName=name),
    )
    attached = {policy["PolicyName"]: policy["PolicyArn"] for policy in answers["attached"]}
    documents = {
        **dict(zip(attached, each(lambda arn: _managed(read, arn), attached.values()), strict=True)),
        **dict(zip(answers["inline"], each(lambda policy: _inline(read, name, policy), answers["inline"]), strict=True)),
    }
    return {"AttachedPolicies": sorted(attached), "InlinePolicies": sorted(answers["inline"]), "Policies": documents}


def _role(read: Reader, name: str) -> Shape:
    role = read.one("iam", "get_role", RoleName=name)["Role"]
    principals = [statement.get("Principal") for statement in _statements(role.get("AssumeRolePolicyDocument"))]
    trusted = [service for principal in principals if isinstance(principal, dict) for service in _many(principal.get("Service"))]
    return {"RoleName": name, "Arn": role["Arn"], "TrustedServices": sorted(trusted), **read_policies(read, name), "Tags": tags.to_dict(role.get("Tags"))}


def _managed(read: Reader, arn: str) -> list[Shape]:
    """The version in force. The same policy hangs on many roles, so it is read once."""

    def ask() -> list[Shape]:
        version = read.one("iam", "get_policy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return _statements(read.one("iam", "get_policy_version", PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])

    return read.once(f"policy {arn}", ask)


def _inline(read: Reader, role: str, policy: str) -> list[Shape]:
    return _statements(read.one("iam", "get_role_policy", RoleName=role, PolicyName=policy)["PolicyDocument"])


def _statements(document: t.Any) -> list[Shape]:
    return [item for item in _many(document.get("Statement")) if isinstance(item, dict)] if isinstance(document, dict) else []


def _many(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
