"""The PHP-FPM of the same task: its pools are read out of its image, with what its environment makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from registries.images import Pusher
from registries.server import Server

Run = Callable[..., dict[str, Any]]
NGINX = {"etc/nginx/conf.d/app.conf": b"fastcgi_pass php-fpm:9000;\n"}
FOLDER = "usr/local/etc/php-fpm.d"
# As the official image has it: www.conf says 127.0.0.1, a later file says every address.
OFFICIAL = {f"{FOLDER}/www.conf": b"[www]\nlisten = 127.0.0.1:9000\n", f"{FOLDER}/zz-docker.conf": b"[global]\ndaemonize = no\n[www]\nlisten = 9000\n"}
BRIDGE = {f"{FOLDER}/zzz-allow.conf": b"[www]\nlisten.allowed_clients = 172.17.0.0/16\n"}


def peer(server: Server, name: str, **more: Any) -> dict[str, Any]:
    return {"peer_images": [{"container": "php-fpm", "image": f"{server.host}/{name}:v1", **more}]}


@pytest.fixture
def nginx(server: Server) -> str:
    Pusher(server.url, "pools/nginx").image("v1", NGINX)
    return f"{server.host}/pools/nginx:v1"


def test_a_pool_that_would_refuse_the_connection_stops_the_push(server: Server, derive: Run, nginx: str) -> None:
    Pusher(server.url, "pools/bridge").image("v1", OFFICIAL, BRIDGE)
    before = len(server.requests())
    with pytest.raises(CutoverError, match=r"FPM-CLIENTS php-fpm usr/local/etc/php-fpm\.d/zzz-allow\.conf:2:26 '172\.17\.0\.0/16'") as refused:
        derive(nginx, server.host, "pools/refused", params=peer(server, "pools/bridge"))
    assert [each["container"] for each in refused.value.details["findings"]] == ["php-fpm"]
    assert {method for method, _path, _status in server.requests()[before:]} == {"GET"}
    waived = {**peer(server, "pools/bridge"), "waive": ["FPM-CLIENTS"]}
    assert derive(nginx, server.host, "pools/waived", params=waived)["changed"]


def test_what_a_newer_layer_took_away_does_not_count(server: Server, derive: Run, nginx: str) -> None:
    Pusher(server.url, "pools/mended").image("v1", OFFICIAL, BRIDGE, {f"{FOLDER}/.wh.zzz-allow.conf": b""})
    result = derive(nginx, server.host, "pools/mended-target", params=peer(server, "pools/mended"))
    assert result["changed"]
    assert result["findings"] == []


def test_the_environment_decides_where_the_pool_leaves_it(server: Server, derive: Run, nginx: str) -> None:
    """PHP-FPM reads ${NAME}: the definition's value comes before the image's."""
    pool = {f"{FOLDER}/www.conf": b"[www]\nlisten = ${LISTEN}\n"}
    Pusher(server.url, "pools/variable").image("v1", pool, environment={"LISTEN": "10.0.0.1:9000"})
    with pytest.raises(CutoverError, match=r"FPM-ADDRESS php-fpm .*'10\.0\.0\.1:9000'"):
        derive(nginx, server.host, "pools/variable-target", params=peer(server, "pools/variable"))
    assert derive(nginx, server.host, "pools/variable-target", params=peer(server, "pools/variable", environment={"LISTEN": "9000"}))["findings"] == []


def test_an_image_that_cannot_be_read_is_told_and_stops_nothing(server: Server, derive: Run, nginx: str) -> None:
    Pusher(server.url, "pools/redis").image("v1", {"usr/bin/redis": b"x"})
    assert derive(nginx, server.host, "pools/redis-target", params=peer(server, "pools/redis"))["findings"] == []
    result = derive(nginx, server.host, "pools/unread-target", params=peer(server, "pools/none"))
    assert [(each["id"], each["severity"], each["container"]) for each in result["findings"]] == [("FPM-UNREAD", "WARN", "php-fpm")]
    assert "pools/none" in result["findings"][0]["why"]
    assert result["changed"]


def test_a_port_that_two_images_say_to_listen_on_is_told(server: Server, derive: Run) -> None:
    """Nginx listens on 80 and 8080; FPM's 9000 is its own. A port that a pass reaches is told by that already."""
    conf = {"etc/nginx/conf.d/app.conf": b"server { listen 80; listen 8080; location / { fastcgi_pass php-fpm:9000; } location /b { proxy_pass http://php-fpm:80; } }\n"}
    Pusher(server.url, "pools/listening").image("v1", conf)
    Pusher(server.url, "pools/exposing").image("v1", OFFICIAL, exposed=("9000/tcp", "8080/tcp", "80/tcp", "53/udp"))
    wanted = {"containers": {"php-fpm": "php-fpm"}, "params": {**peer(server, "pools/exposing"), "waive": ["NGX-LISTEN-CLASH"]}}
    found = derive(f"{server.host}/pools/listening:v1", server.host, "pools/clash", **wanted)["findings"]
    assert [(each["id"], each["container"]) for each in found] == [("NGX-LISTEN-CLASH", "nginx"), ("NGX-EXPOSE-CLASH", "nginx")]
    assert "nginx and php-fpm: by EXPOSE" in found[1]["why"]
    assert "port 8080;" in found[1]["why"]


def test_two_linked_images_that_expose_the_same_port_are_told(server: Server, derive: Run, nginx: str) -> None:
    Pusher(server.url, "pools/php-9000").image("v1", OFFICIAL, exposed=("9000/tcp",))
    peers = [{"container": name, "image": f"{server.host}/pools/php-9000:v1"} for name in ("php-fpm", "admin", "other-task")]
    wanted = {"containers": {"php-fpm": "php-fpm", "admin": "admin"}, "params": {"peer_images": peers}}
    found = derive(nginx, server.host, "pools/two", **wanted)["findings"]
    assert [(each["id"], each["severity"], each["why"].partition(":")[0]) for each in found] == [("NGX-EXPOSE-CLASH", "WARN", "php-fpm and admin")]


def test_an_image_of_another_platform_stops_the_push(server: Server, derive: Run, nginx: str) -> None:
    Pusher(server.url, "pools/arm").image("v1", OFFICIAL, architecture="arm64")
    with pytest.raises(CutoverError, match=r"pools/arm:v1 has no image for linux/amd64; it has linux/arm64"):
        derive(nginx, server.host, "pools/arm-target", params=peer(server, "pools/arm"))
    assert derive(nginx, server.host, "pools/arm-target", params=peer(server, "pools/arm", platform="linux/arm64"))["changed"]
    with pytest.raises(CutoverError, match=r"pools/nginx:v1 has no image for linux/arm64; it has linux/amd64"):
        derive(nginx, server.host, "pools/arm-nginx", platform="linux/arm64")


def test_nothing_is_looked_at_when_nothing_is_to_be_pushed(server: Server, derive: Run, nginx: str) -> None:
    Pusher(server.url, "pools/php").image("v1", OFFICIAL)
    derive(nginx, server.host, "pools/done", params=peer(server, "pools/php"))
    before = len(server.requests())
    assert not derive(nginx, server.host, "pools/done", params=peer(server, "pools/php"))["changed"]
    assert not [path for _method, path, _status in server.requests()[before:] if "/pools/php/" in path]
