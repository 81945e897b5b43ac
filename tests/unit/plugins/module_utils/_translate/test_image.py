"""Images of the plan: which are derived, where they go, what comes along."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import image
from unit.plugins.module_utils._translate import systems

OWN = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nginx", ("docker.io", "nginx", None, None)),
        ("nginx:1.27", ("docker.io", "nginx", "1.27", None)),
        ("acme/nginx", ("docker.io", "acme/nginx", None, None)),
        ("localhost/nginx:1", ("localhost", "nginx", "1", None)),
        ("registry:5000/a/b:2", ("registry:5000", "a/b", "2", None)),
        (f"{OWN}/shop/nginx:1@sha256:ab", (OWN, "shop/nginx", "1", "sha256:ab")),
    ],
)
def test_references(text: str, expected: tuple[str, str, str | None, str | None]) -> None:
    reference = image.parse(text)
    assert (reference.host, reference.repository, reference.tag, reference.digest) == expected


@pytest.mark.parametrize(
    ("source", "result"),
    [
        (f"{OWN}/shop/nginx:1.4.2", f"{OWN}/shop/nginx-fargate:1.4.2-fargate"),
        (f"{OWN}/shop/nginx@sha256:{'ab' * 32}", f"{OWN}/shop/nginx-fargate:abababababab-fargate"),
        ("nginx:1.27", f"{OWN}/nginx-fargate:1.27-fargate"),
        ("210987654321.dkr.ecr.eu-west-1.amazonaws.com/base/nginx:3", f"{OWN}/base/nginx-fargate:3-fargate"),
    ],
)
def test_where_a_derived_image_goes(source: str, result: str) -> None:
    system = systems.system()
    systems.containers(system)["nginx"]["image"] = source
    plan = systems.plan(system)
    (entry,) = plan["image"]["images"]
    assert entry["source_image"] == source
    assert entry["image"] == result == systems.planned_containers(plan)["nginx"]["image"]


def test_one_image_for_two_services_that_rewrite_it_alike_and_two_where_peers_differ() -> None:
    system = systems.system()
    other = systems.definition(system, 1)
    other["containerDefinitions"] = [dict(item) for item in systems.definition(system)["containerDefinitions"]]
    assert len(systems.plan(system)["image"]["images"]) == 1
    other["containerDefinitions"][0]["links"] = ["php-fpm:app"]
    images = systems.plan(system)["image"]["images"]
    assert len({entry["image"] for entry in images}) == 2
    used = {item["containerDefinitions"][0]["image"] for item in systems.plan(system)["task_definitions"]}
    assert used == {entry["image"] for entry in images}


def test_arm_images_are_built_for_arm() -> None:
    system = systems.system()
    systems.definition(system)["runtimePlatform"] = {"cpuArchitecture": "ARM64"}
    assert systems.plan(system)["image"]["images"][0]["platform"] == "linux/arm64"


def test_what_a_conf_may_stand_on_comes_along_and_secrets_do_not() -> None:
    system = systems.system()
    systems.containers(system)["nginx"].update(
        links=["php-fpm:app"],
        environment=[
            {"name": "PHP_FPM_HOST", "value": "app"},
            {"name": "APP_NAME", "value": "app"},
            {"name": "FASTCGI_PASS", "value": "app:9000"},
            {"name": "DB_PASSWORD", "value": "hunter2"},
            {"name": "REDIS_URL", "value": "redis://u:hunter2@app:6379"},
        ],
        secrets=[{"name": "TOKEN", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/x"}],
    )
    (entry,) = systems.plan(system)["image"]["images"]
    assert entry["containers"] == {"app": "php-fpm"}
    assert entry["environment"] == {"PHP_FPM_HOST": "app", "APP_NAME": "app", "FASTCGI_PASS": "app:9000"}
    assert entry["target_environment"] == {"PHP_FPM_HOST": "127.0.0.1", "FASTCGI_PASS": "127.0.0.1:9000"}
    assert entry["unknown_environment"] == ["DB_PASSWORD", "REDIS_URL", "TOKEN"]
    assert "hunter2" not in str(systems.plan(system)["image"])
    (entry,) = systems.plan(system, peer_variables=["APP_NAME"])["image"]["images"]
    assert entry["target_environment"]["APP_NAME"] == "127.0.0.1"


def test_two_images_where_the_environment_differs() -> None:
    """The image's own variables are changed where the definition does not set them, so the result depends on both."""
    system = systems.system()
    other = systems.definition(system, 1)
    other["containerDefinitions"] = [dict(item) for item in systems.definition(system)["containerDefinitions"]]
    other["containerDefinitions"][0]["environment"] = [{"name": "PHP_HOST", "value": "10.0.0.1"}]
    assert len({entry["image"] for entry in systems.plan(system)["image"]["images"]}) == 2


