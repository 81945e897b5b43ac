# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The system as a picture: the name on the left, the source above, the target below, the data tier that both use on the right."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from itertools import pairwise

from .markup import Markup, join, tag

Json = t.Mapping[str, t.Any]

WIDTH = 1120
NAME, BALANCER, TASKS, DATA = (10, 190), (270, 210), (550, 290), (910, 200)  # left edge and width of each column
LINE, PAD, GAP, TOP = 17, 12, 34, 34
CHARACTER = 6.4  # pixels of a character in the page's 12 px font, rounded up
DATA_KINDS = {
    "rds": "RDS",
    "rds_proxy": "RDS Proxy",
    "elasticache": "ElastiCache",
    "opensearch": "OpenSearch",
    "efs": "EFS",
    "endpoint": "VPC endpoint",
    "mq": "Amazon MQ",
    "msk": "Amazon MSK",
    "redshift": "Redshift",
    "load_balancer": "load balancer",
    "instance": "EC2 instance",
}


@dataclass(frozen=True)
class Box:
    """Lines of text in a frame; the first is its title. ``y`` is the top edge."""

    x: float
    y: float
    width: float
    lines: tuple[str, ...]
    kind: str = ""

    @property
    def height(self) -> float:
        return PAD * 2 + LINE * len(self.lines) - 4

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    def svg(self) -> Markup:
        limit = int((self.width - 2 * PAD) / CHARACTER)
        texts = [
            tag("text", _short(line, limit), x=self.x + PAD, y=self.y + PAD + LINE * number + 10, class_="title" if number == 0 else None)
            for number, line in enumerate(self.lines)
        ]
        frame = tag("rect", x=self.x, y=self.y, width=self.width, height=self.height, rx=6)
        return tag("g", tag("title", "\n".join(self.lines)), frame, *texts, class_=self.kind)


def draw(system: Json, plan: Json) -> Markup:
    """The picture as SVG; a side that does not exist is left out."""
    lanes: list[tuple[str, list[Box]]] = []
    y: float = TOP
    for kind, boxes in (("source", source_boxes(system, plan)), ("target", target_boxes(plan))):
        if not boxes:
            continue
        placed = [Box(box.x, y, box.width, box.lines, kind) for box in boxes]
        lanes.append((kind, placed))
        y = max(box.y + box.height for box in placed) + GAP + TOP
    bottom = max(y - GAP - TOP, 80)
    name = _centred(NAME, (str(plan["fqdn"] or plan["system"]), "Route 53: " + (record_types(plan) or "no record")), bottom)
    data = data_boxes(system, bottom)
    body = [name.svg(), *(box.svg() for box in data)]
    for kind, boxes in lanes:
        title = "Source: ECS on EC2" if kind == "source" else "Target: Fargate"
        body.append(tag("text", title, x=BALANCER[0], y=boxes[0].y - 12, class_="lane"))
        body += [box.svg() for box in boxes]
        body += _arrows(name, boxes, data, "now" if serves(system, kind) else "later")
    return tag("svg", *body, viewBox=f"0 0 {WIDTH} {bottom + 12:g}", role="img", aria_label="source and target of the migration")


def serves(system: Json, kind: str) -> bool:
    return system.get("serving") in (kind, "mixed")


def source_boxes(system: Json, plan: Json) -> list[Box]:
    source = system.get("source")
    if not source:
        return []
    balancer = source.get("load_balancer") or {}
    ports = ", ".join(f"{item.get('Protocol')} {item.get('Port')}" for item in balancer.get("Listeners") or [])
    groups = [f"group {item.get('TargetGroupName')} ({item.get('TargetType')})" for item in source.get("target_groups") or []]
    cluster = (source.get("cluster") or {}).get("clusterName") or (plan["source"] or {}).get("cluster") or "no cluster"
    capacity = [_capacity(group) for group in (source.get("capacity") or {}).get("auto_scaling_groups") or []]
    services = [_source_service(item) for item in source.get("services") or []]
    return [
        Box(BALANCER[0], 0, BALANCER[1], (f"ALB {balancer.get('LoadBalancerName', 'unknown')}", *([ports] if ports else []), *groups)),
        Box(TASKS[0], 0, TASKS[1], (f"cluster {cluster}", *capacity, *services)),
    ]


