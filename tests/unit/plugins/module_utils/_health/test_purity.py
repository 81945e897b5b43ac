"""Nothing here imports boto3 or Ansible: clients come from outside, and what collects knows AWS's errors by ``_aws``."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils import _health

FILES = sorted(Path(str(_health.__file__)).parent.glob("*.py"))


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).split(".")[0])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_aws_and_no_ansible(path: Path) -> None:
    assert imported(path) & {"boto3", "botocore", "ansible", "ansible_collections", "requests"} == set()
