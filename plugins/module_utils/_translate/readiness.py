# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What stands in the way beyond the definitions: network, limits, jobs, owners and the application, each in a file of its own with one function for each rule.

A fact that discovery could not read is told by discovery; a rule without its facts says nothing.
"""

from __future__ import annotations

from . import readiness_application, readiness_jobs, readiness_limits, readiness_network, readiness_owners, readiness_storage, readiness_vpc
from .context import Context
from .findings import Finding
from .outline import Outline

PARTS = (readiness_network, readiness_limits, readiness_vpc, readiness_storage, readiness_jobs, readiness_owners, readiness_application)
RULES = tuple(rule for part in PARTS for rule in part.RULES)


def section(outline: Outline, context: Context) -> list[Finding]:
    """All rules; none after the teardown, when there is no source any more."""
    return [finding for rule in RULES for finding in rule(outline, context)] if context.source else []
