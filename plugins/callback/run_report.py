# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: run_report
type: notification
short_description: Writes a report of every run of this collection's playbooks, one file per system
version_added: 0.1.0
author: The cutover.fargate authors (@cutover)
description:
  - For each host of a play that uses a role of C(cutover.fargate) a file C(<fargate_report_dir>/<host>/run-<UTC time>.json) is written, also in check mode.
    C(fargate_report_dir) is a variable of the inventory and V(reports) by default, relative to the current working directory.
  - The report says which playbook ran, in check mode or not, with which tags, when and how long; every step with its role, name, module, status
    and seconds, why it failed or what it changed, and of a verification the whole verdict (C(result), as M(cutover.fargate.health_verify) returns it); the
    verdict of the run, and the versions of what took part. It never holds a secret.
  - It is written anew after each step, so that a run that is killed leaves a report too; its verdict is then V(interrupted).
requirements:
  - Enable it in C(ansible.cfg) with C(callbacks_enabled = cutover.fargate.run_report) in the section C([defaults]).
"""

import datetime
import importlib.metadata
import json
import platform
import time
import typing as t
from pathlib import Path

import yaml
from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.release import __version__ as ansible_version
from ansible.template import Templar
from ansible_collections.cutover.fargate.plugins.plugin_utils._run_report import Report, Step, changes_of, message_of, result_of, verdict, write

COLLECTION = "cutover.fargate"
DIRECTORY = "fargate_report_dir"
VALIDATION = ("ansible.builtin.validate_argument_spec", "validate_argument_spec")


class CallbackModule(CallbackBase):
    """Listens, keeps one :class:`Report` per host, and writes it after each step."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "cutover.fargate.run_report"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self.playbook = ""
        self.started = _now()
        self.play: t.Any = None
        self.reports: dict[str, Report] = {}
        self.directories: dict[str, Path] = {}
        self.running: dict[tuple[str, str], float] = {}
        self.unwritable = False

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        self.playbook = Path(playbook._file_name).stem
        self.started = _now()

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """Plays without a role of this collection are none of our business."""
        ours = any(role.get_name(include_role_fqcn=True).startswith(f"{COLLECTION}.") for role in play.get_roles())
        self.play = play if ours else None

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        self.running[host.get_name(), task._uuid] = time.monotonic()

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._record(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._record(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._record(result, "unreachable")

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._record(result, "skipped")

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        for name, report in self.reports.items():
            report.verdict = verdict(stats.failures.get(name, 0), stats.dark.get(name, 0))
            report.ended = _now()
            self._write(name)

    def _record(self, result: t.Any, status: str) -> None:
        task, host = result._task, result._host
        began = self.running.pop((host.get_name(), task._uuid), time.monotonic())
        if self.play is None or (status == "ok" and task.action in VALIDATION):
            return
        report = self.reports.get(host.get_name()) or self._begin(host)
        failed = status in ("failed", "ignored", "unreachable")
        report.steps.append(
            Step(
                role=task._role.get_name(include_role_fqcn=False) if task._role else "",
                task=task.get_name(include_role_fqcn=False).rpartition(" : ")[2],
                module=task.resolved_action or task.action,
                status=status,
                seconds=round(time.monotonic() - began, 3),
                message=message_of(result._result) if failed else None,
                changes=tuple(changes_of(result._result)),
                result=result_of(result._result),
            )
        )
        report.ended = _now()
        self._write(host.get_name())

    def _begin(self, host: t.Any) -> Report:
        name = host.get_name()
        self.directories[name] = Path(self._report_dir(host)).absolute() / name
        self.reports[name] = Report(
            playbook=self.playbook,
            host=name,
            check=bool(context.CLIARGS.get("check")),
            tags=[tag for tag in context.CLIARGS.get("tags") or [] if tag != "all"],
            skip_tags=list(context.CLIARGS.get("skip_tags") or []),
            started=self.started,
            versions=_versions(),
        )
        return self.reports[name]

    def _report_dir(self, host: t.Any) -> str:
        variables = self.play.get_variable_manager().get_vars(play=self.play, host=host)
        given = variables.get(DIRECTORY)
        return str(Templar(loader=self.play.get_loader(), variables=variables).template(given)) if given else "reports"

    def _write(self, name: str) -> None:
        """A report that can't be written must not stop a migration; it is said once."""
        try:
            write(self.reports[name], self.directories[name])
        except OSError as error:
            if not self.unwritable:
                self._display.warning(f"The run report was not written: {error}. {DIRECTORY} should be a directory that can be written.")
            self.unwritable = True


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _versions() -> dict[str, str]:
    return {"cutover.fargate": _collection_version(), "ansible-core": ansible_version, "python": platform.python_version(), "boto3": _distribution("boto3")}


def _distribution(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _collection_version() -> str:
    """An installed collection has a MANIFEST.json, a checkout a galaxy.yml."""
    root = Path(__file__).parents[2]
    if (root / "MANIFEST.json").is_file():
        return str(json.loads((root / "MANIFEST.json").read_text("utf-8"))["collection_info"]["version"])
    return str(yaml.safe_load((root / "galaxy.yml").read_text("utf-8"))["version"]) if (root / "galaxy.yml").is_file() else ""
