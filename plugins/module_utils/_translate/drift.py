# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the source got since the target was built: a release, or other session settings. The cutover would move users to the state of the day before.

Asked only while the source serves: afterwards releases go to the target. ``prepare`` and ``migrate`` register what the plan says, so these findings go with
the next run of either, and a release of the target would go with it as well: that one stops them.
"""

from __future__ import annotations

import re
import typing as t

from .context import Context, Json
from .findings import Finding, found

# What both sides must agree on so that a session opened on one goes on at the other. https://laravel.com/docs/session, https://laravel.com/docs/redis
_SESSION = re.compile(r"^(APP_KEY|APP_NAME|SESSION_\w+|CACHE_(PREFIX|DRIVER|STORE)|REDIS_(PREFIX|HOST|PORT|DB|CACHE_DB|CLIENT))$")


def findings(context: Context, services: t.Sequence[Json], definitions: t.Sequence[Json], images: t.Sequence[Json]) -> t.Iterator[Finding]:
    """Each container of the plan beside that of the same name in the revision that the target's service runs."""
    serves = context.system.get("serving") == "target"
    planned = {definition["family"]: definition for definition in definitions}
    sources = {entry["image"]: entry["source_image"] for entry in images}
    for service in services:
        running = (context.target_services.get(str(service["name"])) or {}).get("TaskDefinition") or {}
        present = {container.get("name"): container for container in running.get("containerDefinitions") or []}
        for container in (planned.get(service["family"]) or {}).get("containerDefinitions") or []:
            name = container.get("name")
            if name in present:
                path = f"task_definitions[{service['family']}].containerDefinitions[{name}]"
                if not serves:
                    yield from session(present[name], container, path)
                yield from release("FG-TARGET-RELEASED" if serves else "FG-TARGET-STALE", present[name], container, sources, path)


def session(present: Json, wanted: Json, path: str) -> t.Iterator[Finding]:
    """APP_KEY, driver, cookie, prefix: where one differs, users are logged out. Names only: the values may be secrets. diagnosis-rules.md 6 session settings"""
    old, new = _settings(present), _settings(wanted)
    differing = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    if differing:
        yield found("FG-SESSION-PARITY", f"{path}.environment", ", ".join(differing))


def release(kind: str, present: Json, wanted: Json, sources: t.Mapping[str, str], path: str) -> t.Iterator[Finding]:
    """The image of the plan, or that which it is derived from where nothing in it needed a change. runbook step 1"""
    image = wanted.get("image")
    if present.get("image") not in (image, sources.get(str(image))):
        yield found(kind, f"{path}.image", present.get("image"), image)


def _settings(container: Json) -> dict[str, str]:
    """Variable -> value, or where its value comes from."""
    pairs = [(pair.get("name"), pair.get("value")) for pair in container.get("environment") or []]
    pairs += [(pair.get("name"), pair.get("valueFrom")) for pair in container.get("secrets") or []]
    return {str(name): str(value) for name, value in pairs if _SESSION.match(str(name))}
