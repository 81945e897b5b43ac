# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""ECS's settings of the account and region that decide what a definition leaves unsaid."""

from __future__ import annotations

from .read import Reader, Shape

LOG_MODE = "defaultLogDriverMode"


def read_account_settings(read: Reader) -> Shape:
    """``account_settings``: by name as ECS spells it, the value in force for the caller, or None where AWS tells none. [B ListAccountSettings]"""

    def ask() -> str | None:
        found = read.one("ecs", "list_account_settings", name=LOG_MODE, effectiveSettings=True)["settings"]
        return next((setting.get("value") for setting in found if setting.get("name") == LOG_MODE), None)

    return {LOG_MODE: read.if_possible(f"account_settings.{LOG_MODE}", None, ask, ["InvalidParameterException"])}
