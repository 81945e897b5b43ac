"""Whatever fails behind the records is told together with where the traffic is."""

from __future__ import annotations

from pathlib import Path

import yaml

TASKS = yaml.safe_load((Path(__file__).parents[3] / "roles" / "dns" / "tasks" / "main.yml").read_text("utf-8"))


def test_nothing_behind_the_records_fails_without_saying_where_the_traffic_is() -> None:
    moved = next(index for index, task in enumerate(TASKS) if "cutover.fargate.route53_cutover" in task)
    (behind,) = TASKS[moved + 1 :]
    assert [next(key for key in task if key.startswith("cutover.fargate.")) for task in behind["block"]] == [
        "cutover.fargate.alb_client_keep_alive",
        "cutover.fargate.fargate_scaling",
        "cutover.fargate.fargate_deployments",
    ]
    (told,) = (task["ansible.builtin.fail"]["msg"] for task in behind["rescue"])
    assert told.startswith("The records of {{ inventory_hostname }}")
    assert "ansible_failed_result.msg" in told
    assert "ansible_failed_task.name" in told
