#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: fargate_load_balancer
version_added: 0.1.0
short_description: Create or update the Application Load Balancer of a Fargate target
description:
  - Makes sure that the load balancer, its target groups, listeners, certificates, attributes, rules and its web ACL are as planned, and waits until
    it is active.
  - Compares field by field and changes only what differs. Killed at any point, the next run completes.
  - Registers and deregisters no target. Removes nothing. Listeners, rules and certificates that the plan does not name stay and are told in RV(extra).
  - Refuses, before the first write, when a load balancer or a target group of that name exists without the tag C(cutover:system) of this system,
    or with a scheme, VPC, target type, protocol or port that AWS can't change.
options:
  load_balancer:
    description: Section C(load_balancer) of the plan.
    type: dict
    required: true
    suboptions:
      name:
        description: Name of the load balancer.
        type: str
        required: true
      scheme:
        description: V(internet-facing) or V(internal).
        type: str
      ip_address_type:
        description: V(ipv4), V(dualstack) or V(dualstack-without-public-ipv4).
        type: str
      subnets:
        description: Ids of the subnets, one in each availability zone.
        type: list
        elements: str
        required: true
      security_groups:
        description: Ids of the load balancer's security groups.
        type: list
        elements: str
      attributes:
        description: Load balancer attributes by key. C(deletion_protection.enabled) is governed by O(load_balancer.deletion_protection).
        type: dict
      web_acl_arn:
        description: ARN of the regional AWS WAF web ACL to associate.
        type: str
      deletion_protection:
        description: Whether to protect the load balancer when all else is done. It is never taken away.
        type: bool
        default: false
      tags:
        description: Tags of the load balancer.
        type: dict
      target_groups:
        description: The target groups.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the target group.
            type: str
            required: true
          source_arn:
            description: ARN of the target group of the source that it stands for, for readers.
            type: str
          protocol:
            description: V(HTTP) or V(HTTPS).
            type: str
          protocol_version:
            description: V(HTTP1), V(HTTP2) or V(GRPC).
            type: str
          port:
            description: Port of the targets.
            type: int
          vpc_id:
            description: The VPC of the targets.
            type: str
          target_type:
            description: V(ip) for Fargate.
            type: str
            default: ip
          ip_address_type:
            description: V(ipv4) or V(ipv6).
            type: str
          health_check:
            description: Members of CreateTargetGroup that concern the health check (C(HealthCheckPath), C(Matcher) ...).
            type: dict
          attributes:
            description: Target group attributes by key.
            type: dict
          tags:
            description: Tags of the target group.
            type: dict
      listeners:
        description: The listeners, each with a port of its own.
        type: list
        elements: dict
        suboptions:
          port:
            description: Port of the listener.
            type: int
            required: true
          protocol:
            description: V(HTTP) or V(HTTPS).
            type: str
            required: true
          ssl_policy:
            description: Name of the security policy.
            type: str
          certificate_arn:
            description: ARN of the default certificate.
            type: str
          sni_certificate_arns:
            description: ARNs of the certificates for other names.
            type: list
            elements: str
          alpn_policy:
            description: ALPN policy.
            type: list
            elements: str
          mutual_authentication:
            description: MutualAuthenticationAttributes of the API.
            type: dict
          attributes:
            description: Listener attributes by key.
            type: dict
          default_actions:
            description: Actions of the API. Forward actions name target groups by C(TargetGroupName).
            type: list
            elements: dict
            required: true
          rules:
            description: The rules.
            type: list
            elements: dict
            suboptions:
              priority:
                description: Priority of the rule.
                type: int
                required: true
              conditions:
                description: Conditions of the API.
                type: list
                elements: dict
                required: true
              actions:
                description: Actions of the API. Forward actions name target groups by C(TargetGroupName).
                type: list
                elements: dict
                required: true
              transforms:
                description: Transforms of the API.
                type: list
                elements: dict
              tags:
                description: Tags of the rule.
                type: dict
          tags:
            description: Tags of the listener.
            type: dict
  wait_timeout:
    description: For how many seconds to wait until the load balancer is active. AWS takes one to three minutes.
    type: float
    default: 600
  poll_seconds:
    description: Seconds between two looks.
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
    details: Works before anything exists; ids that AWS will give are shown as C((known after apply)).
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - community.aws.elb_target_group deregisters every registered target on a re-run unless C(modify_targets=false) is given, and has no check mode.
  - amazon.aws.elb_application_lb purges listeners and rules by default, compares weighted forward actions only by target group, and in some
    versions fails on rules of a listener that it creates in the same run.
  - Needs the permissions elasticloadbalancing:Describe*, elasticloadbalancing:CreateLoadBalancer, elasticloadbalancing:CreateTargetGroup,
    elasticloadbalancing:CreateListener, elasticloadbalancing:CreateRule, elasticloadbalancing:Modify*, elasticloadbalancing:Set*,
    elasticloadbalancing:AddListenerCertificates, elasticloadbalancing:AddTags and, with a web ACL, wafv2:GetWebACLForResource, wafv2:AssociateWebACL
    and elasticloadbalancing:SetWebACL.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Create the load balancer
  cutover.fargate.fargate_load_balancer:
    region: eu-west-1
    load_balancer:
      name: shop-fargate
      scheme: internet-facing
      subnets: [subnet-0a, subnet-0b]
      security_groups: [sg-0123456789abcdef0]
      attributes:
        idle_timeout.timeout_seconds: "60"
      tags:
        cutover:system: shop
      target_groups:
        - name: shop-web-fargate
          protocol: HTTP
          port: 80
          vpc_id: vpc-0a1b2c3d
          health_check:
            HealthCheckPath: /up
            Matcher:
              HttpCode: "200"
          tags:
            cutover:system: shop
      listeners:
        - port: 443
          protocol: HTTPS
          ssl_policy: ELBSecurityPolicy-TLS13-1-2-2021-06
          certificate_arn: arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555
          default_actions:
            - Type: forward
              ForwardConfig:
                TargetGroups:
                  - TargetGroupName: shop-web-fargate
                    Weight: 1
          tags:
            cutover:system: shop
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) changed, in plain words. Also returned when the module fails half-way.
  returned: always
  type: list
  elements: str
  sample: [create load balancer shop-fargate]
