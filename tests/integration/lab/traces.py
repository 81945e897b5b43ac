"""What of a lab is on the machine, by the machine's own tools: none of the code that ``lab down`` works with."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

# Kind of part -> what its command line looks like. DNS, API, reconcilers and proxies live in the daemon.
PARTS = {
    "load generator": r"-m lab\.load ",
    "registry": r"^docker-registry serve",
    "nginx worker": r"^nginx: worker",
    "nginx": r"^nginx: master",
    "php-fpm child": r"^php-fpm: pool",
    "php-fpm": r"^php-fpm: master",
    "queue worker": r"artisan queue:work",
    "conmon": r"^\S*conmon ",
    "database": r"^mariadbd ",
    "cache": r"^redis-server ",
    "haproxy master": r"^haproxy ",
    "haproxy worker": r"^haproxy ",
    "daemon": r"-m lab daemon$",
}


def traces(name: str, ports: range) -> list[str]:
    """Processes, namespaces, mounts, folders, control groups and open ports of the lab of this name; [] = it was never here."""
    found = [f"process {line}" for _pid, line in processes(name)]
    found += [f"namespace {line}" for line in _run("ip", "netns", "list").splitlines() if line.startswith(f"{name}-")]
    found += [f"mount {line}" for line in Path("/proc/mounts").read_text().splitlines() if f"cutover-lab/{name}/" in line or f"/{name}-" in line]
    folders = [
        Path(f"/var/lib/cutover-lab/{name}"),
        Path(f"/run/cutover-lab/{name}"),
        *Path("/etc/netns").glob(f"{name}-*"),
        *Path("/run/netns").glob(f"{name}-*"),
    ]
    found += [f"folder {folder}" for folder in folders if folder.exists()]
    found += [f"control group {line}" for line in _run("find", "/sys/fs/cgroup", "-type", "d", "-name", f"cutover-{name}").splitlines()]
    return found + [f"port {port}" for port in ports if f"127.0.0.1:{port} " in _run("ss", "-ltn")]


def processes(name: str) -> list[tuple[int, str]]:
    """(pid, command line) of everything that runs in the lab's control groups, has its mark in the environment or its folders in its arguments."""
    by_group = re.compile(rf"/cutover-{name}(/|,|\s)")
    by_words = re.compile(rf"CUTOVER_LAB_MEMBER={name}(\s|$)|cutover-lab/{name}/|/run/netns/{name}-")
    # ps leaves zombies' arguments as [name] <defunct>: they hold nothing and wait for whoever adopted them.
    grouped = {pid for pid, line in _ps("-o", "pid=,cgroup:1000=") if by_group.search(f"{line} ")}
    marked = {pid for pid, line in _ps("-o", "pid=,args=", "e") if by_words.search(line)}
    commands = dict(_ps("-o", "pid=,args="))
    return [(pid, commands[pid]) for pid in sorted(grouped | marked) if pid in commands and "<defunct>" not in commands[pid]]


class Sandboxes:
    """The network namespaces podman makes for a lab's containers, ``netns-<uuid>``: whose they are is only seen while somebody lives in them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._seen: set[str] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Sandboxes:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.5):
            inhabited = {_inode(f"/proc/{pid}/ns/net") for pid, _line in processes(self._name)} - {_inode("/proc/self/ns/net"), None}
            self._seen |= {path.name for path in Path("/run/netns").glob("netns-*") if _inode(str(path)) in inhabited}

    def left(self) -> list[str]:
        """Those that are still there; somebody must have lived in one at all, or this watch was blind."""
        assert self._seen, "no container of this lab was ever seen in a namespace of podman's"
        return [f"namespace {name}" for name in sorted(self._seen) if Path("/run/netns", name).exists()]


def _inode(path: str) -> int | None:
    with contextlib.suppress(OSError):
        return os.stat(path).st_ino
    return None


def kill(name: str, *parts: str) -> None:
    """SIGKILL to one process of each kind, in this order; of conmon one in each store. What dies as a consequence counts as killed."""
    running = processes(name)
    for part in parts:
        matching = [(pid, line) for pid, line in running if re.search(PARTS[part], line)]
        assert matching, f"lab {name} has no {part}"
        chosen = list(_one_of_each_store(matching)) if part == "conmon" else [matching[-1 if part == "haproxy worker" else 0][0]]
        for pid in chosen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _one_of_each_store(matching: list[tuple[int, str]]) -> Iterator[int]:
    stores: set[str] = set()
    for pid, line in matching:
        store = re.search(r"/engines/([^/ ]+)/", line)
        if store and store[1] not in stores:
            stores.add(store[1])
            yield pid


def _ps(*options: str) -> list[tuple[int, str]]:
    lines = [line.split(None, 1) for line in _run("ps", "-A", "-ww", *options).splitlines()]
    return [(int(line[0]), line[1]) for line in lines if len(line) == 2]


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
