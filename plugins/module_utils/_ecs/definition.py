# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Task definitions in one normal form, so that what is wanted and what is registered can be compared with ``==``. Pure.

DescribeTaskDefinition never gives back exactly what RegisterTaskDefinition was given: it fills defaults, adds empty lists and sorts at will.
Both sides are brought to the same form: read-only members, empty values and AWS's defaults are dropped, lists whose order means nothing are
sorted. What remains is what matters, so the same form is what a diff shows.
"""

from __future__ import annotations

import re
import typing as t

Dict = t.Dict[str, t.Any]

READ_ONLY = frozenset(
    {
        "taskDefinitionArn",
        "revision",
        "status",
        "requiresAttributes",
        "compatibilities",
        "registeredAt",
        "registeredBy",
        "deregisteredAt",
        "deleteRequestedAt",
        "tags",
    }
)
"""Members of DescribeTaskDefinition that RegisterTaskDefinition does not take. fargate-rules.md 1. Tags are compared by themselves."""

SORTED_BY: dict[str, tuple[str, ...]] = {
    "containerDefinitions": ("name",),
    "dependsOn": ("containerName", "condition"),
    "environment": ("name",),
    "extraHosts": ("hostname",),
    "mountPoints": ("containerPath", "sourceVolume"),
    "portMappings": ("containerPort", "containerPortRange", "protocol"),
    "resourceRequirements": ("type",),
    "secretOptions": ("name",),
    "secrets": ("name",),
    "systemControls": ("namespace",),
    "tmpfs": ("containerPath",),
    "ulimits": ("name",),
    "volumes": ("name",),
    "volumesFrom": ("sourceContainer",),
}
"""Lists that AWS reorders, or whose order has no meaning. The order of ``environmentFiles``, ``command`` and ``entryPoint`` means something."""

UNORDERED = frozenset({"requiresCompatibilities", "add", "drop"})

DEFAULTS: dict[str, Dict] = {
    "task": {"networkMode": "awsvpc", "runtimePlatform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"}, "enableFaultInjection": False},
    "runtimePlatform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"},
    "containerDefinitions": {
        "cpu": 0,
        "essential": True,
        "interactive": False,
        "privileged": False,
        "pseudoTerminal": False,
        "readonlyRootFilesystem": False,
        "disableNetworking": False,
        "versionConsistency": "enabled",
    },
    "portMappings": {"protocol": "tcp"},
    "mountPoints": {"readOnly": False},
    "volumesFrom": {"readOnly": False},
    "volumes": {"configuredAtLaunch": False},
    "healthCheck": {"interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0},
    "restartPolicy": {"restartAttemptPeriod": 300},
    "efsVolumeConfiguration": {"rootDirectory": "/", "transitEncryption": "DISABLED"},
    "authorizationConfig": {"iam": "DISABLED"},
}
"""What AWS assumes for a member that is not given ([B]), by the name of the member that holds it."""

SHOWN = frozenset({"task", "runtimePlatform"})
"""Here defaults are filled instead of dropped: a reader of the diff wants to see them."""

FREE_KEYS = frozenset({"options", "dockerLabels", "labels", "driverOpts"})
"""Mappings whose keys are the user's own: text to text."""


def normalise(definition: t.Mapping[str, t.Any]) -> Dict:
    """The definition in normal form. Give it RegisterTaskDefinition's arguments or DescribeTaskDefinition's answer.

    >>> normalise({"family": "web", "cpu": ".25 vCPU", "containerDefinitions": [{"name": "a", "portMappings": [{"containerPort": 80}]}]})["cpu"]
    '256'
    """
    body = _clean({key: value for key, value in definition.items() if key not in READ_ONLY}, "task")
    for name, parse in (("cpu", cpu_units), ("memory", mebibytes)):
        if name in body:
            body[name] = parse(body[name])
    return t.cast(Dict, body)


def cpu_units(value: t.Any) -> str:
    """``"1 vCPU"`` and ``".25 vcpu"`` are legal spellings of 1024 and 256. fargate-rules.md 6"""
    match = re.fullmatch(r"\s*([\d.]+)\s*vcpu\s*", str(value), re.IGNORECASE)
    return str(round(float(match[1]) * 1024)) if match else str(value).strip()


def mebibytes(value: t.Any) -> str:
    """``"2GB"`` and ``"0.5 GB"`` are legal spellings of 2048 and 512. fargate-rules.md 6"""
    match = re.fullmatch(r"\s*([\d.]+)\s*gb\s*", str(value), re.IGNORECASE)
    return str(round(float(match[1]) * 1024)) if match else str(value).strip()


def _clean(value: t.Any, holder: str) -> t.Any:
    if isinstance(value, t.Mapping):
        return _clean_mapping(value, holder)
    if isinstance(value, (list, tuple)):
        return _clean_list(value, holder)
    return value


def _clean_mapping(value: t.Mapping[str, t.Any], holder: str) -> Dict:
    if holder in FREE_KEYS:
        return {key: str(item) for key, item in value.items() if item is not None}
    defaults = DEFAULTS.get(holder, {})
    cleaned = {key: _clean(item, key) for key, item in value.items()}
    given = {key: item for key, item in cleaned.items() if not _is_empty(item)}
    if holder in SHOWN:
        return {**defaults, **given}
    kept = {key: item for key, item in given.items() if key not in defaults or item != defaults[key]}
    return _without_host_port(kept) if holder == "portMappings" else kept


def _clean_list(value: t.Sequence[t.Any], holder: str) -> list[t.Any]:
    cleaned = [_clean(item, holder) for item in value]
    keys = SORTED_BY.get(holder)
    if keys:
        return sorted(cleaned, key=lambda item: [str(item.get(key, "")) for key in keys])
    return sorted(cleaned) if holder in UNORDERED else cleaned


def _without_host_port(mapping: Dict) -> Dict:
    """Under awsvpc the host port is the container port, given or not. fargate-rules.md 2 hostPort"""
    same = {host for host, container in (("hostPort", "containerPort"), ("hostPortRange", "containerPortRange")) if mapping.get(host) == mapping.get(container)}
    return {key: item for key, item in mapping.items() if key not in same}


def _is_empty(value: t.Any) -> bool:
    """Nothing, and empty lists and mappings; not 0, False or the empty text, which are values (``environment[].value`` may be empty)."""
    return value is None or (isinstance(value, (list, dict)) and not value)
