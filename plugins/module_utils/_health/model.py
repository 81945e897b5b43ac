# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What one poll saw, what was concluded. AWS shapes stay as botocore returns them; times are seconds since 1970 so that a snapshot is plain JSON."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

Json = t.Dict[str, t.Any]

CERTAIN, LIKELY, POSSIBLE = "certain", "likely", "possible"
WEB, WORKER = "web", "worker"
SOURCE, TARGET = "source", "target"
# Sections of a snapshot without which there is no verdict; the others only make the diagnosis poorer.
ESSENTIAL = ("services", "tasks", "load_balancer", "targets")
# What the check of databases and caches rests on. Who may not read it goes without that check; whoever may, waits for the answer.
STORES = ("rds", "elasticache", "network")


@dataclass(frozen=True)
class LogLine:
    """One event of CloudWatch Logs."""

    task: str
    container: str
    group: str
    stream: str
    at: float
    text: str


@dataclass(frozen=True)
class Failure:
    """A call that AWS refused after all retries: what depends on it is unknown, not wrong."""

    section: str
    text: str
    permanent: bool = False


@dataclass(frozen=True)
class HealthRecord:
    """The last bad health of a target; kept after the task and its registration are gone."""

    target_group: str
    id: str
    port: int
    state: str
    reason: str
    description: str
    at: float


@dataclass(frozen=True)
class StepResult:
    """One probe step against one address. ``problem`` is '' or one of: status, expect, capture, connect, timeout, tls_name, tls_trust,
    tls_expired, tls, proxy, protocol, redirect_loop, parity (by the bare name), differs (from the other side), other_side."""

    probe: str
    step: str
    address: str
    problem: str
    text: str
    at: float
    url: str = ""
    status: int = 0
    server: str = ""
    crossed: bool = False

    @property
    def ok(self) -> bool:
        return not self.problem


@dataclass
class Network:
    """What is needed to compute who can reach whom. What is empty or None is not known; only ``endpoints`` may be known to be none."""

    security_groups: dict[str, Json] = field(default_factory=dict)
    subnets: dict[str, Json] = field(default_factory=dict)
    route_tables: list[Json] = field(default_factory=list)
    network_acls: list[Json] = field(default_factory=list)
    endpoints: list[Json] | None = None
    data_stores: list[Json] = field(default_factory=list)


@dataclass
class Service:
    """Signals of one service. ``newest`` is the newest ACTIVE definition of its family, ``definition`` the one that the PRIMARY deployment runs.
    ``logged_check``: an earlier health check in the log of this deployment, looked for when there is none in ``logs``."""

    name: str
    kind: str = WEB
    family: str = ""
    desired_count: int | None = None
    container_name: str | None = None
    container_port: int | None = None
    service: Json | None = None
    newest: Json | None = None
    definition: Json | None = None
    tasks: list[Json] = field(default_factory=list)
    stopped: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    instances: dict[str, str] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    logs: list[LogLine] = field(default_factory=list)
    logged_check: LogLine | None = None
    missing_log_groups: list[str] = field(default_factory=list)
    missing_images: list[str] = field(default_factory=list)

    @property
    def target_group_arns(self) -> list[str]:
        attached = (self.service or {}).get("loadBalancers", [])
        return [entry["targetGroupArn"] for entry in attached if entry.get("targetGroupArn")]

    @property
    def primary(self) -> Json:
        """The PRIMARY deployment, or {}."""
        deployments: list[Json] = (self.service or {}).get("deployments", [])
        return next((deployment for deployment in deployments if deployment.get("status") == "PRIMARY"), {})


@dataclass
class Snapshot:
    """Everything one poll saw. ``at`` is AWS's clock; ``started`` the time of the first poll by the same clock."""

    at: float = 0.0
    started: float = 0.0
    side: str = TARGET
    fqdn: str = ""
    region: str = ""
    cluster: str = ""
    cluster_missing: bool = False
    load_balancer_name: str | None = None
    load_balancer: Json | None = None
    listeners: list[Json] = field(default_factory=list)
    target_groups: dict[str, Json] = field(default_factory=dict)
    addresses: list[str] = field(default_factory=list)
    other_load_balancer: Json | None = None
    other_listeners: list[Json] = field(default_factory=list)
    other_addresses: list[str] = field(default_factory=list)
    # Whether the other side has anybody to answer: None when it is not known.
    other_targets: bool | None = None
    services: list[Service] = field(default_factory=list)
    health_history: list[HealthRecord] = field(default_factory=list)
    network: Network = field(default_factory=Network)
    probes: list[StepResult] = field(default_factory=list)
    # Whether all checks but the probes pass; tasks may still be young.
    steady: bool = True
    # What was not asked, and why.
    left_out: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def failed(self, *sections: str) -> bool:
        return any(failure.section in sections for failure in self.failures)

    def throttled(self, *sections: str) -> bool:
        """Failed, but may be answered later."""
        return any(failure.section in sections and not failure.permanent for failure in self.failures)


@dataclass(frozen=True)
class Outcome:
    """A predicate's answer: True, False, or None for 'could not be determined'; and the state in a few words (no counters that change every poll)."""

    name: str
    ok: bool | None
    last: str
    group: str = ""


@dataclass(frozen=True)
class Evidence:
    source: str
    text: str
    at: float | None = None


@dataclass(frozen=True)
class Cause:
    """Why it is not healthy. ``settled``: nothing but a change by a person can make it go away, so two polls are enough to believe it."""

    id: str
    confidence: str
    summary: str
    evidence: tuple[Evidence, ...]
    fix: str
    check_by_hand: str
    settled: bool = False
