"""The plan for people: summary and diff."""

from __future__ import annotations

from ansible_collections.cutover.fargate.plugins.module_utils._translate import report
from unit.plugins.module_utils._translate import systems


def test_the_summary_tells_what_happens() -> None:
    lines = report.summary(systems.plan())
    assert lines[0] == "shop (shop.example.test, eu-west-1, account 123456789012): new"
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
    # what has no consequence is one line
    at = next(number for number, line in enumerate(lines) if line.startswith("INFO ("))
    assert all(line.startswith("  FG-") for line in lines[at + 1 :])


def test_the_diff_has_the_same_names_on_both_sides() -> None:
    system = systems.system()
    compared = report.diff(system, systems.plan(system))
    shapes = [{kind: sorted(side[kind]) for kind in side} for side in compared.values()]
    assert shapes[0] == shapes[1] == {"task_definitions": ["web", "worker"], "services": ["web", "worker"], "target_groups": ["shop-web"]}
    assert compared["before"]["task_definitions"]["web"]["containerDefinitions"]["nginx"]["portMappings"] == ["any:80/tcp"]
    assert compared["after"]["task_definitions"]["web"]["containerDefinitions"]["nginx"]["portMappings"] == ["80/tcp"]
