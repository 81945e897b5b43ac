"""Auto Scaling: what moto lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
