from __future__ import annotations

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import sizes
from hypothesis import given
from hypothesis import strategies as st
from unit.plugins.module_utils._translate import systems


@pytest.mark.parametrize(
    ("value", "expected"), [("1 vCPU", 1024), (".5 vcpu", 512), ("0.25 vCPU", 256), ("1024", 1024), (2048, 2048), (None, None), ("", None), ("many", None), ("1 GB", None)]
)
def test_cpu(value: object, expected: int | None) -> None:
    assert sizes.cpu_units(value) == expected


@pytest.mark.parametrize(("value", "expected"), [("2GB", 2048), ("0.5 GB", 512), ("2 gb", 2048), ("3072", 3072), ("1 vCPU", None)])
def test_memory(value: object, expected: int | None) -> None:
    assert sizes.memory_mib(value) == expected


@pytest.mark.parametrize(
    ("cpu", "memory", "pair"),
    [
        (0, 0, (256, 512)),
        (256, 513, (256, 1024)),
        (384, 640, (512, 1024)),
        (256, 2049, (512, 3072)),
        (1025, 2048, (2048, 4096)),
        (4096, 30721, (8192, 32768)),
        (16385, 0, (32768, 61440)),
        (0, 122881, (32768, 249856)),
        (32769, 0, None),
        (0, 249857, None),
    ],
)
def test_smallest_pair(cpu: int, memory: int, pair: tuple[int, int] | None) -> None:
    assert sizes.smallest(cpu, memory, sizes.TABLE) == pair


@given(st.integers(0, 32768), st.integers(0, 249856))
def test_a_pair_holds_the_need_and_no_smaller_one_does(cpu: int, memory: int) -> None:
    pair = sizes.smallest(cpu, memory, sizes.TABLE)
    assert pair is not None
    assert pair[0] >= cpu
    assert pair[1] >= memory
    assert pair[1] in sizes.TABLE[pair[0]]
    assert not [size for row in sizes.TABLE if cpu <= row < pair[0] for size in sizes.TABLE[row] if size >= memory]


def test_need_counts_hard_limits_reservations_and_tmpfs() -> None:
    definition = {
        "memory": "0.5 GB",
        "containerDefinitions": [
            {"cpu": 100, "memory": 300, "memoryReservation": 200},
            {"cpu": 200, "memoryReservation": 400, "linuxParameters": {"tmpfs": [{"size": 64}]}},
        ],
    }
    assert (sizes.needed_cpu(definition), sizes.needed_memory(definition)) == (300, 764)
    assert sizes.floor(definition) == (300, 600)


def test_the_inventory_may_go_below_the_limits_but_not_below_what_registers() -> None:
    system = systems.system()
    systems.containers(system)["php-fpm"].update(memory=3000, memoryReservation=500)
    plan = systems.plan(system, sizes={"web": {"cpu": 512, "memory": 3072}})
    assert (systems.planned(plan)["cpu"], systems.planned(plan)["memory"]) == ("512", "3072")
    plan = systems.plan(system, sizes={"web": {"cpu": 512, "memory": 2048}})
    assert "FG-SIZE-INVALID" in systems.ids(plan)
    assert systems.planned(plan)["memory"] == "3072"


def test_what_was_measured_decides_with_headroom() -> None:
    plan = systems.plan(None, measured={"web": {"cpu": 400, "memory": 1700}})
    assert (systems.planned(plan)["cpu"], systems.planned(plan)["memory"]) == ("1024", "3072")
    reasons = [item["why"] for item in plan["findings"] if item["id"] == "FG-SIZE"]
    assert "400 CPU units and 1700 MiB measured, times 1.3 for headroom" in reasons[0]
    plan = systems.plan(None, measured={"web": {"cpu": 400, "memory": 1700}}, headroom=1)
    assert (systems.planned(plan)["cpu"], systems.planned(plan)["memory"]) == ("512", "2048")


def test_what_was_measured_never_goes_below_what_registers_and_leaves_the_rest_declared() -> None:
    system = systems.system()
    systems.containers(system)["php-fpm"].update(memory=3000, memoryReservation=500)
    plan = systems.plan(system, measured={"web": {"memory": 100}})
    assert (systems.planned(plan)["cpu"], systems.planned(plan)["memory"]) == ("512", "3072")
    assert "FG-SIZE-UNKNOWN" not in systems.ids(plan)


@pytest.mark.parametrize("used", [3, {"cpu": "much"}, {}])
def test_a_measurement_that_says_nothing_is_refused(used: object) -> None:
    plan = systems.plan(None, measured={"web": used})
    assert systems.at(plan, "FG-INTENT") == ["fargate_measured[web]"]


def test_the_table_is_data() -> None:
    plan = systems.plan(None, size_table={"1000": [3000]})
    assert (systems.planned(plan)["cpu"], systems.planned(plan)["memory"]) == ("1000", "3000")


