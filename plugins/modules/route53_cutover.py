#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: route53_cutover
version_added: 0.1.0
short_description: Point the records of a system to the other load balancer
description:
  - Changes every given alias record (A and AAAA) to another Application Load Balancer, in one change batch for each hosted zone,
    waits until the change is V(INSYNC), and proves it by the authoritative answer (C(TestDNSAnswer)) for public zones.
  - Moves nothing unless O(verified) names exactly the targets that are registered and healthy behind O(load_balancer) at this moment.
  - Notes the time of the cutover as the tag C(cutover:cutover-at) on the target's load balancer; with O(side=source) (a rollback) the tag is taken away.
options:
  record_sets:
    description:
      - The records, as C(discover_plan.dns.record_sets) lists them. Each has C(zone_id), C(zone_name),
        C(private_zone) and C(record_set) (as Route 53 returned it).
      - Each is read again before it is changed; a record that points to neither load balancer is not overwritten.
    type: list
    elements: dict
    required: true
  load_balancer:
    description: Name of the load balancer that shall receive the traffic.
    type: str
    required: true
  origin:
    description: Name of the load balancer that receives it now.
    type: str
  side:
    description: Which side receives the traffic. V(target) is a cutover, V(source) a rollback.
    type: str
    choices: [target, source]
    required: true
  verified:
    description: What M(cutover.fargate.health_verify) returned as C(verified) in this run. Without it nothing is changed.
    type: dict
    default: {}
  wait_timeout:
    description: How long to wait, in seconds.
    type: float
    default: 600
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
  - Needs the permissions route53:ListResourceRecordSets, route53:ChangeResourceRecordSets, route53:GetChange, route53:TestDNSAnswer,
    elasticloadbalancing:DescribeLoadBalancers, DescribeTags, DescribeTargetHealth, AddTags and RemoveTags, and ec2:DescribeNetworkInterfaces.
  - An action plugin of the same name runs the work in the controller's process and prints each change of state as it happens.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Move the traffic to the target
  cutover.fargate.route53_cutover:
    region: eu-west-1
    side: target
    load_balancer: shop-fargate
    origin: shop
    record_sets: "{{ discover_plan.dns.record_sets }}"
    verified: "{{ verify_result.verified }}"
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) done, in plain words.
  returned: always
  type: list
  elements: str
  sample: ["point shop.example.com. A to shop-fargate-1234567890.eu-west-1.elb.amazonaws.com."]
answers:
  description: The authoritative answer for each A record of a public zone.
  returned: when not in check mode
  type: list
  elements: dict
  sample: [{"name": "shop.example.com.", "type": "A", "answer": ["203.0.113.10"], "name_server": "ns-1.awsdns-01.org"}]
serving:
  description: Name of the load balancer that the records point to.
  returned: always
  type: str
  sample: shop-fargate
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._route53.cutover import ARGUMENT_SPEC, run


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
