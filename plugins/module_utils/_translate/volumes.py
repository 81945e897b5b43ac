# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Volumes: what a task may keep of its host's disk. fargate-rules.md 3"""

from __future__ import annotations

import re
import typing as t

from . import agent, ebs, instance
from .context import Context, Json
from .findings import Finding, found

_AGENT = re.compile(
    r"^(/|/(var/)?run|/boot)/?$|^/(proc|sys|cgroup|dev|lib/modules|usr/src|var/lib/(docker|ecs|containerd)|etc/ecs|var/log/ecs)(/|$)"
    r"|^/(var/)?run/(docker|containerd|crio|podman|systemd|dbus|udev|datadog|xray|newrelic)\b|\.sock(et)?$"
)
_NETWORK = re.compile(r"(^|/)(efs|nfs)([-_./]|$)", re.IGNORECASE)
_TIME = re.compile(r"^(/etc/(localtime|timezone)|/usr/share/zoneinfo)(/|$)")
_ZONE = re.compile(r"^/usr/share/zoneinfo/(?:posix/|right/)?(.+)$")
LOCAL_TIME = "/etc/localtime"
# fs-1, fs-1:/exports, fs-1.efs.eu-west-1.amazonaws.com:/exports
_FILE_SYSTEM = re.compile(r"\b(fs-[0-9a-f]+)\b(?:[\w.-]*:(/\S*))?")
_SOCKET = re.compile(r"^/(var/)?run/.*(php|fpm|sock|uwsgi|gunicorn|puma|unicorn)")


def translate(draft: Json, context: Context, path: str) -> t.Iterator[Finding]:
    """Every volume by its kind; an answer in the inventory (``fargate_volumes``) comes first."""
    kept: list[Json] = []
    answers = context.intent.get("volumes") or {}
    for volume in draft.get("volumes") or []:
        name = str(volume.get("name") or "")
        where = f"{path}.volumes[{name}]"
        if name in answers:
            result, findings = answered(volume, answers[name], context, where)
            findings += hidden(result, mounts(draft, name), where) if result and answers[name] == "ephemeral" else ()
        else:
            result, findings = _by_kind(volume, mounts(draft, name), context, where)
            time_zone(draft, volume)
            findings += hidden(volume, mounts(draft, name), where) if all(item["severity"] != "BLOCKER" for item in findings) else ()
            if volume.get("configuredAtLaunch"):
                result, findings = ebs.volume(volume, kept, mounts(draft, name), where)
        yield from findings
        if result is None:
            _unmount(draft, name)
        else:
            kept.append(result)
    if "volumes" in draft:
        draft["volumes"] = kept


def answered(volume: Json, answer: t.Any, context: Context, path: str) -> tuple[Json | None, list[Finding]]:
    """``{efs: fs-..., root_directory, access_point, iam}``, ``ephemeral`` or ``drop``. fargate-rules.md 3 host.sourcePath, efsVolumeConfiguration"""
    shown = {key: value for key, value in volume.items() if key != "name"}
    if answer == "drop":
        return None, [found("FG-VOLUME-DROPPED", path, shown)]
    if answer == "ephemeral":
        return {"name": volume.get("name"), "host": {}}, [found("FG-VOLUME-EPHEMERAL", path, shown, "ephemeral")]
    if isinstance(answer, t.Mapping) and _mountable(answer):
        return {"name": volume.get("name"), "efsVolumeConfiguration": _efs(answer)}, [_mounted(answer["efs"], shown, context, path)]
    return {"name": volume.get("name"), "host": {}}, [found("FG-VOLUME-ANSWER", path, answer)]


def _mountable(answer: t.Mapping[str, t.Any]) -> bool:
    """An access point brings its own root: AWS refuses another directory beside it. [B EFSVolumeConfiguration.rootDirectory]"""
    beside = answer.get("access_point") and answer.get("root_directory") not in (None, "", "/")
    return str(answer.get("efs") or "").startswith("fs-") and not beside


def _efs(answer: t.Mapping[str, t.Any]) -> Json:
    configuration: Json = {"fileSystemId": str(answer["efs"]), "transitEncryption": "ENABLED"}
    if answer.get("root_directory"):
        configuration["rootDirectory"] = str(answer["root_directory"])
    authorization = {
        **({"accessPointId": str(answer["access_point"])} if answer.get("access_point") else {}),
        **({"iam": "ENABLED"} if answer.get("iam") else {}),
    }
    return {**configuration, **({"authorizationConfig": authorization} if authorization else {})}


