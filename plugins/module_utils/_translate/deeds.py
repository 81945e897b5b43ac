# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the migration does, as lines for people: created, changed, left alone."""

from __future__ import annotations

from .context import Json


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def created(plan: Json) -> list[str]:
    balancer = plan["load_balancer"]
    entries = [f"image           {entry['image']} (when the source's has to be changed)" for entry in plan["image"]["images"]]
    entries += [f"cluster         {plan['cluster']['name']}", f"security group  {plan['security']['group']['name']}"]
    entries += [f"ingress         from {_peer(rule)} ({_ports(rule)}): {rule['description']}" for rule in plan["security"]["ingress"]]
    if plan["execution_role"]["arn"] is None:
        entries.append(f"role            {plan['execution_role']['name']} (when it doesn't exist)")
    entries += [f"namespace       {item['name']} (Service Connect)" for item in plan["cluster"]["namespaces"] if not item["shared"]]
    entries += [f"Cloud Map       {item['name']}.{item['namespace_name']}" for item in plan["registries"]]
    entries += [f"log group       {group['name']}" for group in plan["log_groups"]]
    entries += [f"task            {item['family']} ({item['cpu']} CPU units, {item['memory']} MiB)" for item in plan["task_definitions"]]
    if balancer:
        entries.append(f"load balancer   {balancer['name']} ({', '.join(str(item['port']) for item in balancer['listeners'])})")
        entries += [f"target group    {group['name']} (ip, port {group['port']})" for group in balancer["target_groups"]]
    entries += [f"service         {item['name']} ({item['kind']}, {_tasks(item)}{_volumes(item)})" for item in plan["services"]]
    entries += [f"scaling         {item['service']} ({item['min_capacity']} to {item['max_capacity']}, {_policies(item)})" for item in plan["scaling"]]
    alarms = [*plan["alarms"], *(alarm for part in ("scaling", "deployments") for entry in plan[part] for alarm in entry["alarms"])]
    return entries + [f"alarm           {alarm['name']}" for alarm in alarms]


def changed(plan: Json) -> list[str]:
    entries = [f"security group  {grant['group_name'] or grant['group_id']} admits the tasks ({_ports(grant)})" for grant in plan["security"]["grants"]]
    entries += [
        f"security group  {rule['group_id']} lets the load balancer reach the tasks ({_ports(rule)})" for rule in plan["security"]["load_balancer_egress"]
    ]
    for record in plan["dns"]["record_sets"]:
        entries.append(f"record          {record['record_set'].get('Name')} {record['record_set'].get('Type')} -> {plan['dns']['target_load_balancer']}")
    if plan["keep_alive"]["load_balancer_arn"]:
        entries.append(f"load balancer   {plan['dns']['source_load_balancer']}: client keep-alive {plan['keep_alive']['seconds']} s until rolled back")
    return entries


def left(plan: Json) -> list[str]:
    source = plan["source"]
    but = ", but for its client keep-alive" if plan["keep_alive"]["load_balancer_arn"] else ""
    return [
        f"load balancer   {source['load_balancer_name']}{but}",
        f"cluster         {source['cluster']}",
        *(f"service         {name}" for name in source["services"]),
        *(f"namespace       {item['name']} (joined as it is)" for item in plan["cluster"]["namespaces"] if item["shared"]),
    ]


def _tasks(service: Json) -> str:
    if service["held_count"] is None:
        return count(service["desired_count"], "task")
    return f"a scheduler: 0 tasks until scale_in has stopped the source's, then {service['held_count']}"


def _volumes(service: Json) -> str:
    sizes = [(volume.get("managedEBSVolume") or {}).get("sizeInGiB") for volume in service["volume_configurations"]]
    return "".join(f", each with an EBS volume{f' of {size} GiB' if size else ''}" for size in sizes)


def _policies(target: Json) -> str:
    number = len(target["policies"])
    return f"{number} policy" if number == 1 else f"{number} policies"


def _peer(rule: Json) -> str:
    return "the tasks themselves" if rule.get("itself") else str(rule.get("source_group_id") or rule.get("prefix_list_id"))


def _ports(rule: Json) -> str:
    if str(rule["protocol"]) == "-1":
        return "everything"
    ports = str(rule["from_port"]) if rule["from_port"] == rule["to_port"] else f"{rule['from_port']}-{rule['to_port']}"
    return f"{rule['protocol']} {ports}"
