"""The promise that nothing of a given-up migration stays on the source: also the keep-alive that a killed cutover had lowered."""

from __future__ import annotations

from pathlib import Path

import yaml

TASKS = Path(__file__).parents[3] / "roles" / "abandon" / "tasks" / "main.yml"


def test_the_keep_alive_comes_back_only_after_the_removal_was_not_refused() -> None:
    tasks = yaml.safe_load(TASKS.read_text("utf-8"))
    restore = next(index for index, task in enumerate(tasks) if "cutover.fargate.alb_client_keep_alive" in task)
    remove = next(index for index, task in enumerate(tasks) if "cutover.fargate.target_teardown" in task)
    options = tasks[restore]["cutover.fargate.alb_client_keep_alive"]
    assert remove < restore
    assert options == {"load_balancer": "{{ abandon_source_load_balancer }}", "state": "restored"}
