"""Targets of target groups and their health. A target is an (id, port) pair: one instance may be registered with many ports.

``group.targets`` (moto's target group object) holds ``"<id>:<port>" -> {"Id", "Port"}``. Hold ``aws.lock`` for ``register`` and ``deregister``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.aws.observed import DRAINING, INITIAL, UNUSED, Health

if TYPE_CHECKING:
    from lab.aws.server import AwsServer


def register(aws: AwsServer, group: Any, target_id: str, port: int) -> None:
    """Add a target. One that is draining is taken back, as on AWS."""
    group.targets[f"{target_id}:{port}"] = {"Id": target_id, "Port": port}
    aws.observed.target_health.pop((group.arn, target_id, port), None)


def deregister(aws: AwsServer, group: Any, target_id: str, port: int) -> None:
    """Take a target out of the group; it is ``draining`` until a reconciler removes its entry from ``observed.target_health``.

    In a group that no load balancer uses there is nothing to drain: the target is gone at once.
    """
    if group.targets.pop(f"{target_id}:{port}", None) is None:
        return
    key = (group.arn, target_id, port)
    if group.load_balancer_arns:
        aws.observed.target_health[key] = DRAINING
    else:
        aws.observed.target_health.pop(key, None)


def registered(group: Any) -> list[tuple[str, int]]:
    """(id, port) of the registered targets, without the draining ones."""
    return [(target["Id"], int(target["Port"])) for target in list(group.targets.values())]


def health(aws: AwsServer, group: Any) -> dict[tuple[str, int], Health]:
    """Every target that DescribeTargetHealth shows: the registered ones and those still draining."""
    unknown = INITIAL if group.load_balancer_arns else UNUSED
    shown = {}
    for target_id, port in registered(group):
        seen = aws.observed.target_health.get((group.arn, target_id, port))
        shown[target_id, port] = seen if seen is not None and group.load_balancer_arns else unknown
    for (arn, target_id, port), seen in list(aws.observed.target_health.items()):
        if arn == group.arn and seen.state == "draining":
            shown.setdefault((target_id, port), seen)
    return shown
