"""Build the source system in a running lab API: by its playbook, or by the playbook's recording."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import moto

from lab.settings import FQDN, REGION, Settings
from lab.source import recording, tls

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

FOLDER = Path(__file__).parent
RECORDINGS_KEPT = 4
OTHER_NAME = "elsewhere.example.test"  # the certificate that a fault presents
# Accepted by the lab's API, which accepts anything; known to nobody else.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIALABONLYOPERATOR0", "AWS_SECRET_ACCESS_KEY": "lab-only-not-a-secret"}


def ca_file(settings: Settings) -> Path:
    """The authorities of the shop's certificate and of the one of another name; there once ``create`` has begun."""
    return settings.run_dir / "ca.pem"


def create(settings: Settings, aws: AwsServer, say: Callable[[str], None]) -> None:
    """Build the source system. The first time in a cache by the playbook (about a minute), then from its recording (about a second)."""
    with _locked(_cache(settings)):
        certificate = tls.ensure(_cache(settings) / "tls", FQDN)
        other = tls.ensure(_cache(settings) / "tls-another-name", OTHER_NAME)
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    shutil.copytree(other, settings.run_dir / "another-name", dirs_exist_ok=True)
    ca_file(settings).write_bytes((certificate / "ca.pem").read_bytes() + (other / "ca.pem").read_bytes())
    path = _cache(settings) / f"recording-{fingerprint(certificate)}.json"
    calls = recording.load(path)
    if calls is not None and _replayed(aws, calls, say):
        return
    say("building the source system with its playbook; the next lab replays the recording")
    with recording.record(aws) as made:
        run_playbook(aws.url, certificate, say)
    recording.save(path, made)
    _forget_old(path.parent)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Labs that start at the same time share one certificate authority."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _forget_old(folder: Path) -> None:
    """Recordings of playbooks that have changed since; a few are kept for other checkouts."""
    recordings = sorted(folder.glob("recording-*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in recordings[RECORDINGS_KEPT:]:
        path.unlink(missing_ok=True)


def _replayed(aws: AwsServer, calls: list[recording.Recorded], say: Callable[[str], None]) -> bool:
    """False when the emulator has changed so much since the recording that a call fails; the account is empty again then."""
    say("replaying the source system")
    try:
        recording.replay(aws, calls)
    except recording.ReplayError as error:
        say(f"the recording no longer fits: {error}")
        aws.reset()
        return False
    return True


def fingerprint(certificate: Path) -> str:
    """Of all that decides what the recording holds: the playbook, the certificate, moto."""
    digest = hashlib.sha256(moto.__version__.encode())
    files = [*FOLDER.rglob("*.yml"), *FOLDER.glob("files/*"), *FOLDER.glob("templates/*"), certificate / "certificate.pem"]
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def run_playbook(url: str, certificate: Path, say: Callable[[str], None], *arguments: str) -> str:
    """Run ``build.yml`` against an endpoint; returns its output. Raises RuntimeError with the output's end when it fails."""
    command = [*_ansible_playbook(), "-i", "localhost,", "-e", f"source_tls_dir={certificate}", *arguments, str(FOLDER / "build.yml")]
    environment = os.environ | CREDENTIALS | {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_RETRY_FILES_ENABLED": "false",
    }
    environment.pop("AWS_PROFILE", None)
    lines: list[str] = []
    with subprocess.Popen(command, env=environment, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            lines.append(line)
            if line.startswith("TASK ["):
                say(line[len("TASK [") : line.rindex("]")])
    output = "".join(lines)
    if process.returncode:
        raise RuntimeError(f"the playbook of the source system failed:\n{output[-4000:]}")
    return output


def _ansible_playbook() -> list[str]:
    """The program of the environment that the lab runs in."""
    beside = Path(sys.executable).with_name("ansible-playbook")
    return [str(beside)] if beside.exists() else ["ansible-playbook"]


def _cache(settings: Settings) -> Path:
    return settings.cache_dir / "source"
