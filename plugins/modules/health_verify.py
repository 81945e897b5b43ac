#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: health_verify
version_added: 0.1.0
short_description: Prove that one side of a system works, or say why it does not
description:
  - Looks at the ECS services, their tasks, the targets of the load balancer, the security groups and the logs at every poll, and asks the application
    itself through each address of the load balancer, with the FQDN as SNI and Host. Reads only.
  - Healthy means that every rollout is complete, tasks stay up through a settling window, the registered targets are exactly the running tasks and
    healthy, a listener rule reaches them, databases and caches that the environment names are not closed by a group, and all probes pass.
  - Otherwise the module fails with at most three ranked causes, each with quoted evidence, a fix, and the command to look by hand. It stops waiting as
    soon as a cause is certain and has lasted.
  - A call that AWS refuses after all retries never becomes a verdict about the system, nor a cause. What depends on it is V(undetermined).
  - Whoever is denied (and not throttled) what the check of databases and caches rests on goes without this check, with a note, if O(probes) are given, for
    they can use the database and the cache and must pass. Without O(probes) the verdict on a target is V(undetermined).
  - Waiting also ends when ECS has replaced a failed task and the new one failed too, when the deployment circuit breaker has given up, and when all but the
    probes is in order and they fail alike for three times O(settle_seconds).
options:
  side:
    description:
      - Which side is verified. V(target) must run the newest ACTIVE revision of its families; V(source) is judged by what it runs.
    type: str
    choices: [target, source]
    default: target
  fqdn:
    description: The name that people use. Probes send it as SNI and Host, and the certificate must be for it.
    type: str
    required: true
  load_balancer:
    description: Name of the side's Application Load Balancer. When unset, there are no targets and no probes.
    type: str
  compare_load_balancer:
    description:
      - Name of the other side's load balancer. Both must answer their own DNS names with the same status, and probe steps with C(on) may use it.
    type: str
  cluster:
    description: Name of the side's ECS cluster.
    type: str
    required: true
  services:
    description: The side's services.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the service.
        type: str
        required: true
      kind:
        description: V(web) is behind the load balancer, V(worker) is not.
        type: str
        choices: [web, worker]
        default: web
      family:
        description: Family of its task definition. When unset, any revision will do.
        type: str
      desired_count:
        description: How many tasks it should have. A worker with V(0) may be idle; the count in force is the service's own.
        type: int
      container_name:
        description: The load-balanced container.
        type: str
      container_port:
        description: Its port.
        type: int
  probes:
    description:
      - What to ask the application, at each address of the load balancer. An entry is a step, a probe of steps (C(name), C(steps)), a comparison of both
        sides (C(parity)) or a ready-made set (C(set)). Entries that are steps form one probe. A misspelt key is refused before anything is read.
      - 'Steps run in order, keep cookies, and stop at the first that fails. A step has C(path), and optionally C(name), C(method), C(headers), C(form) or
        C(json) or C(body), C(follow) (redirects on the same host), C(timeout) (15 s), C(within) (seconds for which it is repeated until it is as expected,
        for a job that takes a while; only for GET), C(on) (V(source) or V(target)), C(expect) and C(capture).'
      - 'C(expect) may have C(status) (V(200), V(200-399), V(2xx), V(<500), comma separated or a list; V(<500) when unset), C(header) (name to text it
        contains), C(cookie) (regular expression or list; a cookie of that name is held), C(body_contains) (text or list) and C(json) (dotted path to value).'
      - 'C(capture) maps a name to C(header), C(cookie) (URL-decoded), C(regex) (its first group) or C(json); later steps use it as C({name}).
        C({unique}) is another text in each run of a probe.'
      - A step C(on) the other side goes to O(compare_load_balancer), so a session opened there can be continued here.
      - 'C(parity) is a list of paths, requested with GET from both sides. Compared are the status, headers (C(headers), by default Content-Type,
        Cache-Control, Location and Set-Cookie without values and lifetimes) and the body without what looks like a CSRF token, nonce, id, date or time, and
        without what matches one of the regular expressions in C(mask). A difference counts when every answer of one side shows it and none of the other, of
        two each. The order of parts is not compared.'
      - 'Differences fail the verification; with C(differences) V(warn) they are only told. A server error always fails.'
      - 'C(set) V(http) asks the front page, C(paths) (default C([/]), status C(status), V(200-399)) and the health check paths.'
      - 'C(set) V(laravel) asks C(front) (V(/)) for the cookies XSRF-TOKEN and C(session_cookie) (regular expression, V(.+[_-]session)), and proves with
        C(token_page) (V(/login); a page that shows the CSRF token, null for none) that a session opened on the source continues on the target and back. It only
        reads unless C(login) is given, with C(form) (the fields, without the token), and optionally C(page) (V(/login)), C(path) (that page), C(home)
        (V(/home), a page for people who are logged in) and C(shows) (a text on it). C(database), C(redis) and C(queue) are paths (which must answer 2xx),
        steps or lists of both, run after the login with the CSRF token in a header.'
      - A probe that writes (not only GET, HEAD and OPTIONS) is asked once everything else is in order. Passed, it is not repeated for the same targets; failed,
        it is repeated after pauses that double. In check mode it is left out.
      - What needs the other side is left out, with a note, where O(compare_load_balancer) is unset or does not exist, or nobody is registered there.
      - When empty, the front page and the health check paths are asked. The redirect from HTTP to HTTPS (where a listener promises one) and the bare name of
        the load balancer are asked in any case.
    type: list
    elements: dict
    default: []
  probe_proxy:
    description: URL of an HTTP proxy that supports CONNECT, for load balancers that cannot be reached from here.
    type: str
  probe_ca:
    description: PEM file of the issuer to trust instead of the system's store.
    type: path
  timeout:
    description: How long to wait until everything is healthy, in seconds.
    type: float
    default: 900
  settle_seconds:
    description: How long tasks must have been up without a restart, in seconds. Longer after recent crashes.
    type: float
    default: 20
  poll_seconds:
    description:
      - Pause between two looks, in seconds. It is as long as a look takes where that is longer, and shorter where only some of the settling window is missing.
    type: float
    default: 2.5
