from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError, HTTPClientError


def control(aws: Any, method: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        f"{aws.url}/_lab/{path}", json.dumps(body).encode() if body is not None else None, method=method
    )
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.loads(response.read())


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code"),
    [
        ("ecs", "describe_services", {"cluster": "absent", "services": ["x"]}, "ClusterNotFoundException"),  # json
        ("elbv2", "describe_load_balancers", {"Names": ["absent"]}, "LoadBalancerNotFound"),  # query
        ("ec2", "describe_security_groups", {"GroupIds": ["sg-absent"]}, "InvalidGroup.NotFound"),  # ec2
        ("route53", "get_hosted_zone", {"Id": "ZABSENT"}, "NoSuchHostedZone"),  # rest-xml
        ("ecr", "describe_images", {"repositoryName": "absent"}, "RepositoryNotFoundException"),
        ("logs", "filter_log_events", {"logGroupName": "absent"}, "ResourceNotFoundException"),
        ("autoscaling", "set_desired_capacity", {"AutoScalingGroupName": "absent", "DesiredCapacity": 1}, "ValidationError"),
    ],
)
def test_errors_have_the_shape_of_their_protocol(client, refuse, service: str, operation: str, parameters: dict[str, Any], code: str) -> None:
    assert refuse(getattr(client(service), operation), **parameters)[0] == code


def test_operation_that_nobody_implements_fails_at_once(client, refuse) -> None:
    assert refuse(client("ecs").update_task_protection, cluster="c", tasks=["t"], protectionEnabled=True)[0] == "InvalidAction"


def test_log_tells_every_call_and_no_secret(aws, client, name: str) -> None:
    last = aws.requests.last
    client("secretsmanager").create_secret(Name=name, SecretString="hush")
    client("ecs").register_task_definition(
        family=name, containerDefinitions=[{"name": "a", "image": "i", "memory": 64, "environment": [{"name": "A", "value": "hush"}]}]
    )
    client("ecs").list_clusters()
    logged = control(aws, "GET", f"requests?since={last}")
    assert [(item["operation"], item["mutating"]) for item in logged["requests"]] == [
        ("CreateSecret", True),
        ("RegisterTaskDefinition", True),
        ("ListClusters", False),
    ]
    assert "hush" not in json.dumps(logged)
    assert logged["last"] == last + 3
    assert len(control(aws, "GET", f"requests?since={last}&mutating=1")["requests"]) == 2


def test_refused_call_is_logged_with_its_code(aws, client, refuse) -> None:
    refuse(client("ecs").delete_cluster, cluster="absent")
    assert aws.requests.since(aws.requests.last - 1)[0].error == "ClusterNotFoundException"


def test_listener_hears_of_successful_changes_only(aws, client, name: str, refuse) -> None:
    heard: list[str] = []
    aws.on_change(lambda call: heard.append(call.operation))
    client("ecs").create_cluster(clusterName=name)
    client("ecs").list_clusters()
    refuse(client("ecs").delete_cluster, cluster="absent")
    assert heard == ["CreateCluster"]


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [("ecs", "list_clusters", "ThrottlingException"), ("elbv2", "describe_load_balancers", "Throttling"), ("ec2", "describe_vpcs", "RequestLimitExceeded")],
)
def test_throttle(aws, client, refuse, service: str, operation: str, code: str) -> None:
    aws.faults.add(action="throttle", service=service, after=1, times=1)
    getattr(client(service), operation)()
    assert refuse(getattr(client(service), operation))[0] == code
    getattr(client(service), operation)()


def test_error_of_choice_by_the_control_api(aws, client, refuse) -> None:
    added = control(aws, "POST", "faults", {"action": "error", "service": "ecs", "operation": "List*", "code": "ServerException", "status": 503, "times": 0})
    for _ in range(2):
        assert refuse(client("ecs").list_clusters)[0] == "ServerException"
    assert control(aws, "GET", "faults")["faults"][0]["acted"] == 2
    assert control(aws, "DELETE", f"faults?id={added['id']}") == {"removed": 1}
    client("ecs").list_clusters()


def test_unknown_fault_is_refused(aws) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        control(aws, "POST", "faults", {"action": "explode"})
    assert "throttle" in caught.value.read().decode()


@pytest.mark.parametrize(("action", "applied"), [("drop-before", False), ("drop-after", True)])
def test_cut_connection(aws, client, name: str, action: str, applied: bool) -> None:
    aws.faults.add(action=action, service="ecs", operation="CreateCluster")
    with pytest.raises(HTTPClientError):
        client("ecs").create_cluster(clusterName=name)
    assert (name in aws.backend("ecs").clusters) is applied


def test_held_call_goes_on_when_released(aws, client, name: str) -> None:
    aws.faults.add(action="hold", service="ecs", operation="CreateCluster")
    thread = threading.Thread(target=lambda: client("ecs").create_cluster(clusterName=name), daemon=True)
    thread.start()
    deadline = time.monotonic() + 5
    while not control(aws, "GET", "faults")["faults"][0]["waiting"] and time.monotonic() < deadline:
        time.sleep(0.01)
    client("ecs").list_clusters()  # others are served meanwhile
    assert name not in aws.backend("ecs").clusters
    assert control(aws, "POST", "faults/release") == {"released": 1}
    thread.join(5)
    assert name in aws.backend("ecs").clusters


def test_latency(aws, client) -> None:
    aws.faults.add(action="latency", service="ecs", seconds=0.2)
    began = time.monotonic()
    client("ecs").list_clusters()
    assert time.monotonic() - began >= 0.2


def test_connection_is_kept_alive(client) -> None:
    answer = client("ecs").list_clusters()
    assert "connection" not in answer["ResponseMetadata"]["HTTPHeaders"]


def test_calls_from_many_threads(aws, client, name: str) -> None:
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            for turn in range(10):
                client("ecs").create_cluster(clusterName=f"{name}-{number}-{turn}")
                client("ecs").describe_clusters(clusters=[f"{name}-{number}-{turn}"])
        except ClientError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert sum(key.startswith(f"{name}-") for key in aws.backend("ecs").clusters) == 60
