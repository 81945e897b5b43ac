#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: fargate_cluster
version_added: 0.1.0
short_description: Create or update the ECS cluster of a Fargate target
description:
  - Makes sure that the cluster exists with its settings, configuration, default namespace of Service Connect, capacity providers and tags.
    A cluster that was deleted is created again.
  - Makes the namespaces of Service Connect that the target needs (HTTP namespaces of AWS Cloud Map), and waits until Cloud Map has made them.
  - Settings, capacity providers and tags that the plan does not name are left alone.
  - A cluster of that name that does not carry the tag C(cutover:system) of this system is used as it is and never changed; RV(notes) tells what differs.
options:
  cluster:
    description: Section C(cluster) of the plan.
    type: dict
    required: true
    suboptions:
      name:
        description: Name of the cluster.
        type: str
        required: true
      settings:
        description: Cluster settings, for example C(containerInsights=enabled).
        type: dict
      configuration:
        description: ClusterConfiguration of the API, for ECS Exec and storage. Members that are not given are left alone.
        type: dict
      service_connect_namespace:
        description: Default namespace of Service Connect, by name or ARN. It must exist, or be one of O(cluster.namespaces).
        type: str
      namespaces:
        description: Namespaces of Service Connect that are made in AWS Cloud Map when they don't exist. An existing one is never changed.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the namespace.
            type: str
            required: true
          description:
            description: Description of a new one.
            type: str
          shared:
            description: Whether an existing one without the tags is used as it is. V(false) refuses it.
            type: bool
            default: false
          tags:
            description: Tags of a new one. C(cutover:system) marks it as ours.
            type: dict
      capacity_providers:
        description: Capacity providers the cluster must have.
        type: list
        elements: str
      tags:
        description: Tags the cluster must have. C(cutover:system) marks it as ours.
        type: dict
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
  - community.aws.ecs_cluster can neither set Container Insights nor tags, and strips capacity providers that are not
    named (its C(purge_capacity_providers) defaults to V(true)).
  - Needs the permissions ecs:DescribeClusters, ecs:CreateCluster, ecs:UpdateCluster, ecs:PutClusterCapacityProviders, ecs:TagResource,
    with Service Connect servicediscovery:ListNamespaces, servicediscovery:ListTagsForResource, servicediscovery:CreateHttpNamespace,
    servicediscovery:GetOperation, servicediscovery:GetNamespace and servicediscovery:TagResource,
    and, for the first cluster of an account, iam:CreateServiceLinkedRole.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Create the cluster
  cutover.fargate.fargate_cluster:
    region: eu-west-1
    cluster:
      name: shop-fargate
      settings:
        containerInsights: enabled
      capacity_providers: [FARGATE, FARGATE_SPOT]
      tags:
        cutover:system: shop
"""

RETURN = r"""
changes:
  description: What was (or in check mode would be) changed, in plain words. Also returned when the module fails half-way.
  returned: always
  type: list
  elements: str
  sample: [create cluster shop-fargate]
name:
  description: Name of the cluster.
  returned: success
  type: str
  sample: shop-fargate
notes:
  description: What a person should know of a cluster that is not ours.
  returned: success
  type: list
  elements: str
  sample: ["Cluster shared has no tag cutover:system=shop; it is used as it is."]
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._ecs.cluster import run

NAMESPACE = {
    "name": {"type": "str", "required": True},
    "description": {"type": "str"},
    "shared": {"type": "bool", "default": False},
    "tags": {"type": "dict"},
}
ARGUMENT_SPEC = {
    "cluster": {
        "type": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "settings": {"type": "dict"},
            "configuration": {"type": "dict"},
            "service_connect_namespace": {"type": "str"},
            "namespaces": {"type": "list", "elements": "dict", "options": NAMESPACE},
            "capacity_providers": {"type": "list", "elements": "str"},
            "tags": {"type": "dict"},
        },
    },
}


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
