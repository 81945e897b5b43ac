#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: show
short_description: Print lines as they are
version_added: 0.1.0
author: The cutover.fargate authors (@cutover)
description:
  - Prints lines without the quotes, escapes and line breaks that M(ansible.builtin.debug) adds, whatever the result format of the callback is.
  - It is an action plugin; nothing runs on the host.
extends_documentation_fragment:
  - cutover.fargate.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details: Nothing is changed.
  idempotent:
    support: full
options:
  lines:
    description: The lines.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show where the system stands
  cutover.fargate.show:
    lines: "{{ __discover_system.status_lines }}"
"""

RETURN = r"""
"""
