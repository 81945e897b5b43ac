# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The target's load balancer with everything that belongs to it: read, compare, apply, wait until it is active, finish."""

from __future__ import annotations

import typing as t

from .._aws.apply import CLOCK, Clock, Ids, Ref, apply, overlay, report
from .._aws.clients import Clients
from .._aws.errors import CutoverError
from .._aws.run import KNOWN_AFTER_APPLY
from .._ecs.masking import mask_pair
from . import shapes
from .common import find_load_balancer, find_target_group
from .compare import compare, extra, finish, refuse
from .plan import DELETION_PROTECTION, normalise
from .read import read

Dict = t.Dict[str, t.Any]

ACTIVE = ("active", "active_impaired")
"""``active_impaired`` routes traffic; it only lacks room to scale. [B LoadBalancerState]"""


def run(params: t.Mapping[str, t.Any], clients: Clients, check_mode: bool, clock: Clock = CLOCK) -> Dict:
    wanted = normalise(params["load_balancer"])
    current, ids = read(clients, wanted)
    refuse(wanted, current)
    _find_other_groups(clients, wanted, ids)
    changes = apply(compare(wanted, current), clients, ids, check_mode, clock)
    if not check_mode:
        wait_until_active(clients, wanted["name"], params["wait_timeout"], params["poll_seconds"], clock)
    changes += apply(finish(wanted, current), clients, ids, check_mode, clock)
    before, after = mask_pair(*diff(wanted, current))
    return report(changes, before, after, extra=extra(wanted, current), load_balancer=_facts(clients, wanted, ids))


def _find_other_groups(clients: Clients, wanted: Dict, ids: Ids) -> None:
    """Rules may forward to a target group that the plan does not create; then it must exist."""
    names = set()
    for listener in wanted["listeners"].values():
        names |= shapes.group_names(listener["default_actions"]).union(*(shapes.group_names(rule["actions"]) for rule in listener["rules"].values()))
    for name in sorted(names - set(wanted["target_groups"])):
        group = find_target_group(clients, name)
        if group is None:
            raise CutoverError(
                f"A rule of load balancer {wanted['name']} forwards to the target group {name}, which neither exists nor is planned. Nothing was changed."
            )
        ids[Ref("target_group", name)] = group["TargetGroupArn"]


def wait_until_active(clients: Clients, name: str, timeout: float, poll_seconds: float, clock: Clock) -> None:
    """AWS provisions a load balancer in one to three minutes. The answer is looked at before the clock, so that a last good answer counts."""
    deadline = clock.now() + timeout
    while True:
        state = (find_load_balancer(clients, name) or {}).get("State", {})
        code = state.get("Code", "missing")
        if code in ACTIVE:
            return
        if code == "failed":
            raise CutoverError(f"AWS could not set up the load balancer {name}: {state.get('Reason', 'no reason given')}. Delete it and run again.")
        if clock.now() >= deadline:
            raise CutoverError(f"The load balancer {name} was still {code} after {timeout:g} s (wait_timeout). What was created stays; run again later.")
        clock.sleep(poll_seconds)


def diff(wanted: Dict, current: Dict) -> tuple[Dict, Dict]:
    """Both sides by name, port and priority. What the plan does not name stays as it is."""
    planned = {key: value for key, value in wanted.items() if key != "deletion_protection"}
    if wanted["deletion_protection"]:
        planned["attributes"] = {**planned["attributes"], DELETION_PROTECTION: "true"}
    after = overlay(current, planned)
    for port, found in current["listeners"].items():
        listener = after["listeners"][port]
        listener["sni_certificate_arns"] = sorted({*found["sni_certificate_arns"], *listener["sni_certificate_arns"]})
    nothing = "name" not in current and not current["target_groups"]
    return {} if nothing else _with_text_keys(current), _with_text_keys(after)


def _with_text_keys(value: t.Any) -> t.Any:
    """Ports and priorities as text: JSON knows no other keys."""
    return {str(key): _with_text_keys(item) for key, item in value.items()} if isinstance(value, t.Mapping) else value


def _facts(clients: Clients, wanted: Dict, ids: Ids) -> Dict:
    found = find_load_balancer(clients, wanted["name"]) or {}
    return {
        "name": wanted["name"],
        "arn": found.get("LoadBalancerArn", KNOWN_AFTER_APPLY),
        "dns_name": found.get("DNSName", KNOWN_AFTER_APPLY),
        "canonical_hosted_zone_id": found.get("CanonicalHostedZoneId", KNOWN_AFTER_APPLY),
        "target_groups": {name: ids.get(Ref("target_group", name), KNOWN_AFTER_APPLY) for name in wanted["target_groups"]},
    }
