# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# This module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Cause -> what it means, what to do, how to look by hand. Placeholders are filled from the signals by ``diagnose``."""

from __future__ import annotations

import typing as t


class Text(t.NamedTuple):
    summary: str
    fix: str
    check: str


# Commands to check by hand, by the place where the evidence is.
TASK = "aws ecs describe-tasks --region {region} --cluster {cluster} --tasks {task} --query 'tasks[].[stoppedReason,containers[].[name,exitCode,reason]]'"
SERVICE = "aws ecs describe-services --region {region} --cluster {cluster} --services {service} --query 'services[].[deployments,events[:10]]'"
LOG = "aws logs tail {log_group} --region {region} --since 15m{streams}"
GROUP = "aws ec2 describe-security-groups --region {region} --group-ids {group}"
TARGETS = "aws elbv2 describe-target-health --region {region} --target-group-arn {target_group}"
DEFINITION = "aws ecs describe-task-definition --region {region} --task-definition {definition}"
LISTENERS = "aws elbv2 describe-listeners --region {region} --load-balancer-arn {load_balancer_arn}"
IMAGE = "aws ecr describe-images --region {region} --repository-name {repository} --image-ids imageTag={tag}"
CURL = "curl -v --connect-to {fqdn}:{port}:{address}:{port} {url}"

