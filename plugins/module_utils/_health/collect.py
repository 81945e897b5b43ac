# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Reads one snapshot of all signals. Only describing calls. What expires (stopped tasks, events, bad health) is remembered from poll to poll."""

from __future__ import annotations

import email.utils
import typing as t
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from .._aws.errors import BotoCoreError, ClientError, error_code, explain, is_code
from . import predicates
from .clock import Clock
from .collect_balancers import BalancerReader
from .collect_logs import LogReader
from .collect_network import NetworkReader, pages, plain
from .model import SOURCE, WORKER, Failure, HealthRecord, Json, Service, Snapshot

# Waiting does not help against these.
PERMANENT = (
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
)
AT_A_TIME = 4
SPEC = ("name", "kind", "family", "desired_count", "container_name", "container_port")


class Collector:
    """The senses of the loop. ``look(details)``: with details, everything that the decision tree may ask for is read too."""

    def __init__(self, params: Json, clients: t.Any, clock: Clock) -> None:
        self.params = params
        self.clients = clients
        self.clock = clock
        self._started: float | None = None
        self._ahead: float | None = None
        # By service.
        self._stopped: dict[str, dict[str, Json]] = {}
        self._events: dict[str, dict[str, Json]] = {}
        self._history: dict[tuple[str, str, int], HealthRecord] = {}
        self._definitions: dict[str, Json] = {}
        self._stores: dict[str, list[Json]] = {}
        self._edge = BalancerReader(clients)
        self._reader = NetworkReader(clients)
        self._log = LogReader(clients)

    def look(self, details: bool) -> Snapshot:
        params = self.params
        snapshot = Snapshot(
            side=str(params["side"]),
            fqdn=str(params["fqdn"]),
            region=self.clients.region,
            cluster=str(params["cluster"]),
            load_balancer_name=params.get("load_balancer"),
        )
        with self._section(snapshot, "services"):
            self._services(snapshot)
        snapshot.at = self.clock.wall() + (self._ahead or 0.0)
        snapshot.started = self._started = self._started if self._started is not None else snapshot.at
        with self._section(snapshot, "tasks"):
            self._tasks(snapshot)
        if snapshot.load_balancer_name:
            self._balancers(snapshot)
        self._remember_health(snapshot)
        self._network(snapshot, details)
        self._logs(snapshot, details)
        with self._section(snapshot, "images"):
            self._images(snapshot, details)
        return snapshot

    @contextmanager
    def _section(self, snapshot: Snapshot, name: str) -> t.Iterator[None]:
        """The clients have retried already: what fails now is noted as unknown."""
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            snapshot.failures.append(Failure(name, explain(error), error_code(error) in PERMANENT))

    # --- ECS

    def _services(self, snapshot: Snapshot) -> None:
        wanted = {str(entry["name"]): entry for entry in self.params["services"]}
        snapshot.services = [Service(**{key: entry.get(key) for key in SPEC if entry.get(key) is not None}) for entry in wanted.values()]
        names, ecs = list(wanted), self.clients("ecs")
        found: dict[str, Json] = {}
        for start in range(0, len(names), 10):
            try:
                answer = ecs.describe_services(cluster=snapshot.cluster, services=names[start : start + 10])
            except ClientError as error:
                if not is_code(error, "ClusterNotFoundException"):
                    raise
                snapshot.cluster_missing = True
                return
            self._set_clock(answer)
            found.update({str(service["serviceName"]): plain(service) for service in answer["services"]})
        self._each(lambda signal: self._service(signal, found.get(signal.name)), snapshot.services)

    @staticmethod
    def _each(read: t.Callable[[Service], None], signals: t.Iterable[Service]) -> None:
        """Some services at a time: a look at many must not take many times as long."""
        with ThreadPoolExecutor(max_workers=AT_A_TIME) as pool:
            list(pool.map(read, signals))

    def _set_clock(self, answer: Json) -> None:
        """How far AWS's clock is ahead of ours, from the Date header; it is cut to whole seconds, so the largest difference seen is the nearest."""
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        parsed = email.utils.parsedate_tz(date) if date else None
        if parsed:
            ahead = email.utils.mktime_tz(parsed) - self.clock.wall()
            self._ahead = ahead if self._ahead is None else max(self._ahead, ahead)

    def _service(self, signal: Service, service: Json | None) -> None:
        signal.service = service
        if service is None:
            return
        events = self._events.setdefault(signal.name, {})
        events.update({str(event["id"]): event for event in service.get("events", [])[:30]})
        signal.events = list(events.values())
        if signal.primary.get("taskDefinition"):
            signal.definition = self._definition(signal.primary["taskDefinition"])
        if signal.family and self.params["side"] != SOURCE:
            signal.newest = self._newest(signal.family)
        signal.groups = list(((service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}).get("securityGroups", []))

    def _definition(self, arn: str) -> Json:
        """A revision never changes."""
        if arn not in self._definitions:
            self._definitions[arn] = plain(self.clients("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"])
        return self._definitions[arn]

    def _newest(self, family: str) -> Json | None:
        try:
            found: Json = plain(self.clients("ecs").describe_task_definition(taskDefinition=family)["taskDefinition"])
        except ClientError as error:
            if is_code(error, "ClientException", "InvalidParameterException"):
                return None
            raise
        return found

    def _tasks(self, snapshot: Snapshot) -> None:
        self._each(lambda signal: self._service_tasks(snapshot, signal), [signal for signal in snapshot.services if signal.service is not None])

    def _service_tasks(self, snapshot: Snapshot, signal: Service) -> None:
        signal.tasks = self._describe_tasks(snapshot.cluster, signal.name, "RUNNING")
        stopped = self._stopped.setdefault(signal.name, {})
        stopped.update({str(task["taskArn"]): task for task in self._describe_tasks(snapshot.cluster, signal.name, "STOPPED")})
        signal.stopped = list(stopped.values())
        if snapshot.side == SOURCE or any(task.get("containerInstanceArn") for task in signal.tasks):
            self._instances(snapshot.cluster, signal)

    def _describe_tasks(self, cluster: str, service: str, status: str) -> list[Json]:
        ecs = self.clients("ecs")
        arns = pages(ecs, "list_tasks", "taskArns", cluster=cluster, serviceName=service, desiredStatus=status)
        found: list[Json] = []
        for start in range(0, len(arns), 100):
            found += plain(ecs.describe_tasks(cluster=cluster, tasks=arns[start : start + 100])["tasks"])
        return found

    def _instances(self, cluster: str, signal: Service) -> None:
        """Container instance -> EC2 instance id: what instance target groups register. The instances' groups are the tasks' groups in bridge mode."""
        arns = sorted({str(task["containerInstanceArn"]) for task in signal.tasks if task.get("containerInstanceArn")})
        found: list[Json] = []
        for start in range(0, len(arns), 100):
            found += self.clients("ecs").describe_container_instances(cluster=cluster, containerInstances=arns[start : start + 100])["containerInstances"]
        signal.instances = {str(entry["containerInstanceArn"]): str(entry["ec2InstanceId"]) for entry in found if entry.get("ec2InstanceId")}
        if not signal.groups and signal.instances:
            reservations = pages(self.clients("ec2"), "describe_instances", "Reservations", InstanceIds=sorted(set(signal.instances.values())))
            instances = [instance for reservation in reservations for instance in reservation.get("Instances", [])]
            signal.groups = sorted({group["GroupId"] for instance in instances for group in instance.get("SecurityGroups", [])})

    # --- load balancers

    def _balancers(self, snapshot: Snapshot) -> None:
        through_proxy = bool(self.params.get("probe_proxy"))
        with self._section(snapshot, "load_balancer"):
            snapshot.load_balancer = self._edge.balancer(str(snapshot.load_balancer_name))
            if snapshot.load_balancer:
                arn = snapshot.load_balancer["LoadBalancerArn"]
                snapshot.listeners = self._edge.listeners(arn)
                groups = pages(self.clients("elbv2"), "describe_target_groups", "TargetGroups", LoadBalancerArn=arn)
                snapshot.target_groups = {group["TargetGroupArn"]: group for group in groups}
        with self._section(snapshot, "targets"):
            for arn in {arn for signal in snapshot.services for arn in signal.target_group_arns} & set(snapshot.target_groups):
                health = self.clients("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
                snapshot.target_groups[arn]["TargetHealth"] = plain(health)
        with self._section(snapshot, "addresses"):
            snapshot.addresses = self._edge.addresses(snapshot.load_balancer, through_proxy)
        other = self.params.get("compare_load_balancer")
        with self._section(snapshot, "other_load_balancer"):
            snapshot.other_load_balancer = self._edge.balancer(str(other)) if other else None
            if snapshot.other_load_balancer:
                snapshot.other_listeners = self._edge.listeners(snapshot.other_load_balancer["LoadBalancerArn"])
                snapshot.other_targets = self._edge.has_targets(snapshot.other_load_balancer["LoadBalancerArn"])
                snapshot.other_addresses = self._edge.addresses(snapshot.other_load_balancer, through_proxy) or [snapshot.other_load_balancer["DNSName"]]

    def _remember_health(self, snapshot: Snapshot) -> None:
        for arn, group in snapshot.target_groups.items():
            for entry in group.get("TargetHealth", []):
                health = entry["TargetHealth"]
                identifier, port = predicates.target_key(entry)
                if health["State"] == "unhealthy":
                    record = HealthRecord(
                        arn, identifier, port, health["State"], str(health.get("Reason", "")), str(health.get("Description", "")), snapshot.at
                    )
                    self._history[arn, identifier, port] = record
        snapshot.health_history = list(self._history.values())

    def _network(self, snapshot: Snapshot, details: bool) -> None:
        """Data stores until they could be read, groups at every poll (a person may be repairing them), routes and ACLs only when something is wrong."""
        for kind, read in ({"rds": self._reader.databases, "elasticache": self._reader.caches}).items():
            with self._section(snapshot, kind):
                if kind not in self._stores:
                    self._stores[kind] = read()
        snapshot.network.data_stores = [dict(store) for kind in ("rds", "elasticache") for store in self._stores.get(kind, [])]
        reader = self._reader
        for name, part in (
            ("subnets", reader.subnets), ("routes", reader.route_tables), ("acls", reader.network_acls), ("endpoints", reader.endpoints),
        ) if details else ():  # fmt: skip
            with self._section(snapshot, name):
                part(snapshot)
        with self._section(snapshot, "network"):
            reader.groups(snapshot)

    # --- logs and images

    def _logs(self, snapshot: Snapshot, details: bool) -> None:
        """Workers always (their log is a check), the others when something is wrong."""
        for signal in snapshot.services:
            if signal.service is None or not (details or signal.kind == WORKER):
                continue
            with self._section(snapshot, "logs"):
                for task in self._log.tasks(snapshot, signal):
                    self._log.read(snapshot, signal, task, self._definition(str(task["taskDefinitionArn"])))
            with self._section(snapshot, "logs"):
                self._log.look_for_checks(snapshot, signal)

    def _images(self, snapshot: Snapshot, details: bool) -> None:
        """Does ECR have the images? Asked only while tasks do not run."""
        for signal in snapshot.services if details else []:
            service = signal.service or {}
            if service and int(service.get("runningCount", 0)) < int(service.get("desiredCount", 0)):
                images = [str(container.get("image", "")) for container in (signal.newest or signal.definition or {}).get("containerDefinitions", [])]
                signal.missing_images = [image for image in images if ".dkr.ecr." in image and not self._image_exists(image)]

    def _image_exists(self, image: str) -> bool:
        registry, _slash, rest = image.partition("/")
        repository, _at, digest = rest.partition("@")
        repository, _colon, tag = repository.partition(":")
        which = {"imageDigest": digest} if digest else {"imageTag": tag or "latest"}
        try:
            self.clients("ecr").describe_images(registryId=registry.split(".", maxsplit=1)[0], repositoryName=repository, imageIds=[which])
        except ClientError as error:
            if is_code(error, "ImageNotFoundException", "RepositoryNotFoundException"):
                return False
            raise
        return True