load_balancer:
  description: The load balancer.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: success
      sample: shop-fargate
    arn:
      description: Its ARN, or C((known after apply)).
      type: str
      returned: success
      sample: arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop-fargate/50dc6c495c0c9188
    dns_name:
      description: Its DNS name.
      type: str
      returned: success
      sample: shop-fargate-1234567890.eu-west-1.elb.amazonaws.com
    canonical_hosted_zone_id:
      description: The hosted zone that alias records to it name.
      type: str
      returned: success
      sample: Z32O12XQLNTSW2
    target_groups:
      description: ARNs of the target groups by name.
      type: dict
      returned: success
      sample: {"shop-web-fargate": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-web-fargate/73e2d6bc24d8a067"}
extra:
  description: What exists on the load balancer and is not in the plan. It was left alone.
  returned: success
  type: list
  elements: str
  sample: [rule 20 of listener 443 is not in the plan]
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._elbv2.load_balancer import run
from ansible_collections.cutover.fargate.plugins.module_utils._translate.secrets import mask

TEXT = {"type": "str"}
NUMBER = {"type": "int"}
DICT = {"type": "dict"}
NAME = {"type": "str", "required": True}
TEXTS = {"type": "list", "elements": "str"}
SHAPES = {"type": "list", "elements": "dict", "required": True}

TARGET_GROUP = {
    "name": NAME,
    "source_arn": TEXT,
    "protocol": TEXT,
    "protocol_version": TEXT,
    "port": NUMBER,
    "vpc_id": TEXT,
    "target_type": {"type": "str", "default": "ip"},
    "ip_address_type": TEXT,
    "health_check": DICT,
    "attributes": DICT,
    "tags": DICT,
}
RULE = {
    "priority": {"type": "int", "required": True},
    "conditions": SHAPES,
    "actions": SHAPES,
    "transforms": {"type": "list", "elements": "dict"},
    "tags": DICT,
}
LISTENER = {
    "port": {"type": "int", "required": True},
    "protocol": NAME,
    "ssl_policy": TEXT,
    "certificate_arn": TEXT,
    "sni_certificate_arns": TEXTS,
    "alpn_policy": TEXTS,
    "mutual_authentication": DICT,
    "attributes": DICT,
    "default_actions": SHAPES,
    "rules": {"type": "list", "elements": "dict", "options": RULE},
    "tags": DICT,
}
LOAD_BALANCER = {
    "name": NAME,
    "scheme": TEXT,
    "ip_address_type": TEXT,
    "subnets": {"type": "list", "elements": "str", "required": True},
    "security_groups": TEXTS,
    "attributes": DICT,
    "web_acl_arn": TEXT,
    "deletion_protection": {"type": "bool", "default": False},
    "tags": DICT,
    "target_groups": {"type": "list", "elements": "dict", "options": TARGET_GROUP},
    "listeners": {"type": "list", "elements": "dict", "options": LISTENER},
}

# A sign-in action holds a client secret: not for syslog.
ARGUMENT_SPEC = {
    "load_balancer": {"type": "dict", "required": True, "no_log": True, "options": LOAD_BALANCER},
    "wait_timeout": {"type": "float", "default": 600},
    "poll_seconds": {"type": "float", "default": 5},
}


def main() -> None:
    run_module(run, ARGUMENT_SPEC, mask=mask)


if __name__ == "__main__":
    main()
