"""Silence is measured; a metric that was never heard proves nothing."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.cutover.fargate.plugins.module_utils._aws.errors import CutoverError
from ansible_collections.cutover.fargate.plugins.module_utils._elbv2 import silence
from botocore.paginate import Paginator
from unit.plugins.module_utils.apply_account import Account, shared_clients

ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188"
PARAMS = {
    "load_balancer_arn": ARN,
    "silence_seconds": 600.0,
    "metric_delay": 120.0,
    "metric_period": 60,
    "max_requests": 0,
    "timeout": 60.0,
    "poll_seconds": 30.0,
}


def heard(account: Account, seconds_ago: float, requests: float, name: str = "app/shop/50dc6c495c0c9188") -> None:
    at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=seconds_ago)
    data = {"MetricName": "RequestCount", "Dimensions": [{"Name": "LoadBalancer", "Value": name}], "Timestamp": at, "Value": requests}
    account.client("cloudwatch").put_metric_data(Namespace="AWS/ApplicationELB", MetricData=[data])


def test_silent(account: Account) -> None:
    heard(account, 86400, 10)
    assert account.run(silence.run, **PARAMS)["silent"]
    assert account.time.slept == []


def test_a_request_in_the_window_is_not_silence(account: Account) -> None:
    heard(account, 300, 3)
    with pytest.raises(CutoverError, match=r"still used: 3 requests.*Nothing was changed"):
        account.run(silence.run, **PARAMS)
    assert sum(account.time.slept) >= 60


def test_a_few_strays_can_be_accepted(account: Account) -> None:
    heard(account, 300, 3)
    assert account.run(silence.run, **{**PARAMS, "max_requests": 3})["silent"]


def test_the_newest_seconds_do_not_count_because_cloudwatch_is_late(account: Account) -> None:
    """A request that CloudWatch may not have told yet: the window ends before it, so the module must look again later, not call it silence for ever."""
    heard(account, 86400, 1)
    heard(account, 60, 5)
    assert account.run(silence.run, **PARAMS)["requests"] == 0
    assert account.run(silence.run, check_mode=True, **{**PARAMS, "metric_delay": 0.0})["requests"] == 5


def test_a_load_balancer_that_was_never_heard_proves_nothing(account: Account) -> None:
    heard(account, 300, 3, name="app/other/1")
    with pytest.raises(CutoverError, match="proves nothing"):
        account.run(silence.run, **PARAMS)


def test_without_a_load_balancer_there_is_nothing_to_wait_for(account: Account) -> None:
    assert account.run(silence.run, **{**PARAMS, "load_balancer_arn": None})["silent"]


@pytest.mark.parametrize("state", ["InternalError", "PartialData", "Forbidden"])
@pytest.mark.usefixtures("account")
def test_what_cloudwatch_could_not_tell_is_not_silence(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """GetMetricData answers 200 with a status for each metric: without data that is no zero."""

    def paginate(_self: object, **_asked: object) -> list[dict[str, object]]:
        return [{"MetricDataResults": [{"Id": "requests", "StatusCode": state, "Timestamps": [], "Values": []}]}]

    monkeypatch.setattr(Paginator, "paginate", paginate)
    with pytest.raises(CutoverError, match=f"{state}.*Nothing was changed"):
        silence.read(PARAMS, shared_clients(), "app/shop/50dc6c495c0c9188")
