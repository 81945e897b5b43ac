"""``python -m lab``: a local AWS with a running system in it, to rehearse a migration on.

Run with PYTHONPATH=tests from the checkout. CUTOVER_LAB names the lab, CUTOVER_LAB_PORT is its first port, CUTOVER_LAB_TIME its speed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from lab import control, host, state, status, sweep
from lab.control import LabError
from lab.faults import NAMES
from lab.settings import FQDN, REPOSITORY, Settings

Arguments = argparse.Namespace
KEY = {"AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "lab"}


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 1 with one clear message."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(Settings(), parsed) or 0)
    except (LabError, host.HostError, ValueError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `lab status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    add("install", install, "install the Debian packages that are missing (Debian, Ubuntu)")
    add("up", up, "start the lab and wait until the source system serves; what an earlier run left behind is removed first")
    add("down", down, "stop the lab and leave nothing behind")
    add("status", show_status, "what serves what, on one screen").add_argument("--json", action="store_true")
    add("wait", wait, "wait until the source system serves")
    add("endpoints", endpoints, "environment variables for boto3, the AWS CLI and curl")
    logs = add("logs", show_logs, "the daemon's log, or the output of containers whose name contains NAME")
    logs.add_argument("name", nargs="?", help="part of a container's log file name")
    logs.add_argument("--lines", type=int, default=50)
    for name in ("shell", "exec"):
        command = add(name, shell, "run a command (default: a shell) inside the operator's namespace, with the lab's DNS")
        command.add_argument("argv", nargs=argparse.REMAINDER, help="command and arguments")
    add("daemon", daemon, "run the lab in the foreground (what `up` starts)")
    _add_fault(add("fault", fault, "break something on purpose"))
    _add_load(add("load", load, "users who click"))
    return parser


def _add_fault(command: argparse.ArgumentParser) -> None:
    command.formatter_class = argparse.RawDescriptionHelpFormatter
    command.epilog = "\n".join(f"  {name:<17}{text}" for name, text in NAMES.items())
    command.add_argument("action", choices=("on", "off", "list"))
    command.add_argument("name", nargs="?", choices=tuple(NAMES))
    command.add_argument("--service", default="", help="only services whose name contains this")
    command.add_argument("--side", choices=("target", "source", "both"), default="target", help="Fargate tasks (default), EC2 tasks, or both")
    command.add_argument("--port", default="3306", help="sg-rule: 3306, 6379 or alb (%(default)s)")
    command.add_argument("--container", default="", help="name of the container, where it is not the shop's own")
    command.add_argument("--restart", action="store_true", help="also stop running tasks, so that new ones start with the fault (or, with off, without it)")
    command.add_argument("--operation", help="api: service:Operation, for example ecs:CreateService (shell patterns)")
    command.add_argument("--error", help="api: error code to answer instead of throttling, for example InternalFailure:500")
    command.add_argument("--times", type=int, default=1, help="api: how many calls (0: all)")
    command.add_argument("--after", type=int, default=0, help="api: how many calls to let pass first")


def _add_load(command: argparse.ArgumentParser) -> None:
    command.add_argument("action", choices=("start", "stop", "report", "mark"))
    command.add_argument("phase", nargs="?", help="mark: name of the phase that begins now")
    command.add_argument("--users", type=int, default=50)
    command.add_argument("--rate", type=float, default=50, help="requests per second")
    command.add_argument("--duration", type=float, help="seconds; without it, until `load stop`")
    command.add_argument("--out", type=Path, help="folder for the results (default: build/lab/<name>/load)")
    command.add_argument("--wait", action="store_true", help="start: stay until the duration is over, then report")


# -- life


def install(_settings: Settings, _arguments: Arguments) -> None:
    packages = host.install()
    print(f"installed: {' '.join(packages)}" if packages else "nothing is missing")


def up(settings: Settings, _arguments: Arguments) -> None:
    host.preflight()
    from lab.images.build import ensure_images, image_digests  # noqa: PLC0415 - after the preflight, which may have to say what is missing
    from lab.images.unpacked import ensure_unpacked  # noqa: PLC0415

    began = time.monotonic()
    if sweep.leftovers(settings):
        print(f"removing what an earlier lab {settings.name} left behind", flush=True)
        sweep.down(settings)
    control.require_ports(settings)
    ensure_images(settings, lambda text: print(text, flush=True))
    ensure_unpacked(settings, image_digests(settings), lambda text: print(text, flush=True))
    process = control.start(settings)
    try:
        control.wait_ready(settings, lambda text: print(f"{time.monotonic() - began:5.1f} s  {text}", flush=True), lambda: process.poll() is None)
    except (LabError, KeyboardInterrupt):
        sweep.down(settings)
        raise
    print(_greeting(settings, time.monotonic() - began))


def _greeting(settings: Settings, seconds: float) -> str:
    environment = f"CUTOVER_LAB={settings.name} CUTOVER_LAB_PORT={settings.base_port} " if settings.name != "lab" else ""
    lab = f"{environment}PYTHONPATH=tests .venv/bin/python -m lab"
    return f"""
