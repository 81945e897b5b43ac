# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Volumes, and what they mount from the instance."""

from __future__ import annotations

from .kind import ACTION, BLOCKER, ECS, INFO, STORAGE, WARN, Kind

KINDS = (
    Kind(
        "FG-HOST-PATH",
        BLOCKER,
        "changed",
        "The data lives on the instance's disk and must live elsewhere.",
        "Answer by the volume's name in fargate_volumes: {efs: fs-...}, ephemeral, or drop (for what goes to S3 or into the image).",
        STORAGE,
    ),
    Kind(
        "FG-HOST-AGENT",
        BLOCKER,
        "changed",
        "The path belongs to the host (Docker's socket, /proc, /sys ...): what reads it can't run on Fargate.",
        "Redesign it as a container of the task or a managed service; drop in fargate_volumes.",
        STORAGE,
    ),
    Kind(
        "FG-HOST-EFS",
        BLOCKER,
        "changed",
        "The instance seems to mount a network file system there; a task mounts it itself.",
        "Answer by the volume's name in fargate_volumes: {efs: fs-..., root_directory: /the/path/on/it}.",
        ECS + "efs-volumes.html",
    ),
    Kind(
        "FG-HOST-SOCKET-OTHER",
        BLOCKER,
        "changed",
        "Only one container of the task mounts this path: the other end of the socket is on the instance or in another task.",
        "Put both ends into one task, or use TCP; then answer ephemeral or drop in fargate_volumes.",
        STORAGE,
    ),
    Kind(
        "FG-HOST-TIME",
        INFO,
        "dropped",
        "The instance's time zone isn't there. TZ is set where the path tells which one it was.",
        "Set the environment variable TZ if it wasn't UTC; the image must have the zone's file (tzdata). PHP asks date.timezone instead.",
        STORAGE,
    ),
    Kind(
        "FG-HOST-SOCKET",
        INFO,
        "changed",
        "A socket shared through the instance becomes a volume of the task: both containers still see it. It belongs to root (0755).",
        "Nothing, if what makes the socket starts as root, or its image declares VOLUME there with the owner set before.",
        STORAGE,
    ),
    Kind(
        "FG-DOCKER-VOLUME",
        BLOCKER,
        "changed",
        "The Docker volume outlives the task or comes from a driver.",
        "Answer by the volume's name in fargate_volumes: {efs: fs-...}, ephemeral, or drop.",
        STORAGE,
    ),
    Kind("FG-DOCKER-VOLUME-TASK", INFO, "changed", "A Docker volume of the task becomes a bind mount.", "Nothing.", STORAGE),
    Kind("FG-FSX-WINDOWS", BLOCKER, "changed", "FSx for Windows File Server is not available on Fargate.", "Use EFS.", STORAGE),
    Kind(
        "FG-EFS",
        ACTION,
        "kept",
        "The tasks mount the file system themselves.",
        "Its mount targets must admit the tasks on 2049, in each zone: add their group to fargate_grants.",
        ECS + "efs-volumes.html",
    ),
    Kind(
        "FG-S3-FILES",
        ACTION,
        "kept",
        "The tasks mount the file system themselves.",
        "Its mount targets must admit the tasks: where the instances weren't admitted, name their group in fargate_grants: [{group_id: sg-..., port: 2049}].",
        STORAGE,
    ),
    Kind(
        "FG-VOLUME-ROLE",
        BLOCKER,
        "refused",
        "The file system is mounted with the task role, and the task has none: it would never start.",
        "Set fargate_task_role_arn; or, for EFS, do without iam.",
        ECS + "efs-volumes.html",
    ),
    Kind(
        "FG-VOLUME-EMPTY",
        WARN,
        "kept",
        "The volume starts empty and hides what the image has there (Docker fills a new one with it). It belongs to root (0755), so another user can't "
        "write: Laravel's storage by www-data. Not so where the image declares VOLUME.",
        "Declare VOLUME in the image, owner and files set before, or let the entry point make them.",
        ECS + "bind-mounts.html",
    ),
    Kind("FG-VOLUME-EPHEMERAL", ACTION, "changed", "By the inventory's answer the data ends with the task.", "Nothing.", STORAGE),
    Kind("FG-VOLUME-DROPPED", ACTION, "dropped", "By the inventory's answer the volume and its mount points are gone.", "Nothing.", STORAGE),
    Kind(
        "FG-VOLUME-ANSWER",
        BLOCKER,
        "refused",
        "fargate_volumes gives an answer that isn't understood.",
        "It should be ephemeral, drop or {efs: fs-...}; an access point goes without root_directory.",
        STORAGE,
    ),
)
