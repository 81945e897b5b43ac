"""VPC Lattice: target groups with ids and ARNs as AWS makes them, found by either, with the services whose listeners and rules name them."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

from lab.aws.errors import AwsError
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation

if TYPE_CHECKING:
    from lab.aws.server import AwsServer


def find(aws: AwsServer, name: str) -> Any | None:
    """moto's target group by id or ARN."""
    return next((group for group in aws.backend("vpc-lattice").target_groups.values() if name in (group.id, group.arn)), None)


@operation("vpc-lattice", "CreateTargetGroup")
def create(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """moto's ids have hyphens, which no ARN of AWS has."""
    given = call.parameters
    backend = aws.backend("vpc-lattice")
    group = backend.create_target_group(given["name"], given["type"], given.get("config"), given.get("clientToken") or "", given.get("tags"))
    del backend.target_groups[group.id]
    group.id = f"tg-0{secrets.token_hex(8)}"
    group.arn = f"arn:aws:vpc-lattice:{aws.region}:{aws.account}:targetgroup/{group.id}"
    backend.target_groups[group.id] = group
    return {key: value for key, value in document(aws, group).items() if key not in ("createdAt", "lastUpdatedAt", "serviceArns")}


@operation("vpc-lattice", "GetTargetGroup")
def get(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    group = find(aws, call.parameters["targetGroupIdentifier"])
    if group is None:
        raise AwsError("ResourceNotFoundException", "Could not find the target group.", 404)
    return document(aws, group)


def document(aws: AwsServer, group: Any) -> dict[str, Any]:
    backend = aws.backend("vpc-lattice")
    named = [listener for listener in backend.listeners.values() if _names(listener.default_action, group)]
    return {**group.to_dict(), "serviceArns": sorted({listener.service_arn for listener in named})}


def _names(action: Any, group: Any) -> bool:
    text = json.dumps(action, default=str)
    return group.id in text or group.arn in text
