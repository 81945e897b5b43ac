# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the instances' user data told ECS's agent: on Fargate nobody reads it. [D ecs/ecs-agent-config]"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import typing as t

from .context import Context

STOP_TIMEOUT = 30
"""Seconds, of the agent and of Fargate."""
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_DOCKER_HUB = frozenset({"index.docker.io", "registry-1.docker.io", "hub.docker.com"})


def user_data(context: Context) -> dict[str, str]:
    """Auto Scaling group -> the text that its instances start with."""
    groups = (context.source.get("capacity") or {}).get("auto_scaling_groups") or []
    templates = {str(group.get("AutoScalingGroupName")): (group.get("LaunchTemplate") or {}).get("LaunchTemplateData") or {} for group in groups}
    return {name: decoded(data.get("UserData")) for name, data in templates.items()}


def decoded(encoded: t.Any) -> str:
    """Text of user data; empty when there is none or it isn't text. Comments don't count."""
    try:
        raw = base64.b64decode(str(encoded or ""), validate=False)
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8", "replace")
    except (binascii.Error, OSError, EOFError):
        return ""
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def setting(name: str, context: Context) -> str | None:
    """``ECS_NAME=value`` of ecs.config, to the end of its line."""
    texts = "\n".join(user_data(context).values())
    match = re.search(rf"\b{name}=(.*)", texts)
    return match[1].strip() if match else None


def stop_timeout(context: Context) -> int:
    """Seconds that a container without a ``stopTimeout`` has: ``ECS_CONTAINER_STOP_TIMEOUT``, a duration such as 5m or 1m30s."""
    match = re.match(r"[\"']?((?:\d+(?:ms|s|m|h))+)", setting("ECS_CONTAINER_STOP_TIMEOUT", context) or "")
    if not match:
        return STOP_TIMEOUT
    return round(sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)(ms|s|m|h)", match[1])))


def logins(context: Context) -> set[str] | None:
    """The registries that the agent has credentials for, as far as they can be told; None when it has none."""
    told = setting("ECS_ENGINE_AUTH_DATA", context)
    if told is None:
        return None
    hosts = re.findall(r'"(?:https?://)?([\w.-]+\.[\w.-]+(?::\d+)?)(?:/[^"]*)?"\s*:\s*\{', told.replace("\\", ""))
    return {"docker.io" if host in _DOCKER_HUB else host for host in hosts}
