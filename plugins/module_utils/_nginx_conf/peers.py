# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Who the other containers are: given by the user, or read from the task definition. They are never guessed."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._aws.errors import CutoverError
from .._translate import peers as translate


@dataclass(frozen=True)
class Peers:
    """``hosts``: name -> new host; ``containers``: name -> the container behind it; ``environment`` is None when nothing is known of it."""

    hosts: dict[str, str]
    containers: dict[str, str]
    environment: dict[str, str] | None


def read(params: t.Mapping[str, t.Any]) -> Peers:
    given = {str(name): str(host) for name, host in (params.get("peers") or {}).items()}
    environment = {str(name): str(value) for name, value in (params.get("environment") or {}).items()}
    definition = params.get("task_definition")
    if not definition and not given:
        raise CutoverError("peers: no container is named. Either peers or task_definition should name the task's other containers. Nothing was changed.")
    if not definition:
        return Peers(given, {}, environment or None)
    container = _container(definition, params.get("container"))
    declared = {str(pair.get("name")): str(pair.get("value") or "") for pair in container.get("environment") or []}
    containers = {alias: name for name, alias in translate.linked(container)}
    return Peers({**translate.mapping(container, definition), **given}, containers, {**environment, **declared})


def _container(definition: t.Mapping[str, t.Any], name: str | None) -> t.Mapping[str, t.Any]:
    containers = definition.get("containerDefinitions") or []
    chosen = [each for each in containers if each.get("name") == name] if name else [each for each in containers if each.get("links")]
    if len(chosen) == 1:
        return t.cast("t.Mapping[str, t.Any]", chosen[0])
    names = ", ".join(str(each.get("name")) for each in containers) or "none"
    what = f"{name!r} is no container" if name else f"{len(chosen)} containers have links, so the one that runs Nginx is not clear,"
    raise CutoverError(f"container: {what} of the task definition. It should be one of: {names}. Nothing was changed.")
