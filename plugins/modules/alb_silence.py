#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: alb_silence
version_added: 0.1.0
short_description: Wait until a load balancer serves no requests any more
description:
  - Reads C(RequestCount) of an Application Load Balancer from CloudWatch until a whole window
    has no more than O(max_requests) requests. Health checks do not count.
  - A load balancer for which CloudWatch never had a request is refused, since its silence proves nothing.
options:
  load_balancer_arn:
    description: ARN of the load balancer. When unset there is nothing to wait for.
    type: str
  silence_seconds:
    description: Length of the window, in seconds.
    type: float
    default: 900
  metric_delay:
    description: How late CloudWatch hears of a request, in seconds. The window ends this long ago.
    type: float
    default: 120
  metric_period:
    description: Period of the metric, in seconds.
    type: int
    default: 60
  max_requests:
    description: How many requests in the window still count as silence.
    type: int
    default: 0
  timeout:
    description: How long to wait for silence, in seconds.
    type: float
    default: 7200
  poll_seconds:
    description: Pause between two looks, in seconds.
    type: float
    default: 30
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
  diff_mode:
    support: none
  idempotent:
    support: full
notes:
  - Needs the permission cloudwatch:GetMetricData.
  - An action plugin of the same name runs the work in the controller's process and prints each change of state as it happens.
author:
  - The cutover.fargate authors (@cutover)
"""

EXAMPLES = r"""
- name: Wait until nobody uses the old load balancer
  cutover.fargate.alb_silence:
    region: eu-west-1
    load_balancer_arn: "{{ discover_plan.scale_in.load_balancer_arn }}"
"""

RETURN = r"""
silent:
  description: Whether the window was silent.
  returned: always
  type: bool
  sample: true
requests:
  description: Requests in the window.
  returned: always
  type: int
  sample: 0
seconds:
  description: How long it took.
  returned: always
  type: float
  sample: 312.4
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._elbv2.silence import ARGUMENT_SPEC, run


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
