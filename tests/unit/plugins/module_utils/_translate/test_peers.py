from __future__ import annotations

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import peers
from unit.plugins.module_utils._translate import systems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("php-fpm:9000", "127.0.0.1:9000"),
        ("tcp://php-fpm:9000", "tcp://127.0.0.1:9000"),
        ("http://php-fpm/ping", "http://127.0.0.1/ping"),
        ("redis://user:pw@php-fpm/0", "redis://user:pw@127.0.0.1/0"),
        ("a:1,php-fpm:2", "a:1,127.0.0.1:2"),
        ("curl -fs http://php-fpm:9000/ping || exit 1", "curl -fs http://127.0.0.1:9000/ping || exit 1"),
        ("php-fpm", "php-fpm"),
        ("my-php-fpm:9000", "my-php-fpm:9000"),
        ("php-fpm.internal:9000", "php-fpm.internal:9000"),
        ("/etc/php-fpm:9000", "/etc/php-fpm:9000"),
        ("http://php-fpm.example.test/", "http://php-fpm.example.test/"),
        ("php-fpm:latest", "php-fpm:latest"),
        ("mysql:host=php-fpm;dbname=shop", "mysql:host=127.0.0.1;dbname=shop"),
        ("host=php-fpm port=5432", "host=127.0.0.1 port=5432"),
        ("Server=php-fpm,1433;Database=shop", "Server=127.0.0.1,1433;Database=shop"),
        ("Data Source = php-fpm", "Data Source = 127.0.0.1"),
        ("host=php-fpm.internal;dbname=shop", "host=php-fpm.internal;dbname=shop"),
        ("user=php-fpm;dbname=php-fpm", "user=php-fpm;dbname=php-fpm"),
        ("vhost=php-fpm;x", "vhost=php-fpm;x"),
    ],
)
def test_addresses_are_rewritten_and_words_are_not(text: str, expected: str) -> None:
    assert peers.rewrite_text(text, ["php-fpm"]) == expected


@pytest.mark.parametrize(("name", "changed"), [("REDIS_HOST", True), ("UPSTREAM", True), ("QUEUE_CONNECTION", False), ("SESSION_DRIVER", False), ("SERVER_NAME", False), ("CACHE_STORE", False), ("RABBITMQ_VHOST", None), ("VIRTUAL_HOST", None)])
def test_a_bare_name_is_an_address_only_in_a_variable_for_addresses(name: str, changed: bool | None) -> None:
    """None: it may be one, a person is asked."""
    draft = {"environment": [{"name": name, "value": "redis"}]}
    found = [finding["id"] for finding in peers.environment(draft, {"redis"}, "p")]
    assert draft["environment"][0]["value"] == ("127.0.0.1" if changed else "redis")
    assert found == {True: ["FG-PEER"], False: [], None: ["FG-PEER-WORD"]}[changed]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("REDIS_HOSTS", "redis,other", "127.0.0.1,other"),
        ("REDIS_HOSTS", "other; redis", "other; 127.0.0.1"),
        ("REDIS_HOSTS", '["redis"]', '["127.0.0.1"]'),
        ("REDIS_URL", "redis/0", "127.0.0.1/0"),
        ("REDIS_HOSTS", "redis-2,my.redis,/redis", "redis-2,my.redis,/redis"),
        ("EXTENSIONS", "redis,gd", "redis,gd"),
        ("EXTENSIONS", "tcp://redis:6379?weight=1,redis", "tcp://127.0.0.1:6379?weight=1,redis"),
    ],
)
def test_lists_are_rewritten_in_a_variable_for_addresses(name: str, value: str, expected: str) -> None:
    draft = {"environment": [{"name": name, "value": value}]}
    list(peers.environment(draft, {"redis"}, "p"))
    assert draft["environment"][0]["value"] == expected


def test_secrets_in_a_rewritten_value_are_masked() -> None:
    draft = {"environment": [{"name": "REDIS_URL", "value": "redis://u:hunter2@redis:6379"}]}
    (finding,) = peers.environment(draft, {"redis"}, "p")
    assert draft["environment"][0]["value"] == "redis://u:hunter2@127.0.0.1:6379"
    assert "hunter2" not in str(finding)


