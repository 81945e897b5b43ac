"""The lab as a whole: it serves, it can be seen, and it leaves nothing behind, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.lab.traces import PARTS, Sandboxes, kill, processes, traces
from integration.lab.usable import NEEDS_LAB
from lab import state
from lab.settings import FQDN, REPOSITORY, Settings

NAME, PORT = "labtest", 4890
SETTINGS = Settings(name=NAME, base_port=PORT)

pytestmark = NEEDS_LAB


def lab(*arguments: str, check: bool = True) -> str:
    environment = {**os.environ, "CUTOVER_LAB": NAME, "CUTOVER_LAB_PORT": str(PORT), "PYTHONPATH": str(REPOSITORY / "tests")}
    done = subprocess.run([sys.executable, "-m", "lab", *arguments], env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def status() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lab("status", "--json"))
    return found


@pytest.fixture(scope="module")
def up() -> Iterator[None]:
    lab("up")
    yield
    lab("down")


def get_through_proxy(path: str) -> int:
    """As a probe of the collection does it: CONNECT through the loopback proxy, TLS by the lab's authority."""
    context = ssl.create_default_context(cafile=str(SETTINGS.run_dir / "ca.pem"))
    proxies = urllib.request.ProxyHandler({"https": f"http://127.0.0.1:{SETTINGS.proxy_port}"})
    opener = urllib.request.build_opener(proxies, urllib.request.HTTPSHandler(context=context))
    with opener.open(f"https://{FQDN}{path}", timeout=20) as answer:
        return int(answer.status)


def test_the_source_system_serves(up: None) -> None:
    assert get_through_proxy("/health?deep=1") == 200


def test_no_layer_was_unpacked_for_this_lab(up: None) -> None:
    """The images stand on the layers in the cache; unpacking them was the longest wait of a start."""
    assert not list((SETTINGS.state_dir / "engines" / "images" / "root" / "overlay").glob("*/diff"))


def test_a_browser_on_the_host_sees_the_shop(up: None) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{SETTINGS.shop_port}/login", timeout=20) as answer:
        page = answer.read().decode()
        assert answer.headers["X-Served-By"].startswith("AWS_ECS_EC2 ")
    assert "<form" in page
    assert f"https://{FQDN}" not in page


def test_load_of_ten_seconds_has_no_failure(up: None, tmp_path: Path) -> None:
    lab("load", "start", "--duration", "10", "--users", "20", "--rate", "20", "--wait", "--out", str(tmp_path))
    totals = json.loads((tmp_path / "summary.json").read_text())
    assert totals["requests"] > 50
    assert (totals["failed"], totals["sessions_lost"], totals["jobs_twice"]) == (0, 0, 0)
    assert totals["jobs_done"] == totals["jobs_sent"]


def test_status_tells_what_serves_what(up: None) -> None:
    document = status()
    assert document["served_by"] == ["shop"]
    assert {item["name"]: (item["running"], item["desired"]) for item in document["services"]} == {"web": (2, 2), "worker": (1, 1)}
    states = [target["state"] for balancer in document["load_balancers"] for group in balancer["target_groups"] for target in group["targets"]]
    assert states == ["healthy", "healthy"]
    assert len(document["instances"]) == 2
    screen = lab("status")
    assert "served by load balancer shop" in screen
    assert len(screen.splitlines()) < 50


def test_a_task_that_dies_is_replaced(up: None) -> None:
    """The container's first process is killed: the task stops with its exit code, another takes its place."""
    before = {process.pid for process in state.descendants(_daemon()) if process.name == "nginx"}
    os.kill(min(before), signal.SIGKILL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        service = next(item for item in status()["services"] if item["name"] == "web")
        if service["running"] == 2 and min(before) not in {process.pid for process in state.descendants(_daemon())}:
            break
        time.sleep(0.5)
    assert service["running"] == 2


def test_a_faulty_command_is_one_clear_line(up: None) -> None:
    assert lab("fault", "on", "api", check=False).strip() == "lab: name the operation, for example --operation ecs:CreateService"


def test_down_with_dead_parts_leaves_nothing(up: None, tmp_path: Path) -> None:
    """One of each kind is killed while the daemon lives: it must get over what it finds dead."""
    assert {line.split()[0] for line in left()} == {"process", "namespace", "mount", "folder", "control", "port"}
    lab("load", "start", "--users", "5", "--rate", "5", "--out", str(tmp_path))
    with Sandboxes(NAME) as sandboxes:
        time.sleep(1)
        kill(NAME, *(part for part in PARTS if part not in ("daemon", "haproxy master")))
        lab("down")
    assert left() + sandboxes.left() == []


def test_up_over_a_killed_lab_cleans_up_first_and_down_after_more_kills_leaves_nothing(tmp_path: Path) -> None:
    """The daemon first, so that nobody sees the others die; then, in the next lab, the daemon last."""
    with Sandboxes(NAME) as sandboxes:
        lab("up")
        lab("load", "start", "--users", "5", "--rate", "5", "--out", str(tmp_path))
        kill(NAME, *(part for part in reversed(PARTS) if part != "haproxy worker"))
        assert len(processes(NAME)) > 10
        assert "removing what an earlier lab" in lab("up")
        assert get_through_proxy("/health?deep=1") == 200
        kill(NAME, *(part for part in PARTS if part != "load generator"))  # that one ended with the first lab
        lab("down")
    assert left() + sandboxes.left() == []
    assert "there was no lab" in lab("down")


def left() -> list[str]:
    return traces(NAME, range(PORT, PORT + 4))


def _daemon() -> int:
    known = state.load(SETTINGS)
    assert known is not None
    assert known.daemon is not None
    return known.daemon.pid
