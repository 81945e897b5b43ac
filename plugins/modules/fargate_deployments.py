#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: fargate_deployments
version_added: 0.1.0
short_description: Decide how the services of a Fargate target deploy
description:
  - Sets the deployment configuration and the zone rebalancing of services that exist, and makes the CloudWatch alarms that decide on their deployments.
  - A target that does not serve yet is idle. Its first deployment has nothing to roll back to, its alarms have no data or bad ones, and no task should move
    to another zone during the cutover. So with O(hold) failed deployments are not rolled back, alarms wait and zones are not rebalanced.
  - No member that is set here starts a deployment.
  - Alarms that a person named in the configuration of a service stay in it. Of a service to which a person gave another deployment strategy than C(ROLLING)
    the configuration is left alone. A service without the wanted tag C(cutover:system) is left alone, an alarm of a
    wanted name without it is refused.
options:
  deployments:
    description: Section C(deployments) of the plan.
    type: list
    elements: dict
    required: true
    suboptions:
      service:
        description: Name of the service.
        type: str
        required: true
      cluster:
        description: Name of its cluster.
        type: str
        required: true
      held:
        description: What is set with O(hold), by C(deployment_configuration), as UpdateService takes it, and C(availability_zone_rebalancing).
        type: dict
        required: true
      serving:
        description: The same without O(hold).
        type: dict
        required: true
      alarms:
        description:
          - Alarms that are made for the service's deployments. C(settings) are members of PutMetricAlarm.
          - In the place of a dimension's value there may be C({load_balancer}) or C({target_group}) with a name, also below metric math.
          - C(actions) has lists of ARNs under C(AlarmActions), C(OKActions) and C(InsufficientDataActions).
        type: list
        elements: dict
      tags:
        description: Tags that the service must carry; only C(cutover:system) is looked at.
        type: dict
  hold:
    description: Whether the services are held, because the target does not serve.
    type: bool
    required: true
  create:
    description:
      - Whether missing alarms are made, and a missing service is an error.
      - With V(false) only what exists is set, and only alarms that exist are named.
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
  - Needs the permissions ecs:DescribeServices and ecs:UpdateService. With alarms also cloudwatch:DescribeAlarms, cloudwatch:ListTagsForResource,
    cloudwatch:PutMetricAlarm, cloudwatch:TagResource, elasticloadbalancing:DescribeLoadBalancers and elasticloadbalancing:DescribeTargetGroups.
seealso:
  - name: How CloudWatch alarms detect Amazon ECS deployment failures
    description: What an alarm decides, and how long a deployment goes on while it is watched.
    link: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Watch the deployments of the web service by its errors, once it serves
  cutover.fargate.fargate_deployments:
    region: eu-west-1
    hold: true
    deployments:
      - service: web
        cluster: shop-fargate
        held:
          deployment_configuration:
            minimumHealthyPercent: 100
            maximumPercent: 200
            deploymentCircuitBreaker: {enable: true, rollback: false}
            alarms: {alarmNames: [shop-errors-fargate], enable: false, rollback: true}
          availability_zone_rebalancing: DISABLED
        serving:
          deployment_configuration:
            minimumHealthyPercent: 100
            maximumPercent: 200
            deploymentCircuitBreaker: {enable: true, rollback: true}
            alarms: {alarmNames: [shop-errors-fargate], enable: true, rollback: true}
          availability_zone_rebalancing: ENABLED
        alarms:
          - name: shop-errors-fargate
            settings:
              Namespace: AWS/ApplicationELB
              MetricName: HTTPCode_Target_5XX_Count
              Dimensions:
                - Name: LoadBalancer
                  Value: {load_balancer: shop-fargate}
              Statistic: Sum
              Period: 60
              EvaluationPeriods: 2
              Threshold: 10
              ComparisonOperator: GreaterThanThreshold
              TreatMissingData: notBreaching
            actions:
              AlarmActions: [arn:aws:sns:eu-west-1:123456789012:operations]
            tags:
              cutover:system: shop
        tags:
          cutover:system: shop
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) changed, in plain words. Also returned when the module fails half-way.
  returned: always
  type: list
  elements: str
  sample: ["create alarm shop-errors-fargate"]
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.deployments import run

TEXT = {"type": "str", "required": True}
STATE = {"type": "dict", "required": True}
DEPLOYMENT = {
    "service": TEXT,
    "cluster": TEXT,
    "held": STATE,
    "serving": STATE,
    "alarms": {"type": "list", "elements": "dict"},
    "tags": {"type": "dict"},
}
ARGUMENT_SPEC = {
    "deployments": {"type": "list", "elements": "dict", "required": True, "options": DEPLOYMENT},
    "hold": {"type": "bool", "required": True},
    "create": {"type": "bool", "default": True},
}


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
