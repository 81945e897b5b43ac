# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""How the target's services deploy. fargate-rules.md 7 deploymentConfiguration

Two states. *Held* while the target does not serve: nothing is rolled back, since the first deployment has nothing to roll back to; no alarm decides, since what
is idle gives alarms no data or bad ones; no task is moved between zones during the cutover. *Serving* from the cutover on: a failed deployment is rolled back,
the alarms decide as the source's do, tasks are balanced over the zones.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-failure-detection.html
"""

from __future__ import annotations

import copy
import typing as t

from . import copied_alarms, scaling_alarms, schedulers
from .context import Context, Json, per_service
from .findings import Finding, found

# Members that other strategies than ROLLING have, or that a rule below sets.
NOT_CARRIED = (
    "minimumHealthyPercent",
    "maximumPercent",
    "deploymentCircuitBreaker",
    "alarms",
    "strategy",
    "bakeTimeInMinutes",
    "lifecycleHooks",
    "linearConfiguration",
    "canaryConfiguration",
)
REBALANCING = ("ENABLED", "DISABLED")


def section(services: t.Sequence[Json], context: Context) -> tuple[list[Json], list[Finding]]:
    """Both states of each service, as UpdateService takes them, and the alarms that are made for them."""
    made: dict[str, str] = {}
    plan, findings = [], []
    for service in services:
        copies, names, more = _alarms(service, made, context)
        made.update({item["source_name"]: item["name"] for item in copies})
        plan.append(
            {
                "service": str(service.get("serviceName")),
                "cluster": context.names["cluster"],
                "held": _state(service, names, False, context),
                "serving": _state(service, names, True, context),
                "alarms": copies,
                "tags": dict(context.own_tags),
            }
        )
        findings += [*more, *_told(service, context)]
    return plan, findings


def in_force(service: Json, context: Context) -> Json:
    """The state that a service is made in, or should be in. Alarms come afterwards: they name what is made together with the service."""
    return _state(service, [], context.system.get("serving") == "target", context)


def replaced(context: Context) -> set[str]:
    """Names of the source's alarms that the target gets again for its deployments."""
    plan, _findings = section(context.replica_services, context)
    return {alarm["source_name"] for entry in plan for alarm in entry["alarms"]}


def watched(services: t.Iterable[Json]) -> set[str]:
    """Names of the alarms that are there to decide on the services' deployments, whether they do at the moment or not."""
    return {str(name) for service in services for name in _named(service).get("alarmNames") or []}


def _state(service: Json, alarms: t.Sequence[str], serving: bool, context: Context) -> Json:
    given = service.get("deploymentConfiguration") or {}
    configuration: Json = {**(_carried(given) if serving else {}), **_percent(service), "deploymentCircuitBreaker": _circuit_breaker(given, serving)}
    if alarms:
        configuration["alarms"] = {"alarmNames": list(alarms), "enable": serving, "rollback": bool((given.get("alarms") or {}).get("rollback"))}
    return {"deployment_configuration": configuration, "availability_zone_rebalancing": _rebalancing(service, context) if serving else "DISABLED"}


def _percent(service: Json) -> Json:
    """Never fewer than wanted, but for a scheduler never more: a release would run the old and the new one side by side."""
    alone = not service.get("loadBalancers") and schedulers.command_of(service)
    return {"maximumPercent": 100, "minimumHealthyPercent": 0} if alone else {"maximumPercent": 200, "minimumHealthyPercent": 100}


def _circuit_breaker(given: Json, serving: bool) -> Json:
    """On, with the source's thresholds. [B DeploymentCircuitBreaker]"""
    kept = {key: copy.deepcopy(value) for key, value in (given.get("deploymentCircuitBreaker") or {}).items() if value is not None}
    return {**kept, "enable": True, "rollback": serving}


def _carried(given: Json) -> Json:
    """What else a rolling deployment of the source is told, such as criteria of early success. Those of other strategies mean nothing to it."""
    if given.get("strategy") not in (None, "ROLLING"):
        return {}
    return {key: copy.deepcopy(value) for key, value in given.items() if key not in NOT_CARRIED and value is not None}


