# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Where the EFS file systems can be mounted that the tasks mount, or will mount by the inventory's answers."""

from __future__ import annotations

import typing as t

from .read import Reader, Shape, each, unique

GONE = ["FileSystemNotFound"]


def read_mount_targets(read: Reader, services: t.Sequence[Shape], answered: t.Sequence[str], vpc_id: str, path: str) -> dict[str, list[Shape]]:
    """``mount_targets`` of a side: file system -> its mount targets in the VPC. One that could not be read is left out, and none is asked for needlessly."""
    volumes = [volume for service in services for volume in (service.get("TaskDefinition") or {}).get("volumes") or []]
    wanted = unique([*((volume.get("efsVolumeConfiguration") or {}).get("fileSystemId", "") for volume in volumes), *answered])
    found = dict(zip(wanted, each(lambda system: _mount_targets(read, system, path), wanted), strict=True))
    here = {system: [item for item in targets if item.get("VpcId") in (None, vpc_id)] for system, targets in found.items() if targets is not None}
    groups = _groups(read, [item["NetworkInterfaceId"] for targets in here.values() for item in targets], path)
    return {system: [{**item, "Groups": groups.get(item["NetworkInterfaceId"], [])} for item in targets] for system, targets in here.items()}


def answers(volumes: t.Any) -> list[str]:
    """File systems that ``fargate_volumes`` names."""
    given = volumes.values() if isinstance(volumes, t.Mapping) else []
    return unique(str(answer.get("efs") or "") for answer in given if isinstance(answer, t.Mapping))


def _mount_targets(read: Reader, system: str, path: str) -> list[Shape] | None:
    return read.if_possible(f"{path}.mount_targets", None, lambda: read.all("efs", "describe_mount_targets", "MountTargets", FileSystemId=system), GONE)


def _groups(read: Reader, interfaces: t.Sequence[str], path: str) -> dict[str, list[str]]:
    """Interface -> its security groups."""
    if not interfaces:
        return {}
    which = [{"Name": "network-interface-id", "Values": list(interfaces)}]
    found = read.if_possible(f"{path}.mount_targets", [], lambda: read.all("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=which))
    return {item["NetworkInterfaceId"]: [group["GroupId"] for group in item.get("Groups", [])] for item in found}
