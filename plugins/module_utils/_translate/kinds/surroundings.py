# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Limits of the account and the database, and what works outside the services."""

from __future__ import annotations

from .kind import ACTION, BLOCKER, ECS, SERVICE, WARN, Kind

KINDS = (
    Kind(
        "FG-QUOTA",
        BLOCKER,
        "refused",
        "The account's quota doesn't hold the target beside the source: {what}.",
        "Ask for a higher quota in Service Quotas.",
        ECS + "service-quotas.html",
    ),
    Kind(
        "FG-QUOTA-DEPLOYMENT",
        WARN,
        "checked",
        "The tasks fit into the account's quota, but not twice, as a deployment wants them: {what}.",
        "Ask for a higher quota in Service Quotas.",
        ECS + "service-quotas.html",
    ),
    Kind(
        "FG-QUOTA-RULES",
        BLOCKER,
        "refused",
        "The security group has no room for the rules of the tasks: AWS would refuse them.",
        "Remove rules that nobody needs, or ask for more rules per security group in Service Quotas (Amazon VPC).",
        "https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html",
    ),
    Kind(
        "FG-DB-CONNECTIONS",
        WARN,
        "checked",
        "While both sides run, the tasks of both hold connections to this database.",
        "Compare with the processes of a task (PHP-FPM's pm.max_children, workers, pools): their number times the tasks must stay below the limit.",
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html",
    ),
    Kind(
        "FG-SCHEDULED-TASK",
        ACTION,
        "kept",
        "A clock or an event starts this task in the old cluster. It isn't moved: instances that it needs are not scaled in, and the cluster is not deleted.",
        "Register its definition for Fargate, point it at the new cluster with launch type FARGATE and the tasks' subnets, and disable the old one.",
        ECS + "scheduled_tasks.html",
    ),
    Kind(
        "FG-DAEMON-OTHER",
        ACTION,
        "kept",
        "This service of the cluster runs once on each instance: the system's tasks had what it does (logs, metrics, traces), and on Fargate they don't.",
        "Run it as a container of the tasks, or use Container Insights; nothing, if the system doesn't use it.",
        SERVICE,
    ),
    Kind(
        "FG-USER-DATA",
        ACTION,
        "dropped",
        "The instances' user data does more than join the cluster; all of it ends with the instances.",
        "Move cron jobs to scheduled tasks, mounts to EFS volumes, agents and containers into the tasks; logs that were rotated should go to stdout.",
        ECS + "bootstrap_container_instance.html",
    ),
)
