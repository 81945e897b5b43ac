"""A target's life, from HAProxy's checks to AWS's states. Pure.

    initial --one passed check--> serving (healthy) <--thresholds--> serving (unhealthy)      any --deregistered--> draining --> gone
       +------unhealthy threshold without a pass----------------------^
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import Enum

from lab.balancer.config import OPEN, Server
from lab.balancer.model import Health, HealthCheck, Target, TargetKey

HEALTHY = Health("healthy")
INITIAL = Health("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
DRAINING = Health("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
UNUSED = Health("unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer")
FAILED = Health("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
TIMEOUT = Health("unhealthy", "Target.Timeout", "Request timed out")


class Phase(Enum):
    INITIAL = "initial"
    SERVING = "serving"
    DRAINING = "draining"


@dataclass(frozen=True)
class Check:
    """The last finished check of a server, whether the thresholds call it up, and its running requests: a row of HAProxy's statistics."""

    up: bool
    status: str
    code: str
    sessions: int = 0

    @property
    def passed(self) -> bool:
        return self.status in ("L7OK", "L7OKC", "L6OK", "L4OK")

    @property
    def failed(self) -> bool:
        return not self.passed and self.status not in ("", "INI", "UNK")

    def failure(self) -> Health:
        """AWS's reason for the way this check failed."""
        if self.status == "L7STS":
            return Health("unhealthy", "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{self.code}]")
        return TIMEOUT if self.status.endswith("TOUT") else FAILED


def parse_statistics(text: str) -> dict[str, Check]:
    """{backend/server: its row} from ``show stat``. A leading "* " means that the next check is under way."""
    rows = csv.DictReader(text.strip().removeprefix("# ").splitlines())
    return {
        f"{row['pxname']}/{row['svname']}": Check(
            up=row["status"].startswith("UP"), status=row["check_status"].removeprefix("* "), code=row["check_code"], sessions=int(row["scur"] or 0)
        )
        for row in rows
    }


@dataclass
class Registration:
    """One target of one group. ``server`` is HAProxy's path <backend>/<server>; a target that comes back gets a new one."""

    key: TargetKey
    target: Target
    server: str
    since: float
    phase: Phase = Phase.INITIAL
    healthy: bool = False
    failure: Health = FAILED
    deadline: float = 0.0

    @property
    def line(self) -> Server:
        """As HAProxy must start with it, so that a reload changes nothing for the traffic."""
        serving = self.phase is Phase.SERVING
        return Server(self.server.partition("/")[2], self.target, usable=serving and self.healthy, open=serving)

    @property
    def health(self) -> Health:
        if self.phase is Phase.INITIAL:
            return INITIAL
        if self.phase is Phase.DRAINING:
            return DRAINING
        return HEALTHY if self.healthy else self.failure

    def drain(self, now: float, delay: float) -> list[str]:
        """No new requests; running ones finish."""
        self.phase, self.deadline = Phase.DRAINING, now + delay
        return [_set(self.server, "state maint"), _set(self.server + OPEN, "state maint")]

    def begin(self) -> list[str]:
        """Commands that bring a server of a fresh HAProxy from its line in the file to this registration's state."""
        if self.phase is Phase.INITIAL:
            return [_set(self.server, "state drain"), f"enable health {self.server}"]
        return self._serve() if self.phase is Phase.SERVING else []

    def observe(self, check: Check, now: float, rule: HealthCheck) -> list[str]:
        """Learn from the last check; commands follow only at the end of the initial phase."""
        if check.failed:
            self.failure = check.failure()
        if self.phase is Phase.SERVING:
            self.healthy = check.up
            return []
        if self.phase is Phase.DRAINING or not (check.passed or (check.failed and now >= self.since + rule.interval * rule.unhealthy)):
            return []
        self.phase, self.healthy = Phase.SERVING, check.passed
        return self._serve()

    def _serve(self) -> list[str]:
        return [
            _set(self.server, f"health {'up' if self.healthy else 'down'}"),
            _set(self.server, "state ready"),
            _set(self.server + OPEN, "state ready"),
        ]


def _set(server: str, change: str) -> str:
    return f"set server {server} {change}"
