"""What each playbook may do, as data. ``CUTOVER_GOLDEN=write pytest tests/unit/docs/test_policies.py`` makes the JSON documents from it.

Conditions are only those that the Service Authorization Reference lists for the action, or for the resource type that the action is on:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
A condition that an action does not know would deny it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from policies.reads import DISCOVERY, MORE_OF_ABANDON, MORE_OF_PREPARE, MORE_OF_SCALE_IN, MORE_OF_TEARDOWN, VERIFICATION

Conditions = dict[str, dict[str, Any]]
TAG = "cutover:system"
NEW: Conditions = {"StringEquals": {f"aws:RequestTag/{TAG}": "SYSTEM"}}
"""Only what gets the system's tag when it is made."""
OURS: Conditions = {"StringEquals": {f"aws:ResourceTag/{TAG}": "SYSTEM"}}
"""Only what carries the system's tag."""
NOTES: Conditions = {"ForAllValues:StringLike": {"aws:TagKeys": "cutover:*"}}
"""On what is not ours (the source), no other tags than those in which the collection remembers."""
OF_ECS: Conditions = {"StringEquals": {"application-autoscaling:service-namespace": "ecs"}}


@dataclass(frozen=True)
class Statement:
    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    conditions: Conditions = field(default_factory=dict)


def arn(service: str, resource: str, region: str = "REGION") -> str:
    return f"arn:aws:{service}:{region}:ACCOUNT_ID:{resource}"


REPOSITORIES = (arn("ecr", "repository/*"),)
SERVICES, CLUSTERS = arn("ecs", "service/*"), arn("ecs", "cluster/*")
BALANCERS, TARGET_GROUPS = arn("elasticloadbalancing", "loadbalancer/app/*"), arn("elasticloadbalancing", "targetgroup/*")
GROUPS, GROUP_RULES, VPCS = arn("ec2", "security-group/*"), arn("ec2", "security-group-rule/*"), arn("ec2", "vpc/*")
LOG_GROUPS = (arn("logs", "log-group:*"),)
ALARMS = (arn("cloudwatch", "alarm:*"),)
SCALING_GROUPS = (arn("autoscaling", "autoScalingGroup:*"),)
SCALABLE = (arn("application-autoscaling", "scalable-target/*"),)
EXECUTION_ROLE, TASK_ROLE, INFRASTRUCTURE_ROLE = (arn("iam", f"role/{name}", region="") for name in ("EXECUTION_ROLE", "TASK_ROLE", "INFRASTRUCTURE_ROLE"))

READ = (Statement("Discover", DISCOVERY),)
VERIFY = (*READ, Statement("Verify", VERIFICATION))

