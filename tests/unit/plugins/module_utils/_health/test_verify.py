"""The loop, with a clock that does not wait and senses that are told what to see."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._health.clock import Clock
from ansible_collections.cutover.fargate.plugins.module_utils._health.model import Failure, Snapshot, StepResult
from ansible_collections.cutover.fargate.plugins.module_utils._health.verify import Verifier

PARAMS = {"timeout": 100.0, "settle_seconds": 20.0, "poll_seconds": 5.0}
CLOSED_RDS: dict[str, t.Any] = {"network/security_groups/sg-rds/IpPermissions/0/UserIdGroupPairs": []}
STARTING = {"services/0/service/runningCount": 1, "services/0/service/deployments/0/rolloutState": "IN_PROGRESS"}
KEYS = {"changed", "verdict", "checks", "causes", "verified", "seconds", "spent", "lines"}
MISMATCH = {
    "target_groups/tg-web/TargetHealth/0/TargetHealth": {
        "State": "unhealthy", "Reason": "Target.ResponseCodeMismatch", "Description": "Health checks failed with these codes: [500]",
    }
}  # fmt: skip
APP_LINE = [["shop-web", "t1", "php-fpm", 1000058.0, "production.ERROR: Undefined variable $total of hunter2hunter2"]]


class World:
    """``acts``: (from second, snapshot or factory). The last act lasts."""

    def __init__(self, *acts: tuple[float, Snapshot], probes: t.Callable[[Snapshot], list[StepResult]] = lambda _snapshot: [], **params: t.Any) -> None:
        self.now, self.acts, self.said = 0.0, acts, t.cast("list[str]", [])
        self.details: list[bool] = []
        self.probed = 0
        self.probes = probes
        self.verifier = Verifier({**PARAMS, **params}, self.look, self.probe, Clock(lambda: self.now, lambda: self.now, self.sleep), self.said.append)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def look(self, details: bool) -> Snapshot:
        self.details.append(details)
        return [snapshot for since, snapshot in self.acts if since <= self.now][-1]

    def probe(self, snapshot: Snapshot) -> list[StepResult]:
        self.probed += 1
        return self.probes(snapshot)

    def run(self, check_mode: bool = False) -> dict[str, t.Any]:
        return self.verifier.run(check_mode)

    def fail(self) -> CutoverError:
        with pytest.raises(CutoverError) as caught:
            self.verifier.run(False)
        assert set(caught.value.details) == KEYS
        return caught.value


def step(problem: str = "", status: int = 200, **more: t.Any) -> StepResult:
    return StepResult("front page", "GET /", "192.0.2.10", problem, f"GET / {status}", 1000055.0, "https://shop.example.test/", status, "nginx", **more)


def test_healthy_at_the_first_look(kit: t.Any) -> None:
    world = World((0, kit.make()), probes=lambda _snapshot: [step()])
    result = world.run()
    assert set(result) == KEYS
    assert (result["verdict"], result["changed"], result["causes"], result["seconds"]) == ("healthy", False, [], 0.0)
    assert result["verified"] == {
        "load_balancer_arn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop-fargate/0a",
        "target_groups": {"tg-web": ["10.20.1.11:80", "10.20.1.12:80"]},
    }
    assert world.details == [False]
    assert result["lines"][0] == "target of shop.example.test: healthy after 0.0 s"
    assert "    [OK] rollout: 2 of 2 tasks run shop-web-fargate:3" in result["lines"]


def test_each_change_of_state_is_told_once(kit: t.Any) -> None:
    world = World((0, kit.make(STARTING)), (30, kit.make()), probes=lambda _snapshot: [step()])
    result = world.run()
    told = [line for line in world.said if "shop-web: rollout" in line]
    assert told == ["0.0 s [NG] shop-web: rollout: 1 of 2 tasks of shop-web-fargate:3 run", "30.0 s [OK] shop-web: rollout: 2 of 2 tasks run shop-web-fargate:3"]
    assert result["seconds"] == 30.0
    assert next(check["tries"] for check in result["checks"] if check["name"] == "shop-web: rollout") == 7


def test_a_settled_cause_ends_the_wait_at_the_second_look(kit: t.Any) -> None:
    world = World((0, kit.make(CLOSED_RDS)))
    error = world.fail()
    assert error.details["seconds"] == 5.0
    assert error.details["verdict"] == "unhealthy"
    assert error.details["verified"] == {}
    assert error.details["causes"][0]["id"] == "DB_TIMEOUT"
    assert "sg-rds of shop-db does not admit sg-task" in error.message
    assert "--tags security" in error.message
    assert "\n" not in error.message


def test_a_cause_seen_once_is_not_believed(kit: t.Any) -> None:
    """The rule was being added while we looked."""
    world = World((0, kit.make(CLOSED_RDS)), (5, kit.make()))
    assert world.run()["verdict"] == "healthy"


def test_what_a_start_can_show_in_passing_must_last(kit: t.Any) -> None:
    """A 500 with an exception is certain, but a cold cache can do that for a moment."""
    passing = World((0, kit.make(MISMATCH, APP_LINE)), (15, kit.make()))
    assert passing.run()["verdict"] == "healthy"
    lasting = World((0, kit.make(MISMATCH, APP_LINE)))
    error = lasting.fail()
    assert (error.details["causes"][0]["id"], error.details["seconds"]) == ("APP_500", 20.0)


def test_a_cause_that_comes_and_goes_starts_anew(kit: t.Any) -> None:
    world = World((0, kit.make(MISMATCH, APP_LINE)), (15, kit.make(STARTING)), (20, kit.make(MISMATCH, APP_LINE)), (35, kit.make()))
    assert world.run()["verdict"] == "healthy"


def test_time_is_up(kit: t.Any) -> None:
    error = World((0, kit.make(STARTING))).fail()
    assert error.details["seconds"] == 100.0
    assert (error.details["causes"][0]["id"], error.details["causes"][0]["confidence"]) == ("WAITING", "possible")
    assert "1 of 2 tasks" in error.message


def test_a_deployment_that_was_given_up_is_not_waited_for(kit: t.Any) -> None:
    changes = {"services/0/service/runningCount": 0, "services/0/tasks": [], "services/0/service/deployments/0/rolloutState": "FAILED", "target_groups/tg-web/TargetHealth": []}
    assert World((0, kit.make(changes))).fail().details["seconds"] == 20.0


def failed_checks(task: str, created: float, ended: float, **more: t.Any) -> dict[str, t.Any]:
    revision = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-web-fargate:3"
    return {
        "taskArn": f"task/{task}", "taskDefinitionArn": revision, "stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Task failed ELB health checks in (target-group tg-web)",
        "createdAt": created, "startedAt": created + 1, "stoppingAt": ended, "containers": [], **more,
    }  # fmt: skip


REFUSED = {
    "target_groups/tg-web/TargetHealth/0/TargetHealth": {"State": "unhealthy", "Reason": "Target.FailedHealthChecks", "Description": "Health checks failed"},
    "services/0/service/runningCount": 1,
}  # fmt: skip
FIRST, SECOND = failed_checks("s1", 1000000.0, 1000020.0), failed_checks("s2", 1000020.0, 1000041.0)


def test_a_task_that_failed_like_the_one_it_replaced_ends_the_wait(kit: t.Any) -> None:
    """Nothing proves the cause, but a third task would only fail for it too."""
    error = World((0, kit.make({**REFUSED, "services/0/stopped": [FIRST, SECOND]}))).fail()
    assert (error.details["causes"][0]["id"], error.details["causes"][0]["confidence"], error.details["seconds"]) == ("HC_REFUSED", "likely", 20.0)


CAPACITY = {"stopCode": "TaskFailedToStart", "startedAt": None, "stoppedReason": "Capacity is unavailable at this time. Please try again later"}


@pytest.mark.parametrize(
    "stopped",
    [
        [FIRST],
        [FIRST, failed_checks("s2", 1000001.0, 1000021.0)],
        [failed_checks("s1", 999960.0, 999980.0), failed_checks("s2", 999980.0, 1000001.0)],
        [FIRST, failed_checks("s2", 1000020.0, 1000055.0)],
        [failed_checks(task, created, created + 10, **CAPACITY) for task, created in (("s1", 1000000.0), ("s2", 1000020.0))],
    ],
    ids=["once", "two at a time", "before this run", "the second one lived longer", "what passes by itself"],
)
def test_other_failures_are_waited_for(kit: t.Any, stopped: list[dict[str, t.Any]]) -> None:
    changes = dict(REFUSED) if stopped[0]["startedAt"] else {"services/0/service/runningCount": 1}
    assert World((0, kit.make({**changes, "services/0/stopped": stopped}))).fail().details["seconds"] == 100.0


def test_probes_wait_for_healthy_targets(kit: t.Any) -> None:
    world = World((0, kit.make({"target_groups/tg-web/TargetHealth": []})), (10, kit.make()), probes=lambda _snapshot: [step()])
    world.run()
    assert world.probed == 1


def test_a_probe_that_fails_is_unhealthy(kit: t.Any) -> None:
    error = World((0, kit.make()), probes=lambda _snapshot: [step("status", 500)]).fail()
    assert (error.details["verdict"], error.details["causes"][0]["id"]) == ("unhealthy", "PROBE_FAILED")
    assert error.details["verified"] == {}


def test_a_probe_that_fails_alike_is_not_waited_for_for_ever(kit: t.Any) -> None:
    """All else is well, so no start is awaited: three settling windows are enough."""
    error = World((0, kit.make(STARTING)), (10, kit.make()), probes=lambda _snapshot: [step("status", 500)]).fail()
    assert (error.details["causes"][0]["confidence"], error.details["seconds"]) == ("likely", 70.0)


def test_a_probe_that_fails_in_turns_is_waited_for(kit: t.Any) -> None:
    world = World((0, kit.make()))
    world.probes = lambda _snapshot: [step("status", 500) if world.probed % 8 else step("status", 403)]
    assert world.fail().details["seconds"] == 100.0


def test_not_reaching_the_load_balancer_says_nothing_about_the_system(kit: t.Any) -> None:
    error = World((0, kit.make()), probes=lambda _snapshot: [step("connect", 0)]).fail()
    assert (error.details["verdict"], error.details["causes"][0]["id"]) == ("undetermined", "PROBE_UNREACHABLE")
    assert "fargate_probe_proxy" in error.message


def unread(snapshot: Snapshot, section: str, permanent: bool = False) -> Snapshot:
    snapshot.failures = [Failure(section, "AWS refused DescribeServices after 9 retries: ThrottlingException: Rate exceeded", permanent)]
    snapshot.services[0].service = None
    return snapshot


def test_a_refused_call_never_becomes_a_verdict(kit: t.Any) -> None:
    error = World((0, unread(kit.make(), "services"))).fail()
    assert error.details["verdict"] == "undetermined"
    assert error.details["causes"] == []
    assert error.details["verified"] == {}
    assert "ThrottlingException" in error.message
    assert "could not be determined" in error.message
    assert error.details["seconds"] == 100.0


def test_a_refused_call_is_tried_again(kit: t.Any) -> None:
    world = World((0, unread(kit.make(), "services")), (10, kit.make()), probes=lambda _snapshot: [step()])
    assert world.run()["verdict"] == "healthy"


def test_a_denied_call_is_not_waited_for(kit: t.Any) -> None:
    error = World((0, unread(kit.make(), "services", permanent=True))).fail()
    assert (error.details["verdict"], error.details["seconds"]) == ("undetermined", 5.0)


def test_a_refused_call_that_only_helps_to_explain_is_a_note(kit: t.Any) -> None:
    snapshot = kit.make()
    snapshot.failures = [Failure("logs", "AWS refused FilterLogEvents: AccessDeniedException: no", True)]
    result = World((0, snapshot), probes=lambda _snapshot: [step()]).run()
    assert result["verdict"] == "healthy"
    assert any("note: AWS refused FilterLogEvents" in line for line in result["lines"])


def test_a_workers_log_that_is_refused_for_now_is_waited_for(kit: t.Any) -> None:
    """Nothing else tells whether a worker reaches its queue."""
    snapshot = kit.make()
    snapshot.failures = [Failure("logs", "AWS refused FilterLogEvents after 9 retries: ThrottlingException: Rate exceeded")]
    world = World((0, snapshot), (10, kit.make()), probes=lambda _snapshot: [step()])
    assert (world.run()["verdict"], world.now >= 10) == ("healthy", True)


@pytest.mark.parametrize("changes", [{"load_balancer": None}, {"cluster_missing": True}, {"services/1/service": None}])
def test_check_mode_before_anything_exists(kit: t.Any, changes: dict[str, t.Any]) -> None:
    result = World((0, kit.make(changes))).run(check_mode=True)
    assert set(result) == KEYS
    assert (result["verdict"], result["changed"], result["verified"]) == ("not there yet", False, {})


def test_check_mode_verifies_what_exists(kit: t.Any) -> None:
    assert World((0, kit.make()), probes=lambda _snapshot: [step()]).run(check_mode=True)["verdict"] == "healthy"
    with pytest.raises(CutoverError):
        World((0, kit.make(CLOSED_RDS))).run(check_mode=True)


def test_check_mode_does_not_mistake_a_refused_call_for_absence(kit: t.Any) -> None:
    with pytest.raises(CutoverError) as caught:
        World((0, unread(kit.make(), "services", permanent=True))).run(check_mode=True)
    assert caught.value.details["verdict"] == "undetermined"


def test_no_secret_leaves(kit: t.Any) -> None:
    world = World((0, kit.make(MISMATCH, APP_LINE)))
    error = world.fail()
    everything = repr(error.details) + error.message + "".join(world.said)
    assert "Undefined variable" in everything
    assert "hunter2hunter2" not in everything
    assert "********" in everything


def test_a_secret_that_is_a_common_word_does_not_spoil_the_proof(kit: t.Any) -> None:
    """The switch compares ARNs and targets with what is registered: a masked one would stop a cutover, and a rollback."""
    snapshot = kit.make()
    words = [{"name": "CACHE_KEY_PREFIX", "value": "shop-fargate"}, {"name": "AUTH_HOST", "value": "10.20.1.11"}, {"name": "AUTH_STATE", "value": "healthy"}]
    snapshot.services[0].newest["containerDefinitions"][0]["environment"] = words
    result = World((0, snapshot), probes=lambda _snapshot: [step()]).run()
    assert result["verdict"] == "healthy"
    assert result["verified"]["load_balancer_arn"].endswith("app/shop-fargate/0a")
    assert result["verified"]["target_groups"] == {"tg-web": ["10.20.1.11:80", "10.20.1.12:80"]}
    assert "shop-fargate" not in "".join(result["lines"])


def test_a_system_without_a_load_balancer(kit: t.Any) -> None:
    changes: dict[str, t.Any] = {"load_balancer_name": None, "load_balancer": None, "services/0/service/loadBalancers": []}
    world = World((0, kit.make(changes)))
    assert world.run()["verified"] == {}
    assert world.probed == 0


def test_at_most_three_causes_each_with_fix_and_command(kit: t.Any) -> None:
    """Five things are wrong at once: the certain ones come first."""
    lines = [["shop-web", "t1", "php-fpm", 1000058.0, f"production.ERROR: {text}"] for text in ("NOAUTH Authentication required.", "The MAC is invalid.", "SQLSTATE[HY000] [1040] Too many connections")]
    error = World((0, kit.make({**CLOSED_RDS, **MISMATCH, "network/security_groups/sg-redis/IpPermissions": []}, lines))).fail()
    causes = error.details["causes"]
    assert len(causes) == 3
    assert [cause["confidence"] for cause in causes] == ["certain"] * 3
    for cause in causes:
        assert set(cause) == {"id", "confidence", "summary", "evidence", "fix", "check_by_hand"}
        assert cause["fix"]
        assert cause["check_by_hand"].startswith("aws ")
        assert all(entry["text"] and entry["source"] and entry["time"] for entry in cause["evidence"])


def waits(world: World) -> dict[str, float]:
    return {part: seconds for part, seconds in world.run()["spent"].items() if seconds}


def test_it_is_told_where_the_time_went(kit: t.Any) -> None:
    """First for the rollout, then for the targets; reading and asking take no time by this clock."""
    initial = {"target_groups/tg-web/TargetHealth/0/TargetHealth": {"State": "initial"}}
    world = World((0, kit.make(STARTING)), (10, kit.make(initial)), (25, kit.make()), probes=lambda _snapshot: [step()])
    result = world.run()
    assert {part: seconds for part, seconds in result["spent"].items() if seconds} == {"rollout": 10.0, "targets": 15.0}
    assert result["lines"][0] == "target of shop.example.test: healthy after 25.0 s (waiting for healthy targets 15.0, waiting for the rollout 10.0)"


def test_no_longer_pause_than_the_settling_window_needs(kit: t.Any) -> None:
    """Tasks are 13 s old and must be 20: the next look is after 5 s, the last one after 2 more and not after 5."""

    class Aging(World):
        def look(self, details: bool) -> Snapshot:
            snapshot = super().look(details)
            snapshot.at = 1000060.0 + self.now
            return snapshot

    started = {f"services/{service}/tasks/0/startedAt": 1000047.0 for service in (0, 1)}
    world = Aging((0, kit.make(started)), probes=lambda _snapshot: [step()])
    assert waits(world) == {"settling": 7.0}


def test_slow_reads_make_longer_pauses(kit: t.Any) -> None:
    """Many services, many calls: they must not use up what the account may ask."""

    class Slow(World):
        def look(self, details: bool) -> Snapshot:
            snapshot = super().look(details)
            self.now += 8.0
            return snapshot

    world = Slow((0, kit.make(STARTING)), (20, kit.make()), probes=lambda _snapshot: [step()])
    assert waits(world) == {"reading": 24.0, "rollout": 16.0}


def test_what_was_left_out_is_a_note_of_the_verdict(kit: t.Any) -> None:
    def left_out(snapshot: Snapshot) -> list[StepResult]:
        snapshot.left_out = ["session: not asked, since the source has no targets"]
        return [step()]

    lines = World((0, kit.make()), probes=left_out).run()["lines"]
    assert lines[-1] == "  note: session: not asked, since the source has no targets."


def test_probes_learn_whether_everything_else_is_in_order(kit: t.Any) -> None:
    """Young tasks are in order; a worker that is not rolled out is not."""
    seen: list[bool] = []

    def note(snapshot: Snapshot) -> list[StepResult]:
        seen.append(snapshot.steady)
        return [step()]

    young, worker = {"services/0/tasks/0/startedAt": 1000059.0}, {"services/1/service/runningCount": 0}
    World((0, kit.make(worker)), (5, kit.make(young)), (10, kit.make()), probes=note).run()
    assert seen == [False, True, True]
