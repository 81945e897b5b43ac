# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The application, as far as its environment, its commands and its release tell."""

from __future__ import annotations

from .kind import ACTION, BLOCKER, ECS, GUIDE, LOGS, STORAGE, TASKS, WARN, Kind

STOP = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html"
SCHEDULERS = GUIDE + "migrate.md#schedulers"

KINDS = (
    Kind(
        "FG-SESSION-FILE",
        ACTION,
        "kept",
        "Sessions live in the container: users are logged out whenever their task ends, and at the cutover.",
        "Put sessions into Redis or the database before the migration.",
        STORAGE,
    ),
    Kind(
        "FG-STORE-IN-TASK",
        ACTION,
        "kept",
        "A database, cache or queue runs inside the task: each task has its own, and the target begins with an empty one. Sessions and jobs in it are lost.",
        "Move it out of the task (RDS, ElastiCache, a service of its own) before the migration.",
        STORAGE,
    ),
    Kind(
        "FG-SESSION-PARITY",
        ACTION,
        "checked",
        "The target runs with other session settings than the source has now: users would be logged out at the cutover.",
        "Run prepare (or migrate) again before the cutover: it deploys what the source has.",
        ECS + "task-definition-update.html",
    ),
    Kind(
        "FG-TARGET-STALE",
        ACTION,
        "checked",
        "The source was released anew since the target was built: the cutover would take users back to the older release.",
        "Run prepare (or migrate) again before the cutover.",
        ECS + "task-definition-update.html",
    ),
    Kind(
        "FG-TARGET-RELEASED",
        BLOCKER,
        "refused",
        "The target serves with another image than the plan's, which follows the source: prepare or migrate would deploy that over what users have.",
        "Set fargate_images to what the target runs, or run neither any more. Waive it to deploy the plan's image.",
        ECS + "task-definition-update.html",
    ),
    Kind(
        "FG-CACHE-FILE",
        ACTION,
        "kept",
        "The cache lives in the container: each task has its own, so clearing it, rate limits and locks (onOneServer()) hold in one task only.",
        "Use Redis or the database before the migration.",
        STORAGE,
    ),
    Kind("FG-FILESYSTEM-LOCAL", ACTION, "kept", "Uploads go to the container's disk and end with the task.", "Use S3 or EFS before the migration.", STORAGE),
    Kind(
        "FG-LOG-CHANNEL", WARN, "kept", "The application may log into a file inside the container, where nobody sees it.", "LOG_CHANNEL should be stderr.", LOGS
    ),
    Kind(
        "FG-LARAVEL-DEFAULT",
        WARN,
        "checked",
        "Set neither in the environment nor by secrets: an .env in the image decides, or Laravel's default. That is {defaults}. Files end with their "
        "container{users}.",
        "Ask a running task: php artisan config:show, with session.driver, cache.default or logging.default (or php artisan tinker). Where users log in, the "
        "probe set laravel of fargate_probes proves before the cutover that a session of the source goes on at the target.",
        ECS + "ecs-exec-run.html",
    ),
    Kind(
        "FG-APP-KEY",
        WARN,
        "kept",
        "The key is readable for everybody who may describe task definitions.",
        "Move it to Secrets Manager or Parameter Store; its value must stay the same.",
        ECS + "specifying-sensitive-data.html",
    ),
    Kind(
        "FG-AWS-KEYS",
        WARN,
        "kept",
        "Keys of an IAM user are readable for everybody who may describe task definitions.",
        "Use a task role, later.",
        ECS + "task-iam-roles.html",
    ),
    Kind(
        "FG-SCHEDULER",
        WARN,
        "changed",
        "Two schedulers would do every job twice: the target's has no task until scale_in has stopped the source's, which goes on with the source's "
        "release.{others}",
        "Nothing now; run scale_in before a release that changes what is scheduled.",
        SCHEDULERS,
    ),
    Kind(
        "FG-SCHEDULER-TWICE",
        ACTION,
        "kept",
        "Source and target run this scheduler at the same time: every job is done twice until scale_in.",
        "Where fargate_desired_count names this service, remove that and run prepare, which stops the target's. Where its scaling has the source at 0 now, "
        "run prepare while the source has tasks of it. Or let every job run on one server only (onOneServer()).",
        SCHEDULERS,
    ),
    Kind(
        "FG-SCHEDULER-NOWHERE",
        ACTION,
        "kept",
        "Once the source's is stopped nobody runs this scheduler.",
        "After a scale_in that was interrupted, run it again, or rollback. Else remove fargate_desired_count of this service.",
        SCHEDULERS,
    ),
    Kind(
        "FG-SCHEDULER-WEB",
        BLOCKER,
        "kept",
        "The task that serves the web runs a scheduler too. It has to serve on both sides, so from prepare to scale_in every job would be done twice.",
        "Give the scheduler a service of its own: that one changes hands by itself. Or let jobs run on one server only (onOneServer()) and waive this finding.",
        SCHEDULERS,
    ),
    Kind(
        "FG-SUPERVISOR",
        WARN,
        "kept",
        "What a supervisor starts stands in a file of the image, which isn't read. A scheduler among it would run on both sides and do every job twice.",
        "Look into its configuration. Give a scheduler a service of its own.",
        SCHEDULERS,
    ),
    Kind("FG-SCHEDULER-MANY", WARN, "kept", "More than one task runs the scheduler.", "Use onOneServer(), or one task.", SCHEDULERS),
    Kind(
        "FG-WORKER-SHELL",
        WARN,
        "kept",
        "A shell stands between SIGTERM and the worker: the job in hand may be killed.",
        "Start it with exec, or without a shell.",
        STOP,
    ),
    Kind(
        "FG-WORKER-TIMEOUT",
        ACTION,
        "kept",
        "A job may take {limit}, and the container is killed {stop} seconds after SIGTERM, with the job in hand.",
        "Give queue:work a --timeout below the stop time-out, or set a longer one in fargate_stop_timeout (at most 120); or make jobs safe to repeat.",
        TASKS,
    ),
    Kind(
        "FG-WORKER-SIGNAL",
        WARN,
        "kept",
        "Images made from php-fpm are stopped with SIGQUIT, which a queue worker may ignore: the job in hand is killed when the stop time-out ends.",
        "Set STOPSIGNAL SIGTERM in the worker's image.",
        TASKS,
    ),
)
