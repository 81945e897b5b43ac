"""Application Auto Scaling: what goes with a scalable target, and activities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.aws.protocol import ApiCall
from lab.aws.registry import operation

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")


@operation("application-autoscaling", "DescribeScalingActivities")
def describe_scaling_activities(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """Nothing scales by itself in the lab."""
    return {"ScalingActivities": []}


@operation("application-autoscaling", "DeregisterScalableTarget")
def deregister_scalable_target(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """Its policies go with it, and with them the alarms of target tracking; its scheduled actions too. moto keeps all of them.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html
    """
    answer = aws.ask_moto(call)
    backend = aws.backend("applicationautoscaling")
    namespace, resource, dimension = (call.parameters[key] for key in TARGET)
    gone = [
        policy
        for policy in backend.policies.values()
        if (policy.service_namespace, policy.resource_id, policy.scalable_dimension) == (namespace, resource, dimension)
    ]
    for policy in gone:
        backend.delete_scaling_policy(policy.policy_name, namespace, resource, dimension)
    actions = backend.scheduled_actions
    backend.scheduled_actions = [
        each for each in actions if (each.service_namespace, each.resource_id, each.scalable_dimension) != (namespace, resource, dimension)
    ]
    return answer
