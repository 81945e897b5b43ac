#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: fargate_services
version_added: 0.1.0
short_description: Create or update the ECS services of a Fargate target
description:
  - Creates each service with the newest active revision of its task definition family, and updates only what drifted. Compared are the task
    definition, network configuration, deployment configuration, health check grace period, platform version, load balancers, EBS volumes,
    target groups of VPC Lattice, service registries, ECS Exec, tag propagation, zone rebalancing, Service Connect and tags.
  - Before them the Cloud Map services that they register their tasks in. Of one that exists only TTL and missing tags are updated.
  - The number of tasks is set when a service is created. After that it belongs to people and to auto scaling, save that of a scheduler that is held at 0.
  - It does not wait until the services are stable; M(cutover.fargate.health_verify) does, and tells why when they are not.
options:
  services:
    description: Section C(services) of the plan.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the service, unique within the cluster.
        type: str
        required: true
      kind:
        description: V(web) or V(worker), for readers.
        type: str
      cluster:
        description: Name of the cluster.
        type: str
        required: true
      family:
        description: Family of the task definition. The newest active revision is deployed.
        type: str
        required: true
      desired_count:
        description: Number of tasks of a new service.
        type: int
        required: true
      desired_count_enforced:
        description: Whether a service that has been scaled to zero is brought back to O(services[].desired_count).
        type: bool
        default: false
      held_count:
        description:
          - Given for a scheduler that must have no task while the source's runs, and then the number that the hand-over gives it
            (M(cutover.fargate.source_capacity)). A service that has tasks nevertheless is brought to O(services[].desired_count), which is 0.
        type: int
      platform_version:
        description: Fargate platform version.
        type: str
      subnets:
        description: Ids of the tasks' subnets.
        type: list
        elements: str
        required: true
      security_group:
        description: Name of the tasks' security group, in the VPC of the subnets.
        type: str
        required: true
      assign_public_ip:
        description: Whether the tasks get public addresses.
        type: str
        choices: [ENABLED, DISABLED]
        default: DISABLED
      load_balancers:
        description: The target groups the tasks are registered with.
        type: list
        elements: dict
        suboptions:
          target_group:
            description: Name of the target group.
            type: str
            required: true
          container_name:
            description: Name of the container.
            type: str
            required: true
          container_port:
            description: Port of the container.
            type: int
            required: true
      volume_configurations:
        description:
          - What the volumes are that the task definition configures at launch, as C(volumeConfigurations) of the API takes it. An empty list takes the
            configuration away, for a task definition without such a volume.
        type: list
        elements: dict
      vpc_lattice_configurations:
        description:
          - The target groups of VPC Lattice that the tasks are registered with, as C(vpcLatticeConfigurations) of the API takes it. With an empty
            list a registration that is there stays.
        type: list
        elements: dict
      service_registries:
        description:
          - The Cloud Map service that the tasks are registered in, by O(services[].service_registries[].registry_arn), or by namespace and name. AWS takes one.
          - A registration that is not given here any more stays.
        type: list
        elements: dict
        suboptions:
          registry_arn:
            description: ARN of the Cloud Map service.
            type: str
          namespace_id:
            description: Id of its namespace, one of O(registries[].namespace_id).
            type: str
          name:
            description: Its name, one of O(registries[].name).
            type: str
          container_name:
            description: Name of the container whose port goes into SRV records.
            type: str
          container_port:
            description: Port of the container.
            type: int
          port:
            description: The port of SRV records, instead of a container's.
            type: int
      health_check_grace_period_seconds:
        description: For how long failing health checks of a new task are ignored. Only with a load balancer or VPC Lattice.
        type: int
      deployment_configuration:
        description: DeploymentConfiguration of the API. Members that are not given are left alone.
        type: dict
      enable_execute_command:
        description: Whether ECS Exec is on.
        type: bool
      propagate_tags:
        description: V(SERVICE), V(TASK_DEFINITION) or V(NONE).
        type: str
      enable_ecs_managed_tags:
        description: Whether AWS tags the tasks with cluster and service.
        type: bool
      availability_zone_rebalancing:
        description: V(ENABLED) or V(DISABLED).
        type: str
      service_connect:
        description:
          - ServiceConnectConfiguration of the API, the namespace by name or ARN. Members that are not given are left alone.
          - Services that publish endpoints are made before those that only use them. A service that was deployed before another one of its namespace
            published an endpoint is deployed again, since the tasks of a deployment know only the endpoints that were there when it began.
        type: dict
      tags:
        description: Tags of the service. C(cutover:system) marks it as ours.
        type: dict
  registries:
    description: Section C(registries) of the plan, the Cloud Map services to be made.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the Cloud Map service, unique in its namespace.
        type: str
        required: true
      source_arn:
        description: ARN of the source's, for readers.
        type: str
      namespace_id:
        description: Id of the namespace.
        type: str
        required: true
      namespace_name:
        description: Name of the namespace, for readers.
        type: str
      dns_config:
        description: DnsConfig of the API with C(RoutingPolicy) and C(DnsRecords); none where instances are found by DiscoverInstances only.
        type: dict
      health_check_config:
        description: HealthCheckConfig of the API.
        type: dict
      health_check_custom_config:
        description: HealthCheckCustomConfig of the API.
        type: dict
      type:
        description: V(HTTP) for one without DNS records in a namespace of DNS.
        type: str
      tags:
        description: Tags of the Cloud Map service. C(cutover:system) marks it as ours.
        type: dict
  task_definitions:
    description:
      - Section C(task_definitions) of the plan. With it, check mode tells that a service would get a revision that is yet to be registered.
    type: list
    elements: dict
    default: []
  images:
    description:
      - Section C(image.images) of the plan. A container gets the derived image when it is in its repository, and the image that it has now when nothing in
        that needs a change. Without it the images of O(task_definitions) are taken as they are.
    type: list
    elements: dict
    default: []
  wait_timeout:
    description: For how many seconds to wait for a deleted service of the same name that is still draining.
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
  - community.aws.ecs_service does not see a change of subnets, security groups, public address, deployment configuration or platform version, fails when
    tags change, and updates a service on every run when the number of tasks is left to auto scaling. It gives up when AWS throttles it.
  - A role or a service-linked role that was just created is waited for, for up to 90 seconds.
  - Fails when a service of that name exists without our tag or with another launch type, and when a Cloud Map service of that name exists without our tag or
    with other record types.
  - Needs the permissions ecs:DescribeServices, ecs:DescribeTaskDefinition, ecs:CreateService, ecs:UpdateService, ecs:TagResource, ec2:DescribeSubnets,
    ec2:DescribeSecurityGroups, elasticloadbalancing:DescribeTargetGroups, iam:PassRole and, for the first service of an account, iam:CreateServiceLinkedRole;
    with O(images) in check mode ecr:DescribeImages; with O(registries) servicediscovery:ListServices, servicediscovery:GetService,
    servicediscovery:ListTagsForResource, servicediscovery:CreateService, servicediscovery:UpdateService and servicediscovery:TagResource; with Service Connect
    servicediscovery:ListNamespaces.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Create the services
  cutover.fargate.fargate_services:
    region: eu-west-1
    services:
      - name: web
        cluster: shop-fargate
        family: shop-web-fargate
        desired_count: 2
        platform_version: LATEST
        subnets: [subnet-0a, subnet-0b]
        security_group: shop-fargate
        load_balancers:
          - target_group: shop-web-fargate
            container_name: nginx
            container_port: 80
        health_check_grace_period_seconds: 60
        deployment_configuration:
          minimumHealthyPercent: 100
          maximumPercent: 200
        tags:
          cutover:system: shop
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) changed, in plain words. Also returned when the module fails half-way.
  returned: always
  type: list
  elements: str
  sample: ["create service web with 2 tasks"]
