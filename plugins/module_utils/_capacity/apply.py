# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Scale-in and its way back. Each step looks at what is there first, so a killed run is simply run again.

Remember, then change (scale-in); change, then forget (restore): at no moment is a number lost.
"""

from __future__ import annotations

import typing as t

from .._aws import tags as aws_tags
from .._aws.apply import CLOCK, Call, Clock, apply, report
from .._aws.clients import Clients
from .._aws.run import Progress, silent
from . import handover
from .numbers import NONE, Capacity
from .observe import Group, Observed, Service, observe
from .worker import Params, Worker, desired, suspend

# What could start instances again behind our back. Launch itself stays: the way back needs it.
# https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
PROCESSES = ["AlarmNotification", "AZRebalance", "ReplaceUnhealthy", "ScheduledActions"]

ARGUMENT_SPEC: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["idle", "running"], "required": True},
    "system": {"type": "str", "required": True},
    "cluster": {"type": "str"},
    "services": {"type": "list", "elements": "dict", "default": []},
    "schedulers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "cluster": {"type": "str", "required": True},
            "desired_count": {"type": "int", "required": True},
        },
    },
    "auto_scaling_groups": {"type": "list", "elements": "dict", "default": []},
    "delete_volumes": {"type": "bool", "default": False},
    "wait_timeout": {"type": "float", "default": 1200},
    "poll_seconds": {"type": "float", "default": 10},
}


def run(params: Params, clients: Clients, check_mode: bool, progress: Progress = silent, clock: Clock = CLOCK) -> dict[str, t.Any]:
    """Bring the source to ``state``: idle or running."""
    if params["state"] == "idle":
        params = {**params, "auto_scaling_groups": [each for each in params["auto_scaling_groups"] if not each.get("restore_only")]}
    before = observe(params, clients)
    worker = Idle(params, clients, check_mode, progress, clock) if params["state"] == "idle" else Running(params, clients, check_mode, progress, clock)
    changes = worker.bring(before)
    volumes, deleted = ([], []) if params["state"] == "running" else leftover_volumes(params, clients, check_mode)
    after = before if check_mode else observe(params, clients)
    wanted = worker.expected(before) if check_mode else _numbers(after)
    return report(changes + deleted, _numbers(before), wanted, leftover_volumes=volumes)


def _numbers(observed: Observed) -> dict[str, str]:
    services = {f"service {each.name}": f"desired={each.desired}" for each in observed.services}
    targets = {f"target's service {each.name}": f"desired={each.desired}" for each in observed.targets}
    return {**services, **targets, **{f"Auto Scaling group {each.name}": str(each.capacity) for each in observed.groups}}


class Idle(Worker):
    """Schedulers first, so that they pause for as short as can be; services, so that tasks end by SIGTERM and finish their jobs; then the instances."""

    def bring(self, before: Observed) -> list[str]:
        changes = handover.to_target(self, before, self._service)
        handed = handover.names(before)
        changes += self.make([call for service in before.services if service.name not in handed for call in self._service(service)])
        self.wait("no task of the source runs", lambda seen: all(each.running == 0 for each in seen.services), _running)
        changes += self.make([call for group in before.groups for call in self._group(group)])
        self.wait("the instances are gone", lambda seen: not any(each.instances for each in seen.groups), _instances)
        return changes

    def expected(self, before: Observed) -> dict[str, str]:
        idle = {name: str(NONE) if name.startswith("Auto") else "desired=0" for name in _numbers(before)}
        counts = handover.numbers(self.params, before)
        return {**idle, **{f"target's service {each.name}": f"desired={each.desired or counts[each.name]}" for each in before.targets}}

    def _service(self, service: Service) -> list[Call]:
        calls = []
        if service.remembered is None and service.desired > 0:
            tags = aws_tags.to_list({aws_tags.DESIRED_COUNT: str(service.desired)}, lower=True)
            text = f"remember desired count {service.desired} of service {service.name}"
            calls.append(Call(text, "ecs", "tag_resource", {"resourceArn": service.arn, "tags": tags}))
        if service.scalable and not service.suspended:
            calls.append(suspend(self.params["cluster"], service.name, True))
        if service.desired > 0:
            calls.append(desired(self.params["cluster"], service.name, 0))
        return calls

    def _group(self, group: Group) -> list[Call]:
        calls = []
        if group.remembered is None and group.capacity != NONE:
            calls.append(_remember(group))
        if not group.suspended.issuperset(PROCESSES):
            params = {"AutoScalingGroupName": group.name, "ScalingProcesses": PROCESSES}
            calls.append(Call(f"suspend scaling of Auto Scaling group {group.name}", "autoscaling", "suspend_processes", params))
        if group.protected:
            protection: dict[str, t.Any] = {"InstanceIds": list(group.protected), "ProtectedFromScaleIn": False}
            text = f"lift the scale-in protection of {len(group.protected)} instance(s) of {group.name}"
            calls.append(Call(text, "autoscaling", "set_instance_protection", {"AutoScalingGroupName": group.name, **protection}))
        if group.instances:
            calls += _mark_volumes(self.params["system"], group, self.clients)
        if group.capacity != NONE:
            calls.append(_resize(group.name, NONE))
        return calls


class Running(Worker):
    """Instances first, then the services: the order of the runbook's rollback. What serves users never waits for a scheduler of the target to stop."""

    def bring(self, before: Observed) -> list[str]:
        changes = self.make([call for group in before.groups for call in self._grow(group)])
        needed = sum(each.remembered.desired for each in before.groups if each.remembered)
        if needed:
            self.wait(
                "the instances are in service and registered with the cluster",
                lambda seen: sum(each.in_service for each in seen.groups) >= needed and seen.container_instances >= needed,
                lambda seen: f"{sum(each.in_service for each in seen.groups)} of {needed} in service, {seen.container_instances} registered",
            )
        handed = handover.names(before)
        changes += self.make([call for service in before.services if service.name not in handed for call in self._start(service)])
        changes += handover.to_source(self, before)
        changes += self.make([call for service in before.services if service.name in handed for call in self._start(service)])
        changes += self.make([call for group in before.groups for call in self._forget(group)])
        return changes

    def expected(self, before: Observed) -> dict[str, str]:
        services = {f"service {each.name}": f"desired={each.desired if each.remembered is None else each.remembered}" for each in before.services}
        targets = {f"target's service {each.name}": "desired=0" for each in before.targets}
        return {**services, **targets, **{f"Auto Scaling group {each.name}": str(each.remembered or each.capacity) for each in before.groups}}

    def _grow(self, group: Group) -> list[Call]:
        remembered = group.remembered
        if remembered is None or (group.capacity.desired >= remembered.desired and group.capacity.minimum >= remembered.minimum):
            return []
        return [_resize(group.name, Capacity(remembered.minimum, max(remembered.desired, group.capacity.desired)))]

    def _start(self, service: Service) -> list[Call]:
        if service.remembered is None:
            return []
        calls = [] if service.desired >= service.remembered else [desired(self.params["cluster"], service.name, service.remembered)]
        if service.scalable and service.suspended:
            calls.append(suspend(self.params["cluster"], service.name, False))
        params = {"resourceArn": service.arn, "tagKeys": [aws_tags.DESIRED_COUNT]}
        return [*calls, Call(f"forget the remembered desired count of service {service.name}", "ecs", "untag_resource", params)]

    def _forget(self, group: Group) -> list[Call]:
        if group.remembered is None:
            return []
        calls = []
        if group.suspended.intersection(PROCESSES):
            params = {"AutoScalingGroupName": group.name, "ScalingProcesses": PROCESSES}
            calls.append(Call(f"resume scaling of Auto Scaling group {group.name}", "autoscaling", "resume_processes", params))
        tag = {"ResourceId": group.name, "ResourceType": "auto-scaling-group", "Key": aws_tags.CAPACITY}
        return [*calls, Call(f"forget the remembered capacity of Auto Scaling group {group.name}", "autoscaling", "delete_tags", {"Tags": [tag]})]


