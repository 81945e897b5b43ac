# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What both sides together take of limits that were made for one: the account's quotas, the database's connections. fargate-rules.md 8 Quotas"""

from __future__ import annotations

import math
import re
import typing as t

from . import schedulers, sizes
from .context import Context, Json, as_int
from .findings import Finding, found
from .outline import Outline

UNITS_PER_VCPU = 1024
ENOUGH_CONNECTIONS = 100
"""Connections for each task that no usual number of processes uses up: PHP-FPM, Puma and Gunicorn come with 5 to 50."""
GIB = 1024**3
# Memory of instance classes by size, for 1 = large. t: twice the size below; m and r by vCPU. [D AmazonRDS/Concepts.DBInstanceClass.Summary]
_BURSTABLE = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32}
_PER_LARGE = {"m": 8, "r": 16}
_FORMULA = re.compile(r"^\{DBInstanceClassMemory/(\d+)\}$|^LEAST\(\{DBInstanceClassMemory/(\d+)\},\s*(\d+)\)$", re.IGNORECASE)


def vcpus(outline: Outline, context: Context) -> t.Iterator[Finding]:
    """Over the quota of Fargate's On-Demand vCPUs no task starts ("You've reached the limit on the number of vCPUs"). [D ecs/service-quotas]

    What the target runs already is in use and not needed again. A deployment needs up to ``maximumPercent`` of all tasks for a while.
    """
    size = {service["name"]: (sizes.cpu_units(outline.definition(service).get("cpu")) or 0) / UNITS_PER_VCPU for service in outline.services}
    running = {name: service.get("runningCount") or 0 for name, service in context.target_services.items()}
    steady = sum(size[item["name"]] * max(schedulers.tasks(item) - running.get(item["name"], 0), 0) for item in outline.services)
    peak = sum(size[item["name"]] * max(at_most(item) - running.get(item["name"], 0), 0) for item in outline.services)
    quota = quota_of(context, "fargate_vcpu")
    if quota is None:
        return
    left = max(quota["value"] - (quota.get("used") or 0), 0)
    if steady > left:
        yield found("FG-QUOTA", "quotas.fargate_vcpu", of_quota(quota), f"{steady:g} more vCPU", what="Fargate On-Demand vCPUs")
    elif peak > left:
        yield found("FG-QUOTA-DEPLOYMENT", "quotas.fargate_vcpu", of_quota(quota), f"{peak:g} more vCPU during a deployment", what="Fargate On-Demand vCPUs")


def balancers(outline: Outline, context: Context) -> t.Iterator[Finding]:
    """A second load balancer with target groups, rules and certificates; limits per load balancer have no use to ask for. [D elb/load-balancer-limits]"""
    plan = outline.balancer
    if plan is None or context.target.get("load_balancer"):
        return
    listeners = plan["listeners"]
    certificates = {arn for item in listeners for arn in (item["certificate_arn"], *item["sni_certificate_arns"]) if arn}
    wanted = (
        ("load_balancers", 1, "load balancers of the region"),
        ("target_groups", len(plan["target_groups"]), "target groups of the region"),
        ("listeners_per_load_balancer", len(listeners), "listeners of a load balancer"),
        ("rules_per_load_balancer", sum(len(item["rules"]) for item in listeners), "rules of a load balancer"),
        ("certificates_per_load_balancer", len(certificates), "certificates of a load balancer"),
    )
    for name, more, what in wanted:
        quota = quota_of(context, name)
        regional = not name.endswith("_per_load_balancer")
        if quota is None or (regional and quota.get("used") is None):
            continue
        if (quota.get("used") or 0) + more > quota["value"]:
            yield found("FG-QUOTA", f"quotas.{name}", of_quota(quota), f"{more} more", what=what)


def connections(outline: Outline, context: Context) -> t.Iterator[Finding]:
    """Both sides hold connections to the same database; how many a task opens isn't told by its definition, so the room of each task is said.

    Behind a limit that leaves every task plenty there is nothing to say. fargate-rules.md 8 connections of databases, runbook (The idea)
    """
    before = sum(service.get("runningCount") or 0 for service in context.source_services)
    then = sum(service["desired_count"] for service in outline.services)
    both, peak = before + then, before + sum(map(at_most, outline.services))
    if not before or not then:
        return
    for database in context.source.get("databases") or []:
        limit = max_connections(str(database.get("max_connections") or ""), str(database.get("DBInstanceClass") or ""))
        if limit is not None and limit >= peak * ENOUGH_CONNECTIONS:
            continue
        known = f"at most {limit} connections, {limit // both} for each task" if limit is not None else "limit unknown"
        tasks = f"{before} tasks now, {both} while both sides run, {peak} in a deployment"
        yield found("FG-DB-CONNECTIONS", f"databases[{database.get('DBInstanceIdentifier')}]", known, tasks)


def max_connections(told: str, instance_class: str) -> int | None:
    """The number, or what the parameter group's usual formulas give at most: AWS keeps a part of the memory. [D AmazonRDS/CHAP_Limits]

    >>> max_connections("{DBInstanceClassMemory/12582880}", "db.t3.micro")
    85
    """
    number = as_int(told)
    if number is not None:
        return number
    match, memory = _FORMULA.match(told.replace(" ", "")), class_memory(instance_class)
    if not match or memory is None:
        return None
    least = int(match[3]) if match[3] else memory
    return min(memory // int(match[1] or match[2]), least)


def class_memory(instance_class: str) -> int | None:
    """Bytes of db.t3.micro, db.m6g.large, db.r5.2xlarge ...; None for families that don't follow the rule."""
    match = re.match(r"^db\.([tmr])\d+[a-z]*\.((\d*)xlarge|large|micro|small|medium)$", instance_class)
    if not match:
        return None
    if match[1] == "t":
        return _BURSTABLE[match[2]] * GIB if match[2] in _BURSTABLE else None
    if match[2] == "large":
        return _PER_LARGE[match[1]] * GIB
    return _PER_LARGE[match[1]] * 2 * int(match[3] or 1) * GIB if match[2].endswith("xlarge") else None


def at_most(service: Json) -> int:
    """Tasks of a service while it is deployed."""
    return math.ceil(schedulers.tasks(service) * (service["deployment_configuration"].get("maximumPercent") or 200) / 100)


def quota_of(context: Context, name: str) -> Json | None:
    """``{value, used}`` of an account's quota; None where AWS does not tell it."""
    quota: Json = (context.system.get("quotas") or {}).get(name) or {}
    return quota if quota.get("value") is not None else None


def of_quota(quota: Json) -> str:
    used = quota.get("used")
    return f"{used if used is None else format(used, 'g')} of {quota['value']:g} in use" if used is not None else f"quota {quota['value']:g}"


RULES = (vcpus, balancers, connections)
