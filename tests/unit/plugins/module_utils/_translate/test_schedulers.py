"""What a command proves, and which side's scheduler may have tasks in every state of both."""

from __future__ import annotations

import copy
import itertools
import shlex

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import schedulers
from unit.plugins.module_utils._translate import systems
from unit.plugins.module_utils._translate.systems import Json

SCHEDULES = [
    "php artisan schedule:work",
    "php -d memory_limit=-1 /var/www/artisan --env=production schedule:run --verbose",
    "sh -c 'while true; do php artisan schedule:run & sleep 60; done'",
    "sh -c 'while true; do php artisan schedule:run; sleep 60; done'",
    "/bin/bash -ec 'php artisan migrate --force\nexec php artisan schedule:work'",
    "php artisan short-schedule:run",
    "crond -f -l 8",
    "/usr/sbin/cron -f",
    "busybox crond -f",
    "sh -c 'service cron start && exec apache2-foreground'",
    "sh -c '/etc/init.d/cron start; php-fpm'",
    "tini -- supercronic /etc/crontab",
    "docker-php-entrypoint crond -f",
    "gosu www-data env TZ=UTC supercronic -json /etc/crontab",
    "TZ=UTC supercronic /etc/crontab",
    "celery -A shop beat -l info",
    "python -m celery --app shop worker -B",
    "celery worker --beat --app=shop",
    "bundle exec clockwork clock.rb",
    "bundle exec rake resque:scheduler",
    "bin/console messenger:consume scheduler_default --time-limit=3600",
    "sh -c 'while :; do bin/magento cron:run; sleep 60; done'",
    "wp cron event run --due-now",
    "drush core:cron",
    "airflow scheduler",
    "ofelia daemon --config=/etc/ofelia.ini",
    "su www-data -s /bin/sh -c 'php artisan schedule:work'",
]
OTHERS = [
    "php-fpm",
    "php artisan queue:work --queue=cron",
    "php artisan queue:work schedule:run",
    "php artisan schedule:list",
    "php artisan horizon",
    "celery -A beat worker -Q beat",
    "celery -A shop worker -l info",
    "celery -A shop flower",
    "sh -c 'tail -f /var/log/cron.log'",
    "sh -c 'rm -f /etc/cron.d/shop && exec php-fpm'",
    "sh -c 'service nginx start && exec php-fpm'",
    "bin/console messenger:consume async",
    "bundle exec sidekiq -q cron",
    "airflow webserver",
    "wp cron event list",
    "node cron.js",
    "/usr/bin/supervisord -n",
    "sh -c",
    "",
]


@pytest.mark.parametrize("command", SCHEDULES)
def test_commands_that_prove_a_scheduler(command: str) -> None:
    words = shlex.split(command)
    assert schedulers.scheduler({"command": words})
    assert schedulers.scheduler({"entryPoint": ["/entrypoint.sh"], "command": words})
    assert schedulers.scheduler({"entryPoint": words})


@pytest.mark.parametrize("command", OTHERS)
def test_commands_that_do_not(command: str) -> None:
    assert schedulers.scheduler({"command": shlex.split(command)}) is None


def test_a_container_without_a_command_proves_nothing() -> None:
    assert schedulers.scheduler({"entryPoint": None, "command": None}) is None


@pytest.mark.parametrize("command", ["supervisord -n", "/usr/bin/python3 -m circusd", "sh -c 'exec /usr/bin/supervisord'"])
def test_programs_that_only_a_file_tells(command: str) -> None:
    assert schedulers.supervisor({"command": shlex.split(command)})


def both(source: int, target: int | None, remembered: int | None = None, serving: str = "target") -> Json:
    """A system whose worker is a scheduler, in any state of both sides."""
    system = systems.system("cut_over")
    system["serving"] = serving
    worker = next(each for each in system["source"]["services"] if each["serviceName"] == "worker")
    worker["TaskDefinition"]["containerDefinitions"][0]["command"] = ["php", "artisan", "schedule:work"]
    worker["desiredCount"] = source
    if remembered is not None:
        worker["Tags"] = {**(worker.get("Tags") or {}), "cutover:desired-count": str(remembered)}
    services = [each for each in system["target"]["services"] if target is not None or each["serviceName"] != "worker"]
    system["target"]["services"] = [{**each, "desiredCount": target} if each["serviceName"] == "worker" else each for each in services]
    return system


def planned(system: Json, **intent: object) -> Json:
    return next(each for each in systems.plan(system, **intent)["services"] if each["name"] == "worker")


@pytest.mark.parametrize("serving", ["source", "target", "mixed", "none"])
def test_the_target_may_have_tasks_only_while_the_source_has_none(serving: str) -> None:
    """The records say nothing about a scheduler: a rollback, or a switch by hand, must neither start a second nor stop the only one."""
    for source, target in itertools.product((0, 2), (None, 0, 2)):
        system = both(source, target, remembered=None if source else 2, serving=serving)
        entry, plan = planned(system), systems.plan(system)
        handed_over = source == 0 and target == 2
        assert (entry["desired_count"], entry["held_count"]) == ((2, None) if handed_over else (0, 2)), (source, target)
        assert plan["scale_in"]["schedulers"] == [{"name": "worker", "cluster": "shop-fargate", "desired_count": 2}]
        assert [alarm["kind"] for alarm in plan["alarms"] if alarm["service"] == "worker"] == ["missing_tasks"]


