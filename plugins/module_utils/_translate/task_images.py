# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What is asked of the images that tasks will run, beside their confs: platform, USER, EXPOSE. fargate-rules.md 1 runtimePlatform, 2 portMappings, user"""

from __future__ import annotations

import typing as t

from . import image, peers, siblings
from .context import Context, Json

ONE_NETWORK = ("awsvpc", "host")


def section(tasks: t.Iterable[tuple[str, Json, Json]], entries: t.Mapping[tuple[str, str], Json], context: Context) -> list[Json]:
    """``image.tasks`` of the plan from (key, source, target) of each definition: its containers with what their images must suit."""
    return [_task(key, source, target, entries, context) for key, source, target in tasks]


def _task(key: str, source: Json, target: Json, entries: t.Mapping[tuple[str, str], Json], context: Context) -> Json:
    derived = {name: entry for (of, name), entry in entries.items() if of == key}
    linked = {*derived, *(peer for item in source.get("containerDefinitions") or [] if item.get("name") in derived for peer, _alias in peers.linked(item))}
    first = siblings.first_free_port(target)
    return {
        "family": target["family"],
        "platform": image.platform(target),
        "containers": [
            {
                "name": str(item.get("name")),
                "image": _readable(str((derived.get(str(item.get("name"))) or {}).get("source_image") or item.get("image") or ""), context),
                "ports": _ports(item),
                "low_ports": [] if item.get("user") else siblings.low_ports(item, first),
                "exposes": source.get("networkMode") not in ONE_NETWORK and not any(item.get(member) for member in ("portMappings", "command", "entryPoint")),
                "linked": item.get("name") in linked,
            }
            for item in target.get("containerDefinitions") or []
        ],
    }


def _readable(source: str, context: Context) -> str | None:
    """Amazon ECR's images of the region: what is derived from one isn't there yet and differs in its confs only. Others may need a login."""
    return source if image.ecr_region(source) == context.region else None


def _ports(item: Json) -> list[int]:
    mappings = [mapping for mapping in item.get("portMappings") or [] if (mapping.get("protocol") or "tcp") == "tcp"]
    return sorted({port for mapping in mappings for port in siblings.ports(mapping)})
