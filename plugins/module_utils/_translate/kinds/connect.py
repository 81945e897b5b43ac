# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Service Connect, and what else a cluster has for its services."""

from __future__ import annotations

from .kind import BLOCKER, ECS, INFO, WARN, Kind

CONNECT = ECS + "service-connect.html"
CONCEPTS = ECS + "service-connect-concepts-deploy.html"

KINDS = (
    Kind(
        "FG-SERVICE-CONNECT",
        INFO,
        "changed",
        "Names are unique within a namespace and both sides run at once, so the target's services reach each other in a namespace of their own, by the "
        "names and ports they have. What looks into Cloud Map itself still finds the source.",
        "Nothing.",
        CONCEPTS,
    ),
    Kind(
        "FG-CONNECT-CLIENT",
        INFO,
        "kept",
        "None of the system's services publishes an endpoint in this namespace, so nothing can clash: they join it beside the source.",
        "Nothing.",
        CONCEPTS,
    ),
    Kind(
        "FG-CONNECT-SHARED",
        BLOCKER,
        "changed",
        "Services that don't move are in the namespace too. They would keep reaching the source, and the target could not reach them: a service is in one "
        "namespace only, and in this one the names are taken while the source runs.",
        "Move them too, or set fargate_service_connect_namespace: then the target's services reach each other, and whoever you put into that namespace.",
        CONCEPTS,
    ),
    Kind(
        "FG-CONNECT-UNREAD",
        BLOCKER,
        "changed",
        "It can't be told who else is in the namespace, and would keep reaching the source.",
        "Allow servicediscovery:GetNamespace, servicediscovery:ListNamespaces and ecs:ListServicesByNamespace, or set fargate_service_connect_namespace.",
        CONNECT,
    ),
    Kind(
        "FG-CONNECT-PORT",
        BLOCKER,
        "dropped",
        "The endpoint names a port that no container of the target has by name (it has: {ports}); AWS refuses such a service.",
        "Name the port mapping in the source's task definition.",
        CONNECT,
    ),
    Kind(
        "FG-CONNECT-NAME",
        INFO,
        "changed",
        "The default name of an endpoint ends in the namespace's, which is another one; written out, clients' settings stay true.",
        "Nothing.",
        CONNECT,
    ),
    Kind(
        "FG-CLUSTER-EXEC",
        INFO,
        "kept",
        "ECS Exec uses the same key, and logs to the same place.",
        "Nothing.",
        ECS + "ecs-exec.html",
    ),
    Kind(
        "FG-CLUSTER-STORAGE",
        WARN,
        "kept",
        "From now on the key encrypts the storage of the tasks themselves; without the right to it no task starts.",
        "Let Fargate use the key for the new cluster, in the key's policy.",
        ECS + "fargate-create-storage-key.html",
    ),
    Kind(
        "FG-CLUSTER-CONNECT",
        INFO,
        "changed",
        "The new cluster has a default namespace too: the one that its services are in.",
        "Nothing.",
        CONNECT,
    ),
)
