# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Record sets of the FQDN."""

from __future__ import annotations

from .kind import ACTION, ALIAS, BLOCKER, INFO, R53, ROUTING, Kind

KINDS = (
    Kind(
        "FG-RECORD-NOWHERE",
        ACTION,
        "checked",
        "A record of the FQDN leads to a load balancer that this account doesn't have in this region: whoever gets this answer reaches nobody.",
        "Point it at the system's load balancer, or delete it. If it should exist, check the account of the credentials and fargate_region.",
        ALIAS,
    ),
    Kind(
        "FG-DNS-NONE",
        BLOCKER,
        "refused",
        "No record set leads to the load balancer.",
        "fargate_fqdn should be an alias of the load balancer in a hosted zone of this account.",
        ALIAS,
    ),
    Kind("FG-DNS-NAME", INFO, "changed", "This name leads to the same load balancer and moves too.", "Nothing.", ALIAS),
    Kind("FG-DNS-FOREIGN", INFO, "kept", "The load balancer is shared: this name isn't the system's and stays.", "Nothing.", ALIAS),
    Kind(
        "FG-DNS-ROUTING",
        BLOCKER,
        "refused",
        "Weighted, latency, failover, geo and multivalue records can't be switched yet; simple A and AAAA aliases can.",
        "In one change batch, delete the record sets of this name and type and create one simple alias of the load balancer; or move it by hand and waive it.",
        ROUTING,
    ),
    Kind(
        "FG-DNS-CNAME",
        BLOCKER,
        "refused",
        "Records with a TTL (CNAME) can't be switched yet; simple A and AAAA aliases can.",
        "Make it an alias before the migration, or move it by hand and waive it.",
        ALIAS,
    ),
    Kind(
        "FG-DNS-TRAFFIC-POLICY",
        BLOCKER,
        "refused",
        "A traffic policy manages this record.",
        "Move it by UpdateTrafficPolicyInstance, by hand.",
        R53 + "traffic-policies.html",
    ),
)
