#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: fargate_plan
short_description: Compute what the Fargate side of a system must be
version_added: 0.1.0
description:
  - Translates a system that runs on ECS on EC2 instances, as M(cutover.fargate.ecs_system_info) finds it, into everything that its Fargate side must be,
    before anything is written.
  - Nothing is asked of AWS. The same system and intent always give the same plan.
  - What can't be translated, or changes its behaviour, is a finding with its reason and its fix; docs/guide/findings.md lists all of them.
    A finding never ends the module; the caller looks at RV(blockers).
options:
  system:
    description:
      - The result RV(cutover.fargate.ecs_system_info#module:system) of M(cutover.fargate.ecs_system_info). It holds secrets (environment values).
    type: dict
    required: true
  intent:
    description:
      - What the inventory wants, as C(fargate_<key>) without the prefix. Every key is optional; keys that are not listed here are for other roles and
        ignored.
      - C(system) (str) - Name of the system, the inventory host's. Without it O(system) tells.
      - C(fqdn) (str) - The name that clients use. Without it O(system) tells.
      - C(region) (str) - The region. Without it O(system) tells.
      - C(names) (dict) - Names of the target - C(cluster), C(load_balancer), C(security_group), C(execution_role). The defaults are
        C(<system>-fargate) and C(ecsTaskExecutionRole). Names that follow from the source's, each as a mapping from the source's name to the target's
        - C(target_groups), C(families), C(log_groups), C(repositories), C(namespaces), C(cloud_map_services). The defaults are the source's names with
        C(-fargate).
      - C(services) (list) - The services that belong to the system. Discovery reads only these.
      - C(images) (dict) - Container name to image. The container gets this image, and none is derived for it.
      - C(peer_variables) (list) - Environment variables that hold the address of a linked container although their names do not say so.
      - C(host_variables) (list) - Variables of the Nginx confs that hold nothing but hosts.
      - C(image_platforms) (list) - More platforms to keep of multi-platform images, such as V(linux/arm64), or V(all).
      - C(sizes) (dict) - Service name to C({cpu, memory}) of its task. Without it the smallest one that holds what CloudWatch measured, else
        what the containers declare.
      - C(measured) (dict) - Service name to C({cpu, memory}), the most that one of its tasks used. It decides the size, but never below what the
        containers reserve.
      - C(headroom) (float) - Factor on what was measured, at least 1. The default is 1.3.
      - C(size_table) (dict) - CPU units to a list of MiB. Replaces the built-in table of the sizes that Fargate sells.
      - C(architecture) (str) - C(x86_64) or C(arm64), where neither task definition nor instances tell.
      - C(desired_count) (raw) - Number of tasks of every service, or service name to number. Without it the source's, as remembered at scale-in or as
        wanted now. A scheduler waits at 0 for scale_in, or stays at 0 where the source has none, unless its own name is given.
      - C(availability_zone_rebalancing) (raw) - V(ENABLED) or V(DISABLED), or service name to one of them. Whether ECS balances the tasks over the zones
        once the target serves; the default is V(ENABLED).
      - C(subnets) (list) - Subnets of the tasks. Without it those of the source's services with awsvpc, else those of the Auto Scaling groups, else the
        instances'. Only zones that the load balancer is enabled in are used.
      - C(assign_public_ip) (bool) - Whether tasks get public addresses. Without it they do where the default route of a subnet leads to an internet
        gateway.
      - C(grants) (list) - More security groups that must admit the tasks, beside those that admit the instances. Each is C({group_id, port}) or
        C({group_id, protocol, from_port, to_port}).
      - C(volumes) (dict) - Volume name to where a path of the instance lives from now on. V(ephemeral) ends with the task; V(drop) removes the volume
        and its mount points; C({efs, root_directory, access_point, iam}) mounts an EFS file system.
      - C(vpc_lattice_target_groups) (dict) - ARN of a VPC Lattice target group of the source to the ARN of the one of type IP that the tasks are registered in.
      - C(stop_timeout) (dict) - Container name to seconds (2 to 120) between SIGTERM and SIGKILL, where the source waits longer than Fargate does.
      - C(task_role_arn) (raw) - Task role for every task definition, or service name to role.
      - C(execution_role) (str) - ARN of an existing execution role, or the name of one that is created when it doesn't exist. Without it definitions
        keep theirs.
      - C(log_retention_days) (int) - Retention of the new log groups. Without it as the old ones.
      - C(container_insights) (str) - V(enabled), V(enhanced) or V(disabled) on the new cluster. Without it as on the old one, but at least enabled.
      - C(service_connect_namespace) (raw) - Namespace of Service Connect that the target's services join instead of one of their own, or source's
        namespace to namespace. It is made when it doesn't exist.
      - C(service_registries) (dict) - Service name to the ARN of an existing Cloud Map service that its tasks register in, or C(none). Without it a new one
        beside the source's.
      - C(probes) (list) - What verification requests. Handed on to C(verify).
      - C(probe_proxy) (str) - Proxy through which verification reaches the load balancers. Handed on to C(verify).
      - C(alarm_actions) (list) - ARNs that the alarms notify. Without it the SNS topics of the source's alarms.
      - C(keep_alive_seconds) (int) - C(client_keep_alive.seconds) of the old load balancer before the cutover. The default is 60.
      - C(teardown_log_groups) (bool) - Whether the teardown deletes the old log groups too. They hold history, so they stay by default.
      - C(waive) (list) - Findings that a person has looked at and accepts, by id (C(FG-X)) or by id and path (C(FG-X@path)).
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: The diff is the review of the migration - the task definitions, services and target groups of both sides in one shape, secrets masked.
  idempotent:
    support: full
extends_documentation_fragment:
  - cutover.fargate.attributes
notes:
  - RV(plan) holds the environment values of the task definitions, so the task hides its result. RV(summary), RV(verdict), RV(blockers) and RV(diff) are masked.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Read the system
  cutover.fargate.ecs_system_info:
    name: shop
    fqdn: shop.example.com
    region: eu-west-1
  register: found

- name: Compute the plan
  cutover.fargate.fargate_plan:
    system: "{{ found.system }}"
    intent:
      sizes:
        web: {cpu: 512, memory: 1024}
      volumes:
        uploads: {efs: fs-0123456789abcdef0}
      waive: [FG-IMAGE-LATEST]
  register: planned

- name: Show it
  ansible.builtin.debug:
    msg: "{{ planned.summary }}"

- name: Stop on what stands in the way
  ansible.builtin.assert:
    that: planned.blockers is falsy
"""

RETURN = r"""
plan:
  description: The whole plan. Every key exists in every plan; what is missing is null or empty. It holds secrets.
  returned: success
  type: dict
  sample: {system: shop, phase: new, names: {cluster: shop-fargate}, services: [], findings: []}
summary:
  description: Printable lines - what will be created, changed and left alone, and the findings by severity, each with its fix. Secrets are masked.
  returned: success
  type: list
  elements: str
  sample: ["shop (shop.example.com, eu-west-1, account 123456789012): new, the target is not built"]
verdict:
  description: One line, the last one of RV(summary) - the BLOCKERs that are not waived and where they are, or that there are none.
  returned: success
  type: str
  sample: "1 BLOCKER in the way: FG-HOST-PATH at task_definitions[shop-web].volumes[uploads].host.sourcePath."
blockers:
  description: The findings of severity BLOCKER that are not waived. Secrets are masked.
  returned: success
  type: list
  elements: dict
  sample:
    - id: FG-HOST-PATH
      severity: BLOCKER
      path: task_definitions[shop-web].volumes[uploads].host.sourcePath
      source_value: /srv/uploads
      verdict: changed
      new_value:
      why: The data lives on the instance's disk and must live elsewhere.
      fix: "Answer in fargate_volumes: {efs: fs-...}, ephemeral, or drop (S3, or inside the image)."
      doc: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-storage.html
      waived: false
diff:
  description: The definitions of the source (before) and of the target (after) in one shape, by the source's names. Secrets are masked.
  returned: success
  type: dict
  contains:
    before:
      description: Task definitions, services and target groups on EC2.
      type: dict
    after:
      description: Task definitions, services and target groups on Fargate.
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cutover.fargate.plugins.module_utils._health.probe_data import misspelt
from ansible_collections.cutover.fargate.plugins.module_utils._translate.run import ARGUMENT_SPEC, run


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.exit_json(**run(module.params, misspelt))


if __name__ == "__main__":
    main()
