"""Where the lab lives and how fast its time runs. Every name, path and port of one lab follows from two variables.

``CUTOVER_LAB`` (default ``lab``) names the lab, so that several can run side by side; ``CUTOVER_LAB_PORT`` (default 4600) is the first of its
five loopback ports. ``CUTOVER_LAB_TIME`` (default 0.05) scales every AWS-like waiting time: 1.0 is as slow as AWS.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
GATEWAY = "169.254.1.1"
RESOLVER = "10.20.0.2"  # the VPC's resolver: base of the VPC network plus two
OPERATOR = "10.20.9.1"
CLIENT = "10.20.9.9"
ACCOUNT = "123456789012"
REGION = "eu-west-1"
FQDN = "shop.example.test"


@dataclass(frozen=True)
class Times:
    """AWS-like durations in seconds before scaling. Sources: reference documentation and observation; order of magnitude is what matters."""

    load_balancer_provisioning: float = 120
    instance_launch: float = 60
    task_start_fargate: float = 30
    task_start_ec2: float = 5
    dns_insync: float = 30
    alias_ttl: float = 60
    metric_period: float = 60


@dataclass(frozen=True)
class Settings:
    name: str = field(default_factory=lambda: os.environ.get("CUTOVER_LAB", "lab"))
    base_port: int = field(default_factory=lambda: int(os.environ.get("CUTOVER_LAB_PORT", "4600")))
    time_factor: float = field(default_factory=lambda: float(os.environ.get("CUTOVER_LAB_TIME", "0.05")))
    times: Times = Times()

    @property
    def state_dir(self) -> Path:
        """Container stores, logs, registry overlays: removed by `lab down`."""
        return Path("/var/lib/cutover-lab") / self.name

    @property
    def run_dir(self) -> Path:
        """Sockets, the CA certificate, the state file (short paths: unix sockets have 108 bytes): removed by `lab down`."""
        return Path("/run/cutover-lab") / self.name

    @property
    def cache_dir(self) -> Path:
        """Root file systems, the registry's blobs, the recorded source system: shared by all labs, kept by `lab down`."""
        return Path(os.environ.get("CUTOVER_LAB_CACHE", "/var/cache/cutover-lab"))

    @property
    def api_port(self) -> int:
        return self.base_port

    @property
    def registry_port(self) -> int:
        return self.base_port + 1

    @property
    def proxy_port(self) -> int:
        """HTTP CONNECT proxy on the host's loopback into the lab's network (for probes)."""
        return self.base_port + 2

    @property
    def shop_port(self) -> int:
        """The shop for a browser on the host: http://127.0.0.1:<port>, through the FQDN's current answer."""
        return self.base_port + 3

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def registry(self) -> str:
        """host:port of the registry behind every ECR host name."""
        return f"127.0.0.1:{self.registry_port}"

    def scaled(self, seconds: float, floor: float = 0.0) -> float:
        """Seconds of lab time for seconds of AWS time."""
        return max(seconds * self.time_factor, floor)

    def namespace(self, role: str) -> str:
        """Name of a network namespace of this lab."""
        return f"{self.name}-{role}"
