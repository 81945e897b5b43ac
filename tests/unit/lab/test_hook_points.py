"""moto's inner names that the lab relies on. A new moto that moves one fails here, with the name, and not somewhere in a migration."""

from __future__ import annotations

import importlib
from importlib.metadata import version

import pytest
from moto.backends import get_backend

PINNED = "5.2.5"
MODULES = {
    "moto.autoscaling.models": ["FakeAutoScalingGroup"],
    "moto.backends": ["get_backend"],
    "moto.core.exceptions": ["ServiceException", "_RESTError"],
    "moto.core.model": ["OperationModel", "ServiceModel"],
    "moto.core.parse": ["PROTOCOL_PARSERS"],
    "moto.core.request": ["Request", "determine_request_protocol"],
    "moto.core.routing": ["get_service_router"],
    "moto.core.serialize": ["get_serializer_class"],
    "moto.core.utils": ["get_service_model"],
    "moto.ec2.models.elastic_network_interfaces": ["NetworkInterface"],
    "moto.ec2.models.instances": ["Instance"],
    "moto.iam.models": ["PARTITION_NAMES", "get_account_id_from"],
    "moto.moto_api._internal": ["mock_random"],
    "moto.moto_api._internal.models": ["moto_api_backend"],
    "moto.moto_server.werkzeug_app": ["DomainDispatcherApplication", "create_backend_app"],
    "moto.route53.models": ["RecordSet"],
}
BACKENDS = {
    "acm": ["_certificates"],
    "autoscaling": ["autoscaling_groups"],
    "ec2": ["enis", "launch_templates", "describe_tags", "get_instance_by_id", "groups", "subnets", "reservations", "create_network_interface", "get_subnet", "get_network_interface", "get_default_security_group", "get_security_group_from_id"],
    "ecr": ["repositories"],
    "ecs": ["clusters", "services", "tasks", "task_definitions", "container_instances", "create_cluster", "create_service", "register_task_definition"],
    "elasticache": ["cache_clusters", "cache_subnet_groups", "replication_groups"],
    "elbv2": ["load_balancers", "target_groups", "create_load_balancer"],
    "kafka": ["clusters"],
    "logs": ["groups"],
    "mq": ["brokers"],
    "rds": ["databases"],
    "route53": ["zones"],
    "servicediscovery": ["namespaces", "services", "create_http_namespace"],
    "wafv2": ["wacls"],
}


def test_moto_is_the_version_that_the_lab_was_written_for() -> None:
    assert version("moto") == PINNED


@pytest.mark.parametrize("module", MODULES)
def test_module(module: str) -> None:
    loaded = importlib.import_module(module)
    assert [name for name in MODULES[module] if not hasattr(loaded, name)] == []


@pytest.mark.parametrize("service", BACKENDS)
def test_backend(service: str) -> None:
    region = "aws" if service == "route53" else "eu-west-1"
    backend = get_backend(service)["123456789012"][region]
    assert [name for name in BACKENDS[service] if not hasattr(backend, name)] == []
