# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the modules for ECS share: look-ups by name, and refusals that pass by themselves."""

from __future__ import annotations

import typing as t

from .._aws import tags as tagging
from .._aws.apply import overlay
from .._aws.clients import Clients
from .._aws.errors import error_code
from .._aws.run import ClientError

LINKED_ROLE = (("InvalidParameterException", "assume the service linked role"),)
"""The first cluster or service of an account makes AWS create AWSServiceRoleForECS; until it has spread, AWS refuses. fargate-rules.md 7 role"""

NEW_ROLE = (
    ("ClientException", "Role is not valid"),
    ("ClientException", "unable to assume the role"),
    ("InvalidParameterException", "unable to assume the role"),
)
"""A role that was created seconds ago is not everywhere yet (IAM is eventually consistent)."""

OF_STRATEGIES = ("bakeTimeInMinutes", "lifecycleHooks", "linearConfiguration", "canaryConfiguration")
"""What DescribeServices tells of a rolling service too, as 0 or empty, though only other strategies have it. [B DeploymentConfiguration]"""


class Definition(t.NamedTuple):
    """A registered task definition and its tags."""

    arn: str
    revision: int
    body: dict[str, t.Any]
    tags: dict[str, str]


def newest_definition(clients: Clients, family: str) -> Definition | None:
    """The latest ACTIVE revision of a family. [B DescribeTaskDefinitionRequest.taskDefinition]: "family for the latest ACTIVE revision"."""
    try:
        answer = clients("ecs").describe_task_definition(taskDefinition=family, include=["TAGS"])
    except ClientError as error:
        if error_code(error) == "ClientException":  # "Unable to describe task definition."
            return None
        raise
    body = answer["taskDefinition"]
    if body.get("status") != "ACTIVE":
        return None
    return Definition(body["taskDefinitionArn"], int(body["revision"]), body, tagging.to_dict(answer.get("tags")))


def describe_services(clients: Clients, cluster: str, names: t.Sequence[str]) -> dict[str, dict[str, t.Any]] | None:
    """Services of a cluster by name, deleted ones too; None when there is no such cluster. AWS takes ten names a call."""
    found: dict[str, dict[str, t.Any]] = {}
    for start in range(0, len(names), 10):
        try:
            answer = clients("ecs").describe_services(cluster=cluster, services=list(names[start : start + 10]), include=["TAGS"])
        except ClientError as error:
            if error_code(error) == "ClusterNotFoundException":
                return None
            raise
        found.update({service["serviceName"]: service for service in answer["services"]})
    return found


def rolls(service: t.Mapping[str, t.Any] | None) -> bool:
    """Whether ECS replaces its tasks rolling, as the target was made. A person may have chosen another way: how it deploys is theirs from then on."""
    controller = ((service or {}).get("deploymentController") or {}).get("type")
    strategy = ((service or {}).get("deploymentConfiguration") or {}).get("strategy")
    return controller in (None, "ECS") and strategy in (None, "ROLLING")


def whole_configuration(current: t.Mapping[str, t.Any] | None, wanted: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The deploymentConfiguration for UpdateService. AWS may take what is left out for its default, alarms that a person named among it."""
    kept = {key: value for key, value in (current or {}).items() if value or key not in OF_STRATEGIES}
    return dict(overlay(kept, wanted))
