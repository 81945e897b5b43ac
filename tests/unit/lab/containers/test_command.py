"""podman's command lines and output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lab.containers import cgroups
from lab.containers.command import local_image, parse_state, run_arguments
from lab.containers.engine import _signal
from lab.containers.spec import ContainerSpec, Mount, Publish

REGISTRY = "127.0.0.1:4601"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/nginx:v1", "127.0.0.1:4601/shop/nginx:v1"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/app@sha256:ab", "127.0.0.1:4601/shop/app@sha256:ab"),
        ("nginx:latest", "nginx:latest"),
        ("12.dkr.ecr.eu-west-1.amazonaws.com/x", "12.dkr.ecr.eu-west-1.amazonaws.com/x"),
    ],
)
def test_ecr_is_the_labs_registry(image: str, expected: str) -> None:
    assert local_image(image, REGISTRY) == expected


def arguments(**fields: Any) -> list[str]:
    spec = ContainerSpec(**{"name": "t1-web", "image": "shop/nginx:v1", **fields})
    return run_arguments(spec, "127.0.0.1:4601/shop/nginx:v1", "ns:/run/netns/lab-eni-1", "/cutover-lab/fargate", Path("/s/pids/t1-web"))


def test_the_least_specification() -> None:
    assert arguments() == [
        "run",
        "--detach",
        "--pull=never",
        "--name=t1-web",
        "--network=ns:/run/netns/lab-eni-1",
        "--cgroup-parent=/cutover-lab/fargate",
        "--pidfile=/s/pids/t1-web",
        "--stop-timeout=30",
        "127.0.0.1:4601/shop/nginx:v1",
    ]


def test_values_with_spaces_and_lines_are_one_argument() -> None:
    assert "--env=KEY=a b\nc=d" in arguments(environment={"KEY": "a b\nc=d"})


def test_ports_links_and_logs() -> None:
    found = arguments(
        publish=[Publish("10.20.2.21", 0, 80), Publish("10.20.2.21", 8125, 8125, "udp")], hosts={"php-fpm": "10.88.0.2"}, log_path=Path("/logs/web.log")
    )
    assert {
        "--publish=10.20.2.21::80/tcp",
        "--publish=10.20.2.21:8125:8125/udp",
        "--add-host=php-fpm:10.88.0.2",
        "--log-driver=k8s-file",
        "--log-opt=path=/logs/web.log",
    } <= set(found)


def test_limits() -> None:
    found = arguments(memory_mib=64, cpu_units=256, cpu_limit=0.25, ulimits={"nofile": (1024, 4096)})
    assert {"--memory=64m", "--memory-swap=64m", "--cpu-shares=256", "--cpus=0.25", "--ulimit=nofile=1024:4096"} <= set(found)


def test_file_systems() -> None:
    found = arguments(mounts=[Mount(Path("/data"), "/var/lib/mysql"), Mount(Path("/conf"), "/etc/x", read_only=True)], tmpfs=["/tmp"], read_only_root=True)
    assert {"--volume=/data:/var/lib/mysql:rw", "--volume=/conf:/etc/x:ro", "--tmpfs=/tmp", "--read-only"} <= set(found)


def test_entry_point_and_command_come_last_and_in_this_order() -> None:
    found = arguments(entry_point=["sh", "-c"], command=["echo 'hi there'"])
    assert found[-3:] == ['--entrypoint=["sh", "-c"]', "127.0.0.1:4601/shop/nginx:v1", "echo 'hi there'"]


def inspected(**state: Any) -> dict[str, Any]:
    return {
        "Id": "abc",
        "Name": "web",
        "ImageDigest": "sha256:1",
        "State": {"Status": "running", "ExitCode": 0, "StartedAt": "2026-11-22T20:19:42.654855447Z", "FinishedAt": "0001-01-01T00:00:00Z", **state},
        "NetworkSettings": {"IPAddress": "10.88.0.3", "Ports": {"80/tcp": [{"HostIp": "10.20.2.21", "HostPort": "32768"}], "9000/tcp": None}},
    }


def test_a_running_container() -> None:
    state = parse_state(inspected(), oom_killed=False)
    assert (state.running, state.exit_code, state.finished_at, state.address) == (True, None, None, "10.88.0.3")
    assert state.started_at == pytest.approx(1795378782.654855)
    assert state.ports == (Publish("10.20.2.21", 32768, 80, "tcp"),)


def test_an_ended_container() -> None:
    state = parse_state(inspected(Status="exited", ExitCode=137, FinishedAt="2026-11-22T20:19:43.5+00:00"), oom_killed=True)
    assert (state.running, state.exit_code, state.oom_killed) == (False, 137, True)
    assert state.finished_at == pytest.approx(1795378783.5)


def test_a_container_that_never_started_has_no_exit_code() -> None:
    assert parse_state(inspected(Status="created"), oom_killed=False).exit_code is None


def test_a_paused_container_still_runs() -> None:
    state = parse_state(inspected(Status="paused"), oom_killed=True)
    assert (state.running, state.paused, state.oom_killed) == (True, True, False)


@pytest.mark.parametrize(("value", "number"), [(None, 15), ("", 15), (3, 3), ("15", 15), ("SIGQUIT", 3), ("term", 15)])
def test_stop_signals(value: str | int | None, number: int) -> None:
    assert _signal(value) == number


def test_the_kernel_says_whose_memory_ran_out(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [
        b"6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/cutover-lab/fargate/libpod-aaa,task=php",
        b"6,1,2,-;something of /cutover-lab/fargate/libpod-bbb",
    ]
    monkeypatch.setattr(cgroups, "_kernel_log", lambda: iter(records))
    assert cgroups.out_of_memory("aaa")
    assert not cgroups.out_of_memory("bbb")
    assert not cgroups.out_of_memory("ccc")
