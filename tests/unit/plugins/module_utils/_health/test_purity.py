"""Only what collects may know boto3; nothing here knows Ansible."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils import _health

FILES = sorted(Path(str(_health.__file__)).parent.glob("*.py"))
ALLOWED = {"collect.py": {"botocore"}, "collect_logs.py": {"botocore"}}


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
    assert imported(path) & {"boto3", "botocore", "ansible", "ansible_collections", "requests"} <= ALLOWED.get(path.name, set())
