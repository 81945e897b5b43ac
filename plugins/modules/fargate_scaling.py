#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: fargate_scaling
version_added: 0.1.0
short_description: Scale the services of a Fargate target as the source's do
description:
  - Registers the services as scalable targets of Application Auto Scaling, with minimum, maximum, policies and scheduled actions.
  - A target that does not serve yet is idle, so its policies would take it down to its minimum, and the cutover would send all traffic to that minimum.
    With O(hold) scaling in and scheduled actions are suspended, scaling out is not. When the hold is lifted, what a person suspended stays suspended.
  - AWS makes the alarms of target tracking itself. Those that invoke step policies are made here, with the ids of the target's load balancer and groups.
  - Policies, actions and alarms that O(scaling) does not name are left alone. An alarm of a wanted name that does not carry the wanted tag
    C(cutover:system) is refused.
options:
  scaling:
    description: Section C(scaling) of the plan.
    type: list
    elements: dict
    required: true
    suboptions:
      service:
        description: Name of the service, for readers.
        type: str
      cluster:
        description: Name of the cluster, for readers.
        type: str
      resource_id:
        description: C(service/<cluster>/<service>).
        type: str
        required: true
      dimension:
        description: The scalable dimension.
        type: str
        default: ecs:service:DesiredCount
      min_capacity:
        description: The least number of tasks.
        type: int
        required: true
      max_capacity:
        description: The greatest number of tasks.
        type: int
        required: true
      policies:
        description:
          - Scaling policies as PutScalingPolicy takes them, without the members that say which service they are for.
          - C(resource_label) is C({load_balancer, target_group}) by name, for the metric C(ALBRequestCountPerTarget).
        type: list
        elements: dict
      scheduled_actions:
        description: Scheduled actions as PutScheduledAction takes them, without the members that say which service they are for.
        type: list
        elements: dict
      alarms:
        description:
          - Alarms that invoke step policies. C(settings) are members of PutMetricAlarm.
          - In the place of a dimension's value there may be C({load_balancer}) or C({target_group}) with a name, also below metric math.
          - C(actions) has lists of actions under C(AlarmActions), C(OKActions) and C(InsufficientDataActions), each an ARN or a policy as
            C({resource_id, policy}).
        type: list
        elements: dict
      waits:
        description: Whether all scaling is suspended, because the service is a scheduler that has no task until the source's is stopped.
        type: bool
        default: false
      tags:
        description: Tags of a scalable target that is registered anew.
        type: dict
  hold:
    description: Whether scaling in and scheduled actions are suspended, because the target does not serve.
    type: bool
    required: true
  create:
    description: Whether missing targets, policies and actions are made. With V(false) only O(hold) is applied, to what is registered already.
    type: bool
    default: true
extends_documentation_fragment:
  - cutover.fargate.account
  - cutover.fargate.attributes
  - cutover.fargate.attributes.actiongroup
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
    details: Works before anything exists; ids that AWS will give are shown as C((known after apply)).
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - community.aws.application_autoscaling_policy registers a target for each policy, writes in check mode and knows no scheduled actions.
  - Needs the permissions application-autoscaling:DescribeScalableTargets, application-autoscaling:DescribeScalingPolicies,
    application-autoscaling:DescribeScheduledActions, application-autoscaling:RegisterScalableTarget, application-autoscaling:PutScalingPolicy,
    application-autoscaling:PutScheduledAction, application-autoscaling:TagResource, elasticloadbalancing:DescribeLoadBalancers,
    elasticloadbalancing:DescribeTargetGroups and, for the first scalable service of an account, iam:CreateServiceLinkedRole. With alarms also
    cloudwatch:DescribeAlarms, cloudwatch:ListTagsForResource, cloudwatch:PutMetricAlarm and cloudwatch:TagResource.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Scale the web service between 2 and 8 tasks, without scaling in before it serves
  cutover.fargate.fargate_scaling:
    region: eu-west-1
    hold: true
    scaling:
      - resource_id: service/shop-fargate/web
        min_capacity: 2
        max_capacity: 8
        policies:
          - PolicyName: requests
            PolicyType: TargetTrackingScaling
            TargetTrackingScalingPolicyConfiguration:
              TargetValue: 500
              PredefinedMetricSpecification:
                PredefinedMetricType: ALBRequestCountPerTarget
            resource_label:
              load_balancer: shop-fargate
              target_group: shop-web-fargate
        tags:
          cutover:system: shop

- name: Add two tasks when the backlog of a queue grows
  cutover.fargate.fargate_scaling:
    region: eu-west-1
    hold: true
    scaling:
      - resource_id: service/shop-fargate/worker
        min_capacity: 1
        max_capacity: 8
        policies:
          - PolicyName: backlog
            PolicyType: StepScaling
            StepScalingPolicyConfiguration:
              AdjustmentType: ChangeInCapacity
              StepAdjustments:
                - MetricIntervalLowerBound: 0
                  ScalingAdjustment: 2
        alarms:
          - name: shop-backlog-fargate
            settings:
              Namespace: AWS/SQS
              MetricName: ApproximateNumberOfMessagesVisible
              Statistic: Average
              Period: 60
              EvaluationPeriods: 2
              Threshold: 100
              ComparisonOperator: GreaterThanThreshold
              Dimensions:
                - Name: QueueName
                  Value: shop
            actions:
              AlarmActions:
                - resource_id: service/shop-fargate/worker
                  policy: backlog
            tags:
              cutover:system: shop
        tags:
          cutover:system: shop

- name: Let it scale in from now on
  cutover.fargate.fargate_scaling:
    region: eu-west-1
    hold: false
    create: false
    scaling:
      - resource_id: service/shop-fargate/web
        min_capacity: 2
        max_capacity: 8
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) changed, in plain words. Also returned when the module fails half-way.
  returned: always
  type: list
  elements: str
  sample: ["scale service/shop-fargate/web between 2 and 8 tasks (scaling in waits until it serves)"]
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.scaling import run

TEXT = {"type": "str"}
COUNT = {"type": "int", "required": True}
ENTRIES = {"type": "list", "elements": "dict"}
SCALING = {
    "service": TEXT,
    "cluster": TEXT,
    "resource_id": {"type": "str", "required": True},
    "dimension": {"type": "str", "default": "ecs:service:DesiredCount"},
    "min_capacity": COUNT,
    "max_capacity": COUNT,
    "policies": ENTRIES,
    "scheduled_actions": ENTRIES,
    "alarms": ENTRIES,
    "waits": {"type": "bool", "default": False},
    "tags": {"type": "dict"},
}
ARGUMENT_SPEC = {
    "scaling": {"type": "list", "elements": "dict", "required": True, "options": SCALING},
    "hold": {"type": "bool", "required": True},
    "create": {"type": "bool", "default": True},
}


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
