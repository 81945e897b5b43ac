# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the application does although no definition says so. fargate-rules.md 4 (local disk state), runbook"""

from __future__ import annotations

import re
import typing as t

from . import image, laravel
from .context import Context, Json
from .findings import Finding, found
from .outline import Outline

SESSION = "SESSION_DRIVER"
# Variables of which one decides. Of sessions only those hear who answer users.
DECIDED_BY = ((SESSION,), ("CACHE_STORE", "CACHE_DRIVER"), ("LOG_CHANNEL",))
DEFAULTS = {
    SESSION: "sessions in files up to version 10, in the database since 11",
    "CACHE_STORE": "the cache in files up to version 10, in the database since 11",
    "LOG_CHANNEL": "the log in a file",
}
_ARTISAN = re.compile(r"\bartisan\b")


def unset(outline: Outline, context: Context) -> t.Iterator[Finding]:
    """What is set nowhere has the default of Laravel's config, or a value of an ``.env`` inside the image; the plan sees neither.

    Defaults: file, file and stack up to version 10, database, database and stack since 11. https://laravel.com/docs/11.x/session,
    https://laravel.com/docs/10.x/session. Files of variables in S3 aren't read, so a container that has some isn't judged.
    """
    images = _images(context)
    for service in outline.services:
        source = next((item for item in context.source_services if item.get("serviceName") == service["name"]), {})
        told: list[str] = []
        open_: set[str] = set()
        for container in (source.get("TaskDefinition") or {}).get("containerDefinitions") or []:
            if _repository(container) in images and not container.get("environmentFiles"):
                given = _names(container)
                missing = [names[0] for names in DECIDED_BY if not given & set(names) and (service["kind"] == "web" or names[0] != SESSION)]
                told += [f"{container.get('name')}: {', '.join(missing)}"] if missing else []
                open_.update(missing)
        if told:
            defaults = "; ".join(text for name, text in DEFAULTS.items() if name in open_)
            users = ", and users whose session is in one are logged out" if SESSION in open_ else ""
            yield found("FG-LARAVEL-DEFAULT", f"services[{service['name']}]", "; ".join(told), defaults=defaults, users=users)


def _images(context: Context) -> set[str]:
    """Repositories of the images that some container of the system runs Laravel from: an ``APP_KEY``, or artisan as command."""
    containers = [item for service in context.source_services for item in (service.get("TaskDefinition") or {}).get("containerDefinitions") or []]
    return {_repository(item) for item in containers if "APP_KEY" in _names(item) or _ARTISAN.search(laravel.command(item))}


def _repository(container: Json) -> str:
    reference = image.parse(str(container.get("image") or ""))
    return f"{reference.host}/{reference.repository}"


def _names(container: Json) -> set[str]:
    return {str(pair.get("name")) for key in ("environment", "secrets") for pair in container.get(key) or []}


RULES = (unset,)
