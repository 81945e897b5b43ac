"""Every finding has a source that causes it and a near miss that doesn't. A finding without an entry here fails the last test."""

from __future__ import annotations

import base64
import copy
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate.findings import KINDS
from unit.plugins.module_utils._translate import systems
from unit.plugins.module_utils._translate.systems import Json

Change = t.Callable[[Json], Json | None]
ACCOUNT = "123456789012"
REGISTRY = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"
OTHER_GROUP = f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:targetgroup/blog/93e2d6bc24d8a067"


def shop(_system: Json) -> None:
    """The runbook's system as it is."""


def intent(**wanted: t.Any) -> Change:
    return lambda _system: wanted


def web(**members: t.Any) -> Change:
    return lambda system: system["source"]["services"][0].update(members)


def task(**members: t.Any) -> Change:
    return lambda system: systems.definition(system).update(members)


def nginx(**members: t.Any) -> Change:
    return lambda system: systems.containers(system)["nginx"].update(members)


def php(**members: t.Any) -> Change:
    return lambda system: systems.containers(system)["php-fpm"].update(members)


def worker(**members: t.Any) -> Change:
    return lambda system: systems.containers(system, 1)["worker"].update(members)


def linux(**members: t.Any) -> Change:
    return php(linuxParameters=members)


def variable(name: str, value: str) -> Change:
    """Set a variable of both applications."""

    def change(system: Json) -> None:
        for container in (systems.containers(system)["php-fpm"], systems.containers(system, 1)["worker"]):
            container["environment"] = [pair for pair in container["environment"] if pair["name"] != name] + ([{"name": name, "value": value}] if value else [])

    return change


def awslogs(**options: t.Any) -> Change:
    """Set log options of every container; None removes one."""

    def change(system: Json) -> None:
        for service in system["source"]["services"]:
            for container in service["TaskDefinition"]["containerDefinitions"]:
                current = container["logConfiguration"]["options"]
                current.update({f"awslogs-{key}" if key != "mode" else key: value for key, value in options.items()})
                container["logConfiguration"]["options"] = {key: value for key, value in current.items() if value is not None}

    return change


def driver(name: str | None) -> Change:
    return php(logConfiguration={"logDriver": name, "options": {}} if name else None)


def volume(**members: t.Any) -> Change:
    return both(task(volumes=[{"name": "data", **members}]), php(mountPoints=[{"sourceVolume": "data", "containerPath": "/data"}]))


def balancer(**members: t.Any) -> Change:
    return lambda system: system["source"]["load_balancer"].update(members)


def group(**members: t.Any) -> Change:
    return lambda system: system["source"]["target_groups"][0].update(members)


def attribute(**members: str) -> Change:
    return lambda system: system["source"]["target_groups"][0]["Attributes"].update({key.replace("__", "."): value for key, value in members.items()})


def cluster(**members: t.Any) -> Change:
    return lambda system: system["source"]["cluster"].update(members)


def source(**members: t.Any) -> Change:
    return lambda system: system["source"].update(members)


def top(**members: t.Any) -> Change:
    return lambda system: system.update(members)


def record(**members: t.Any) -> Change:
    return lambda system: system["records"][0]["record_set"].update(members)


def more_records(*names: str) -> Change:
    def change(system: Json) -> None:
        for name in names:
            system["records"].append(copy.deepcopy(system["records"][0]))
            system["records"][-1]["record_set"]["Name"] = name

    return change


def rule_action(**members: t.Any) -> Change:
    def change(system: Json) -> None:
        rule = system["source"]["load_balancer"]["Listeners"][0]["Rules"][0]
        rule["Actions"] = [{"Order": 1, **members}, {**rule["Actions"][0], "Order": 2}] if members["Type"] != "forward" else [members]

    return change


def zone(subnets: str, **intents: t.Any) -> Change:
    def change(system: Json) -> Json:
        system["source"]["capacity"]["auto_scaling_groups"][0]["VPCZoneIdentifier"] = subnets
        return intents

    return change


def subnets(**members: t.Any) -> Change:
    def change(system: Json) -> None:
        for subnet in system["source"]["subnets"]:
            subnet.update(members)

    return change


def admitting(used_by: str, group_id: str) -> Change:
    """The group ``group_id`` also admits the instances."""

    def change(system: Json) -> None:
        entry = copy.deepcopy(system["source"]["security_groups"]["admitting"][0])
        system["source"]["security_groups"]["admitting"].append({**entry, "GroupId": group_id, "GroupName": "x", "used_by": [{"kind": used_by, "id": "i-0aaa"}]})

    return change


def egress(*ranges: str, first: int = 0, last: int = 65535, protocol: str = "tcp") -> Change:
    def change(system: Json) -> None:
        permission = {"IpProtocol": protocol, "FromPort": first, "ToPort": last, "IpRanges": [{"CidrIp": item} for item in ranges], "UserIdGroupPairs": []}
        system["source"]["security_groups"]["load_balancer"][0]["IpPermissionsEgress"] = [permission]

    return change


