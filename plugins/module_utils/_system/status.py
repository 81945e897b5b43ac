# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Where a system stands, for a person: one screen. Pure. No line holds a character that YAML would quote."""

from __future__ import annotations

import typing as t

from .._aws import tags
from .._translate import schedulers
from .read import Shape

NEXT = {
    "new": "plan, then prepare (builds and verifies the target, moves nothing) or migrate (prepare and cutover)",
    "provisioned": "prepare again (changes only what differs), verify, cutover. rollback is not needed, the source serves",
    "cut_over": "scale_in when the source is silent. rollback moves the traffic back",
    "scaled_in": "teardown after the bake time (no rollback after it). rollback starts the source again and moves the traffic back",
    "torn_down": "nothing. verify and status work at any time",
}
WAITING = "finish the switch with cutover, or undo it with rollback"


def status_lines(system: Shape, now: str) -> list[str]:
    """The screen, line by line. ``now`` is the phase, as the plan tells it."""
    return [
        f"system     {system.get('name', '')}  {system['fqdn']}  account {system['account_id']}  {system['region']}",
        f"serving    {_serving(system)}",
        f"phase      {now}",
        *_side("source", system["source"], "gone" if now == "torn_down" else "not found"),
        *_side("target", system["target"], "not built yet"),
        *(f"scheduler  {each.name}  {each.told()}" for each in schedulers.hands(system)),
        *(f"remembers  {line}" for line in remembered(system)),
        *(f"problem    {_quiet(problem['message'])}" for problem in system.get("problems", [])),
        *(f"shared     {item['kind']} {_quiet(item['name'])} with {_quiet(', '.join(item['used_by']))}" for item in system.get("shared", [])),
        f"next       {WAITING if system['serving'] == 'mixed' else NEXT[now]}",
    ]


def remembered(system: Shape) -> list[str]:
    """What tags keep for a rollback, and when the cutover was."""
    source, target = system["source"], system["target"]
    lines: list[str] = []
    if target:
        lines += _tag(target["load_balancer"]["Tags"], tags.CUTOVER_AT, "cutover at {}")
    if source:
        lines += _tag(source["load_balancer"]["Tags"], tags.CLIENT_KEEP_ALIVE, "client keep-alive of the source was {} seconds")
        for service in source["services"]:
            lines += _tag(service["Tags"], tags.DESIRED_COUNT, f"service {service['serviceName']} had {{}} tasks")
        for group in source["capacity"]["auto_scaling_groups"]:
            lines += _tag(group["Tags"], tags.CAPACITY, f"Auto Scaling group {group['AutoScalingGroupName']} had {{}}")
    return lines


def _serving(system: Shape) -> str:
    where = {"mixed": "source and target", "none": "neither side"}.get(system["serving"], system["serving"])
    records = sorted({f"{record['record_set']['Name'].rstrip('.')} {record['record_set']['Type']} to {record['side']}" for record in system["records"]})
    return f"{where}  ({', '.join(records) or 'no record'})"


def _side(name: str, side: Shape | None, absent: str) -> list[str]:
    if side is None:
        return [f"{name}     {absent}"]
    balancer = side["load_balancer"]
    lines = [f"{name}     ALB {balancer['LoadBalancerName']}  {balancer.get('State', {}).get('Code', 'unknown')}  {balancer['DNSName']}"]
    lines += [f"{name}     targets {group['TargetGroupName']}  {_health(group)}" for group in side["target_groups"]]
    lines += [f"{name}     service {service['serviceName']}  {_counts(service)}" for service in side["services"]]
    lines += [
        f"{name}     instances {group['AutoScalingGroupName']}  {_members(group)}" for group in side["capacity"]["auto_scaling_groups"]
    ]
    return lines


def _health(group: Shape) -> str:
    states = [description["TargetHealth"]["State"] for description in group["TargetHealth"]]
    others = sorted({state for state in states if state != "healthy"})
    text = f"{states.count('healthy')} of {len(states)} healthy"
    return f"{text} ({', '.join(f'{states.count(state)} {state}' for state in others)})" if others else text


def _counts(service: Shape) -> str:
    return f"{service.get('runningCount', 0)} of {service.get('desiredCount', 0)} running"


def _members(group: Shape) -> str:
    return f"{len(group.get('Instances', []))} of {group.get('DesiredCapacity', 0)} (at least {group.get('MinSize', 0)})"


def _tag(found: t.Mapping[str, str], name: str, text: str) -> list[str]:
    return [text.format(found[name])] if name in found else []


def _quiet(text: str) -> str:
    """Free text without the characters that make YAML quote the line."""
    return text.replace(": ", " ").replace(" #", " ").rstrip(":")
