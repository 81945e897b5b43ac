# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Branch 3 of the decision tree: tasks run, but the load balancer does not find them healthy. diagnosis-rules.md 5, 7 3"""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

from . import predicates, reach, reach_acl
from .facts import Case, cap, from_log, task_id
from .log_causes import STORE_CAUSE, Readiness, log_cause, slow_start, store_fact, store_words, up_before_checks
from .model import CERTAIN, LIKELY, POSSIBLE, WEB, Cause, Evidence, Json, LogLine
from .patterns import CHECK_STATUS, GAVE_UP, HEALTH_CHECK_LINE, LOG_FILES, READY, TARGET_CODES
from .sick_targets import MISMATCH, REFUSED, TIMEOUT, Sick, sick_targets


def target_causes(case: Case) -> list[Cause]:
    if case.snapshot.failed("targets", "load_balancer", "services"):
        return []
    if case.signal.kind == WEB and case.snapshot.load_balancer is not None and not case.signal.target_group_arns:
        fact = Evidence(f"service {case.signal.name}", "loadBalancers is empty", case.snapshot.at)
        return [case.cause("SERVICE_NO_LB", CERTAIN, [fact], settled=True)]
    known = [case.snapshot.target_groups[arn] for arn in case.signal.target_group_arns if arn in case.snapshot.target_groups]
    return [cause for group in known for cause in _group_causes(case, group)]


def _group_causes(case: Case, group: Json) -> list[Cause]:
    arn, name = str(group["TargetGroupArn"]), group.get("TargetGroupName")
    if arn not in predicates.reachable_groups(case.snapshot.listeners):
        fact = Evidence("listeners", f"no rule or default action forwards to {name} with a weight above 0", case.snapshot.at)
        return [case.cause("NO_RULE", CERTAIN, [fact], settled=True, target_group=arn, target_group_name=name)]
    unused = [entry for entry in group.get("TargetHealth", []) if entry["TargetHealth"]["State"] == "unused"]
    zone = [entry for entry in unused if "Availability Zone" in str(entry["TargetHealth"].get("Description"))]
    if zone:
        return [case.cause("AZ_DISABLED", CERTAIN, [_seen(case, group, zone[0])], settled=True, target_group=arn, target_group_name=name)]
    sick = sick_targets(case, group)
    return _sick_causes(case, group, sick) if sick else _membership(case, group)


def _seen(case: Case, group: Json, entry: Json) -> Evidence:
    identifier, port = predicates.target_key(entry)
    health = entry["TargetHealth"]
    return Evidence(
        f"target {identifier}:{port} in {group.get('TargetGroupName')}",
        f"{health['State']} {health.get('Reason', '')} {health.get('Description', '')}".strip(),
        case.snapshot.at,
    )


def _sick_causes(case: Case, group: Json, sick: list[Sick]) -> list[Cause]:
    """Events and records of before this run may be about something repaired: they are never certain."""
    worst = sick[0]
    branch: t.Callable[[Case, Json, Sick], list[Cause]] = {TIMEOUT: _timed_out, REFUSED: _refused, MISMATCH: _mismatch}.get(worst.reason, _other)
    causes = branch(case, group, worst)
    if case.fresh(worst.at) and not _recovers(case, group, worst):
        return causes
    return [replace(cause, confidence=cap(cause.confidence, False), settled=False) for cause in causes]


def _recovers(case: Case, group: Json, sick: Sick) -> bool:
    """The newest health check that the task logged was answered well: the load balancer wants several of those before it calls the target healthy again.

    Only where checks are answered at all: those that do not arrive any more leave the good ones of before as the newest.
    """
    if sick.reason != MISMATCH:
        return False
    checks = [line for line in case.checked_lines() if line.task == _task_of(case, sick) and re.search(HEALTH_CHECK_LINE, line.text)]
    status = re.search(CHECK_STATUS, max(checks, key=lambda line: line.at).text) if checks else None
    return status is not None and predicates.accepts(str((group.get("Matcher") or {}).get("HttpCode", "200")), int(status[1]))


def _words(group: Json, sick: Sick) -> Json:
    return {
        "target_group": group["TargetGroupArn"],
        "target_group_name": group.get("TargetGroupName"),
        "port": sick.port,
        "code": sick.code or None,
        "matcher": (group.get("Matcher") or {}).get("HttpCode", "200"),
    }


def _other(case: Case, group: Json, sick: Sick) -> list[Cause]:
    return [case.cause("ELB_INTERNAL" if sick.reason == "Elb.InternalError" else "HC_ELB", POSSIBLE, [sick.evidence(group)], **_words(group, sick))]


# --- 3.4 the packet was dropped, or the application hangs