BUILD = (
    Statement(
        "CreateOurs",
        (
            "application-autoscaling:TagResource",
            "cloudwatch:TagResource",
            "ec2:AuthorizeSecurityGroupEgress",
            "ec2:AuthorizeSecurityGroupIngress",
            "ec2:CreateSecurityGroup",
            "ecr:CreateRepository",
            "ecr:TagResource",
            "ecs:CreateCluster",
            "ecs:CreateService",
            "ecs:RegisterTaskDefinition",
            "elasticloadbalancing:CreateListener",
            "elasticloadbalancing:CreateLoadBalancer",
            "elasticloadbalancing:CreateRule",
            "elasticloadbalancing:CreateTargetGroup",
            "logs:CreateLogGroup",
            "logs:TagResource",
            "servicediscovery:CreateHttpNamespace",
            "servicediscovery:CreateService",
            "servicediscovery:TagResource",
        ),
        conditions=NEW,
    ),
    Statement(
        "TagWhatIsCreatedInEcs",
        ("ecs:TagResource",),
        conditions={"StringEquals": {"ecs:CreateAction": ["CreateCluster", "CreateService", "RegisterTaskDefinition"]}},
    ),
    Statement(
        "TagWhatIsCreatedInElb",
        ("elasticloadbalancing:AddTags",),
        conditions={"StringEquals": {"elasticloadbalancing:CreateAction": ["CreateListener", "CreateLoadBalancer", "CreateRule", "CreateTargetGroup"]}},
    ),
    Statement(
        "TagWhatIsCreatedInEc2",
        ("ec2:CreateTags",),
        (GROUPS, GROUP_RULES),
        {"StringEquals": {"ec2:CreateAction": ["AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "CreateSecurityGroup"]}},
    ),
    Statement(
        "ChangeOurs",
        (
            "cloudwatch:TagResource",
            "ec2:CreateTags",
            "ecr:CompleteLayerUpload",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart",
            "ecs:PutClusterCapacityProviders",
            "ecs:TagResource",
            "ecs:UpdateCluster",
            "ecs:UpdateService",
            "elasticloadbalancing:AddListenerCertificates",
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:ModifyListener",
            "elasticloadbalancing:ModifyListenerAttributes",
            "elasticloadbalancing:ModifyLoadBalancerAttributes",
            "elasticloadbalancing:ModifyRule",
            "elasticloadbalancing:ModifyTargetGroup",
            "elasticloadbalancing:ModifyTargetGroupAttributes",
            "elasticloadbalancing:SetIpAddressType",
            "elasticloadbalancing:SetSecurityGroups",
            "elasticloadbalancing:SetSubnets",
            "servicediscovery:TagResource",
            "servicediscovery:UpdateService",
        ),
        conditions=OURS,
    ),
    Statement("RegistryLogin", ("ecr:GetAuthorizationToken",)),
    Statement("ReadImages", ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"), REPOSITORIES),
    Statement("CreateSecurityGroupIn", ("ec2:CreateSecurityGroup",), (VPCS,)),
    Statement("LetTasksIn", ("ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"), (GROUPS,)),
    Statement("CreateExecutionRole", ("iam:CreateRole", "iam:TagRole"), (EXECUTION_ROLE,), NEW),
    Statement("ChangeExecutionRole", ("iam:TagRole", "iam:UpdateAssumeRolePolicy"), (EXECUTION_ROLE,), OURS),
    Statement(
        "GiveItItsPolicy",
        ("iam:AttachRolePolicy",),
        (EXECUTION_ROLE,),
        {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"}},
    ),
    Statement("PassRoles", ("iam:PassRole",), (EXECUTION_ROLE, TASK_ROLE), {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}),
    Statement("PassInfrastructureRole", ("iam:PassRole",), (INFRASTRUCTURE_ROLE,), {"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}}),
    Statement(
        "ServiceLinkedRoles",
        ("iam:CreateServiceLinkedRole",),
        (arn("iam", "role/aws-service-role/*", region=""),),
        {"StringEquals": {"iam:AWSServiceName": ["ecs.amazonaws.com", "ecs.application-autoscaling.amazonaws.com", "elasticloadbalancing.amazonaws.com"]}},
    ),
    Statement("ChangeLogGroups", ("logs:AssociateKmsKey", "logs:PutRetentionPolicy"), LOG_GROUPS),
    Statement("AssociateWebAcl", ("elasticloadbalancing:CreateWebACLAssociation", "elasticloadbalancing:SetWebAcl", "wafv2:AssociateWebACL")),
    Statement(
        "ScaleTheTarget",
        ("application-autoscaling:PutScalingPolicy", "application-autoscaling:PutScheduledAction", "application-autoscaling:RegisterScalableTarget"),
        SCALABLE,
        OF_ECS,
    ),
    Statement("WriteAlarms", ("cloudwatch:PutMetricAlarm",), ALARMS),
)
DNS = (
    Statement("MoveTraffic", ("route53:ChangeResourceRecordSets",), ("arn:aws:route53:::hostedzone/ZONE_ID",)),
    Statement("SeeThatItMoved", ("route53:GetChange",), ("arn:aws:route53:::change/*",)),
    Statement("AskTheNameServers", ("route53:TestDNSAnswer",)),
    Statement("KeepAlive", ("elasticloadbalancing:ModifyLoadBalancerAttributes",), (BALANCERS,)),
    Statement("RememberAtBalancers", ("elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"), (BALANCERS,), NOTES),
    Statement("LetTheTargetScale", ("application-autoscaling:RegisterScalableTarget",), SCALABLE, OF_ECS),
    Statement("LetItsDeploymentsBeJudged", ("ecs:UpdateService",), (SERVICES,), OURS),
)
IDLE = (
    Statement("StopServices", ("ecs:UpdateService",), (SERVICES,)),
    Statement("RememberAtServices", ("ecs:TagResource",), (SERVICES,), NOTES),
    Statement("HoldScaling", ("application-autoscaling:RegisterScalableTarget",), SCALABLE, OF_ECS),
    Statement("StopInstances", ("autoscaling:SetInstanceProtection", "autoscaling:SuspendProcesses", "autoscaling:UpdateAutoScalingGroup"), SCALING_GROUPS),
    Statement("RememberAtInstances", ("autoscaling:CreateOrUpdateTags",), SCALING_GROUPS, NOTES),
    Statement("MarkVolumes", ("ec2:CreateTags",), (arn("ec2", "volume/*"),), NOTES),
    Statement("DeleteVolumes", ("ec2:DeleteVolume",), (arn("ec2", "volume/*"),), OURS),
)
RUNNING = (
    Statement("StartServices", ("ecs:UpdateService",), (SERVICES,)),
    Statement("ForgetAtServices", ("ecs:UntagResource",), (SERVICES,), NOTES),
    Statement("StartInstances", ("autoscaling:ResumeProcesses", "autoscaling:UpdateAutoScalingGroup"), SCALING_GROUPS),
    Statement("ForgetAtInstances", ("autoscaling:DeleteTags",), SCALING_GROUPS, NOTES),
)
ABANDON = (
    Statement(
        "DeleteOurs",
        (
            "cloudwatch:DeleteAlarms",
            "ec2:DeleteSecurityGroup",
            "ecr:DeleteRepository",
            "ecs:DeleteCluster",
            "ecs:DeleteService",
            "elasticloadbalancing:DeleteLoadBalancer",
            "elasticloadbalancing:DeleteTargetGroup",
            "logs:DeleteLogGroup",
            "servicediscovery:DeleteNamespace",
            "servicediscovery:DeleteService",
        ),
        conditions=OURS,
    ),
    Statement("DeleteScaling", ("application-autoscaling:DeregisterScalableTarget",), SCALABLE, OF_ECS),
    Statement("DeregisterDefinitions", ("ecs:DeregisterTaskDefinition",)),
    Statement("KeepAlive", ("elasticloadbalancing:ModifyLoadBalancerAttributes",), (BALANCERS,)),
    Statement("ForgetAtBalancers", ("elasticloadbalancing:RemoveTags",), (BALANCERS,), NOTES),
    Statement("RevokeRules", ("ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"), (GROUPS,)),
)
TEARDOWN = (
    Statement("DeleteAlarms", ("cloudwatch:DeleteAlarms",), ALARMS),
    Statement("DeleteScaling", ("application-autoscaling:DeregisterScalableTarget",), SCALABLE, OF_ECS),
    Statement("DeleteInEcs", ("ecs:DeleteCapacityProvider", "ecs:DeleteCluster", "ecs:DeleteService"), (CLUSTERS, SERVICES, arn("ecs", "capacity-provider/*"))),
    Statement("DeregisterDefinitions", ("ecs:DeregisterTaskDefinition",)),
    Statement(
        "DeleteInstances",
        ("autoscaling:DeleteAutoScalingGroup", "autoscaling:DeleteLaunchConfiguration"),
        (*SCALING_GROUPS, arn("autoscaling", "launchConfiguration:*")),
    ),
    Statement(
        "DeleteBalancer",
        ("elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:DeleteTargetGroup", "elasticloadbalancing:ModifyLoadBalancerAttributes"),
        (BALANCERS, TARGET_GROUPS),
    ),
    Statement("RememberAtBalancers", ("elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"), (BALANCERS,), NOTES),
    Statement(
        "DeleteInEc2", ("ec2:DeleteLaunchTemplate", "ec2:DeleteSecurityGroup", "ec2:RevokeSecurityGroupIngress"), (GROUPS, arn("ec2", "launch-template/*"))
    ),
    Statement("DeleteRepositories", ("ecr:DeleteRepository",), REPOSITORIES),
    Statement("DeleteLogGroups", ("logs:DeleteLogGroup",), LOG_GROUPS),
)

PREPARE = (Statement("ReadMore", MORE_OF_PREPARE), *BUILD)
PLAYBOOKS: dict[str, tuple[Statement, ...]] = {
    "plan": READ,
    "status": READ,
    "verify": VERIFY,
    "prepare": PREPARE,
    "cutover": DNS,
    "migrate": (*PREPARE, *(item for item in DNS if item.sid != "LetTheTargetScale")),
    "scale_in": (Statement("ReadMore", MORE_OF_SCALE_IN), *IDLE),
    "rollback": (*RUNNING, *DNS),
    "abandon": (Statement("ReadMore", MORE_OF_ABANDON), *ABANDON),
    "teardown": (Statement("ReadMore", MORE_OF_TEARDOWN), *TEARDOWN),
}
"""A document's statements. Those that write are attached beside ``verify``: together they would be longer than a policy may be."""
READING = ("plan", "status", "verify")
DOCUMENTS = tuple(playbook for playbook in PLAYBOOKS if playbook != "migrate")
"""``migrate`` has those of its two halves attached: in one they would be longer than a policy may be."""


def attached(playbook: str) -> tuple[Statement, ...]:
    """All that an identity has that runs the playbook."""
    return PLAYBOOKS[playbook] if playbook in READING else (*VERIFY, *PLAYBOOKS[playbook])
