"""What makes tests with fresh clients and accounts quick: botocore's service models are read once, moto knows one machine image and three policies and
looks up the methods of a service once and not at each call, and garbage is seldom looked for.

(The lab's emulator loads AWS's 1,500 managed policies into each new account. Once it is imported, every test of the process would pay for them.)
"""

from __future__ import annotations

import functools
import gc
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import botocore.loaders

os.environ.setdefault("MOTO_AMIS_PATH", str(Path(__file__).parent / "amis.json"))

# moto and botocore make objects by the hundred thousand, and hardly any of them is garbage: looking for it was a tenth of the time.
gc.set_threshold(100_000, 50, 100)

LOADER = botocore.loaders.create_loader()
POLICIES = ("AmazonEC2ContainerServiceforEC2Role", "AmazonECSTaskExecutionRolePolicy", "AmazonSESFullAccess")


def shared_loader(search_path_string: str | None = None) -> botocore.loaders.Loader:
    return LOADER if search_path_string is None else botocore.loaders.Loader(extra_search_paths=[search_path_string])


botocore.loaders.create_loader = shared_loader

from moto.core import responses  # noqa: E402 - reads the paths above
from moto.iam import models as iam  # noqa: E402

responses.method_names_from_class = functools.cache(responses.method_names_from_class)

iam.aws_managed_policies_data = json.dumps({name: policy for name, policy in json.loads(iam.aws_managed_policies_data).items() if name in POLICIES})

FAMILIES = ("PULL", "LOG", "SECRET", "STAGE", "EXIT", "HC", "NGX", "FPM", "DB", "REDIS", "AWS", "ALB", "TLS", "WAITING", "healthy")


def _family(cause: str) -> str:
    name = cause.split("_", maxsplit=1)[0]
    return name if name in FAMILIES else "others"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The confusion matrix of the diagnosis, by families of causes: what was there (rows) and what was said (columns)."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    pairs = [tuple(value) for report in reports for name, value in report.user_properties if name == "diagnosis" and report.when == "call"]
    if not pairs:
        return
    counts = Counter((_family(there), _family(said)) for there, said in pairs)
    families = sorted({family for pair in counts for family in pair})
    wrong = Counter(pair for pair in pairs if pair[0] != pair[1])
    terminalreporter.section("diagnosis: there (down), said (across)")
    terminalreporter.write_line(" " * 14 + " ".join(f"{family[:6]:>6}" for family in families))
    for there in families:
        terminalreporter.write_line(f"{there:<14}" + " ".join(f"{counts[there, said] or '.':>6}" for said in families))
    terminalreporter.write_line(f"{len(pairs)} cases, {len({there for there, _said in pairs})} causes, {sum(wrong.values())} wrong")
    for (there, said), number in wrong.items():
        terminalreporter.write_line(f"  {there} was taken for {said}: {number}")
