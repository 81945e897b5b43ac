# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Arguments of ecr_image, shared by the module and the action plugin."""

from __future__ import annotations

import typing as t

ARGUMENT_SPEC: dict[str, t.Any] = {
    "images": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "container": {"type": "str", "required": True},
            "source_image": {"type": "str", "required": True},
            "repository": {"type": "str", "required": True},
            "tag": {"type": "str", "required": True},
            "image": {"type": "str", "required": True},
            "peers": {"type": "dict", "required": True},
            "containers": {"type": "dict", "default": {}},
            "environment": {"type": "dict", "default": {}},
            "target_environment": {"type": "dict", "default": {}},
            "unknown_environment": {"type": "list", "elements": "str", "default": []},
            "host_variables": {"type": "list", "elements": "str", "default": []},
            "platform": {"type": "str", "default": "linux/amd64"},
            "tags": {"type": "dict", "default": {}},
        },
    },
    "peer_images": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "container": {"type": "str", "required": True},
            "image": {"type": "str", "required": True},
            "environment": {"type": "dict", "default": {}},
            "platform": {"type": "str", "default": "linux/amd64"},
        },
    },
    "tasks": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "family": {"type": "str", "required": True},
            "platform": {"type": "str", "default": "linux/amd64"},
            "containers": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "name": {"type": "str", "required": True},
                    "image": {"type": "str"},
                    "ports": {"type": "list", "elements": "int", "default": []},
                    "low_ports": {"type": "list", "elements": "int", "default": []},
                    "exposes": {"type": "bool", "default": False},
                    "linked": {"type": "bool", "default": False},
                },
            },
        },
    },
    "platforms": {"type": "list", "elements": "str", "default": []},
    "waive": {"type": "list", "elements": "str", "default": []},
}
