#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: source_capacity
version_added: 0.1.0
short_description: Bring the idle source to zero, or back to its remembered numbers
description:
  - With O(state=idle) the ECS services get desired count 0, and when their tasks have ended the Auto Scaling groups get
    minimum and desired capacity 0.
    Scaling is suspended on both.
  - Services that O(schedulers) names change hands. With O(state=idle) the source's are stopped before all else, and when each of their tasks is STOPPED the
    target's get their number. With O(state=running) the target's are stopped first, and the source's start when each task is STOPPED. At no moment can
    both run, whenever a run is killed and whatever is run next.
  - With O(state=running) the Auto Scaling groups, then the services, get their remembered numbers back, and scaling is resumed.
  - The numbers are remembered as tags (C(cutover:desired-count) on a service, C(cutover:capacity) on a group), so that the way back
    needs no file of an earlier run.
options:
  state:
    description: Where to bring the source.
    type: str
    choices: [idle, running]
    required: true
  system:
    description: Name of the system, the value of the tag C(cutover:system).
    type: str
    required: true
  cluster:
    description: Name of the source's ECS cluster.
    type: str
  services:
    description: The source's services. Each has a C(name).
    type: list
    elements: dict
    default: []
  schedulers:
    description: Services of the target that may not run while the source's of the same name does. They must carry the tag C(cutover:system).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the service, on both sides.
        type: str
        required: true
      cluster:
        description: Name of the target's cluster.
        type: str
        required: true
      desired_count:
        description: How many tasks it gets.
        type: int
        required: true
  auto_scaling_groups:
    description: The source's Auto Scaling groups. Each has a C(name); one with C(restore_only) is left alone by C(idle), since others use it now.
    type: list
    elements: dict
    default: []
  delete_volumes:
    description: Delete EBS volumes that outlived the source's instances. They are always reported.
    type: bool
    default: false
  wait_timeout:
    description: How long to wait, in seconds.
    type: float
    default: 1200
  poll_seconds:
    description: Pause between two looks, in seconds.
    type: float
    default: 10
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
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - Needs the permissions ecs:DescribeServices, ecs:DescribeTasks, ecs:ListContainerInstances, ecs:ListTasks, ecs:UpdateService, ecs:TagResource,
    ecs:UntagResource,
    autoscaling:DescribeAutoScalingGroups, UpdateAutoScalingGroup, SuspendProcesses, ResumeProcesses, SetInstanceProtection, CreateOrUpdateTags and DeleteTags,
    application-autoscaling:DescribeScalableTargets and RegisterScalableTarget, ec2:DescribeVolumes, ec2:CreateTags and, when asked, ec2:DeleteVolume.
  - An action plugin of the same name runs the work in the controller's process and prints each change of state as it happens.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Bring the source to zero
  cutover.fargate.source_capacity:
    region: eu-west-1
    state: idle
    system: shop
    cluster: shop
    services: [{name: web}, {name: worker}, {name: scheduler}]
    schedulers: [{name: scheduler, cluster: shop-fargate, desired_count: 1}]
    auto_scaling_groups: [{name: shop}]
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) done, in plain words.
  returned: always
  type: list
  elements: str
  sample: ["set the desired count of service web to 0", "set Auto Scaling group shop to min=0,desired=0"]
leftover_volumes:
  description: EBS volumes of the source that no instance has any more.
  returned: always
  type: list
  elements: dict
  sample: [{"volume_id": "vol-0123456789abcdef0", "size_gib": 30, "zone": "eu-west-1a"}]
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._capacity.apply import ARGUMENT_SPEC, run


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
