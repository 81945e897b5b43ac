# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The databases that admit the tasks, with what limits their connections: while both sides run they share it."""

from __future__ import annotations

import typing as t

from .._aws import tags
from .network import database_list
from .read import Reader, Shape, each

KEPT = (
    "DBInstanceIdentifier",
    "DBInstanceArn",
    "DBClusterIdentifier",
    "DBInstanceClass",
    "Engine",
    "EngineVersion",
    "DBInstanceStatus",
    "Endpoint",
    "MultiAZ",
    "VpcSecurityGroups",
    "DBParameterGroups",
)


def read_databases(read: Reader, admitting: t.Sequence[Shape], path: str) -> list[Shape]:
    """``databases`` of a side: those behind the groups that admit the tasks, and ``max_connections`` as their parameter group says it.

    That is a number or a formula (``{DBInstanceClassMemory/12582880}``); None where it can't be read.
    """
    names = sorted({use["id"] for group in admitting for use in group["used_by"] if use["kind"] == "rds"})
    if not names:
        return []
    found = [item for item in database_list(read, f"{path}.databases") if item["DBInstanceIdentifier"] in names]
    chosen = sorted(found, key=lambda item: item["DBInstanceIdentifier"])
    groups = sorted({group for item in chosen for group in _parameter_groups(item)})
    limits = dict(zip(groups, each(lambda group: _limit(read, group, f"{path}.databases"), groups), strict=True))
    return [
        {
            **{key: item.get(key) for key in KEPT},
            "Tags": tags.to_dict(item.get("TagList")),
            "max_connections": next((limits[group] for group in _parameter_groups(item) if limits[group]), None),
        }
        for item in chosen
    ]


def _parameter_groups(item: Shape) -> list[str]:
    return [group["DBParameterGroupName"] for group in item.get("DBParameterGroups") or []]


def _limit(read: Reader, group: str, where: str) -> str | None:
    """One parameter by filter; the whole list has some hundred."""
    which = {"DBParameterGroupName": group, "Filters": [{"Name": "parameter-name", "Values": ["max_connections"]}]}
    ask = read.if_possible(where, [], lambda: read.all("rds", "describe_db_parameters", "Parameters", **which), ["DBParameterGroupNotFound"])
    return next((item.get("ParameterValue") for item in ask if item.get("ParameterName") == "max_connections"), None)