The lab is up after {seconds:.1f} s: https://{FQDN} is served by ECS on EC2.

  the shop in a browser    http://127.0.0.1:{settings.shop_port}/
  the AWS API              {settings.api_url}   (eval "$({lab} endpoints)")
  what serves what         {lab} status
  the migration            {environment}.venv/bin/ansible-playbook -i inventories/lab playbooks/plan.yml
  users who click          {lab} load start
  break something          {lab} fault on old-conf
  everything away          {lab} down"""


def down(settings: Settings, _arguments: Arguments) -> None:
    host.require_root()
    began = time.monotonic()
    found = sweep.down(settings)
    left = sweep.leftovers(settings)
    if left:
        raise LabError(f"left behind: {', '.join(left)}")
    print(f"lab {settings.name} is gone ({time.monotonic() - began:.1f} s)" if found else f"there was no lab {settings.name}")


def wait(settings: Settings, _arguments: Arguments) -> None:
    control.wait_ready(settings, lambda text: print(text, flush=True), lambda: control.running(settings))


def daemon(settings: Settings, _arguments: Arguments) -> int:
    host.preflight()
    from lab.daemon import main as serve  # noqa: PLC0415 - imports moto, which only the daemon needs

    return serve(settings)


# -- looking


def show_status(settings: Settings, arguments: Arguments) -> None:
    document = control.ask(settings, "/_lab/status")
    print(json.dumps(document, indent=2) if arguments.json else status.render(document))


def endpoints(settings: Settings, _arguments: Arguments) -> None:
    values = {
        "AWS_ENDPOINT_URL": settings.api_url,
        **KEY,
        "AWS_REGION": "eu-west-1",
        "CUTOVER_LAB_PROXY": f"http://127.0.0.1:{settings.proxy_port}",
        "CUTOVER_LAB_CA": settings.run_dir / "ca.pem",
        "CUTOVER_LAB_SHOP": f"http://127.0.0.1:{settings.shop_port}",
    }
    print("\n".join(f"export {name}={value}" for name, value in values.items()))


def show_logs(settings: Settings, arguments: Arguments) -> None:
    if not arguments.name:
        print(control.log_tail(settings, arguments.lines))
        return
    for file in sorted((settings.state_dir / "logs").glob(f"*{arguments.name}*"), key=lambda path: path.stat().st_mtime):
        print(f"==> {file.name}")
        print("\n".join(file.read_text(errors="replace").splitlines()[-arguments.lines :]))


def shell(settings: Settings, arguments: Arguments) -> int:
    host.require_root()
    if not control.running(settings):
        raise LabError(f"lab {settings.name} is not running; start it with: make lab-up")
    from lab.network.namespace import Network  # noqa: PLC0415

    argv = arguments.argv[1:] if arguments.argv[:1] == ["--"] else arguments.argv
    command = Network(settings).operator.resolving_command(argv or [os.environ.get("SHELL", "/bin/sh")])
    return subprocess.run(command, check=False).returncode


# -- breaking


def fault(settings: Settings, arguments: Arguments) -> None:
    if arguments.action == "list":
        _list_faults(settings)
    elif arguments.name == "api":
        _api_fault(settings, arguments)
    elif arguments.action == "off":
        query = urlencode({key: value for key, value in (("name", arguments.name), ("restart", arguments.restart)) if value})
        print("ended:", ", ".join(control.ask(settings, f"/_lab/data-faults?{query}", "DELETE")["ended"]) or "none was on")
    elif not arguments.name:
        raise LabError(f"name the fault: {', '.join(NAMES)}")
    else:
        body = {key: getattr(arguments, key) for key in ("name", "service", "side", "port", "container", "restart")}
        print(json.dumps(control.ask(settings, "/_lab/data-faults", "POST", body)))


def _list_faults(settings: Settings) -> None:
    answer = control.ask(settings, "/_lab/data-faults")
    active = {item["name"] for item in answer["faults"]}
    for name, text in answer["known"].items():
        print(f"{'ON ' if name in active else '   '} {name:<17}{text}")
    for item in control.ask(settings, "/_lab/faults")["faults"]:
        print(f"ON  api {item['service']}:{item['operation']} {item['action']}")


def _api_fault(settings: Settings, arguments: Arguments) -> None:
    if arguments.action == "off":
        print(json.dumps(control.ask(settings, "/_lab/faults", "DELETE")))
        return
    if not arguments.operation:
        raise LabError("name the operation, for example --operation ecs:CreateService")
    service, _colon, operation = arguments.operation.partition(":")
    body: dict[str, Any] = {"action": "throttle", "service": service, "operation": operation or "*", "times": arguments.times, "after": arguments.after}
    if arguments.error:
        code, _colon, number = arguments.error.partition(":")
        body |= {"action": "error", "code": code, "status": int(number or 500)}
    print(json.dumps(control.ask(settings, "/_lab/faults", "POST", body)))


# -- load


def load(settings: Settings, arguments: Arguments) -> int:
    folder = arguments.out or REPOSITORY / "build" / "lab" / settings.name / "load"
    if arguments.action == "start":
        return _start_load(settings, arguments, folder)
    if arguments.action == "stop":
        _stop_load(settings)
    elif arguments.action == "mark":
        from lab.load.report import mark  # noqa: PLC0415

        mark(folder, arguments.phase or "phase")
        return 0
    return _report(folder)


def _start_load(settings: Settings, arguments: Arguments, folder: Path) -> int:
    host.require_root()
    if _load_process(settings):
        raise LabError("the load is running already; stop it with: PYTHONPATH=tests .venv/bin/python -m lab load stop")
    from lab.network.namespace import Network  # noqa: PLC0415

    options = ["--users", str(arguments.users), "--rate", str(arguments.rate), "--out", str(folder), "--ca", str(settings.run_dir / "ca.pem")]
    options += ["--duration", str(arguments.duration)] if arguments.duration else []
    argv = Network(settings).client.command([sys.executable, "-m", "lab.load", *options])
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, state.MARK: settings.name, "PYTHONPATH": str(REPOSITORY / "tests")}
    with (folder / "load.log").open("wb") as log:
        process = subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    _load_file(settings).write_text(json.dumps({"pid": process.pid, "start": state.start_time(process.pid), "out": str(folder)}))
    print(f"{arguments.users} users, {arguments.rate:g} requests per second; results in {folder}", flush=True)
    if not arguments.wait:
        return 0
    process.wait()
    return _report(folder)


def _stop_load(settings: Settings) -> None:
    process = _load_process(settings)
    if process is None:
        raise LabError("no load is running")
    os.kill(process.pid, signal.SIGTERM)
    while process.alive():
        time.sleep(0.1)


def _report(folder: Path) -> int:
    """Phases and totals; exit code 1 when a request failed, a session was lost or a job was done twice."""
    from lab.load.report import summarise  # noqa: PLC0415

    found = summarise(folder)
    for phase in found["phases"]:
        print(json.dumps(phase))
    print(json.dumps(found["totals"], indent=2))
    return 1 if any(found["totals"].get(key) for key in ("failed", "sessions_lost", "jobs_twice")) else 0


def _load_file(settings: Settings) -> Path:
    return settings.run_dir / "load.json"


def _load_process(settings: Settings) -> state.Process | None:
    try:
        raw = json.loads(_load_file(settings).read_text())
    except (FileNotFoundError, ValueError):
        return None
    process = state.Process("load", raw["pid"], raw["start"] or 0)
    return process if process.alive() else None


if __name__ == "__main__":
    sys.exit(main())
