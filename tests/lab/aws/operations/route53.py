"""Route 53: change batches that are all or nothing, PENDING until the name servers have them, alias names in lower case with a trailing dot.

Records live in moto's ``backend("route53").zones[id].rrsets`` as moto's RecordSet objects, each with its full ``document``.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from moto.moto_api._internal import mock_random
from moto.route53.models import RecordSet

from lab.aws.errors import AwsError
from lab.aws.operations.elbv2_load_balancers import HOSTED_ZONES
from lab.aws.protocol import ApiCall
from lab.aws.registry import operation

if TYPE_CHECKING:
    from lab.aws.server import AwsServer

Document = dict[str, Any]
Key = tuple[str, str, "str | None"]
MOST_ITEMS = 300
REGIONS = {zone: region for region, zone in HOSTED_ZONES.items()}
# Members that make a record set one of several of its name and type.
POLICIES = {"Weight": "weighted", "Region": "latency", "Failover": "failover", "GeoLocation": "geo location", "MultiValueAnswer": "multivalue answer"}


def find_zone(aws: AwsServer, zone_id: str) -> Any:
    zone = aws.backend("route53").zones.get(zone_id.rsplit("/", 1)[-1])
    if zone is None:
        raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id.rsplit('/', 1)[-1]}", 404)
    return zone


def document(record: Any) -> Document:
    """A record set as ListResourceRecordSets shows it."""
    kept: Document | None = getattr(record, "document", None)
    if kept is not None:
        return kept
    return {"Name": record.name, "Type": record.type, "TTL": record.ttl, "ResourceRecords": record.resource_records}


def canonical(given: Document) -> Document:
    """Names as Route 53 keeps them: lower case, with a trailing dot, ``*`` as an escape."""
    record = copy.deepcopy(given)
    record["Name"] = _name(record["Name"]).replace("*", "\\052")
    if record.get("AliasTarget"):
        record["AliasTarget"]["DNSName"] = _name(record["AliasTarget"]["DNSName"])
    return record


def _name(name: str) -> str:
    return name.lower().rstrip(".") + "."


def key(record: Document) -> Key:
    return record["Name"], record["Type"], record.get("SetIdentifier")


def _order(record: Document) -> tuple[list[str], str, str]:
    """By reversed labels, then type, then identifier, as ListResourceRecordSets documents."""
    return record["Name"].rstrip(".").split(".")[::-1], record["Type"], record.get("SetIdentifier") or ""


# -- changes ----------------------------------------------------------------------------------------------------------------------------------


def apply(changes: list[Document], records: list[Document], zone_name: str, zone_id: str) -> list[Document]:
    """The zone's record sets after the batch. Raises AwsError (InvalidChangeBatch) with everything that is wrong; nothing is changed then."""
    after = {key(record): record for record in records}
    problems: list[str] = []
    for change in changes:
        record = canonical(change["ResourceRecordSet"])
        problem = _problem(change["Action"], record, after, zone_name)
        if problem:
            problems.append(problem)
        elif change["Action"] == "DELETE":
            del after[key(record)]
        else:
            after[key(record)] = record
    changed = [canonical(change["ResourceRecordSet"]) for change in changes if change["Action"] != "DELETE"]
    problems += [problem for record in changed for problem in [_alias_problem(record, after, zone_id)] if problem]
    if problems:
        raise AwsError("InvalidChangeBatch", f"[{', '.join(problems)}]")
    return list(after.values())


def _problem(action: str, record: Document, current: dict[Key, Document], zone_name: str) -> str | None:
    if not f".{record['Name']}".endswith(f".{zone_name}"):
        return f"RRSet with DNS name {record['Name']} is not permitted in zone {zone_name}"
    if action == "DELETE":
        return _delete_problem(record, current.get(key(record)))
    if action == "CREATE" and key(record) in current:
        identifier = f", set identifier='{record['SetIdentifier']}'" if record.get("SetIdentifier") else ""
        return f"Tried to create resource record set [name='{record['Name']}', type='{record['Type']}'{identifier}] but it already exists"
    siblings = [item for item in current.values() if key(item)[:2] == key(record)[:2] and key(item) != key(record)]
    return _routing_problem(record, siblings) or _cname_problem(record, current, zone_name)


def _delete_problem(record: Document, existing: Document | None) -> str | None:
    """A DELETE must repeat every value (Change in the API reference)."""
    tried = f"Tried to delete resource record set [name='{record['Name']}', type='{record['Type']}'"
    tried += f", set identifier='{record['SetIdentifier']}']" if record.get("SetIdentifier") else "]"
    if existing is None:
        return f"{tried} but it was not found"
    return None if _values(existing) == _values(record) else f"{tried} but the values provided do not match the current values"


def _values(record: Document) -> Document:
    values = {name: value for name, value in record.items() if value not in (None, [], {})}
    if "ResourceRecords" in values:
        values["ResourceRecords"] = sorted(item["Value"] for item in values["ResourceRecords"])
    return values


def _policy(record: Document) -> str | None:
    return next((policy for member, policy in POLICIES.items() if record.get(member) is not None), None)


