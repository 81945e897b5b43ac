"""Whether a lab can run on this machine: the marks of tests that start one."""

from __future__ import annotations

import pytest
from lab import host


def _refusal() -> str:
    try:
        host.preflight()
    except host.HostError as error:
        return str(error)
    return ""


REFUSAL = _refusal()
NEEDS_LAB = [pytest.mark.needs_lab, pytest.mark.skipif(bool(REFUSAL), reason=f"the lab cannot run here: {REFUSAL}")]
