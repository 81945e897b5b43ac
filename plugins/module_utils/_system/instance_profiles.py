# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the instances may do: a container without task role borrows it, and has nothing to borrow on Fargate."""

from __future__ import annotations

import typing as t

from .._aws import tags
from .read import Reader, Shape, each, unique
from .roles import GONE, read_policies


def read_instance_profiles(read: Reader, instances: t.Sequence[Shape], groups: t.Sequence[Shape], path: str) -> list[Shape]:
    """``capacity.instance_profiles``: ``{InstanceProfileName, Arn, Tags, Roles: [{RoleName, Arn, AttachedPolicies, InlinePolicies, Policies}]}``."""
    data = [(group["LaunchTemplate"] or {}).get("LaunchTemplateData") or {} for group in groups]
    used = [*(instance.get("IamInstanceProfile") or {} for instance in instances), *(item.get("IamInstanceProfile") or {} for item in data)]
    names = sorted(unique(_name(item) for item in used))
    where = f"{path}.capacity.instance_profiles"
    return [found for found in each(lambda name: read.if_possible(where, None, lambda: _profile(read, name), GONE), names) if found]


def _name(profile: t.Mapping[str, str]) -> str:
    return profile.get("Name") or profile.get("Arn", "").rpartition("/")[2]


def _profile(read: Reader, name: str) -> Shape:
    found = read.one("iam", "get_instance_profile", InstanceProfileName=name)["InstanceProfile"]
    roles = each(lambda role: _role(read, role), found.get("Roles", []))
    return {"InstanceProfileName": name, "Arn": found["Arn"], "Tags": tags.to_dict(found.get("Tags")), "Roles": roles}


def _role(read: Reader, role: Shape) -> Shape:
    return {"RoleName": role["RoleName"], "Arn": role["Arn"], **read_policies(read, role["RoleName"])}
