"""From the image to the task definition, each stage in a process of its own: what was derived is used, what needed no change is used as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.clients import Clients
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._ecs import task_definitions
from registries.images import Pusher, read_manifest
from registries.server import Server

Run = Callable[..., dict[str, Any]]
NGINX = {"etc/nginx/conf.d/app.conf": b"fastcgi_pass php-fpm:9000;\n"}
FAMILY = "shop-web-fargate"


def wanted(server: Server, name: str) -> dict[str, Any]:
    names = {"source_image": f"{server.host}/{name}:v1", "image": f"{server.host}/{name}-fargate:v1-fargate", "repository": f"{name}-fargate"}
    return {"container": "nginx", "tag": "v1-fargate", "peers": {"php-fpm": "127.0.0.1"}, "platform": "linux/amd64", "tags": {}, **names}


def register(clients: Clients, entry: dict[str, Any], check_mode: bool = False) -> dict[str, Any]:
    containers = [{"name": "nginx", "image": entry["image"], "memory": 64}, {"name": "php-fpm", "image": "php:1", "memory": 64}]
    definition = {"family": FAMILY, "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "containerDefinitions": containers}
    return task_definitions.run({"task_definitions": [definition], "images": [entry]}, clients, check_mode)


def images_of(clients: Clients) -> list[str]:
    found = clients("ecs").describe_task_definition(taskDefinition=FAMILY)["taskDefinition"]
    return [each["image"] for each in found["containerDefinitions"]]


def test_an_image_that_needs_no_change_is_registered_as_it_is(server: Server, derive: Run, clients: Clients) -> None:
    Pusher(server.url, "used/plain").image("v1", {"usr/bin/php": b"x", "etc/nginx/nginx.conf": b"events {}\n"})
    entry = wanted(server, "used/plain")
    assert not derive(entry["source_image"], server.host, entry["repository"])["changed"]
    shown = register(clients, entry, check_mode=True)
    assert f"register task definition {FAMILY}" in shown["changes"]  # on day one nothing is read, and nothing fails
    assert register(clients, entry)["changed"]
    assert images_of(clients) == [entry["source_image"], "php:1"]
    before = len(server.requests())
    assert not register(clients, entry)["changed"]
    assert not register(clients, entry, check_mode=True)["changed"]
    assert server.requests()[before:] == []


def test_an_image_that_was_derived_is_registered(server: Server, derive: Run, clients: Clients) -> None:
    Pusher(server.url, "used/nginx").image("v1", NGINX)
    entry = wanted(server, "used/nginx")
    derive(entry["source_image"], server.host, entry["repository"])
    # moto does not see what the registry got.
    manifest = json.dumps(read_manifest(server.url, entry["repository"], "v1-fargate").content)
    clients("ecr").put_image(repositoryName=entry["repository"], imageTag="v1-fargate", imageManifest=manifest)
    before = len(server.requests())
    register(clients, entry)
    assert images_of(clients) == [entry["image"], "php:1"]
    assert server.requests()[before:] == []


@pytest.mark.parametrize("conf", [b"fastcgi_pass php-fpm:9000;", b"fastcgi_pass $host$uri:9000;"], ids=["needs it", "may need it"])
def test_an_image_that_is_needed_and_was_not_derived_stops_the_run(server: Server, clients: Clients, conf: bytes) -> None:
    Pusher(server.url, "used/missing").image("v1", {"etc/nginx/conf.d/app.conf": conf})
    entry = wanted(server, "used/missing")
    with pytest.raises(CutoverError, match=r"used/missing-fargate:v1-fargate of container nginx in shop-web-fargate is not there, .*\(--tags image\)"):
        register(clients, entry)
    assert clients("ecs").list_task_definitions()["taskDefinitionArns"] == []
    assert register(clients, entry, check_mode=True)["changed"]


def test_an_image_that_cannot_be_read_stops_the_run(server: Server, clients: Clients) -> None:
    with pytest.raises(CutoverError, match=r"whether it is needed could not be seen: .*No task definition was registered"):
        register(clients, wanted(server, "used/nowhere"))
