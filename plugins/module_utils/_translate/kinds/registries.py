# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Service discovery by Cloud Map."""

from __future__ import annotations

from .kind import ACTION, BLOCKER, ECS, INFO, Kind

DISCOVERY = ECS + "service-discovery.html"

KINDS = (
    Kind(
        "FG-SERVICE-DISCOVERY",
        BLOCKER,
        "refused",
        "The Cloud Map service that the service registers in does not exist, or can't be read: clients by its name would not find the target.",
        "Allow servicediscovery:GetService, GetNamespace and ListTagsForResource, or answer with fargate_service_registries.",
        DISCOVERY,
    ),
    Kind(
        "FG-REGISTRY",
        ACTION,
        "changed",
        "The target's tasks register in a Cloud Map service of their own, in the same namespace, with the same record types. Clients of the old name stay with "
        "the source until they use the new one, and find nobody there once it is scaled in. The port of SRV records is the container's.",
        "After the cutover and before the scale-in, let whoever asks for the old name (other services of the VPC, API Gateway, confs in images) ask for the "
        "new one. The teardown leaves the old Cloud Map service: it can't be shown that nobody asks for it.",
        DISCOVERY,
    ),
    Kind(
        "FG-REGISTRY-SHARED",
        ACTION,
        "changed",
        "The inventory registers the target's tasks in an existing Cloud Map service. They answer under its name as soon as they run: before the verification, "
        "before the cutover, and beside the tasks that are registered there already.",
        "Give no answer for the service in fargate_service_registries where clients must not reach unverified tasks.",
        DISCOVERY,
    ),
    Kind(
        "FG-REGISTRY-NONE",
        ACTION,
        "dropped",
        "The inventory leaves the registration out: clients by that name don't find the target, and find nobody once the source is scaled in.",
        "Let them use the load balancer.",
        DISCOVERY,
    ),
    Kind(
        "FG-REGISTRY-CLIENT",
        INFO,
        "changed",
        "A container of the system asks for a service of the system by its Cloud Map name: the target's asks for the target's.",
        "Nothing. Names in files of the image are not looked at.",
        DISCOVERY,
    ),
    Kind(
        "FG-REGISTRY-STORE",
        ACTION,
        "kept",
        "The name leads to a data store that is a service of the system itself. The target's copy of it is empty, so the target's containers keep asking the "
        "source's, which ends with the scale-in.",
        "Move the store first, or leave it out of fargate_services and admit the tasks with fargate_grants.",
        DISCOVERY,
    ),
    Kind(
        "FG-REGISTRY-INGRESS",
        ACTION,
        "dropped",
        "Clients of the Cloud Map name reach the tasks directly, and it can't be told which security groups they are in (the rules of the instances name "
        "addresses or nobody). The tasks' own group does not let them in on this port.",
        "Add a rule for this port to the security group of the target's tasks.",
        ECS + "fargate-task-networking.html",
    ),
)
