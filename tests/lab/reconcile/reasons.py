"""Texts that AWS shows when something happens to a task or a service. Sources: Amazon ECS Developer Guide, "Stopped tasks error messages",
"Service event messages", the open source agent; each function returns exactly one such text."""

from __future__ import annotations

from collections.abc import Sequence

ESSENTIAL_EXITED = "Essential container in task exited"
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
STOPPED_BY_USER = "Task stopped by user"
CIRCUIT_BREAKER = "ECS deployment circuit breaker: tasks failed to start."

FAILED_TO_START = "TaskFailedToStart"
CONTAINER_EXITED = "EssentialContainerExited"
SCHEDULER = "ServiceSchedulerInitiated"
USER = "UserInitiated"
TERMINATION = "TerminationNotice"


class StartError(Exception):
    """A task that never reaches RUNNING. ``reason`` is the task's stoppedReason, ``container`` the container that carries it too, if one does."""

    def __init__(self, reason: str, container: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.container = container


def cannot_pull(image: str, registry_error: str, fargate: bool) -> str:
    """A pull that failed; the registry's own words decide the ending. Fargate retries, the agent on an instance asks the Docker engine."""
    missing = any(word in registry_error.lower() for word in ("manifest unknown", "not found", "name unknown"))
    detail = f"{image}: not found" if missing else registry_error.strip().splitlines()[-1] if registry_error.strip() else "unknown error"
    if fargate:
        return f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {detail if missing else image + ': ' + detail}"
    if missing:
        return f"CannotPullContainerError: Error response from daemon: manifest for {image} not found: manifest unknown: Requested image not found"
    return f"CannotPullContainerError: Error response from daemon: {detail}"


def log_group_missing(group: str, fargate: bool) -> str:
    """The awslogs driver finds no log group: Fargate fails while it prepares the task, the agent when it starts the container."""
    cause = "ResourceNotFoundException: The specified log group does not exist."
    if fargate:
        return (
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
            f"failed to create Cloudwatch log stream: {cause} log group: {group} : exit status 1"
        )
    return f"CannotStartContainerError: Error response from daemon: failed to create task for container: failed to initialize logging driver: failed to create Cloudwatch log stream: {cause}"


NO_REGISTRY_AUTH = "ResourceInitializationError: unable to pull secrets or registry auth: "


def no_way_to_ecr(region: str) -> str:
    """Fargate has tried for minutes (wording of 2024)."""
    return (
        f"{NO_REGISTRY_AUTH}The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. "
        f'Check your task network configuration. RequestError: send request failed caused by: Post "https://api.ecr.{region}.amazonaws.com/": dial tcp: i/o timeout'
    )


def registry_auth_denied(role_arn: str, task: str) -> str:
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    return (
        f"{NO_REGISTRY_AUTH}execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been retried 1 time(s): "
        f"AccessDeniedException: User: arn:aws:sts::{account}:assumed-role/{name}/{task} is not authorized to perform: ecr:GetAuthorizationToken on resource: * "
        "because no identity-based policy allows the ecr:GetAuthorizationToken action status code: 400"
    )


def secret_missing(arn: str) -> str:
    return (
        f"{NO_REGISTRY_AUTH}execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): "
        f"failed to fetch secret {arn} from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret."
    )


def no_platform(platform: str) -> str:
    return (
        "CannotPullContainerError: pull image manifest has been retried 7 time(s): "
        f"image Manifest does not contain descriptor matching platform '{platform}'"
    )


def cannot_start(error: str) -> str:
    return f"CannotStartContainerError: Error response from daemon: {error.strip().splitlines()[-1] if error.strip() else 'unknown error'}"


def failed_elb_health(target_group_arn: str) -> str:
    return f"Task failed ELB health checks in (target-group {target_group_arn})"


FAILED_CONTAINER_HEALTH = "Task failed container health checks"


def scaling_activity(deployment: str) -> str:
    return f"Scaling activity initiated by (deployment {deployment})"


def host_terminated(instance: str) -> str:
    return f"Host EC2 (instance {instance}) terminated."


def dependency_failed(container: str, dependency: str, condition: str) -> str:
    return f"TaskDependencyError: container {container} depends on {dependency} to be {condition}, which did not happen"


# --- service events, without the leading (service NAME)


def started_tasks(tasks: Sequence[str]) -> str:
    return f"has started {len(tasks)} tasks: {_tasks(tasks)}."


def stopped_tasks(tasks: Sequence[str]) -> str:
    return f"has stopped {len(tasks)} running tasks: {_tasks(tasks)}."


def registered(count: int, target_group_arn: str) -> str:
    return f"registered {count} targets in (target-group {target_group_arn})"


def deregistered(count: int, target_group_arn: str) -> str:
    return f"deregistered {count} targets in (target-group {target_group_arn})"


def draining(tasks: Sequence[str]) -> str:
    return f"has begun draining connections on {len(tasks)} tasks."


def unhealthy(task: str, port: int, target_group_arn: str, description: str) -> str:
    return f"(task {task}) (port {port}) is unhealthy in (target-group {target_group_arn}) due to (reason {description})"


STEADY = "has reached a steady state."


def completed(deployment: str) -> str:
    return f"(deployment {deployment}) deployment completed."


def failed(deployment: str) -> str:
    return f"(deployment {deployment}) deployment failed: tasks failed to start."


ALARM_DETECTED = "ECS deployment failed: alarm detected."


def alarm_detected(deployment: str) -> str:
    return f"(deployment {deployment}) deployment failed: alarm detected."


def rolling_back(deployment: str, to: str) -> str:
    return f"rolling back to (deployment {to}) because (deployment {deployment}) failed."


CANNOT_START_CONSISTENTLY = (
    "is unable to consistently start tasks successfully. "
    "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
)


def cannot_place(cause: str) -> str:
    return (
        f"was unable to place a task because no container instance met all of its requirements. Reason: {cause} "
        "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
    )


NO_INSTANCES = "No Container Instances were found in your cluster."


def not_enough(resource: str, instance: str) -> str:
    return f"The closest matching (container-instance {instance}) has insufficient {resource} available."


def _tasks(tasks: Sequence[str]) -> str:
    return " ".join(f"(task {task})" for task in tasks)
