# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Everything that must be true for a side to be healthy, judged on one snapshot. Pure."""

from __future__ import annotations

import typing as t

from . import predicates
from .facts import Case
from .model import SOURCE, STORES, WEB, WORKER, Json, Outcome, Service, Snapshot, StepResult

# A worker whose queue is out of reach stays RUNNING and says so in its log: such lines within the settling window count against it.
# Rows about single jobs or the application's own errors do not: a job that fails is not the platform's fault.
CUT_OFF = (
    "DB_TIMEOUT", "DB_REFUSED", "DB_DNS", "DB_AUTH", "DB_MANY", "REDIS_TIMEOUT", "REDIS_REFUSED", "REDIS_DNS", "REDIS_AUTH", "AWS_CRED", "AWS_NET",
)  # fmt: skip


def judge(snapshot: Snapshot, settle: float) -> list[Outcome]:
    """All checks but the probes."""
    outcomes = [predicates.load_balancer(snapshot)] if snapshot.load_balancer_name else []
    for signal in snapshot.services:
        outcomes += _service(snapshot, signal, settle)
    return outcomes


def _service(snapshot: Snapshot, signal: Service, settle: float) -> list[Outcome]:
    outcomes = [predicates.rollout(snapshot, signal), predicates.stays_up(snapshot, signal, settle), *_reach(snapshot, signal)]
    if signal.kind == WEB and snapshot.load_balancer_name:
        arns = signal.target_group_arns
        outcomes += [predicates.targets(snapshot, signal, arn) for arn in arns] or [_unattached(snapshot, signal)]
    if signal.kind == WORKER and (signal.service or {}).get("desiredCount"):
        outcomes.append(_log(snapshot, signal, settle))
    return outcomes


def _unattached(snapshot: Snapshot, signal: Service) -> Outcome:
    known = not snapshot.failed("services")
    return Outcome("targets", False if known else None, "the service has no target group" if known else "could not be determined", signal.name)


def _reach(snapshot: Snapshot, signal: Service) -> list[Outcome]:
    """Databases and caches that the environment names. The source side is in use: what it reaches is not computed."""
    if snapshot.side == SOURCE:
        return []
    case, outcomes = Case(snapshot, signal), {}
    for store in snapshot.network.data_stores:
        if case.names(str(store.get("address") or "")):
            name = f"reach {'database' if store['kind'] == 'rds' else 'cache'} {store['id']}"
            outcomes[name] = Outcome(name, *_store(case, store), signal.name)
    unread = [Outcome("reach", None, "databases and caches could not be determined", signal.name)] if snapshot.throttled(*STORES) else []
    return [*outcomes.values(), *unread]


def _store(case: Case, store: Json) -> tuple[bool, str]:
    """What cannot be computed (a prefix list, a group that could not be read) is left to the probes and the log: it must neither stop nor prove anything."""
    admitted, stopped = case.admitted_by(store), case.cut_off_from(store)
    if stopped:
        return False, stopped
    said = {True: "is admitted by the groups", False: "is not admitted", None: "could not be computed from the groups"}[admitted]
    return admitted is not False, f"TCP {store['port']} {said}"


def _log(snapshot: Snapshot, signal: Service, settle: float) -> Outcome:
    """Silence is normal for an idle worker; lines that tell of a lost queue or database are not. Who may not read it goes without."""
    case = Case(snapshot, signal)
    lines = case.running_lines()
    recent = [line for line in lines if line.at >= snapshot.at - max(settle, 10.0) and case.fresh(line.at)]
    cut_off = [hit for hit in case.hits(recent) if hit.row.id in CUT_OFF]
    if cut_off:
        return Outcome("log", False, f"{cut_off[0].row.id} in the newest lines", signal.name)
    if snapshot.throttled("logs"):
        return Outcome("log", None, "could not be determined", signal.name)
    return Outcome("log", True, "alive" if lines else "no line yet (normal for an idle worker)", signal.name)


def unread_stores(snapshot: Snapshot, needed: t.Collection[str]) -> list[Outcome]:
    """Databases and caches that may not be read, where nothing else can tell whether they are reached. (For a throttled call each service waits.)"""
    unread = snapshot.failed(*set(STORES) & set(needed)) and not snapshot.throttled(*STORES)
    text = "databases and caches may not be read: allow it, or give probes that use them (fargate_probes)"
    return [Outcome("reach", None, text)] if unread else []


def ready_for_probes(snapshot: Snapshot, outcomes: list[Outcome]) -> bool:
    """Probes mean something once every web service has healthy targets; before, the load balancer can only answer 503."""
    web = {signal.name for signal in snapshot.services if signal.kind == WEB}
    relevant = [outcome for outcome in outcomes if outcome.name == "load balancer" or (outcome.group in web and outcome.name.startswith("targets"))]
    return snapshot.load_balancer is not None and all(outcome.ok for outcome in relevant)


def probe_outcomes(snapshot: Snapshot, asked: bool) -> list[Outcome]:
    """One line per probe and address: its failed step, or that all steps passed."""
    if not snapshot.load_balancer_name:
        return []
    if not asked:
        return [Outcome("probes", None, "waiting for healthy targets")]
    grouped: dict[tuple[str, str], list[StepResult]] = {}
    for result in snapshot.probes:
        grouped.setdefault((result.probe, result.address), []).append(result)
    return [Outcome(probe, _probe_ok(results), _probe_text(results), f"asked at {address}") for (probe, address), results in grouped.items()]


def _probe_ok(results: list[StepResult]) -> bool | None:
    """Not being able to connect says nothing about the system."""
    unknown = [result.problem in ("connect", "proxy", "other_side") for result in results if not result.ok]
    return (None if all(unknown) else False) if unknown else True


def _probe_text(results: list[StepResult]) -> str:
    """The first step that failed, or what the last one got; a warning comes before both."""
    failed = [f"{result.step}: {result.text}" for result in results if not result.ok]
    if failed:
        return failed[0] + (f" (and {len(failed) - 1} more)" if len(failed) > 1 else "")
    shown = next((result.text for result in results if "only a warning" in result.text), results[-1].text)
    return f"{len(results)} steps, the last {shown}" if len(results) > 1 else shown.removeprefix(f"{results[0].probe} ")