def target_boxes(plan: Json) -> list[Box]:
    balancer = plan["load_balancer"]
    boxes = []
    if balancer:
        ports = ", ".join(f"{item['protocol']} {item['port']}" for item in balancer["listeners"])
        groups = [f"group {item['name']} (ip)" for item in balancer["target_groups"]]
        boxes.append(Box(BALANCER[0], 0, BALANCER[1], (f"ALB {balancer['name']}", *([ports] if ports else []), *groups)))
    if plan["services"]:
        sizes = {item["family"]: f"{int(item['cpu']) / 1024:g} vCPU, {int(item['memory']) / 1024:g} GB" for item in plan["task_definitions"]}
        services = [f"{item['name']}: {_planned_tasks(item)} of {sizes.get(item['family'], '?')}" for item in plan["services"]]
        joined = [f"namespace {item['name']}" for item in plan["cluster"]["namespaces"]]
        joined += [f"Cloud Map {item['name']}.{item['namespace_name']}" for item in plan["registries"]]
        boxes.append(
            Box(TASKS[0], 0, TASKS[1], (f"cluster {plan['cluster']['name']}", f"security group {plan['security']['group']['name']}", *services, *joined))
        )
    return boxes


def data_boxes(system: Json, bottom: float) -> list[Box]:
    """What both sides use: everything whose group admits the source's tasks."""
    source = system.get("source") or system.get("target") or {}
    stores = []
    for group in (source.get("security_groups") or {}).get("admitting") or []:
        users = [f"{DATA_KINDS.get(str(user.get('kind')), str(user.get('kind')))} {user.get('id')}" for user in group.get("used_by") or []]
        stores.append((users[0] if users else "unknown user", *users[1:], f"group {group.get('GroupName') or group.get('GroupId')}"))
    heights = [Box(0, 0, 0, lines).height + GAP / 2 for lines in stores]
    y = max((bottom - sum(heights)) / 2, TOP)
    boxes = []
    for lines, height in zip(stores, heights, strict=True):
        boxes.append(Box(DATA[0], y, DATA[1], lines, "data"))
        y += height
    return boxes


def record_types(plan: Json) -> str:
    return ", ".join(sorted({str(item["record_set"].get("Type")) for item in plan["dns"]["record_sets"]}))


def _centred(column: tuple[int, int], lines: tuple[str, ...], bottom: float) -> Box:
    height = Box(0, 0, 0, lines).height
    return Box(column[0], max((TOP + bottom - height) / 2, 0), column[1], lines, "name")


def _arrows(name: Box, boxes: list[Box], data: list[Box], when: str) -> list[Markup]:
    first, last = boxes[0], boxes[-1]
    arrows = [_curve(name, first, when)] + [_curve(left, right, when) for left, right in pairwise(boxes)]
    return arrows + [_curve(last, store, when) for store in data]


def _curve(left: Box, right: Box, when: str) -> Markup:
    start, end = left.x + left.width, right.x
    bend = (end - start) / 2
    path = f"M{start:g} {left.middle:g} C{start + bend:g} {left.middle:g} {end - bend:g} {right.middle:g} {end - 5:g} {right.middle:g}"
    head = f"M{end - 6:g} {right.middle - 4:g} L{end:g} {right.middle:g} L{end - 6:g} {right.middle + 4:g}Z"
    return join([tag("path", d=path, class_=f"flow {when}"), tag("path", d=head, class_=f"head {when}")])


def _capacity(group: Json) -> str:
    data = (group.get("LaunchTemplate") or {}).get("LaunchTemplateData") or {}
    return f"{group.get('DesiredCapacity')} × {data.get('InstanceType') or 'instance'} ({group.get('AutoScalingGroupName')})"


def _source_service(service: Json) -> str:
    containers = [str(item.get("name")) for item in (service.get("TaskDefinition") or {}).get("containerDefinitions") or []]
    told = f": {', '.join(containers)}" if containers else ""
    count = "DAEMON" if service.get("schedulingStrategy") == "DAEMON" else _tasks(service.get("desiredCount") or 0)
    return f"{service.get('serviceName')}: {count}{told}"


def _planned_tasks(service: Json) -> str:
    """A held scheduler has none yet."""
    return _tasks(service["desired_count"]) if service["held_count"] is None else f"held, then {service['held_count']}"


def _tasks(number: int) -> str:
    return "1 task" if number == 1 else f"{number} tasks"


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
