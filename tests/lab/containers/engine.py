"""Container engines: podman with a private store. One for Fargate (and the data stores), one for each EC2 instance.

An awsvpc task is what the ECS agent makes of it: containers that join a network interface's namespace. A bridge-mode instance is an engine that lives in
the instance's namespace, with a bridge, port mappings and containers of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal as signals
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.containers import cgroups, sandboxes
from lab.containers.command import CONTAINERS_CONF, ULIMITS, local_image, parse_state, run_arguments
from lab.containers.spec import ContainerSpec, ContainerState, Mount, Publish
from lab.images import unpacked
from lab.network.namespace import Namespace
from lab.network.process import command_line, end, processes, status
from lab.settings import RESOLVER, Settings

__all__ = ["ContainerSpec", "ContainerState", "Engine", "EngineError", "Mount", "Publish", "PullError", "namespaces", "reap_orphans", "remove_all"]

SETTLING = 5.0  # seconds between the end of a container's first process and podman's knowledge of it, at most


class EngineError(RuntimeError):
    """podman's own words about what it could not do (container not created, not started, unknown)."""


class PullError(EngineError):
    """The image could not be pulled; the text is the registry's (ECS: CannotPullContainerError)."""


class Engine:
    """``Engine(settings, store, namespace, mode)``.

    mode "namespace": containers join a network interface's namespace (awsvpc); ``namespace`` is the default, ``run(spec, namespace)`` overrides it.
    mode "bridge": the engine lives in the instance's namespace with a bridge and port mappings of its own.
    Image layers are shared by all engines of the lab; a pull always asks the registry.
    """

    def __init__(self, settings: Settings, store: str, namespace: Namespace | None = None, mode: str = "namespace") -> None:
        self._settings = settings
        self._store = _Store(settings, store)
        self._namespace = namespace
        self._mode = mode
        self._cgroup = cgroups.parent(settings.name, store)
        self._first: dict[str, tuple[int, int]] = {}  # container: first process and its start time (process ids are used again)
        self._paused: set[str] = set()
        self._store.create(namespace.name if namespace and mode == "bridge" else None)
        if namespace and mode == "bridge":
            namespace.forward()

    def pull(self, image: str) -> str:
        """Fetch the image from the registry, as ECS does before each start; returns its manifest digest. Raises PullError."""
        registry = f"{self._settings.registry}/"
        local = local_image(image, self._settings.registry)
        if not local.startswith(registry):
            raise PullError(f"failed to resolve reference {image}: the lab reaches no registry but ECR")
        images = _Store.of_images(self._settings)
        done = images.podman(["pull", "--quiet", "--tls-verify=false", local])
        if done.returncode:
            raise PullError(_words(done).replace(registry, image.removesuffix(local.removeprefix(registry))))
        identity = done.stdout.split()[0]  # told once for each store that knows the image
        return _output(images.podman(["image", "inspect", "--format", "{{.Digest}}", identity])).strip()

    def architecture(self, image: str) -> str:
        """Of a pulled image: ``amd64``, ``arm64`` ..."""
        local = local_image(image, self._settings.registry)
        return _output(_Store.of_images(self._settings).podman(["image", "inspect", "--format", "{{.Architecture}}", local])).strip()

    def run(self, spec: ContainerSpec, namespace: Namespace | None = None) -> str:
        """Start a container of a pulled image; returns its id. Raises EngineError when it cannot be created or started."""
        if spec.log_path:
            spec.log_path.parent.mkdir(parents=True, exist_ok=True)
        pid_file = self._store.path / "pids" / spec.name
        image = local_image(spec.image, self._settings.registry)
        done = self._podman(run_arguments(spec, image, self._network(namespace), self._cgroup, pid_file))
        if done.returncode:
            self.remove(spec.name)
            raise EngineError(_words(done))
        container = done.stdout.strip()
        self._note_first_process(container, int(pid_file.read_text()))
        return container

    def _network(self, namespace: Namespace | None) -> str:
        if self._mode == "bridge":
            return "bridge"
        joined = namespace or self._namespace
        return f"ns:{joined.path}" if joined else "none"

    def _note_first_process(self, container: str, pid: int) -> None:
        found = status(pid) if pid else None
        self._first[container] = (pid, found[2] if found else 0)

    def alive(self, container: str) -> bool:
        """Whether its first process runs; cheap (reads /proc), made for polling."""
        if container not in self._first:
            self._note_first_process(container, int(self._inspect(container)["State"]["Pid"]))
        pid, started = self._first[container]
        found = status(pid) if pid else None
        return found is not None and found[2] == started and found[0] not in "ZX"

    def inspect(self, container: str) -> ContainerState:
        """Raises EngineError when there is no such container."""
        return _state(self._inspect(container))

    def _inspect(self, container: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(_output(self._podman(["container", "inspect", container])))
        return found[0]

    def states(self) -> dict[str, ContainerState]:
        """Every container of this engine by id, in two podman calls."""
        names = _output(self._podman(["ps", "--all", "--quiet", "--no-trunc"])).split()
        if not names:
            return {}
        done = self._podman(["container", "inspect", *names])  # fails for one removed meanwhile, but reports the others
        return {found["Id"]: _state(found) for found in json.loads(done.stdout or "[]")}

    def stop(self, container: str, timeout: float) -> ContainerState:
        """The container's stop signal, then SIGKILL after ``timeout`` seconds; waits and returns the final state."""
        if container in self._paused:
            self.unpause(container)
        found = self._inspect(container)
        if pid := int(found["State"]["Pid"]):
            _end(pid, _signal(found["Config"].get("StopSignal")), timeout)
        return self._settled(container)

    def _settled(self, container: str) -> ContainerState:
        deadline = time.monotonic() + SETTLING
        while (state := self.inspect(container)).running and time.monotonic() < deadline:
            time.sleep(0.02)
        return state

    def kill(self, container: str, signal: str = "KILL") -> None:
        _output(self._podman(["kill", f"--signal={signal}", container]))

    def pause(self, container: str) -> None:
        """Freeze it: connections are accepted by the kernel and never answered."""
        _output(self._podman(["pause", container]))
        self._paused.add(container)

    def paused(self, container: str) -> bool:
        return container in self._paused

    def unpause(self, container: str) -> None:
        self._paused.discard(container)
        _output(self._podman(["unpause", container]))

    def remove(self, container: str) -> None:
        """Remove the container, running or not; nothing happens when it is gone already."""
        _output(self._podman(["rm", "--force", "--ignore", "--volumes", "--time=0", container]))
        self._first.pop(container, None)
        self._paused.discard(container)

    def declared_volumes(self, image: str) -> set[str]:
        """The paths that a pulled image declares as VOLUME."""
        local = local_image(image, self._settings.registry)
        found = json.loads(_output(_Store.of_images(self._settings).podman(["image", "inspect", "--format", "{{json .Config.Volumes}}", local])) or "null")
        return set(found or {})

    def remove_volume(self, name: str) -> None:
        """Remove a volume; nothing happens when it was never made."""
        if self._podman(["volume", "exists", name]).returncode == 0:
            _output(self._podman(["volume", "rm", name]))

    def exec(self, container: str, argv: Sequence[str], timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command inside; the result has returncode, stdout, stderr. Raises subprocess.TimeoutExpired."""
        return self._podman(["exec", container, *argv], timeout)

    def destroy(self) -> None:
        """Remove all containers and the store."""
        self._store.destroy()
        self._first.clear()

    def _podman(self, arguments: Sequence[str], timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return self._store.podman(arguments, timeout)


class _Store:
    """A podman store and the namespace podman works in. All that is needed to remove it is on disk, for the day the lab is killed."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings = settings
        self._name = name
        self.path = _stores(settings) / name
        self._runroot = settings.run_dir / "engines" / name  # podman allows 50 characters
        self._record = self.path / "store.json"
        self._namespace: str | None = None

    @classmethod
    def of_images(cls, settings: Settings) -> _Store:
        """The store every engine reads layers from."""
        store = cls(settings, "images")
        store.create(None)
        return store

    def create(self, namespace: str | None) -> None:
        (self.path / "pids").mkdir(parents=True, exist_ok=True)
        self._namespace = namespace
        self._record.write_text(json.dumps({"namespace": namespace}))
        ulimits = ", ".join(f'"{name}={soft}:{hard}"' for name, (soft, hard) in ULIMITS.items())
        (self.path / "containers.conf").write_text(CONTAINERS_CONF.format(resolver=RESOLVER, ulimits=ulimits))

    def podman(self, arguments: Sequence[str], timeout: float = 120) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "CONTAINERS_CONF": str(self.path / "containers.conf")}
        # conmon leaves a file named oom where podman was started.
        folder = self.path if self.path.exists() else Path("/")
        return _run([*self._entered(), "podman", *self._places(), *arguments], environment, timeout, folder)

    def _entered(self) -> list[str]:
        """A bridge belongs into its namespace; when that is gone already, an empty one keeps podman from tidying up the machine's own."""
        if self._namespace is None:
            return []
        inside = Namespace(self._namespace)
        return inside.command([]) if inside.path.exists() else ["unshare", "--net"]

    def _places(self) -> list[str]:
        places = [f"--{option}={self.path / folder}" for option, folder in (("root", "root"), ("tmpdir", "tmp"))]
        places.append(f"--runroot={self._runroot}")
        places += [f"--network-config-dir={self.path / 'net'}", "--storage-driver=overlay"]
        beneath = [unpacked.store(self._settings), *([] if self._name == "images" else [_stores(self._settings) / "images" / "root"])]
        places += [f"--storage-opt=additionalimagestore={store}" for store in beneath if (store / "overlay-images").is_dir()]
        return places

    def destroy(self) -> None:
        """Containers first, by podman (it knows their networks), then whatever is left of them, then the files."""
        namespaces = sandboxes.known(self.path)
        if self._record.exists():
            self._namespace = json.loads(self._record.read_text())["namespace"]
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.podman(["rm", "--force", "--all", "--time=0"], timeout=60)
        group = cgroups.parent(self._settings.name, self._name)
        _end_group(group)
        end(_belongs_to(self.path))
        reap_orphans()
        sandboxes.remove(namespaces)
        cgroups.remove(group)
        for path in (self._runroot, self.path):
            _unmount(path)
            shutil.rmtree(path, ignore_errors=True)


def _stores(settings: Settings) -> Path:
    return settings.state_dir / "engines"


def _end_group(group: str) -> None:
    pids = cgroups.members(group)
    if pids:
        end(lambda pid: pid in pids, grace=1)


def _belongs_to(path: Path) -> Any:
    """conmon and podman carry their store's path in their arguments; nothing else is touched."""
    beginning = f"{path}/"

    def belongs(pid: int) -> bool:
        words = command_line(pid)
        return bool(words) and Path(words[0]).name in ("conmon", "podman") and any(beginning in word for word in words)

    return belongs


def _unmount(path: Path) -> None:
    """Deepest first, lazily: a killed container's root may still be busy for a moment."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in sorted((point for point in points if point.startswith(f"{path}/")), reverse=True):
        subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)


_OURS: set[int] = set()
_OURS_LOCK = threading.Lock()


def _run(argv: Sequence[str], environment: dict[str, str], timeout: float, folder: Path) -> subprocess.CompletedProcess[str]:
    """subprocess.run, with the child's id noted so that reap_orphans leaves it alone."""
    with _OURS_LOCK:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder
        )
        _OURS.add(process.pid)
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    finally:
        with _OURS_LOCK:
            _OURS.discard(process.pid)
    return subprocess.CompletedProcess(argv, process.returncode, output, errors)


