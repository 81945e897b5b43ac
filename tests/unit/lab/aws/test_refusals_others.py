"""Route 53, security groups, Auto Scaling."""

from __future__ import annotations

from typing import Any

import pytest

ALIAS = {"HostedZoneId": "Z32O12XQLNTSW2", "DNSName": "dualstack.shop-1.eu-west-1.elb.amazonaws.com", "EvaluateTargetHealth": False}


class Zone:
    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = f"{name}.test"
        self.id = client.create_hosted_zone(Name=self.name, CallerReference=name)["HostedZone"]["Id"].rsplit("/", 1)[-1]

    def alias(self, **members: Any) -> dict[str, Any]:
        return {"Name": f"shop.{self.name}", "Type": "A", "AliasTarget": ALIAS, **members}

    def batch(self, *changes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        listed = [{"Action": action, "ResourceRecordSet": record} for action, record in changes]
        return {"HostedZoneId": self.id, "ChangeBatch": {"Changes": listed}}

    def change(self, *changes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        return dict(self.client.change_resource_record_sets(**self.batch(*changes))["ChangeInfo"])

    def records(self) -> list[dict[str, Any]]:
        shown = self.client.list_resource_record_sets(HostedZoneId=self.id)["ResourceRecordSets"]
        return [record for record in shown if record["Type"] not in ("NS", "SOA")]


@pytest.fixture
def zone(client, name: str) -> Zone:
    return Zone(client("route53"), name)


def weighted(zone: Zone, identifier: str, weight: int) -> dict[str, Any]:
    return zone.alias(SetIdentifier=identifier, Weight=weight)


REFUSED: dict[str, tuple[Any, str]] = {
    "create what exists": (lambda z: [("CREATE", z.alias())], "but it already exists"),
    "weighted beside simple": (lambda z: [("CREATE", weighted(z, "a", 1))], "cannot be created as a non-weighted set exists with the same name and type."),
    "delete with other values": (
        lambda z: [("DELETE", z.alias(AliasTarget={**ALIAS, "EvaluateTargetHealth": True}))],
        "but the values provided do not match the current values",
    ),
    "delete what is absent": (lambda z: [("DELETE", {**z.alias(), "Name": f"x.{z.name}"})], "but it was not found"),
    "unknown alias zone": (lambda z: [("UPSERT", z.alias(AliasTarget={**ALIAS, "HostedZoneId": "ZABSENT"}))], "does not lie within the target zone"),
    "alias to nothing in the zone": (
        lambda z: [("UPSERT", z.alias(AliasTarget={"HostedZoneId": z.id, "DNSName": f"absent.{z.name}", "EvaluateTargetHealth": False}))],
        "but that target was not found",
    ),
    "alias with TTL": (lambda z: [("UPSERT", z.alias(TTL=60))], "but found more than one in Change"),
    "neither alias nor records": (lambda z: [("UPSERT", {"Name": f"a.{z.name}", "Type": "A", "TTL": 60})], "but found none in Change"),
    "identifier without policy": (lambda z: [("UPSERT", z.alias(SetIdentifier="a"))], "Expected exactly one of [Weight"),
    "weight out of range": (lambda z: [("UPSERT", weighted(z, "a", 255) | {"Weight": 256})], "must be between 0 and 255"),
    "other zone": (lambda z: [("UPSERT", {**z.alias(), "Name": "shop.other.test"})], "is not permitted in zone"),
    "CNAME beside another": (
        lambda z: [("CREATE", {"Name": f"shop.{z.name}", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "x"}]})],
        "conflicts with other records",
    ),
    "CNAME at the apex": (
        lambda z: [("CREATE", {"Name": z.name, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "x"}]})],
        "is not permitted at apex",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_changes(zone: Zone, refuse, case: str) -> None:
    zone.change(("CREATE", zone.alias()))
    before = zone.records()
    changes, message = REFUSED[case]
    good = {"Name": f"good.{zone.name}", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.0.0.1"}]}
    assert message in refuse(zone.client.change_resource_record_sets, **zone.batch(("CREATE", good), *changes(zone)))[1]
    assert zone.records() == before  # all or nothing


def test_simple_becomes_weighted_in_one_batch_and_back(zone: Zone) -> None:
    zone.change(("CREATE", zone.alias()))
    zone.change(("DELETE", zone.alias()), ("CREATE", weighted(zone, "old", 100)), ("CREATE", weighted(zone, "new", 0)))
    assert [(record["SetIdentifier"], record["Weight"]) for record in zone.records()] == [("new", 0), ("old", 100)]
    zone.change(("DELETE", weighted(zone, "old", 100)), ("DELETE", weighted(zone, "new", 0)), ("CREATE", zone.alias()))
    assert len(zone.records()) == 1


def test_names_come_back_in_lower_case_with_a_dot(zone: Zone) -> None:
    zone.change(("CREATE", zone.alias(Name=f"*.Shop.{zone.name}", AliasTarget={**ALIAS, "DNSName": "Shop-1.EU-west-1.elb.amazonaws.com"})))
    assert zone.records()[0]["Name"] == f"\\052.shop.{zone.name}."
    assert zone.records()[0]["AliasTarget"]["DNSName"] == "shop-1.eu-west-1.elb.amazonaws.com."


def test_change_is_pending_until_observed(aws, zone: Zone, refuse) -> None:
    change = zone.change(("CREATE", zone.alias()))
    assert change["Status"] == "PENDING"
    assert zone.client.get_change(Id=change["Id"])["ChangeInfo"]["Status"] == "PENDING"
    aws.observed.insync.add(change["Id"])
    assert zone.client.get_change(Id=change["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    assert refuse(zone.client.get_change, Id="CABSENT")[0] == "NoSuchChange"


def test_zone_with_records_stays(zone: Zone, refuse) -> None:
    zone.change(("CREATE", zone.alias()))
    assert refuse(zone.client.delete_hosted_zone, Id=zone.id)[0] == "HostedZoneNotEmpty"
    zone.change(("DELETE", zone.alias()))
    zone.client.delete_hosted_zone(Id=zone.id)


# -- security groups --------------------------------------------------------------------------------------------------------------------------


def permission(port: int, **peer: Any) -> list[dict[str, Any]]:
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peer}]


def test_duplicate_rule_whatever_its_description(client, refuse, vpc) -> None:
    ec2 = client("ec2")
    for peer in ({"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}, {"UserIdGroupPairs": [{"GroupId": vpc.group}]}):
        ec2.authorize_security_group_ingress(GroupId=vpc.group, IpPermissions=permission(80, **peer))
        described = {key: [{**value[0], "Description": "again"}] for key, value in peer.items()}
        code, message = refuse(ec2.authorize_security_group_ingress, GroupId=vpc.group, IpPermissions=permission(80, **described))
        assert code == "InvalidPermission.Duplicate"
        assert "TCP, from port: 80, to port: 80, ALLOW" in message
        ec2.authorize_security_group_ingress(GroupId=vpc.group, IpPermissions=permission(81, **peer))


def test_unknown_peer(client, refuse, vpc) -> None:
    rule = permission(80, UserIdGroupPairs=[{"GroupId": "sg-0123456789abcdef0"}])
    assert refuse(client("ec2").authorize_security_group_ingress, GroupId=vpc.group, IpPermissions=rule)[0] == "InvalidGroup.NotFound"


def test_group_in_use_by_a_load_balancer(client, refuse, vpc, name: str) -> None:
    arn = client("elbv2").create_load_balancer(Name=name, Subnets=vpc.subnets, SecurityGroups=[vpc.group])["LoadBalancers"][0]["LoadBalancerArn"]
    assert refuse(client("ec2").delete_security_group, GroupId=vpc.group)[0] == "DependencyViolation"
    client("elbv2").delete_load_balancer(LoadBalancerArn=arn)
    client("ec2").delete_security_group(GroupId=vpc.group)


def test_group_in_use_by_an_instance(client, refuse, vpc) -> None:
    ec2 = client("ec2")
    image = {"ImageId": "ami-0b902854788f84e0e", "InstanceType": "t3.micro", "SubnetId": vpc.subnets[0], "SecurityGroupIds": [vpc.group]}
    instance = ec2.run_instances(MinCount=1, MaxCount=1, **image)["Instances"][0]["InstanceId"]
    assert refuse(ec2.delete_security_group, GroupId=vpc.group)[0] == "DependencyViolation"
    ec2.terminate_instances(InstanceIds=[instance])
    ec2.delete_security_group(GroupId=vpc.group)


def test_group_in_use_by_a_rule(client, refuse, vpc, name: str) -> None:
    ec2 = client("ec2")
    other = ec2.create_security_group(GroupName=f"{name}-other", Description="x", VpcId=vpc.id)["GroupId"]
    rule = permission(80, UserIdGroupPairs=[{"GroupId": vpc.group}])
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=rule)
    assert refuse(ec2.delete_security_group, GroupId=vpc.group)[0] == "DependencyViolation"
    ec2.revoke_security_group_ingress(GroupId=other, IpPermissions=rule)
    ec2.delete_security_group(GroupId=vpc.group)


def test_group_in_use_by_a_database(client, refuse, vpc, name: str) -> None:
    client("rds").create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="x", SubnetIds=vpc.subnets)
    database = {"DBInstanceIdentifier": name, "Engine": "mysql", "DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20}
    login = {"MasterUsername": "a", "MasterUserPassword": "lab-only-not-a-secret"}
    client("rds").create_db_instance(**database, **login, DBSubnetGroupName=name, VpcSecurityGroupIds=[vpc.group])
    assert refuse(client("ec2").delete_security_group, GroupId=vpc.group)[0] == "DependencyViolation"


# -- Auto Scaling -----------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def group(client, vpc, name: str) -> dict[str, str]:
    client("ec2").create_launch_template(LaunchTemplateName=name, LaunchTemplateData={"InstanceType": "t3.micro", "ImageId": "ami-0b902854788f84e0e"})
    template = {"LaunchTemplateName": name, "Version": "1"}
    client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=name, LaunchTemplate=template, MinSize=1, DesiredCapacity=1, MaxSize=2, VPCZoneIdentifier=vpc.subnets[0]
    )
    return {"AutoScalingGroupName": name}


def test_desired_capacity_within_bounds(client, refuse, group: dict[str, str]) -> None:
    autoscaling = client("autoscaling")
    message = "Desired capacity:0 must be between the specified min size:1 and max size:2"
    assert refuse(autoscaling.update_auto_scaling_group, **group, DesiredCapacity=0) == ("ValidationError", message)
    assert refuse(autoscaling.set_desired_capacity, **group, DesiredCapacity=3)[0] == "ValidationError"
    assert refuse(autoscaling.update_auto_scaling_group, **group, MinSize=3)[0] == "ValidationError"
    autoscaling.update_auto_scaling_group(**group, MinSize=0, DesiredCapacity=0)


def test_group_with_instances_needs_force(client, refuse, group: dict[str, str]) -> None:
    assert refuse(client("autoscaling").delete_auto_scaling_group, **group)[0] == "ResourceInUse"
    client("autoscaling").delete_auto_scaling_group(**group, ForceDelete=True)


def test_suspended_processes_do_nothing_until_resumed(client, group: dict[str, str]) -> None:
    autoscaling, processes = client("autoscaling"), ["Launch", "Terminate"]

    def instances() -> int:
        return len(autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group["AutoScalingGroupName"]])["AutoScalingGroups"][0]["Instances"])

    autoscaling.suspend_processes(**group, ScalingProcesses=processes)
    autoscaling.update_auto_scaling_group(**group, MinSize=0, DesiredCapacity=0)
    assert instances() == 1
    autoscaling.resume_processes(**group, ScalingProcesses=processes)
    assert instances() == 0