def _by_kind(volume: Json, mounted: t.Sequence[str], context: Context, path: str) -> tuple[Json | None, list[Finding]]:
    """A volume names its kind by the member it has; each rule looks at its own. Members that are new to us survive."""
    findings: list[Finding] = []
    result = volume
    for rule in (docker, fsx, s3files):
        result, more = rule(result, path)
        findings += more
    findings += efs(result, context, path)
    last, more = host_path(result, mounted, context, path)
    return last, [*findings, *more]


def host_path(volume: Json, mounted: t.Sequence[str], context: Context, path: str) -> tuple[Json | None, list[Finding]]:
    """``host.sourcePath`` is refused ("do not support sourcePath"); the path tells what it was for. fargate-rules.md 3 host.sourcePath"""
    if "sourcePath" not in (volume.get("host") or {}):
        return volume, []
    source = str(volume["host"]["sourcePath"] or "")
    plain = {**volume, "host": {key: value for key, value in volume["host"].items() if key != "sourcePath"}}
    if not source:
        return plain, []
    where = f"{path}.host.sourcePath"
    if _AGENT.search(source):
        return plain, [found("FG-HOST-AGENT", where, source)]
    if _TIME.search(source):
        zone = zone_of(volume) if any(mount.endswith(f":{LOCAL_TIME}") for mount in mounted) else None
        return None, [found("FG-HOST-TIME", where, source, f"TZ={zone}" if zone else None)]
    if _SOCKET.search(source):
        return plain, [found("FG-HOST-SOCKET" if len(mounted) > 1 else "FG-HOST-SOCKET-OTHER", where, source, "ephemeral")]
    answer = mounted_on_the_host(source, context)
    return plain, [found("FG-HOST-EFS" if answer or _NETWORK.search(source) else "FG-HOST-PATH", where, source, answer)]


def mounted_on_the_host(source: str, context: Context) -> str | None:
    """The answer that user data tells: ``mount -t efs fs-1:/ /mnt/efs`` for a volume at /mnt/efs/uploads. fargate-rules.md 3 efsVolumeConfiguration"""
    for line in "\n".join(agent.user_data(context).values()).splitlines():
        system = _FILE_SYSTEM.search(line)
        points = [word.rstrip("/") for word in line.split() if word.startswith("/") and f"{source}/".startswith(f"{word.rstrip('/')}/")]
        point = next(filter(None, points), None)
        if system and point:
            directory = f"{system[2] or ''}/{source.removeprefix(point)}"
            return f"{{efs: {system[1]}, root_directory: /{'/'.join(filter(None, directory.split('/')))}}}"
    return None


def zone_of(volume: Json) -> str | None:
    """``Asia/Tokyo`` of /usr/share/zoneinfo/Asia/Tokyo."""
    match = _ZONE.match(str((volume.get("host") or {}).get("sourcePath") or ""))
    return match[1].rstrip("/") if match else None


def time_zone(draft: Json, volume: Json) -> None:
    """Where the path tells the zone, ``TZ`` takes the place of the instance's file. fargate-rules.md 3 host.sourcePath"""
    zone = zone_of(volume)
    for container in draft.get("containerDefinitions") or [] if zone else []:
        mounted = any(
            mount.get("sourceVolume") == volume.get("name") and mount.get("containerPath") == LOCAL_TIME for mount in container.get("mountPoints") or []
        )
        if mounted and "TZ" not in instance.names(container):
            container["environment"] = [*(container.get("environment") or []), {"name": "TZ", "value": zone}]


def docker(volume: Json, path: str) -> tuple[Json, list[Finding]]:
    """A task-scoped local Docker volume is a plain bind mount; others were shared beyond the task. fargate-rules.md 3 dockerVolumeConfiguration"""
    configuration = volume.get("dockerVolumeConfiguration")
    if configuration is None:
        return volume, []
    private = configuration.get("scope", "task") == "task" and configuration.get("driver", "local") == "local" and not configuration.get("driverOpts")
    kind = "FG-DOCKER-VOLUME-TASK" if private and not configuration.get("autoprovision") else "FG-DOCKER-VOLUME"
    system = _FILE_SYSTEM.search(str(configuration.get("driverOpts")))
    answer = f"{{efs: {system[1]}}}" if system else None
    return _ephemeral(volume, "dockerVolumeConfiguration"), [found(kind, f"{path}.dockerVolumeConfiguration", configuration, answer)]


