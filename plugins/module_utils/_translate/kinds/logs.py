# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Where containers log."""

from __future__ import annotations

from .kind import ACTION, BLOCKER, ECS, INFO, LOGS, Kind

KINDS = (
    Kind(
        "FG-LOG-GROUP",
        INFO,
        "changed",
        "The target logs into a group of its own, so that it shows which side serves.",
        "If the old group has subscriptions or metric filters, give them to the new one too.",
        LOGS,
    ),
    Kind("FG-LOG-REGION", ACTION, "changed", "Logs went to another region.", "Look for them in the system's own region.", LOGS),
    Kind("FG-LOG-PREFIX", INFO, "changed", "Fargate requires a stream prefix.", "Nothing.", LOGS),
    Kind("FG-LOG-CREATE", INFO, "dropped", "The group is created ahead; the execution role may not create one.", "Nothing.", LOGS),
    Kind(
        "FG-LOG-MODE",
        INFO,
        "changed",
        "Delivery is said aloud: non-blocking may lose lines under pressure, blocking may stop the container.",
        "Where no line may be lost (audit logs), set mode to blocking in the source's definition.",
        LOGS,
    ),
    Kind(
        "FG-LOG-ABSENT",
        ACTION,
        "changed",
        "Logs lay on the instance; on Fargate they would be lost.",
        "Look for them in CloudWatch Logs, in the group named here.",
        LOGS,
    ),
    Kind(
        "FG-LOG-DRIVER",
        ACTION,
        "changed",
        "The driver kept logs on the instance and isn't available on Fargate.",
        "Look for them in CloudWatch Logs, in the group named here.",
        LOGS,
    ),
    Kind(
        "FG-LOG-ROUTER",
        BLOCKER,
        "changed",
        "The driver sent logs to a collector and isn't available on Fargate.",
        "Use FireLens (awsfirelens) with a router container, or waive it to use CloudWatch Logs.",
        ECS + "using_firelens.html",
    ),
)
