#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: source_teardown
version_added: 0.1.0
short_description: Delete the source of a migrated system
description:
  - Deletes what the plan lists of the source, in an order that AWS accepts. After this there is no rollback.
  - Nothing at all is deleted unless O(confirm) is the name of the system, the bake time since the cutover is over, every record points to the target,
    and a fresh look shows that nothing else uses any of the items.
  - The list is written to tags of the target's load balancer before the first deletion, so that a killed run can be finished by another.
options:
  system:
    description: Name of the system.
    type: str
    required: true
  confirm:
    description: Must be the name of the system.
    type: str
  target_load_balancer:
    description: Name of the target's load balancer. Its tag C(cutover:cutover-at) tells when the cutover was.
    type: str
    required: true
  target_cluster:
    description: Name of the target's cluster, whose services' images must not be deleted.
    type: str
    required: true
  record_sets:
    description: The records that must point to the target, as C(discover_plan.dns.record_sets) lists them.
    type: list
    elements: dict
    default: []
  schedulers:
    description:
      - The services of the target that only the scale-in gives tasks, as C(discover_plan.scale_in.schedulers) lists them. While one has none, nothing is
        deleted.
    type: list
    elements: dict
    default: []
  items:
    description: What may be deleted, as C(discover_plan.teardown.items) lists it. Each has C(kind), C(id), C(name) and C(detail).
    type: list
    elements: dict
    default: []
  bake_seconds:
    description: How long after the cutover the source must be kept, in seconds.
    type: float
    default: 2592000
  silence_seconds:
    description: How long the source's load balancer must have been silent, in seconds.
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
  - An action plugin of the same name runs the work in the controller's process and tells of each deletion as it happens.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Delete the source
  cutover.fargate.source_teardown:
    region: eu-west-1
    system: shop
    confirm: shop
    target_load_balancer: shop-fargate
    target_cluster: shop-fargate
    record_sets: "{{ discover_plan.dns.record_sets }}"
    items: "{{ discover_plan.teardown['items'] }}"
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) done, in plain words.
  returned: always
  type: list
  elements: str
  sample: ["delete service web", "delete load balancer shop"]
items:
  description: What existed of the source when the module looked.
  returned: always
  type: list
  elements: dict
  sample: [{"kind": "auto_scaling_group", "id": "shop", "name": "shop"}]
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._teardown.teardown import ARGUMENT_SPEC, run


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
