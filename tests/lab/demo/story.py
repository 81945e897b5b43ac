"""The phases of the demonstration, each driven by its playbook, with the load running through all of them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.demo import page
from lab.load import journal, report
from lab.settings import REPOSITORY, Settings

SYSTEM = "shop"


@dataclass(frozen=True)
class Options:
    users: int
    rate: float
    requests: int
    out: Path
    keep: bool = False


@dataclass(frozen=True)
class Step:
    """One playbook under load. ``told`` is what a reader should look for."""

    phase: str
    playbook: str
    told: str
    extra: tuple[str, ...] = ()


STORY = (
    Step("plan", "plan", "reads everything, writes nothing: what will be built, and what a person must know"),
    Step("migrate", "migrate", "builds Fargate beside EC2, verifies it, moves the traffic"),
    Step("scale_in", "scale_in", "waits until nobody uses the old load balancer, then EC2 goes to zero"),
    Step("rollback", "rollback", "brings EC2 back from zero, verifies it, moves the traffic back"),
    Step("migrate again", "migrate", "everything is there already: verifies and moves the traffic"),
    Step("scale_in again", "scale_in", "EC2 goes to zero again"),
    Step("teardown", "teardown", "deletes the old system, item by item, each proven unused", ("-e", f"fargate_teardown_confirm={SYSTEM}")),
)
BEFORE, AFTER = "before", "after"
REST_SECONDS = 10.0


class PlaybookError(Exception):
    """A phase did not succeed; the load goes on until it is stopped, so that the report shows what users saw."""


def tell(options: Options) -> int:
    """Run the story; write result.json and report.html; give the exit code."""
    settings, started = Settings(), time.monotonic()
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    _heading("lab", "starts a local AWS with a live shop on ECS-on-EC2")
    _lab("up")
    trouble: str | None = None
    try:
        with load(settings, options) as users:
            try:
                _phases(options, users)
            except PlaybookError as error:
                trouble = str(error)
                print(f"\n{trouble}")
    finally:
        if not options.keep:
            _lab("down")
    result = conclude(options, trouble, time.monotonic() - started)
    return 0 if result["verdict"] == "passed" else 1


def _phases(options: Options, users: subprocess.Popen[bytes]) -> None:
    _begin(options, BEFORE, "users click; everything is served by EC2")
    time.sleep(REST_SECONDS)
    for step in STORY:
        _begin(options, step.phase, step.told)
        play(step, options.out)
        if users.poll() is not None:
            raise PlaybookError("The load generator ended early: see load.log.")
        _tell_so_far(options)
    _begin(options, AFTER, "users click on; everything is served by Fargate, and EC2 is gone")
    time.sleep(REST_SECONDS)
    while (sent := _summary(options)["requests"]) < options.requests:
        print(f"  {sent} of {options.requests} requests", flush=True)
        time.sleep(min(30.0, max(1.0, (options.requests - sent) / options.rate)))


def play(step: Step, out: Path) -> None:
    """Run a playbook as a user would; show what it says, and keep it."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "inventories/lab", f"playbooks/{step.playbook}.yml", *step.extra]
    print("  $ " + " ".join(["ansible-playbook", *command[1:]]), flush=True)
    environment = {**os.environ, "ANSIBLE_FORCE_COLOR": "1" if sys.stdout.isatty() else "0"}
    with (out / f"{step.phase.replace(' ', '-')}.log").open("w") as log:
        process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            if line.strip():
                print(f"  {line}", end="", flush=True)
    if process.wait() != 0:
        raise PlaybookError(f"Phase {step.phase}: the playbook ended with exit code {process.returncode}. What users saw is in the report.")


