"""What is read from AWS, what is remembered, and what a refused call does."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._health import checks
from ansible_collections.cutover.fargate.plugins.module_utils._health.clock import Clock
from ansible_collections.cutover.fargate.plugins.module_utils._health.collect import Collector
from ansible_collections.cutover.fargate.plugins.module_utils._health.collect_network import plain
from ansible_collections.cutover.fargate.plugins.module_utils._health.verify import run
from botocore.exceptions import ClientError, EndpointConnectionError

PARAMS: dict[str, t.Any] = {
    "side": "target",
    "fqdn": "shop.example.test",
    "load_balancer": "shop-fargate",
    "cluster": "shop-fargate",
    "services": [
        {"name": "shop-web", "kind": "web", "family": "shop-web-fargate", "desired_count": 2, "container_name": "nginx", "container_port": 80},
        {"name": "shop-worker", "kind": "worker", "family": "shop-worker-fargate", "desired_count": 1, "container_name": None, "container_port": None},
    ],
    "timeout": 30.0,
    "settle_seconds": 20.0,
    "poll_seconds": 5.0,
}
READS = ("describe_", "list_", "filter_")


class Time:
    def __init__(self, now: float = 1000060.0) -> None:
        self.now = now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, lambda: self.now, self.sleep)


def refused(operation: str, code: str = "ThrottlingException", message: str = "Rate exceeded") -> ClientError:
    answer: t.Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"RetryAttempts": 9}}
    return ClientError(answer, operation)


def collector(clients: t.Any, **params: t.Any) -> Collector:
    return Collector({**PARAMS, **params}, clients, Time().clock)


def events(*lines: tuple[int, str]) -> t.Callable[..., t.Any]:
    """What FilterLogEvents gives for the nginx stream of t1."""

    def answer(logGroupName: str, startTime: int, logStreamNames: t.Sequence[str] = (), **_asked: t.Any) -> t.Any:  # noqa: N803
        found = lines if logStreamNames == ["nginx/nginx/t1"] else ()
        return {"events": [{"eventId": f"{at}{text}", "timestamp": at, "message": f"{text}\n"} for at, text in found if at >= startTime]}

    return answer


def test_the_healthy_base_is_healthy_as_read(aws: t.Any) -> None:
    clients = aws()
    snapshot = collector(clients).look(False)
    assert [outcome for outcome in checks.judge(snapshot, 20) if not outcome.ok] == []
    assert snapshot.failures == []
    assert snapshot.addresses == ["192.0.2.10"]
    assert all(operation.startswith(READS) for operation, _params in clients.calls)
    assert clients.asked("describe_network_interfaces") == [{"Filters": [{"Name": "description", "Values": ["ELB app/shop-fargate/0a"]}]}]


def test_little_is_read_while_all_is_well(aws: t.Any) -> None:
    clients = aws()
    collector(clients).look(False)
    assert {name for name, _params in clients.calls} & {"describe_route_tables", "describe_images"} == set()
    assert {params["logGroupName"] for params in clients.asked("filter_log_events")} == {"/ecs/shop-worker-fargate"}


def test_a_proxy_or_an_internal_scheme_takes_the_private_address(aws: t.Any) -> None:
    assert collector(aws(), probe_proxy="http://127.0.0.1:3128").look(False).addresses == ["10.20.0.10"]
    assert collector(aws({"load_balancer/Scheme": "internal"})).look(False).addresses == ["10.20.0.10"]


def test_stopped_tasks_events_and_bad_health_are_remembered(aws: t.Any) -> None:
    """They expire, and a replaced task takes its target along."""
    stopped = {"taskArn": "task/s1", "taskDefinitionArn": "x", "stopCode": "EssentialContainerExited", "stoppedAt": 1000050.0}
    sick = {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "Request timed out"}
    event = {"id": "e1", "createdAt": 1000050.0, "message": "(service shop-web) has started 1 tasks"}
    first = aws({"services/0/stopped": [stopped], "services/0/service/events": [event], "target_groups/tg-web/TargetHealth/0/TargetHealth": sick})
    watcher = collector(first)
    watcher.look(True)
    watcher.clients.answers = aws().answers
    later = watcher.look(True)
    assert [task["taskArn"] for task in later.services[0].stopped] == ["task/s1"]
    assert [entry["id"] for entry in later.services[0].events] == ["e1"]
    assert [(record.id, record.reason) for record in later.health_history] == [("10.20.1.11", "Target.Timeout")]


def test_logs_are_read_once_each_and_by_stream(aws: t.Any) -> None:
    clients = aws(filter_log_events=events((1000050000, "one"), (1000051000, "two")))
    watcher = collector(clients)
    watcher.look(True)
    clients.answers["filter_log_events"] = events((1000051000, "two"), (1000052000, "three"))
    lines = [line for line in watcher.look(True).services[0].logs if line.container == "nginx"]
    assert [(line.at, line.text, line.group, line.stream) for line in lines] == [
        (1000050.0, "one", "/ecs/shop-web-fargate", "nginx/nginx/t1"),
        (1000051.0, "two", "/ecs/shop-web-fargate", "nginx/nginx/t1"),
        (1000052.0, "three", "/ecs/shop-web-fargate", "nginx/nginx/t1"),
    ]
    assert clients.asked("filter_log_events")[-1]["startTime"] >= 999760000


CHECK = '10.20.0.5 - - [22/Nov/2026:11:00:00 +0000] "GET /health HTTP/1.1" 200 0 "-" "ELB-HealthChecker/2.0"'
TIMED_OUT = {"target_groups/tg-web/TargetHealth/0/TargetHealth": {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "Request timed out"}}


@pytest.mark.parametrize(("changes", "line", "asked"), [(TIMED_OUT, "start worker process 7", 1), (TIMED_OUT, CHECK, 0), ({}, "start worker process 7", 0)])
def test_an_earlier_health_check_is_looked_for_once_when_they_time_out_and_none_is_logged(aws: t.Any, changes: dict[str, t.Any], line: str, asked: int) -> None:
    """Of this deployment: whether its configuration logs health checks at all decides what a missing line is worth."""
    current = events((1000050000, line))

    def answer(**params: t.Any) -> t.Any:
        earlier = {"eventId": "0", "timestamp": 999950000, "message": CHECK, "logStreamName": "nginx/nginx/t0"}
        return {"events": [earlier]} if "filterPattern" in params else current(**params)

    clients = aws(changes, filter_log_events=answer)
    watcher = collector(clients)
    seen = [watcher.look(True).services[0].logged_check for _poll in range(2)]
    calls = [params for params in clients.asked("filter_log_events") if "filterPattern" in params]
    assert len(calls) == asked
    if asked:
        assert calls[0] == {
            "logGroupName": "/ecs/shop-web-fargate", "logStreamNamePrefix": "nginx/nginx/", "startTime": 999900000, "filterPattern": '"ELB-HealthChecker"', "limit": 1,
        }  # fmt: skip
        assert [(check.task, check.text) for check in seen if check] == [("t0", CHECK)] * 2


def test_a_missing_log_group_is_a_signal_and_a_missing_stream_is_normal(aws: t.Any) -> None:
    gone = refused("FilterLogEvents", "ResourceNotFoundException", "The specified log group does not exist.")
    snapshot = collector(aws(filter_log_events=gone)).look(True)
    assert snapshot.services[0].missing_log_groups == ["/ecs/shop-web-fargate"]
    silent = refused("FilterLogEvents", "ResourceNotFoundException", "The specified log stream does not exist.")
    snapshot = collector(aws(filter_log_events=silent)).look(True)
    assert (snapshot.services[0].missing_log_groups, snapshot.failures) == ([], [])


def test_images_are_looked_for_while_tasks_do_not_run(aws: t.Any) -> None:
    gone = refused("DescribeImages", "ImageNotFoundException", "no")
    clients = aws({"services/0/service/runningCount": 0}, describe_images=gone)
    snapshot = collector(clients).look(True)
    assert snapshot.services[0].missing_images[0].endswith("/shop-nginx-fargate:v7")
    assert clients.asked("describe_images")[0] == {"registryId": "123456789012", "repositoryName": "shop-nginx-fargate", "imageIds": [{"imageTag": "v7"}]}
    assert collector(aws(describe_images=gone)).look(True).services[0].missing_images == []


def test_what_does_not_exist_is_no_failure(aws: t.Any) -> None:
    missing = aws(
        describe_load_balancers=refused("DescribeLoadBalancers", "LoadBalancerNotFound", "no"),
        describe_services=refused("DescribeServices", "ClusterNotFoundException", "no"),
    )
    snapshot = collector(missing).look(False)
    assert (snapshot.load_balancer, snapshot.cluster_missing, snapshot.failures) == (None, True, [])


@pytest.mark.parametrize("error", [refused("X"), refused("X", "InternalFailure"), EndpointConnectionError(endpoint_url="https://x")])
@pytest.mark.parametrize(
    "operation",
    ["describe_services", "list_tasks", "describe_tasks", "describe_task_definition", "describe_load_balancers", "describe_listeners", "describe_rules",
     "describe_target_groups", "describe_target_health"],
)  # fmt: skip
def test_a_refused_essential_call_is_undetermined_never_unhealthy(aws: t.Any, operation: str, error: Exception) -> None:
    with pytest.raises(CutoverError) as caught:
        run({**PARAMS, "probes": []}, aws(**{operation: error}), False, clock=Time().clock)
    assert caught.value.details["verdict"] == "undetermined", caught.value.details["checks"]
    assert caught.value.details["verified"] == {}
    assert "could not be determined" in caught.value.message


@pytest.mark.parametrize("operation", ["describe_security_groups", "describe_db_instances", "describe_db_clusters", "describe_cache_clusters", "filter_log_events"])
def test_a_refused_helping_call_does_not_touch_the_verdict(aws: t.Any, operation: str) -> None:
    clients = aws(**{operation: refused("X", "AccessDeniedException", "no")})
    snapshot = collector(clients).look(False)
    assert [outcome for outcome in checks.judge(snapshot, 20) if not outcome.ok] == []
    assert [failure.permanent for failure in snapshot.failures] == [True]


def test_a_worker_alone_is_verified_without_a_load_balancer(aws: t.Any) -> None:
    clients = aws()
    result = run({**PARAMS, "load_balancer": None, "services": PARAMS["services"][1:], "probes": []}, clients, False, clock=Time().clock)
    assert (result["verdict"], result["verified"]) == ("healthy", {})
    assert not clients.asked("describe_load_balancers")


def test_a_clock_that_is_wrong_here_does_not_matter(aws: t.Any) -> None:
    """Our clock is an hour behind AWS's: tasks must not seem to start in the future."""
    clients = aws()
    plain_answer = clients.answers["describe_services"]
    date = {"ResponseMetadata": {"HTTPHeaders": {"date": "Mon, 12 Jan 1970 13:47:40 GMT"}}}
    clients.answers["describe_services"] = lambda **params: {**plain_answer(**params), **date}
    snapshot = Collector(dict(PARAMS), clients, Time(1000060.0 - 3600).clock).look(False)
    assert snapshot.at == 1000060.0
    assert [outcome for outcome in checks.judge(snapshot, 20) if not outcome.ok] == []


