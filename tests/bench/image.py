"""Deriving an image: ours against what a person does with skopeo and buildah, on one registry.

Every way begins with nothing but the registry and ends with a pushed image whose conf names 127.0.0.1. The second run of ours finds it there. Needs
docker-registry, skopeo and buildah (Debian packages of these names) and root for buildah. CUTOVER_BENCH_MIB sets the size of the image.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from . import ROOT
from .registry import Table, UnavailableError

sys.path.insert(0, str(ROOT / "tests"))

from registries.images import Pusher, read_manifest
from registries.server import Server

ROUNDS = 5
LAYERS = 3
CONF = "etc/nginx/conf.d/app.conf"
BEFORE = b"server { listen 80; location / { fastcgi_pass php-fpm:9000; } }\n"
# The work of the module, whole. Of Amazon ECR's own API it asks only whether the repository is there.
OURS = """
import sys
from ansible_collections.cutover.fargate.plugins.module_utils._ecr import image
class Ecr:
    def describe_repositories(self, repositoryNames):
        return {"repositories": [{"repositoryName": repositoryNames[0]}]}
host, target = sys.argv[1:]
names = {"container": "nginx", "source_image": f"{host}/bench/nginx:v1", "repository": target, "tag": "v1", "image": f"{host}/{target}:v1"}
image.run({"images": [{**names, "peers": {"php-fpm": "127.0.0.1"}}]}, lambda service: Ecr(), False)
"""
BUILDAH = """
set -eu
buildah="buildah --root $3/root --runroot $3/run --storage-driver $4"
container=$($buildah from --tls-verify=false "docker://$1")
mounted=$($buildah mount "$container")
sed -i 's/fastcgi_pass php-fpm:/fastcgi_pass 127.0.0.1:/' "$mounted/etc/nginx/conf.d/app.conf"
$buildah umount "$container" > "$3/null"
$buildah commit --quiet --tls-verify=false "$container" "docker://$2" > "$3/null"
$buildah rm "$container" > "$3/null"
"""


@dataclass
class Way:
    """``work(target repository)``; what it took in each round, what it read of the source's layers, what it stored anew (in the first round: later ones find it)."""

    work: t.Callable[[str], None]
    target: str
    seconds: list[float] = field(default_factory=list)
    read: int = 0
    stored: int = 0
    layers_kept: bool = False


def run() -> Table:
    missing = [program for program in ("docker-registry", "skopeo", "buildah") if not shutil.which(program)]
    if missing:
        raise UnavailableError(f"not installed: {', '.join(missing)}")
    size = int(os.environ.get("CUTOVER_BENCH_MIB", "192"))
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "registry") as server:
        contents = [{f"usr/lib/{number}": os.urandom((size << 20) // LAYERS)} for number in range(LAYERS)]
        Pusher(server.url, "bench/nginx").image("v1", *contents, {CONF: BEFORE})
        ways = {
            "cutover.fargate, first run": Way(lambda target: _ours(server, target), "ours"),
            "cutover.fargate, second run": Way(lambda target: _ours(server, target), "ours"),
            "skopeo copy alone (changes nothing)": Way(lambda target: _skopeo(server, target), "skopeo"),
            "skopeo copy, then buildah (overlay)": Way(lambda target: _buildah(server, target, Path(folder), "overlay"), "overlay"),
            "skopeo copy, then buildah (vfs)": Way(lambda target: _buildah(server, target, Path(folder), "vfs"), "vfs"),
        }
        for number in range(ROUNDS):
            for way in ways.values():
                _measure(way, server, number)
    mine = statistics.median(ways["cutover.fargate, first run"].seconds)
    rows = [
        (
            name,
            f"{statistics.median(way.seconds):.1f} s",
            f"{min(way.seconds):.1f} to {max(way.seconds):.1f} s",
            f"{statistics.median(way.seconds) / mine:.2f}",
            f"{way.read} of {LAYERS + 1}",
            f"{way.stored / 1024:.1f} KiB",
            "yes" if way.layers_kept else "no",
        )
        for name, way in ways.items()
    ]
    return Table(
        ("way", "time", "range", "time to ours", "source layers read", "new in the registry", "source layers kept"),
        rows,
        (
            f"An image of {size} MiB in {LAYERS + 1} layers; wall time, median of {ROUNDS} rounds in which the ways take turns, each with a new target repository and empty stores.",
            "Ours is the module's work in a process of its own, Python's start and imports included.",
            "Source and target are repositories of one registry, which mounts blobs: nobody copies the source's layers. Ours reads them once for their confs; buildah also unpacks them.",
            "The committed table was made on a machine with two cores that others used at the same time: compare the ratios, and see the range.",
        ),
    )


def _measure(way: Way, server: Server, number: int) -> None:
    target = f"bench/{way.target}{number}"
    before, asked = _stored(server), len(server.requests())
    started = time.monotonic()
    way.work(target)
    way.seconds.append(time.monotonic() - started)
    source = {layer["digest"] for layer in read_manifest(server.url, "bench/nginx", "v1").content["layers"]}
    reads = [path for method, path, status in server.requests()[asked:] if method == "GET" and status == 200]
    way.read = len({digest for digest in source for path in reads if path.endswith(f"/blobs/{digest}")})
    way.stored = max(way.stored, _stored(server) - before)
    way.layers_kept = source <= {layer["digest"] for layer in read_manifest(server.url, target, "v1").content["layers"]}


def _stored(server: Server) -> int:
    return sum(path.stat().st_size for path in (server.folder / "data").rglob("data") if path.parent.parent.parent.name == "sha256")


def _ours(server: Server, target: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / ".ansible/collections")}
    subprocess.run([sys.executable, "-c", OURS, server.host, target], check=True, env=environment, stdout=subprocess.DEVNULL)


def _skopeo(server: Server, target: str) -> None:
    plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
    subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", *plain, f"docker://{server.host}/bench/nginx:v1", f"docker://{server.host}/{target}:v1"], check=True)


def _buildah(server: Server, target: str, folder: Path, driver: str) -> None:
    _skopeo(server, target)
    name = f"{server.host}/{target}:v1"
    work = folder / "buildah"
    work.mkdir()
    done = subprocess.run(["sh", "-c", BUILDAH, "sh", name, name, str(work), driver], capture_output=True, text=True, check=False)
    # What is mounted below the store goes with it.
    for place in [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if line.split()[1].startswith(f"{work}/")]:
        subprocess.run(["umount", place], check=True)
    shutil.rmtree(work)
    if done.returncode:
        raise SystemExit(f"buildah ({driver}) failed: {done.stderr}")
