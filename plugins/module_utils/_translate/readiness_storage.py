# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Whether the tasks can mount their EFS file systems from where they are placed. fargate-rules.md 3 efsVolumeConfiguration"""

from __future__ import annotations

import typing as t

from . import network
from .context import Context, Json
from .findings import Finding, found
from .outline import Outline
from .readiness_network import admits

NFS = 2049


def file_systems(outline: Outline, context: Context) -> t.Iterator[Finding]:
    """A mount target in each zone of the tasks, which admits them on 2049; else "Failed to resolve", or a mount that times out. [D ecs/efs-volumes]

    The name of a file system leads to the mount target of the task's own zone, so one elsewhere is of no use. What was not read is told by FG-EFS.
    """
    volumes = [volume for definition in outline.definitions for volume in definition.get("volumes") or []]
    mounted = {str((volume.get("efsVolumeConfiguration") or {}).get("fileSystemId")) for volume in volumes}
    for system in sorted(mounted & set(context.source.get("mount_targets") or {})):
        for subnet in network.chosen(outline.placement, context):
            yield from _from(subnet, system, outline, context)


def _from(subnet: Json, system: str, outline: Outline, context: Context) -> t.Iterator[Finding]:
    zone, path = subnet.get("AvailabilityZone"), f"file_systems[{system}]"
    target = next((item for item in context.source["mount_targets"][system] if item.get("AvailabilityZoneName") == zone), None)
    if target is None:
        yield found("FG-EFS-ZONE", path, f"{zone} ({subnet.get('SubnetId')})")
    elif target.get("Groups") and not admits(target["Groups"], "mount_targets", NFS, subnet, outline, context):
        yield found("FG-EFS-CLOSED", f"{path}.mount_targets[{target.get('MountTargetId')}]", ", ".join(target["Groups"]))


RULES = (file_systems,)
