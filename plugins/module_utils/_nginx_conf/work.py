# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Read the confs, rewrite them in memory, validate the result, write the files that differ, report."""

from __future__ import annotations

import dataclasses
import os
import shlex
import typing as t

from .._aws.errors import CutoverError
from .._nginx import php_fpm
from .._nginx.findings import BLOCKER, Finding
from .._nginx.rewrite import Rewrite, rewrite
from . import folder as folders
from . import peers as others
from . import staging
from .show import masked, masked_edit

Result = t.Dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Actions:
    """What only Ansible can do well: ``replace`` writes a file atomically and keeps mode, owner and labels; it gives the backup's name or None."""

    replace: t.Callable[[str, bytes, bool], str | None]
    command: t.Callable[[list[str]], tuple[int, str, str]]


def run(params: t.Mapping[str, t.Any], check_mode: bool, actions: Actions) -> Result:
    """``params`` are the module's. A BLOCKER that is not waived, or a validation that fails, raises before the first write."""
    path = str(params["path"])
    if params.get("validate") and "%s" not in params["validate"]:
        raise CutoverError(f"validate: {params['validate']!r} should contain %s, the place of the conf. Nothing was changed.")
    folder = folders.read(path)
    peers = others.read(params)
    done = rewrite(
        folder.files, peers.hosts, environment=peers.environment, containers=peers.containers, host_variables=params.get("host_variables") or []
    )
    findings = [*folder.findings, *done.findings, *_php_fpm(params, peers.environment)]
    result = report(path, folder, done, findings, params.get("waive") or [])
    refuse(result)
    if done.changed and params.get("validate") and not check_mode:
        validate(path, folder, done, params["validate"], actions, result)
    if not check_mode:
        for name in sorted(done.changed):
            backup = actions.replace(folder.real[name], done.changed[name], bool(params.get("backup")))
            if backup:
                result["backup_files"].append(backup)
    return result


def _php_fpm(params: t.Mapping[str, t.Any], environment: t.Mapping[str, str] | None) -> list[Finding]:
    files: dict[str, bytes] = {}
    for path in params.get("php_fpm_paths") or []:
        if not os.path.exists(path):
            raise CutoverError(f"php_fpm_paths: {path} does not exist. It should be a pool's file or a folder of them. Nothing was changed.")
        names = sorted(os.path.join(path, name) for name in os.listdir(path) if name.endswith(".conf")) if os.path.isdir(path) else [path]
        for name in names:
            with open(name, "rb") as file:
                files[name] = file.read()
    return php_fpm.check(files, environment)


def report(path: str, folder: folders.Folder, done: Rewrite, findings: t.Iterable[Finding], waive: t.Collection[str]) -> Result:
    changed = sorted(done.changed)
    edits = len(done.edits)
    return {
        "changed": bool(changed),
        "changes": [f"change {edits} address{'es' if edits != 1 else ''} in {len(changed)} file(s) of {path}"] if changed else [],
        "files": [folder.real[name] for name in changed],
        "backup_files": [],
        "edits": [dataclasses.asdict(edit) for edit in done.edits],
        "environment": [masked_edit(edit) for edit in done.environment],
        "findings": [{**dataclasses.asdict(each), "waived": each.id in waive or f"{each.id}@{each.path}" in waive} for each in findings],
        "diff": [_diff(folder, done, name) for name in changed],
    }


def _diff(folder: folders.Folder, done: Rewrite, name: str) -> dict[str, str]:
    return {
        "before_header": folder.real[name],
        "after_header": folder.real[name],
        "before": masked(folder.files[name]),
        "after": masked(done.changed[name]),
    }


def refuse(result: Result) -> None:
    """A conf that could not be decided would fail at run time: say where, before anything is written."""
    blockers = [each for each in result["findings"] if each["severity"] == BLOCKER and not each["waived"]]
    if blockers:
        lines = "; ".join("{id} {path}:{line}:{column} {text!r}: {why}. Fix: {fix}".format(**each) for each in blockers)
        raise CutoverError(f"{len(blockers)} finding(s) of severity BLOCKER, so nothing was changed: {lines}", **{**result, "changed": False})


def validate(path: str, folder: folders.Folder, done: Rewrite, command: str, actions: Actions, result: Result) -> None:
    with staging.staged(path, folder, done.changed) as place:
        if place is None:
            raise CutoverError(f"validate: {path} holds no nginx.conf that could be validated. Nothing was changed.", **{**result, "changed": False})
        code, out, error = actions.command([word.replace("%s", place) for word in shlex.split(command)])
    if code != 0:
        said = (error or out).strip().replace(os.path.dirname(place), path if os.path.isdir(path) else os.path.dirname(path))
        raise CutoverError(f"validate: {command} refused the new conf, so nothing was changed: {said}", **{**result, "changed": False})
