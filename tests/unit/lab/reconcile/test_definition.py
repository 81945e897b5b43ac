"""Task definition -> container."""

from __future__ import annotations

from typing import Any

from lab.reconcile import definition

NGINX: dict[str, Any] = {"name": "nginx", "links": ["php-fpm:fpm", "cache"], "portMappings": [{"containerPort": 80, "hostPort": 0}]}
FPM: dict[str, Any] = {"name": "php-fpm", "environment": [{"name": "A", "value": "1"}]}
CACHE: dict[str, Any] = {"name": "cache", "dependsOn": [{"containerName": "php-fpm", "condition": "HEALTHY"}]}


def test_what_a_container_needs_starts_first() -> None:
    assert [item["name"] for item in definition.start_order([NGINX, CACHE, FPM])] == ["php-fpm", "cache", "nginx"]


def test_a_circle_of_links_still_starts_everything_once() -> None:
    ring = [{"name": "a", "links": ["b"]}, {"name": "b", "links": ["a"]}]
    assert sorted(item["name"] for item in definition.start_order(ring)) == ["a", "b"]


def test_links_have_aliases() -> None:
    assert definition.links(NGINX) == [("php-fpm", "fpm"), ("cache", "cache")]


def test_the_definition_wins_over_the_platform() -> None:
    assert definition.environment(FPM, {"A": "platform", "B": "2"}) == {"A": "1", "B": "2"}


def test_overrides_change_one_container() -> None:
    overrides = {"containerOverrides": [{"name": "php-fpm", "command": ["true"], "environment": [{"name": "B", "value": "2"}]}]}
    changed = definition.overridden(FPM, overrides)
    assert changed["command"] == ["true"]
    assert definition.environment(changed, {}) == {"A": "1", "B": "2"}
    assert definition.overridden(NGINX, overrides) == NGINX


def test_log_stream_is_prefix_container_task() -> None:
    options = {"awslogs-group": "/g", "awslogs-stream-prefix": "web", "awslogs-region": "eu-west-1"}
    container = {"name": "nginx", "logConfiguration": {"logDriver": "awslogs", "options": options}}
    assert definition.log_target(container, "t1") == definition.LogTarget("/g", "web/nginx/t1", False)
    assert definition.log_target({**container, "logConfiguration": {"logDriver": "json-file"}}, "t1") is None


def test_health_check_commands() -> None:
    def check(*command: str) -> definition.HealthCheck | None:
        return definition.health_check({"name": "x", "healthCheck": {"command": list(command)}})

    shell = check("CMD-SHELL", "curl -f localhost || exit 1")
    assert shell is not None
    assert shell.command == ["/bin/sh", "-c", "curl -f localhost || exit 1"]
    assert shell.interval == 30
    direct = check("CMD", "true", "x")
    assert direct is not None
    assert direct.command == ["true", "x"]
    assert check("NONE") is None
    assert definition.health_check({"name": "x"}) is None


def test_memory_limit_is_the_containers_else_the_tasks() -> None:
    assert definition.memory_limit({"name": "x", "memory": 64}, 512) == 64
    assert definition.memory_limit({"name": "x", "memoryReservation": 64}, 512) == 512
    assert definition.memory_limit({"name": "x", "memoryReservation": 64}, None) is None