def _rebalancing(service: Json, context: Context) -> str:
    """AWS's default for new services. Not where a deployment may start no task before it stops another: so does rebalancing. [D ecs/service-rebalancing]"""
    if _percent(service)["maximumPercent"] <= 100:
        return "DISABLED"
    answer = str(per_service(context.intent.get("availability_zone_rebalancing"), str(service.get("serviceName"))) or "").upper()
    return answer if answer in REBALANCING else "ENABLED"


def _named(service: Json) -> Json:
    return (service.get("deploymentConfiguration") or {}).get("alarms") or {}


def _watching(service: Json) -> list[str]:
    given = _named(service)
    return [str(name) for name in given.get("alarmNames") or []] if given.get("enable") else []


def _alarms(service: Json, made: t.Mapping[str, str], context: Context) -> tuple[list[Json], list[str], list[Finding]]:
    """Alarms to be made, the names of all that decide, and what became of each. One that scaling has made again, or an earlier service, is used as it is."""
    known, copies = copied_alarms.named(context), {**scaling_alarms.replaced(context), **made}
    plan: list[Json] = []
    names: list[str] = []
    findings: list[Finding] = []
    for name in _watching(service):
        path, alarm = f"services[{service.get('serviceName')}].deploymentConfiguration.alarms[{name}]", known.get(name)
        if alarm is None:
            findings.append(found("FG-DEPLOY-ALARM-LOST", path, name, what="it was not found among the metric alarms that could be read"))
        elif name in copies:
            names.append(copies[name])
            findings.append(found("FG-DEPLOY-ALARM", path, name, copies[name]))
        elif copied_alarms.outlives_source(alarm, context):
            names.append(name)
            findings.append(found("FG-DEPLOY-ALARM-SHARED", path, name, name))
        else:
            try:
                plan.append(copied_alarms.copied(alarm, _actions(alarm), context))
            except copied_alarms.UnmappableError as reason:
                findings.append(found("FG-DEPLOY-ALARM-LOST", path, name, what=f"it {reason}"))
                continue
            names.append(plan[-1]["name"])
            findings.append(found("FG-DEPLOY-ALARM", path, name, names[-1]))
    return plan, sorted(names), findings


def _actions(alarm: Json) -> Json:
    """Who is told stays; what scales the source does not."""
    kept = {key: [action for action in alarm.get(key) or [] if ":scalingPolicy:" not in str(action)] for key in copied_alarms.ACTIONS}
    return {key: value for key, value in kept.items() if value}


def _told(service: Json, context: Context) -> t.Iterator[Finding]:
    """What is not as the source has it, once the target serves."""
    path = f"services[{service.get('serviceName')}]"
    given, wanted = service.get("deploymentConfiguration") or {}, _state(service, [], True, context)
    before, after = _words(given), _words(wanted["deployment_configuration"])
    if before != after:
        alone = wanted["deployment_configuration"]["maximumPercent"] <= 100
        what = "A scheduler is stopped before its successor starts" if alone else "No fixed host port asks for fewer tasks than wanted during a deployment"
        yield found("FG-DEPLOYMENT", f"{path}.deploymentConfiguration", before, after, what=what)
    now, then = service.get("availabilityZoneRebalancing") or "DISABLED", wanted["availability_zone_rebalancing"]
    if now != then:
        yield found("FG-ZONE-REBALANCING", f"{path}.availabilityZoneRebalancing", now, then)


def _words(configuration: Json) -> str:
    """[B DeploymentConfiguration]: 100 and 200 percent where a member is not given."""
    least, most = (configuration.get(key) for key in ("minimumHealthyPercent", "maximumPercent"))
    breaker = configuration.get("deploymentCircuitBreaker") or {}
    how = "no circuit breaker" if not breaker.get("enable") else f"circuit breaker with{'' if breaker.get('rollback') else 'out'} rollback"
    return f"{100 if least is None else least} to {200 if most is None else most} percent of the tasks, {how}"
