from __future__ import annotations

from unit.plugins.module_utils.apply_account import account

__all__ = ["account"]
