"""Faults in the account: what somebody else has changed there. Each change is made again when it was repaired, and taken back at the end."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.aws.operations import ecs_services
from lab.faults.kinds import Fault

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

Undo = Callable[[], None]
NO_SUCH_SECRET = "shop/payment-token-AbCdEf"
NOTHING: dict[str, Any] = {"Type": "fixed-response", "Order": 1, "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "nothing here"}}


class Account:
    """Call with the API held."""

    def __init__(self, aws: AwsServer, certificates: Path) -> None:
        self._aws = aws
        self._certificates = certificates
        self._changes: dict[str, Callable[[Fault], Iterator[Undo]]] = {
            "sg-rule": self._rules,
            "alb-egress": self._balancer_egress,
            "no-egress": self._task_egress,
            "matcher": self._matcher,
            "wrong-arch": self._platform,
            "execution-role": self._role,
            "log-group": self._log_groups,
            "secret": self._secret,
            "app-500-silent": self._log_to_file,
            "listener-rule": self._listener_rule,
            "certificate": self._certificate,
        }

    def apply(self, fault: Fault) -> list[Undo]:
        """Change what is not changed yet."""
        change = self._changes.get(fault.name)
        return list(change(fault)) if change else []

    # -- what belongs to the target

    def _services(self) -> Iterator[Any]:
        for service in self._aws.backend("ecs").services.values():
            if ecs_services.runs_on_fargate(service) and service.status != "INACTIVE":
                yield service

    def _task_groups(self) -> set[str]:
        networks = [(service.network_configuration or {}).get("awsvpcConfiguration", {}) for service in self._services()]
        return {group for network in networks for group in network.get("securityGroups", [])}

    def _target_groups(self) -> Iterator[Any]:
        bound = {item["targetGroupArn"] for service in self._services() for item in service.load_balancers or []}
        yield from (group for arn, group in self._aws.backend("elbv2").target_groups.items() if arn in bound)

    def _balancers(self) -> Iterator[Any]:
        arns = {arn for group in self._target_groups() for arn in group.load_balancer_arns}
        yield from (balancer for arn, balancer in self._aws.backend("elbv2").load_balancers.items() if arn in arns)

    def _listeners(self) -> Iterator[Any]:
        for balancer in self._balancers():
            yield from balancer.listeners.values()

    def _definitions(self) -> Iterator[Any]:
        used = {deployment["taskDefinition"] for service in self._services() for deployment in service.deployments}
        for revisions in self._aws.backend("ecs").task_definitions.values():
            yield from (definition for definition in revisions.values() if definition.arn in used)

    def _security_groups(self) -> Iterator[Any]:
        for groups in self._aws.backend("ec2").groups.values():
            yield from groups.values()

    # -- groups

    def _rules(self, fault: Fault) -> Iterator[Undo]:
        """As an automation that guards its groups would."""
        ec2 = self._aws.backend("ec2")
        source = set(_source_groups(ec2))
        balancers = {group for item in self._aws.backend("elbv2").load_balancers.values() for group in item.security_groups}
        for group in self._security_groups():
            gone = [rule for rule in group.ingress_rules if admits(fault, group.id, rule, source, balancers)]
            if gone:
                group.ingress_rules[:] = [rule for rule in group.ingress_rules if rule not in gone]
                yield lambda rules=group.ingress_rules, gone=gone: rules.extend(rule for rule in gone if rule not in rules)  # type: ignore[misc]

    def _balancer_egress(self, _fault: Fault) -> Iterator[Undo]:
        """Both load balancers may have one group in common: what is left lets the source's out to its instances."""
        used = {group for balancer in self._balancers() for group in balancer.security_groups}
        left = sorted(set(_source_groups(self._aws.backend("ec2"))))
        yield from self._replace_egress(used, lambda rule: [_narrowed(rule, group, 1024, 65535) for group in left])

    def _task_egress(self, _fault: Fault) -> Iterator[Undo]:
        """What is left reaches the database and the cache."""
        stores = {3306: self._database_groups(), 6379: self._cache_groups()}
        yield from self._replace_egress(
            self._task_groups(), lambda rule: [_narrowed(rule, group, port, port) for port, groups in stores.items() for group in groups]
        )

    def _replace_egress(self, groups: set[str], narrow: Callable[[Any], list[Any]]) -> Iterator[Undo]:
        for group in self._security_groups():
            if group.id in groups and any(rule.ip_range.get("CidrIp") for rule in group.egress_rules):
                before = list(group.egress_rules)
                group.egress_rules[:] = narrow(before[0])
                yield lambda rules=group.egress_rules, before=before: rules.__setitem__(slice(None), before)  # type: ignore[misc]

    def _database_groups(self) -> list[str]:
        return sorted({group for database in self._aws.backend("rds").databases.values() for group in database.vpc_security_group_ids})

    def _cache_groups(self) -> list[str]:
        return sorted({group for cluster in self._aws.backend("elasticache").cache_clusters.values() for group in cluster.security_group_ids})

    # -- load balancers

    def _matcher(self, _fault: Fault) -> Iterator[Undo]:
        for group in self._target_groups():
            if (group.matcher or {}).get("HttpCode") != "202":
                before = group.matcher
                group.matcher = {"HttpCode": "202"}
                yield lambda group=group, before=before: setattr(group, "matcher", before)  # type: ignore[misc]

    def _listener_rule(self, _fault: Fault) -> Iterator[Undo]:
        """Whoever asks gets a fixed answer. The default rule shows the listener's default actions."""
        for listener in self._listeners():
            for holder, name in [(listener, "default_actions"), *((rule, "actions") for rule in listener.rules.values())]:
                before = getattr(holder, name)
                if any(action.data.get("Type") == "forward" for action in before):
                    setattr(holder, name, [type(before[0])(copy.deepcopy(NOTHING))])
                    yield lambda holder=holder, name=name, before=before: setattr(holder, name, before)  # type: ignore[misc]

    def _certificate(self, _fault: Fault) -> Iterator[Undo]:
        for listener in self._listeners():
            if listener.certificates and not getattr(listener, "certificate_of_another_name", False):
                before = list(listener.certificates)
                arn = self._other_certificate()
                listener.certificates[:] = [arn if isinstance(before[0], str) else {"CertificateArn": arn}]
                listener.certificate_of_another_name = True
                yield lambda listener=listener, before=before: _give_back_certificates(listener, before)  # type: ignore[misc]

    def _other_certificate(self) -> str:
        content = [(self._certificates / name).read_bytes() for name in ("certificate.pem", "private-key.pem", "ca.pem")]
        return str(self._aws.backend("acm").import_certificate(content[0], content[1], content[2], None, []))

    # -- what a task needs before it starts

    def _platform(self, _fault: Fault) -> Iterator[Undo]:
        for definition in self._definitions():
            document, before = definition.document, definition.document.get("runtimePlatform")
            if (before or {}).get("cpuArchitecture") != "ARM64":
                document["runtimePlatform"] = {"operatingSystemFamily": "LINUX", "cpuArchitecture": "ARM64"}
                yield lambda document=document, before=before: document.update(runtimePlatform=before) if before else document.pop("runtimePlatform")  # type: ignore[misc]

    def _role(self, _fault: Fault) -> Iterator[Undo]:
        names = {str(definition.execution_role_arn).rpartition("/")[2] for definition in self._definitions() if definition.execution_role_arn}
        for role in self._aws.backend("iam").roles.values():
            if role.name in names and (role.managed_policies or role.policies):
                managed, inline = dict(role.managed_policies), dict(role.policies)
                role.managed_policies.clear()
                role.policies.clear()
                yield lambda role=role, managed=managed, inline=inline: (role.managed_policies.update(managed), role.policies.update(inline))  # type: ignore[misc]

    def _log_groups(self, _fault: Fault) -> Iterator[Undo]:
        logs = self._aws.backend("logs")
        wanted = {
            container.get("logConfiguration", {}).get("options", {}).get("awslogs-group")
            for definition in self._definitions()
            for container in definition.container_definitions
        }
        for name in wanted & set(logs.groups):
            group = logs.groups.pop(name)
            yield lambda name=name, group=group: logs.groups.setdefault(name, group)  # type: ignore[misc]

    def _secret(self, _fault: Fault) -> Iterator[Undo]:
        arn = f"arn:aws:secretsmanager:{self._aws.region}:{self._aws.account}:secret:{NO_SUCH_SECRET}"
        for definition in self._definitions():
            for container in [*definition.container_definitions, *definition.document["containerDefinitions"]]:
                if not any(item["valueFrom"] == arn for item in container.get("secrets", [])):
                    container["secrets"] = [*container.get("secrets", []), {"name": "PAYMENT_TOKEN", "valueFrom": arn}]
                    yield lambda container=container: _without_secret(container, arn)  # type: ignore[misc]


    def _log_to_file(self, _fault: Fault) -> Iterator[Undo]:
        """As in many a definition that comes from instances, where somebody could read the file."""
        for definition in self._definitions():
            for container in [*definition.container_definitions, *definition.document["containerDefinitions"]]:
                for entry in container.get("environment", []):
                    if entry["name"] == "LOG_CHANNEL" and entry["value"] != "single":
                        before, entry["value"] = entry["value"], "single"
                        yield lambda entry=entry, before=before: entry.update(value=before)  # type: ignore[misc]


