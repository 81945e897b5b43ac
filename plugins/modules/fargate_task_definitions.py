#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: fargate_task_definitions
version_added: 0.1.0
short_description: Register task definitions for Fargate when they differ
description:
  - Registers a new revision if, and only if, the newest active revision of the family says something else. Both are brought to a normal form first,
    so defaults and the order in which AWS returns things make no difference, and every member that means something does.
  - A revision that only lacks tags is tagged.
  - Values that look like secrets are hidden in the diff; that such a value changes is shown.
options:
  task_definitions:
    description:
      - Section C(task_definitions) of the plan. Each entry is exactly the arguments of RegisterTaskDefinition.
    type: list
    elements: dict
    required: true
  images:
    description:
      - Section C(image.images) of the plan. A container gets the derived image when it is in its repository, and the image that it has now when nothing in
        that needs a change. Without it the images of O(task_definitions) are taken as they are.
    type: list
    elements: dict
    default: []
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
  - community.aws.ecs_taskdefinition does not see a change of C(cpu), C(memory), roles, network mode, runtime platform, environment values, command or
    port mappings (it answers C(changed=false) and keeps the old revision), and knows neither tags nor ephemeral storage.
  - Fails when the family is in use by a task definition for EC2 that is not ours, so that the source's own family is never touched.
  - A derived image that is not there stops the registration when its source needs one. To see that, the source is read once more,
    as by M(cutover.fargate.ecr_image). In check mode it is not, and the derived image is shown.
  - Needs the permissions ecs:DescribeTaskDefinition, ecs:RegisterTaskDefinition, ecs:TagResource and iam:PassRole for the roles that are named;
    with O(images) also ecr:DescribeImages, and for those that are not derived ecr:GetAuthorizationToken, ecr:DescribeRepositories, ecr:BatchGetImage and
    ecr:GetDownloadUrlForLayer.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Register the task definitions
  cutover.fargate.fargate_task_definitions:
    region: eu-west-1
    task_definitions:
      - family: shop-web-fargate
        requiresCompatibilities: [FARGATE]
        networkMode: awsvpc
        cpu: "512"
        memory: "1024"
        executionRoleArn: arn:aws:iam::123456789012:role/ecsTaskExecutionRole
        containerDefinitions:
          - name: nginx
            image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/nginx-fargate:v1-fargate
            portMappings:
              - containerPort: 80
        tags:
          - key: cutover:system
            value: shop
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) changed, in plain words. Also returned when the module fails half-way.
  returned: always
  type: list
  elements: str
  sample: [register task definition shop-web-fargate]
task_definitions:
  description: One entry for each family.
  returned: success
  type: list
  elements: dict
  contains:
    family:
      description: Name of the family.
      type: str
      returned: success
      sample: shop-web-fargate
    arn:
      description: ARN of the newest active revision, or C((known after apply)).
      type: str
      returned: success
      sample: arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-web-fargate:1
    registered:
      description: Whether this run registered (or in check mode would register) it.
      type: bool
      returned: success
      sample: true
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.task_definitions import run
from ansible_collections.cutover.fargate.plugins.module_utils._translate.secrets import mask

# Environment values may be secrets: not for syslog.
ARGUMENT_SPEC = {
    "task_definitions": {"type": "list", "elements": "dict", "required": True, "no_log": True},
    "images": {"type": "list", "elements": "dict", "default": []},
}


def main() -> None:
    run_module(run, ARGUMENT_SPEC, mask=mask)


if __name__ == "__main__":
    main()
