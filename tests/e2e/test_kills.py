"""SIGKILL in the middle, again and again: the next run completes, nothing is there twice, and no user notices."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from .harness import Lab, assert_unharmed

KILLS = 10


def test_killed_ten_times(lab: Lab, tmp_path: Path) -> None:
    with lab.load(tmp_path) as totals:
        # What the killed runs did stays done, so the first mutating call of each run is a bit further on.
        killed = sum(lab.kill_at("migrate", 1) for _kill in range(KILLS))
        lab.play("migrate").ok()
        assert lab.served_by() == "shop-fargate"
        lab.play("migrate").unchanged()
    assert killed == KILLS, f"only {killed} of {KILLS} runs lived long enough to be killed"
    assert_unharmed(totals())
    assert twice(lab) == []


def twice(lab: Lab) -> list[str]:
    """What exists more than once although its name should be unique: groups, rules, active deployments, definitions with the same content."""
    groups = lab.client("ec2").describe_security_groups()["SecurityGroups"]
    names = Counter(each["GroupName"] for each in groups)
    rules = Counter(
        (each["GroupId"], rule["IpProtocol"], rule.get("FromPort"), pair["GroupId"])
        for each in groups
        for rule in each["IpPermissions"]
        for pair in rule["UserIdGroupPairs"]
    )
    families = Counter(arn.rpartition("/")[2].split(":")[0] for arn in lab.client("ecs").list_task_definitions(status="ACTIVE")["taskDefinitionArns"])
    services = Counter(arn for arn in lab.client("ecs").list_services(cluster="shop-fargate")["serviceArns"])
    fargate = {name: count for name, count in families.items() if name.endswith("-fargate")}
    return [str(key) for counter in (names, rules, fargate, services) for key, count in counter.items() if count > 1 and key != "default"]
