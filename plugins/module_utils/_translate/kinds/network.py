# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Subnets, and what the tasks reach and who reaches them."""

from __future__ import annotations

from .kind import ACTION, BLOCKER, ECS, ELB, GROUPS, NETWORKING, WARN, Kind

KINDS = (
    Kind("FG-SUBNET", BLOCKER, "refused", "The subnet isn't in the system's VPC.", "Correct fargate_subnets.", NETWORKING),
    Kind("FG-NO-SUBNET", BLOCKER, "refused", "No subnet is left for the tasks.", "Set fargate_subnets.", NETWORKING),
    Kind(
        "FG-AZ",
        WARN,
        "dropped",
        "The load balancer isn't enabled in this zone and targets there would stay unused: no task is placed in the subnet.",
        "Enable the zone on the load balancer if it is needed.",
        GROUPS,
    ),
    Kind(
        "FG-NO-EGRESS",
        BLOCKER,
        "refused",
        "From this subnet the tasks can't reach {needs}: none would ever start.",
        "Set fargate_assign_public_ip: true, or fargate_subnets with NAT; or make VPC endpoints: s3 as gateway in its route table, others with private DNS.",
        NETWORKING,
    ),
    Kind(
        "FG-ENDPOINT-CLOSED",
        BLOCKER,
        "refused",
        "The endpoint takes over the name of {service} in the whole VPC, and its security groups don't admit the tasks: none would ever start.",
        "Name a group of the endpoint in fargate_grants: [{group_id: sg-..., port: 443}].",
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html",
    ),
    Kind(
        "FG-ENDPOINT-POLICY",
        ACTION,
        "checked",
        "The endpoint's policy restricts who may do what: it may admit the instances' role only, and denied an image, log or secret no task starts.",
        "Make sure that the policy admits the execution role (and the task role), and at S3 also ECR's bucket prod-REGION-starport-layer-bucket.",
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html",
    ),
    Kind(
        "FG-EXEC-EGRESS",
        WARN,
        "kept",
        "From this subnet the tasks can't reach ssmmessages: ECS Exec ({services}) opens no shell.",
        "Make an interface endpoint for ssmmessages that admits the tasks, or use subnets with NAT; nothing, if Exec isn't used.",
        ECS + "ecs-exec.html",
    ),
    Kind(
        "FG-VPC-DNS",
        WARN,
        "checked",
        "The VPC has no resolver of AWS's: tasks ask the servers of its DHCP options, and DNS settings of the containers or the instances are gone.",
        "Make sure that those servers answer for ECR, CloudWatch Logs and the system's own names, or set enableDnsSupport.",
        "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html",
    ),
    Kind(
        "FG-VPC-DNS-NAMES",
        WARN,
        "checked",
        "The VPC gives no names to addresses, so VPC endpoints have no private DNS names there and EFS can't be mounted by name.",
        "Set enableDnsHostnames if tasks use VPC endpoints or EFS; nothing otherwise.",
        "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html",
    ),
    Kind(
        "FG-EGRESS-ENDPOINTS",
        ACTION,
        "changed",
        "From this subnet tasks reach AWS through VPC endpoints only; the instances could reach the internet.",
        "Set fargate_subnets to some with NAT if the application calls anything outside (payment, mail, partners, AWS services without endpoint).",
        NETWORKING,
    ),
    Kind(
        "FG-EGRESS-OTHER",
        WARN,
        "checked",
        "The default route leads to a transit gateway or appliance: where to, can't be seen from here.",
        "Make sure that it leads to ECR and its layers in S3, to CloudWatch Logs, and to what the application calls.",
        NETWORKING,
    ),
    Kind(
        "FG-EGRESS-ADDRESS",
        ACTION,
        "changed",
        "The tasks leave by other addresses than the instances: who admits the old ones by a list shuts the tasks out.",
        "Tell the new addresses to partners before the cutover; fixed ones need subnets with a NAT gateway (fargate_subnets).",
        NETWORKING,
    ),
    Kind(
        "FG-FREE-ADDRESSES",
        BLOCKER,
        "refused",
        "The subnets have too few free addresses for the tasks and one deployment.",
        "Add subnets in fargate_subnets.",
        NETWORKING,
    ),
    Kind(
        "FG-ALB-ADDRESSES",
        WARN,
        "checked",
        "A load balancer wants at least 8 free addresses in each subnet.",
        "Free some in this subnet: the new load balancer stands in the same ones as the old.",
        ELB + "application-load-balancers.html#subnets-load-balancer",
    ),
    Kind(
        "FG-ALB-EGRESS",
        ACTION,
        "changed",
        "The load balancer's group restricts what leaves: a rule that lets it reach the tasks is added.",
        "Nothing; abandon removes the rule again. After the teardown it stays: the new load balancer has the group too.",
        ELB + "load-balancer-update-security-groups.html",
    ),
    Kind(
        "FG-SELF-INGRESS",
        ACTION,
        "checked",
        "The instances' group admits itself: what called another service over the instances needs another way.",
        "Check which service calls which; call through the load balancer.",
        NETWORKING,
    ),
)
