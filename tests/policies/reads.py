"""Reading actions, and what AWS asks for beside the call's own action."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def _on_the_page() -> tuple[str, ...]:
    """What discovery reads: the tables of the permissions page, which a test of discovery compares with the code."""
    page = (REPOSITORY / "docs/guide/permissions.md").read_text()
    part = page.partition("## What discovery reads")[2].partition("\n## ")[0]
    return tuple(sorted(set(re.findall(r"`([a-z0-9-]+:[A-Za-z0-9]+)`", part))))


DISCOVERY = _on_the_page()
VERIFICATION = ("elasticache:DescribeReplicationGroups", "logs:FilterLogEvents", "rds:DescribeDBClusters")
MORE_OF_PREPARE = (
    "cloudwatch:ListTagsForResource",
    "kms:DescribeKey",
    "logs:ListTagsForResource",
    "logs:ListTagsLogGroup",
    "servicediscovery:GetOperation",
    "servicediscovery:ListServices",
)
MORE_OF_SCALE_IN = ("ec2:DescribeVolumes",)
MORE_OF_ABANDON = (
    "cloudwatch:ListTagsForResource",
    "ec2:DescribeSecurityGroupRules",
    "ecr:ListTagsForResource",
    "ecs:ListTaskDefinitions",
    "logs:ListTagsForResource",
    "servicediscovery:GetOperation",
    "servicediscovery:ListInstances",
    "servicediscovery:ListServices",
)
MORE_OF_TEARDOWN = ("ec2:DescribeLaunchTemplates", "ec2:DescribeSecurityGroupRules", "ecs:ListTaskDefinitions")