def _running(seen: Observed) -> str:
    return ", ".join(f"{each.name} {each.running}" for each in seen.services if each.running) + " still run"


def _instances(seen: Observed) -> str:
    return f"{sum(len(each.instances) for each in seen.groups)} left"


def _resize(name: str, capacity: Capacity) -> Call:
    params = {"AutoScalingGroupName": name, "MinSize": capacity.minimum, "DesiredCapacity": capacity.desired}
    return Call(f"set Auto Scaling group {name} to {capacity}", "autoscaling", "update_auto_scaling_group", params)


def _remember(group: Group) -> Call:
    # PropagateAtLaunch false: the memory belongs to the group, not to instances that it may start.
    tag = {"ResourceId": group.name, "ResourceType": "auto-scaling-group", "Key": aws_tags.CAPACITY, "Value": str(group.capacity), "PropagateAtLaunch": False}
    return Call(f"remember capacity {group.capacity} of Auto Scaling group {group.name}", "autoscaling", "create_or_update_tags", {"Tags": [tag]})


def _mark_volumes(system: str, group: Group, clients: Clients) -> list[Call]:
    """Volumes that will outlive their instance are tagged while it is still known whose they are."""
    kept = [each["VolumeId"] for each in _volumes(clients, [{"Name": "attachment.instance-id", "Values": list(group.instances)}]) if _outlives(each, system)]
    if not kept:
        return []
    params = {"Resources": kept, "Tags": aws_tags.to_list({aws_tags.SYSTEM: system})}
    return [Call(f"tag {len(kept)} volume(s) that will outlive the instances of {group.name}", "ec2", "create_tags", params)]


def _outlives(volume: t.Mapping[str, t.Any], system: str) -> bool:
    tagged = aws_tags.to_dict(volume.get("Tags")).get(aws_tags.SYSTEM) == system
    return not tagged and any(not attachment.get("DeleteOnTermination") for attachment in volume.get("Attachments", []))


def _volumes(clients: Clients, filters: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    return [each for page in clients("ec2").get_paginator("describe_volumes").paginate(Filters=filters) for each in page["Volumes"]]


def leftover_volumes(params: Params, clients: Clients, check_mode: bool) -> tuple[list[dict[str, t.Any]], list[str]]:
    """Volumes of the source that no instance has any more: reported, and deleted only when asked."""
    filters = [{"Name": f"tag:{aws_tags.SYSTEM}", "Values": [params["system"]]}, {"Name": "status", "Values": ["available"]}]
    found = _volumes(clients, filters)
    told = [{"volume_id": each["VolumeId"], "size_gib": each["Size"], "zone": each["AvailabilityZone"]} for each in found]
    calls = [Call(f"delete volume {each['VolumeId']} ({each['Size']} GiB)", "ec2", "delete_volume", {"VolumeId": each["VolumeId"]}) for each in found]
    return told, apply(calls if params["delete_volumes"] else [], clients, {}, check_mode)
