"""Pure packages import neither boto3 nor ansible: they can be run and tested anywhere, and can't ask AWS behind anybody's back."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

UTILS = Path(__file__).parents[5] / "plugins" / "module_utils"
ASKING = {"boto3", "botocore", "ansible", "ansible_collections"}


def modules(package: str) -> list[Path]:
    return sorted((UTILS / package).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Top-level names of absolute imports, and relative ones that leave the package (``..x``)."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module).partition(".")[0] if node.level == 0 else "." * (node.level - 1) + str(node.module or "") if node.level > 1 else "")
    return names - {""}


@pytest.mark.parametrize("path", modules("_translate"), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_translate_uses_the_standard_library_only(path: Path) -> None:
    assert imports(path) <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", [path for package in ("_nginx", "_oci", "_health", "_report") for path in modules(package)], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_pure_packages_never_import_what_asks_aws(path: Path) -> None:
    assert not imports(path) & ASKING


def test_translate_has_no_clock_and_no_chance() -> None:
    assert not {name for path in modules("_translate") for name in imports(path)} & {"time", "datetime", "random", "uuid", "os", "socket", "subprocess"}
