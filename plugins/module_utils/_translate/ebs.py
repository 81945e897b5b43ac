# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""EBS volumes that a service attaches to its tasks: the task definition names them, the service says what they are.

fargate-rules.md 3 configuredAtLaunch, 7 volumeConfigurations
"""

from __future__ import annotations

import copy
import typing as t

from . import rights
from .context import Context, Json, deployed, tag_list
from .findings import Finding, found

if t.TYPE_CHECKING:
    from .task_definition import Translated

MEMBER = "volumeConfigurations"
RESERVED = ("aws:", "cutover:", "amazonecscreated", "amazonecsmanaged")
"""Tags that AWS or this collection sets. [B EBSTagSpecification.tags]"""


def configurations(service: Json, task: Translated, context: Context, path: str) -> tuple[list[Json], list[Finding]]:
    """CreateService's member: each whole, for the volumes that the new task definition still attaches. fargate-rules.md 7 volumeConfigurations"""
    given = {str(item.get("name")): item for item in deployed(service, MEMBER)}
    found_there, attached = names(task.source), names(task.definition)
    findings = [found("FG-EBS-NAME", f"{path}.{MEMBER}", None, name) for name in attached if name not in given]
    findings += [found("FG-EBS-NAME", f"{path}.{MEMBER}[{name}]", name) for name in given if name not in found_there]
    plan = []
    for name in attached:
        if name in given:
            item = copy.deepcopy(given[name])
            findings += _managed(item.get("managedEBSVolume") or {}, context, f"{path}.{MEMBER}[{name}]")
            plan.append(item)
    return plan, findings


def names(definition: t.Mapping[str, t.Any]) -> list[str]:
    """The volumes of a task definition that are configured at launch."""
    return [str(volume.get("name")) for volume in definition.get("volumes") or [] if volume.get("configuredAtLaunch")]


def _managed(volume: Json, context: Context, path: str) -> t.Iterator[Finding]:
    """One EBS volume for each task. Nothing that is on the source's volumes moves. [D ecs/ebs-volumes], fargate-rules.md 7 volumeConfigurations"""
    where = f"{path}.managedEBSVolume"
    snapshot, size = volume.get("snapshotId"), volume.get("sizeInGiB")
    content = f"from snapshot {snapshot}" if snapshot else "empty"
    role = str(volume.get("roleArn") or "")
    unread = "" if rights.is_read(role, context) else " The infrastructure role must trust ecs.amazonaws.com, which could not be read."
    yield found("FG-EBS-VOLUME", path, None, f"a new volume for each task, {content}{f', {size} GiB' if size else ''}", role=unread)
    if volume.get("volumeType") == "standard":
        volume["volumeType"] = "gp3"
        yield found("FG-EBS-TYPE", f"{where}.volumeType", "standard", "gp3")
    yield from rights.infrastructure(role, context, f"{where}.roleArn")
    if volume:
        volume["tagSpecifications"] = _tags(volume.get("tagSpecifications") or [], context)


def _tags(specifications: t.Sequence[Json], context: Context) -> list[Json]:
    """The source's without the reserved ones, plus ours: where tags are propagated, those of the service and of the task definition have it already."""
    kept: list[Json] = []
    for specification in specifications or [{"resourceType": "volume"}]:
        tags = {str(item.get("key")): str(item.get("value", "")) for item in specification.get("tags") or []}
        mine = {key: value for key, value in tags.items() if not key.lower().startswith(RESERVED)}
        if specification.get("propagateTags") in (None, "NONE"):
            mine.update(context.own_tags)
        kept.append({**specification, "tags": tag_list(mine)})
    return kept


def volume(item: Json, before: t.Sequence[Json], mounted: t.Sequence[str], path: str) -> tuple[Json | None, list[Finding]]:
    """Kept when it is the task's only one and something mounts it. fargate-rules.md 3 configuredAtLaunch"""
    first = next((str(other.get("name")) for other in before if other.get("configuredAtLaunch")), None)
    if not mounted:
        return None, [found("FG-EBS-UNMOUNTED", path, True)]
    if first:
        plain = {key: value for key, value in item.items() if key != "configuredAtLaunch"}
        return {**plain, "host": {}}, [found("FG-EBS-SEVERAL", path, True, "ephemeral", first=first)]
    return item, []
