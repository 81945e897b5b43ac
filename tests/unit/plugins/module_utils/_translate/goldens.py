"""Every golden case as a whole system with its inventory: for tests that look at all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml
from ansible_collections.cutover.fargate.plugins.module_utils._translate import planner
from unit.plugins.module_utils._translate import rules, systems
from unit.plugins.module_utils._translate.systems import Json

SHAPES = systems.FOLDER.parent / "task_definitions"


@dataclass(frozen=True)
class Golden:
    """``name`` is the folder's below ``fixtures`` and the case's in it."""

    name: str
    system: Json
    intent: Json

    @cached_property
    def plan(self) -> Json:
        return planner.plan(self.system, self.intent)

    @property
    def services(self) -> list[Json]:
        """The source's services that have a task definition."""
        return [service for service in (self.system.get("source") or {}).get("services") or [] if service.get("TaskDefinition")]

    def at(self, path: str) -> list[Json]:
        """The findings at a place, within it, or of the thing that it is a member of: ``volumes[data]`` speaks for ``volumes[data].host``."""
        return [item for item in self.plan["findings"] if _within(item["path"], path) or _within(path, item["path"])]

    def blocked(self, *paths: str) -> bool:
        """Whether an unwaived BLOCKER stops the migration: anywhere, or within one of the paths."""
        stops = [item["path"] for item in self.plan["findings"] if item["severity"] == "BLOCKER" and not item["waived"]]
        return any(not paths or _within(stop, path) for stop in stops for path in paths or ("",))


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith((f"{outer}.", f"{outer}["))


def shape(path: Path) -> Golden:
    """A task definition in the place of the runbook's worker. Its inventory calls the service ``web``."""
    given = yaml.safe_load(path.read_text().replace("$ECR", rules.ECR))
    system = systems.system()
    front, worker = system["source"]["services"]
    front["serviceName"] = "front"
    worker |= {"serviceName": "web", "TaskDefinition": given["source"]}
    return Golden(f"task_definitions/{path.stem}", system, given.get("intent") or {})


def every() -> list[Golden]:
    """Whole systems, whole task definitions, and what causes each finding or nearly does."""
    found = [Golden(f"systems/{case}", systems.system(case), systems.intent(case)) for case in systems.CASES]
    found += [shape(path) for path in sorted(SHAPES.glob("*.yml"))]
    return [*found, *(Golden(f"rules/{case.name}", case.system(), case.intent) for case in map(rules.Case, rules.CASES) if not case.odd)]
