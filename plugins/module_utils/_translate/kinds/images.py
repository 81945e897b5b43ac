# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Images of containers: where they come from, and whether one is derived."""

from __future__ import annotations

from .kind import ACTION, BLOCKER, ECS, INFO, TASKS, WARN, Kind

KINDS = (
    Kind(
        "FG-IMAGE",
        ACTION,
        "changed",
        "Where the image's configuration names peers that a link made resolvable ({peers}), a derived image goes to a new repository; else the image stays.",
        "The role image looks into it and derives it.",
        TASKS,
    ),
    Kind("FG-IMAGE-GIVEN", INFO, "changed", "The inventory names the image.", "Make sure that its configuration reaches its peers at 127.0.0.1.", TASKS),
    Kind("FG-IMAGE-MOVED", INFO, "changed", "The derived image goes to this account's own registry.", "Nothing.", ECS + "task_cannot_pull_image.html"),
    Kind(
        "FG-IMAGE-HUB",
        WARN,
        "kept",
        "Docker Hub limits anonymous pulls by address: behind one NAT gateway the limit is shared (toomanyrequests). A private image can't be pulled at all.",
        "Copy the image to ECR or give repositoryCredentials.",
        ECS + "task_cannot_pull_image.html",
    ),
    Kind(
        "FG-IMAGE-REGISTRY",
        BLOCKER,
        "refused",
        "The registry's credentials are not in the task definition: the agent's configuration on the instances had them.",
        "Give repositoryCredentials, copy the image to ECR, or waive it if the registry is public.",
        ECS + "private-auth.html",
    ),
    Kind(
        "FG-IMAGE-ANONYMOUS",
        WARN,
        "kept",
        "The registry has public images and private ones, and this one is pulled without credentials.",
        "Nothing, if it is public. A private one was pulled by the login of the instances: give repositoryCredentials or copy it to ECR.",
        ECS + "private-auth.html",
    ),
    Kind(
        "FG-IMAGE-MISSING",
        BLOCKER,
        "refused",
        "The image that the running tasks were started from is not in its repository any more: no new task can start.",
        "Push it again, or deploy an image that exists.",
        ECS + "task_cannot_pull_image.html",
    ),
    Kind(
        "FG-IMAGE-ACCOUNT",
        ACTION,
        "kept",
        "The image is in another account's registry. On EC2 the instances' role pulled it, on Fargate the execution role does.",
        "Make sure that the repository's policy over there admits the execution role, or this whole account, and not the instances' role alone.",
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html",
    ),
    Kind("FG-IMAGE-LATEST", WARN, "kept", "The tag moves: source and target may run different code.", "Use an immutable tag.", TASKS),
)
