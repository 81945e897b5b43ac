"""Auto Scaling: what moto lacks, and suspended processes that really do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.autoscaling.models import FakeAutoScalingGroup

from lab.aws.errors import AwsError
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation

if TYPE_CHECKING:
    from lab.aws.server import AwsServer


def find(aws: AwsServer, name: str) -> Any:
    group = aws.backend("autoscaling").autoscaling_groups.get(name)
    if group is None:
        raise AwsError("ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return group


@operation("autoscaling", "DisableMetricsCollection")
def disable_metrics(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    group = find(aws, call.parameters["AutoScalingGroupName"])
    given = call.parameters.get("Metrics")
    group.metrics = [metric for metric in group.metrics or [] if given and metric not in given]
    return {}


scale = FakeAutoScalingGroup.set_desired_capacity


def set_desired_capacity(group: Any, wanted: int | None) -> None:
    """The number is kept; instances follow only where Launch or Terminate is not suspended (SuspendProcesses in the API reference)."""
    target = group.min_size if wanted is None else wanted
    suspended = {process["ProcessName"] for process in group.suspended_processes}
    count = len(group.active_instances())
    if ("Launch" in suspended and target > count) or ("Terminate" in suspended and target < count):
        group.desired_capacity = target
    else:
        scale(group, wanted)


FakeAutoScalingGroup.set_desired_capacity = set_desired_capacity


@operation("autoscaling", "ResumeProcesses")
def resume_processes(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """What was wanted meanwhile happens now."""
    group = find(aws, call.parameters["AutoScalingGroupName"])
    aws.ask_moto(call)
    group.set_desired_capacity(group.desired_capacity)
    return {}
