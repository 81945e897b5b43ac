#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: fargate_execution_role
version_added: 0.1.0
short_description: Create the execution role of tasks on Fargate
description:
  - Makes sure that the role exists, that tasks may assume it, and that its managed policies are attached. Policies are never detached.
  - A role of that name that does not carry the tag C(cutover:system) of this system is used as it is and never changed; RV(notes) tells what it lacks.
options:
  execution_role:
    description: Section C(execution_role) of the plan.
    type: dict
    required: true
    suboptions:
      name:
        description: Name of the role.
        type: str
        required: true
      arn:
        description: ARN of the role when it exists, for readers.
        type: str
      managed_policy_arns:
        description: ARNs of the managed policies it must have.
        type: list
        elements: str
      assume_role_policy:
        description: The trust policy.
        type: dict
        required: true
      tags:
        description: Tags of the role. C(cutover:system) marks it as ours.
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
  - amazon.aws.iam_role would set trust policy and tags of a role that others use too, and creates an instance profile unless an option that is to be removed
    says no.
  - IAM is eventually consistent. M(cutover.fargate.fargate_task_definitions) and M(cutover.fargate.fargate_services) wait for a role that was just created.
  - Needs the permissions iam:GetRole, iam:ListAttachedRolePolicies, iam:CreateRole, iam:TagRole, iam:AttachRolePolicy and iam:UpdateAssumeRolePolicy.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Create the execution role
  cutover.fargate.fargate_execution_role:
    region: eu-west-1
    execution_role:
      name: ecsTaskExecutionRole
      managed_policy_arns: ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"]
      assume_role_policy:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              Service: ecs-tasks.amazonaws.com
            Action: sts:AssumeRole
      tags:
        cutover:system: shop
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) changed, in plain words. Also returned when the module fails half-way.
  returned: always
  type: list
  elements: str
  sample: [create role ecsTaskExecutionRole]
arn:
  description: ARN of the role, or C((known after apply)).
  returned: success
  type: str
  sample: arn:aws:iam::123456789012:role/ecsTaskExecutionRole
notes:
  description: What a person should know of a role that is not ours.
  returned: success
  type: list
  elements: str
  sample: ["Role ecsTaskExecutionRole has no tag cutover:system=shop; it is used as it is."]
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.execution_role import run

ARGUMENT_SPEC = {
    "execution_role": {
        "type": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "arn": {"type": "str"},
            "managed_policy_arns": {"type": "list", "elements": "str"},
            "assume_role_policy": {"type": "dict", "required": True},
            "tags": {"type": "dict"},
        },
    },
}


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