CAUSES: dict[str, Text] = {
    # nothing to look at
    "NO_CLUSTER": Text(
        "The cluster {cluster} does not exist.", "Run the playbook with --tags provision.", "aws ecs describe-clusters --region {region} --clusters {cluster}"
    ),
    "NO_SERVICE": Text("The service {service} does not exist in cluster {cluster}.", "Run the playbook with --tags service.", SERVICE),
    "NO_LOAD_BALANCER": Text(
        "The load balancer {load_balancer} does not exist.",
        "Run the playbook with --tags alb.",
        "aws elbv2 describe-load-balancers --region {region} --names {load_balancer}",
    ),
    "DESIRED_ZERO": Text(
        "The desired count of {service} is 0, so no task runs.",
        "Raise the desired count: --tags service for the target, the rollback playbook for the source.",
        SERVICE,
    ),
    "OLD_REVISION": Text(
        "{service} does not run the newest revision of its task definition.",
        "Run the playbook with --tags service; if the deployment was rolled back, the stopped tasks say why.",
        SERVICE,
    ),
    # a task does not start
    "PULL_NET": Text(
        "The task of {service} has no network path to the registry (or to Secrets Manager).",
        "Give the tasks a way out: assign_public_ip in public subnets, a NAT gateway, or endpoints for ecr.api, ecr.dkr, logs and S3; and egress on TCP 443.",
        TASK,
    ),
    "PULL_AUTH": Text(
        "The execution role of {service} may not pull the image {image}.",
        "Attach AmazonECSTaskExecutionRolePolicy to {execution_role} and admit it in the policy of the new repository.",
        TASK,
    ),
    "PULL_NOTFOUND": Text(
        "The image {image} does not exist in its registry.",
        "Push it (--tags image), or correct the tag in the task definition (--tags taskdef,service).",
        IMAGE,
    ),
    "PULL_ARCH": Text(
        "The image {image} is not built for the platform of the task.",
        "Set fargate_architecture to the image's platform, or build it for the task's.",
        DEFINITION,
    ),
    "PULL_RATE": Text("The registry's pull rate limit is reached.", "Copy the image to ECR, or set repositoryCredentials.", TASK),
    "PULL_DISK": Text("The image does not fit on the task's ephemeral storage.", "Raise ephemeralStorage (21-200 GiB) in the task definition.", DEFINITION),
    "PULL_COPY": Text(
        "A layer of {image} could not be downloaded: ECR keeps layers in S3.",
        "Add the S3 gateway endpoint to the subnet's route table and check its policy, or a proxy in between.",
        TASK,
    ),
    "PULL_S3": Text("The layers of {image} in S3 are out of reach.", "Add the S3 gateway endpoint's route, and egress on TCP 443 to its prefix list.", TASK),
    "PULL_STABLE": Text(
        "The image {image} cannot be resolved any more: its tag or the digest it was pinned to is gone.", "Push it again and start a new deployment.", IMAGE
    ),
    "PULL_OTHER": Text(
        "The image {image} could not be pulled.", "Read the text AWS gives; check the repository, the execution role and the network path.", TASK
    ),
    "SECRET_DENIED": Text(
        "The execution role {execution_role} may not read a secret or parameter of the task definition.",
        "Allow secretsmanager:GetSecretValue or ssm:GetParameters (and kms:Decrypt) on it for {execution_role}.",
        TASK,
    ),
    "SECRET_MISSING": Text(
        "A secret or parameter that the task definition names does not exist.",
        "Correct valueFrom (name, ARN suffix, JSON key, region), or create the secret.",
        DEFINITION,
    ),
    "LOG_GROUP": Text(
        "The log group of {service} does not exist.",
        "Create it ahead: --tags taskdef.",
        "aws logs describe-log-groups --region {region} --log-group-name-prefix {log_group}",
    ),
    "LOG_DENIED": Text(
        "The execution role {execution_role} may not write to CloudWatch Logs.",
        "Create the group ahead (--tags taskdef) and allow logs:CreateLogStream and logs:PutLogEvents.",
        TASK,
    ),
    "LOG_NET": Text("The task of {service} has no network path to CloudWatch Logs.", "Add the logs endpoint or a NAT gateway, and egress on TCP 443.", TASK),
    "LOG_ARGS": Text("The log configuration of {service} is incomplete.", "Set awslogs-group, awslogs-region and awslogs-stream-prefix.", DEFINITION),
    "EFS": Text(
        "An EFS file system could not be mounted.",
        "Admit the task's group on TCP 2049 in the file system's group; check the mount target in the zone, DNS and IAM.",
        TASK,
    ),
    "ROLE": Text(
        "ECS cannot assume the role {execution_role}.",
        "Let ecs-tasks.amazonaws.com assume it. Just after it was created this passes by itself in a minute or two.",
        TASK,
    ),
    "OOM": Text("A container of {service} was killed for its memory use.", "Raise its memory, or the task's (fargate_sizes).", TASK),
    "CREATE": Text(
        "A container of {service} could not be created: entry point, command, mount or architecture.",
        "Correct what the text names in the image or the task definition.",
        TASK,
    ),
    "DEP": Text("A container that others depend on did not become ready.", "Look at the log and the health check of the dependency.", TASK),
    "HC_CONTAINER": Text(
        "The container health check of {service} fails.",
        "Run its command in the image: is curl there, does it still use a link's name, is startPeriod long enough?",
        DEFINITION,
    ),
    "ENI": Text("No network interface could be made for the task.", "Free addresses in the subnet, or add subnets; check the ECS service-linked role.", TASK),
    "COMPUTE": Text(
        "The task definition does not fit the launch type or capacity provider of {service}.",
        "Let requiresCompatibilities name FARGATE: --tags taskdef,service.",
        DEFINITION,
    ),
    "EC2_TYPE": Text(
        "ECS looks for container instances that are not there.",
        "On the target: the service must use FARGATE. On the source: start instances (rollback playbook).",
        SERVICE,
    ),
    "CAPACITY": Text("AWS has no Fargate capacity in the zone at the moment.", "Wait, or give the service more zones.", SERVICE),
    "QUOTA": Text("A quota of the account is reached.", "Raise 'Fargate On-Demand vCPU resource count' in Service Quotas.", SERVICE),
    "AZ_UNSUPPORTED": Text("The subnet's zone may not offer Fargate.", "Use another subnet.", SERVICE),
    "THROTTLE": Text("ECS is being throttled.", "Wait; ECS retries.", SERVICE),
    "AGENT_ERR": Text("The platform failed to run the task.", "ECS retries; if it goes on, open a support case with the task's ARN.", TASK),
    "STAGE_ENI": Text(
        "Tasks of {service} stop without a reason before the image is pulled.",
        "Look at the network interface, the execution role's trust and the secrets.",
        TASK,
    ),
    "STAGE_IMAGE": Text("Tasks of {service} stop without a reason while the image is pulled.", "Look at the image, its repository and the network path.", TASK),
    "STAGE_CREATE": Text(
        "Tasks of {service} stop without a reason when their containers are created.", "Look at the command, the mounts and the log driver.", TASK
    ),
    "INFRASTRUCTURE": Text("AWS took the task's host away ({stop_code}).", "Not the application: ECS replaces the task.", TASK),
    # a task starts and stops
    "NGX_HOST": Text(
        'Nginx ends at once: its configuration still names the host "{h}", which does not exist on Fargate (containers of a task share 127.0.0.1).',
        "Use the image with the rewritten configuration (--tags image,taskdef,service): {h} becomes 127.0.0.1.",
        LOG,
    ),
    "NGX_NOPORT": Text("Nginx ends at once: an upstream has no port.", "Correct the upstream block in the image's configuration.", LOG),
    "NGX_BIND": Text("Two containers of the task listen on the same port; on Fargate they share one address.", "Give one of them another port.", LOG),
    "NGX_BINDPERM": Text(
        "Nginx may not listen on a port below 1024 because it does not run as root.",
        "Listen on 8080, or set systemControls net.ipv4.ip_unprivileged_port_start=0.",
        LOG,
    ),
    "EXEC_FORMAT": Text(
        "{container} cannot be executed: it is built for another processor (or it is a script without its first line).",
        "Set fargate_architecture to the image's platform, or build it for the task's; a script begins with #! and its interpreter.",
        DEFINITION,
    ),
    "NGX_RO": Text("Nginx cannot write its cache or temporary files.", "Mount a volume there, or set readonlyRootFilesystem to false.", LOG),
    "FPM_BIND": Text("PHP-FPM cannot listen: its port is taken by another container of the task.", "Give one of them another port.", LOG),
    "EXIT_0": Text(
        "The main process of {container} ended by itself (exit 0).",
        "Let it stay in the foreground (nginx: daemon off; php-fpm: --nodaemonize), or mark a one-shot container as not essential.",
        TASK,
    ),
    "EXIT_1": Text(
        "{container} ended with an error (exit {exit_code}){said}", "Read its last log lines; run the image locally with the same command and environment.", LOG
    ),
    "EXIT_78": Text("PHP-FPM refused its configuration (exit 78).", "Run php-fpm -t in the image.", LOG),
    "EXIT_126": Text("The command of {container} cannot be executed (exit 126).", "Check the file's mode, its architecture and its first line.", TASK),
    "EXIT_127": Text("The command of {container} was not found (exit 127).", "Check the entry point, its PATH, and line ends (CRLF) of scripts.", TASK),
    "EXIT_134": Text("{container} aborted itself (exit 134).", "Read its last log lines.", LOG),
    "EXIT_137": Text(
        "{container} was killed (exit 137): out of memory, or it did not stop within stopTimeout.",
        "Compare its memory use with its limit; raise memory, or stopTimeout.",
        TASK,
    ),
    "EXIT_139": Text("{container} crashed (exit 139, segmentation fault).", "Check PHP extensions and the architecture of the image.", LOG),
    "EXIT_143": Text("{container} was told to stop (exit 143).", "Look at who stopped the task.", TASK),
    "EXIT_255": Text("{container} ended with exit 255.", "Check the architecture and the entry point of the image.", LOG),
    "NO_OUTPUT": Text(
        "{container} ended with exit {exit_code} and wrote nothing.",
        "Give it a log configuration, or start it with another command (RunTask with an override) to look inside.",
        DEFINITION,
    ),
    # targets
    "SERVICE_NO_LB": Text("{service} has no target group, so nothing registers its tasks.", "Run the playbook with --tags service.", SERVICE),
    "NOT_REGISTERED": Text(
        "Running tasks of {service} are not registered in {target_group_name}.",
        "Check that the service names this target group and the right container and port.",
        TARGETS,
    ),
    "FOREIGN_TARGETS": Text(
        "{target_group_name} holds targets that are no tasks of {service}: {targets}.", "Deregister them, or wait until the service has replaced them.", TARGETS
    ),
    "NO_RULE": Text("No listener rule sends traffic to {target_group_name}.", "Run the playbook with --tags alb.", LISTENERS),
    "AZ_DISABLED": Text(
        "A target is in a zone that the load balancer does not serve.",
        "Add the zone's subnet to the load balancer, or keep the service out of that zone.",
        TARGETS,
    ),
    "ALB_SG": Text(
        "The load balancer cannot reach the tasks of {service} on TCP {port}: a security group stops it.",
        "Admit the load balancer's group in the service's group on TCP {port} (--tags security).",
        GROUP,
    ),
    "ALB_EGRESS": Text(
        "The load balancer's group lets nothing out to the tasks of {service} on TCP {port}.",
        "Add egress to the service's group on TCP {port} (--tags security).",
        GROUP,
    ),
    "NACL": Text(
        "A network ACL stops the health checks.",
        "Allow the port to the tasks and the ephemeral ports (1024-65535) back.",
        "aws ec2 describe-network-acls --region {region} --filters Name=association.subnet-id,Values={subnet}",
    ),
    "HC_SLOW": Text(
        "Health checks reach {service}, but the answer takes too long.",
        "Find what the health path waits for (database, Redis), or raise the health check's timeout.",
        LOG,
    ),
    "HC_TIMEOUT": Text(
        "Health checks of {target_group_name} time out.",
        "Look whether the container hangs, listens on TCP {port}, and is not starved of CPU. {unknown}",
        TARGETS,
    ),
    "HC_LOST": Text(
        "Health checks of {target_group_name} do not reach the container on TCP {port}: {service} logs those that do, and this task has none.",
        "No security group that could be read stops them: look at network ACLs both ways, at the port, and at firewalls inside the image.",
        TARGETS,
    ),
    "HC_PORT": Text(
        "{target_group_name} checks port {port}, but the task definition maps only {ports}.",
        "Set the container port of the service to one the container listens on.",
        DEFINITION,
    ),
    "HC_REFUSED": Text(
        "Nothing answers on TCP {port} in the tasks of {service}.",
        "Check that the container listens on this port, on all addresses, and speaks the target group's protocol.",
        TARGETS,
    ),
    "HC_DOWN": Text(
        "The container {container} of {service} is not running, so nothing answers.",
        "Read why it stopped; an essential container would have stopped the task.",
        TASK,
    ),
    "HC_MATCHER": Text(
        "The health path answers {code}, which the target group's matcher ({matcher}) does not accept.",
        "Accept {code} in the matcher, or check a path that answers 200.",
        TARGETS,
    ),
    "HC_REDIRECT": Text(
        "The health path answers a redirect ({code}), which the matcher ({matcher}) does not accept.",
        "Check a path that does not redirect (forced https, APP_URL), or accept {code}.",
        TARGETS,
    ),
    "HC_400": Text(
        "The health path answers 400: the health check's Host is the task's address.",
        "Exclude the health path from TrustHosts, or correct the protocol of the target group.",
        TARGETS,
    ),
    "HC_401": Text("The health path asks for a login.", "Use a path that needs none.", TARGETS),
    "HC_403": Text("The health path is forbidden.", "Check deny lists (the load balancer's addresses are new), directory index and file modes.", LOG),
    "HC_404": Text(
        "The health path does not exist in {service}.", "Check the path, the document root, and that the code is in the image and not in a host volume.", LOG
    ),
    "HC_419": Text("The health path answers {code}: it is under CSRF protection or a rate limit.", "Exclude it.", TARGETS),
    "HC_500": Text(
        "The application answers 500 and its log says nothing.{unlogged}",
        "Set LOG_CHANNEL=stderr: on Fargate storage/logs cannot be read. Then run verify again to see the error.",
        LOG,
    ),
    "HC_502": Text("Nginx answers 502: PHP-FPM does not answer it.", "Look at the php-fpm container: is it up, on which address does it listen?", LOG),
    "HC_503": Text("The application answers 503.", "Maintenance mode (artisan up) or a rate limit.", LOG),
    "HC_504": Text(
        "Nginx answers 504: PHP-FPM takes too long.", "Find what the page waits for; a database or Redis that does not admit the tasks makes it hang.", LOG
    ),
    "HC_STATUS": Text("The health path answers {code}.", "Read the application's log for this request.", LOG),
    "HC_ELB": Text("The load balancer's health check of {service} fails.", "Look at the health of the targets and at the container's log.", TARGETS),
    "ELB_INTERNAL": Text("The load balancer reports an internal error.", "AWS retries.", TARGETS),
    # Nginx and PHP-FPM while running
    "NGX_RESOLVE": Text("Nginx cannot resolve a host name of its configuration.", "Write 127.0.0.1 instead of the link's name.", LOG),
    "FPM_DOWN": Text(
        "Nginx gets no connection to {u}: PHP-FPM does not listen there.",
        "Look at the php-fpm container: did it stop, does it listen on another port or a socket, "
        "or is it still starting when health checks begin to count (after {grace} s)?",
        LOG,
    ),
    "SLOW_START": Text(
        "Tasks of {service} are stopped before {container} listens: the health check grace period is {grace} s.",
        "Give them more time (health_check_grace_period_seconds of the service), or let them start faster: more CPU, caches built into the image.",
        SERVICE,
    ),
    "NGX_REFUSED": Text("Nginx gets no connection to {u}.", "Look at the php-fpm container: is it up, on which address does it listen?", LOG),
    "NGX_STALE": Text("Nginx still sends PHP requests to {u}, an address outside the task.", "Rewrite it to 127.0.0.1 (--tags image,taskdef,service).", LOG),
    "NGX_SOCK": Text("Nginx cannot open the socket {u} of PHP-FPM.", "Share it by a volume of the task, or let PHP-FPM listen on 127.0.0.1:9000.", LOG),
    "NGX_TIMEOUT": Text(
        "PHP-FPM does not answer Nginx in time.", "Find what PHP waits for; mostly a database or Redis whose group does not admit the tasks.", LOG
    ),
    "NGX_NOLIVE": Text("All upstream servers of Nginx have failed.", "Look at the php-fpm container.", LOG),
    "NGX_RESET": Text(
        "PHP-FPM dropped the connection while it worked: its worker died.", "Look for memory limits, segmentation faults and request_terminate_timeout.", LOG
    ),
    "NGX_BIGHDR": Text("An answer's header is larger than Nginx's buffer.", "Raise fastcgi_buffers and fastcgi_buffer_size.", LOG),
    "NGX_BODY": Text("A request body is larger than Nginx allows.", "Raise client_max_body_size.", LOG),
    "NGX_TPL": Text("Nginx's templates were not rendered: the target folder is not writable.", "Make /etc/nginx/conf.d writable.", LOG),
    "FPM_ALLOWED": Text(
        "PHP-FPM drops connections from {u}: listen.allowed_clients does not name it.", "Add 127.0.0.1 to listen.allowed_clients, or remove the setting.", LOG
    ),
    "FPM_SCRIPT": Text(
        "PHP-FPM does not find the script: the code is not where SCRIPT_FILENAME points, seen from the php container.",
        "Put the code into the php image at the same path; a host volume or volumesFrom does not exist on Fargate.",
        LOG,
    ),
    "FPM_SIG9": Text("A PHP worker was killed (signal 9): the task ran out of memory.", "Raise the task's memory, or lower pm.max_children.", LOG),
    "FPM_SIG11": Text("A PHP worker crashed (signal 11).", "Check PHP extensions and the architecture of the image.", LOG),
    "FPM_CHILDREN": Text("All PHP workers are busy (pm.max_children).", "Raise pm.max_children or the task's size; find what the workers wait for.", LOG),
    "FPM_SLOW": Text("PHP scripts run too long.", "Find what they wait for.", LOG),
    "PHP_MEM": Text("A PHP script hit memory_limit.", "Raise memory_limit (this is not the container's memory).", LOG),
    # the application
    "DB_TIMEOUT": Text(
        "{service} cannot reach the database{store}: connections time out.",
        "Admit the service's group {task_groups} on TCP {port} in the database's group {group} (--tags security).",
        GROUP,
    ),
    "REDIS_TIMEOUT": Text(
        "{service} cannot reach Redis{store}: connections time out.",
        "Admit the service's group {task_groups} on TCP {port} in the cache's group {group} (--tags security).",
        GROUP,
    ),
    "STORE_NACL": Text(
        "A network ACL stands between {service} and{store}.",
        "Allow TCP {port} to it and the ephemeral ports (1024-65535) back, in the ACLs of both subnets.",
        "aws ec2 describe-network-acls --region {region} --filters Name=association.subnet-id,Values={subnet}",
    ),
    "DB_REFUSED": Text("The database refuses connections from {service}: wrong host or port.", "Check DB_HOST and DB_PORT; 127.0.0.1 is the task itself.", LOG),
    "DB_DNS": Text(
        "{service} cannot resolve a host name.", "Use full names; extra hosts, search domains and links of the old task do not exist on Fargate.", LOG
    ),
    "DB_AUTH": Text("The database refuses the user of {service}.", "Check the password, and grants bound to the old subnets ('app'@'10.0.1.%').", LOG),
    "DB_MANY": Text("The database has no connection left: old and new tasks are connected at once.", "Raise max_connections, or run fewer tasks.", LOG),
    "REDIS_REFUSED": Text("Redis refuses connections from {service}: wrong host, port or TLS.", "Check REDIS_HOST, REDIS_PORT and the scheme.", LOG),
    "REDIS_DNS": Text("{service} cannot resolve Redis' host name.", "Set REDIS_HOST to the cache's endpoint; a link's name does not exist on Fargate.", LOG),
    "REDIS_AUTH": Text("Redis refuses the password of {service}.", "Check REDIS_PASSWORD.", LOG),
    "APP_KEY": Text("APP_KEY is missing or differs from the one the data and sessions were encrypted with.", "Set the same APP_KEY as on the other side.", LOG),
    "STORAGE": Text(
        "The application may not write to its storage folder.", "Create it in the image with the right owner; an empty volume belongs to root.", LOG
    ),
    "VIEW": Text("Laravel's storage/framework folders are missing.", "Create storage/framework/{{cache,sessions,views}} at start.", LOG),
    "AWS_CRED": Text(
        "The application used the instance's role, which does not exist on Fargate.", "Give the task a role (fargate_task_role_arn), or keys as before.", LOG
    ),
    "AWS_DENY": Text("AWS refuses a call of the application.", "Check the policy of its user or role, and conditions on source address or endpoint.", LOG),
    "AWS_NET": Text("The application has no network path to AWS.", "Give the tasks a way out (NAT gateway, public address or endpoints).", LOG),
    "QUEUE_KILL": Text("A worker was killed before its job ended.", "Let stopTimeout exceed the longest job (at most 120 s on Fargate).", LOG),
    "APP_500": Text("The application fails: {message}", "Correct this error; it is inside the application, the request reached it.", LOG),
    # probes
    "PROBE_UNREACHABLE": Text(
        "This machine cannot reach the load balancer at {address}.",
        "Admit this machine in the load balancer's group, or set fargate_probe_proxy to an HTTP proxy inside the network.",
        CURL,
    ),
    "PROBE_PROXY": Text("The probe proxy does not connect to {address}.", "Check fargate_probe_proxy.", CURL),
    "TLS_NAME": Text(
        "The load balancer's certificate is not for {fqdn}.",
        "Add the certificate of {fqdn} to the listener (--tags alb).",
        "openssl s_client -connect {address}:{port} -servername {fqdn} </dev/null",
    ),
    "TLS_TRUST": Text(
        "The load balancer's certificate is not trusted here.",
        "Set fargate_probe_ca to the PEM file of its issuer, or use a publicly trusted one.",
        "openssl s_client -connect {address}:{port} -servername {fqdn} </dev/null",
    ),
    "TLS_EXPIRED": Text(
        "The load balancer's certificate has expired.", "Renew it in ACM.", "openssl s_client -connect {address}:{port} -servername {fqdn} </dev/null"
    ),
    "TLS_OTHER": Text(
        "The TLS handshake with the load balancer fails.",
        "Check the listener's certificate and security policy.",
        "openssl s_client -connect {address}:{port} -servername {fqdn} </dev/null",
    ),
    "ALB_RULE": Text(
        "The load balancer itself answers {code}: no rule for {fqdn} leads to the service.",
        "Check host-header rules and the default action (--tags alb).",
        LISTENERS,
    ),
    "ALB_502": Text(
        "The load balancer answers 502: the task dropped the connection or sent a broken answer.",
        "Look for restarts; let the task's keep-alive exceed the load balancer's idle timeout.",
        LISTENERS,
    ),
    "ALB_503": Text("The load balancer answers 503: no target is registered for this rule.", "Check which group the rule for {fqdn} forwards to.", LISTENERS),
    "ALB_504": Text(
        "The load balancer answers 504: the task did not answer in time.",
        "Find what the page waits for; mostly a database or Redis whose group does not admit the tasks.",
        CURL,
    ),
    "WAF": Text("Requests are forbidden (403).", "Compare the web ACLs of both load balancers; if they are equal, it is the application.", CURL),
    "SESSION": Text(
        "A session opened on the other side does not continue here.",
        "APP_KEY, session driver, cookie name and Redis prefix (APP_NAME, SESSION_*, REDIS_PREFIX) must be equal on both sides.",
        CURL,
    ),
    "REDIRECT_LOOP": Text("Requests are redirected for ever.", "Let TrustProxies accept the new load balancer's addresses (X-Forwarded-Proto).", CURL),
    "PARITY": Text(
        "The bare name of the load balancer answers otherwise than the other side's.",
        "Compare listeners, rules and certificates of both load balancers (--tags alb).",
        LISTENERS,
    ),
    "DIFFERENT": Text(
        "The sides answer {url} differently: {text}",
        "Compare image, environment and Nginx conf of both sides. If it is noise, add a mask to the parity probe; if it is meant, differences: warn.",
        CURL,
    ),
    "PROBE_TIMEOUT": Text(
        "A probe got no answer in time.", "Find what the page waits for; mostly a database or Redis whose group does not admit the tasks.", CURL
    ),
    "PROBE_FAILED": Text(
        "A probe did not get what it expects: {text}", "Compare with the answer of the other side; read the application's log for this request.", CURL
    ),
    # by elimination
    "WAITING": Text("{text}", "Nothing points to a fault yet. If tasks start slowly, raise fargate_verify_timeout.", SERVICE),
}


class _Gaps(t.Dict[str, str]):
    """What no signal tells stays visible as a placeholder of the command, instead of failing the report."""

    def __missing__(self, key: str) -> str:
        return f"<{key.upper().replace('_', '-')}>"


def render(identifier: str, context: t.Mapping[str, t.Any]) -> Text:
    """The texts of a cause with its placeholders filled."""
    values = _Gaps({key: str(value) for key, value in context.items() if value not in (None, "")})
    values.setdefault("store", "")
    values.setdefault("unknown", "")
    values.setdefault("said", ".")
    values.setdefault("unlogged", "")
    values.setdefault("streams", f" --log-stream-names {values['stream']}" if "stream" in values else "")
    text = CAUSES[identifier]
    return Text(*(part.format_map(values).strip() for part in text))
