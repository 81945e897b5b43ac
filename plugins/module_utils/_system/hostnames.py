# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a name in the DNS says about what it leads to. Pure."""

from __future__ import annotations

import difflib
import fnmatch
import re
import typing as t

# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html (DNS name: [internal-]name-id.region.elb.amazonaws.com)
_APPLICATION = re.compile(r"^(?:dualstack\.)?(?:internal-)?(?P<name>.+)-\d+\.(?P<region>[a-z]{2}[a-z0-9-]+-\d)\.elb\.amazonaws\.com(?:\.cn)?$")
_NETWORK = re.compile(r"^(?:dualstack\.)?(?P<name>.+)-[0-9a-f]+\.elb\.(?P<region>[a-z]{2}[a-z0-9-]+-\d)\.amazonaws\.com(?:\.cn)?$")

_OTHERS = {
    "cloudfront.net": "a CloudFront distribution",
    "awsglobalaccelerator.com": "a Global Accelerator",
    "elasticbeanstalk.com": "an Elastic Beanstalk environment",
    "execute-api": "an API Gateway",
    "s3-website": "an S3 website",
    "vpce.amazonaws.com": "a VPC endpoint",
    "awsapprunner.com": "an App Runner service",
}


class BalancerName(t.NamedTuple):
    """What the DNS name of a load balancer tells. Classic ones look like application ones."""

    name: str
    region: str
    network: bool


def normal(name: str) -> str:
    """Lower case, no final dot, Route 53's octal escapes read: names of Route 53, of ELB and of people compare equal."""
    return re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), name).lower().rstrip(".")


def bare(name: str) -> str:
    """The load balancer's own DNS name: an alias may say ``dualstack.`` before it."""
    return normal(name).removeprefix("dualstack.")


def suffixes(fqdn: str) -> list[str]:
    """Every zone that could hold the name, longest first."""
    labels = normal(fqdn).split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def balancer(name: str) -> BalancerName | None:
    """Name and region in a load balancer's DNS name, or None."""
    for pattern, network in ((_NETWORK, True), (_APPLICATION, False)):
        found = pattern.match(normal(name))
        if found:
            return BalancerName(found["name"], found["region"], network)
    return None


def kind(name: str) -> str:
    """What else a record points to, for the message that says it is not a load balancer."""
    return next((text for part, text in _OTHERS.items() if part in normal(name)), "another host")


def covers(pattern: str, host: str) -> bool:
    """A host-header condition: ``*`` any number of characters, ``?`` exactly one, case ignored."""
    return fnmatch.fnmatchcase(normal(host), re.sub(r"\[", "[[]", normal(pattern)))


def nearest(name: str, names: t.Iterable[str], limit: int = 5) -> list[str]:
    """The names a typing error could have meant."""
    known = sorted(set(names))
    return difflib.get_close_matches(normal(name), known, n=limit, cutoff=0.4) or known[:limit]
