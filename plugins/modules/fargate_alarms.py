#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: fargate_alarms
version_added: 0.1.0
short_description: Create or update the alarms of a Fargate target
description:
  - Makes sure that the alarms exist that a system must have. One watches the number of healthy targets behind the load balancer, one the number of
    running tasks of a service.
  - An alarm goes off after three minutes below its threshold. Missing data counts as below; not for V(missing_tasks), since without tasks there may be none.
options:
  alarms:
    description: Section C(alarms) of the plan.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the alarm.
        type: str
        required: true
      kind:
        description:
          - V(healthy_hosts) watches C(HealthyHostCount) of O(alarms[].target_group) behind O(alarms[].load_balancer).
          - V(running_tasks) watches Container Insights' C(RunningTaskCount) of O(alarms[].service) in O(alarms[].cluster).
          - V(missing_tasks) watches how far it is below C(DesiredTaskCount). It is silent about a service that is meant to have no task.
        type: str
        choices: [healthy_hosts, running_tasks, missing_tasks]
        required: true
      load_balancer:
        description: Name of the load balancer.
        type: str
      target_group:
        description: Name of the target group.
        type: str
      cluster:
        description: Name of the cluster.
        type: str
      service:
        description: Name of the service.
        type: str
      threshold:
        description: The alarm goes off below it; V(missing_tasks) when it is reached.
        type: float
        required: true
      alarm_actions:
        description: ARNs of what is told, for example an SNS topic.
        type: list
        elements: str
      tags:
        description: Tags of the alarm. C(cutover:system) marks it as ours.
        type: dict
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
  - amazon.aws.cloudwatch_metric_alarm takes dimensions, not names, so it can't plan an alarm on a load balancer that does not exist yet; and it shows no diff.
  - Fails when an alarm of that name exists without our tag.
  - Needs the permissions cloudwatch:DescribeAlarms, cloudwatch:ListTagsForResource, cloudwatch:PutMetricAlarm, cloudwatch:TagResource,
    elasticloadbalancing:DescribeLoadBalancers and elasticloadbalancing:DescribeTargetGroups.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Create the alarms
  cutover.fargate.fargate_alarms:
    region: eu-west-1
    alarms:
      - name: shop-fargate-healthy-hosts
        kind: healthy_hosts
        load_balancer: shop-fargate
        target_group: shop-web-fargate
        threshold: 1
        alarm_actions: ["arn:aws:sns:eu-west-1:123456789012:operations"]
        tags:
          cutover:system: shop
      - name: shop-fargate-worker-running-tasks
        kind: running_tasks
        cluster: shop-fargate
        service: worker
        threshold: 1
        tags:
          cutover:system: shop
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) changed, in plain words. Also returned when the module fails half-way.
  returned: always
  type: list
  elements: str
  sample: [create alarm shop-fargate-healthy-hosts]
alarms:
  description: Names of the alarms.
  returned: success
  type: list
  elements: str
  sample: [shop-fargate-healthy-hosts]
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._cloudwatch.alarms import run

ARGUMENT_SPEC = {
    "alarms": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "kind": {"type": "str", "choices": ["healthy_hosts", "running_tasks", "missing_tasks"], "required": True},
            "load_balancer": {"type": "str"},
            "target_group": {"type": "str"},
            "cluster": {"type": "str"},
            "service": {"type": "str"},
            "threshold": {"type": "float", "required": True},
            "alarm_actions": {"type": "list", "elements": "str"},
            "tags": {"type": "dict"},
        },
        "required_if": [
            ("kind", "healthy_hosts", ("load_balancer", "target_group")),
            *(("kind", kind, ("cluster", "service")) for kind in ("running_tasks", "missing_tasks")),
        ],
    },
}


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
