# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Volumes: what a task may keep of its host's disk. fargate-rules.md 3"""

from __future__ import annotations

import re
import typing as t

from .context import Context, Json
from .findings import Finding, found

_AGENT = re.compile(r"^(/|/proc|/sys|/cgroup|/dev|/var/lib/docker|/(var/)?run/docker\.sock|/(var/)?run)/?$|^/(proc|sys|cgroup)/")
_TIME = re.compile(r"^(/etc/(localtime|timezone)|/usr/share/zoneinfo)(/|$)")
_SOCKET = re.compile(r"^/(var/)?run/(?!docker).*(php|fpm|sock|uwsgi|gunicorn|puma|unicorn)|\.sock$")


def translate(draft: Json, context: Context, path: str) -> t.Iterator[Finding]:
    """Every volume by its kind; an answer in the inventory (``fargate_volumes``) comes first."""
    kept: list[Json] = []
    answers = context.intent.get("volumes") or {}
    for volume in draft.get("volumes") or []:
        name = str(volume.get("name") or "")
        where = f"{path}.volumes[{name}]"
        if name in answers:
            result, findings = answered(volume, answers[name], where)
        else:
            result, findings = _by_kind(volume, where)
        yield from findings
        if result is None:
            _unmount(draft, name)
        else:
            kept.append(result)
    if "volumes" in draft:
        draft["volumes"] = kept


def answered(volume: Json, answer: t.Any, path: str) -> tuple[Json | None, list[Finding]]:
    """``{efs: fs-..., root_directory, access_point, iam}``, ``ephemeral`` or ``drop``. fargate-rules.md 3 host.sourcePath, efsVolumeConfiguration"""
    shown = {key: value for key, value in volume.items() if key != "name"}
    if answer == "drop":
        return None, [found("FG-VOLUME-DROPPED", path, shown)]
    if answer == "ephemeral":
        return {"name": volume.get("name"), "host": {}}, [found("FG-VOLUME-EPHEMERAL", path, shown, "ephemeral")]
    if isinstance(answer, t.Mapping) and answer.get("efs"):
        return {"name": volume.get("name"), "efsVolumeConfiguration": _efs(answer)}, [found("FG-EFS", path, shown, answer["efs"])]
    return {"name": volume.get("name"), "host": {}}, [found("FG-VOLUME-ANSWER", path, answer)]


def _efs(answer: t.Mapping[str, t.Any]) -> Json:
    configuration: Json = {"fileSystemId": str(answer["efs"]), "transitEncryption": "ENABLED"}
    if answer.get("root_directory"):
        configuration["rootDirectory"] = str(answer["root_directory"])
    authorization = {
        **({"accessPointId": str(answer["access_point"])} if answer.get("access_point") else {}),
        **({"iam": "ENABLED"} if answer.get("iam") else {}),
    }
    return {**configuration, **({"authorizationConfig": authorization} if authorization else {})}


def _by_kind(volume: Json, path: str) -> tuple[Json | None, list[Finding]]:
    """A volume names its kind by the member it has; each rule looks at its own. Members that are new to us survive."""
    findings: list[Finding] = []
    result: Json | None = volume
    for rule in (docker, fsx, efs, ebs, host_path):
        if result is not None:
            result, more = rule(result, path)
            findings += more
    return result, findings


def host_path(volume: Json, path: str) -> tuple[Json | None, list[Finding]]:
    """``host.sourcePath`` is refused ("do not support sourcePath"); the path tells what it was for. fargate-rules.md 3 host.sourcePath"""
    source = (volume.get("host") or {}).get("sourcePath")
    if source is None:
        return volume, []
    plain = {**volume, "host": {}}
    where = f"{path}.host.sourcePath"
    if _AGENT.search(source):
        return plain, [found("FG-HOST-AGENT", where, source)]
    if _TIME.search(source):
        return None, [found("FG-HOST-TIME", where, source)]
    if _SOCKET.search(source):
        return plain, [found("FG-HOST-SOCKET", where, source, "ephemeral")]
    return plain, [found("FG-HOST-PATH", where, source)]


def docker(volume: Json, path: str) -> tuple[Json, list[Finding]]:
    """A task-scoped local Docker volume is a plain bind mount; others were shared beyond the task. fargate-rules.md 3 dockerVolumeConfiguration"""
    configuration = volume.get("dockerVolumeConfiguration")
    if configuration is None:
        return volume, []
    private = configuration.get("scope", "task") == "task" and configuration.get("driver", "local") == "local" and not configuration.get("driverOpts")
    kind = "FG-DOCKER-VOLUME-TASK" if private and not configuration.get("autoprovision") else "FG-DOCKER-VOLUME"
    return _ephemeral(volume, "dockerVolumeConfiguration"), [found(kind, f"{path}.dockerVolumeConfiguration", configuration)]


def fsx(volume: Json, path: str) -> tuple[Json, list[Finding]]:
    """FSx for Windows needs Windows on EC2. fargate-rules.md 3 fsxWindowsFileServerVolumeConfiguration"""
    configuration = volume.get("fsxWindowsFileServerVolumeConfiguration")
    if configuration is None:
        return volume, []
    key = "fsxWindowsFileServerVolumeConfiguration"
    return _ephemeral(volume, key), [found("FG-FSX-WINDOWS", f"{path}.{key}", configuration.get("fileSystemId"))]


def efs(volume: Json, path: str) -> tuple[Json, list[Finding]]:
    """Kept; its mount targets must admit the tasks. fargate-rules.md 3 efsVolumeConfiguration"""
    configuration = volume.get("efsVolumeConfiguration")
    return volume, [] if configuration is None else [found("FG-EFS", path, None, configuration.get("fileSystemId"))]


def ebs(volume: Json, path: str) -> tuple[Json, list[Finding]]:
    """The service attaches it, which the plan can't say yet. fargate-rules.md 3 configuredAtLaunch"""
    return volume, [found("FG-EBS-VOLUME", path, True)] if volume.get("configuredAtLaunch") else []


def _ephemeral(volume: Json, key: str) -> Json:
    """The volume without what made it special: a bind mount that ends with the task."""
    return {**{name: value for name, value in volume.items() if name != key}, "host": {}}


def _unmount(draft: Json, name: str) -> None:
    """A dropped volume takes its mount points with it, else RegisterTaskDefinition refuses the dangling name."""
    for container in draft.get("containerDefinitions") or []:
        if container.get("mountPoints"):
            container["mountPoints"] = [mount for mount in container["mountPoints"] if mount.get("sourceVolume") != name]
