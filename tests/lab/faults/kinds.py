"""The kinds of faults, and whom one hits. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.aws.tasks import EcsTask

NAMES = {
    "sg-rule": "a rule that admits the target's group on --port (3306, 6379, or alb: the load balancer into the target) is revoked as soon as it appears",
    "alb-egress": "the target's load balancer may send to nobody on the tasks' ports",
    "no-egress": "the target's tasks may send to the database and the cache, but not to the registry",
    "wrong-port": "Nginx listens on 8080, not on the port that the task definition maps",
    "old-conf": "the target's Nginx container gets the source's image, whose configuration still names the link php-fpm",
    "script-root": "Nginx names a folder in SCRIPT_FILENAME that the php-fpm container does not have",
    "health-redirect": "Nginx redirects the health path to HTTPS",
    "matcher": "the target group accepts only 202 from the health path",
    "image-tag": "the image tag of the target's containers does not exist",
    "wrong-arch": "the target's task definitions ask for a platform (ARM64) that the images are not built for",
    "execution-role": "the policies of the target's execution role are detached",
    "log-group": "the target's log groups are deleted",
    "secret": "the target's task definitions name a secret that does not exist",
    "php-fpm-dead": "the php-fpm container sleeps instead of serving",
    "php-fpm-hang": "the php-fpm container is frozen once it serves: connections are accepted, never answered",
    "php-fpm-socket": "php-fpm listens on a unix socket that Nginx does not know",
    "php-fpm-allowed": "php-fpm's listen.allowed_clients names an old address only",
    "slow-start": "php-fpm starts after the grace period of the service",
    "app-500": "the application answers 500",
    "app-500-silent": "the application answers 500 and logs to a file instead of stderr",
    "app-key": "the target has another APP_KEY: every session of the source is lost there",
    "worker-crash": "the worker ends with an error as soon as it starts",
    "oom": "the application container gets so little memory that the kernel kills it",
    "listener-rule": "no listener of the target's load balancer forwards to the target group",
    "certificate": "the target's listeners present a certificate of another name",
    "instance": "one EC2 instance is terminated (at once; Auto Scaling replaces it)",
    "api": "an API operation is throttled (default) or answers --error, --times times",
}
ONE_SHOT = ("instance", "api")


@dataclass(frozen=True)
class Fault:
    name: str
    service: str = ""
    side: str = "target"
    port: str = "3306"
    container: str = ""

    @property
    def key(self) -> str:
        """Rules on several ports can be missing at once."""
        return f"{self.name}:{self.port}" if self.name == "sg-rule" else self.name

    def matches(self, task: EcsTask, fargate: bool) -> bool:
        """Side by platform; service by a part of its name (the target's names are derived from the source's)."""
        side = self.side == "both" or (self.side == "target") == fargate
        return side and (not self.service or self.service in (task.service_name or task.group))
