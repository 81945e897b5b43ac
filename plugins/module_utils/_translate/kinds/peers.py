# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Containers that call each other: links, and what took their place."""

from __future__ import annotations

from .kind import ACTION, NETWORKING, TASKS, WARN, Kind

KINDS = (
    Kind(
        "FG-LINKS",
        ACTION,
        "dropped",
        "Links exist in bridge mode only; names, aliases and the variables that Docker injects for a link are gone. The peer is at 127.0.0.1.",
        "Check the application for the link's names and variables.",
        NETWORKING,
    ),
    Kind(
        "FG-LINK-VARIABLE",
        ACTION,
        "kept",
        "Docker injected these variables for a link; they will be empty.",
        "Set the variables in the task definition: the peer is at 127.0.0.1.",
        NETWORKING,
    ),
    Kind("FG-LINK-UNKNOWN", WARN, "dropped", "The link names no container of the task.", "Nothing, if it was a leftover.", NETWORKING),
    Kind("FG-LINK-CYCLE", WARN, "dropped", "Waiting for the link's target would be a cycle.", "Make the container retry until its peer answers.", TASKS),
    Kind(
        "FG-PEER",
        ACTION,
        "changed",
        "The value named a linked peer, which is at 127.0.0.1 now.",
        "Look whether the new value is what the application expects.",
        NETWORKING,
    ),
    Kind(
        "FG-PEER-WORD",
        WARN,
        "kept",
        "The value equals a linked peer's name, but doesn't look like an address.",
        "If it is one, name the variable in fargate_peer_variables.",
        NETWORKING,
    ),
    Kind(
        "FG-ESSENTIAL",
        WARN,
        "kept",
        "A peer that isn't essential may die and leave a running task that answers 502.",
        "Set essential to true in the source's definition.",
        TASKS,
    ),
    Kind(
        "FG-HOST-ADDRESS",
        WARN,
        "kept",
        "The value names the instance (its metadata, Docker's bridge or host).",
        "Find out what is asked there, for it isn't there on Fargate: metadata are at ECS_CONTAINER_METADATA_URI_V4, containers of the task at 127.0.0.1.",
        NETWORKING,
    ),
)
