# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a service attaches to its tasks, EBS volumes and target groups of VPC Lattice: wanted and described in one comparable form. Pure.

DescribeServices shows both in the deployments only, so the PRIMARY one tells what a service has.
"""

from __future__ import annotations

import typing as t

from .._aws import tags as tagging
from .._aws.apply import covers, overlay

Dict = t.Dict[str, t.Any]

MEMBERS = {"volumeConfigurations": "volume_configurations", "vpcLatticeConfigurations": "vpc_lattice_configurations"}
"""Members of CreateService by the plan's name."""

VOLUME_DEFAULTS = {"encrypted": False, "filesystemType": "xfs"}
"""What a volume without the member has. [B ServiceManagedEBSVolumeConfiguration]"""


def wanted(item: t.Mapping[str, t.Any]) -> Dict:
    """The members that the plan tells. No volume is a statement too: ECS refuses a configuration for one that the task definition has not.

    No target group is none: one that a person registered by hand stays.
    """
    told = {member: item.get(name) for member, name in MEMBERS.items()}
    return {member: list(value) for member, value in told.items() if value or (value is not None and member == "volumeConfigurations")}


def described(service: t.Mapping[str, t.Any]) -> Dict:
    """Both members of a described service in comparable form, AWS's defaults filled."""
    primary: Dict = next((each for each in service.get("deployments") or [] if each.get("status") == "PRIMARY"), {})
    found = {member: comparable(member, primary.get(member) or []) for member in MEMBERS}
    for volume in found["volumeConfigurations"].values():
        if volume.get("managedEBSVolume"):
            volume["managedEBSVolume"] = {**VOLUME_DEFAULTS, **volume["managedEBSVolume"]}
    return found


def comparable(member: str, value: t.Any) -> t.Any:
    """Lists by name: their order means nothing. Tags by key. Other members as they are."""
    if member == "vpcLatticeConfigurations":
        return {f"{item.get('targetGroupArn')} {item.get('portName')}": dict(item) for item in value}
    if member == "volumeConfigurations":
        return {str(item.get("name")): _volume(item) for item in value}
    return value


def _volume(item: t.Mapping[str, t.Any]) -> Dict:
    managed = item.get("managedEBSVolume")
    if not managed or "tagSpecifications" not in managed:
        return dict(item)
    given = {str(each.get("resourceType")): each for each in managed["tagSpecifications"] or []}
    tags = {kind: {"propagateTags": "NONE", **each, "tags": tagging.to_dict(each.get("tags"))} for kind, each in given.items()}
    return {**item, "managedEBSVolume": {**managed, "tagSpecifications": tags}}


def same(member: str, now: t.Any, value: t.Any) -> bool:
    """Whether a service has what the plan names. AWS keeps the list that it was given last, so one too many counts as well."""
    if member not in MEMBERS:
        return covers(now, value)
    return set(now) == set(comparable(member, value)) and covers(now, comparable(member, value))


def after(current: t.Mapping[str, t.Any], params: t.Mapping[str, t.Any]) -> Dict:
    """Both members as they will be, for the diff."""
    planned = {member: comparable(member, params[member]) for member in MEMBERS if member in params}
    return {member: {name: overlay((current.get(member) or {}).get(name), item) for name, item in value.items()} for member, value in planned.items()}
