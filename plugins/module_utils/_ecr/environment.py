# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The container's environment: what placeholders of its conf stand for, and who changes a value that names a peer.

A value of the container definition is changed by the translation, before any image is read; here is only seen whether it did what the conf needs.
A value of the image's own (ENV) is changed in the derived image: nothing else sets it.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._nginx.environment import EnvironmentEdit
from .._nginx.findings import Finding, finding
from .._nginx.rewrite import Rewrite
from .._translate.secrets import mask_value


@dataclasses.dataclass(frozen=True)
class Settled:
    """``image``: values that the derived image gets; ``definition``: values that the new task definition must have; ``findings`` of the whole rewrite."""

    image: tuple[EnvironmentEdit, ...] = ()
    definition: tuple[EnvironmentEdit, ...] = ()
    findings: tuple[Finding, ...] = ()


def of_container(own: t.Mapping[str, str], wanted: t.Mapping[str, t.Any]) -> dict[str, str]:
    """The image's variables, under those of the container definition. What the definition sets to a secret is not known."""
    hidden = set(wanted.get("unknown_environment") or [])
    return {**{name: value for name, value in own.items() if name not in hidden}, **_declared(wanted)}


def settle(done: Rewrite, wanted: t.Mapping[str, t.Any]) -> Settled:
    """Who makes each change; a change that nobody makes is a finding of severity BLOCKER."""
    declared = _declared(wanted)
    target = {**declared, **{str(name): str(value) for name, value in (wanted.get("target_environment") or {}).items()}}
    definition = tuple(edit for edit in done.environment if edit.name in declared)
    findings = [each for each in done.findings if each.id != "NGX-ENVIRONMENT"]
    for edit in definition:
        if target[edit.name] != edit.after:
            words = {key: mask_value(edit.name, value) for key, value in (("after", edit.after), ("value", target[edit.name]))}
            findings.append(finding("NGX-ENVIRONMENT-KEPT", edit.path, (edit.line, edit.column), edit.name, name=edit.name, host=edit.host, **words))
    image = tuple(edit for edit in done.environment if edit.name not in declared)
    return Settled(image, definition, tuple(findings))


def _declared(wanted: t.Mapping[str, t.Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in (wanted.get("environment") or {}).items()}
