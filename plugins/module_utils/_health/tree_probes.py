# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Branch 4 of the decision tree: targets are healthy, but a probe through the load balancer fails. diagnosis-rules.md 7"""

from __future__ import annotations

from .facts import Case
from .log_causes import STORE_CAUSE, log_cause, store_fact, store_words
from .model import CERTAIN, LIKELY, Cause, Evidence, Json, StepResult

# Problems that a connection has before any request, and what they mean.
CONNECTION = {
    "connect": "PROBE_UNREACHABLE", "proxy": "PROBE_PROXY", "tls_name": "TLS_NAME", "tls_trust": "TLS_TRUST", "tls_expired": "TLS_EXPIRED", "tls": "TLS_OTHER",
    "redirect_loop": "REDIRECT_LOOP", "parity": "PARITY", "differs": "DIFFERENT",
}  # fmt: skip
ALB_SERVER = "awselb/"


def probe_causes(cases: list[Case]) -> list[Cause]:
    """One cause per way to fail; the steps after a failed one did not run."""
    if not cases:
        return []
    causes: list[Cause] = []
    for result in cases[0].snapshot.probes:
        if not result.ok:
            causes += _causes(cases, result)
    return causes


def _causes(cases: list[Case], result: StepResult) -> list[Cause]:
    case, seen = cases[0], Evidence(f"probe {result.probe} at {result.address}", f"{result.step}: {result.text}", result.at)
    words: Json = {
        "address": result.address,
        "url": result.url,
        "port": 80 if result.url.startswith("http:") else 443,
        "code": result.status or None,
        "text": result.text,
    }
    if result.problem in CONNECTION:
        return [case.cause(CONNECTION[result.problem], CERTAIN, [seen], **words)]
    if result.problem == "other_side":
        return []
    # Time-outs look like a gateway time-out from further away.
    code = result.status if result.problem != "timeout" else 504
    explained = _from_logs(cases, result, code, seen) if code >= 500 or result.problem in ("expect", "capture") else []
    explained = explained or (_from_groups(cases, seen) if code == 504 else [])
    if explained:
        return explained
    identifier = _by_answer(result)
    return [case.cause(identifier, CERTAIN if identifier == "SESSION" and _is_lost(result) else LIKELY, [seen], **words)]


def _is_lost(result: StepResult) -> bool:
    """The page came and knows nobody, or it sends to the login. Other statuses (429, 403, 404) may have another reason."""
    return result.problem in ("status", "expect") and (result.status // 100 == 3 or result.status in (200, 401, 419))


def _from_logs(cases: list[Case], result: StepResult, code: int, seen: Evidence) -> list[Cause]:
    """What the web tasks logged since the step was sent. A gateway time-out is logged by PHP as an error 500 later, so 500 explains it too."""
    codes = (code, 500) if code >= 500 else (code,)
    found = []
    for case in cases:
        lines = [line for line in case.running_lines() if line.at >= result.at - 90.0]
        found += [log_cause(case, hit, codes, seen) for hit in case.hits(lines)]
    return found


def _from_groups(cases: list[Case], seen: Evidence) -> list[Cause]:
    """Nothing in the log, the request hangs, and a database or cache in the same VPC does not admit the tasks."""
    return [
        case.cause(identifier, LIKELY, [seen, store_fact(case, store)], **store_words(store))
        for case in cases
        for kind, identifier in STORE_CAUSE.items()
        for store in case.stores(kind)
        if case.refused_by(store)
    ]


def _by_answer(result: StepResult) -> str:
    if result.crossed:
        return "SESSION"
    if result.server.startswith(ALB_SERVER):
        return {502: "ALB_502", 503: "ALB_503", 504: "ALB_504"}.get(result.status, "ALB_RULE" if result.status in (200, 403, 404) else "PROBE_FAILED")
    if result.problem == "timeout":
        return "PROBE_TIMEOUT"
    return "WAF" if result.status == 403 else "PROBE_FAILED"