extends_documentation_fragment:
  - cutover.fargate.account
  - cutover.fargate.attributes
  - cutover.fargate.attributes.actiongroup
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
    details: What does not exist yet is reported as V(not there yet) and is no failure. What exists is verified.
  diff_mode:
    support: none
  idempotent:
    support: full
notes:
  - An action plugin of the same name runs the work in the controller's process and prints each change of state as it happens.
  - Needs the permissions ecs:DescribeServices, ecs:DescribeTaskDefinition, ecs:ListTasks, ecs:DescribeTasks, ecs:DescribeContainerInstances,
    elasticloadbalancing:DescribeLoadBalancers, elasticloadbalancing:DescribeListeners, elasticloadbalancing:DescribeRules,
    elasticloadbalancing:DescribeTargetGroups and elasticloadbalancing:DescribeTargetHealth.
  - For databases and caches ec2:DescribeSecurityGroups, rds:DescribeDBInstances, rds:DescribeDBClusters, elasticache:DescribeCacheClusters and
    elasticache:DescribeReplicationGroups; only with O(probes) a target can be V(healthy) without them.
  - For addresses and for causes also ec2:DescribeNetworkInterfaces, ec2:DescribeInstances, ec2:DescribeSubnets, ec2:DescribeRouteTables,
    ec2:DescribeNetworkAcls, ec2:DescribeVpcEndpoints, logs:FilterLogEvents and ecr:DescribeImages.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Verify what the plan describes
  cutover.fargate.health_verify:
    region: eu-west-1
    side: target
    fqdn: shop.example.test
    load_balancer: shop-fargate
    compare_load_balancer: shop
    cluster: shop-fargate
    services:
      - {name: shop-web, kind: web, family: shop-web-fargate, container_name: nginx, container_port: 80}
      - {name: shop-worker, kind: worker, family: shop-worker-fargate}

# A session that was opened on the source must continue on the target.
- name: Verify with a login
  cutover.fargate.health_verify:
    region: eu-west-1
    fqdn: shop.example.test
    load_balancer: shop-fargate
    compare_load_balancer: shop
    cluster: shop-fargate
    services:
      - {name: shop-web, family: shop-web-fargate, container_name: nginx, container_port: 80}
    probes:
      - name: session
        steps:
          - {path: /login, on: source, expect: {status: 200}, capture: {csrf: {regex: 'name="_token" value="([^"]+)"'}}}
          - {path: /login, on: source, form: {_token: "{csrf}", user: probe, password: probe}, expect: {status: 302}}
          - {path: /account, expect: {status: 200, body_contains: probe}}
      - name: database and cache
        steps:
          - {path: "/health?deep=1", expect: {status: 200}}

