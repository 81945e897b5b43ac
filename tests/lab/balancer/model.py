"""What an Application Load Balancer is configured with and what it reports. Plain data; times are seconds of lab time (already scaled).

Conditions and actions keep AWS's shape (``Conditions`` and ``Actions`` of DescribeRules, ``DefaultActions`` of DescribeListeners), so that nothing is
translated twice. A target group's ``key`` is what its actions name it by: the ARN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

Condition = Mapping[str, Any]
Action = Mapping[str, Any]


class TargetKey(NamedTuple):
    """One registration: what RegisterTargets makes and DescribeTargetHealth reports."""

    group: str
    id: str
    port: int


@dataclass(frozen=True)
class Target:
    """A registered target. ``id`` is an instance id or an IP address, ``address`` where packets go."""

    id: str
    address: str
    port: int


@dataclass(frozen=True)
class HealthCheck:
    """HealthCheck* of a target group. ``port`` None means "traffic-port"."""

    protocol: str = "HTTP"
    port: int | None = None
    path: str = "/"
    interval: float = 30
    timeout: float = 5
    healthy: int = 5
    unhealthy: int = 2
    matcher: str = "200"


@dataclass(frozen=True)
class Stickiness:
    """Target group stickiness. ``kind`` is lb_cookie or app_cookie (then ``cookie`` is the application's cookie)."""

    kind: str = "lb_cookie"
    duration: float = 86400
    cookie: str = ""


@dataclass(frozen=True)
class TargetGroup:
    key: str
    targets: Sequence[Target] = ()
    protocol: str = "HTTP"
    protocol_version: str = "HTTP1"
    health_check: HealthCheck = HealthCheck()
    deregistration_delay: float = 300
    stickiness: Stickiness | None = None
    algorithm: str = "round_robin"


@dataclass(frozen=True)
class Rule:
    priority: int
    conditions: Sequence[Condition]
    actions: Sequence[Action]


@dataclass(frozen=True)
class Listener:
    """``certificates`` are PEM files (key and chain in one); the first is the default, SNI picks among the others."""

    key: str
    port: int
    protocol: str = "HTTP"
    certificates: Sequence[Path] = ()
    rules: Sequence[Rule] = ()
    default_actions: Sequence[Action] = ()


@dataclass(frozen=True)
class BalancerConfig:
    """The whole state of one load balancer. ``xff_mode`` is routing.http.xff_header_processing.mode; ``connect_timeout`` is AWS's 10 s, to be scaled."""

    listeners: Sequence[Listener] = ()
    target_groups: Sequence[TargetGroup] = ()
    idle_timeout: float = 60
    client_keep_alive: float = 3600
    connect_timeout: float = 10
    http2: bool = True
    xff_mode: str = "append"


@dataclass(frozen=True)
class Health:
    """TargetHealth of DescribeTargetHealth. ``reason`` and ``description`` are None when AWS leaves them out."""

    state: str
    reason: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Request:
    """One line of the access log. ``target`` is None when the load balancer answered itself; then ``target_time`` and ``target_status`` are None too.

    ``listener`` and ``group`` are the keys of the configuration. Times are seconds; ``time`` is Unix time at the end of the request.
    """

    time: float
    client: str
    listener: str
    group: str | None
    target: TargetKey | None
    status: int
    target_status: int | None
    target_time: float | None
    total_time: float
    method: str
    host: str
    path: str
    termination: str = field(default="--")
