"""The distribution registry as a process of our own."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from pathlib import Path

USER, PASSWORD = "AWS", "pass-word-of-the-test"
# htpasswd -B: the registry takes bcrypt only. The hash is that of PASSWORD.
HTPASSWD = "AWS:$2b$04$0TUAx1IIgL2AYFMU.Bl6iO2ceoVsfQxH5MY8madkwpaKcOHhgKurm\n"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """``with Server(folder) as server:`` a registry at ``server.url`` that keeps its data in ``folder`` over restarts."""

    def __init__(self, folder: Path, protected: bool = False) -> None:
        self.folder = folder
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self.protected = protected
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "htpasswd").write_text(HTPASSWD)
        auth = f"auth: {{htpasswd: {{realm: test, path: {self.folder}/htpasswd}}}}\n" if self.protected else ""
        (self.folder / "config.yml").write_text(
            "version: 0.1\nlog: {level: error}\n"
            f"storage: {{filesystem: {{rootdirectory: {self.folder}/data}}, delete: {{enabled: true}}}}\n"
            f"http: {{addr: '{self.host}'}}\n{auth}"
        )
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(["docker-registry", "serve", str(self.folder / "config.yml")], stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise RuntimeError(f"docker-registry did not start: {(self.folder / 'log').read_text()[-500:]}") from None
                time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def requests(self) -> list[tuple[str, str, int]]:
        """Every request so far as (method, path with query, status)."""
        lines = re.findall(r'"(\w+) (\S+) HTTP/1.1" (\d+)', (self.folder / "log").read_text())
        return [(method, path, int(status)) for method, path, status in lines]

    def blob(self, digest: str) -> Path:
        """The file that holds a blob's bytes."""
        return self.folder / "data/docker/registry/v2/blobs/sha256" / digest[7:9] / digest[7:] / "data"
