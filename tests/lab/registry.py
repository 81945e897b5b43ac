"""The registry behind every ECR host name of the lab: Debian's ``docker-registry`` as a child process.

Base images live in the cache, shared by all labs; a lab works on its own copy, which ``lab down`` removes with the rest of the state directory.
The copy takes no time: blobs are hard links. That is safe because the registry never writes into a blob it has: uploads are renamed into place, and
content that is there already is not written again. Everything else (tag and layer links) it does write in place, so those files are really copied.
Source: distribution 2.8, registry/storage/driver/filesystem/driver.go (PutContent) and registry/storage/blobstore.go (Put).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType

from lab.settings import Settings
from lab.state import MARK

START_TIMEOUT = 10.0
STOP_TIMEOUT = 5.0


class RegistryError(RuntimeError):
    """The registry cannot be started; the message says why."""


def free_port() -> int:
    """A loopback port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RegistryProcess(AbstractContextManager["RegistryProcess"]):
    """One docker-registry on 127.0.0.1 over one storage folder. Configuration and log go to ``run_dir``.

    It carries the mark of the lab that started it, so that ``lab down`` finds it also after its parent was killed.
    """

    def __init__(self, lab: str, storage: Path, port: int, run_dir: Path) -> None:
        self._lab = lab
        self.address = f"127.0.0.1:{port}"
        self._storage = storage
        self._port = port
        self._config = run_dir / "registry.json"
        self._log = run_dir / "registry.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Returns when the registry answers."""
        if self.pid:
            return
        _require_free(self._port)
        self._storage.mkdir(parents=True, exist_ok=True)
        self._config.parent.mkdir(parents=True, exist_ok=True)
        self._config.write_text(json.dumps(self._configuration(), indent=2))
        with self._log.open("wb") as log:
            command = ["docker-registry", "serve", str(self._config)]
            environment = {**os.environ, MARK: self._lab}
            self._process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            self._wait(self._process)
        except RegistryError:
            self.stop()
            raise

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> RegistryProcess:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _configuration(self) -> dict[str, object]:
        """YAML, of which JSON is a part."""
        return {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(self._storage)}, "delete": {"enabled": True}},
            "http": {"addr": self.address},
        }

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not _answers(self.address):
            if process.poll() is not None:
                raise RegistryError(f"docker-registry ended with exit code {process.returncode}: {_last_line(self._log)}")
            if time.monotonic() > deadline:
                raise RegistryError(f"docker-registry on {self.address} does not answer after {START_TIMEOUT:.0f} s; its log is {self._log}")
            time.sleep(0.02)


class Registry(RegistryProcess):
    """The registry of one lab: base images as cached, and what this lab pushes until it goes down."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.name, settings.state_dir / "registry", settings.registry_port, settings.run_dir)
        self._settings = settings

    def start(self) -> None:
        """Start over the lab's own content, which on the first start is a copy of the cached images."""
        if not self._storage.exists():
            with cache_lock(self._settings, shared=True):
                clone(registry_cache(self._settings), self._storage)
        super().start()


def registry_cache(settings: Settings) -> Path:
    """Storage folder of the base images."""
    return settings.cache_dir / "registry"


@contextmanager
def cache_lock(settings: Settings, shared: bool = False) -> Iterator[None]:
    """Held while the cache is written, or (shared) while it is copied."""
    settings.cache_dir.mkdir(parents=True, exist_ok=True)
    with (settings.cache_dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


def clone(source: Path, target: Path) -> None:
    """Copy a registry's storage, blobs as hard links. An interrupted copy is not taken for a whole one."""
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    if source.exists():
        shutil.copytree(source, partial, copy_function=_link_or_copy)
    else:
        partial.mkdir(parents=True)
    partial.rename(target)


def _link_or_copy(source: str, target: str) -> str:
    if "/blobs/" in source and source.endswith("/data"):
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without links
            shutil.copyfile(source, target)
    else:
        shutil.copyfile(source, target)
    return target


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise RegistryError(f"port {port} on 127.0.0.1 is in use, the registry cannot have it: choose other ports with CUTOVER_LAB_PORT") from error


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/v2/", timeout=1) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no message"
