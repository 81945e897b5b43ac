"""The command line's side of the daemon: start it, ask it, tell it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from lab import state
from lab.settings import REPOSITORY, Settings

START_TIMEOUT = 240.0


class LabError(Exception):
    """One clear line about what is wrong and what to do."""


def ask(settings: Settings, path: str, method: str = "GET", body: Any = None, timeout: float = 10) -> Any:
    """One of the daemon's own routes (``/_lab/...``)."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{settings.api_url}{path}", data=data, method=method, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise LabError(error.read().decode(errors="replace").strip() or str(error)) from error
    except (OSError, ValueError) as error:
        raise LabError(f"lab {settings.name} does not answer on {settings.api_url}; start it with: make lab-up") from error


def running(settings: Settings) -> bool:
    known = state.load(settings)
    return bool(known and known.daemon and known.daemon.alive())


def require_ports(settings: Settings) -> None:
    """All of the lab's loopback ports must be free, or nothing is started."""
    taken = [port for port in range(settings.base_port, settings.base_port + 4) if not _free(port)]
    if taken:
        raise LabError(f"port {', '.join(map(str, taken))} on 127.0.0.1 is in use; choose another first port with CUTOVER_LAB_PORT. Nothing was started.")


def start(settings: Settings) -> subprocess.Popen[bytes]:
    """The daemon, detached, its output in <run_dir>/daemon.log."""
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, state.MARK: settings.name, "PYTHONPATH": str(REPOSITORY / "tests"), "PYTHONUNBUFFERED": "1"}
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        environment.pop(name, None)
    with (settings.run_dir / "daemon.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "lab", "daemon"],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def wait_ready(settings: Settings, say: Callable[[str], None], alive: Callable[[], bool]) -> float:
    """Until the source system serves; tells each step. Returns the seconds it took. Raises LabError with the end of the log when it fails."""
    deadline = time.monotonic() + START_TIMEOUT
    told = ""
    while time.monotonic() < deadline:
        try:
            answer = ask(settings, "/_lab/ready", timeout=2)
        except LabError:
            answer = {"ready": False, "step": told}
        if answer["ready"]:
            return float(answer["seconds"])
        if answer["step"] != told:
            told = answer["step"]
            say(told)
        if told.startswith("failed") or not alive():
            raise LabError(f"the lab did not start.\n{log_tail(settings)}")
        time.sleep(0.1)
    raise LabError(f"the lab is not ready after {START_TIMEOUT:.0f} s ({told}).\n{log_tail(settings)}")


def log_tail(settings: Settings, lines: int = 30) -> str:
    try:
        text = (settings.run_dir / "daemon.log").read_text(errors="replace")
    except FileNotFoundError:
        return "there is no log"
    return "\n".join(text.splitlines()[-lines:])


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
