"""Texts by which people (and the collection's diagnosis) recognise what happened."""

from __future__ import annotations

from lab.reconcile import reasons

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/nginx:v9"


def test_a_missing_tag_reads_as_on_each_platform() -> None:
    fargate = reasons.cannot_pull(IMAGE, "reading manifest v9: manifest unknown", fargate=True)
    assert fargate == f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {IMAGE}: not found"
    instance = reasons.cannot_pull(IMAGE, "reading manifest v9: manifest unknown", fargate=False)
    assert instance.startswith("CannotPullContainerError: Error response from daemon: manifest for ")
    assert "manifest unknown" in instance


def test_another_failure_keeps_the_registrys_words() -> None:
    assert "connection refused" in reasons.cannot_pull(IMAGE, "Error: x\ndial tcp: connection refused", fargate=True)


def test_a_missing_log_group_fails_before_anything_runs_on_fargate() -> None:
    assert reasons.log_group_missing("/g", fargate=True).startswith("ResourceInitializationError: failed to validate logger args")
    assert reasons.log_group_missing("/g", fargate=False).startswith("CannotStartContainerError")


def test_unhealthy_events_have_the_current_format() -> None:
    text = reasons.unhealthy("t1", 80, "arn:tg", "Health checks failed with these codes: [502]")
    assert text == "(task t1) (port 80) is unhealthy in (target-group arn:tg) due to (reason Health checks failed with these codes: [502])"


def test_started_tasks_are_listed() -> None:
    assert reasons.started_tasks(["a", "b"]) == "has started 2 tasks: (task a) (task b)."
