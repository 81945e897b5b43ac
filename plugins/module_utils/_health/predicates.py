# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Readiness as pure predicates over one snapshot. Each answers True, False or None (could not be determined), and says what it saw."""

from __future__ import annotations

import typing as t

from .model import SOURCE, WORKER, Json, Outcome, Service, Snapshot

# Reasons of a stop that is part of normal life: a deployment or scaling replaced the task, or a person stopped it.
NORMAL_STOPS = ("Scaling activity initiated", "Task stopped by user")


def rollout(snapshot: Snapshot, signal: Service) -> Outcome:
    """The PRIMARY deployment runs the newest ACTIVE revision, is COMPLETED and complete. fargate-rules.md 12

    The source side is judged by what runs, not by its newest revision: a revision that was registered and never deployed must not block a rollback.
    ``rolloutState`` is absent or IN_PROGRESS for ever on services that predate it: there, one deployment with everything running is done.
    """
    name = "rollout"
    if snapshot.failed("services"):
        return Outcome(name, None, "could not be determined", signal.name)
    if signal.service is None or signal.service.get("status") == "INACTIVE":
        return Outcome(name, False, "the service does not exist", signal.name)
    desired, running = int(signal.service.get("desiredCount", 0)), int(signal.service.get("runningCount", 0))
    if desired == 0:
        idle = signal.kind == WORKER and signal.desired_count == 0
        return Outcome(name, idle, "nothing runs, as planned" if idle else "the desired count is 0", signal.name)
    return _deployment(snapshot, signal, desired, running)


def _deployment(snapshot: Snapshot, signal: Service, desired: int, running: int) -> Outcome:
    name, primary = "rollout", signal.primary
    deployments: list[Json] = (signal.service or {}).get("deployments", [])
    revision = _revision(str(primary.get("taskDefinition", "")))
    state = primary.get("rolloutState")
    if state == "FAILED":
        return Outcome(name, False, f"the deployment of {revision} failed: {primary.get('rolloutStateReason', 'no reason given')}", signal.name)
    if snapshot.side != SOURCE and signal.newest is not None and primary.get("taskDefinition") != signal.newest.get("taskDefinitionArn"):
        return Outcome(name, False, f"{revision} runs, the newest revision is {_revision(str(signal.newest.get('taskDefinitionArn')))}", signal.name)
    if running != desired:
        failed = int(primary.get("failedTasks") or 0)  # one after the other; ECS starts again with 0 when one runs. [B Deployment.failedTasks]
        return Outcome(name, False, f"{running} of {desired} tasks of {revision} run{f', the last {failed} failed' if failed else ''}", signal.name)
    if len(deployments) > 1:
        return Outcome(name, False, f"tasks of {len(deployments) - 1} older deployment(s) are still being replaced by {revision}", signal.name)
    if state == "COMPLETED" or snapshot.side == SOURCE:
        return Outcome(name, True, f"{running} of {desired} tasks run {revision}", signal.name)
    return Outcome(name, False, f"{running} of {desired} tasks run {revision}, the deployment is not completed yet", signal.name)


def _revision(arn: str) -> str:
    return arn.rsplit("/", 1)[-1] or "no task definition"


def running_tasks(signal: Service) -> list[Json]:
    return [task for task in signal.tasks if task.get("lastStatus") == "RUNNING"]


def is_normal_stop(task: Json) -> bool:
    return task.get("stopCode") == "UserInitiated" or str(task.get("stoppedReason", "")).startswith(NORMAL_STOPS)


def is_current(snapshot: Snapshot, signal: Service, task: Json) -> bool:
    """Does the task belong to what is judged: that revision and, while the PRIMARY deployment runs it, no earlier deployment of the same revision?"""
    arn = (signal.newest or {}).get("taskDefinitionArn") if snapshot.side != SOURCE else signal.primary.get("taskDefinition")
    if arn and task.get("taskDefinitionArn", arn) != arn:
        return False
    deployment, owner = str(signal.primary.get("id", "")), str(task.get("startedBy", ""))
    return not (owner.startswith("ecs-svc/") and deployment and signal.primary.get("taskDefinition") == arn and owner != deployment)


def crashes(snapshot: Snapshot, signal: Service) -> list[Json]:
    """Tasks of what is judged that did not stop on purpose, newest first."""
    mine = [task for task in signal.stopped if not is_normal_stop(task) and is_current(snapshot, signal, task)]
    return sorted(mine, key=stopped_at, reverse=True)


# In a loop lives differ by chance; a task that lives this many times as long is past what ended the others.
PAST = 1.5


def disproved(snapshot: Snapshot, signal: Service, task: Json) -> bool:
    """A task that was created after this one had failed, and got further or lived clearly longer: what stopped this one is over."""
    end = ended_at(task)
    life = PAST * (end - float(task["startedAt"])) if task.get("startedAt") else 0.0
    arn = task.get("taskDefinitionArn")
    later = [other for other in [*signal.tasks, *signal.stopped] if float(other.get("createdAt") or 0.0) >= end and other.get("taskDefinitionArn") == arn]
    ends = [(float(other["startedAt"]), ended_at(other) if other in signal.stopped else snapshot.at) for other in later if other.get("startedAt")]
    return any(stop - start > life for start, stop in ends)


