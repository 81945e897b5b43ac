# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The load balancer, its target groups and alarms, and what claims them."""

from __future__ import annotations

from .kind import ACTION, ALIAS, BLOCKER, ELB, GROUPS, INFO, LISTENERS, SERVICE, WARN, Kind

KINDS = (
    Kind(
        "FG-ALB-TYPE",
        BLOCKER,
        "refused",
        "The load balancer isn't an Application Load Balancer.",
        "Build the target by hand.",
        ELB + "application-load-balancers.html",
    ),
    Kind(
        "FG-CLB",
        BLOCKER,
        "refused",
        "Tasks with awsvpc don't register in a Classic Load Balancer.",
        "Put an Application Load Balancer in front first.",
        SERVICE,
    ),
    Kind(
        "FG-ALB-SHARED",
        BLOCKER,
        "refused",
        "The load balancer serves others too, and a target group hangs on one load balancer only.",
        "Move their rules to another load balancer, or name all services in fargate_services. Waived: their rules, records and the old load balancer stay.",
        GROUPS,
    ),
    Kind(
        "FG-SECOND-ALB",
        BLOCKER,
        "refused",
        "The service is also behind a load balancer that the FQDN doesn't lead to.",
        "Migrate that name by hand, or waive it to leave it behind.",
        GROUPS,
    ),
    Kind("FG-NO-LISTENER", BLOCKER, "refused", "The load balancer has no listener.", "Give it one; there is nothing to move.", LISTENERS),
    Kind(
        "FG-OIDC-SECRET",
        BLOCKER,
        "refused",
        "The client secret of an OIDC action is required for a new rule and never returned by AWS.",
        "Add the rule to the new load balancer by hand, then waive it.",
        ELB + "listener-authenticate-users.html",
    ),
    Kind(
        "FG-WAF",
        ACTION,
        "kept",
        "The web ACL must protect the new load balancer before the cutover.",
        "The role alb associates it; check the result.",
        "https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-associating-aws-resource.html",
    ),
    Kind(
        "FG-FOREIGN-OWNER",
        WARN,
        "dropped",
        "Another controller (Kubernetes, Elastic Beanstalk) owns the load balancer and may change it back.",
        "Stop it from managing the load balancer.",
        ELB + "application-load-balancers.html",
    ),
    Kind(
        "FG-IAC-OWNER",
        ACTION,
        "checked",
        "A tool made this resource, as its tags say. Its next run sets back what the migration changes.",
        "Don't run the tool until the teardown, or make it ignore the change first; afterwards import the target and drop the source from its code.",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-import.html",
    ),
    Kind(
        "FG-IAC-RECORD",
        ACTION,
        "checked",
        "The tool that made the load balancer has probably made these records too: its next run would point them back to the source.",
        "Don't run the tool after the cutover before its code names the target's load balancer.",
        ALIAS,
    ),
    Kind("FG-TARGET-TYPE", INFO, "changed", "Tasks with awsvpc register by address.", "Nothing.", GROUPS),
    Kind("FG-TG-ATTRIBUTE", WARN, "dropped", "The attribute has no meaning for tasks behind an Application Load Balancer.", "Nothing.", GROUPS),
    Kind(
        "FG-TG-UNATTACHED",
        BLOCKER,
        "refused",
        "No listener forwards to this group, so ECS refuses the service.",
        "Attach it in the source, or leave the service out.",
        GROUPS,
    ),
    Kind(
        "FG-HEALTH-PORT",
        INFO,
        "changed",
        "The health check asked a port of the instance; the container's takes its place.",
        "Nothing.",
        ELB + "target-group-health-checks.html",
    ),
    Kind(
        "FG-HEALTH-PORT-UNKNOWN",
        WARN,
        "changed",
        "The health check asked a port of the instance behind which no container of the service is.",
        "Check that the container answers health checks on its own port.",
        ELB + "target-group-health-checks.html",
    ),
    Kind(
        "FG-ALARM",
        ACTION,
        "checked",
        "This alarm watches the source and is deleted at the teardown.",
        "Make one for the target if it is still needed.",
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
    ),
)
