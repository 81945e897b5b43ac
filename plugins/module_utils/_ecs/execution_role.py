# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The execution role: pulls images and writes logs. On EC2 the instance's role did that. fargate-rules.md 1 executionRoleArn, 5"""

from __future__ import annotations

import json
import typing as t

from .._aws import tags as tagging
from .._aws.apply import CLOCK, Call, Clock, Ids, Ref, apply, overlay, report
from .._aws.clients import Clients
from .._aws.errors import error_code
from .._aws.run import KNOWN_AFTER_APPLY, ClientError

Dict = t.Dict[str, t.Any]
Section = t.Mapping[str, t.Any]

DESCRIPTION = "Pulls images and writes logs for tasks on Fargate"


def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool, clock: Clock = CLOCK) -> Dict:
    wanted = normalise(params["execution_role"])
    current = read(clients, wanted["name"])
    foreign = is_foreign(wanted, current)
    ids: Ids = {}
    changes = apply([] if foreign else compare(wanted, current), clients, ids, check_mode, clock)
    after = current if foreign else overlay(current, {**wanted, "policies": _united(wanted, current)})
    arn = current.get("arn") or ids.get(Ref("role", wanted["name"]), KNOWN_AFTER_APPLY)
    return report(changes, current, after, notes=_notes(wanted, current) if foreign else [], arn=arn)


def normalise(section: Section) -> Dict:
    return {
        "name": section["name"],
        "policies": sorted(section.get("managed_policy_arns") or []),
        "trust": section["assume_role_policy"],
        "tags": {key: str(value) for key, value in (section.get("tags") or {}).items()},
    }


def read(clients: Clients, name: str) -> Dict:
    """The role in the shape of the plan; ``{}`` when there is none."""
    client = clients("iam")
    try:
        role = client.get_role(RoleName=name)["Role"]
    except ClientError as error:
        if error_code(error) == "NoSuchEntity":
            return {}
        raise
    pages = client.get_paginator("list_attached_role_policies").paginate(RoleName=name)
    return {
        "name": name,
        "arn": role["Arn"],
        "policies": sorted(policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]),
        "trust": role["AssumeRolePolicyDocument"],
        "tags": tagging.to_dict(role.get("Tags")),
    }


def is_foreign(wanted: Section, current: Section) -> bool:
    """``ecsTaskExecutionRole`` is the name that AWS's console uses: often it exists and serves others. Then it is used as it is."""
    owner = wanted["tags"].get(tagging.SYSTEM)
    return bool(current) and owner is not None and current["tags"].get(tagging.SYSTEM) != owner


def compare(wanted: Section, current: Section) -> list[Call]:
    """Policies are attached, never detached."""
    name = wanted["name"]
    trust = json.dumps(wanted["trust"], sort_keys=True)
    calls = []
    if not current:
        params = {"RoleName": name, "AssumeRolePolicyDocument": trust, "Description": DESCRIPTION, "Tags": tagging.to_list(wanted["tags"])}
        calls.append(Call(f"create role {name}", "iam", "create_role", params, gives={Ref("role", name): ("Role", "Arn")}))
    elif wanted["trust"] != current["trust"]:
        calls.append(Call(f"set the trust policy of role {name}", "iam", "update_assume_role_policy", {"RoleName": name, "PolicyDocument": trust}))
    for policy in wanted["policies"]:
        if policy not in current.get("policies", []):
            calls.append(Call(f"attach {policy} to role {name}", "iam", "attach_role_policy", {"RoleName": name, "PolicyArn": policy}))
    missing = tagging.missing(wanted["tags"], current["tags"]) if current else {}
    if missing:
        calls.append(Call(f"tag role {name} with {', '.join(sorted(missing))}", "iam", "tag_role", {"RoleName": name, "Tags": tagging.to_list(missing)}))
    return calls


def _united(wanted: Section, current: Section) -> list[str]:
    return sorted({*current.get("policies", []), *wanted["policies"]})


def _notes(wanted: Section, current: Section) -> list[str]:
    name = wanted["name"]
    absent = [f"{policy} is not attached to role {name}." for policy in wanted["policies"] if policy not in current["policies"]]
    return [f"Role {name} has no tag {tagging.SYSTEM}={wanted['tags'][tagging.SYSTEM]}; it is used as it is.", *absent]
