"""The plan for people: summary and diff."""

from __future__ import annotations

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._report import diagram
from ansible_collections.cutover.fargate.plugins.module_utils._translate import comparison, report
from unit.plugins.module_utils._translate import systems
from unit.plugins.module_utils._translate.rules import Case


def test_the_summary_tells_what_happens() -> None:
    lines = report.summary(systems.plan())
    assert lines[0] == "shop (shop.example.test, eu-west-1, account 123456789012): new, the target is not built"
    assert lines[-1] == "Nothing stands in the way."
    text = "\n".join(lines)
    for part in ("Create", "  service         web (web, 2 tasks)", "Change", "shop-db admits the tasks (tcp 3306)", "Leave alone", "ACTION (", "Fix: "):
        assert part in text


def test_findings_that_say_the_same_are_told_once_with_each_place() -> None:
    lines = report.summary(systems.plan())
    at = next(number for number, line in enumerate(lines) if line.startswith("  FG-EXECUTION-ROLE (2 times): "))
    assert [line.split(":")[0] for line in lines[at + 1 : at + 4]] == [
        "    task_definitions[shop-web].executionRoleArn",
        "    task_definitions[shop-worker].executionRoleArn",
        "    Fix",
    ]
    # what has no consequence is one line, with what can be done about it
    at = next(number for number, line in enumerate(lines) if line.startswith("INFO ("))
    assert all(line.startswith("  FG-") for line in lines[at + 1 : -2])
    (size,) = [line for line in lines if line.startswith("  FG-SIZE (task_definitions[shop-worker].cpu): ")]
    assert size.endswith("fargate_sizes sets another one.")
    assert "  FG-TARGET-TYPE (target_groups[shop-web].TargetType): Tasks with awsvpc register by address." in lines


def test_the_verdict_names_what_stands_in_the_way_and_where() -> None:
    system = systems.system()
    for container in systems.containers(system).values():
        container |= {"privileged": True, "disableNetworking": True, "linuxParameters": {"devices": [{"hostPath": "/dev/kvm"}]}}
    path = "task_definitions[shop-web].containerDefinitions"
    assert report.summary(systems.plan(system))[-1] == (
        f"6 BLOCKERs in the way: FG-DEVICES at {path}[nginx].linuxParameters.devices[0], FG-DEVICES at {path}[php-fpm].linuxParameters.devices[0], "
        f"FG-DISABLE-NETWORKING at {path}[nginx].disableNetworking, FG-DISABLE-NETWORKING at {path}[php-fpm].disableNetworking, 2 more."
    )
    waived = systems.plan(system, waive=["FG-DEVICES", "FG-DISABLE-NETWORKING", f"FG-PRIVILEGED@{path}[nginx].privileged"])
    assert report.verdict(waived) == f"1 BLOCKER in the way: FG-PRIVILEGED at {path}[php-fpm].privileged."
    waived = systems.plan(system, waive=["FG-DEVICES", "FG-DISABLE-NETWORKING", "FG-PRIVILEGED"])
    assert report.verdict(waived) == "Nothing stands in the way (6 BLOCKERs waived)."


@pytest.mark.parametrize(
    ("case", "titles"),
    [
        ("shop", ["Create", "Change", "Leave alone"]),
        ("provisioned", ["Target", "Changed for it, the rest at the cutover", "Left alone"]),
        ("cut_over", ["Target", "Changed for it", "Source, until the teardown"]),
        ("scaled_in", ["Target", "Changed for it", "Source, until the teardown"]),
        ("torn_down", []),
    ],
)
def test_what_is_done_is_not_told_as_planned(case: str, titles: list[str]) -> None:
    assert [title for title, _entries in report.sections(systems.plan(systems.system(case)))] == titles


def test_after_the_teardown_there_is_nothing_left_to_do() -> None:
    assert report.summary(systems.plan(systems.system("torn_down"))) == [
        "shop (shop.example.test, eu-west-1, account 123456789012): torn down, the source is gone",
        "",
        "Nothing stands in the way.",
    ]


def test_a_value_is_told_as_it_stands_in_a_definition() -> None:
    assert [report.shown(value) for value in (None, "text", 0, True, {"cpu": "1", "on": None})] == ["", "text", "0", "true", '{"cpu": "1", "on": null}']


def test_the_diff_has_the_same_names_on_both_sides() -> None:
    system = systems.system()
    compared = comparison.diff(system, systems.plan(system))
    shapes = [{kind: sorted(side[kind]) for kind in side} for side in compared.values()]
    assert shapes[0] == shapes[1] == {"task_definitions": ["web", "worker"], "services": ["web", "worker"], "target_groups": ["shop-web"]}
    assert compared["before"]["task_definitions"]["web"]["containerDefinitions"]["nginx"]["portMappings"] == ["any:80/tcp"]
    assert compared["after"]["task_definitions"]["web"]["containerDefinitions"]["nginx"]["portMappings"] == ["80/tcp"]


@pytest.mark.parametrize(
    ("case", "created", "compared", "drawn"),
    [
        ("FG-SERVICE-CONNECT/positive", "  namespace       shop-fargate (Service Connect)", "serviceConnect", "namespace shop-fargate"),
        ("FG-REGISTRY/positive", "  Cloud Map       web-fargate.internal.example", "serviceRegistries", "Cloud Map web-fargate.internal.example"),
        ("FG-REGISTRY/positive", "  ingress         from sg-0client (tcp 80): shop: clients of web", "serviceRegistries", "Cloud Map"),
        ("FG-EBS-TYPE/near_miss", "  service         web (web, 2 tasks, each with an EBS volume of 125 GiB)", "volumeConfigurations", "web: 2 tasks"),
        ("FG-LATTICE/near_miss", "  service         web (web, 2 tasks)", "vpcLatticeConfigurations", "web: 2 tasks"),
        ("FG-SCALING-STEP/positive", "  scaling         web (2 to 8, 1 policy)", None, "web: 2 tasks"),
        ("FG-SCHEDULER/positive", "  service         worker (worker, a scheduler: 0 tasks until scale_in has stopped the source's, then 1)", None, "held, then 1 of"),
    ],
)  # fmt: skip
def test_what_few_systems_have_is_told_compared_and_drawn(case: str, created: str, compared: str | None, drawn: str) -> None:
    one = Case(case)
    system = one.system()
    assert created in report.summary(one.plan)
    assert drawn in "\n".join(line for box in diagram.target_boxes(one.plan) for line in box.lines)
    sides = [side["services"]["web"] for side in comparison.diff(system, one.plan).values()]
    assert compared is None or all(compared in side for side in sides)