def _output(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode:
        raise EngineError(_words(done))
    return done.stdout


def _words(done: subprocess.CompletedProcess[str]) -> str:
    """The last line of what podman said, without its "Error: "."""
    lines = [line for line in done.stderr.strip().splitlines() if line]
    return lines[-1].removeprefix("Error: ") if lines else f"podman ended with {done.returncode}"


def _state(found: dict[str, Any]) -> ContainerState:
    state = found["State"]
    died_of_kill = state["Status"] not in ("running", "paused") and state.get("ExitCode") == 128 + signals.SIGKILL
    return parse_state(found, died_of_kill and cgroups.out_of_memory(found["Id"]))


def _signal(value: str | int | None) -> int:
    """podman reports the number, images may say "SIGQUIT"."""
    text = str(value or int(signals.SIGTERM))
    return int(text) if text.isdigit() else int(signals.Signals["SIG" + text.upper().removeprefix("SIG")])


def _end(pid: int, signal: int, timeout: float) -> None:
    """Signal a container's first process and wait until it is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        for number, patience in ((signal, timeout), (signals.SIGKILL, SETTLING)):
            with contextlib.suppress(ProcessLookupError):
                signals.pidfd_send_signal(descriptor, number)
            if select.select([descriptor], [], [], patience)[0]:
                return
    finally:
        os.close(descriptor)


def reap_orphans() -> None:
    """Reap conmon and its clean-up processes when this process is their subreaper; leaves other children alone."""
    own = os.getpid()
    for pid in processes():
        found = status(pid)
        if found and found[0] == "Z" and found[1] == own and _name(pid) in ("conmon", "podman", "runc"):
            with _OURS_LOCK, contextlib.suppress(ChildProcessError):
                if pid not in _OURS:
                    os.waitpid(pid, os.WNOHANG)


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def namespaces(settings: Settings) -> set[str]:
    """Names of the network namespaces podman made for this lab's containers. To be asked before anything of the lab is ended."""
    return {name for store in _stores(settings).glob("*") for name in sandboxes.known(store)}


def remove_all(settings: Settings) -> None:
    """Clean up after a killed lab of this name: containers, processes, mounts, cgroups and stores below its state directory."""
    stores = _stores(settings)
    names = sorted((path.name for path in stores.iterdir()), key=lambda name: name == "images") if stores.is_dir() else []
    for name in names:
        _Store(settings, name).destroy()
    end(_belongs_to(stores))
    _end_group(cgroups.parent(settings.name))
    cgroups.remove(cgroups.parent(settings.name))
    _unmount(stores)
    shutil.rmtree(stores, ignore_errors=True)
