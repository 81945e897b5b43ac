"""A lab to run playbooks in, seen from outside: by processes, by the API's request log, by an independent boto3 client."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import typing as t
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import boto3
from lab import state
from lab.settings import REPOSITORY, Settings
from policies import documents

RECAP = re.compile(r"changed=(\d+) .*failed=(\d+)")
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Run:
    """One playbook in one process, and the calls of the API that it made."""

    command: str
    code: int
    output: str
    calls: list[dict[str, t.Any]]

    @property
    def changed(self) -> int:
        match = RECAP.search(self.output)
        return int(match[1]) if match else -1

    @property
    def mutating(self) -> list[str]:
        return [f"{call['service']}:{call['operation']}" for call in self.calls if call["mutating"]]

    def ok(self) -> Run:
        assert self.code == 0, f"{self.command} ended with {self.code}:\n{self.output[-6000:]}"
        return self

    def failed(self) -> Run:
        assert self.code != 0, f"{self.command} should have failed:\n{self.output[-3000:]}"
        return self

    def unchanged(self) -> Run:
        """Nothing was changed, and nothing that could change anything was called."""
        self.ok()
        assert (self.changed, self.mutating) == (0, []), f"{self.command}: changed={self.changed}, {self.mutating}\n{self.output[-6000:]}"
        return self


@dataclass
class Lab:
    settings: Settings
    reports: Path
    environment: dict[str, str] = field(default_factory=dict)
    under_policies: bool = False
    """Whether each playbook may make only the calls that its policy of ``docs/guide/policies`` allows. For tests that call the API while none runs."""
    made: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        names = {"CUTOVER_LAB": self.settings.name, "CUTOVER_LAB_PORT": str(self.settings.base_port), "PYTHONPATH": str(REPOSITORY / "tests")}
        self.environment = {**os.environ, **names, "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"), "PATH": f"{BIN}:{os.environ['PATH']}"}

    # -- the lab itself

    def command(self, *arguments: str) -> str:
        done = subprocess.run([sys.executable, "-m", "lab", *arguments], env=self.environment, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"lab {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def get(self, path: str, method: str = "GET", body: t.Any = None) -> t.Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.settings.api_url + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def last_call(self) -> int:
        return int(self.get("/_lab/requests?since=999999999")["last"])

    def calls(self, since: int) -> list[dict[str, t.Any]]:
        """What clients called: the lab's own processes do not use the API."""
        return list(self.get(f"/_lab/requests?since={since}")["requests"])

    def client(self, service: str) -> t.Any:
        return boto3.client(
            service, region_name="eu-west-1", endpoint_url=self.settings.api_url, aws_access_key_id="AKIAE2E", aws_secret_access_key="e2e-e2e-e2e"
        )

    # -- playbooks

    def start(self, playbook: str, *arguments: str) -> subprocess.Popen[str]:
        """A playbook in a process group of its own, so that it can be killed with its workers."""
        command = [str(BIN / "ansible-playbook"), "-i", "inventories/lab", f"playbooks/{playbook}.yml", "-e", f"fargate_report_dir={self.reports}", *arguments]
        return subprocess.Popen(
            command, cwd=REPOSITORY, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )

    def play(self, playbook: str, *arguments: str) -> Run:
        tagged = self.tagged()
        before = self.last_call()
        process = self.start(playbook, *arguments)
        output, _none = process.communicate(timeout=900)
        run = Run(f"{playbook} {' '.join(arguments)}".strip(), process.returncode, output, self.calls(before))
        self.judge(playbook, run.calls, tagged)
        return run

    def kill_at(self, playbook: str, mutating_call: int, *arguments: str) -> bool:
        """SIGKILL to the playbook and all it started when its Nth mutating call is on its way; False when it made fewer."""
        tagged = self.tagged()
        before = self.last_call()
        process = self.start(playbook, *arguments)
        killed = False
        while process.poll() is None and not killed:
            if sum(call["mutating"] for call in self.calls(before)) >= mutating_call:
                # ansible-core's workers are sessions of their own since 2.19: the group alone would leave one waiting.
                for pid in (process.pid, *(each.pid for each in state.descendants(process.pid))):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                killed = True
            else:
                time.sleep(0.02)
        process.communicate()
        self.judge(playbook, self.calls(before), tagged)
        return killed

    # -- what it was allowed

    def judge(self, playbook: str, calls: list[dict[str, t.Any]], tagged: set[str]) -> None:
        """Fails when the playbook's policies do not allow a call. ``tagged``: what carried the tag before it."""
        if not self.under_policies:
            return
        self.made |= documents.made(calls, "shop")
        refused = documents.refused(playbook, calls, self.made | tagged | self.tagged(), "shop")
        assert refused == [], f"docs/guide/policies/{playbook}.json does not allow {refused}"

    def tagged(self) -> set[str]:
        """Ids of what carries the system's tag in EC2, where calls say ids and not names."""
        tags = self.client("ec2").describe_tags(Filters=[{"Name": "tag:cutover:system", "Values": ["shop"]}])["Tags"] if self.under_policies else []
        return {tag["ResourceId"] for tag in tags}

    # -- what is there

    def served_by(self) -> str:
        """Name of the load balancer that the FQDN leads to now."""
        return str(json.loads(self.command("status", "--json"))["served_by"][0])

    def record_targets(self) -> set[str]:
        route53 = self.client("route53")
        zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
        records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return {each["AliasTarget"]["DNSName"] for each in records if "AliasTarget" in each}

    # -- users

    @contextmanager
    def load(self, folder: Path, users: int = 20, rate: float = 20) -> t.Iterator[t.Callable[[], dict[str, t.Any]]]:
        """Users from here to the end. The function gives their numbers so far; afterwards, the final ones."""
        command = ["nsenter", f"--net=/run/netns/{self.settings.namespace('cli')}", sys.executable, "-m", "lab.load"]
        command += ["--ca", str(self.settings.run_dir / "ca.pem"), "--users", str(users), "--rate", str(rate), "--out", str(folder)]
        process = subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        summary = folder / "summary.json"
        try:
            for _look in range(60):
                if summary.exists() and json.loads(summary.read_text())["requests"]:
                    break
                assert process.poll() is None, "the load generator ended"
                time.sleep(0.5)
            yield lambda: dict(json.loads(summary.read_text()))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=90)


def assert_unharmed(totals: dict[str, t.Any]) -> None:
    """No user noticed anything, and every job was done exactly once."""
    wrong = {key: totals[key] for key in ("failed", "sessions_lost", "counter_errors", "jobs_twice") if totals[key]}
    assert not wrong, f"{wrong}: {totals['last_failure']}"
    assert totals["requests"] > 0
    assert totals["jobs_done"] == totals["jobs_sent"]


def report_of(folder: Path) -> dict[str, t.Any]:
    """The newest run report of the system."""
    return dict(json.loads(max((folder / "shop").glob("run-*.json")).read_text()))
