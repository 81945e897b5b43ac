# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a kind of finding is, and the documentation that most of them refer to."""

from __future__ import annotations

from dataclasses import dataclass

BLOCKER, ACTION, WARN, INFO = "BLOCKER", "ACTION", "WARN", "INFO"
SEVERITIES = (BLOCKER, ACTION, WARN, INFO)

GUIDE = "https://github.com/cutover/fargate/blob/main/docs/guide/"
ECS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
ELB = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/"
R53 = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/"
TASKS = ECS + "fargate-tasks-services.html"
NETWORKING = ECS + "fargate-task-networking.html"
STORAGE = ECS + "fargate-task-storage.html"
LOGS = ECS + "using_awslogs.html"
ROLE = ECS + "task_execution_IAM_role.html"
SERVICE = ECS + "service_definition_parameters.html"
LISTENERS = ELB + "load-balancer-listeners.html"
GROUPS = ELB + "load-balancer-target-groups.html"
ALIAS = R53 + "resource-record-sets-choosing-alias-non-alias.html"
ROUTING = R53 + "routing-policy.html"


@dataclass(frozen=True)
class Kind:
    """What all findings of one id have in common."""

    id: str
    severity: str
    verdict: str
    why: str
    fix: str
    doc: str
