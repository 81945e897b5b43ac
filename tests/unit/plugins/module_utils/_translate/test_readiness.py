"""Readiness in detail: by which way the tasks get out, what both sides take together, what rights are missing, what a clock starts."""

from __future__ import annotations

import base64
import gzip
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._translate import agent, readiness_jobs, readiness_limits, readiness_vpc, rights
from unit.plugins.module_utils._translate import systems
from unit.plugins.module_utils._translate.systems import Json

ARN = "arn:aws:iam::123456789012:role/existing"
REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def only(plan: Json, kind: str) -> Json:
    (finding,) = [item for item in plan["findings"] if item["id"] == kind]
    return t.cast(Json, finding)


def findings(plan: Json, kind: str) -> list[Json]:
    return [item for item in plan["findings"] if item["id"] == kind]


class TestWayOut:
    """Subnets without a default route: each service by its name, or none of it."""

    def system(self, *services: str, **members: t.Any) -> Json:
        system = systems.system()
        system["source"]["security_groups"]["endpoints"] = [{"GroupId": "sg-0e", "IpPermissions": [self.admits("10.20.0.0/16")]}]
        system["source"]["vpc_endpoints"] = [self.endpoint(service, **members) for service in services]
        for subnet in system["source"]["subnets"]:
            subnet.update(route="none", RouteTableId="rtb-1", Routes=[])
        return system

    def admits(self, block: str) -> Json:
        return {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": block}]}

    def endpoint(self, service: str, **members: t.Any) -> Json:
        gateway = {"VpcEndpointType": "Gateway", "RouteTableIds": ["rtb-1"]} if service == "s3" else {"VpcEndpointType": "Interface", "PrivateDnsEnabled": True}
        made = {"VpcEndpointId": f"vpce-{service}", "ServiceName": f"com.amazonaws.eu-west-1.{service}", "State": "available", "Groups": [{"GroupId": "sg-0e"}]}
        return {**made, **gateway, **members}

    def test_what_is_missing_is_named(self) -> None:
        why = findings(systems.plan(self.system("ecr.api", "s3")), "FG-NO-EGRESS")[0]["why"]
        assert why == "From this subnet the tasks can't reach ecr.dkr, logs: none would ever start."

    def test_all_of_them_are_a_way_out(self) -> None:
        plan = systems.plan(self.system("ecr.api", "ecr.dkr", "s3", "logs"))
        assert not systems.ids(plan) & {"FG-NO-EGRESS", "FG-ENDPOINT-CLOSED", "FG-EGRESS-ENDPOINTS"}

    @pytest.mark.parametrize(
        ("container", "missing"),
        [
            ({"secrets": [{"name": "A", "valueFrom": "arn:aws:secretsmanager:eu-west-1:1:secret:a"}]}, "secretsmanager"),
            ({"secrets": [{"name": "A", "valueFrom": "/shop/a"}]}, "ssm"),
            ({"image": "public.ecr.aws/nginx/nginx:1"}, "public.ecr.aws"),
            ({"image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/php:1"}, "123456789012.dkr.ecr.us-east-1.amazonaws.com"),
        ],
    )
    def test_what_else_the_tasks_start_with(self, container: Json, missing: str) -> None:
        system = self.system("ecr.api", "ecr.dkr", "s3", "logs")
        systems.containers(system)["php-fpm"].update(container)
        assert f"can't reach {missing}:" in findings(systems.plan(system), "FG-NO-EGRESS")[0]["why"]

    @pytest.mark.parametrize("members", [{"PrivateDnsEnabled": False}, {"State": "pending"}, {"ServiceName": "com.amazonaws.vpce.eu-west-1.vpce-svc-1"}])
    def test_an_endpoint_that_does_not_answer_for_the_name(self, members: Json) -> None:
        system = self.system("ecr.api", "ecr.dkr", "s3", "logs")
        system["source"]["vpc_endpoints"][3].update(members)
        assert "can't reach logs:" in findings(systems.plan(system), "FG-NO-EGRESS")[0]["why"]

    def test_the_gateway_of_another_route_table(self) -> None:
        system = self.system("ecr.api", "ecr.dkr", "s3", "logs")
        system["source"]["vpc_endpoints"][2]["RouteTableIds"] = ["rtb-2"]
        assert "can't reach s3:" in findings(systems.plan(system), "FG-NO-EGRESS")[0]["why"]

    def test_an_interface_for_s3_does_not_serve_layers(self) -> None:
        system = self.system("ecr.api", "ecr.dkr", "s3", "logs")
        system["source"]["vpc_endpoints"][2].update(VpcEndpointType="Interface", PrivateDnsEnabled=True)
        assert "can't reach s3:" in findings(systems.plan(system), "FG-NO-EGRESS")[0]["why"]

    @pytest.mark.parametrize(
        ("permission", "grants", "closed"),
        [
            ({"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, [], True),
            ({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-0inst"}]}, [], True),
            ({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-0inst"}]}, [{"group_id": "sg-0e", "port": 443}], False),
            ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, [], False),
            ({"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "PrefixListIds": [{"PrefixListId": "pl-1"}]}, [], False),
        ],
    )
    def test_groups_of_the_endpoint_must_admit_the_tasks(self, permission: Json, grants: list[Json], closed: bool) -> None:
        """Behind NAT too: private DNS takes the name over."""
        system = self.system("ecr.api")
        system["source"]["security_groups"]["endpoints"][0]["IpPermissions"] = [permission]
        for subnet in system["source"]["subnets"]:
            subnet["route"] = "nat"
        plan = systems.plan(system, grants=grants)
        assert [(item["path"], item["source_value"]) for item in findings(plan, "FG-ENDPOINT-CLOSED")] == ([("vpc_endpoints[vpce-ecr.api]", "sg-0e")] if closed else [])
        assert "FG-NO-EGRESS" not in systems.ids(plan)

    def test_a_group_that_admits_the_instances_will_admit_the_tasks(self) -> None:
        """The plan grants the tasks what other groups grant the instances."""
        system = self.system("ecr.api")
        pair = {"UserId": "1", "GroupId": "sg-0inst"}
        permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [pair]}
        system["source"]["security_groups"]["endpoints"][0]["IpPermissions"] = [permission]
        entry = {"GroupId": "sg-0e", "GroupName": "endpoints", "VpcId": "vpc-0a1", "rules": [permission], "used_by": [{"kind": "endpoint", "id": "vpce-ecr.api"}]}
        system["source"]["security_groups"]["admitting"].append(entry)
        assert "FG-ENDPOINT-CLOSED" not in systems.ids(systems.plan(system))

    def test_addresses_that_partners_know(self) -> None:
        system = systems.system()
        first, second = system["source"]["capacity"]["instances"]
        first.update(PublicIpAddress="192.0.2.1", NetworkInterfaces=[{"Association": {"PublicIp": "192.0.2.1", "IpOwnerId": "123456789012"}}])
        second.update(PublicIpAddress="192.0.2.2", NetworkInterfaces=[{"Association": {"PublicIp": "192.0.2.2", "IpOwnerId": "amazon"}}])
        system["source"]["nat_gateways"] = [{"NatGatewayId": "nat-1", "NatGatewayAddresses": [{"PublicIp": "192.0.2.9"}]}]
        for subnet in system["source"]["subnets"]:
            if subnet["route"] == "nat":
                subnet["Routes"] = [{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}]
        finding = only(systems.plan(system, subnets=["subnet-1a"]), "FG-EGRESS-ADDRESS")
        assert (finding["source_value"], finding["new_value"]) == ("192.0.2.1 (Elastic IP), 192.0.2.2", "nat-1 (192.0.2.9)")


class TestLimits:
    @pytest.mark.parametrize(
        ("told", "size", "number"),
        [
            ("120", "db.t3.micro", 120),
            ("{DBInstanceClassMemory/12582880}", "db.t3.micro", 85),
            ("{DBInstanceClassMemory/12582880}", "db.m6g.large", 682),
            ("LEAST({DBInstanceClassMemory/9531392}, 5000)", "db.r5.2xlarge", 5000),
            ("LEAST({DBInstanceClassMemory/9531392},5000)", "db.t4g.medium", 450),
            ("{DBInstanceClassMemory/12582880}", "db.x2g.large", None),
            ("GREATEST({log(DBInstanceClassMemory/805306368)*45},1000)", "db.t3.medium", None),
            ("", "db.t3.micro", None),
        ],
    )
    def test_connections_of_the_database(self, told: str, size: str, number: int | None) -> None:
        assert readiness_limits.max_connections(told, size) == number

    def test_connections_are_told_for_each_task(self) -> None:
        system = systems.system()
        for service in system["source"]["services"]:
            service["runningCount"] = service["desiredCount"]
        system["source"]["databases"] = [{"DBInstanceIdentifier": "shop", "DBInstanceClass": "db.t3.micro", "max_connections": "{DBInstanceClassMemory/12582880}"}]
        finding = only(systems.plan(system), "FG-DB-CONNECTIONS")
        assert finding["source_value"] == "at most 85 connections, 14 for each task"
        assert finding["new_value"] == "3 tasks now, 6 while both sides run, 9 in a deployment"

    def test_tasks_of_the_target_that_run_count_once(self) -> None:
        """They are in the quota's use already."""
        system = systems.system("provisioned")
        for service in system["target"]["services"]:
            service["runningCount"] = service["desiredCount"]
        for value, expected in ((2.5, set()), (2, {"FG-QUOTA-DEPLOYMENT"})):
            system["quotas"] = {"fargate_vcpu": {"value": value, "used": 1.25}}
            assert systems.ids(systems.plan(system)) & {"FG-QUOTA", "FG-QUOTA-DEPLOYMENT"} == expected

    @pytest.mark.parametrize(
        ("name", "quota", "told"),
        [
            ("load_balancers", {"value": 50, "used": 50}, "50 of 50 in use"),
            ("load_balancers", {"value": 50, "used": None}, None),
            ("target_groups", {"value": 3000, "used": 2999}, None),
            ("rules_per_load_balancer", {"value": 0, "used": None}, "quota 0"),
            ("certificates_per_load_balancer", {"value": 25, "used": None}, None),
        ],
    )
    def test_quotas_of_load_balancers(self, name: str, quota: Json, told: str | None) -> None:
        plan = systems.plan({**systems.system(), "quotas": {name: quota}})
        assert [(item["path"], item["source_value"]) for item in findings(plan, "FG-QUOTA")] == ([(f"quotas.{name}", told)] if told else [])


    @pytest.mark.parametrize(("value", "told"), [(4, "quota 4"), (5, None)])
    def test_where_the_use_of_interfaces_is_not_told_the_target_alone_is_compared(self, value: int, told: str | None) -> None:
        plan = systems.plan({**systems.system(), "quotas": {"network_interfaces": {"value": value, "used": None}}})
        assert [item["source_value"] for item in findings(plan, "FG-QUOTA")] == ([told] if told else [])

    def test_interfaces_of_the_target_that_exist_are_in_use_already(self) -> None:
        system = systems.system("provisioned")
        for service in system["target"]["services"]:
            service["runningCount"] = service["desiredCount"]
        system["quotas"] = {"network_interfaces": {"value": 100, "used": 97}}
        assert not systems.ids(systems.plan(system)) & {"FG-QUOTA", "FG-QUOTA-DEPLOYMENT"}

    def rules_of_the_database(self, *more: Json) -> Json:
        system = {**systems.system("provisioned"), "quotas": {"rules_per_security_group": {"value": 2, "used": None}}}
        admits = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306}
        old = {**admits, "UserIdGroupPairs": [{"GroupId": "sg-0inst"}], "IpRanges": [{"CidrIp": "192.0.2.1/32"}]}
        system["source"]["security_groups"]["admitting"][0]["IpPermissions"] = [old, *({**admits, **item} for item in more)]
        system["target"]["security_groups"] = {"tasks": [{"GroupId": "sg-0new"}]}
        return system

    def test_a_full_group_that_admits_the_tasks_already_is_no_obstacle(self) -> None:
        assert "FG-QUOTA-RULES" in systems.ids(systems.plan(self.rules_of_the_database()))
        assert "FG-QUOTA-RULES" in systems.ids(systems.plan(self.rules_of_the_database({"FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [{"GroupId": "sg-0new"}]})))
        assert "FG-QUOTA-RULES" not in systems.ids(systems.plan(self.rules_of_the_database({"UserIdGroupPairs": [{"GroupId": "sg-0new"}]})))

    @pytest.mark.parametrize(
        ("permission", "number"),
        [
            ({"IpRanges": [{}, {}], "Ipv6Ranges": [{}]}, 2),
            ({"IpRanges": [{}], "Ipv6Ranges": [{}, {}, {}]}, 3),
            ({"IpRanges": [{}], "Ipv6Ranges": [{}, {}], "UserIdGroupPairs": [{}], "PrefixListIds": [{}]}, 4),
            ({}, 0),
        ],
    )
    def test_rules_are_counted_for_each_family(self, permission: Json, number: int) -> None:
        assert readiness_vpc.count([permission]) == number


class TestRights:
    ALL: t.ClassVar[list[Json]] = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]

    @pytest.mark.parametrize(
        ("statement", "allowed"),
        [
            ({"Action": "ecr:batchget*", "Resource": "arn:aws:ecr:eu-west-1:1:repository/shop/*"}, True),
            ({"Action": ["ecr:Get*"], "Resource": "*"}, False),
            ({"Action": "ecr:*", "Resource": "arn:aws:ecr:eu-west-1:1:repository/blog/*"}, False),
            ({"Action": "ecr:BatchGetImag?", "Resource": ["x", "*"], "Condition": {"StringEquals": {}}}, True),
            ({"NotAction": "iam:*", "Resource": "*"}, True),
            ({"Action": "*", "NotResource": "arn:aws:ecr:*"}, False),
        ],
    )
    def test_statements(self, statement: Json, allowed: bool) -> None:
        need = ("ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:1:repository/shop/php")
        assert rights.allows([{"Effect": "Allow", **statement}], *need) is allowed
        assert not rights.allows([*self.ALL, {"Effect": "Deny", **statement}], *need) or not allowed or "Condition" in statement

    def role(self, system: Json, *statements: Json) -> None:
        role = {"RoleName": "existing", "Arn": ARN, "TrustedServices": ["ecs-tasks.amazonaws.com"], "Policies": {"p": list(statements)}}
        system["source"]["roles"] = [role]
        for index in (0, 1):
            systems.definition(system, index)["executionRoleArn"] = ARN

    def test_a_role_for_the_old_repository_and_log_group_only(self) -> None:
        system = systems.system()
        pull = {"Effect": "Allow", "Action": "ecr:*", "Resource": ["*/shop/nginx", "*/shop/php"]}
        token = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
        self.role(system, pull, token, {"Effect": "Allow", "Action": "logs:*", "Resource": "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/shop:*"})
        told = findings(systems.plan(system), "FG-EXECUTION-ROLE-LACKS")[0]["new_value"]
        new = "ecr:BatchCheckLayerAvailability, ecr:GetDownloadUrlForLayer, ecr:BatchGetImage on arn:aws:ecr:eu-west-1:123456789012:repository/shop/nginx-fargate"
        assert told.startswith(new)
        assert "logs:CreateLogStream, logs:PutLogEvents on arn:aws:logs:eu-west-1:123456789012:log-group:" in told
        assert "repository/shop/php" not in told

    def test_secrets_by_their_arns(self) -> None:
        system = systems.system()
        secrets = [
            {"name": "A", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf:password::"},
            {"name": "B", "valueFrom": "/shop/b"},
        ]
        systems.containers(system)["php-fpm"].update(secrets=secrets, environmentFiles=[{"type": "s3", "value": "arn:aws:s3:::shop-conf/app.env"}])
        told = only(systems.plan(system), "FG-EXECUTION-ROLE-SECRETS")["new_value"]
        assert told == (
            "secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-AbCdEf; "
            "ssm:GetParameters on arn:aws:ssm:eu-west-1:123456789012:parameter/shop/b; "
            "s3:GetObject on arn:aws:s3:::shop-conf/app.env; s3:GetBucketLocation on arn:aws:s3:::shop-conf"
        )

    def test_the_role_exists_and_may_read_them(self) -> None:
        system = systems.system()
        systems.containers(system)["php-fpm"]["secrets"] = [{"name": "B", "valueFrom": "/shop/b"}]
        assert "FG-EXECUTION-ROLE-SECRETS" in systems.ids(systems.plan(system))
        arn = systems.planned(systems.plan(system))["executionRoleArn"]
        system["source"]["roles"] = [{"Arn": arn, "TrustedServices": ["ecs-tasks.amazonaws.com"], "Policies": {"p": self.ALL}}]
        assert "FG-EXECUTION-ROLE-SECRETS" not in systems.ids(systems.plan(system))

    KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"

    def with_key(self, **definition: t.Any) -> Json:
        system = systems.system()
        systems.containers(system)["php-fpm"]["secrets"] = [{"name": "B", "valueFrom": "/shop/b"}]
        systems.definition(system).update(definition)
        system["source"]["secret_keys"] = {"/shop/b": self.KEY, "/shop/of-others": "arn:aws:kms:eu-west-1:123456789012:key/2"}
        return system

    def test_a_customers_key_of_a_secret(self) -> None:
        told = only(systems.plan(self.with_key()), "FG-EXECUTION-ROLE-SECRETS")["new_value"]
        assert told == f"ssm:GetParameters on arn:aws:ssm:eu-west-1:123456789012:parameter/shop/b; kms:Decrypt on {self.KEY}"

    def test_a_role_that_decrypts_on_ec2_already_is_not_asked_for_the_key(self) -> None:
        """The key's policy may admit it, and that isn't read; with another role nobody knows."""
        statements = [{"Effect": "Allow", "NotAction": "kms:*", "Resource": "*"}]
        for kept in (True, False):
            system = self.with_key(**({"executionRoleArn": ARN} if kept else {}))
            system["source"]["roles"] = [{"Arn": ARN, "TrustedServices": ["ecs-tasks.amazonaws.com"], "Policies": {"p": statements}}]
            told = findings(systems.plan(system, **({} if kept else {"execution_role": ARN})), "FG-EXECUTION-ROLE-LACKS")
            assert [item["new_value"] for item in told] == ([] if kept else [f"kms:Decrypt on {self.KEY}"])

    @pytest.mark.parametrize(("tags", "lacks"), [({}, True), ({"cutover:system": "shop"}, False)])
    def test_a_role_of_our_name_that_somebody_else_made_is_judged_by_its_policies(self, tags: Json, lacks: bool) -> None:
        """Ours gets the managed policy; nothing is attached to another's."""
        system = systems.system()
        arn = systems.planned(systems.plan(system))["executionRoleArn"]
        system["source"]["roles"] = [{"Arn": arn, "TrustedServices": ["ecs-tasks.amazonaws.com"], "Policies": {}, "Tags": tags}]
        assert ("FG-EXECUTION-ROLE-LACKS" in systems.ids(systems.plan(system))) == lacks

    def test_what_the_application_loses_with_the_instance_profile(self) -> None:
        system = systems.system()
        for name, index in (("php-fpm", 0), ("worker", 1)):
            systems.containers(system, index)[name]["environment"] = []
        statements = [{"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": "*"}, {"Effect": "Deny", "Action": "s3:DeleteObject"}]
        role = {
            "RoleName": "ecs-instance",
            "AttachedPolicies": ["AmazonEC2ContainerServiceforEC2Role", "uploads"],
            "InlinePolicies": ["mail"],
            "Policies": {"uploads": statements, "AmazonEC2ContainerServiceforEC2Role": self.ALL},
        }
        system["source"]["capacity"]["instance_profiles"] = [{"InstanceProfileName": "ecs", "Roles": [role]}]
        finding = findings(systems.plan(system), "FG-IMDS")[0]
        assert finding["source_value"] == "role ecs-instance: uploads (s3:GetObject, s3:PutObject), mail"


class TestJobs:
    def system(self, **target: t.Any) -> Json:
        system = systems.system()
        task = {"kind": "rule", "name": "nightly", "state": "ENABLED", "expression": "rate(1 day)", "task_definition": "arn:aws:ecs:x:1:task-definition/shop-web:4"}
        system["source"]["scheduled_tasks"] = [{**task, "target": target}]
        return system

    @pytest.mark.parametrize(
        ("target", "kept"),
        [
            ({"EcsParameters": {}}, True),
            ({"EcsParameters": {"LaunchType": "EC2"}}, True),
            ({"EcsParameters": {"LaunchType": "FARGATE"}}, False),
            ({"EcsParameters": {"CapacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]}}, False),
            ({"Input": '{"Cluster": "shop", "LaunchType": "FARGATE"}'}, False),
            ({"Input": "no json"}, True),
        ],
    )
    def test_instances_that_a_clock_needs_are_kept(self, target: Json, kept: bool) -> None:
        plan = systems.plan(self.system(**target))
        assert (plan["scale_in"]["auto_scaling_groups"] == []) is kept
        kinds = {item["kind"] for item in plan["teardown"]["items"]}
        assert ("security_group" not in kinds) is kept

    def test_cluster_and_definition_that_a_clock_needs_are_kept(self) -> None:
        items = {(item["kind"], item["name"]) for item in systems.plan(self.system(EcsParameters={"LaunchType": "FARGATE"}))["teardown"]["items"]}
        assert ("task_definition", "shop-worker") in items
        assert not {("cluster", "shop"), ("task_definition", "shop-web")} & items

    def test_user_data(self) -> None:
        text = "#!/bin/bash\nmount -t efs fs-1:/ /mnt\ndocker run -d statsd"
        assert agent.decoded(base64.b64encode(gzip.compress(text.encode())).decode()) == text.partition("\n")[2]
        assert [agent.decoded(value) for value in (None, "%%%", "H4sI")] == ["", "", ""]
        assert [name for name, pattern in readiness_jobs.SIGNS.items() if pattern.search(text)] == ["mounts", "containers"]


@pytest.mark.parametrize(("own", "size"), [(None, 45), ({"sizeInGiB": 60}, 60)])
def test_disk_for_large_images(own: Json | None, size: int) -> None:
    """10 GiB packed, by digest; a definition that says how much keeps it."""
    system = systems.system()
    digest = "sha256:" + "ab" * 32
    systems.containers(system)["php-fpm"]["image"] = f"{REGISTRY}/shop/php@{digest}"
    if own:
        systems.definition(system)["ephemeralStorage"] = own
    images = [{"imageDigest": digest, "imageSizeInBytes": 10 * 1024**3}, {"imageTags": ["v1"], "imageDigest": "sha256:other", "imageSizeInBytes": 1}]
    system["source"]["repositories"] = [{"repositoryName": "shop/php", "repositoryUri": f"{REGISTRY}/shop/php", "images": images}]
    plan = systems.plan(system)
    assert systems.planned(plan)["ephemeralStorage"] == {"sizeInGiB": size}
    assert "ephemeralStorage" not in systems.planned(plan, "shop-worker-fargate")


def test_owners_are_told_by_what_changes() -> None:
    system = systems.system()
    owner = {"owner": "cloudformation", "deployment": "shop"}
    system["source"]["owners"] = [{"kind": kind, "id": "x", "name": name, **owner} for kind, name in (("security_group", "b"), ("security_group", "a"), ("service", "web"))]
    told = [(item["path"], item["source_value"], item["new_value"]) for item in findings(systems.plan(system), "FG-IAC-OWNER")]
    assert told == [
        ("owners[security_group: a, b]", "cloudformation shop", "rules for the tasks are added"),
        ("owners[service: web]", "cloudformation shop", "desired count goes to 0 at the scale-in"),
    ]


def test_nothing_of_it_after_the_teardown() -> None:
    assert not systems.ids(systems.plan(systems.system("torn_down"))) & {"FG-EGRESS-ADDRESS", "FG-IAC-OWNER", "FG-QUOTA"}


def test_laravels_defaults_are_told_where_they_are_open_and_users_only_where_there_are_some() -> None:
    system = systems.system()
    for service in (0, 1):
        for container in systems.containers(system, service).values():
            kept = [pair for pair in container.get("environment") or [] if pair["name"] not in ("SESSION_DRIVER", "CACHE_STORE", "CACHE_DRIVER")]
            container["environment"] = kept
    why = {item["path"]: item["why"] for item in systems.plan(system)["findings"] if item["id"] == "FG-LARAVEL-DEFAULT"}
    cache, session = "the cache in files up to version 10, in the database since 11", "sessions in files up to version 10, in the database since 11"
    assert why["services[web]"].endswith(f"That is {session}; {cache}. Files end with their container, and users whose session is in one are logged out.")
    assert why["services[worker]"].endswith(f"That is {cache}. Files end with their container.")