def _timed_out(case: Case, group: Json, sick: Sick) -> list[Cause]:
    blocked = _blocked(case, group, sick)
    if blocked:
        return [blocked]
    seen, words = sick.evidence(group), _words(group, sick)
    # A refusal is answered at once, with 502: such a line is from before PHP-FPM listened.
    from_logs = [log_cause(case, hit, (504,), seen) for hit in case.hits(case.checked_lines()) if hit.row.id != "NGX_REFUSED"]
    if from_logs:
        return from_logs
    mine, lines = _task_of(case, sick), case.checked_lines()
    checks = [line for line in lines if re.search(HEALTH_CHECK_LINE, line.text)]
    reached = [line for line in checks if mine in (None, line.task)]
    if reached:
        return _slow(case, seen, reached, words)
    logged = checks[-1] if checks else case.signal.logged_check
    if logged and any(line.task == mine and line.container == logged.container for line in lines) and not case.unread_log():
        return [case.cause("HC_LOST", LIKELY, [seen, from_log(logged)], **words)]
    return [case.cause("HC_TIMEOUT", POSSIBLE, [seen, *case.unread_log()], **words, unknown=_unknown(case))]


def _slow(case: Case, seen: Evidence, reached: list[LogLine], words: Json) -> list[Cause]:
    """Reached for sure. That it hangs is certain when the load balancer went away unanswered twice in a row, and no database or cache is closed to the tasks:
    the line that names such a one comes only when its connection has timed out, long after the health check.
    """
    closed = [(kind, store) for kind in STORE_CAUSE for store in case.stores(kind) if case.refused_by(store)]
    waits = [case.cause(STORE_CAUSE[kind], LIKELY, [seen, from_log(reached[-1]), store_fact(case, store)], **store_words(store)) for kind, store in closed]
    gone = [line for line in reached[-2:] if (found := re.search(CHECK_STATUS, line.text)) and found[1] == GAVE_UP]
    confidence = CERTAIN if len(gone) == 2 and not closed else LIKELY
    place: Json = {"log_group": reached[-1].group, "stream": reached[-1].stream}
    return [*waits, case.cause("HC_SLOW", confidence, [seen, from_log(reached[-1])], **words, **place)]


def _task_of(case: Case, sick: Sick) -> str | None:
    """The id of the task behind a target; an event names a task that may not be known any more."""
    task = case.task_at(sick.id)
    return task_id(task) if task else sick.id.removeprefix("task ") if sick.id.startswith("task ") else None


def _unknown(case: Case) -> str:
    """What a missing log line is worth: nothing, unless the same configuration is seen to log health checks (access_log off and if= are common there)."""
    balancer, network = case.snapshot.load_balancer or {}, case.snapshot.network
    read = all(group in network.security_groups for group in [*balancer.get("SecurityGroups", []), *case.signal.groups])
    groups = "The groups admit them." if read else "Whether the groups admit them could not be determined."
    silence = "" if case.unread_log() else " That no log shows a health check is no evidence: it is not known whether the configuration logs them."
    return groups + silence


def _blocked(case: Case, group: Json, sick: Sick) -> Cause | None:
    """Load balancer -> its egress -> network ACLs -> the tasks' ingress, on the port that is checked."""
    balancer = case.snapshot.load_balancer or {}
    edge, network = list(balancer.get("SecurityGroups", [])), case.snapshot.network
    port = health_port(group, sick.port)
    subnets = [zone["SubnetId"] for zone in balancer.get("AvailabilityZones", []) if zone.get("SubnetId")]
    nodes = [str(network.subnets[subnet]["CidrBlock"]) for subnet in subnets if network.subnets.get(subnet, {}).get("CidrBlock")]
    address, words, seen = ([sick.id] if "." in sick.id or ":" in sick.id else case.addresses()), {**_words(group, sick), "port": port}, sick.evidence(group)
    if reach.admitted(network, case.signal.groups, port, edge, nodes) is False:
        fact = f"{', '.join(case.signal.groups)} of {case.signal.name} does not admit {', '.join(edge)} of the load balancer on TCP {port}"
        return case.cause(
            "ALB_SG", CERTAIN, [seen, Evidence("security groups", fact, case.snapshot.at)], settled=True, **words, group=", ".join(case.signal.groups)
        )
    if reach.let_out(network, edge, port, case.signal.groups, address) is False:
        fact = f"{', '.join(edge)} of the load balancer lets nothing out to {', '.join(case.signal.groups)} on TCP {port}"
        return case.cause("ALB_EGRESS", CERTAIN, [seen, Evidence("security groups", fact, case.snapshot.at)], settled=True, **words, group=", ".join(edge))
    return _acl(case, subnets, words, seen)


def health_port(group: Json, traffic: int) -> int:
    port = str(group.get("HealthCheckPort", "traffic-port"))
    return int(port) if port.isdigit() else traffic


def _acl(case: Case, subnets: list[str], words: Json, seen: Evidence) -> Cause | None:
    for task in case.ends():
        for node in map(case.block, subnets):
            fact = reach_acl.blocks(case.snapshot.network, node, task, int(words["port"]))
            if fact:
                return case.cause("NACL", CERTAIN, [seen, Evidence("network ACLs", fact, case.snapshot.at)], settled=True, **words, subnet=task.subnet)
    return None