def _routing_problem(record: Document, siblings: list[Document]) -> str | None:
    """Simple and weighted (or otherwise routed) record sets of one name and type exclude each other. [M]"""
    tried = f"RRSet with DNS name {record['Name']}, type {record['Type']}"
    policy = _policy(record)
    if policy is None and siblings:
        return f"{tried} cannot be created as other RRSets exist with the same name and type."
    if policy and any(_policy(item) != policy for item in siblings):
        tried += f", SetIdentifier {record.get('SetIdentifier')}"
        return f"{tried} cannot be created as a non-{policy} set exists with the same name and type."
    return None


def _cname_problem(record: Document, current: dict[Key, Document], zone_name: str) -> str | None:
    """A CNAME stands alone, and never at the apex. [M]"""
    same_name = [item for item in current.values() if item["Name"] == record["Name"] and item["Type"] != record["Type"]]
    if record["Type"] == "CNAME" and record["Name"] == zone_name:
        return f"RRSet of type CNAME with DNS name {record['Name']} is not permitted at apex in zone {zone_name}"
    if same_name and "CNAME" in (record["Type"], *(item["Type"] for item in same_name)):
        return (
            f"RRSet of type {record['Type']} with DNS name {record['Name']} is not permitted as it conflicts with other records "
            f"with the same DNS name in zone {zone_name}"
        )
    return None


def _alias_problem(record: Document, after: dict[Key, Document], zone_id: str) -> str | None:
    """An alias names something in the zone that it names. [M]"""
    alias = record.get("AliasTarget")
    if not alias:
        return None
    target, zone = alias["DNSName"], alias["HostedZoneId"]
    tried = f"Tried to create an alias that targets {target}, type {record['Type']} in zone {zone}, but"
    if zone == zone_id:
        found = any(item["Name"] == target and item["Type"] == record["Type"] for item in after.values())
        return None if found else f"{tried} that target was not found"
    if not target.endswith(f".{REGIONS.get(zone, '(unknown)')}.elb.amazonaws.com."):
        return f"{tried} the alias target name does not lie within the target zone"
    return None


@operation("route53", "ChangeResourceRecordSets")
def change(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    zone = find_zone(aws, call.parameters["HostedZoneId"])
    zone_id = call.parameters["HostedZoneId"].rsplit("/", 1)[-1]
    after = apply(call.parameters["ChangeBatch"]["Changes"], [document(item) for item in zone.rrsets], _name(zone.name), zone_id)
    zone.rrsets = [_record(item) for item in after]
    return {"ChangeInfo": _submit(aws, call)}


def _record(shown: Document) -> Any:
    values = [item["Value"] for item in shown.get("ResourceRecords") or []]
    record = RecordSet({**shown, "ResourceRecords": values})
    record.document = shown
    return record


def _submit(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    identity = f"/change/C{mock_random.get_random_hex(20).upper()}"
    aws.observed.changes[identity] = aws.now()
    comment = call.parameters["ChangeBatch"].get("Comment")
    return {"Id": identity, "Status": "PENDING", "SubmittedAt": aws.observed.changes[identity], **({"Comment": comment} if comment else {})}


@operation("route53", "GetChange")
def get_change(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    identity = "/change/" + call.parameters["Id"].rsplit("/", 1)[-1]
    submitted = aws.observed.changes.get(identity)
    if submitted is None:
        raise AwsError("NoSuchChange", f"Could not find resource with ID: {identity.rsplit('/', 1)[-1]}", 404)
    return {"ChangeInfo": {"Id": identity, "Status": "INSYNC" if identity in aws.observed.insync else "PENDING", "SubmittedAt": submitted}}


@operation("route53", "ListResourceRecordSets")
def list_records(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    wanted = call.parameters
    records = sorted((document(item) for item in find_zone(aws, wanted["HostedZoneId"]).rrsets), key=_order)
    if wanted.get("StartRecordName"):
        start = {"Name": _name(wanted["StartRecordName"]).replace("*", "\\052"), "Type": wanted.get("StartRecordType") or ""}
        first = _order({**start, "SetIdentifier": wanted.get("StartRecordIdentifier")})
        records = [item for item in records if _order(item) >= first]
    most = min(int(wanted.get("MaxItems") or MOST_ITEMS), MOST_ITEMS)
    answer: dict[str, Any] = {"ResourceRecordSets": records[:most], "IsTruncated": len(records) > most, "MaxItems": str(most)}
    if len(records) > most:
        following = records[most]
        answer |= {"NextRecordName": following["Name"], "NextRecordType": following["Type"], "NextRecordIdentifier": following.get("SetIdentifier")}
    return answer


@operation("route53", "TestDNSAnswer", locked=False)
def test_dns_answer(aws: AwsServer, call: ApiCall) -> dict[str, Any]:
    """What the lab's name server answers now."""
    wanted = call.parameters
    find_zone(aws, wanted["HostedZoneId"])
    if aws.answer_dns is None:
        raise AwsError("ServiceUnavailable", "No name server runs beside this API", 503)
    name = _name(wanted["RecordName"])
    answer = aws.answer_dns(wanted["HostedZoneId"].rsplit("/", 1)[-1], name, wanted["RecordType"])
    return {
        "Nameserver": "ns-1.lab",
        "RecordName": name,
        "RecordType": wanted["RecordType"],
        "RecordData": list(answer.record_data),
        "ResponseCode": answer.response_code,
        "Protocol": "UDP",
    }
