# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""One service within one snapshot, with what the branches of the decision tree ask of it."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from . import predicates, reach, reach_acl, reach_out
from .causes import render
from .model import CERTAIN, LIKELY, Cause, Evidence, Json, LogLine, Service, Snapshot
from .patterns import LOG_ROWS, LogRow, log_match, start_failure

ORDER = {row.id: number for number, row in enumerate(LOG_ROWS)}

# Log lines reach CloudWatch some seconds after they were written, and clocks differ a little: a line this much older
# than the first poll still counts as seen by it.
LOG_LAG = 10.0


class Hit(t.NamedTuple):
    """A log line and the row that explains it."""

    row: LogRow
    match: t.Match[str]
    line: LogLine


@dataclass(frozen=True)
class Case:
    snapshot: Snapshot
    signal: Service

    # --- names

    @property
    def definition(self) -> Json:
        return self.signal.newest or self.signal.definition or {}

    @property
    def role(self) -> str:
        return str(self.definition.get("executionRoleArn", "")).rsplit("/", 1)[-1]

    def context(self, **more: t.Any) -> Json:
        """What the texts of every cause may name."""
        snapshot, signal = self.snapshot, self.signal
        arn = next(iter(signal.target_group_arns), None)
        tasks = [*signal.tasks, *sorted(signal.stopped, key=predicates.stopped_at, reverse=True)]
        known = {
            "region": snapshot.region,
            "cluster": snapshot.cluster,
            "service": signal.name,
            "fqdn": snapshot.fqdn,
            "load_balancer": snapshot.load_balancer_name,
            "load_balancer_arn": (snapshot.load_balancer or {}).get("LoadBalancerArn"),
            "definition": str(self.definition.get("taskDefinitionArn", signal.family)).rsplit("/", 1)[-1],
            "execution_role": self.role,
            "task_groups": ", ".join(signal.groups),
            "target_group": arn,
            "target_group_name": snapshot.target_groups.get(str(arn), {}).get("TargetGroupName"),
            "task": task_id(tasks[0]) if tasks else None,
            "image": next((container.get("image") for container in self.containers()), None),
            "log_group": next((group for group, _prefix in map(log_options, self.containers()) if group), None),
        }
        return {**known, **{key: value for key, value in more.items() if value not in (None, "")}}

    def cause(self, identifier: str, confidence: str, evidence: t.Sequence[Evidence], settled: bool = False, **more: t.Any) -> Cause:
        text = render(identifier, self.context(**more))
        return Cause(identifier, confidence, text.summary, tuple(evidence), text.fix, text.check, settled)

    def containers(self) -> list[Json]:
        return list(self.definition.get("containerDefinitions", []))

    def describe(self, task: Json) -> Evidence:
        return Evidence(f"task {task_id(task)}", predicates.describe_stop(task), predicates.stopped_at(task))

    # --- network

    @property
    def network_configuration(self) -> Json:
        configuration: Json = ((self.signal.service or {}).get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
        return configuration

    def addresses(self) -> list[str]:
        """Addresses of the tasks; while none runs, the subnets they will be in."""
        found = [address for task in self.signal.tasks for address in predicates.addresses_of(task)]
        subnets = (self.snapshot.network.subnets.get(subnet, {}).get("CidrBlock") for subnet in self.network_configuration.get("subnets", []))
        return found or [str(block) for block in subnets if block]

    def way_out(self, needs: t.Iterable[str]) -> tuple[bool | None, str]:
        """The first subnet without a way out to what it needs, if any: tasks land in all of them."""
        public, groups = self.network_configuration.get("assignPublicIp") == "ENABLED", self.signal.groups
        answers = [
            reach_out.way_out(self.snapshot.network, reach_out.Task(end.subnet, groups, [end.address], public), needs)
            for end in (self.block(subnet) for subnet in self.network_configuration.get("subnets", []))
        ]
        blocked = [answer for answer in answers if answer[0] is False]
        return next(iter(blocked or answers), (None, "the service's subnets are not known"))

    def block(self, subnet: str) -> reach_acl.End:
        return reach_acl.End(subnet, str(self.snapshot.network.subnets.get(subnet, {}).get("CidrBlock") or reach_out.ANYWHERE))

    def ends(self) -> list[reach_acl.End]:
        """Where the running tasks are; while none runs, the subnets they will be in."""
        found = []
        for task in predicates.running_tasks(self.signal):
            details = [detail for attachment in task.get("attachments", []) for detail in attachment.get("details", [])]
            subnet = next((str(detail["value"]) for detail in details if detail.get("name") == "subnetId"), "")
            found += [reach_acl.End(subnet, address) for address in predicates.addresses_of(task) if subnet]
        return found or [self.block(subnet) for subnet in self.network_configuration.get("subnets", [])]

    def needs(self) -> set[str]:
        """Services that a task talks to before its containers run, by the names of their VPC endpoints; a registry other than ECR has no endpoint."""
        needs: set[str] = set()
        for image in [str(container.get("image", "")) for container in self.containers()]:
            needs |= {"ecr.api", "ecr.dkr", "s3"} if ".dkr.ecr." in image else {f"the registry of {image}"}
        for secret in [entry.get("valueFrom", "") for container in self.containers() for entry in container.get("secrets", [])]:
            needs.add("secretsmanager" if ":secretsmanager:" in secret else "ssm")
        return needs

    def stores(self, kind: str) -> list[Json]:
        """Databases (or caches) the containers name in their environment; else all of the kind in the tasks' VPC."""
        stores = [store for store in self.snapshot.network.data_stores if store["kind"] == kind]
        named = [store for store in stores if self.names(str(store.get("address") or ""))]
        vpcs = {self.snapshot.network.security_groups.get(group, {}).get("VpcId") for group in self.signal.groups}
        return named or [store for store in stores if store.get("vpc_id") in vpcs]

    def names(self, address: str) -> bool:
        values = [str(entry.get("value", "")) for container in self.containers() for entry in container.get("environment", [])]
        return bool(address) and any(address.lower() in value.lower() for value in values)

    def refused_by(self, store: Json) -> bool:
        return self.admitted_by(store) is False

    def admitted_by(self, store: Json) -> bool | None:
        return reach.store_admits(self.snapshot.network, store, self.signal.groups, self.addresses())

    def cut_off_from(self, store: Json) -> str | None:
        """The network ACL between the tasks and a database or cache, in words. A store may be in any of its subnets: all of them must be cut off."""
        network, port, ends = self.snapshot.network, int(store["port"]), [self.block(subnet) for subnet in store.get("subnets", [])]
        for task in self.ends():
            stopped = [reach_acl.blocks(network, task, end, port) for end in ends]
            if stopped and all(stopped):
                return stopped[0]
        return None

    # --- logs

    def fresh(self, at: float) -> bool:
        """Is it about what happens now, and not about something that was repaired before this run?"""
        return at >= self.snapshot.started - LOG_LAG

    def hits(self, lines: t.Iterable[LogLine]) -> list[Hit]:
        """The newest line of each row that matches, in the order of the table; symptoms only when nothing says why."""
        newest: dict[str, Hit] = {}
        for line in lines:
            found = log_match(line.text)
            if found and (found[0].id not in newest or line.at >= newest[found[0].id].line.at):
                newest[found[0].id] = Hit(found[0], found[1], line)
        hits = sorted(newest.values(), key=lambda hit: ORDER[hit.row.id])
        return [hit for hit in hits if not hit.row.symptom] or hits

    def unread_log(self) -> list[Evidence]:
        """When the log could not be read, its silence means nothing."""
        refused = [failure for failure in self.snapshot.failures if failure.section == "logs"]
        return [Evidence("log", f"could not be read, so it may say more: {failure.text}", self.snapshot.at) for failure in refused[:1]]

    def lines_of(self, task: Json, container: str | None = None) -> list[LogLine]:
        return [line for line in self.signal.logs if line.task == task_id(task) and container in (None, line.container)]

    def running_lines(self) -> list[LogLine]:
        """Of tasks of the deployment that is judged: while those of an older one are being replaced, their log tells of what was."""
        alive = {task_id(task) for task in self.signal.tasks if predicates.is_current(self.snapshot, self.signal, task)}
        return [line for line in self.signal.logs if line.task in alive]

    def told_now(self) -> list[LogLine]:
        """In this run, by tasks of the deployment that is judged, running or not."""
        mine = {task_id(task) for task in [*self.signal.tasks, *self.signal.stopped] if predicates.is_current(self.snapshot, self.signal, task)}
        return [line for line in self.signal.logs if line.task in mine and self.fresh(line.at)]

    def checked_lines(self) -> list[LogLine]:
        """Lines of tasks that health checks were sent to: those that run, and those that were stopped because of them.

        While a task ends, PHP-FPM may be gone before Nginx: symptoms of then are about the end. What waited for a database tells of it only then.
        """
        ended = {task_id(task): predicates.ended_at(task) for task in self.failed_checks()}
        return [*self.running_lines(), *(line for line in self.signal.logs if line.task in ended and (line.at <= ended[line.task] or not _symptom(line)))]

    def failed_checks(self) -> list[Json]:
        """Tasks that ECS stopped because the load balancer found them unhealthy, newest first; not those that a later task disproves."""
        stopped = [task for task in predicates.crashes(self.snapshot, self.signal) if start_failure(str(task.get("stoppedReason", ""))) == "HC_ELB"]
        return [task for task in stopped if not predicates.disproved(self.snapshot, self.signal, task)]

    def task_at(self, address: str) -> Json | None:
        """The task behind an address; events name the task itself."""
        known = [*self.signal.tasks, *self.signal.stopped]
        if address.startswith("task "):
            return next((task for task in known if task_id(task) == address.removeprefix("task ")), None)
        return next((task for task in known if address in predicates.addresses_of(task)), None)


def _symptom(line: LogLine) -> bool:
    found = log_match(line.text)
    return found is not None and found[0].symptom


def task_id(task: Json) -> str:
    return str(task.get("taskArn", "")).rsplit("/", 1)[-1]


def log_options(container: Json) -> tuple[str, str]:
    """(group, stream prefix) of a container that logs to CloudWatch; ('', '') for another driver."""
    configuration = container.get("logConfiguration") or {}
    options = configuration.get("options") or {}
    if configuration.get("logDriver") != "awslogs":
        return "", ""
    return str(options.get("awslogs-group", "")), str(options.get("awslogs-stream-prefix", ""))


def from_log(line: LogLine) -> Evidence:
    return Evidence(f"log {line.group} {line.stream}", line.text, line.at)


def named_in(text: str, case: Case) -> str | None:
    """The piece of our configuration that AWS's text names: this makes a matched text certain."""
    candidates = [str(container.get("image", "")) for container in case.containers()]
    candidates += [str(entry.get("valueFrom", "")) for container in case.containers() for entry in container.get("secrets", [])]
    candidates += [log_options(container)[0] for container in case.containers()]
    candidates.append(case.role)
    whole = (candidate for candidate in candidates if len(candidate) > 3)
    return next((candidate for candidate in whole if re.search(rf"(?<![\w.-]){re.escape(candidate)}(?![\w-])", text)), None)


def cap(confidence: str, fresh: bool) -> str:
    """What was seen before this run may be repaired: it is never certain."""
    return LIKELY if confidence == CERTAIN and not fresh else confidence