def scalable(policy: str = "TargetTrackingScaling", dimension: str = "ClusterName", schedule: str = "cron(0 22 * * ? *)") -> Change:
    metric = {"MetricName": "Backlog", "Namespace": "Shop", "Dimensions": [{"Name": dimension, "Value": "shop"}], "Statistic": "Average"}
    tracking = {"TargetValue": 5, "CustomizedMetricSpecification": metric}
    return web(
        ScalableTargets=[{"ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 1, "MaxCapacity": 4}],
        ScalingPolicies=[{"PolicyName": "p", "PolicyType": policy, "TargetTrackingScalingPolicyConfiguration": tracking}],
        ScheduledActions=[{"ScheduledActionName": "a", "Schedule": schedule}],
    )


def without_keys(name: str = "AWS_ACCESS_KEY_ID") -> Change:
    return variable(name, "")


def both(*changes: Change) -> Change:
    def change(system: Json) -> Json:
        wanted: Json = {}
        for one in changes:
            wanted.update(one(system) or {})
        return wanted

    return change


def on(case: str, change: Change = shop) -> Change:
    """The change on another golden system."""

    def changed(system: Json) -> Json | None:
        system.clear()
        system.update(systems.system(case))
        return change(system)

    return changed


def exec_(role: str | None, read_only: bool = False) -> Change:
    return both(web(enableExecuteCommand=True), task(**({"taskRoleArn": role} if role else {})), php(readonlyRootFilesystem=read_only))


def second_container(**members: t.Any) -> Change:
    return lambda system: systems.definition(system)["containerDefinitions"].append(
        {"name": "extra", "image": f"{REGISTRY}/shop/extra:1", "memory": 64, "cpu": 10, **members}
    )


def shared(**members: t.Any) -> Change:
    """A volume that both containers mount."""
    return both(volume(**members), nginx(mountPoints=[{"sourceVolume": "data", "containerPath": "/data"}]))


def profile(*policies: str) -> Change:
    """What the instances may do, for an application without keys of its own."""
    roles = [{"RoleName": "ecs-instance", "AttachedPolicies": list(policies), "InlinePolicies": [], "Policies": {}}]
    profiles = [{"InstanceProfileName": "ecs", "Roles": roles}]
    return both(without_keys(), lambda system: system["source"]["capacity"].update(instance_profiles=profiles))


def existing_role(action: str, resource: str = "*", trusted: str = "ecs-tasks.amazonaws.com") -> Change:
    """The web definition's own execution role, with one statement."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    role = {"RoleName": "shop", "Arn": ARN, "TrustedServices": [trusted], "Policies": {"p": [statement]}}
    return both(task(executionRoleArn=ARN), source(roles=[role]))


def endpoint(service: str, admitted: str = "10.20.0.0/16", group_id: str = "sg-0vpce") -> Json:
    """An interface endpoint whose group admits a block on 443."""
    permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": admitted}], "UserIdGroupPairs": []}
    name = f"com.amazonaws.eu-west-1.{service}"
    made = {"VpcEndpointId": f"vpce-{service}", "ServiceName": name, "VpcEndpointType": "Interface", "State": "available", "PrivateDnsEnabled": True}
    return {**made, "Groups": [{"GroupId": group_id}], "described": {"GroupId": group_id, "IpPermissions": [permission]}}


def endpoints(*made: Json, gateway: bool = True) -> Change:
    """These endpoints, and S3's gateway in every route table."""
    s3 = {"VpcEndpointId": "vpce-s3", "ServiceName": "com.amazonaws.eu-west-1.s3", "VpcEndpointType": "Gateway", "State": "available"}
    kept = [{key: value for key, value in item.items() if key != "described"} for item in made] + ([s3] if gateway else [])

    def change(system: Json) -> None:
        system["source"]["vpc_endpoints"] = kept
        system["source"]["security_groups"]["endpoints"] = [item["described"] for item in made]
        for subnet in system["source"]["subnets"]:
            subnet["Routes"] = [{"GatewayId": "vpce-s3"}]

    return change


def public(*addresses: str) -> Change:
    """The instances' own addresses."""

    def change(system: Json) -> None:
        for instance, address in zip(system["source"]["capacity"]["instances"], addresses, strict=True):
            instance["PublicIpAddress"] = address

    return change


def behind_nat(*subnet_ids: str) -> Change:
    """The instances run there."""

    def change(system: Json) -> None:
        for instance, subnet in zip(system["source"]["capacity"]["instances"], subnet_ids, strict=True):
            instance["SubnetId"] = subnet

    return change


def quota(name: str, value: float, used: float | None = 0) -> Change:
    return top(quotas={name: {"value": value, "used": used}})


def database(limit: str | None, size: str = "db.t3.micro") -> Change:
    running = lambda system: [service.update(runningCount=2) for service in system["source"]["services"]]  # noqa: E731
    return both(source(databases=[{"DBInstanceIdentifier": "shop", "DBInstanceClass": size, "max_connections": limit}]), lambda s: running(s) and None)


def clock(state: str) -> Change:
    target = {"EcsParameters": {"TaskDefinitionArn": "arn:aws:ecs:eu-west-1:1:task-definition/report:4", "LaunchType": "EC2"}}
    named = {"kind": "rule", "name": "nightly", "expression": "cron(0 3 * * ? *)", "task_definition": target["EcsParameters"]["TaskDefinitionArn"]}
    return source(scheduled_tasks=[{**named, "state": state, "target": target}])


def user_data(text: str) -> Change:
    encoded = base64.b64encode(text.encode()).decode()
    return lambda system: system["source"]["capacity"]["auto_scaling_groups"][0]["LaunchTemplate"]["LaunchTemplateData"].update(UserData=encoded)


def owned(kind: str, owner: str = "terraform") -> Change:
    return source(owners=[{"kind": kind, "id": "x", "name": "shop", "owner": owner, "deployment": ""}])


def images_of(gibibytes: float) -> Change:
    """The PHP image has this size in its repository."""

    def change(system: Json) -> None:
        repository, _colon, tag = systems.containers(system)["php-fpm"]["image"].partition("/")[2].partition(":")
        found = [{"imageTags": [tag], "imageDigest": "sha256:1", "imageSizeInBytes": int(gibibytes * 1024**3)}]
        system["source"]["repositories"] = [{"repositoryName": repository, "images": found}]

    return change


EFS_IAM = {"fileSystemId": "fs-1", "transitEncryption": "ENABLED", "authorizationConfig": {"iam": "ENABLED"}}
BARE = [{"name": "app", "image": f"{REGISTRY}/shop/app:1"}]
REGION = [{"name": "AWS_REGION", "value": "eu-west-1"}]
PHP_80 = [{"containerPort": 80, "protocol": "tcp"}]
PHP_8080 = [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}]
ARN = f"arn:aws:iam::{ACCOUNT}:role/shop"

# id -> (a source that has it, a near miss that hasn't)
CASES: dict[str, tuple[Change, Change]] = {
    "FG-NO-SYSTEM": (top(source=None, target=None), shop),
    "FG-NO-SERVICE": (source(services=[]), shop),
    "FG-DISCOVERY": (top(problems=[{"id": "record-elsewhere", "path": "records", "message": "m"}]), top(problems=[])),
    "FG-DISCOVERY-DENIED": (top(problems=[{"id": "not-readable", "path": "alarms", "message": "m"}]), top(problems=[{"id": "x", "path": "y", "message": "m"}])),
    "FG-CLUSTERS-UNREAD": (
        top(problems=[{"id": "clusters-unread", "path": "source.target_groups", "message": "m"}]),
        top(problems=[{"id": "capacity-unknown", "path": "x", "message": "m"}]),
    ),
    "FG-IMAGE-MISSING": (top(problems=[{"id": "image-missing", "path": "source.repositories", "message": "m"}]), shop),
    "FG-INTENT": (intent(sizes="big"), intent(sizes={"web": {"cpu": 512, "memory": 1024}})),
    "FG-INTENT-UNKNOWN": (intent(subnet=["subnet-0a"]), intent(silence_seconds=900, report_dir="reports")),
    "FG-NAME-CLASH": (intent(names={"cluster": "shop"}), intent(names={"cluster": "shop2"})),
    "FG-TAGS": (web(Tags={f"t{number:02d}": "x" for number in range(50)}), web(Tags={f"aws:t{number:02d}": "x" for number in range(60)})),
    "FG-UNTRANSLATED": (web(somethingNew={"on": True}), web(somethingNew=None)),
    "FG-NETWORK-MODE": (task(networkMode="bridge"), both(task(networkMode="awsvpc"), lambda s: systems.definition(s, 1).update(networkMode="awsvpc"))),
    "FG-NETWORK-HOST": (task(networkMode="host"), shop),
    "FG-NETWORK-NONE": (task(networkMode="none"), shop),
    "FG-COMPATIBILITY": (task(requiresCompatibilities=["EC2", "EXTERNAL"]), task(requiresCompatibilities=["EC2", "FARGATE"])),
    "FG-PLACEMENT": (task(placementConstraints=[{"type": "memberOf", "expression": "attribute:x"}]), web(placementConstraints=[{"type": "distinctInstance"}])),
    "FG-PLACEMENT-SPREAD": (shop, both(web(placementStrategy=[]), lambda s: s["source"]["services"][1].update(placementStrategy=[]))),
    "FG-PID-HOST": (task(pidMode="host"), task(pidMode="task")),
    "FG-IPC-HOST": (task(ipcMode="host"), task(ipcMode="none")),
    "FG-IPC-TASK": (task(ipcMode="task"), task(ipcMode="none")),
    "FG-IPC-NONE": (task(ipcMode="none"), task(ipcMode=None)),
    "FG-INFERENCE": (task(inferenceAccelerators=[{"deviceName": "d", "deviceType": "eia2.medium"}]), task(inferenceAccelerators=[])),
    "FG-APP-MESH": (task(proxyConfiguration={"containerName": "envoy"}), shop),
    "FG-STORAGE": (task(ephemeralStorage={"sizeInGiB": 300}), task(ephemeralStorage={"sizeInGiB": 100})),
    "FG-STORAGE-IMAGES": (images_of(7), images_of(6)),
    "FG-CONTAINERS": (
        task(containerDefinitions=[{"name": f"c{number}", "image": f"{REGISTRY}/a:1"} for number in range(11)]),
        task(containerDefinitions=[{"name": f"c{number}", "image": f"{REGISTRY}/a:1"} for number in range(10)]),
    ),
    "FG-WINDOWS": (task(runtimePlatform={"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}), task(runtimePlatform={"operatingSystemFamily": "LINUX"})),
    "FG-ARCHITECTURE": (
        lambda s: s["source"]["capacity"].update(architectures=["arm64", "x86_64"]),
        both(lambda s: s["source"]["capacity"].update(architectures=["arm64", "x86_64"]), intent(architecture="arm64")),
    ),
    "FG-ARCHITECTURE-OTHER": (intent(architecture="arm64"), intent(architecture="amd64")),
    "FG-TASK-ROLE": (intent(task_role_arn=ARN), intent(task_role_arn={"nobody": ARN})),
    "FG-IMDS": (without_keys(), both(without_keys(), task(taskRoleArn=ARN), lambda s: systems.definition(s, 1).update(taskRoleArn=ARN))),
    "FG-NO-INSTANCE-RIGHTS": (profile("AmazonEC2ContainerServiceforEC2Role"), profile("AmazonEC2ContainerServiceforEC2Role", "uploads")),
    "FG-NO-TASK-ROLE": (shop, both(without_keys())),
    "FG-EXECUTION-ROLE": (shop, both(task(executionRoleArn=ARN), lambda s: systems.definition(s, 1).update(executionRoleArn=ARN))),
    "FG-EXECUTION-ROLE-SECRETS": (
        php(secrets=[{"name": "A", "valueFrom": "arn:aws:ssm:x"}]),
        both(php(secrets=[{"name": "A", "valueFrom": "arn:aws:ssm:x"}]), task(executionRoleArn=ARN)),
    ),
    "FG-EXECUTION-ROLE-LACKS": (existing_role("logs:*"), existing_role("*")),
    "FG-ROLE-TRUST": (existing_role("*", trusted="ec2.amazonaws.com"), existing_role("*")),
    "FG-SIZE": (shop, source(services=[])),
    "FG-SIZE-UNKNOWN": (worker(cpu=0), both(worker(cpu=0), lambda s: systems.definition(s, 1).update(cpu="256"))),
    "FG-SIZE-UNREADABLE": (task(memory="much"), task(memory="2 GB")),
    "FG-SIZE-INVALID": (intent(sizes={"web": {"cpu": 256, "memory": 4096}}), intent(sizes={"web": {"cpu": "1 vCPU", "memory": "2 GB"}})),
    "FG-SIZE-MAX": (php(memory=300000), php(memory=200000)),
    "FG-IMAGE": (shop, nginx(links=[])),
    "FG-IMAGE-GIVEN": (intent(images={"nginx": f"{REGISTRY}/shop/nginx:2"}), intent(images={})),
    "FG-IMAGE-MOVED": (nginx(image="nginx:1.27"), shop),
    "FG-IMAGE-HUB": (php(image="php:8.3-fpm"), php(image="public.ecr.aws/docker/library/php:8.3-fpm")),
    "FG-IMAGE-REGISTRY": (
        php(image="registry.example.test:5000/php:1"),
        php(image="registry.example.test:5000/php:1", repositoryCredentials={"credentialsParameter": "arn:aws:secretsmanager:x"}),
    ),
    "FG-IMAGE-LATEST": (php(image=f"{REGISTRY}/shop/php"), php(image=f"{REGISTRY}/shop/php@sha256:{'ab' * 32}")),
    "FG-LINKS": (shop, nginx(links=[])),
    "FG-LINK-VARIABLE": (
        nginx(command=["sh", "-c", "wait-for $PHP_FPM_PORT_9000_TCP_ADDR && nginx"]),
        nginx(command=["sh", "-c", "wait-for $PHP_FPM_PORT && nginx"], environment=[{"name": "PHP_FPM_PORT", "value": "9000"}]),
    ),
    "FG-LINK-UNKNOWN": (nginx(links=["gone"]), nginx(links=["php-fpm:gone"])),
    "FG-LINK-CYCLE": (php(dependsOn=[{"containerName": "nginx", "condition": "START"}]), nginx(dependsOn=[{"containerName": "php-fpm", "condition": "START"}])),
    "FG-PEER": (nginx(environment=[{"name": "PHP_HOST", "value": "php-fpm"}]), nginx(environment=[{"name": "PHP_HOST", "value": "php-fpm.example.test"}])),
    "FG-PEER-WORD": (nginx(environment=[{"name": "PREFIX", "value": "php-fpm"}]), nginx(environment=[{"name": "APP_NAME", "value": "php-fpm"}])),
    "FG-ESSENTIAL": (php(essential=False), nginx(essential=False)),
    "FG-HOST-ADDRESS": (php(command=["curl", "http://169.254.169.254/latest"]), php(command=["curl", "http://10.0.169.254/latest"])),
    "FG-PORT-CLASH": (php(portMappings=PHP_80), php(portMappings=[{"containerPort": 80, "protocol": "udp"}])),
    "FG-HOST-PORT": (nginx(portMappings=[{"containerPort": 80, "hostPort": 8080}]), both(nginx(portMappings=[{"containerPort": 80, "hostPort": 80}]))),
    "FG-HOSTNAME": (php(hostname="app"), shop),
    "FG-PRIVILEGED": (php(privileged=True), php(privileged=False)),
    "FG-DISABLE-NETWORKING": (php(disableNetworking=True), php(disableNetworking=False)),
    "FG-DNS-SERVERS": (php(dnsServers=["10.0.0.2"]), php(dnsServers=[])),
    "FG-DNS-SEARCH": (php(dnsSearchDomains=["internal"]), php(dnsSearchDomains=[])),
    "FG-EXTRA-HOSTS": (php(extraHosts=[{"hostname": "a.example.test", "ipAddress": "10.0.0.9"}]), php(extraHosts=[])),
    "FG-EXTRA-HOSTS-BARE": (
        php(extraHosts=[{"hostname": "legacy", "ipAddress": "10.0.0.9"}]),
        php(extraHosts=[{"hostname": "self", "ipAddress": "127.0.0.1"}]),
    ),
    "FG-SECURITY-OPTION": (php(dockerSecurityOptions=["no-new-privileges"]), php(dockerSecurityOptions=[])),
    "FG-GMSA": (php(dockerSecurityOptions=["credentialspec:file://x"]), php(dockerSecurityOptions=["label:type:x"])),
    "FG-ULIMIT": (php(ulimits=[{"name": "core"}]), php(ulimits=[{"name": "nofile", "softLimit": 1024, "hardLimit": 2048}])),
    "FG-NOFILE": (
        php(ulimits=[{"name": "nofile", "softLimit": 1024, "hardLimit": 2000000}]),
        php(ulimits=[{"name": "nofile", "softLimit": 1024, "hardLimit": 1048576}]),
    ),
    "FG-GPU": (php(resourceRequirements=[{"type": "GPU", "value": "1"}]), php(resourceRequirements=[])),
    "FG-FIRELENS-S3": (
        php(firelensConfiguration={"type": "fluentbit", "options": {"config-file-type": "s3", "config-file-value": "arn"}}),
        php(firelensConfiguration={"type": "fluentbit", "options": {"config-file-type": "file", "config-file-value": "/x"}}),
    ),
    "FG-STARTTIMEOUT": (php(startTimeout=300), php(startTimeout=120)),
    "FG-STOPTIMEOUT": (worker(stopTimeout=600), both(worker(stopTimeout=600), intent(stop_timeout={"worker": 120}))),
    "FG-STOPTIMEOUT-SET": (intent(stop_timeout={"worker": 100}), intent(stop_timeout={"worker": 90})),
    "FG-TIMEOUT-SHORT": (worker(stopTimeout=1), worker(stopTimeout=2)),
    "FG-AGENT-VARIABLE": (variable("DOCKER_HOST", "unix:///var/run/docker.sock"), variable("DOCKER_IMAGE_VERSION", "3")),
    "FG-REGION": (task(taskRoleArn=ARN, containerDefinitions=BARE), task(taskRoleArn=ARN, containerDefinitions=[{**BARE[0], "environment": REGION}])),
    "FG-AGENT-LABEL": (php(dockerLabels={"com.datadoghq.ad.logs": "[]"}), php(dockerLabels={"team": "shop"})),
    "FG-LOW-PORT": (nginx(user="nginx"), nginx(user="nginx", systemControls=[{"namespace": "net.ipv4.ip_unprivileged_port_start", "value": "0"}])),
    "FG-ENVIRONMENT-FILE": (php(environmentFiles=[{"type": "s3", "value": "arn:aws:s3:::b/app.env"}]), php(environmentFiles=[])),
    "FG-SYSTEM-CONTROL": (
        both(nginx(systemControls=[{"namespace": "net.core.somaxconn", "value": "1"}]), php(systemControls=[{"namespace": "net.core.somaxconn", "value": "2"}])),
        both(nginx(systemControls=[{"namespace": "net.core.somaxconn", "value": "1"}]), php(systemControls=[{"namespace": "net.core.somaxconn", "value": "1"}])),
    ),
    "FG-CAPABILITY": (linux(capabilities={"add": ["NET_ADMIN"]}), linux(capabilities={"add": ["SYS_PTRACE"]})),
    "FG-CAPABILITY-DEFAULT": (linux(capabilities={"add": ["CHOWN"]}), linux(capabilities={"drop": ["CHOWN"]})),
    "FG-CAPABILITY-DROP-ALL": (linux(capabilities={"add": ["CHOWN"], "drop": ["ALL"]}), linux(capabilities={"add": ["CHOWN"], "drop": ["MKNOD"]})),
    "FG-DEVICES": (linux(devices=[{"hostPath": "/dev/fuse"}]), linux(devices=[])),
    "FG-SHARED-MEMORY": (linux(sharedMemorySize=64), linux(initProcessEnabled=True)),
    "FG-SHARED-MEMORY-LARGE": (linux(sharedMemorySize=256), linux(sharedMemorySize=64)),
    "FG-TMPFS": (linux(tmpfs=[{"containerPath": "/tmp", "size": 64}]), linux(tmpfs=[])),
    "FG-SWAP": (linux(maxSwap=0), linux(initProcessEnabled=True)),
    "FG-LOG-GROUP": (shop, source(services=[])),
    "FG-LOG-REGION": (awslogs(region="us-east-1"), shop),
    "FG-LOG-PREFIX": (awslogs(**{"stream-prefix": None}), shop),
    "FG-LOG-CREATE": (awslogs(**{"create-group": "true"}), shop),
    "FG-LOG-MODE": (shop, awslogs(mode="blocking")),
    "FG-LOG-ABSENT": (driver(None), driver("json-file")),
    "FG-LOG-DRIVER": (driver("json-file"), driver("splunk")),
    "FG-LOG-ROUTER": (driver("fluentd"), driver("awsfirelens")),
    "FG-HOST-PATH": (volume(host={"sourcePath": "/srv/uploads"}), volume(host={})),
    "FG-HOST-AGENT": (volume(host={"sourcePath": "/var/run/docker.sock"}), volume(host={"sourcePath": "/var/lib/dockerfiles"})),
    "FG-HOST-TIME": (volume(host={"sourcePath": "/etc/localtime"}), volume(host={"sourcePath": "/etc/local"})),
    "FG-HOST-SOCKET": (shared(host={"sourcePath": "/run/php-fpm"}), shared(host={"sourcePath": "/run/containerd/containerd.sock"})),
    "FG-HOST-SOCKET-OTHER": (volume(host={"sourcePath": "/run/php-fpm"}), shared(host={"sourcePath": "/run/php-fpm"})),
    "FG-HOST-EFS": (volume(host={"sourcePath": "/mnt/efs/shop"}), volume(host={"sourcePath": "/srv/reefs"})),
    "FG-DOCKER-VOLUME": (volume(dockerVolumeConfiguration={"scope": "shared"}), volume(dockerVolumeConfiguration={"scope": "task", "driver": "local"})),
    "FG-DOCKER-VOLUME-TASK": (volume(dockerVolumeConfiguration={"scope": "task"}), volume(dockerVolumeConfiguration={"scope": "task", "driver": "rexray"})),
    "FG-FSX-WINDOWS": (volume(fsxWindowsFileServerVolumeConfiguration={"fileSystemId": "fs-1"}), volume(host={})),
    "FG-EFS": (volume(efsVolumeConfiguration={"fileSystemId": "fs-1"}), volume(host={})),
    "FG-EBS-VOLUME": (volume(configuredAtLaunch=True), volume(configuredAtLaunch=False)),
    "FG-S3-FILES": (volume(s3filesVolumeConfiguration={"fileSystemArn": "arn"}), volume(host={})),
    "FG-VOLUME-ROLE": (
        volume(efsVolumeConfiguration=EFS_IAM),
        both(volume(efsVolumeConfiguration=EFS_IAM), task(taskRoleArn=ARN)),
    ),
    "FG-VOLUME-EMPTY": (volume(host={}), both(volume(host={}), php(mountPoints=[]))),
    "FG-VOLUME-EPHEMERAL": (both(volume(host={"sourcePath": "/srv"}), intent(volumes={"data": "ephemeral"})), volume(host={})),
    "FG-VOLUME-DROPPED": (both(volume(host={"sourcePath": "/srv"}), intent(volumes={"data": "drop"})), volume(host={})),
    "FG-VOLUME-ANSWER": (
        both(volume(host={"sourcePath": "/srv"}), intent(volumes={"data": "somewhere"})),
        both(volume(host={"sourcePath": "/srv"}), intent(volumes={"data": {"efs": "fs-1"}})),
    ),
    "FG-SESSION-FILE": (variable("SESSION_DRIVER", "file"), shop),
    "FG-STORE-IN-TASK": (second_container(image=f"{REGISTRY}/shop/redis:7"), second_container(image=f"{REGISTRY}/shop/redis-exporter:7")),
    "FG-CACHE-FILE": (variable("CACHE_STORE", "file"), variable("CACHE_STORE", "redis")),
    "FG-FILESYSTEM-LOCAL": (variable("FILESYSTEM_DISK", "local"), variable("FILESYSTEM_DISK", "s3")),
    "FG-LOG-CHANNEL": (variable("LOG_CHANNEL", "daily"), shop),
    "FG-APP-KEY": (shop, variable("APP_KEY", "")),
    "FG-AWS-KEYS": (shop, both(without_keys(), without_keys("AWS_SECRET_ACCESS_KEY"))),
    "FG-SCHEDULER": (worker(command=["php", "artisan", "schedule:work"]), worker(command=["php", "artisan", "schedule:list"])),
    "FG-SCHEDULER-MANY": (
        both(worker(command=["php", "artisan", "schedule:work"]), intent(desired_count={"worker": 2})),
        worker(command=["php", "artisan", "schedule:work"]),
    ),
    "FG-WORKER-SHELL": (worker(command=["sh", "-c", "php artisan queue:work"]), worker(command=["sh", "-c", "exec php artisan queue:work"])),
    "FG-WORKER-SIGNAL": (worker(image=f"{REGISTRY}/shop/php:8.3-fpm"), worker(image=f"{REGISTRY}/shop/php:8.3-cli")),
    "FG-DAEMON": (web(schedulingStrategy="DAEMON"), shop),
    "FG-EXTERNAL": (web(deploymentController={"type": "EXTERNAL"}), web(deploymentController={"type": "ECS"})),
    "FG-SERVICE-STATUS": (web(status="DRAINING"), shop),
    "FG-NO-TASK-DEFINITION": (web(TaskDefinition=None), shop),
    "FG-CODE-DEPLOY": (web(deploymentController={"type": "CODE_DEPLOY"}), web(deploymentController={"type": "ECS"})),
    "FG-DEPLOY-STRATEGY": (web(deploymentConfiguration={"strategy": "BLUE_GREEN"}), web(deploymentConfiguration={"strategy": "ROLLING"})),
    "FG-DEPLOY-ALARMS": (web(deploymentConfiguration={"alarms": {"alarmNames": ["a"]}}), web(deploymentConfiguration={"alarms": {"alarmNames": []}})),
    "FG-DEPLOY-HOOKS": (web(deploymentConfiguration={"lifecycleHooks": [{}]}), web(deploymentConfiguration={"lifecycleHooks": []})),
    "FG-CAPACITY-PROVIDER": (web(capacityProviderStrategy=[{"capacityProvider": "shop-ecs"}]), web(capacityProviderStrategy=[])),
    "FG-SERVICE-DISCOVERY": (web(serviceRegistries=[{"registryArn": "arn:aws:servicediscovery:x"}]), web(serviceRegistries=[])),
    "FG-SERVICE-CONNECT": (
        web(deployments=[{"status": "PRIMARY", "serviceConnectConfiguration": {"enabled": True}}]),
        web(deployments=[{"status": "PRIMARY", "serviceConnectConfiguration": {"enabled": False}}]),
    ),
    "FG-LATTICE": (web(deployments=[{"status": "PRIMARY", "vpcLatticeConfigurations": [{}]}]), web(deployments=[{"status": "PRIMARY"}])),
    "FG-GRACE-PERIOD": (shop, web(healthCheckGracePeriodSeconds=120)),
    "FG-DESIRED-ZERO": (intent(desired_count={"web": 0}), intent(desired_count={"worker": 0})),
    "FG-EXEC-ROLE": (exec_(None), exec_(ARN)),
    "FG-EXEC-READONLY": (exec_(ARN, read_only=True), exec_(ARN)),
    "FG-SCALING": (scalable(), shop),
    "FG-SCALING-POLICY": (scalable("StepScaling"), scalable()),
    "FG-SCALING-METRIC": (scalable(dimension="LoadBalancer"), scalable(dimension="QueueName")),
    "FG-SCALING-ONCE": (scalable(schedule="at(2030-01-01T00:00:00)"), scalable()),
    "FG-SHARED-CAPACITY": (source(other_services=["blog"]), shop),
    "FG-CLUSTER-EXEC": (cluster(configuration={"executeCommandConfiguration": {"logging": "DEFAULT"}}), cluster(configuration={})),
    "FG-CLUSTER-CONNECT": (cluster(serviceConnectDefaults={"namespace": "arn"}), cluster(serviceConnectDefaults={})),
    "FG-INSIGHTS": (intent(container_insights="disabled"), cluster(settings=[{"name": "containerInsights", "value": "disabled"}])),
    "FG-SUBNET": (intent(subnets=["subnet-elsewhere"]), intent(subnets=["subnet-1a"])),
    "FG-NO-SUBNET": (zone("subnet-0c"), zone("subnet-0a")),
    "FG-AZ": (zone("subnet-0a,subnet-0c"), shop),
    "FG-NO-EGRESS": (intent(assign_public_ip=False), zone("subnet-1a,subnet-1b", assign_public_ip=False)),
    "FG-ENDPOINT-CLOSED": (endpoints(endpoint("ecr.api", "10.99.0.0/16")), endpoints(endpoint("ecr.api"))),
    "FG-EGRESS-ENDPOINTS": (
        both(public("192.0.2.1", "192.0.2.2"), endpoints(*map(endpoint, ("ecr.api", "ecr.dkr", "logs"))), intent(assign_public_ip=False)),
        both(endpoints(*map(endpoint, ("ecr.api", "ecr.dkr", "logs"))), intent(assign_public_ip=False)),
    ),
    "FG-EGRESS-OTHER": (subnets(route="other"), subnets(route="nat")),
    "FG-EGRESS-ADDRESS": (shop, both(behind_nat("subnet-1a", "subnet-1b"), zone("subnet-1a,subnet-1b"))),
    "FG-FREE-ADDRESSES": (subnets(free=2), subnets(free=3)),
    "FG-ALB-ADDRESSES": (subnets(free=7), subnets(free=8)),
    "FG-ALB-EGRESS": (egress("10.20.1.0/24", first=80, last=80), egress("10.20.0.0/16", first=80, last=80)),
    "FG-SELF-INGRESS": (admitting("instance", "sg-0inst"), admitting("instance", "sg-0x")),
    "FG-ALB-TYPE": (balancer(Type="network"), shop),
    "FG-CLB": (web(loadBalancers=[{"loadBalancerName": "classic", "containerName": "nginx", "containerPort": 80}]), shop),
    "FG-ALB-SHARED": (rule_action(Type="forward", TargetGroupArn=OTHER_GROUP), shop),
    "FG-SECOND-ALB": (web(loadBalancers=[{"targetGroupArn": OTHER_GROUP, "containerName": "nginx", "containerPort": 80}]), shop),
    "FG-NO-LISTENER": (balancer(Listeners=[]), shop),
    "FG-OIDC-SECRET": (
        rule_action(Type="authenticate-oidc", AuthenticateOidcConfig={"Issuer": "https://id"}),
        rule_action(Type="authenticate-cognito", AuthenticateCognitoConfig={"UserPoolArn": "arn"}),
    ),
    "FG-WAF": (balancer(WebAclArn="arn:aws:wafv2:x"), shop),
    "FG-FOREIGN-OWNER": (balancer(Tags={"kubernetes.io/cluster/x": "owned"}), shop),
    "FG-IAC-OWNER": (owned("security_group"), owned("subnet")),
    "FG-IAC-RECORD": (owned("listener"), owned("security_group")),
    "FG-QUOTA": (quota("fargate_vcpu", 1), quota("fargate_vcpu", 1.25)),
    "FG-QUOTA-DEPLOYMENT": (quota("fargate_vcpu", 2), quota("fargate_vcpu", 6, 3.5)),
    "FG-DB-CONNECTIONS": (database("{DBInstanceClassMemory/12582880}"), database("2000")),
    "FG-SCHEDULED-TASK": (clock("ENABLED"), clock("DISABLED")),
    "FG-USER-DATA": (user_data("echo ECS_CLUSTER=shop\ncrontab /root/jobs"), user_data("#!/bin/bash\n# crontab is not used\necho ECS_CLUSTER=shop >> /etc/ecs/ecs.config")),
    "FG-TARGET-TYPE": (shop, group(TargetType="ip")),
    "FG-TG-ATTRIBUTE": (attribute(proxy_protocol_v2__enabled="true"), attribute(proxy_protocol_v2__enabled="false")),
    "FG-TG-UNATTACHED": (rule_action(Type="forward", TargetGroupArn=OTHER_GROUP), shop),
    "FG-HEALTH-PORT": (both(group(HealthCheckPort="8080"), php(portMappings=PHP_8080)), shop),
    "FG-HEALTH-PORT-UNKNOWN": (group(HealthCheckPort="9999"), group(HealthCheckPort="9999", TargetType="ip")),
    "FG-ALARM": (shop, source(alarms=[{"AlarmName": "h", "MetricName": "HealthyHostCount"}])),
    "FG-RECORD-NOWHERE": (
        top(problems=[{"id": "record-nowhere", "path": "records", "message": "m"}]),
        top(problems=[{"id": "record-elsewhere", "path": "records", "message": "m"}]),
    ),
    "FG-DNS-NONE": (top(records=[]), shop),
    "FG-DNS-NAME": (more_records("www.example.test."), more_records("SHOP.example.test.")),
    "FG-DNS-FOREIGN": (on("shared_load_balancer"), more_records("www.example.test.")),
    "FG-DNS-ROUTING": (record(SetIdentifier="a", Weight=0), shop),
    "FG-DNS-CNAME": (record(Type="CNAME", AliasTarget=None, TTL=300), record(Type="AAAA")),
    "FG-DNS-TRAFFIC-POLICY": (record(TrafficPolicyInstanceId="t"), shop),
}


def findings_of(change: Change) -> list[Json]:
    system = systems.system()
    wanted = change(system)
    return t.cast("list[Json]", systems.plan(system, **(wanted if isinstance(wanted, dict) else {}))["findings"])


@pytest.mark.parametrize("kind", sorted(CASES))
def test_is_found(kind: str) -> None:
    assert kind in {finding["id"] for finding in findings_of(CASES[kind][0])}


@pytest.mark.parametrize("kind", sorted(CASES))
def test_near_miss_is_not_found(kind: str) -> None:
    assert kind not in {finding["id"] for finding in findings_of(CASES[kind][1])}


def test_every_finding_has_both_cases() -> None:
    assert sorted(CASES) == sorted(KINDS)