def test_metrics_collection_can_be_disabled(client, group: dict[str, str]) -> None:
    client("autoscaling").enable_metrics_collection(**group, Granularity="1Minute")
    client("autoscaling").disable_metrics_collection(**group)
    assert not client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group["AutoScalingGroupName"]])["AutoScalingGroups"][0].get("EnabledMetrics")


def test_volumes_that_outlive_their_instance_are_left_over(client, vpc, name: str) -> None:
    """What scale-in reports: volumes with DeleteOnTermination false become available."""
    kept = [{"DeviceName": "/dev/xvdcz", "Ebs": {"VolumeSize": 30, "DeleteOnTermination": False}}]
    data = {"InstanceType": "t3.micro", "ImageId": "ami-0b902854788f84e0e", "BlockDeviceMappings": kept}
    client("ec2").create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    autoscaling = client("autoscaling")
    group = {"AutoScalingGroupName": name}
    template = {"LaunchTemplateName": name, "Version": "1"}
    autoscaling.create_auto_scaling_group(**group, LaunchTemplate=template, MinSize=0, DesiredCapacity=1, MaxSize=1, VPCZoneIdentifier=vpc.subnets[0])
    instance = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]["Instances"][0]["InstanceId"]
    attached = client("ec2").describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [instance]}])["Volumes"]
    volumes = [volume["VolumeId"] for volume in attached if volume["Size"] == 30]
    assert volumes
    autoscaling.set_desired_capacity(**group, DesiredCapacity=0)
    assert [volume["State"] for volume in client("ec2").describe_volumes(VolumeIds=volumes)["Volumes"]] == ["available"]
