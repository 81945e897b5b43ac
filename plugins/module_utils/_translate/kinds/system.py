# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The system as a whole, and the inventory."""

from __future__ import annotations

from .kind import ACTION, ALIAS, BLOCKER, ECS, GROUPS, GUIDE, INFO, SERVICE, WARN, Kind

INVENTORY = GUIDE + "inventory.md"

KINDS = (
    Kind(
        "FG-NO-SYSTEM",
        BLOCKER,
        "refused",
        "Neither a source nor a target was found.",
        "fargate_fqdn and fargate_region should name a system that runs on ECS.",
        ALIAS,
    ),
    Kind(
        "FG-NO-SERVICE",
        BLOCKER,
        "refused",
        "No ECS service of the system was found behind the load balancer.",
        "Check fargate_fqdn and fargate_services.",
        SERVICE,
    ),
    Kind(
        "FG-DISCOVERY",
        WARN,
        "checked",
        "Discovery met something unusual ({problem}).",
        "Read the message; the plan knows only what could be read.",
        GUIDE + "permissions.md",
    ),
    Kind(
        "FG-DISCOVERY-DENIED",
        ACTION,
        "checked",
        "These credentials are not allowed to read a part of the system, so the plan doesn't know it.",
        "Allow the call that the message names.",
        GUIDE + "permissions.md",
    ),
    Kind(
        "FG-CLUSTERS-UNREAD",
        ACTION,
        "checked",
        "The account has more services than a plan looks at. One of them without a running task may share a target group of this system unseen.",
        "Make sure that no service of these clusters names one of the system's target groups: moved away and torn down, it would be gone for that service.",
        GROUPS,
    ),
    Kind("FG-INTENT", BLOCKER, "refused", "A variable of the inventory can't be used: {expected}", "Correct the variable.", INVENTORY),
    Kind(
        "FG-INTENT-UNKNOWN",
        WARN,
        "ignored",
        "Nothing reads this variable, but there is one that is spelled almost so.",
        "Correct the spelling, or give a variable of your own a name without fargate_.",
        INVENTORY,
    ),
    Kind(
        "FG-WAIVE-STALE",
        INFO,
        "ignored",
        "Nothing of this plan is accepted by this entry: what it was about is gone, or its path is another one.",
        "Take it out of fargate_waive, or correct its path: it would accept the next finding of this name unseen. Nothing, if other systems need it.",
        INVENTORY,
    ),
    Kind("FG-NAME-CLASH", BLOCKER, "refused", "The target would get a name that is taken.", "Set another name in fargate_names.", INVENTORY),
    Kind(
        "FG-TAGS",
        WARN,
        "dropped",
        "A resource has at most 50 tags; {count} don't fit beside ours.",
        "Remove tags of the source that nobody reads.",
        ECS + "ecs-using-tags.html",
    ),
    Kind(
        "FG-UNTRANSLATED",
        BLOCKER,
        "refused",
        "This setting of the source has no counterpart in the plan yet and would be lost.",
        "Set it on the target by hand after the provisioning, then waive the finding at this path.",
        GUIDE + "limits.md",
    ),
)
