"""Deriving an image against what a person does with skopeo and buildah, on one registry in one run.

    python tests/bench/image.py [MiB]

Every way begins with nothing but the registry and ends with a pushed image whose conf names 127.0.0.1. Needs docker-registry, skopeo and buildah
(Debian packages of these names) and root for buildah.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / ".ansible/collections")]

from registries.images import Pusher, read_manifest  # noqa: E402
from registries.server import Server  # noqa: E402

CONF = "etc/nginx/conf.d/app.conf"
BEFORE = b"server { listen 80; location / { fastcgi_pass php-fpm:9000; } }\n"
OURS = """
import sys
from ansible_collections.cutover.fargate.plugins.module_utils._nginx import rewrite, tree
from ansible_collections.cutover.fargate.plugins.module_utils._oci import derive
from ansible_collections.cutover.fargate.plugins.module_utils._oci.registry import Registry
registry, repository, target = Registry(sys.argv[1]), sys.argv[2], sys.argv[3]
source = derive.find(registry, repository, "v1", ["linux/amd64"])
files = derive.read_tree(source.images[0], lambda path: path.startswith(tree.roots()) and tree.is_conf(path), print)
changed = rewrite.rewrite(files.regular_files(), {"php-fpm": "127.0.0.1"}).changed
made = [derive.append(source.images[0], [derive.entry_like(files.files[path], data) for path, data in changed.items()], "bench")]
there = registry.find_manifest(target, "v1")
if there is None or there.digest != made[0].manifest.digest:
    derive.push(source, made, registry, target, "v1", print)
"""
BUILDAH = """
set -eu
buildah="buildah --root $3/root --runroot $3/run --storage-driver vfs"
container=$($buildah from --tls-verify=false "docker://$1")
mounted=$($buildah mount "$container")
sed -i 's/fastcgi_pass php-fpm:/fastcgi_pass 127.0.0.1:/' "$mounted/etc/nginx/conf.d/app.conf"
$buildah umount "$container" > "$3/null"
$buildah commit --quiet --tls-verify=false "$container" "docker://$2" > "$3/null"
"""


@dataclass(frozen=True)
class Row:
    """One way to do it: seconds of wall time, bytes of blobs that the registry did not have before, whether the source's layers are all in the result."""

    name: str
    seconds: float
    stored: int
    layers_kept: bool


def main(argv: list[str] | None = None) -> list[Row]:
    """Run every way once, print the table, give its rows."""
    arguments = sys.argv[1:] if argv is None else argv
    size = int(arguments[0]) if arguments else 96
    missing = [program for program in ("docker-registry", "skopeo", "buildah") if not shutil.which(program)]
    if missing:
        raise SystemExit(f"not installed: {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "registry") as server:
        Pusher(server.url, "bench/nginx").image("v1", *({f"usr/lib/{number}": os.urandom((size << 20) // 3)} for number in range(3)), {CONF: BEFORE})
        rows = [
            _measure("cutover.fargate, first run", server, "bench/ours", lambda: _ours(server)),
            _measure("cutover.fargate, second run", server, "bench/ours", lambda: _ours(server)),
            _measure("skopeo copy alone (changes nothing)", server, "bench/skopeo", lambda: _skopeo(server, "bench/skopeo")),
            _measure("skopeo copy, then buildah", server, "bench/buildah", lambda: _buildah(server, Path(folder))),
        ]
    ours = rows[0].seconds
    print(f"image of {size} MiB in 4 layers, {os.cpu_count()} cores\n")
    print("| way | seconds | ratio | new blobs | source layers kept |\n| --- | --- | --- | --- | --- |")
    for row in rows:
        kept = "yes" if row.layers_kept else "no"
        print(f"| {row.name} | {row.seconds:.2f} | {row.seconds / ours:.1f} | {row.stored / 1024:.1f} KiB | {kept} |")
    return rows


def _measure(name: str, server: Server, target: str, work: Callable[[], None]) -> Row:
    before = _stored(server)
    started = time.monotonic()
    work()
    seconds = time.monotonic() - started
    source = {layer["digest"] for layer in read_manifest(server.url, "bench/nginx", "v1").content["layers"]}
    kept = source <= {layer["digest"] for layer in read_manifest(server.url, target, "v1").content["layers"]}
    return Row(name, seconds, _stored(server) - before, kept)


def _stored(server: Server) -> int:
    return sum(path.stat().st_size for path in (server.folder / "data").rglob("data") if path.parent.parent.parent.name == "sha256")


def _ours(server: Server) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / ".ansible/collections")}
    subprocess.run([sys.executable, "-c", OURS, server.url, "bench/nginx", "bench/ours"], check=True, env=environment, stdout=subprocess.DEVNULL)


def _skopeo(server: Server, target: str) -> None:
    plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
    subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", *plain, f"docker://{server.host}/bench/nginx:v1", f"docker://{server.host}/{target}:v1"], check=True)


def _buildah(server: Server, folder: Path) -> None:
    _skopeo(server, "bench/buildah")
    name = f"{server.host}/bench/buildah:v1"
    work = folder / "buildah"
    work.mkdir()
    done = subprocess.run(["sh", "-c", BUILDAH, "sh", name, name, str(work)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"buildah failed: {done.stderr}")


if __name__ == "__main__":
    main()