def fsx(volume: Json, path: str) -> tuple[Json, list[Finding]]:
    """FSx for Windows needs Windows on EC2. fargate-rules.md 3 fsxWindowsFileServerVolumeConfiguration"""
    configuration = volume.get("fsxWindowsFileServerVolumeConfiguration")
    if configuration is None:
        return volume, []
    key = "fsxWindowsFileServerVolumeConfiguration"
    return _ephemeral(volume, key), [found("FG-FSX-WINDOWS", f"{path}.{key}", configuration.get("fileSystemId"))]


def efs(volume: Json, context: Context, path: str) -> t.Iterator[Finding]:
    """Kept; its mount targets must admit the tasks. fargate-rules.md 3 efsVolumeConfiguration"""
    configuration = volume.get("efsVolumeConfiguration")
    if configuration is not None:
        yield _mounted(configuration.get("fileSystemId"), None, context, path)


def _mounted(system: t.Any, before: t.Any, context: Context, path: str) -> Finding:
    """What mount targets that were read lack is told by readiness; of others only a person knows."""
    return found("FG-EFS-SEEN" if system in (context.source.get("mount_targets") or {}) else "FG-EFS", path, before, system)


def s3files(volume: Json, path: str) -> tuple[Json, list[Finding]]:
    """Kept; its mount targets must admit the tasks. fargate-rules.md 3 s3filesVolumeConfiguration"""
    configuration = volume.get("s3filesVolumeConfiguration")
    return volume, [] if configuration is None else [found("FG-S3-FILES", path, None, configuration.get("fileSystemArn"))]


def hidden(volume: Json, mounted: t.Sequence[str], path: str) -> t.Iterator[Finding]:
    """Docker fills a new volume from the image; Fargate's hides what is there, unless the image declares VOLUME. fargate-rules.md 3 mountPoints"""
    elsewhere = ("efsVolumeConfiguration", "s3filesVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration", "configuredAtLaunch")
    if mounted and not (volume.get("host") or {}).get("sourcePath") and not any(volume.get(key) for key in elsewhere):
        yield found("FG-VOLUME-EMPTY", path, ", ".join(mounted))


def roles(draft: Json, path: str) -> t.Iterator[Finding]:
    """EFS with ``iam: ENABLED`` and S3 Files are mounted with the task role. fargate-rules.md 3 efsVolumeConfiguration, s3filesVolumeConfiguration"""
    if draft.get("taskRoleArn"):
        return
    for volume in draft.get("volumes") or []:
        authorization = (volume.get("efsVolumeConfiguration") or {}).get("authorizationConfig") or {}
        if authorization.get("iam") == "ENABLED" or volume.get("s3filesVolumeConfiguration"):
            yield found("FG-VOLUME-ROLE", f"{path}.volumes[{volume.get('name')}]")


def mounts(draft: t.Mapping[str, t.Any], name: str) -> list[str]:
    """``container:path`` of each mount of a volume; containers that take them over by ``volumesFrom`` count too."""
    containers = draft.get("containerDefinitions") or []
    own = {
        str(container.get("name")): [str(mount.get("containerPath")) for mount in container.get("mountPoints") or [] if mount.get("sourceVolume") == name]
        for container in containers
    }
    taken = [
        f"{container.get('name')}:{where}"
        for container in containers
        for origin in container.get("volumesFrom") or []
        for where in own.get(str(origin.get("sourceContainer"))) or []
    ]
    return [*(f"{holder}:{where}" for holder, paths in own.items() for where in paths), *taken]


def _ephemeral(volume: Json, key: str) -> Json:
    """The volume without what made it special: a bind mount that ends with the task."""
    return {**{name: value for name, value in volume.items() if name != key}, "host": {}}


def _unmount(draft: Json, name: str) -> None:
    """A dropped volume takes its mount points with it, else RegisterTaskDefinition refuses the dangling name."""
    for container in draft.get("containerDefinitions") or []:
        if container.get("mountPoints"):
            container["mountPoints"] = [mount for mount in container["mountPoints"] if mount.get("sourceVolume") != name]
