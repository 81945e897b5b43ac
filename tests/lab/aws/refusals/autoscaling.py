"""What Auto Scaling rejects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.aws.errors import AwsError
from lab.aws.operations.autoscaling import find
from lab.aws.protocol import ApiCall
from lab.aws.registry import refuse

if TYPE_CHECKING:
    from lab.aws.server import AwsServer


@refuse("autoscaling", "CreateAutoScalingGroup", "UpdateAutoScalingGroup")
def bounds(aws: AwsServer, call: ApiCall) -> None:
    """[M] min <= desired <= max. A desired capacity that isn't given follows the new bounds."""
    given = call.parameters
    low, high = given.get("MinSize"), given.get("MaxSize")
    if low is None or high is None:
        group = find(aws, given["AutoScalingGroupName"])
        low, high = group.min_size if low is None else low, group.max_size if high is None else high
    if low > high:
        raise AwsError("ValidationError", f"Max bound, {high}, must be greater than or equal to min bound, {low}")
    desired = given.get("DesiredCapacity")
    if desired is not None and not low <= desired <= high:
        raise AwsError("ValidationError", f"Desired capacity:{desired} must be between the specified min size:{low} and max size:{high}")


@refuse("autoscaling", "CreateAutoScalingGroup")
def name_free(aws: AwsServer, call: ApiCall) -> None:
    """[M] one group a name."""
    if call.parameters["AutoScalingGroupName"] in aws.backend("autoscaling").autoscaling_groups:
        raise AwsError("AlreadyExists", "AutoScalingGroup by this name already exists - A group with the name already exists")


@refuse("autoscaling", "SetDesiredCapacity")
def desired_capacity(aws: AwsServer, call: ApiCall) -> None:
    """[M] within the bounds."""
    group, desired = find(aws, call.parameters["AutoScalingGroupName"]), call.parameters["DesiredCapacity"]
    if desired < group.min_size:
        raise AwsError("ValidationError", f"New SetDesiredCapacity value {desired} is below min value {group.min_size} for the AutoScalingGroup.")
    if desired > group.max_size:
        raise AwsError("ValidationError", f"New SetDesiredCapacity value {desired} is above max value {group.max_size} for the AutoScalingGroup.")


@refuse("autoscaling", "DeleteAutoScalingGroup")
def no_instances(aws: AwsServer, call: ApiCall) -> None:
    """[M] empty first, or force."""
    group = find(aws, call.parameters["AutoScalingGroupName"])
    if group.instance_states and not call.parameters.get("ForceDelete"):
        message = "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group."
        raise AwsError("ResourceInUse", message)