def goes_round(snapshot: Snapshot, signal: Service) -> bool:
    """In this run a task failed, and the one that ECS started in its place failed as well."""
    failed = [task for task in crashes(snapshot, signal) if ended_at(task) >= snapshot.started and not disproved(snapshot, signal, task)]
    return any(float(later.get("createdAt") or 0.0) >= ended_at(earlier) for earlier in failed for later in failed)


def stopped_at(task: Json) -> float:
    """When a task ended; a task that is still on its way down counts by the newest time it has."""
    times = (task.get(key) for key in ("stoppedAt", "stoppingAt", "executionStoppedAt", "startedAt", "createdAt"))
    return float(next((moment for moment in times if moment), 0.0))


def ended_at(task: Json) -> float:
    """When it was decided that a task ends: from then on it only drains, for minutes where the deregistration delay is long."""
    return float(task.get("stoppingAt") or stopped_at(task))


def needed_age(snapshot: Snapshot, signal: Service, settle: float) -> float:
    """How long a task must be up to count as staying up: the settling window, or twice the life of the longest-lived recent crash when that is longer.

    So a loop that dies every 25 seconds is not taken for healthy in its 21st second. Bounded by six windows: an old crash must not hold up the verdict.
    """
    lives = [
        ended_at(task) - float(task["startedAt"])
        for task in crashes(snapshot, signal)
        if task.get("startedAt") and snapshot.at - stopped_at(task) < 30 * settle
    ]
    return max(settle, min(2 * max(lives, default=0.0), 6 * settle))


def stays_up(snapshot: Snapshot, signal: Service, settle: float) -> Outcome:
    """Every running task is older than the settling window, and none crashed within it."""
    name = "tasks"
    if snapshot.failed("services", "tasks"):
        return Outcome(name, None, "could not be determined", signal.name)
    recent = [task for task in crashes(snapshot, signal) if snapshot.at - stopped_at(task) < settle]
    if recent:
        return Outcome(name, False, f"a task stopped: {describe_stop(recent[0])}", signal.name)
    running = running_tasks(signal)
    if not running:
        idle = int((signal.service or {}).get("desiredCount", 0)) == 0
        return Outcome(name, idle, "no task runs", signal.name)
    age = needed_age(snapshot, signal, settle)
    young = [task for task in running if snapshot.at - float(task.get("startedAt") or snapshot.at) < age]
    if young:
        return Outcome(name, False, f"waiting until every task is up for {age:g} s", signal.name)
    return Outcome(name, True, f"no restart for {age:g} s", signal.name)


def seconds_to_settle(snapshot: Snapshot, settle: float) -> float | None:
    """When ``stays_up`` can pass for all services if nothing else happens; None when that is not a matter of time only."""
    waits = [0.0]
    for signal in snapshot.services:
        age = needed_age(snapshot, signal, settle)
        starts = [task.get("startedAt") for task in running_tasks(signal)]
        ends = [stopped_at(task) for task in crashes(snapshot, signal)[:1]]
        if not all(starts):
            return None
        waits += [age - (snapshot.at - float(start)) for start in starts if start] + [settle - (snapshot.at - end) for end in ends]
    return max(waits)


def describe_stop(task: Json) -> str:
    codes = [f"{container.get('name')} exit {container['exitCode']}" for container in task.get("containers", []) if container.get("exitCode") is not None]
    return ", ".join([str(task.get("stoppedReason") or task.get("stopCode") or "no reason given"), *codes])


# --- targets


def accepts(matcher: str, status: int) -> bool:
    """``200``, ``200,301`` or ``200-299``, as a target group's matcher has it."""
    ranges = [part.strip().partition("-") for part in matcher.split(",")]
    return any(first.isdigit() and int(first) <= status <= int(last or first) for first, _dash, last in ranges)


def forwards_to(action: Json) -> dict[str, int]:
    """Target groups of an action with their weights. Describe answers give both the legacy ARN and ForwardConfig."""
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if groups:
        return {str(group["TargetGroupArn"]): int(group.get("Weight", 1)) for group in groups}
    return {str(action["TargetGroupArn"]): 1} if action.get("TargetGroupArn") else {}


def reachable_groups(listeners: t.Iterable[Json]) -> set[str]:
    """Target groups that some listener rule or default action sends traffic to."""
    found: set[str] = set()
    for listener in listeners:
        rules = [rule.get("Actions", []) for rule in listener.get("Rules", [])]
        for action in [action for actions in [listener.get("DefaultActions", []), *rules] for action in actions]:
            found |= {arn for arn, weight in forwards_to(action).items() if weight > 0}
    return found


def addresses_of(task: Json, version: str = "ipv4") -> list[str]:
    """The private addresses of a task's network interface."""
    key, other = ("privateIPv6Address", "ipv6Address") if version == "ipv6" else ("privateIPv4Address", "privateIpv4Address")
    details = [detail for attachment in task.get("attachments", []) for detail in attachment.get("details", [])]
    found = [str(detail["value"]) for detail in details if detail.get("name") == key]
    cards = [card for container in task.get("containers", []) for card in container.get("networkInterfaces", [])]
    return sorted(set(found or [str(card[other]) for card in cards if card.get(other)]))


