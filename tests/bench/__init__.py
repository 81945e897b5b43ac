"""Benchmarks: ours beside the field's tools, on the same input, in one run. `make bench`, or `python -m tests.bench [name ...]`.

A benchmark is a module of this package with a docstring (what is compared, and how) and ``run() -> Table``. The registry finds it by that.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / ".ansible" / "collections"), str(ROOT / "tests")]