def test_the_linked_containers_images_are_looked_at_as_they_will_run() -> None:
    (looked_at,) = systems.plan()["image"]["peer_images"]
    assert (looked_at["container"], looked_at["image"], looked_at["platform"]) == ("php-fpm", f"{OWN}/shop/php:1.4.2", "linux/amd64")
    (looked_at,) = systems.plan(images={"php-fpm": "php:new"})["image"]["peer_images"]
    assert looked_at["image"] == "php:new"
    image = systems.plan(images={"nginx": "nginx:new"})["image"]
    assert (image["images"], image["peer_images"]) == ([], [])
    system = systems.system()
    systems.containers(system)["php-fpm"]["links"] = ["nginx"]
    assert sorted(each["image"] for each in systems.plan(system)["image"]["peer_images"]) == [f"{OWN}/shop/nginx:1.4.2", f"{OWN}/shop/php:1.4.2"]


def test_all_containers_of_the_tasks_with_what_their_images_must_suit() -> None:
    system = systems.system()
    nginx, fpm = (systems.containers(system)[name] for name in ("nginx", "php-fpm"))
    nginx["portMappings"] = [{"containerPort": port, "protocol": protocol} for port, protocol in ((8080, "tcp"), (80, "tcp"), (53, "udp"))]
    of = {"image": f"{OWN}/shop/agent:1", "memory": 64}
    systems.definition(system)["containerDefinitions"] += [{**of, "name": "agent"}, {**of, "name": "hub", "image": "datadog/agent:7"}, {**of, "name": "job", "command": ["x"]}]
    web, worker = systems.plan(system)["image"]["tasks"]
    told = {"image": f"{OWN}/shop/agent:1", "ports": [], "low_ports": [], "exposes": True, "linked": False}
    assert (web["family"], web["platform"], worker["family"]) == ("shop-web-fargate", "linux/amd64", "shop-worker-fargate")
    assert web["containers"] == [
        {**told, "name": "nginx", "image": f"{OWN}/shop/nginx:1.4.2", "ports": [80, 8080], "low_ports": [80, 53], "exposes": False, "linked": True},
        {**told, "name": "php-fpm", "image": f"{OWN}/shop/php:1.4.2", "linked": True, "exposes": not fpm.get("portMappings")},
        {**told, "name": "agent"},
        {**told, "name": "hub", "image": None},
        {**told, "name": "job", "exposes": False},
    ]


@pytest.mark.parametrize(
    ("change", "low", "exposes"),
    [
        ({}, [80], True),
        ({"user": "www-data"}, [], True),  # FG-LOW-PORT, whatever the image says
        ({"systemControls": [{"namespace": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]}, [], True),
        ({"networkMode": "awsvpc"}, [80], False),  # what would clash clashes on EC2 already
    ],
)
def test_what_the_definition_says_is_not_asked_of_the_image(change: dict[str, t.Any], low: list[int], exposes: bool) -> None:
    system = systems.system()
    definition, nginx = systems.definition(system), systems.containers(system)["nginx"]
    nginx["portMappings"] = [{"containerPort": 80}]
    definition["containerDefinitions"].append({"name": "agent", "image": f"{OWN}/shop/agent:1", "memory": 64})
    (definition if "networkMode" in change else nginx).update(change)
    containers = {item["name"]: item for item in systems.plan(system)["image"]["tasks"][0]["containers"]}
    assert (containers["nginx"]["low_ports"], containers["agent"]["exposes"]) == (low, exposes)


def test_findings_of_confs_are_waived_by_the_same_variable() -> None:
    assert "FG-INTENT" not in systems.ids(systems.plan(waive=["NGX-LUA", "FPM-CLIENTS@etc/php/8.3/fpm/pool.d/www.conf", "IMG-UNREAD"]))
    assert "FG-INTENT" in systems.ids(systems.plan(waive=["XGN-LUA"]))
