# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Services and their cluster: deployment, discovery, scaling."""

from __future__ import annotations

from .kind import ACTION, BLOCKER, ECS, INFO, SERVICE, WARN, Kind

KINDS = (
    Kind(
        "FG-DAEMON",
        BLOCKER,
        "refused",
        "A service that runs once on each instance has no place on Fargate.",
        "Run it as a container of the tasks, use Container Insights, or waive it to leave it behind.",
        SERVICE,
    ),
    Kind("FG-EXTERNAL", BLOCKER, "refused", "The service is deployed by an external controller.", "Move it by hand.", SERVICE),
    Kind("FG-SERVICE-STATUS", BLOCKER, "refused", "The service isn't ACTIVE.", "Wait, or leave it out of fargate_services.", SERVICE),
    Kind("FG-NO-TASK-DEFINITION", BLOCKER, "refused", "The service's task definition can't be read.", "Update the service to one that exists.", SERVICE),
    Kind(
        "FG-CODE-DEPLOY",
        ACTION,
        "changed",
        "The target is deployed by ECS; the CodeDeploy group isn't cloned.",
        "Point the pipeline at the new service.",
        SERVICE,
    ),
    Kind("FG-DEPLOY-STRATEGY", ACTION, "changed", "The target is deployed rolling during the migration.", "Set the strategy again afterwards.", SERVICE),
    Kind("FG-DEPLOY-ALARMS", ACTION, "dropped", "The deployment's alarms watch the old load balancer or cluster.", "Make new ones afterwards.", SERVICE),
    Kind("FG-DEPLOY-HOOKS", ACTION, "dropped", "Lifecycle hooks of deployments are not carried over.", "Add them again afterwards.", SERVICE),
    Kind(
        "FG-SERVICE-ROLE",
        INFO,
        "dropped",
        "Services whose tasks have addresses of their own use ECS's service-linked role; AWS takes no other.",
        "Nothing.",
        ECS + "using-service-linked-roles.html",
    ),
    Kind("FG-CAPACITY-PROVIDER", INFO, "changed", "The tasks run on Fargate.", "Nothing.", SERVICE),
    Kind("FG-GRACE-PERIOD", INFO, "changed", "Tasks that still boot must not be killed by the load balancer's health check.", "Nothing.", SERVICE),
    Kind("FG-DESIRED-ZERO", WARN, "kept", "A web service with no task serves nobody.", "Set fargate_desired_count.", SERVICE),
    Kind("FG-EXEC-ROLE", ACTION, "kept", "ECS Exec needs a task role with ssmmessages.", "Set fargate_task_role_arn.", ECS + "ecs-exec.html"),
    Kind("FG-EXEC-READONLY", WARN, "kept", "ECS Exec needs a writable root file system.", "Nothing, if Exec isn't used.", ECS + "ecs-exec.html"),
    Kind(
        "FG-SCALING",
        INFO,
        "kept",
        "The target scales as the source does. Until it serves it doesn't scale in: idle, it would fall to its minimum before the traffic comes.",
        "Nothing.",
        ECS + "service-auto-scaling.html",
    ),
    Kind(
        "FG-SCALING-ONCE",
        ACTION,
        "dropped",
        "A one-time scheduled action isn't copied: it may be past, and then AWS refuses it.",
        "Put it on the target's service if it is still to come.",
        ECS + "service-autoscaling-schedulescaling.html",
    ),
    Kind(
        "FG-SCALING-METRIC",
        ACTION,
        "checked",
        "The policy's own metric names the source's load balancer or target group, so the target would scale by the source's traffic.",
        "Point the policy of the target's service at the new one after the provisioning.",
        ECS + "service-autoscaling-targettracking.html",
    ),
    Kind(
        "FG-SCALING-POLICY",
        ACTION,
        "checked",
        "Nothing on the target invokes the policy as it is meant: {what}.",
        "Make an alarm that invokes the policy of the target's service, after the provisioning.",
        ECS + "service-auto-scaling.html",
    ),
    Kind(
        "FG-SCALING-STEP",
        INFO,
        "changed",
        "The alarm that invokes the step policy is made again for the target, on the target's metric; AWS does not make it.",
        "Nothing.",
        ECS + "service-autoscaling-stepscaling.html",
    ),
    Kind(
        "FG-SCALING-SHARED-METRIC",
        WARN,
        "kept",
        "The alarm's metric is none of the source's own (a queue's depth, a metric of the application): while both sides run, both scale by it.",
        "Expect tasks on both sides for the same load until the scale-in; nothing to do if that does no harm.",
        ECS + "service-autoscaling-stepscaling.html",
    ),
    Kind(
        "FG-SHARED-CAPACITY",
        WARN,
        "kept",
        "Other services run on the same instances: scale-in and teardown leave cluster and instances alone.",
        "Migrate the others too.",
        ECS,
    ),
    Kind(
        "FG-INSIGHTS",
        WARN,
        "changed",
        "Without Container Insights the alarm on running tasks has no data.",
        "Set fargate_container_insights to enabled.",
        ECS + "cloudwatch-container-insights.html",
    ),
)