def expected_targets(signal: Service, group: Json) -> set[tuple[str, int]]:
    """Where the running tasks listen, in the terms of the target group's type."""
    binding = _binding(signal, str(group.get("TargetGroupArn")))
    container, port = binding.get("containerName") or signal.container_name, int(binding.get("containerPort") or signal.container_port or 0)
    if group.get("TargetType") == "ip":
        return {(address, port) for task in running_tasks(signal) for address in addresses_of(task, group.get("IpAddressType", "ipv4"))}
    found = set()
    for task in running_tasks(signal):
        instance = signal.instances.get(str(task.get("containerInstanceArn")))
        if instance:
            found |= {(instance, host_port) for host_port in _host_ports(task, str(container), port)}
    return found


def _binding(signal: Service, arn: str) -> Json:
    attached: list[Json] = (signal.service or {}).get("loadBalancers", [])
    return next((entry for entry in attached if entry.get("targetGroupArn") == arn), {})


def _host_ports(task: Json, container: str, port: int) -> set[int]:
    """Host ports of a container port; in host mode there is no binding and the port is the same."""
    mine = [entry for entry in task.get("containers", []) if entry.get("name") == container]
    bound = {int(bind["hostPort"]) for entry in mine for bind in entry.get("networkBindings", []) if int(bind.get("containerPort", 0)) == port}
    return bound or {port}


def registered(group: Json) -> list[Json]:
    """Targets that take part: draining ones are on their way out."""
    return [entry for entry in group.get("TargetHealth", []) if entry["TargetHealth"]["State"] not in ("draining", "unhealthy.draining")]


def target_key(entry: Json) -> tuple[str, int]:
    return str(entry["Target"]["Id"]), int(entry["Target"].get("Port", 0))


def targets(snapshot: Snapshot, signal: Service, arn: str) -> Outcome:
    """The registered healthy targets are exactly the running tasks, and a listener rule reaches the group."""
    if snapshot.failed("services", "tasks", "targets", "load_balancer"):
        return Outcome("targets", None, "could not be determined", signal.name)
    group = snapshot.target_groups.get(arn)
    if group is None:
        return Outcome("targets", False, f"target group {arn} is not one of the load balancer's", signal.name)
    name = f"targets of {group.get('TargetGroupName')}"
    if arn not in reachable_groups(snapshot.listeners):
        return Outcome(name, False, "no listener rule forwards to the group", signal.name)
    entries = registered(group)
    bad = [entry for entry in entries if entry["TargetHealth"]["State"] != "healthy"]
    if bad:
        return Outcome(name, False, _bad_targets(bad, len(entries)), signal.name)
    return _compare(name, signal, {target_key(entry) for entry in entries}, expected_targets(signal, group))


def _bad_targets(bad: list[Json], total: int) -> str:
    health = bad[0]["TargetHealth"]
    why = health.get("Description") or health.get("Reason") or ""
    return f"{len(bad)} of {total} targets {health['State']}{': ' + why if why else ''}"


def _compare(name: str, signal: Service, present: set[tuple[str, int]], wanted: set[tuple[str, int]]) -> Outcome:
    missing, foreign = sorted(wanted - present), sorted(present - wanted)
    if missing:
        return Outcome(name, False, f"not registered: {spell(missing)}", signal.name)
    if foreign:
        return Outcome(name, False, f"registered, but no running task of the service: {spell(foreign)}", signal.name)
    if not present:
        return Outcome(name, False, "no target is registered", signal.name)
    return Outcome(name, True, f"{len(present)} healthy: {spell(sorted(present))}", signal.name)


def spell(keys: t.Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{identifier}:{port}" for identifier, port in keys)


def verified(snapshot: Snapshot) -> Json:
    """What passed, in the form that the DNS step compares with the targets at the moment of the switch."""
    if snapshot.load_balancer is None:
        return {}
    arns = sorted({arn for signal in snapshot.services for arn in signal.target_group_arns if arn in snapshot.target_groups})
    return {
        "load_balancer_arn": snapshot.load_balancer["LoadBalancerArn"],
        "target_groups": {arn: sorted(f"{name}:{port}" for name, port in map(target_key, registered(snapshot.target_groups[arn]))) for arn in arns},
    }


def load_balancer(snapshot: Snapshot) -> Outcome:
    """The load balancer exists and is active (``active_impaired`` serves)."""
    name = "load balancer"
    if snapshot.failed("load_balancer"):
        return Outcome(name, None, "could not be determined")
    if snapshot.load_balancer is None:
        return Outcome(name, False, f"{snapshot.load_balancer_name} does not exist")
    state = snapshot.load_balancer.get("State", {}).get("Code", "active")
    where = f" at {', '.join(snapshot.addresses)}" if snapshot.addresses else ""
    return Outcome(name, state in ("active", "active_impaired"), f"{snapshot.load_balancer_name} is {state}{where}")
