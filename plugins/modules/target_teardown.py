#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: target_teardown
version_added: 0.1.0
short_description: Remove the Fargate target of a system whose source serves
description:
  - Removes what the roles of this collection made of the target, in an order that AWS accepts, and revokes the rules that were added to other security groups.
    Afterwards the account is as it was before the migration began; the migration can begin anew at any time.
  - Nothing at all is removed unless O(confirm) is the name of the system, every record leads to the source's load balancer, the target's load balancer was
    silent for O(silence_seconds), and nobody else runs in the target's cluster, is in its namespace of Service Connect, uses its target groups,
    registers in its Cloud Map services or names its security group.
  - Only what carries the tag C(cutover:system) with the name of the system is removed. RV(kept) tells what has a target's name and stays.
    The execution role stays always, because other task definitions may use a role of its name by now.
  - Everything is looked up by name, so a killed run is finished by another.
options:
  system:
    description: Name of the system.
    type: str
    required: true
  confirm:
    description: Must be the name of the system.
    type: str
  source_load_balancer:
    description: Name of the load balancer that every record must lead to.
    type: str
  record_sets:
    description: The records of the system, as C(discover_plan.dns.record_sets) lists them.
    type: list
    elements: dict
    default: []
  vpc_id:
    description: Id of the VPC of O(security_group).
    type: str
    required: true
  cluster:
    description: Name of the target's cluster. All services of the system in it are removed, with their tasks and their Application Auto Scaling.
    type: str
    required: true
  load_balancer:
    description: Name of the target's load balancer.
    type: str
    required: true
  security_group:
    description: Name of the tasks' security group. Rules of other groups that name it are revoked when they carry the system's tag.
    type: str
    required: true
  target_groups:
    description: Names of the target's target groups.
    type: list
    elements: str
    default: []
  families:
    description: Families of the target's task definitions. All their active revisions are deregistered.
    type: list
    elements: str
    default: []
  alarms:
    description: Names of the target's alarms.
    type: list
    elements: str
    default: []
  registries:
    description: The Cloud Map services of the target, by C(namespace_id) and C(name).
    type: list
    elements: dict
    default: []
  repositories:
    description: Names of the ECR repositories of the target's images.
    type: list
    elements: str
    default: []
  namespaces:
    description: Names of the namespaces of Service Connect that were made for the target.
    type: list
    elements: str
    default: []
  log_groups:
    description: Names of the target's log groups. They hold history, so leave them out to keep them.
    type: list
    elements: str
    default: []
  silence_seconds:
    description: How long the target's load balancer must have been silent, in seconds. The probes of a verification count as requests.
    type: float
    default: 900
  metric_delay:
    description: How late CloudWatch hears of a request, in seconds.
    type: float
    default: 120
  metric_period:
    description: Period of the metric, in seconds.
    type: int
    default: 60
  max_requests:
    description: How many requests in the window still count as silence.
    type: int
    default: 0
  wait_timeout:
    description: How long to wait until the tasks have stopped, in seconds.
    type: float
    default: 900
  poll_seconds:
    description: Pause between two looks, in seconds.
    type: float
    default: 5
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
  - An action plugin of the same name runs the work in the controller's process and tells of each removal as it happens.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Remove the target
  cutover.fargate.target_teardown:
    region: eu-west-1
    system: shop
    confirm: shop
    source_load_balancer: shop
    record_sets: "{{ discover_plan.dns.record_sets }}"
    vpc_id: "{{ discover_plan.security.vpc_id }}"
    cluster: shop-fargate
    load_balancer: shop-fargate
    security_group: shop-fargate
    target_groups: [shop-web-fargate]
    families: [shop-web-fargate, shop-worker-fargate]
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) done, in plain words.
  returned: always
  type: list
  elements: str
  sample: ["delete service web", "delete load balancer shop-fargate", "revoke security group rule of sg-0b1, ingress from shop-fargate (tcp 3306)"]
items:
  description: What existed of the target, and carries the system's tag, when the module looked.
  returned: always
  type: list
  elements: dict
  sample: [{"kind": "service", "id": "arn:aws:ecs:eu-west-1:123456789012:service/shop-fargate/web", "name": "web"}]
kept:
  description: What has a name of the target's and stays, with the reason.
  returned: always
  type: list
  elements: str
  sample: ["repository shop does not carry the tag cutover:system=shop"]
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._teardown.target import ARGUMENT_SPEC, run


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
