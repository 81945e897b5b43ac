"""All images of the tasks, looked at by their configurations: platform, USER, EXPOSE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._ecr import image
from ansible_collections.cutover.fargate.plugins.module_utils._oci import derive
from ansible_collections.cutover.fargate.plugins.module_utils._oci.registry import RegistryError
from registries.images import Pusher
from registries.server import Server

Look = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def look(clients: Clients) -> Look:
    """Findings of ``ecr_image`` for one task of which nothing is derived."""

    def run(*containers: dict[str, Any], platform: str = "linux/amd64") -> list[dict[str, Any]]:
        result = image.run({"images": [], "tasks": [{"family": "web", "platform": platform, "containers": list(containers)}]}, clients, False)
        assert (result["changed"], result["images"]) == (False, [])
        return list(result["findings"])

    return run


@pytest.fixture
def agent(server: Server) -> str:
    Pusher(server.url, "tasks/agent").image("v1", {"agent": b"x"}, exposed=("8080/tcp", "8125/udp"), user="app:app")
    return f"{server.host}/tasks/agent:v1"


def item(name: str, uri: str | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": uri, **more}


def short(findings: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(each["id"], each["severity"], each["container"]) for each in findings]


def test_an_image_for_another_platform_stops_the_run(server: Server, look: Look, agent: str) -> None:
    with pytest.raises(CutoverError, match=r"tasks/agent:v1 has no image for linux/arm64; it has linux/amd64"):
        look(item("agent", agent), platform="linux/arm64")
    assert look(item("agent", agent)) == []


def test_no_layer_is_read_and_each_image_once(server: Server, look: Look, agent: str) -> None:
    before = len(server.requests())
    look(item("agent", agent), item("again", agent))
    paths = [path for _method, path, status in server.requests()[before:] if "/tasks/agent/" in path and status == 200]
    assert [path.split("/tasks/agent/")[1].split("/")[0] for path in paths] == ["manifests", "blobs"]


def test_a_user_of_the_image_may_not_listen_below_1024(look: Look, agent: str) -> None:
    (found,) = look(item("agent", agent, ports=[80, 8081], low_ports=[80]))
    assert (found["id"], found["severity"], found["path"]) == ("IMG-LOW-PORT", "WARN", agent)
    assert "USER app," in found["why"]
    assert "port 80 " in found["why"]
    assert look(item("agent", agent, ports=[8081], low_ports=[])) == []


def test_root_may(server: Server, look: Look) -> None:
    for number, user in enumerate(("", "root", "0:0")):
        Pusher(server.url, "tasks/root").image(f"v{number}", {"a": b"x"}, user=user)
        assert look(item("nginx", f"{server.host}/tasks/root:v{number}", low_ports=[80])) == []


@pytest.mark.parametrize(
    ("others", "names"),
    [
        ([item("hub", ports=[8080])], "agent and hub"),  # of any registry: its mapping is known
        ([item("hub", ports=[80])], None),
        ([item("hub", "agent", exposes=True)], "agent and hub"),
        ([item("hub", "agent", exposes=False)], None),  # it has a command of its own
        ([item("hub", "agent", exposes=False, ports=[9000])], None),
    ],
)
def test_a_port_that_two_containers_use_is_told(look: Look, agent: str, others: list[dict[str, Any]], names: str | None) -> None:
    given = [{**other, "image": other["image"] and agent} for other in others]
    found = look(item("agent", agent, exposes=True), *given)
    assert [(each["id"], each["why"].partition(":")[0]) for each in found] == ([("NGX-EXPOSE-CLASH", names)] if names else [])


def test_what_is_told_with_the_confs_is_not_told_twice(look: Look, agent: str) -> None:
    nginx, fpm = item("nginx", ports=[8080], linked=True), item("php-fpm", agent, exposes=True, linked=True)
    assert look(nginx, fpm) == []
    assert short(look(nginx, {**fpm, "linked": False})) == [("NGX-EXPOSE-CLASH", "WARN", "php-fpm")]


def test_what_cannot_be_read_is_told_and_stops_nothing(server: Server, look: Look, agent: str) -> None:
    missing = f"{server.host}/tasks/none:v1"
    assert short(look(item("gone", missing), item("hub"), item("agent", agent, low_ports=[80]))) == [("IMG-UNREAD", "WARN", "gone"), ("IMG-LOW-PORT", "WARN", "agent")]


@pytest.mark.parametrize(("broken", "asked"), [(True, 1), (False, 2)])
def test_a_registry_that_is_not_reached_is_asked_once(server: Server, look: Look, monkeypatch: pytest.MonkeyPatch, broken: bool, asked: int) -> None:
    repositories: list[str] = []

    def find(_registry: object, repository: str, *_more: object) -> None:
        repositories.append(repository)
        raise RegistryError("connection refused", broken=broken)

    monkeypatch.setattr(derive, "find", find)
    found = look(item("a", f"{server.host}/tasks/a:1"), item("b", f"{server.host}/tasks/b:1"))
    assert short(found) == [("IMG-UNREAD", "WARN", "a"), ("IMG-UNREAD", "WARN", "b")]
    assert len(repositories) == asked


def test_with_a_derived_image_they_are_looked_at_before_the_push_only(server: Server, derive: Callable[..., dict[str, Any]], agent: str) -> None:
    Pusher(server.url, "tasks/nginx").image("v1", {"etc/nginx/conf.d/app.conf": b"fastcgi_pass php-fpm:9000;\n"})
    source = f"{server.host}/tasks/nginx:v1"
    tasks = [{"family": "web", "platform": "linux/amd64", "containers": [item("nginx", source, linked=True), item("agent", agent, low_ports=[80])]}]
    assert short(derive(source, server.host, "tasks/target", params={"tasks": tasks})["findings"]) == [("IMG-LOW-PORT", "WARN", "agent")]
    before = len(server.requests())
    again = derive(source, server.host, "tasks/target", params={"tasks": tasks})
    assert (again["changed"], again["findings"]) == (False, [])
    assert not [path for _method, path, _status in server.requests()[before:] if "/tasks/agent/" in path]
    arm = [{**tasks[0], "platform": "linux/arm64", "containers": [item("agent", agent)]}]
    with pytest.raises(CutoverError, match="no image for linux/arm64"):
        derive(source, server.host, "tasks/never", params={"tasks": arm})
