"""Faults of the data plane: whom they hit."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
from lab.containers.spec import ContainerSpec
from lab.faults import OTHER_KEY, Fault, Faults
from lab.faults.account import admits

WEB: Any = SimpleNamespace(service_name="shop-web", group="service:shop-web", cluster_arn="c")
FPM = ContainerSpec("0123456789ab-php-fpm", "image", environment={"APP_KEY": "right"})
NGINX = ContainerSpec("0123456789ab-nginx", "image")


def faults(*names: str, **options: str) -> Faults:
    made = Faults(SimpleNamespace())  # type: ignore[arg-type]
    for name in names:
        made.on(Fault(name, **options))
    return made


def test_the_target_is_hit_and_the_source_is_not() -> None:
    assert faults("app-key").container(WEB, FPM, fargate=True).environment["APP_KEY"] == OTHER_KEY
    assert faults("app-key").container(WEB, FPM, fargate=False) == FPM
    assert faults("app-key", side="source").container(WEB, FPM, fargate=False).environment["APP_KEY"] == OTHER_KEY


def test_a_service_can_be_named() -> None:
    assert faults("app-500", service="worker").container(WEB, FPM, fargate=True) == FPM
    assert faults("app-500", service="web").container(WEB, FPM, fargate=True).environment["SHOP_FAIL"] == "500"


def test_only_the_application_is_starved_or_put_to_sleep() -> None:
    assert faults("oom").container(WEB, FPM, fargate=True).memory_mib
    assert faults("oom", "php-fpm-dead").container(WEB, NGINX, fargate=True) == NGINX
    assert faults("php-fpm-dead").container(WEB, FPM, fargate=True).command == ["sleep", "86400"]


@pytest.mark.parametrize("image", ["r.example/shop/app:v1", "r.example/shop/app@sha256:0", "r.example:5000/shop/app:v1"])
def test_a_tag_that_does_not_exist_keeps_the_repository(image: str) -> None:
    wrong = faults("image-tag").image(WEB, {"name": "php-fpm", "image": image}, fargate=True)
    assert wrong.endswith("/shop/app:no-such-tag")


@pytest.mark.parametrize(("fault", "spec"), [("wrong-port", NGINX), ("script-root", NGINX), ("php-fpm-socket", FPM), ("slow-start", FPM)])
def test_an_edit_runs_before_the_containers_own_command(fault: str, spec: ContainerSpec) -> None:
    own = dataclasses.replace(spec, command=["sh", "-c", "install && exec server"])
    command = list(faults(fault).container(WEB, own, fargate=True).command or [])
    assert command[:2] == ["sh", "-c"]
    assert command[2].endswith(" && install && exec server")


def test_an_edit_leaves_other_containers_alone() -> None:
    assert faults("wrong-port", "script-root", "health-redirect").container(WEB, FPM, fargate=True) == FPM
    assert faults("php-fpm-socket", "php-fpm-allowed", "worker-crash").container(WEB, NGINX, fargate=True) == NGINX


def test_php_fpm_hangs_once_it_serves() -> None:
    made = faults("php-fpm-hang")
    serves = b"NOTICE: fpm is running, pid 1\nNOTICE: ready to handle connections\n"
    assert [made.freezes(WEB, "php-fpm", True, output) for output in (serves[:20], serves)] == [False, True]
    assert not made.freezes(WEB, "nginx", True, serves)
    assert not made.freezes(WEB, "php-fpm", False, serves)


def test_rules_on_two_ports_can_be_missing_at_once() -> None:
    made = faults("sg-rule")
    made.on(Fault("sg-rule", port="6379"))
    assert [fault.port for fault in made.active()] == ["3306", "6379"]
    assert made.off("sg-rule") == ["sg-rule", "sg-rule"]


def test_off_ends_them() -> None:
    made = faults("app-500", "oom")
    assert made.off("oom") == ["oom"]
    assert made.off() == ["app-500"]
    assert made.container(WEB, FPM, fargate=True) == FPM


def test_unknown_names_and_sides_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown fault 'nonsense'"):
        faults("nonsense")
    with pytest.raises(ValueError, match="side is 'left'"):
        faults("oom", side="left")


def rule(peer: str, port: int) -> Any:
    return SimpleNamespace(source_group={"GroupId": peer}, from_port=port, to_port=port)


def test_only_the_new_rule_is_revoked() -> None:
    """The source's own rules and the load balancer's stay."""
    rds, source, balancers = Fault("sg-rule"), {"sg-instances"}, {"sg-alb"}
    assert admits(rds, "sg-rds", rule("sg-target", 3306), source, balancers)
    assert not admits(rds, "sg-rds", rule("sg-instances", 3306), source, balancers)
    assert not admits(rds, "sg-redis", rule("sg-target", 6379), source, balancers)
    alb = Fault("sg-rule", port="alb")
    assert admits(alb, "sg-target", rule("sg-alb", 80), source, balancers)
    assert not admits(alb, "sg-instances", rule("sg-alb", 80), source, balancers)
