# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Arguments of nginx_conf. ``no_log`` keeps the task definition out of the log; what is shown of it is masked."""

from __future__ import annotations

import typing as t

ARGUMENT_SPEC: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "peers": {"type": "dict"},
    "task_definition": {"type": "dict", "no_log": True},
    "container": {"type": "str"},
    "environment": {"type": "dict", "no_log": True},
    "host_variables": {"type": "list", "elements": "str", "default": []},
    "php_fpm_paths": {"type": "list", "elements": "path", "default": []},
    "waive": {"type": "list", "elements": "str", "default": []},
    "backup": {"type": "bool", "default": False},
    "validate": {"type": "str"},
}