@contextmanager
def load(settings: Settings, options: Options) -> Iterator[subprocess.Popen[bytes]]:
    """Users in the lab's client namespace, from here to the end; on leaving, their open requests end and the queue is awaited."""
    command = ["nsenter", f"--net=/run/netns/{settings.namespace('cli')}", sys.executable, "-m", "lab.load"]
    command += ["--ca", str(settings.run_dir / "ca.pem"), "--users", str(options.users), "--rate", str(options.rate), "--out", str(options.out / "load")]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "tests")}
    with (options.out / "load.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _await_first_requests(process, options)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=90)


def _await_first_requests(process: subprocess.Popen[bytes], options: Options) -> None:
    for _look in range(60):
        if process.poll() is not None:
            raise SystemExit(f"The load generator did not start:\n{(options.out / 'load.log').read_text()}")
        if (options.out / "load" / journal.SUMMARY).exists() and _summary(options)["requests"]:
            return
        time.sleep(0.5)
    raise SystemExit("The load generator sent no request within 30 s: see load.log.")


def conclude(options: Options, trouble: str | None, wall_seconds: float) -> dict[str, Any]:
    """Judge the run, print the table, write result.json (the contract) and report.html (for people)."""
    summary = report.summarise(options.out / "load")
    result = judge(summary, trouble, wall_seconds)
    (options.out / "result.json").write_text(json.dumps(result, indent=2) + "\n")
    logs = {step.phase: (options.out / f"{step.phase.replace(' ', '-')}.log") for step in STORY}
    texts = {phase: path.read_text() for phase, path in logs.items() if path.exists()}
    (options.out / "report.html").write_text(page.render(summary, result, texts, [(step.phase, step.told) for step in STORY]))
    print(table(result))
    print(f"\nresult: {_near(options.out / 'result.json')}\nreport: {_near(options.out / 'report.html')}")
    return result


def judge(summary: dict[str, Any], trouble: str | None, wall_seconds: float) -> dict[str, Any]:
    """The numbers of the contract, and a verdict with its reasons."""
    totals = summary["totals"]
    keys = ("requests", "failed", "sessions", "sessions_lost", "jobs_sent", "jobs_done", "jobs_twice")
    result: dict[str, Any] = {key: totals[key] for key in keys}
    result["served_by_target_at_end"] = summary["served_by_target_at_end"]
    result["phases"] = [{key: phase[key] for key in ("name", "requests", "failed", "p50_ms", "p99_ms", "source", "target")} for phase in summary["phases"] if phase["name"]]
    result["wall_s"] = round(wall_seconds, 1)
    reasons = [trouble] if trouble else []
    reasons += [f"{result[key]} {what}" for key, what in (("failed", "failed requests"), ("sessions_lost", "sessions lost"), ("jobs_twice", "jobs done twice")) if result[key]]
    if totals.get("counter_errors"):
        reasons.append(f"{totals['counter_errors']} sessions whose counter had a gap")
    if result["jobs_done"] != result["jobs_sent"]:
        reasons.append(f"{result['jobs_sent']} jobs sent, {result['jobs_done']} done")
    if result["served_by_target_at_end"] != 1.0:
        reasons.append(f"{(result['served_by_target_at_end'] or 0) * 100:.1f} % served by the target at the end")
    return {**result, "verdict": "failed" if reasons else "passed", "reasons": reasons}


def table(result: dict[str, Any]) -> str:
    """The phase table and the verdict, for a terminal."""
    lines = ["", f"{'phase':<16}{'requests':>9}{'failed':>8}{'p50 ms':>9}{'p99 ms':>9}{'source':>9}{'target':>9}"]
    for phase in result["phases"]:
        p50, p99 = (f"{phase[key]:.1f}" if phase[key] is not None else "-" for key in ("p50_ms", "p99_ms"))
        lines.append(f"{phase['name']:<16}{phase['requests']:>9}{phase['failed']:>8}{p50:>9}{p99:>9}{phase['source']:>9}{phase['target']:>9}")
    lines.append("")
    lines.append(f"requests: {result['requests']}  failed: {result['failed']}  sessions: {result['sessions']}  lost: {result['sessions_lost']}")
    lines.append(f"jobs: {result['jobs_sent']} sent, {result['jobs_done']} done, {result['jobs_twice']} twice")
    lines.append(f"served by the target at the end: {(result['served_by_target_at_end'] or 0) * 100:.0f} %   wall: {result['wall_s']} s")
    lines.append(f"verdict: {result['verdict']}" + "".join(f"\n  - {reason}" for reason in result["reasons"]))
    return "\n".join(lines)


def _begin(options: Options, phase: str, told: str) -> None:
    report.mark(options.out / "load", phase)
    _heading(phase, told)


def _heading(name: str, told: str) -> None:
    print(f"\n── {name} " + "─" * max(0, 76 - len(name)) + f"\n  {told}", flush=True)


def _tell_so_far(options: Options) -> None:
    seen = _summary(options)
    print(f"  so far: {seen['requests']} requests, {seen['failed']} failed, {seen['sessions_lost']} sessions lost", flush=True)


def _summary(options: Options) -> dict[str, Any]:
    return dict(json.loads((options.out / "load" / journal.SUMMARY).read_text()))


def _lab(verb: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "tests")}
    if subprocess.run([sys.executable, "-m", "lab", verb], env=environment, check=False).returncode != 0:
        raise SystemExit(f"`lab {verb}` failed; what it says is above.")


def _near(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
