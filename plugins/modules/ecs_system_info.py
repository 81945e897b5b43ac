#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_system_info
short_description: Read everything about a system on ECS, from its FQDN on
version_added: 0.1.0
author: The cutover.fargate authors (@cutover)
description:
  - Walks from the FQDN over Route 53 record sets to the Application Load Balancer, its listeners, rules and target groups, from there to the ECS
    cluster, services, task definitions, tasks and scaling, to the Auto Scaling groups, instances and launch templates behind them, to security groups, who
    admits them, and to subnets, log groups, image repositories and alarms.
  - Reads both sides by the same code. The I(target) is the load balancer that M(cutover.fargate.fargate_plan) names (or the one the FQDN leads to,
    when it carries the tag C(cutover:source-load-balancer)); the I(source) is the other one.
  - Reads only. The number of calls depends on the system and not on what else is in the account, but for paging of lists that AWS cannot filter
    (record sets of the FQDN's zones, alarms, database instances, cache clusters).
  - What is broken (a task definition that is gone, a target group without service) becomes V(null) and an entry of RV(system.problems).
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
    support: N/A
    details: Nothing is changed.
  idempotent:
    support: full
options:
  name:
    description: Name of the system. In the playbooks it is the inventory host's name. The target's names are computed from it.
    type: str
    required: true
  fqdn:
    description: The name users open. It must be an alias of (or a CNAME to) the system's Application Load Balancer.
    type: str
    required: true
  services:
    description:
      - Names of the ECS services that belong to the system.
      - Without it these are the services that register in the load balancer's target groups, and the services of the same cluster that have no load balancer.
    type: list
    elements: str
  names:
    description: Names of the target that are not to be computed, as mapping from C(load_balancer) and C(cluster) to the name.
    type: dict
notes:
  - The result holds what the task definitions hold, and so often passwords. An action plugin of the same name keeps a successful result off the screen
    and out of callbacks, as C(no_log) does; other than with C(no_log) the reason of a failure is shown. Do not print RV(system) yourself.
seealso:
  - module: cutover.fargate.fargate_plan
"""

EXAMPLES = r"""
- name: Read the system
  cutover.fargate.ecs_system_info:
    name: shop
    fqdn: shop.example.com
    region: eu-west-1
  register: __shop

- name: Show where it stands
  ansible.builtin.debug:
    msg: "{{ __shop.status_lines }}"

# The ALB and the cluster also serve other systems.
- name: Read the two services that belong to the shop
  cutover.fargate.ecs_system_info:
    name: shop
    fqdn: shop.example.com
    region: eu-west-1
    services: [shop-web, shop-worker]
  register: __shop
"""

RETURN = r"""
system:
  description:
    - Both sides of the system in AWS's own shapes. Every key is always there; what does not exist is V(null) or empty.
    - Times are ISO strings, tags and attributes dicts.
  returned: success
  type: dict
  contains:
    name:
      description: O(name).
      type: str
      sample: shop
    fqdn:
      description: O(fqdn) in lower case.
      type: str
      sample: shop.example.com
    region:
      description: The region that was read.
      type: str
      sample: eu-west-1
    account_id:
      description: The account that the credentials belong to.
      type: str
      sample: "123456789012"
    serving:
      description: Where the FQDN's record sets lead. One of V(source), V(target), V(mixed), V(none).
      type: str
      sample: source
    records:
      description: Every record set of the FQDN's zones (public and private, A, AAAA, CNAME, any name) that leads to either load balancer.
      type: list
      elements: dict
      sample: [{zone_id: Z1, zone_name: example.com, private_zone: false, side: source, record_set: {Name: shop.example.com., Type: A}}]
    source:
      description:
        - The side that runs on EC2; V(null) once its load balancer is gone.
        - Keys RV(ignore:load_balancer), RV(ignore:target_groups), RV(ignore:cluster), RV(ignore:services), RV(ignore:other_services), RV(ignore:capacity),
          RV(ignore:security_groups), RV(ignore:subnets), RV(ignore:log_groups), RV(ignore:repositories), RV(ignore:alarms).
      type: dict
    target:
      description: The Fargate side, with the same keys; V(null) before it is built.
      type: dict
    shared:
      description: What on the source's load balancer serves others.
      type: list
      elements: dict
      sample: [{kind: listener_rule, id: "arn:aws:elasticloadbalancing:...", name: "HTTPS:443 priority 20 (admin.example.com)", used_by: [admin]}]
    problems:
      description: What was found broken or could not be read.
      type: list
      elements: dict
      sample: [{id: log-group-missing, path: source.log_groups, message: "Log group /ecs/web, which a task definition names, was not found."}]
status_lines:
  description: Where the system stands, for a person; without secrets.
  returned: success
  type: list
  elements: str
  sample: ["serving    source  (shop.example.com A to source)"]
versions:
  description: Versions of what took part.
  returned: success
  type: dict
  sample: {python: 3.11.7, amazon.aws: 10.1.2, boto3: 1.40.0, botocore: 1.40.0}
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._system.system import ARGUMENT_SPEC, run


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