# Ready-made probes for Laravel, the user's own paths for what a health path never touches, and a comparison of both sides.
- name: Verify a Laravel shop
  cutover.fargate.health_verify:
    region: eu-west-1
    fqdn: shop.example.test
    load_balancer: shop-fargate
    compare_load_balancer: shop
    cluster: shop-fargate
    services:
      - {name: shop-web, family: shop-web-fargate, container_name: nginx, container_port: 80}
    probes:
      - set: laravel
        login: {form: {email: probe@example.test, password: "{{ vault_probe_password }}"}, home: /account, shows: probe@example.test}
        database: /account/touch
        queue:
          - {path: /account/ping, form: {}, expect: {status: 202}, capture: {job: {json: id}}}
          - {path: "/account/ping/{job}", within: 20, expect: {json: {state: done}}}
      - {parity: [/, /login, /robots.txt], mask: ["build [0-9a-f]{7}"]}
"""

RETURN = r"""
verdict:
  description:
    - V(healthy), V(unhealthy), V(undetermined) (AWS refused a call, or this machine cannot reach the load balancer) or, in check mode, V(not there yet).
    - The module fails unless it is V(healthy) or V(not there yet); all keys are returned either way.
  returned: always
  type: str
  sample: healthy
checks:
  description: Everything that was checked.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The service (or the address that was asked) and what was checked.
      type: str
      sample: "shop-web: targets of shop-fargate-1"
    group:
      description: The service, or the address that was asked. Empty for the load balancer.
      type: str
      sample: shop-web
    ok:
      description: Whether it passed at last; none when it could not be determined.
      type: bool
      sample: true
    tries:
      description: How often it was looked at.
      type: int
      sample: 7
    last:
      description: What was seen at last.
      type: str
      sample: "2 healthy: 10.20.1.11:80, 10.20.1.12:80"
causes:
  description: At most three causes, the most confident first. Empty when healthy.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Stable name of the cause.
      type: str
      sample: DB_TIMEOUT
    confidence:
      description: V(certain) (a matched text and a fact that confirms it), V(likely) (a matched text) or V(possible) (by elimination).
      type: str
      sample: certain
    summary:
      description: What it is.
      type: str
      sample: "shop-web cannot reach the database shop-db: connections time out."
    evidence:
      description: What was seen, with secrets masked.
      type: list
      elements: dict
      contains:
        source:
          description: Where it was seen.
          type: str
          sample: log /ecs/shop-web-fargate php/php-fpm/1a2b3c
        time:
          description: When, in UTC.
          type: str
          sample: "2026-11-22T12:00:00Z"
        text:
          description: The line or the fact.
          type: str
          sample: "production.ERROR: SQLSTATE[HY000] [2002] Connection timed out"
    fix:
      description: What to do.
      type: str
      sample: Admit the service's group sg-0aa in the database's group sg-0bb on TCP 3306.
    check_by_hand:
      description: The command that shows the evidence.
      type: str
      sample: aws ec2 describe-security-groups --region eu-west-1 --group-ids sg-0bb
verified:
  description: The proof for M(cutover.fargate.route53_cutover). Empty unless healthy.
  returned: always
  type: dict
  contains:
    load_balancer_arn:
      description: The load balancer.
      type: str
      sample: arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop-fargate/1a2b3c4d5e6f7a8b
    target_groups:
      description: ARN of each target group, with its healthy targets. Draining targets are not among them.
      type: dict
      sample: {"arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-fargate-1/1a2b3c4d5e6f7a8b": ["10.20.1.11:80", "10.20.1.12:80"]}
seconds:
  description: How long it took.
  returned: always
  type: float
  sample: 41.3
spent:
  description:
    - Where the time went, in seconds. C(reading) AWS, C(asking) the probes, and waiting for C(rollout), for C(targets) to become healthy, for C(settling)
      tasks, or for something C(other).
  returned: always
  type: dict
  sample: {"reading": 1.1, "asking": 0.4, "rollout": 20.0, "targets": 10.0, "settling": 9.8, "other": 0.0}
lines:
  description: The verdict as a readable tree.
  returned: always
  type: list
  elements: str
  sample: ["target of shop.example.test: healthy after 41.3 s"]
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._health.verify import ARGUMENT_SPEC, run


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