def test_names_and_aliases_both_stop_resolving() -> None:
    container = {"name": "nginx", "links": ["php-fpm:app", "redis"]}
    definition = {"containerDefinitions": [container, {"name": "php-fpm"}, {"name": "redis"}, {"name": "other"}]}
    assert peers.hosts(container) == {"php-fpm", "app", "redis"}
    assert peers.mapping(container, definition) == dict.fromkeys(["app", "other", "php-fpm", "redis"], "127.0.0.1")


def test_a_link_becomes_an_order_of_start() -> None:
    assert systems.planned_containers(systems.plan())["nginx"]["dependsOn"] == [{"containerName": "php-fpm", "condition": "START"}]


def test_a_stricter_condition_that_is_there_stays() -> None:
    system = systems.system()
    systems.containers(system)["nginx"]["dependsOn"] = [{"containerName": "php-fpm", "condition": "HEALTHY"}]
    assert systems.planned_containers(systems.plan(system))["nginx"]["dependsOn"] == [{"containerName": "php-fpm", "condition": "HEALTHY"}]


def test_no_cycle_is_made() -> None:
    system = systems.system()
    containers = systems.containers(system)
    containers["php-fpm"]["dependsOn"] = [{"containerName": "nginx", "condition": "START"}]
    plan = systems.plan(system)
    assert "dependsOn" not in systems.planned_containers(plan)["nginx"]
    assert systems.at(plan, "FG-LINK-CYCLE") == ["task_definitions[shop-web].containerDefinitions[nginx].dependsOn"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["nc", "-z", "db", "3306"], ["nc", "-z", "127.0.0.1", "3306"]),
        (["mysql", "-h", "db", "-e", "select 1"], ["mysql", "-h", "127.0.0.1", "-e", "select 1"]),
        (["sh", "-c", "mysqladmin ping --host=db"], ["sh", "-c", "mysqladmin ping --host=127.0.0.1"]),
        (["sh", "-c", "until nc -z db 3306; do sleep 1; done"], ["sh", "-c", "until nc -z 127.0.0.1 3306; do sleep 1; done"]),
        (["php", "artisan", "queue:work", "db"], ["php", "artisan", "queue:work", "db"]),
        (["php", "artisan", "queue:work", "db", "--sleep", "3"], ["php", "artisan", "queue:work", "db", "--sleep", "3"]),
        (["sh", "-c", "php artisan queue:work db 30"], ["sh", "-c", "php artisan queue:work db 30"]),
        (["sh", "-c", "tar -h db-dump 3306"], ["sh", "-c", "tar -h db-dump 3306"]),
        (["nc", "-z", "db.example.test", "3306"], ["nc", "-z", "db.example.test", "3306"]),
        (["wait", "--db-host=db"], ["wait", "--db-host=127.0.0.1"]),
        (["wait", "--redis-host", "db"], ["wait", "--redis-host", "127.0.0.1"]),
        (["sh", "-c", "DB_HOST=db DB_NAME=db php x"], ["sh", "-c", "DB_HOST=127.0.0.1 DB_NAME=db php x"]),
        (["CMD-SHELL", "curl -fsS db/ping || exit 1"], ["CMD-SHELL", "curl -fsS 127.0.0.1/ping || exit 1"]),
        (["CMD-SHELL", "wget -q db && curl db"], ["CMD-SHELL", "wget -q 127.0.0.1 && curl 127.0.0.1"]),
        (["CMD-SHELL", "curl -o db example.test; cat db/x"], ["CMD-SHELL", "curl -o db example.test; cat db/x"]),
        (["CMD", "/usr/bin/curl", "-f", "db/ping"], ["CMD", "/usr/bin/curl", "-f", "127.0.0.1/ping"]),
        (["CMD", "cat", "db/ping"], ["CMD", "cat", "db/ping"]),
    ],
)
def test_commands(words: list[str], expected: list[str]) -> None:
    draft = {"command": words, "healthCheck": {"command": list(words)}}
    list(peers.commands(draft, {"db"}, "p"))
    assert draft == {"command": expected, "healthCheck": {"command": expected}}


@pytest.mark.parametrize(("name", "value"), [("CACHE_BACKEND", "redis"), ("CELERY_RESULT_BACKEND", "redis"), ("NGINX_BACKEND", "127.0.0.1")])
def test_a_backend_is_an_address_unless_it_is_a_kind(name: str, value: str) -> None:
    draft = {"environment": [{"name": name, "value": "redis"}]}
    list(peers.environment(draft, {"redis"}, "p"))
    assert draft["environment"][0]["value"] == value