def test_times_become_numbers() -> None:
    moment = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
    assert plain({"a": [moment], "ResponseMetadata": {}}) == {"a": [moment.timestamp()]}


def test_the_source_reads_instances_for_its_targets(aws: t.Any) -> None:
    task = {"taskArn": "task/e1", "lastStatus": "RUNNING", "containerInstanceArn": "ci/1", "startedAt": 999920.0, "taskDefinitionArn": "x", "containers": []}
    clients = aws(
        {"services/0/tasks": [task], "services/0/service/networkConfiguration": None},
        describe_container_instances={"containerInstances": [{"containerInstanceArn": "ci/1", "ec2InstanceId": "i-1"}]},
        describe_instances={"Reservations": [{"Instances": [{"SecurityGroups": [{"GroupId": "sg-instances"}]}]}]},
    )
    snapshot = collector(clients, side="source").look(False)
    assert snapshot.services[0].instances == {"ci/1": "i-1"}
    assert snapshot.services[0].groups == ["sg-instances"]
    assert snapshot.services[0].newest is None


def test_the_network_is_read_with_endpoints_their_groups_and_the_stores_subnets(aws: t.Any) -> None:
    endpoint = {"VpcEndpointId": "vpce-1", "VpcId": "vpc-1", "ServiceName": "com.amazonaws.eu-west-1.logs", "Groups": [{"GroupId": "sg-vpce"}], "SubnetIds": ["subnet-e"]}
    database = {
        "DBInstanceIdentifier": "shop-db", "Endpoint": {"Address": "db", "Port": 3306}, "VpcSecurityGroups": [],
        "DBSubnetGroup": {"DBSubnetGroupName": "data", "Subnets": [{"SubnetIdentifier": "subnet-d"}]},
    }  # fmt: skip
    cluster = {"DBClusterIdentifier": "shop-aurora", "Endpoint": "aurora", "DBSubnetGroup": "data", "VpcSecurityGroups": []}
    clients = aws(describe_vpc_endpoints={"VpcEndpoints": [endpoint]}, describe_db_instances={"DBInstances": [database]}, describe_db_clusters={"DBClusters": [cluster]})
    network = collector(clients).look(True).network
    assert network.endpoints == [endpoint]
    assert [store["subnets"] for store in network.data_stores if store["kind"] == "rds"] == [["subnet-d"], ["subnet-d"]]
    subnets = [filters["Filters"][0]["Values"] for filters in clients.asked("describe_subnets")]
    assert subnets == [["subnet-a", "subnet-d", "subnet-p"], ["subnet-e"]]
    assert "sg-vpce" in clients.asked("describe_security_groups")[0]["Filters"][0]["Values"]


def test_endpoints_that_could_not_be_read_are_not_none(aws: t.Any) -> None:
    snapshot = collector(aws(describe_vpc_endpoints=refused("DescribeVpcEndpoints"))).look(True)
    assert snapshot.network.endpoints is None
    assert snapshot.network.route_tables
    assert [failure.section for failure in snapshot.failures] == ["endpoints"]


def test_whether_anybody_is_there_on_the_other_side(aws: t.Any) -> None:
    """Registered counts, healthy or not: who is ill may be asked. Draining targets are on their way out; what could not be read is not known."""
    draining = {f"target_groups/tg-web/TargetHealth/{number}/TargetHealth": {"State": "draining"} for number in (0, 1)}
    ill = {f"target_groups/tg-web/TargetHealth/{number}/TargetHealth": {"State": "unhealthy"} for number in (0, 1)}
    for changes, expected in (({}, True), (ill, True), (draining, False), ({"target_groups/tg-web/TargetHealth": []}, False)):
        assert collector(aws(changes), compare_load_balancer="shop").look(False).other_targets is expected
    assert collector(aws(describe_target_health=refused("DescribeTargetHealth")), compare_load_balancer="shop").look(False).other_targets is None
    assert collector(aws()).look(False).other_targets is None
