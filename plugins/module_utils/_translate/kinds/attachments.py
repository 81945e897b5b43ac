# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a service attaches to its tasks: EBS volumes, and target groups of VPC Lattice."""

from __future__ import annotations

from .kind import ACTION, BLOCKER, ECS, Kind

EBS = ECS + "ebs-volumes.html"
LATTICE = ECS + "ecs-vpc-lattice.html"

KINDS = (
    Kind(
        "FG-EBS-VOLUME",
        ACTION,
        "kept",
        "Each task gets a new volume of its own, which ends with it. Nothing that is written on the source's volumes moves.{role}",
        "Check that new tasks can begin so, as they do on EC2; for data that must last answer {efs: fs-...} in fargate_volumes.",
        EBS,
    ),
    Kind(
        "FG-EBS-TYPE",
        BLOCKER,
        "changed",
        "Fargate doesn't attach magnetic volumes.",
        "Waive it to get the new type, or answer ephemeral or {efs: fs-...} in fargate_volumes.",
        EBS,
    ),
    Kind(
        "FG-EBS-NAME",
        BLOCKER,
        "refused",
        "A volume that is configured at launch and a configuration of the service belong together by their name, and one is without the other.",
        "Give the source's service the configuration of that name, or answer ephemeral, drop or {efs: fs-...} for the volume in fargate_volumes.",
        ECS + "specify-ebs-config.html",
    ),
    Kind(
        "FG-EBS-UNMOUNTED",
        BLOCKER,
        "dropped",
        "No container mounts the volume, so each task would pay for one that nothing uses.",
        "Mount it, or answer drop in fargate_volumes.",
        ECS + "specify-ebs-config.html",
    ),
    Kind(
        "FG-EBS-SEVERAL",
        BLOCKER,
        "changed",
        "A task has at most one volume that is configured at launch: {first}.",
        "Answer ephemeral, drop or {efs: fs-...} for the others in fargate_volumes.",
        EBS,
    ),
    Kind(
        "FG-INFRASTRUCTURE-ROLE",
        BLOCKER,
        "refused",
        "The role doesn't trust ECS, which makes the volumes and registers the tasks with it: no task would start.",
        "Allow sts:AssumeRole to ecs.amazonaws.com in the role's trust policy.",
        ECS + "infrastructure_IAM_role.html",
    ),
    Kind(
        "FG-LATTICE",
        BLOCKER,
        "refused",
        "The tasks need a VPC Lattice target group of their own: the type of one can't be changed, and in the source's they would get traffic before they are "
        "verified. Needed is one with {wanted}.",
        "Make it, and set fargate_vpc_lattice_target_groups: {ARN of the source's: ARN of the new one}. Waived, the tasks are not registered in VPC Lattice.",
        LATTICE,
    ),
    Kind(
        "FG-LATTICE-PORT",
        BLOCKER,
        "refused",
        "No port mapping of the task definition has this name. It has: {known}.",
        "Name the port mapping in the source's task definition. Waived, the tasks are not registered in VPC Lattice.",
        LATTICE,
    ),
    Kind(
        "FG-LATTICE-TARGET-GROUP",
        ACTION,
        "changed",
        "Traffic through VPC Lattice{routed} stays with the source until a listener or rule names the new target group, which this collection doesn't do.",
        "After the verification name the new group in the listener's default action or rule (vpc-lattice update-listener, update-rule), weights first if you "
        "like; the source's group again is the way back. Do it before scale_in, which doesn't see requests through VPC Lattice.",
        LATTICE,
    ),
    Kind(
        "FG-LATTICE-INGRESS",
        ACTION,
        "checked",
        "No group of the instances admits VPC Lattice by its prefix list, so there is no rule to copy: its requests and health checks don't reach port {port} "
        "of the tasks.",
        "When prepare has made the tasks' security group, add an ingress rule to it: TCP, that port, from the managed prefix list "
        "com.amazonaws.REGION.vpc-lattice (com.amazonaws.REGION.ipv6.vpc-lattice where Lattice's addresses are IPv6).",
        "https://docs.aws.amazon.com/vpc-lattice/latest/ug/security-groups.html#managed-prefix-list",
    ),
)
