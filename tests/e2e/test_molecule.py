"""The Molecule scenarios, each in a lab of its own: converge, the second run changes nothing, verify.

What they are is in extensions/molecule; here they run beside the other tests. By hand: ``molecule test -s rollback``.
"""

from __future__ import annotations

import re
import subprocess

import pytest
from lab.settings import REPOSITORY

from .harness import Lab

SCENARIOS = sorted(folder.parent.name for folder in (REPOSITORY / "extensions" / "molecule").glob("*/molecule.yml"))
ACTIONS = ("destroy", "create", "converge", "idempotence", "verify", "destroy")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(unstarted: Lab, scenario: str) -> None:
    done = subprocess.run(
        ["molecule", "test", "-s", scenario], cwd=REPOSITORY, env=unstarted.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    output = COLOUR.sub("", done.stdout)
    assert done.returncode == 0, output[-8000:]
    # Molecule also ends well when it finds no playbook to run.
    found = re.findall(rf"^{scenario} ➜ (\w+): Executed: Successful$", output, re.MULTILINE)
    assert [action for action in found if action != "prepare"] == list(ACTIONS), output[-8000:]