def test_what_discovery_measured_decides_unless_the_inventory_says_otherwise() -> None:
    system = systems.system()
    system["source"]["services"][0]["Measured"] = {"cpu": 700, "memory": None, "days": 14, "source": "AWS/ECS"}
    plan = systems.plan(system)
    assert (systems.planned(plan)["cpu"], systems.planned(plan)["memory"]) == ("1024", "2048")
    assert why(plan)[0] == (
        "The task's size: the smallest for 700 CPU units measured by AWS/ECS in 14 days, times 1.3 for headroom; declared are nginx 128 + php-fpm 512 = 640 MiB, 384 CPU units."
    )
    plan = systems.plan(system, measured={"web": {"cpu": 100}})
    assert systems.planned(plan)["cpu"] == "512"
    assert "100 CPU units measured, times 1.3" in why(plan)[0]


@pytest.mark.parametrize(("case", "size"), [("provisioned", ("2048", "4096")), ("cut_over", ("2048", "4096"))])
def test_a_target_keeps_its_size_when_the_source_uses_less_every_day(case: str, size: tuple[str, str]) -> None:
    """Otherwise a second run would deploy again, and smaller with every day after the cutover."""
    system = systems.system(case)
    system["source"]["services"][0]["Measured"] = {"cpu": 10, "memory": 10, "days": 14, "source": "AWS/ECS"}
    system["target"]["services"][0]["TaskDefinition"].update(cpu=size[0], memory=size[1])
    plan = systems.plan(system)
    assert (systems.planned(plan)["cpu"], systems.planned(plan)["memory"]) == size
    assert "as the target has it" in why(plan)[0]
    plan = systems.plan(system, sizes={"web": {"cpu": 512, "memory": 1024}})
    assert systems.planned(plan)["cpu"] == "512"


def test_a_size_that_was_measured_below_the_declared_is_kept_too() -> None:
    """The target was built by what the source used when it served; idle, it must not make the tasks that serve now any smaller."""
    system = systems.system("cut_over")
    system["source"]["services"][0]["Measured"] = {"cpu": 10, "memory": 10, "days": 14, "source": "AWS/ECS"}
    system["source"]["services"][0]["TaskDefinition"].update(cpu="1024", memory="4096")
    system["target"]["services"][0]["TaskDefinition"].update(cpu="512", memory="3072")
    plan = systems.plan(system)
    assert (systems.planned(plan)["cpu"], systems.planned(plan)["memory"]) == ("512", "3072")
    system["source"]["services"][0]["Measured"] = {"cpu": 600, "memory": 1000, "days": 14, "source": "AWS/ECS"}
    plan = systems.plan(system)
    assert (systems.planned(plan)["cpu"], systems.planned(plan)["memory"]) == ("1024", "3072")


def test_the_reason_is_said() -> None:
    assert "the smallest for the declared need, nginx 128 + php-fpm 512 = 640 MiB, 384 CPU units" in why(systems.plan())[0]
    assert "set by fargate_sizes; declared are nginx 128" in why(systems.plan(None, sizes={"web": {"cpu": 1024, "memory": 2048}}))[0]


def test_the_reservation_is_told_where_the_hard_limit_counts() -> None:
    system = systems.system()
    systems.containers(system)["php-fpm"].update(memory=1024, memoryReservation=512)
    assert "nginx 128 + php-fpm 1024 (reserves 512) = 1152 MiB, 384 CPU units." in why(systems.plan(system))[0]


@pytest.mark.parametrize(("memory", "forced"), [(3900, False), (5000, True)])
def test_memory_that_decides_the_cpu_is_told(memory: int, forced: bool) -> None:
    system = systems.system()
    systems.containers(system)["php-fpm"]["memory"] = memory
    assert ("(so much memory comes with 1024 CPU units or more)" in why(systems.plan(system))[0]) == forced


def test_measured_memory_that_decides_the_cpu_is_told() -> None:
    assert "for headroom (so much memory comes with 1024 CPU units or more); declared" in why(systems.plan(measured={"web": {"cpu": 50, "memory": 4000}}))[0]


def test_the_sum_is_the_containers_where_the_task_itself_has_more() -> None:
    system = systems.system()
    systems.definition(system)["memory"] = "2048"
    assert "nginx 128 + php-fpm 512 = 640 MiB (the task itself 2048), 384 CPU units." in why(systems.plan(system))[0]


@pytest.mark.parametrize(
    ("own", "shown"), [({}, None), ({"cpu": "512", "memory": "1024"}, "512/1024"), ({"cpu": "512"}, "cpu 512"), ({"memory": "1 GB"}, "memory 1 GB")]
)
def test_a_size_that_is_not_set_is_not_shown(own: dict[str, str], shown: str | None) -> None:
    system = systems.system()
    systems.definition(system).update(own)
    plan = systems.plan(system)
    assert next(item["source_value"] for item in plan["findings"] if item["id"] == "FG-SIZE") == shown
    assert "None" not in str([item for item in plan["findings"] if item["id"] == "FG-SIZE" and item["source_value"]])


def test_nothing_declared_is_said_so() -> None:
    system = systems.system()
    for container in systems.containers(system).values():
        for key in ("cpu", "memory", "memoryReservation"):
            container.pop(key, None)
    assert why(systems.plan(system))[0] == "The task's size: the smallest for the declared need, no memory, no CPU."


def why(plan: systems.Json) -> list[str]:
    return [item["why"] for item in plan["findings"] if item["id"] == "FG-SIZE"]
