# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Names of everything the target consists of. Computed, never looked up: a fresh process finds the target again by them."""

from __future__ import annotations

import hashlib
import re
import typing as t

SUFFIX = "-fargate"
EXECUTION_ROLE = "ecsTaskExecutionRole"
ELB_LENGTH = 32


def compute(system: str, overrides: t.Mapping[str, str] | None = None) -> dict[str, str]:
    """The names that do not depend on the source: ``overrides`` (inventory: fargate_names) win over ``<system>-fargate``."""
    names = {
        "cluster": _fit(system, r"[^A-Za-z0-9_-]", 255),
        "load_balancer": elb_name(system),
        "security_group": _fit(system, r"[^A-Za-z0-9 ._:/()#,@+=&;{}!$*\[\]-]", 255),
        "execution_role": EXECUTION_ROLE,
    }
    return {key: str((overrides or {}).get(key) or value) for key, value in names.items()}


def elb_name(source: str) -> str:
    """A valid name of a load balancer or target group: <= 32, letters, digits and inner hyphens, not starting ``internal-``.

    [B CreateLoadBalancerInput.Name, CreateTargetGroupInput.Name]
    """
    return _fit(source, r"^(internal-)+|[^A-Za-z0-9-]", ELB_LENGTH)


def target_group(source: str) -> str:
    """The target group that replaces ``source``: TargetType can't be modified, so it is always a new one. fargate-rules.md 9 Name"""
    return elb_name(source)


def family(source: str) -> str:
    """A new family; the old one stays untouched for rollback. fargate-rules.md 1 family"""
    return _fit(source, r"[^A-Za-z0-9_-]", 255)


def log_group(source: str) -> str:
    """A different log group, to see that the traffic has moved (runbook step 2). <= 512, ``[A-Za-z0-9_/.#-]``."""
    return _fit(source, r"[^A-Za-z0-9_/.#-]", 512)


def alarm(source: str) -> str:
    """The alarm that does for the target what ``source`` does for the source. At most 255, no control characters. [B PutMetricAlarmInput.AlarmName]"""
    return _fit(source, r"[\x00-\x1f\x7f]", 255)


def namespace(source: str) -> str:
    """A namespace of Service Connect: both sides run at once, and names are unique in one.

    <= 1024, without ``< > " /``. [B ClusterServiceConnectDefaultsRequest.namespace]
    """
    return _fit(source, r"[^!-~]|[<>\"/]", 1024)


def cloud_map_service(source: str) -> str:
    """A new Cloud Map service in the same namespace. The suffix goes onto the first label: ``_web._tcp`` must stay of the form ``_service._protocol``.

    A label has at most 63 characters. [B CreateServiceRequest.Name]
    """
    label, dot, rest = source.partition(".")
    return _fit(label, r"[^A-Za-z0-9_-]", 63) + dot + rest


def repository(source: str) -> str:
    """A new ECR repository for a rewritten image, so that the old one stays for rollback (runbook step 1)."""
    return _fit(source, r"[^a-z0-9._/-]", 256)


def image_tag(tag: str | None, pinned: str | None = None) -> str:
    """The tag of a rewritten image. A source that is pinned by digest gives a tag of the digest's first 12 digits."""
    if pinned:
        return pinned.rpartition(":")[2][:12] + SUFFIX
    return _fit(tag or "latest", r"[^A-Za-z0-9_.-]", 128)


def _fit(source: str, invalid: str, length: int) -> str:
    """``source`` with the suffix. When a character had to go, a short and stable hash of the whole keeps two sources apart."""
    clean = re.sub(invalid, "-", source).strip("-")
    if clean == source and len(source) + len(SUFFIX) <= length:
        return source + SUFFIX
    ending = digest(source)
    kept = clean[: length - len(SUFFIX) - len(ending) - 1].strip("-")
    return "-".join(filter(None, (kept, ending))) + SUFFIX


def digest(text: str) -> str:
    """Six stable hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:6]
