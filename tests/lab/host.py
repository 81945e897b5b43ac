"""What this machine must have before a lab touches anything, and how to install it on Debian and Ubuntu."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# Program (or file) -> the Debian package that brings it. podman's default runtime crun refuses hybrid cgroups, hence runc.
PROGRAMS = {
    "podman": "podman",
    "runc": "runc",
    "conmon": "conmon",
    "catatonit": "catatonit",
    "/usr/lib/podman/netavark": "netavark",
    "/usr/lib/podman/aardvark-dns": "aardvark-dns",
    "iptables": "iptables",
    "nft": "nftables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "mount": "mount",
    "haproxy": "haproxy",
    "docker-registry": "docker-registry",
    "mmdebstrap": "mmdebstrap",
}
# What only tests use: nginx judges the rewriting of confs, skopeo and umoci the images. `lab install` brings them, `lab up` does without.
PROGRAMS_OF_TESTS = {
    "nginx": "nginx-light",
    "/usr/lib/nginx/modules/ngx_stream_module.so": "libnginx-mod-stream",
    "/usr/lib/nginx/modules/ngx_mail_module.so": "libnginx-mod-mail",
    "skopeo": "skopeo",
    "umoci": "umoci",
}
MODULES = {"moto": "moto[server,all]", "boto3": "boto3", "dnslib": "dnslib", "dns": "dnspython", "aiohttp": "aiohttp", "yaml": "PyYAML", "cryptography": "cryptography"}
POLICY = Path("/usr/sbin/policy-rc.d")


class HostError(Exception):
    """This machine cannot run the lab; the message says what to do about it."""


def missing_packages(programs: Mapping[str, str] | None = None) -> list[str]:
    """Debian packages whose program is not on this machine."""
    return sorted({package for program, package in (PROGRAMS if programs is None else programs).items() if not _present(program)})


def missing_modules() -> list[str]:
    """Python requirements that cannot be imported."""
    return sorted(requirement for module, requirement in MODULES.items() if importlib.util.find_spec(module) is None)


def preflight() -> None:
    """Raise one clear error, before anything is touched, when the lab cannot run here."""
    require_root()
    packages = missing_packages()
    if packages:
        raise HostError(
            f"not installed: {', '.join(packages)}. On Debian or Ubuntu: apt-get install --no-install-recommends {' '.join(packages)}"
            " (or: make lab-install). Nothing was started."
        )
    modules = missing_modules()
    if modules:
        raise HostError(f"Python packages missing: {', '.join(modules)}. Install them with: pip install -r tests/requirements.txt. Nothing was started.")
    _require_namespaces()


def require_root() -> None:
    """The lab needs root on Linux: network namespaces, nftables and containers."""
    if not sys.platform.startswith("linux"):
        raise HostError(f"the lab runs on Linux only (network namespaces, nftables, containers); this is {sys.platform}. Nothing was started.")
    if os.geteuid() != 0:
        raise HostError("the lab needs root (network namespaces, nftables, containers); run it with sudo. Nothing was started.")


def install() -> list[str]:
    """Install what is missing, without starting any service of it. Returns the packages installed."""
    require_root()
    packages = missing_packages({**PROGRAMS, **PROGRAMS_OF_TESTS})
    if not packages:
        return []
    if not shutil.which("apt-get"):
        raise HostError(f"only Debian and Ubuntu are supported by 'lab install'; install by hand: {', '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _ServicesHeld():
        # Somebody else may be installing, as the machine's own upgrades do in the night.
        apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
        for command in ([*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", *packages]):
            done = subprocess.run(command, env=environment, check=False)
            if done.returncode:
                raise HostError(f"{' '.join(command)} failed with exit code {done.returncode}")
    still = missing_packages()
    if still:
        raise HostError(f"installed, but still missing: {', '.join(still)}")
    return packages


class _ServicesHeld:
    """policy-rc.d answering 101 keeps packages from starting their services (Debian policy 9.3.3.2); an existing one is left alone."""

    def __init__(self) -> None:
        self.ours = not POLICY.exists()

    def __enter__(self) -> None:
        if self.ours:
            POLICY.write_text("#!/bin/sh\nexit 101\n")
            POLICY.chmod(0o755)

    def __exit__(self, *_exc: object) -> None:
        if self.ours:
            POLICY.unlink(missing_ok=True)


def _present(program: str) -> bool:
    if program.startswith("/"):
        name = Path(program).name
        return Path(program).exists() or Path("/usr/libexec/podman", name).exists() or shutil.which(name) is not None
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is not None


def _require_namespaces() -> None:
    """A container without privileges has root but no namespaces: say so instead of failing half way."""
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise HostError(f"this machine does not let root create network namespaces ({tried.stderr.strip()}); a container needs --privileged. Nothing was started.")