# --- 3.5 nothing listens


def _refused(case: Case, group: Json, sick: Sick) -> list[Cause]:
    seen, words = sick.evidence(group), _words(group, sick)
    port = health_port(group, sick.port)
    mapped = sorted(
        {int(entry["containerPort"]) for container in case.containers() for entry in container.get("portMappings", []) if entry.get("containerPort")}
    )
    if group.get("TargetType") == "ip" and mapped and port not in mapped:
        fact = Evidence(f"task definition {case.context()['definition']}", f"maps {', '.join(map(str, mapped))}", case.snapshot.at)
        return [case.cause("HC_PORT", CERTAIN, [seen, fact], settled=True, **{**words, "port": port}, ports=", ".join(map(str, mapped)))]
    for task in predicates.running_tasks(case.signal):
        down = [entry for entry in task.get("containers", []) if entry.get("name") == case.signal.container_name and entry.get("lastStatus") == "STOPPED"]
        if down:
            fact = Evidence(f"task {task_id(task)}", f"container {down[0]['name']} is STOPPED (exit {down[0].get('exitCode')})", case.snapshot.at)
            return [case.cause("HC_DOWN", CERTAIN, [seen, fact], **words, container=down[0]["name"], task=task_id(task))]
    # A line about a request that was answered badly is from a server that answers: it is about something else.
    found = [log_cause(case, hit, (), seen) for hit in case.hits(case.checked_lines()) if hit.row.fatal]
    server = Readiness(READY, case.signal.container_name)
    late = slow_start(case, [seen], server, words)
    if found or late:
        return [*found, *([late] if late else [])]
    sick_task = case.task_at(sick.id)
    up = up_before_checks(case, sick_task, server) if sick_task else None
    return [case.cause("HC_REFUSED", CERTAIN if up else LIKELY, [seen, *([from_log(up)] if up else [])], **{**words, "port": port})]


# --- 3.6 it was reached and answered with a code


def _mismatch(case: Case, group: Json, sick: Sick) -> list[Cause]:
    seen, words, code = sick.evidence(group), _words(group, sick), sick.code
    from_logs = [log_cause(case, hit, (code,), seen) for hit in case.hits(case.checked_lines())]
    # A line that explains another code is about something else.
    explained = [cause for cause in from_logs if cause.confidence == CERTAIN] or (from_logs if code >= 500 else [])
    if explained:
        return explained
    if code == 500 and not case.unread_log():
        return [_silent(case, seen, words)]
    identifier = TARGET_CODES.get(code) if code != 500 else "HC_STATUS"
    if identifier in ("HC_REDIRECT",) or 200 <= code < 400:
        fact = Evidence(f"target group {group.get('TargetGroupName')}", f"matcher {words['matcher']}, path {group.get('HealthCheckPath')}", case.snapshot.at)
        return [case.cause(identifier or "HC_MATCHER", CERTAIN, [seen, fact], **words)]
    return [case.cause(identifier or "HC_STATUS", LIKELY, [seen, *case.unread_log()], **words)]


def _silent(case: Case, seen: Evidence, words: Json) -> Cause:
    """A 500 without a line in any log that could be read. Certain when the environment sends Laravel's log into a file."""
    for container in case.containers():
        channel = next((str(entry.get("value")) for entry in container.get("environment", []) if entry.get("name") == "LOG_CHANNEL"), None)
        if channel in LOG_FILES:
            fact = Evidence(f"task definition {case.context()['definition']}", f"{container.get('name')}: LOG_CHANNEL={channel}", case.snapshot.at)
            told = f" LOG_CHANNEL={channel} does not lead to the container's log."
            return case.cause("HC_500", CERTAIN, [seen, fact], **words, container=container.get("name"), unlogged=told)
    return case.cause("HC_500", LIKELY, [seen], **words)


# --- 3.1 membership


def _membership(case: Case, group: Json) -> list[Cause]:
    """Nobody is unhealthy. Registration follows a task's start within seconds, so only what lasts counts."""
    present = {predicates.target_key(entry) for entry in predicates.registered(group)}
    wanted = predicates.expected_targets(case.signal, group)
    words: Json = {"target_group": group["TargetGroupArn"], "target_group_name": group.get("TargetGroupName")}
    if wanted - present:
        fact = Evidence(f"target group {group.get('TargetGroupName')}", f"does not hold {predicates.spell(sorted(wanted - present))}", case.snapshot.at)
        return [case.cause("NOT_REGISTERED", POSSIBLE, [fact], **words)]
    if present - wanted:
        extra = predicates.spell(sorted(present - wanted))
        return [
            case.cause("FOREIGN_TARGETS", POSSIBLE, [Evidence(f"target group {group.get('TargetGroupName')}", extra, case.snapshot.at)], **words, targets=extra)
        ]
    return []
