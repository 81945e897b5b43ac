"""What Route 53 rejects before it looks at the zone. (What depends on the zone's records is in ``operations.route53.apply``.)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.aws.errors import AwsError
from lab.aws.operations.route53 import POLICIES, find_zone
from lab.aws.protocol import ApiCall
from lab.aws.registry import refuse

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

MOST_CHANGES = 1000


def changes(call: ApiCall) -> list[dict[str, Any]]:
    return list(call.parameters["ChangeBatch"]["Changes"])


@refuse("route53", "ChangeResourceRecordSets")
def batch_size(aws: AwsServer, call: ApiCall) -> None:
    """[D r53/DNSLimitations] at most 1000 elements; an UPSERT counts twice."""
    count = sum(2 if change["Action"] == "UPSERT" else 1 for change in changes(call))
    if count > MOST_CHANGES:
        raise AwsError("InvalidChangeBatch", f"[Number of records limit of {MOST_CHANGES} exceeded.]")


@refuse("route53", "ChangeResourceRecordSets")
def one_kind_of_value(aws: AwsServer, call: ApiCall) -> None:
    """[M] an alias, or a TTL with records; an alias has no TTL."""
    for change in changes(call):
        record = change["ResourceRecordSet"]
        alias, ttl, values = bool(record.get("AliasTarget")), record.get("TTL") is not None, bool(record.get("ResourceRecords"))
        if alias != (ttl or values) and (alias or (ttl and values)):
            continue
        found = "more than one" if alias else "none"
        raise AwsError(
            "InvalidInput",
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], "
            f"but found {found} in Change with [Action={change['Action']}, Name={record['Name']}, Type={record['Type']}, "
            f"SetIdentifier={record.get('SetIdentifier') or 'null'}]",
        )


@refuse("route53", "ChangeResourceRecordSets")
def identified(aws: AwsServer, call: ApiCall) -> None:
    """[M] a routing policy needs an identifier, an identifier exactly one policy."""
    for change in changes(call):
        record = change["ResourceRecordSet"]
        policies = [member for member in (*POLICIES, "CidrRoutingConfig", "GeoProximityLocation") if record.get(member) is not None]
        if bool(record.get("SetIdentifier")) != bool(policies) or len(policies) > 1:
            raise AwsError(
                "InvalidInput",
                "Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, MultiValueAnswer, CidrRoutingConfig or "
                f"GeoProximityLocation] with a SetIdentifier, but found {policies or 'none'} in Change with [Action={change['Action']}, "
                f"Name={record['Name']}, Type={record['Type']}, SetIdentifier={record.get('SetIdentifier') or 'null'}]",
            )


@refuse("route53", "ChangeResourceRecordSets")
def weight(aws: AwsServer, call: ApiCall) -> None:
    """[B ResourceRecordSet.Weight] 0 to 255."""
    for change in changes(call):
        value = change["ResourceRecordSet"].get("Weight")
        if value is not None and not 0 <= value <= 255:
            raise AwsError("InvalidInput", f"Invalid request: Weight {value} must be between 0 and 255")


@refuse("route53", "DeleteHostedZone")
def empty_zone(aws: AwsServer, call: ApiCall) -> None:
    """[M] only its own NS and SOA records may be left."""
    zone = find_zone(aws, call.parameters["Id"])
    name = zone.name.rstrip(".") + "."
    if any(record.type not in ("NS", "SOA") or record.name.rstrip(".") + "." != name for record in zone.rrsets):
        raise AwsError("HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets and so cannot be deleted.")
