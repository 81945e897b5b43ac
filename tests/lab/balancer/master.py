"""One HAProxy in master-worker mode: start, seamless reload, commands, end."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from pathlib import Path

from lab.balancer.config import Files
from lab.network.namespace import Namespace

PATIENCE = 10.0  # seconds for HAProxy to start or reload on a busy machine


class BalancerError(RuntimeError):
    """HAProxy refused a configuration or a command, or did not start."""


class Master:
    """The process and its command socket. A worker is addressed by its id, so that no command reaches the one a reload replaces."""

    def __init__(self, namespace: Namespace, files: Files) -> None:
        self._namespace = namespace
        self._files = files
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def check(self, configuration: Path) -> None:
        """Raise BalancerError with HAProxy's words when it would refuse the file."""
        done = subprocess.run(["haproxy", "-c", "-f", str(configuration)], capture_output=True, text=True, timeout=30, check=False)
        if done.returncode:
            alerts = [line for line in done.stderr.splitlines() if line.startswith("[ALERT]")]
            raise BalancerError(" | ".join(alerts) or done.stderr.strip())

    def start(self) -> None:
        argv = ["haproxy", "-W", "-S", f"{self._files.master},mode,600", "-f", str(self._files.configuration)]
        with self._files.output.open("ab") as output:
            self._process = subprocess.Popen(self._namespace.command(argv), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self._wait_for_worker(None)

    def reload(self) -> None:
        """A new worker takes over the listening sockets; the old one finishes what it has."""
        before = self._worker()
        self._ask("reload")
        self._wait_for_worker(before)

    def _wait_for_worker(self, before: int | None) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.running:
            with contextlib.suppress(OSError):
                if self._worker() not in (None, before) and "Uptime" in self.command("show info"):
                    return
            time.sleep(0.01)
        raise BalancerError(f"HAProxy did not start; its last words: {self._last_words()}")

    def _last_words(self) -> str:
        return " | ".join(self._files.output.read_text(errors="replace").splitlines()[-5:])

    def command(self, text: str) -> str:
        """The current worker's answer to one command."""
        return self._ask(f"@1 {text}")

    def old_workers(self) -> list[int]:
        """Workers replaced by a reload that still have connections."""
        return parse_workers(self._ask("show proc"))[1]

    def _worker(self) -> int | None:
        return parse_workers(self._ask("show proc"))[0]

    def _ask(self, text: str) -> str:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(self._files.master))
            connection.sendall(f"{text}\nquit\n".encode())
            return b"".join(iter(lambda: connection.recv(1 << 16), b"")).decode()

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def parse_workers(text: str) -> tuple[int | None, list[int]]:
    """(the current worker, the old ones) from ``show proc``."""
    current, old, section = None, [], ""
    for line in text.splitlines():
        if line.startswith("# "):
            section = line
        fields = line.split()
        if len(fields) > 1 and fields[1] == "worker":
            if section == "# workers":
                current = int(fields[0])
            else:
                old.append(int(fields[0]))
    return current, old
