"""Faults of the lab, what each should be called, and how long it takes to say so.

``measure`` switches faults on, runs the very work function that the playbook's task runs, in this process, and switches them off again.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._health.verify import run as verify
from lab.settings import REGION, REPOSITORY

from .harness import Lab

TIMEOUT = 60.0  # seconds a verification may take: more than two tasks after each other live under the lab's grace period
RECOVERY = 150.0


@dataclass(frozen=True)
class Case:
    """Faults that are on together, and the causes of which one must be named first: one for a single fault, one of each for a pair."""

    faults: tuple[tuple[str, str], ...]
    causes: tuple[str, ...]

    @property
    def id(self) -> str:
        return " + ".join(f"{name} {port}".strip() for name, port in self.faults)


@dataclass
class Verdict:
    """What one verification said."""

    verdict: str
    seconds: float
    causes: list[dict[str, t.Any]] = field(default_factory=list)
    checks: list[dict[str, t.Any]] = field(default_factory=list)

    @property
    def top(self) -> str:
        return str(self.causes[0]["id"]) if self.causes else ""


# fault (with the port of a group's rule) -> id of its cause
SINGLE: dict[tuple[str, str], str] = {
    ("sg-rule", "3306"): "DB_TIMEOUT",
    ("sg-rule", "6379"): "REDIS_TIMEOUT",
    ("sg-rule", "alb"): "ALB_SG",
    ("alb-egress", ""): "ALB_EGRESS",
    ("no-egress", ""): "PULL_NET",
    ("wrong-port", ""): "HC_REFUSED",
    ("old-conf", ""): "NGX_HOST",
    ("script-root", ""): "FPM_SCRIPT",
    ("health-redirect", ""): "HC_REDIRECT",
    ("matcher", ""): "HC_MATCHER",
    ("image-tag", ""): "PULL_NOTFOUND",
    ("wrong-arch", ""): "PULL_ARCH",
    ("execution-role", ""): "PULL_AUTH",
    ("log-group", ""): "LOG_GROUP",
    ("secret", ""): "SECRET_MISSING",
    ("php-fpm-dead", ""): "FPM_DOWN",
    ("php-fpm-hang", ""): "HC_SLOW",
    ("php-fpm-socket", ""): "FPM_DOWN",
    ("php-fpm-allowed", ""): "FPM_ALLOWED",
    ("slow-start", ""): "SLOW_START",
    ("app-500", ""): "APP_500",
    ("app-500-silent", ""): "HC_500",
    ("app-key", ""): "SESSION",
    ("worker-crash", ""): "EXIT_1",
    ("oom", ""): "OOM",
    ("listener-rule", ""): "NO_RULE",
    ("certificate", ""): "TLS_NAME",
}

PAIRED: tuple[tuple[tuple[str, str], tuple[str, str]], ...] = (
    (("sg-rule", "3306"), ("sg-rule", "6379")),
    (("sg-rule", "3306"), ("app-500", "")),
    (("sg-rule", "alb"), ("php-fpm-dead", "")),
    (("old-conf", ""), ("certificate", "")),
    (("old-conf", ""), ("oom", "")),
    (("image-tag", ""), ("log-group", "")),
    (("execution-role", ""), ("matcher", "")),
    (("secret", ""), ("worker-crash", "")),
    (("app-500", ""), ("worker-crash", "")),
    (("php-fpm-allowed", ""), ("certificate", "")),
    (("listener-rule", ""), ("app-key", "")),
    (("wrong-port", ""), ("worker-crash", "")),
)

SINGLES = [Case((fault,), (cause,)) for fault, cause in SINGLE.items()]
PAIRS = [Case(pair, tuple(SINGLE[fault] for fault in pair)) for pair in PAIRED]


class Target:
    """A provisioned target in a lab, to break and to verify."""

    def __init__(self, lab: Lab, plan: t.Mapping[str, t.Any]) -> None:
        self._lab = lab
        settings, inventory = lab.settings, REPOSITORY / "inventories" / "lab"
        self._clients = Clients({"region": REGION, "endpoint_url": settings.api_url, "access_key": "AKIAE2E", "secret_key": "e2e-e2e-e2e"})
        spec, other = plan["verify"]["target"], plan["verify"]["source"]
        times = _read(inventory / "group_vars" / "all" / "lab.yml")
        self.params: dict[str, t.Any] = {
            **{key: spec[key] for key in ("side", "fqdn", "load_balancer", "cluster", "services")},
            "compare_load_balancer": other["load_balancer"],
            "probes": _read(inventory / "host_vars" / "shop.yml")["fargate_probes"],
            "probe_proxy": f"http://127.0.0.1:{settings.proxy_port}",
            "probe_ca": str(settings.run_dir / "ca.pem"),
            "settle_seconds": times["fargate_verify_settle"],
            "poll_seconds": times["fargate_verify_poll"],
        }

    def verify(self, timeout: float) -> Verdict:
        """By this process's own clock."""
        began = time.monotonic()
        try:
            result = verify({**self.params, "timeout": timeout}, self._clients, False)
        except CutoverError as error:
            result = error.details
        return Verdict(str(result["verdict"]), time.monotonic() - began, result["causes"], result["checks"])

    def break_it(self, case: Case) -> None:
        """All at once, then new tasks."""
        for number, (name, port) in enumerate(case.faults, 1):
            body = {"name": name, **({"port": port} if port else {}), "restart": number == len(case.faults)}
            self._lab.get("/_lab/data-faults", "POST", body)

    def stop_all(self, reason: str) -> set[str]:
        """ECS starts new tasks in their place."""
        ecs, cluster = self._lab.client("ecs"), str(self.params["cluster"])
        tasks = set(ecs.list_tasks(cluster=cluster)["taskArns"])
        for task in tasks:
            ecs.stop_task(cluster=cluster, task=task, reason=reason)
        return tasks

    def mend(self) -> Verdict:
        """Everything off, new tasks, and healthy again: proven by the same verification."""
        self._lab.get("/_lab/data-faults", "DELETE")
        ecs, cluster = self._lab.client("ecs"), str(self.params["cluster"])
        broken = self.stop_all("mended")
        deadline = time.monotonic() + RECOVERY
        while not self._replaced(ecs, cluster, broken):
            assert time.monotonic() < deadline, "the tasks were not replaced"
            time.sleep(0.5)
        return self.verify(RECOVERY)

    def _replaced(self, ecs: t.Any, cluster: str, broken: set[str]) -> bool:
        """A verification that starts while the broken tasks are still the newest would rightly tell about them."""
        wanted = sum(int(service["desired_count"]) for service in self.params["services"])
        arns = set(ecs.list_tasks(cluster=cluster)["taskArns"]) - broken
        found = ecs.describe_tasks(cluster=cluster, tasks=sorted(arns))["tasks"] if arns else []
        return sum(task["lastStatus"] == "RUNNING" for task in found) == wanted


