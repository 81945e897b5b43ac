#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: fargate_security_groups
version_added: 0.1.0
short_description: Create the security group of a Fargate target and the rules around it
description:
  - Creates the group of the target's services and adds the rules it needs. It only ever adds. No rule is changed or revoked, in no group.
  - A rule that exists already counts as present, whoever wrote it and whatever its description and tags are.
  - Every rule it adds carries a description and the tag C(cutover:system), by which a rollback and the teardown find it again.
options:
  security:
    description: Section C(security) of the plan.
    type: dict
    required: true
    suboptions:
      vpc_id:
        description: The VPC of the target.
        type: str
        required: true
      group:
        description: The group of the target's services.
        type: dict
        required: true
        suboptions:
          name:
            description: Name of the group, unique within the VPC.
            type: str
            required: true
          description:
            description: Description of the group. Used only when it is created; AWS can't change it.
            type: str
          tags:
            description: Tags of the group. C(cutover:system) marks it as ours.
            type: dict
      ingress:
        description: Who may reach the services. Rules of the new group.
        type: list
        elements: dict
        suboptions:
          source_group_id:
            description: The group that is let in. Exactly one of this, O(security.ingress[].prefix_list_id) and O(security.ingress[].itself).
            type: str
          prefix_list_id:
            description: The prefix list that is let in, such as that of VPC Lattice.
            type: str
          itself:
            description: Whether the new group is let in itself, so that the services reach each other.
            type: bool
          protocol:
            description: IP protocol, V(-1) for all.
            type: str
            default: tcp
          from_port:
            description: First port.
            type: int
          to_port:
            description: Last port.
            type: int
          description:
            description: Description of the rule.
            type: str
      grants:
        description: Groups (of the database, the cache ...) that let the services in.
        type: list
        elements: dict
        suboptions:
          group_id:
            description: The group that gets the ingress rule.
            type: str
            required: true
          group_name:
            description: Name of that group, for readers.
            type: str
          protocol:
            description: IP protocol, V(-1) for all.
            type: str
            default: tcp
          from_port:
            description: First port.
            type: int
          to_port:
            description: Last port.
            type: int
          description:
            description: Description of the rule.
            type: str
      load_balancer_egress:
        description: Groups of the load balancer that must let traffic out to the services, because they restrict it.
        type: list
        elements: dict
        suboptions:
          group_id:
            description: The group that gets the egress rule.
            type: str
            required: true
          protocol:
            description: IP protocol, V(-1) for all.
            type: str
            default: tcp
          from_port:
            description: First port.
            type: int
          to_port:
            description: Last port.
            type: int
          description:
            description: Description of the rule.
            type: str
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
  - amazon.aws.ec2_security_group purges rules by default, sleeps 3 s for each new group, can't give a rule tags, and fails
    when the reply to CreateSecurityGroup is lost and the call is sent again.
  - Fails when a group of that name exists in the VPC without our tag.
  - Needs the permissions ec2:DescribeSecurityGroups, ec2:CreateSecurityGroup, ec2:AuthorizeSecurityGroupIngress, ec2:AuthorizeSecurityGroupEgress and
    ec2:CreateTags.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Create the group of the services
  cutover.fargate.fargate_security_groups:
    region: eu-west-1
    security:
      vpc_id: vpc-0a1b2c3d
      group:
        name: shop-fargate
        description: Services of shop on Fargate
        tags:
          cutover:system: shop
      ingress:
        - source_group_id: sg-0123456789abcdef0 # the load balancer's
          from_port: 80
          to_port: 80
          description: shop load balancer to nginx
      grants:
        - group_id: sg-0fedcba9876543210 # the database's
          from_port: 3306
          to_port: 3306
          description: shop on Fargate
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) changed, in plain words. Also returned when the module fails half-way.
  returned: always
  type: list
  elements: str
  sample: ["create security group shop-fargate", "add ingress tcp 3306 to sg-0fedcba9876543210 from shop-fargate"]
group_id:
  description: Id of the group of the services.
  returned: success
  type: str
  sample: sg-0a1b2c3d4e5f60718
rules:
  description: Every rule of the plan.
  returned: success
  type: list
  elements: dict
  contains:
    group_id:
      description: The group that has the rule.
      type: str
      returned: success
      sample: sg-0fedcba9876543210
    direction:
      description: V(ingress) or V(egress).
      type: str
      returned: success
      sample: ingress
    protocol:
      description: IP protocol.
      type: str
      returned: success
      sample: tcp
    from_port:
      description: First port.
      type: int
      returned: success
      sample: 3306
    to_port:
      description: Last port.
      type: int
      returned: success
      sample: 3306
    peer_group_id:
      description: The group at the other end.
      type: str
      returned: success
      sample: sg-0a1b2c3d4e5f60718
    description:
      description: Description in the plan.
      type: str
      returned: success
      sample: shop on Fargate
    state:
      description: V(added) by this run, or V(present) before it.
      type: str
      returned: success
      sample: added
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._ec2.security_groups import run

PORTS = {
    "protocol": {"type": "str", "default": "tcp"},
    "from_port": {"type": "int"},
    "to_port": {"type": "int"},
    "description": {"type": "str"},
}
GROUP_ID = {"type": "str", "required": True}
PEERS = ("source_group_id", "prefix_list_id", "itself")
INGRESS = {"source_group_id": {"type": "str"}, "prefix_list_id": {"type": "str"}, "itself": {"type": "bool"}, **PORTS}

ARGUMENT_SPEC = {
    "security": {
        "type": "dict",
        "required": True,
        "options": {
            "vpc_id": {"type": "str", "required": True},
            "group": {
                "type": "dict",
                "required": True,
                "options": {"name": {"type": "str", "required": True}, "description": {"type": "str"}, "tags": {"type": "dict"}},
            },
            "ingress": {"type": "list", "elements": "dict", "options": INGRESS, "required_one_of": [PEERS], "mutually_exclusive": [PEERS]},
            "grants": {"type": "list", "elements": "dict", "options": {"group_id": GROUP_ID, "group_name": {"type": "str"}, **PORTS}},
            "load_balancer_egress": {"type": "list", "elements": "dict", "options": {"group_id": GROUP_ID, **PORTS}},
        },
    },
}


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