def test_a_release_of_the_target_never_runs_two() -> None:
    services = systems.plan(both(1, 0))["services"]
    percent = {each["name"]: (each["deployment_configuration"]["minimumHealthyPercent"], each["deployment_configuration"]["maximumPercent"]) for each in services}
    assert percent["worker"] == (0, 100)
    assert percent["web"] == (100, 200)


def test_one_that_the_source_never_ran_is_not_handed_over() -> None:
    system = both(0, 1)
    assert (planned(system)["desired_count"], planned(system)["held_count"]) == (1, None)
    assert systems.plan(system)["scale_in"]["schedulers"] == []


def test_one_that_is_scaled_to_none_for_the_night_is_told() -> None:
    """Its scaling comes back on both sides, and nothing hands it over."""
    system = both(0, 0, serving="source")
    worker = next(each for each in system["source"]["services"] if each["serviceName"] == "worker")
    assert _twice(system) == []
    worker["ScalableTargets"] = [{"ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 0, "MaxCapacity": 1}]
    assert _twice(system) == ["0 on the source now, and up to 1 on each side when it is scaled up"]
    worker["Tags"] = {"cutover:desired-count": "1"}
    assert _twice(system) == []


def _twice(system: Json) -> list[str]:
    return [item["new_value"] for item in systems.plan(system)["findings"] if item["id"] == "FG-SCHEDULER-TWICE"]


def test_a_number_for_this_service_is_taken_at_its_word_and_one_for_all_is_not() -> None:
    system = both(1, 0, serving="source")
    assert (planned(system, desired_count={"worker": 3})["desired_count"], planned(system, desired_count={"worker": 3})["held_count"]) == (3, None)
    assert (planned(system, desired_count=3)["desired_count"], planned(system, desired_count=3)["held_count"]) == (0, 3)
    assert systems.plan(system, desired_count={"worker": 3})["scale_in"]["schedulers"] == []


def test_one_number_for_all_services_does_not_switch_on_what_the_source_has_switched_off() -> None:
    system = both(0, None, serving="source")
    counts = {each["name"]: (each["desired_count"], each["held_count"]) for each in systems.plan(system, desired_count=3)["services"]}
    assert counts == {"web": (3, None), "worker": (0, None)}
    assert planned(system, desired_count={"worker": 3})["desired_count"] == 3
    # It is no longer switched off where the target runs it, and a worker that is no scheduler gets what is asked for.
    assert planned(both(0, 1), desired_count=3)["desired_count"] == 1
    assert planned(_without_command(system), desired_count=3)["desired_count"] == 3


def test_its_scaling_waits_with_it() -> None:
    system = both(1, 0, serving="source")
    worker = next(each for each in system["source"]["services"] if each["serviceName"] == "worker")
    worker["ScalableTargets"] = [{"ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 1, "MaxCapacity": 2}]
    assert [each["waits"] for each in systems.plan(system)["scaling"] if each["service"] == "worker"] == [True]
    worker["desiredCount"], worker["Tags"] = 0, {"cutover:desired-count": "1"}
    next(each for each in system["target"]["services"] if each["serviceName"] == "worker")["desiredCount"] = 1
    assert [each["waits"] for each in systems.plan(system)["scaling"] if each["service"] == "worker"] == [False]


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        (1, 0, "runs on the source"),
        (1, None, "runs on the source"),
        (0, 1, "runs on the target"),
        (1, 1, "runs on source and target, every job is done twice"),
        (0, 0, "runs on neither side, run scale_in again or rollback"),
        (0, None, "runs on neither side"),
    ],
)
def test_who_has_it(source: int, target: int | None, told: str) -> None:
    system = both(source, target)
    for service in system["target"]["services"]:
        if service["serviceName"] == "worker":
            service["TaskDefinition"] = {"containerDefinitions": [{"name": "worker", "command": ["php", "artisan", "schedule:work"]}]}
    assert [(each.name, each.told()) for each in schedulers.hands(system)] == [("worker", told)]


def test_after_the_teardown_the_target_has_it() -> None:
    system = both(0, 1)
    next(each for each in system["target"]["services"] if each["serviceName"] == "worker")["TaskDefinition"] = {
        "containerDefinitions": [{"name": "worker", "command": ["crond", "-f"]}]
    }
    system["source"] = None
    assert [each.told() for each in schedulers.hands(system)] == ["runs on the target"]
    assert systems.plan(system)["scale_in"]["schedulers"] == []


def test_room_for_its_tasks_is_looked_for_before_it_has_them() -> None:
    system = both(2, None, serving="source")
    for subnet in system["source"]["subnets"]:
        subnet["free"] = 1
    system["target"] = None
    # Both tasks count, but not twice as in the deployment of another worker.
    held, plain = ([item["new_value"] for item in systems.plan(one)["findings"] if item["id"] == "FG-FREE-ADDRESSES"] for one in (system, _without_command(system)))
    assert held == [plain[0] - 2] != []


def test_what_waits_with_a_scheduler_is_named() -> None:
    system = both(1, None, serving="source")
    definition = systems.definition(system, 1)

    def why() -> str:
        return next(str(item["why"]) for item in systems.plan(system)["findings"] if item["id"] == "FG-SCHEDULER")

    assert why().endswith("the source's release.")
    definition["containerDefinitions"].append({"name": "queue", "image": "queue:1", "memory": 64, "command": ["php", "artisan", "queue:work"]})
    assert why().endswith("the source's release. So does what else its task does: queue.")


def _without_command(system: Json) -> Json:
    plain = copy.deepcopy(system)
    next(each for each in plain["source"]["services"] if each["serviceName"] == "worker")["TaskDefinition"]["containerDefinitions"][0]["command"] = ["true"]
    return plain