def _read(path: Path) -> dict[str, t.Any]:
    return dict(yaml.safe_load(path.read_text()))


def measure(target: Target, case: Case) -> Verdict:
    """One case from healthy to healthy."""
    target.break_it(case)
    try:
        found = target.verify(TIMEOUT)
    finally:
        healed = target.mend()
    assert healed.verdict == "healthy", f"after {case.id} was switched off: {healed.verdict} {healed.causes}"
    return found


def selection(choice: str) -> list[Case]:
    """``all``, ``singles``, ``pairs`` or names of cases, separated by commas; other words (``healthy``) are for others."""
    wanted = {part.strip() for part in choice.split(",")}
    groups = (("singles", SINGLES), ("pairs", PAIRS))
    return [case for name, cases in groups for case in cases if wanted & {"all", name, case.id}]


HEADS = {
    "fault": ("fault", "first cause", "confidence", "right", "seconds", "other causes"),
    "healthy run": ("healthy run", "verdict", "seconds"),
}


@dataclass
class Table:
    """Results for people, kept from run to run: measuring a part replaces the rows of that part."""

    faults: dict[str, tuple[str, ...]] = field(default_factory=dict)
    healthy: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Table:
        made, rows = cls(), {}
        for line in path.read_text().splitlines() if path.exists() else []:
            cells = tuple(cell.strip() for cell in line.strip("|").split("|")) if line.startswith("|") else ()
            if cells and cells[0] in HEADS:
                rows = made.faults if cells[0] == "fault" else made.healthy
            elif cells and not cells[0].startswith("---"):
                rows[cells[0]] = cells[1:]
        return made

    def add(self, case: Case, found: Verdict) -> str:
        """The row, as a line."""
        confidence = str(found.causes[0]["confidence"]) if found.causes else ""
        right = "yes" if found.top in case.causes else f"no, it should be {' or '.join(case.causes)}"
        others = ", ".join(str(cause["id"]) for cause in found.causes[1:])
        self.faults[case.id] = (found.top or found.verdict, confidence, right, f"{found.seconds:.1f}", others)
        return _line((case.id, *self.faults[case.id]))

    def add_healthy(self, name: str, found: Verdict) -> str:
        self.healthy[name] = (" ".join(filter(None, (found.verdict, found.top))), f"{found.seconds:.1f}")
        return _line((name, *self.healthy[name]))

    def text(self) -> str:
        rows = [(case.id, *self.faults[case.id]) for case in (*SINGLES, *PAIRS) if case.id in self.faults]
        right = sum(row[3] == "yes" for row in rows)
        alarms = sum(cells[0] != "healthy" for cells in self.healthy.values())
        lines = [
            "# Faults of the lab and what `verify` says",
            "",
            "Made by `make faults`, or in parts: `CUTOVER_FAULTS=\"old-conf,sg-rule alb\" pytest tests/e2e/test_diagnosis.py` replaces the rows it measures. The fault is",
            "switched on, all tasks of the target are replaced at once, and verification starts; seconds are from there to the verdict,",
            f"{TIMEOUT:g} at most. The lab's time runs twenty times as fast as AWS's; the health check grace period (60 s) is 15 s there.",
            "",
            f"{right} of {len(rows)} first causes are right ({len(SINGLES)} faults alone, {len(PAIRS)} pairs, where either will do).",
            f"{alarms} of {len(self.healthy)} healthy verifications raised a false alarm.",
            "",
            *_table("fault", rows),
            "",
            "Healthy runs, with a busy loop for each processor but for the first. Half of them start when all tasks have just been told to stop.",
            "",
            *_table("healthy run", [(name, *cells) for name, cells in self.healthy.items()]),
        ]
        return "\n".join(lines) + "\n"


def _table(head: str, rows: list[tuple[str, ...]]) -> list[str]:
    return [_line(HEADS[head]), _line(("---",) * len(HEADS[head])), *map(_line, rows)]


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
