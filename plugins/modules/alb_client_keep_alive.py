#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: alb_client_keep_alive
version_added: 0.1.0
short_description: Lower or restore how long clients may keep a connection to a load balancer
description:
  - Clients with an open connection never ask DNS again, so they stay on the load balancer that traffic is leaving. Lowering C(client_keep_alive.seconds)
    before a cutover lets them go soon.
  - The value that was is remembered as the tag C(cutover:client-keep-alive) on the load balancer, and restored from there.
options:
  load_balancer:
    description: Name of the load balancer. When it does not exist there is nothing to do.
    type: str
    required: true
  state:
    description: V(lowered) sets O(seconds) unless the value is lower already. V(restored) sets what the tag remembers, and removes the tag.
    type: str
    choices: [lowered, restored]
    default: lowered
  seconds:
    description: The value while lowered, 60 to 604800.
    type: int
    default: 60
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
  - Needs the permissions elasticloadbalancing:DescribeLoadBalancers, DescribeLoadBalancerAttributes, DescribeTags,
    ModifyLoadBalancerAttributes, AddTags and RemoveTags.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Let clients of the old load balancer go soon
  cutover.fargate.alb_client_keep_alive:
    region: eu-west-1
    load_balancer: shop
    state: lowered
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) done, in plain words.
  returned: always
  type: list
  elements: str
  sample: ["remember client_keep_alive.seconds = 3600 of load balancer shop", "change client_keep_alive.seconds of load balancer shop from 3600 to 60"]
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._elbv2.keep_alive import ARGUMENT_SPEC, run


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