def _without_secret(container: dict[str, Any], arn: str) -> None:
    left = [item for item in container.get("secrets", []) if item["valueFrom"] != arn]
    if left:
        container["secrets"] = left
    else:
        container.pop("secrets", None)


def _give_back_certificates(listener: Any, before: list[Any]) -> None:
    listener.certificates[:] = before
    listener.certificate_of_another_name = False


def admits(fault: Fault, group_id: str, rule: Any, source: set[str], balancers: set[str]) -> bool:
    """Whether a rule is the one the fault takes away: it names a group that no instance of the source carries."""
    peer = rule.source_group.get("GroupId")
    if not peer:
        return False
    if fault.port == "alb":
        return peer in balancers and group_id not in source and group_id not in balancers
    return peer not in source and peer not in balancers and rule.from_port is not None and rule.from_port <= int(fault.port) <= rule.to_port


def _narrowed(rule: Any, group: str, first: int, last: int) -> Any:
    """A TCP rule to one group, made from one to everywhere."""
    made = copy.copy(rule)
    made.id = f"sgr-{uuid.uuid4().hex[:17]}"
    made.ip_protocol, made.from_port, made.to_port = "tcp", first, last
    made.ip_range, made.source_group, made.prefix_list_id = {}, {"GroupId": group}, {}
    return made


def _source_groups(ec2: Any) -> Iterator[str]:
    """Groups of instances, running or to be launched."""
    for reservation in ec2.reservations.values():
        for instance in reservation.instances:
            yield from (group.id for group in instance.security_groups)
    for template in ec2.launch_templates.values():
        for version in template.versions:
            yield from version.data.get("SecurityGroupIds", [])
            for interface in version.data.get("NetworkInterfaces", []):
                yield from interface.get("Groups", [])
