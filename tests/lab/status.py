"""What serves what, on one screen: collected in the daemon, shown by ``lab status``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lab.aws import targets
from lab.aws.operations import ecs_services
from lab.reconcile.metrics import load_balancer_dimension
from lab.settings import FQDN

if TYPE_CHECKING:
    from lab.daemon import Lab

Document = dict[str, Any]


def collect(lab: Lab) -> Document:
    """The lab as a JSON document."""
    with lab.world.state():
        answer = lab.names.answer(FQDN, "A")
        balancers = [_balancer(lab, item) for item in lab.world.backend("elbv2").load_balancers.values()]
        return {
            "name": lab.settings.name,
            "step": lab.step,
            "api": lab.settings.api_url,
            "shop": f"http://127.0.0.1:{lab.settings.shop_port}/",
            "fqdn": FQDN,
            "answer": list(answer.addresses) if answer else [],
            "ttl": answer.ttl if answer else None,
            "served_by": [item["name"] for item in balancers if answer and set(answer.addresses) & set(item["addresses"])],
            "records": [_record(record) for zone in lab.names.zones.values() for record in zone if record.type not in ("NS", "SOA")],
            "load_balancers": balancers,
            "services": [_service(item) for item in lab.world.backend("ecs").services.values() if item.status != "INACTIVE"],
            "instances": [_instance(lab, item) for item in lab.capacity.instances.values()],
            "data_stores": [
                {"name": runtime.wanted.key, "host": runtime.wanted.host, "address": str(runtime.interface.private_ip_address)}
                for runtime in list(lab.stores.running.values())
            ],
            "faults": lab.faults.listed(),
            "api_faults": [fault.as_dict() for fault in lab.aws.faults.list()],
            "cpu_seconds": {name: round(seconds, 2) for name, seconds in lab.loop.spent.items()},
        }


def _balancer(lab: Lab, item: Any) -> Document:
    groups = [group for group in lab.world.backend("elbv2").target_groups.values() if item.arn in group.load_balancer_arns]
    return {
        "name": item.name,
        "id": load_balancer_dimension(item.arn),
        "state": lab.world.observed.load_balancer_state.get(item.arn, "provisioning"),
        "addresses": [str(interface.private_ip_address) for interface in item.interfaces],
        "listeners": [f"{listener.protocol}:{listener.port}" for listener in item.listeners.values()],
        "requests_per_second": round(lab.metrics.rate(item.arn), 1),
        "target_groups": [
            {
                "name": group.name,
                "type": group.target_type,
                "targets": [
                    {"target": f"{identity}:{port}", "state": health.state, "reason": health.reason, "description": health.description}
                    for (identity, port), health in targets.health(lab.aws, group).items()
                ],
            }
            for group in groups
        ],
    }


def _service(item: Any) -> Document:
    return {
        "name": item.name,
        "cluster": item.cluster_name,
        "platform": "Fargate" if ecs_services.runs_on_fargate(item) else "EC2",
        "status": item.status,
        "desired": item.desired_count,
        "running": item.running_count,
        "pending": item.pending_count,
        "deployments": [
            {
                "status": deployment["status"],
                "definition": deployment["taskDefinition"].rpartition("/")[2],
                "rollout": deployment["rolloutState"],
                "running": deployment["runningCount"],
                "failed": deployment["failedTasks"],
            }
            for deployment in item.deployments
        ],
        "event": item.events[0]["message"] if item.events else "",
    }


def _instance(lab: Lab, item: Any) -> Document:
    tasks = Counter(run.task.service_name or "task" for run in lab.tasks.runs.values() if run.place.host == item.id and not run.ended)
    return {"id": item.id, "address": item.address, "cluster": item.cluster, "tasks": dict(tasks)}


def _record(record: Any) -> Document:
    shown = {"name": record.name, "type": record.type, "value": f"alias {record.alias}" if record.alias else ", ".join(record.values)}
    return {**shown, **({"weight": record.weight} if record.weight is not None else {})}


# -- one screen


def render(document: Document) -> str:
    return "\n".join(_lines(document))


def _lines(document: Document) -> Iterator[str]:
    serving = " and ".join(document["served_by"]) or "nobody"
    yield f"lab {document['name']}: {document['step']}    API {document['api']}    shop {document['shop']}"
    yield f"{document['fqdn']} -> {', '.join(document['answer']) or 'no answer'} (TTL {document['ttl']} s), served by load balancer {serving}"
    yield ""
    yield from _table("DNS RECORDS", ("name", "type", "value", "weight"), document["records"])
    for balancer in document["load_balancers"]:
        listeners = " ".join(balancer["listeners"])
        rate = balancer["requests_per_second"]
        yield f"LOAD BALANCER {balancer['name']}  {balancer['state']}  {' '.join(balancer['addresses'])}  {listeners}  {rate} requests/s"
        for group in balancer["target_groups"]:
            yield f"  target group {group['name']} ({group['type']})"
            for target in group["targets"]:
                yield f"    {target['target']:<28} {target['state']:<10} {target['reason']} {target['description']}".rstrip()
    yield ""
    services = [{**item, "tasks": f"{item['running']}/{item['desired']}", "deployments": _deployments(item["deployments"])} for item in document["services"]]
    yield from _table("SERVICES", ("cluster", "name", "platform", "tasks", "pending", "deployments"), services)
    instances = [{**item, "tasks": " ".join(f"{name}={number}" for name, number in item["tasks"].items())} for item in document["instances"]]
    yield from _table("INSTANCES", ("id", "address", "cluster", "tasks"), instances)
    yield from _table("DATA STORES", ("name", "address", "host"), document["data_stores"])
    faults = [{"fault": item["name"], "scope": f"{item['side']} {item['service']}".strip(), "what": item["what"]} for item in document["faults"]]
    faults += [{"fault": "api", "scope": f"{item['service']}:{item['operation']}", "what": item["action"]} for item in document["api_faults"]]
    yield from _table("FAULTS", ("fault", "scope", "what"), faults) if faults else iter(["no faults"])


def _deployments(items: Iterable[Document]) -> str:
    return "; ".join(f"{item['status']} {item['definition']} {item['rollout']}{' failed ' + str(item['failed']) if item['failed'] else ''}" for item in items)


def _table(title: str, columns: Iterable[str], rows: Iterable[Document]) -> Iterator[str]:
    names = list(columns)
    cells = [[str(row.get(name, "")) for name in names] for row in rows]
    if not cells:
        yield f"{title}: none"
        yield ""
        return
    widths = [max(len(name), *(len(row[index]) for row in cells)) for index, name in enumerate(names)]
    yield title
    for row in [names, *cells]:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield ""