services:
  description: One entry for each service.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the service.
      type: str
      returned: success
      sample: web
    cluster:
      description: Name of the cluster.
      type: str
      returned: success
      sample: shop-fargate
    task_definition:
      description: The revision that it deploys.
      type: str
      returned: success
      sample: arn:aws:ecs:eu-west-1:123456789012:task-definition/shop-web-fargate:1
    state:
      description: V(created), V(updated) or V(unchanged) by this run.
      type: str
      returned: success
      sample: created
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.services import run
from ansible_collections.cutover.fargate.plugins.module_utils._translate.secrets import mask

TEXT = {"type": "str"}
FLAG = {"type": "bool"}
NAME = {"type": "str", "required": True}

LOAD_BALANCER = {"target_group": NAME, "container_name": NAME, "container_port": {"type": "int", "required": True}}
PORT = {"type": "int"}
SERVICE_REGISTRY = {"registry_arn": TEXT, "namespace_id": TEXT, "name": TEXT, "container_name": TEXT, "container_port": PORT, "port": PORT}
REGISTRY = {
    "name": NAME,
    "source_arn": TEXT,
    "namespace_id": NAME,
    "namespace_name": TEXT,
    "dns_config": {"type": "dict"},
    "health_check_config": {"type": "dict"},
    "health_check_custom_config": {"type": "dict"},
    "type": TEXT,
    "tags": {"type": "dict"},
}
SERVICE = {
    "name": NAME,
    "kind": TEXT,
    "cluster": NAME,
    "family": NAME,
    "desired_count": {"type": "int", "required": True},
    "desired_count_enforced": {"type": "bool", "default": False},
    "held_count": {"type": "int"},
    "platform_version": TEXT,
    "subnets": {"type": "list", "elements": "str", "required": True},
    "security_group": NAME,
    "assign_public_ip": {"type": "str", "choices": ["ENABLED", "DISABLED"], "default": "DISABLED"},
    "load_balancers": {"type": "list", "elements": "dict", "options": LOAD_BALANCER},
    "volume_configurations": {"type": "list", "elements": "dict"},
    "vpc_lattice_configurations": {"type": "list", "elements": "dict"},
    "service_registries": {"type": "list", "elements": "dict", "options": SERVICE_REGISTRY},
    "health_check_grace_period_seconds": {"type": "int"},
    "deployment_configuration": {"type": "dict"},
    "enable_execute_command": FLAG,
    "propagate_tags": TEXT,
    "enable_ecs_managed_tags": FLAG,
    "availability_zone_rebalancing": TEXT,
    "service_connect": {"type": "dict", "no_log": True},  # the options of a log driver may hold a token
    "tags": {"type": "dict"},
}

# Environment values of the task definitions may be secrets: not for syslog.
ARGUMENT_SPEC = {
    "services": {"type": "list", "elements": "dict", "required": True, "options": SERVICE},
    "registries": {"type": "list", "elements": "dict", "default": [], "options": REGISTRY},
    "task_definitions": {"type": "list", "elements": "dict", "default": [], "no_log": True},
    "images": {"type": "list", "elements": "dict", "default": []},
    "wait_timeout": {"type": "float", "default": 600},
    "poll_seconds": {"type": "float", "default": 5},
}


def main() -> None:
    run_module(run, ARGUMENT_SPEC, mask=mask)


if __name__ == "__main__":
    main()
