"""From calls to actions: where IAM names something otherwise than the API does, as data."""

from __future__ import annotations

from typing import Any

Call = dict[str, Any]
"""A call as the lab's request log keeps it: service and operation as botocore names them, parameters."""

PREFIXES = {"elbv2": "elasticloadbalancing", "elb": "elasticloadbalancing", "service-quotas": "servicequotas", "resourcegroupstaggingapi": "tag", "efs": "elasticfilesystem"}
"""botocore's service -> IAM's prefix, where they differ."""
BESIDE = {
    "application-autoscaling:RegisterScalableTarget": ("application-autoscaling:TagResource", "iam:CreateServiceLinkedRole"),
    "cloudwatch:PutMetricAlarm": ("cloudwatch:TagResource",),
    "ec2:AuthorizeSecurityGroupEgress": ("ec2:CreateTags",),
    "ec2:AuthorizeSecurityGroupIngress": ("ec2:CreateTags",),
    "ec2:CreateSecurityGroup": ("ec2:CreateTags",),
    "ecr:CreateRepository": ("ecr:TagResource",),
    "ecs:CreateCluster": ("ecs:TagResource", "iam:CreateServiceLinkedRole"),
    "ecs:CreateService": ("ecs:TagResource", "iam:CreateServiceLinkedRole", "iam:PassRole"),
    "ecs:RegisterTaskDefinition": ("ecs:TagResource", "iam:PassRole"),
    "elasticloadbalancing:CreateListener": ("elasticloadbalancing:AddTags",),
    "elasticloadbalancing:CreateLoadBalancer": ("elasticloadbalancing:AddTags", "iam:CreateServiceLinkedRole"),
    "elasticloadbalancing:CreateRule": ("elasticloadbalancing:AddTags",),
    "elasticloadbalancing:CreateTargetGroup": ("elasticloadbalancing:AddTags",),
    "iam:CreateRole": ("iam:TagRole",),
    "logs:CreateLogGroup": ("logs:AssociateKmsKey", "logs:TagResource", "kms:DescribeKey"),
    "servicediscovery:CreateHttpNamespace": ("servicediscovery:TagResource",),
    "servicediscovery:CreateService": ("servicediscovery:TagResource",),
    "wafv2:AssociateWebACL": ("elasticloadbalancing:CreateWebACLAssociation", "elasticloadbalancing:SetWebAcl"),
    "wafv2:GetWebACLForResource": ("elasticloadbalancing:GetLoadBalancerWebACL", "wafv2:GetWebACL"),
}
"""What AWS asks for beside the call's own action ("dependent actions" of the Service Authorization Reference), when the call has tags, roles, a key."""
REGISTRY = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
"""ECR's registry API, which is asked over HTTP (Docker's protocol) and not by botocore.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html"""
STOCK = ("logs:CreateLogGroup", "logs:DescribeLogGroups", "logs:ListTagsForResource", "logs:ListTagsLogGroup", "logs:PutRetentionPolicy")
"""What amazon.aws.cloudwatchlogs_log_group calls, the one module of others that roles use; by its release under the one name of the tags' list or the other."""
TAGS = ("Tags", "tags")


def action(service: str, operation: str) -> str:
    return f"{PREFIXES.get(service, service)}:{operation}"


def request_tags(call: Call) -> dict[str, str]:
    """The tags that a request sets, in each of AWS's spellings."""
    parameters = call["parameters"]
    found = next((parameters[key] for key in TAGS if parameters.get(key)), None)
    if found is None:
        found = [tag for item in parameters.get("TagSpecifications") or [] for tag in item["Tags"]]
    if isinstance(found, dict):
        return dict(found)
    return {str(tag.get("Key", tag.get("key"))): str(tag.get("Value", tag.get("value", ""))) for tag in found}


def tag_keys(call: Call) -> list[str]:
    parameters = call["parameters"]
    return [*request_tags(call), *(parameters.get("TagKeys") or parameters.get("tagKeys") or [])]
