# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The decision tree: signals -> at most three ranked causes, each with evidence, fix and the command to look by hand. Pure. diagnosis-rules.md 7"""

from __future__ import annotations

from . import predicates
from .facts import Case
from .log_causes import log_cause, store_fact, store_words
from .model import CERTAIN, ESSENTIAL, LIKELY, POSSIBLE, SOURCE, WEB, WORKER, Cause, Evidence, Outcome, Service, Snapshot
from .tree_probes import probe_causes
from .tree_targets import target_causes
from .tree_tasks import crash_causes, start_causes

MOST = 3
RANK = {CERTAIN: 0, LIKELY: 1, POSSIBLE: 2}


def diagnose(snapshot: Snapshot, outcomes: list[Outcome]) -> list[Cause]:
    """Why are these checks not passed? Branches in the order of the tree; the first of equal confidence is the likelier root."""
    missing = missing_causes(snapshot)
    if missing:
        return rank(snapshot, missing)
    cases = [Case(snapshot, signal) for signal in snapshot.services]
    causes = [cause for case in cases for cause in _service_causes(case, outcomes)]
    causes += probe_causes([case for case in cases if case.signal.kind == WEB])
    return rank(snapshot, causes) or rank(snapshot, _waiting(snapshot, outcomes))


def rank(snapshot: Snapshot, causes: list[Cause]) -> list[Cause]:
    """Most confident first, each id once, with the evidence of its strongest mention. Beside a certain cause, guesses and old stories only distract."""
    ordered = sorted(causes, key=lambda cause: RANK[cause.confidence])
    kept: dict[str, Cause] = {}
    for cause in ordered:
        kept.setdefault(cause.id, cause)
    if ordered and ordered[0].confidence == CERTAIN:
        kept = {name: cause for name, cause in kept.items() if cause.confidence == CERTAIN or _still_told(snapshot, cause)}
    return list(kept.values())[:MOST]


def _still_told(snapshot: Snapshot, cause: Cause) -> bool:
    newest = max((evidence.at or 0.0 for evidence in cause.evidence), default=0.0)
    return cause.confidence == LIKELY and newest >= snapshot.started


def missing_causes(snapshot: Snapshot) -> list[Cause]:
    """0 Is there anything to look at?"""
    nobody = Case(snapshot, Service(name=""))
    if snapshot.cluster_missing:
        return [nobody.cause("NO_CLUSTER", CERTAIN, [_fact(snapshot, f"cluster {snapshot.cluster}", "does not exist")], settled=True)]
    causes = []
    if snapshot.load_balancer_name and snapshot.load_balancer is None and not snapshot.failed("load_balancer"):
        causes.append(
            nobody.cause("NO_LOAD_BALANCER", CERTAIN, [_fact(snapshot, f"load balancer {snapshot.load_balancer_name}", "does not exist")], settled=True)
        )
    for signal in snapshot.services if not snapshot.failed("services") else []:
        case = Case(snapshot, signal)
        if signal.service is None or signal.service.get("status") == "INACTIVE":
            causes.append(case.cause("NO_SERVICE", CERTAIN, [_fact(snapshot, f"service {signal.name}", "does not exist")], settled=True))
        elif int(signal.service.get("desiredCount", 0)) == 0 and not predicates.rollout(snapshot, signal).ok:
            causes.append(case.cause("DESIRED_ZERO", CERTAIN, [_fact(snapshot, f"service {signal.name}", "desiredCount 0")], settled=True))
    return causes


def _fact(snapshot: Snapshot, source: str, text: str) -> Evidence:
    return Evidence(source, text, snapshot.at)


def _service_causes(case: Case, outcomes: list[Outcome]) -> list[Cause]:
    """The branches for one service; a service whose checks pass has no cause."""
    failed = {outcome.name.split(" ")[0] for outcome in outcomes if outcome.group == case.signal.name and outcome.ok is False}
    causes: list[Cause] = []
    if failed & {"reach"}:
        causes += store_causes(case)
    if failed & {"rollout", "tasks"}:
        causes += [*start_causes(case), *crash_causes(case), *_old_revision(case)]
    if failed & {"targets"}:
        causes += target_causes(case)
    if failed & {"log"}:
        causes += worker_causes(case)
    return causes


def store_causes(case: Case) -> list[Cause]:
    """A database or cache that the environment names and whose group does not admit the tasks: certain without any log line."""
    causes = []
    for kind, identifier in (("rds", "DB_TIMEOUT"), ("elasticache", "REDIS_TIMEOUT")):
        for store in case.stores(kind):
            if not case.names(str(store.get("address") or "")):
                continue
            stopped = case.cut_off_from(store)
            if stopped:
                fact = Evidence("network ACLs", stopped, case.snapshot.at)
                causes.append(case.cause("STORE_NACL", CERTAIN, [fact], settled=True, **store_words(store), subnet=case.ends()[0].subnet))
            if case.refused_by(store):
                named = Evidence(f"task definition {case.context()['definition']}", f"the environment names {store['address']}", case.snapshot.at)
                lines = [hit for hit in case.hits(case.told_now()) if hit.row.id.split("_")[0] == identifier.split("_", maxsplit=1)[0]]
                quoted = [Evidence(f"log {hit.line.group} {hit.line.stream}", hit.line.text, hit.line.at) for hit in lines[:1]]
                causes.append(case.cause(identifier, CERTAIN, [*quoted, store_fact(case, store), named], settled=True, **store_words(store)))
    return causes


def _old_revision(case: Case) -> list[Cause]:
    newest, primary = case.signal.newest, case.signal.primary
    if case.snapshot.side == SOURCE or newest is None or not primary or primary.get("taskDefinition") == newest.get("taskDefinitionArn"):
        return []
    fact = Evidence(
        f"service {case.signal.name}", f"PRIMARY runs {primary.get('taskDefinition')}, newest is {newest.get('taskDefinitionArn')}", case.snapshot.at
    )
    return [case.cause("OLD_REVISION", LIKELY, [fact])]


def worker_causes(case: Case) -> list[Cause]:
    """A worker that runs can still be cut off from its queue: its newest lines tell."""
    if case.signal.kind != WORKER:
        return []
    lines = [line for line in case.running_lines() if case.fresh(line.at)]
    return [log_cause(case, hit, (500,), None) for hit in case.hits(lines)]


def _waiting(snapshot: Snapshot, outcomes: list[Outcome]) -> list[Cause]:
    """By elimination: nothing points to a fault, so the state itself is all there is. Where signals are missing, nothing is eliminated."""
    bad = next((outcome for outcome in outcomes if outcome.ok is False), None)
    if bad is None or snapshot.failed(*ESSENTIAL):
        return []
    signal = next((signal for signal in snapshot.services if signal.name == bad.group), Service(name=bad.group))
    text = f"{bad.group + ': ' if bad.group else ''}{bad.name}: {bad.last}"
    evidence = Evidence(f"{bad.group} {bad.name}".strip(), bad.last, snapshot.at)
    return [Case(snapshot, signal).cause("WAITING", POSSIBLE, [evidence], text=text)]
