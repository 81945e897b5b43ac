"""Placeholders of an image's conf: followed to the image's own variables and to those of the container definition."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from registries.images import Pusher, call, read_manifest
from registries.server import Server

Run = Callable[..., dict[str, Any]]
TEMPLATE = {"etc/nginx/templates/default.conf.template": b"server { location / { fastcgi_pass ${BACKEND}:${PORT}; } }\n"}
OWN = {"PATH": "/usr/sbin:/usr/bin", "BACKEND": "php-fpm", "PORT": "9000", "SECRET_TOKEN": "hunter2-hunter2"}


def config_of(server: Server, repository: str) -> dict[str, Any]:
    digest = read_manifest(server.url, repository, "v1-fargate").content["config"]["digest"]
    return dict(json.loads(call("GET", f"{server.url}/v2/{repository}/blobs/{digest}", None)[0]))


@pytest.mark.parametrize("kind", ["oci", "docker"])
def test_a_variable_of_the_image_is_changed_in_the_image(server: Server, derive: Run, kind: str) -> None:
    source = Pusher(server.url, f"own/{kind}", kind).image("v1", TEMPLATE, environment=OWN)
    result = derive(f"{server.host}/own/{kind}:v1", server.host, f"own/{kind}-fargate")
    assert result["changes"][1] == f"push own/{kind}-fargate:v1-fargate (1 variable(s) of the image changed)"
    assert [(each["name"], each["before"], each["after"], each["holder"]) for each in result["images"][0]["environment"]] == [("BACKEND", "php-fpm", "127.0.0.1", "image")]
    assert [(diff["before"], diff["after"]) for diff in result["diff"]] == [("BACKEND=php-fpm\n", "BACKEND=127.0.0.1\n")]
    assert "hunter2" not in json.dumps(result)
    target = read_manifest(server.url, f"own/{kind}-fargate", "v1-fargate")
    assert target.content["layers"] == source.content["layers"]
    config = config_of(server, f"own/{kind}-fargate")
    assert config["config"] == {"Cmd": ["/bin/true"], "Env": ["PATH=/usr/sbin:/usr/bin", "BACKEND=127.0.0.1", "PORT=9000", "SECRET_TOKEN=hunter2-hunter2"]}
    assert config["history"][-1]["empty_layer"]
    assert len(config["rootfs"]["diff_ids"]) == len(target.content["layers"])
    assert not derive(f"{server.host}/own/{kind}:v1", server.host, f"own/{kind}-fargate")["changed"]


def test_a_variable_of_the_definition_is_left_to_the_translation(server: Server, derive: Run) -> None:
    Pusher(server.url, "declared/nginx").image("v1", TEMPLATE, {"etc/nginx/conf.d/a.conf": b"fastcgi_pass php-fpm:9000;"}, environment={"PORT": "9000"})
    source, needed = f"{server.host}/declared/nginx:v1", {"environment": {"BACKEND": "php-fpm"}}
    with pytest.raises(CutoverError, match=r"NGX-ENVIRONMENT-KEPT nginx etc/nginx/templates/default\.conf\.template:1:36 'BACKEND': .* should say 127\.0\.0\.1, it says php-fpm"):
        derive(source, server.host, "declared/target", **needed)
    result = derive(source, server.host, "declared/target", **needed, target_environment={"BACKEND": "127.0.0.1"})
    assert [(each["name"], each["holder"]) for each in result["images"][0]["environment"]] == [("BACKEND", "definition")]
    assert "Env" in config_of(server, "declared/target")["config"]
    assert result["findings"] == []


def test_a_link_and_its_alias_are_one_container_and_two_containers_on_one_port_are_not(server: Server, derive: Run) -> None:
    conf = b"location /a { fastcgi_pass php-fpm:9000; }\nlocation /b { fastcgi_pass app:9000; }\n"
    Pusher(server.url, "alias/nginx").image("v1", {"etc/nginx/conf.d/a.conf": conf})
    peers = {"peers": {"php-fpm": "127.0.0.1", "app": "127.0.0.1"}}
    with pytest.raises(CutoverError, match="NGX-PORT-CLASH"):
        derive(f"{server.host}/alias/nginx:v1", server.host, "alias/target", **peers)
    result = derive(f"{server.host}/alias/nginx:v1", server.host, "alias/target", **peers, containers={"app": "php-fpm"})
    assert len(result["images"][0]["edits"]) == 2


def test_a_host_variable_is_followed_when_a_person_says_so(server: Server, derive: Run) -> None:
    Pusher(server.url, "hosts/nginx").image("v1", {"etc/nginx/conf.d/a.conf": b"set $backend php-fpm; fastcgi_pass $backend:9000;"})
    with pytest.raises(CutoverError, match="NGX-HOST-VARIABLE"):
        derive(f"{server.host}/hosts/nginx:v1", server.host, "hosts/target")
    result = derive(f"{server.host}/hosts/nginx:v1", server.host, "hosts/target", host_variables=["backend"])
    assert [edit["before"] for edit in result["images"][0]["edits"]] == ["php-fpm"]


def test_a_finding_is_waived_by_id_or_by_id_and_path(server: Server, derive: Run) -> None:
    Pusher(server.url, "waive/nginx").image("v1", {"etc/nginx/conf.d/a.conf": b"fastcgi_pass $host$uri:9000;"})
    for waive in ("NGX-UNDECIDABLE", "NGX-UNDECIDABLE@etc/nginx/conf.d/a.conf"):
        derive(f"{server.host}/waive/nginx:v1", server.host, "waive/target", check_mode=True, params={"waive": [waive]})
    with pytest.raises(CutoverError, match="NGX-UNDECIDABLE"):
        derive(f"{server.host}/waive/nginx:v1", server.host, "waive/target", check_mode=True, params={"waive": ["NGX-UNDECIDABLE@etc/nginx/other.conf"]})
