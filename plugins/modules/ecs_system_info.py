#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_system_info
short_description: Read everything about a system on ECS, from its FQDN on
version_added: 0.1.0
author: The cutover.fargate authors (@cutover)
description:
  - Walks from the FQDN over Route 53 record sets to the Application Load Balancer, its listeners, rules and target groups, from there to the ECS
    cluster, services, task definitions, tasks, scheduled tasks and scaling, to the capacity providers, Auto Scaling groups, instances, instance profiles
    and launch templates behind them, to security groups, who admits them and who else uses them, and to subnets, routes, VPC endpoints, network ACLs,
    databases, log groups, image repositories, alarms and quotas. Tells which tool (CloudFormation, Terraform ...) made what.
  - Reads both sides by the same code. The I(target) is the load balancer that M(cutover.fargate.fargate_plan) names (or the one the FQDN leads to,
    when it carries the tag C(cutover:source-load-balancer)); the I(source) is the other one.
  - Reads only. The number of calls depends on the system and not on what else is in the account, but for paging of lists that AWS cannot filter
    (record sets of the FQDN's zones, alarms, EventBridge Scheduler's schedules, database instances, cache clusters).
  - What is broken (a task definition that is gone, a target group without service) becomes V(null) and an entry of RV(system.problems).
extends_documentation_fragment:
  - cutover.fargate.account
  - cutover.fargate.attributes
  - cutover.fargate.attributes.actiongroup
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details: Nothing is changed.
  idempotent:
    support: full
options:
  name:
    description: Name of the system. In the playbooks it is the inventory host's name. The target's names are computed from it.
    type: str
    required: true
  fqdn:
    description: The name users open. It must be an alias of (or a CNAME to) the system's Application Load Balancer.
    type: str
    required: true
  services:
    description:
      - Names of the ECS services that belong to the system.
      - Without it these are the services that register in the load balancer's target groups, and the services of the same cluster that have no load balancer.
    type: list
    elements: str
  names:
    description: Names of the target that are not to be computed, as mapping from C(load_balancer) and C(cluster) to the name.
    type: dict
  execution_role:
    description: Name or ARN of the execution role that the tasks are to get, where it is not the computed one. Its trust and policies are read.
    type: str
  task_role_arn:
    description: Task role that the tasks are to get, or a mapping from service to role. Their trust and policies are read.
    type: raw
  volumes:
    description: Answers for volumes, as the option C(volumes) of M(cutover.fargate.fargate_plan)'s intent. Mount targets of the file systems in them are read.
    type: raw
notes:
  - The result holds what the task definitions hold, and so often passwords. An action plugin of the same name keeps a successful result off the screen
    and out of callbacks, as C(no_log) does; other than with C(no_log) the reason of a failure is shown. Do not print RV(system) yourself.
seealso:
  - module: cutover.fargate.fargate_plan
"""

EXAMPLES = r"""
- name: Read the system
  cutover.fargate.ecs_system_info:
    name: shop
    fqdn: shop.example.com
    region: eu-west-1
  register: __shop

- name: Show where it stands
  ansible.builtin.debug:
    msg: "{{ __shop.status_lines }}"

# The ALB and the cluster also serve other systems.
- name: Read the two services that belong to the shop
  cutover.fargate.ecs_system_info:
    name: shop
    fqdn: shop.example.com
    region: eu-west-1
    services: [shop-web, shop-worker]
  register: __shop
"""

RETURN = r"""
system:
  description:
    - Both sides of the system in AWS's own shapes. Every key is always there; what does not exist is V(null) or empty.
    - Times are ISO strings, tags and attributes dicts.
  returned: success
  type: dict
  contains:
    name:
      description: O(name).
      type: str
      sample: shop
    fqdn:
      description: O(fqdn) in lower case.
      type: str
      sample: shop.example.com
    region:
      description: The region that was read.
      type: str
      sample: eu-west-1
    account_id:
      description: The account that the credentials belong to.
      type: str
      sample: "123456789012"
    serving:
      description: Where the FQDN's record sets lead. One of V(source), V(target), V(mixed), V(none).
      type: str
      sample: source
    records:
      description: Every record set of the FQDN's zones (public and private, A, AAAA, CNAME, any name) that leads to either load balancer.
      type: list
      elements: dict
      sample: [{zone_id: Z1, zone_name: example.com, private_zone: false, side: source, record_set: {Name: shop.example.com., Type: A}}]
    source:
      description: The side that runs on EC2; V(null) once its load balancer is gone.
      type: dict
      contains:
        load_balancer:
          description:
            - As C(DescribeLoadBalancers), with C(Attributes), C(Tags), C(WebAclArn), and C(Listeners) with their C(Attributes), C(Tags), C(SniCertificates)
              and C(Rules).
          type: dict
          sample: {LoadBalancerName: shop, Scheme: internet-facing, WebAclArn: null, Attributes: {idle_timeout.timeout_seconds: "60"}, Tags: {}, Listeners: []}
        target_groups:
          description: As C(DescribeTargetGroups), with C(Attributes), C(Tags) and C(TargetHealth). Those that a listener or rule names.
          type: list
          elements: dict
          sample: [{TargetGroupName: shop-web, TargetType: instance, Port: 80, Attributes: {stickiness.enabled: "false"}, Tags: {}, TargetHealth: []}]
        cluster:
          description: As C(DescribeClusters), with C(Tags); V(null) when there is none.
          type: dict
          sample: {clusterName: shop, status: ACTIVE, Tags: {}}
        services:
          description:
            - As C(DescribeServices), with C(Tags), C(TaskDefinition) (V(null) when it is gone), C(TaskDefinitionTags), the running C(Tasks),
              C(ScalableTargets), C(ScalingPolicies) and C(ScheduledActions).
            - C(Measured) is the most CPU and memory that one task used in the last days as CloudWatch saw it; V(null) when it saw nothing.
            - Those with and without load balancer, also those of the scheduling strategy C(DAEMON).
          type: list
          elements: dict
          sample: [{serviceName: web, status: ACTIVE, desiredCount: 2, TaskDefinition: {family: shop-web}, Tasks: [], Measured: {cpu: 180, memory: 410}}]
        other_services:
          description: Names of the cluster's services that belong to another load balancer, or that O(services) leaves out.
          type: list
          elements: str
          sample: [admin]
        daemons:
          description: Those of them that run once on each instance (scheduling strategy DAEMON).
          type: list
          elements: str
          sample: [datadog-agent]
        capacity:
          description:
            - C(auto_scaling_groups) (each with C(Tags) and C(LaunchTemplate), the version it launches), C(container_instances), C(instances), C(architectures),
              C(capacity_providers) and C(instance_profiles) (each with C(Roles), and of these the names of C(AttachedPolicies) and C(InlinePolicies)
              and the statements of all C(Policies)).
          type: dict
          sample:
            auto_scaling_groups: [{AutoScalingGroupName: shop, MinSize: 1, DesiredCapacity: 2}]
            container_instances: []
            instances: []
            architectures: [x86_64]
            capacity_providers: []
            instance_profiles: [{InstanceProfileName: ecs, Roles: [{RoleName: ecs-instance, AttachedPolicies: [uploads], Policies: {uploads: []}}]}]
        security_groups:
          description:
            - Groups of the C(load_balancer), of the C(tasks) and of the VPC's C(endpoints), and those C(admitting) the tasks, each with the C(rules)
              that do and with what it protects (C(used_by)).
          type: dict
          sample:
            load_balancer: []
            tasks: []
            endpoints: []
            admitting: [{GroupId: sg-1, GroupName: shop-rds, VpcId: vpc-1, Tags: {}, rules: [], used_by: [{kind: rds, id: shop}]}]
        subnets:
          description:
            - All of the VPC, as C(DescribeSubnets), with the C(Routes) of their table, where the default one leads (C(route)) and how many addresses are
              C(free).
          type: list
          elements: dict
          sample: [{SubnetId: subnet-1, AvailabilityZone: eu-west-1a, route: igw, RouteTableId: rtb-1, Routes: [], free: 250}]
        vpc_endpoints:
          description: Endpoints of the VPC, as C(DescribeVpcEndpoints).
          type: list
          elements: dict
          sample: [{VpcEndpointId: vpce-1, VpcEndpointType: Gateway, ServiceName: com.amazonaws.eu-west-1.s3, Tags: {}}]
        nat_gateways:
          description: NAT gateways of the VPC that are in use, as C(DescribeNatGateways).
          type: list
          elements: dict
          sample: [{NatGatewayId: nat-1, NatGatewayAddresses: [{PublicIp: 192.0.2.1}], Tags: {}}]
        namespaces:
          description:
            - Namespaces that the services are in by Service Connect, under the name that ECS uses, with the ARNs of all services in them. C(services) is
              null where they can't be read. Nothing is asked when no service uses Service Connect.
          type: list
          elements: dict
          sample: [{Name: shop, Id: ns-1, Arn: "arn:aws:servicediscovery:eu-west-1:123456789012:namespace/ns-1", services: []}]
        roles:
          description: IAM roles of the task definitions and the inventory, and the target's execution role if it exists, with their policies' statements.
          type: list
          elements: dict
          sample: [{RoleName: ecsTaskExecutionRole, TrustedServices: [ecs-tasks.amazonaws.com], AttachedPolicies: [AmazonECSTaskExecutionRolePolicy]}]
        network_acls:
          description: Network ACLs of the VPC, as C(DescribeNetworkAcls).
          type: list
          elements: dict
          sample: [{NetworkAclId: acl-1, IsDefault: true, Entries: [], Associations: [], Tags: {}}]
        vpc_dns:
          description: Whether the VPC has a resolver (C(enableDnsSupport)) and names for addresses (C(enableDnsHostnames)); null where it can't be read.
          type: dict
          sample: {support: true, hostnames: true}
        databases:
          description: The RDS instances that admit the tasks, with C(max_connections) as their parameter group says it, a number or a formula.
          type: list
          elements: dict
          sample: [{DBInstanceIdentifier: shop, DBInstanceClass: db.t3.micro, Engine: mysql, max_connections: "{DBInstanceClassMemory/12582880}"}]
        mount_targets:
          description: Mount targets in the VPC of EFS file systems that tasks mount or O(volumes) names, as C(DescribeMountTargets), with their groups.
          type: dict
          sample: {fs-1: [{MountTargetId: fsmt-1, SubnetId: subnet-1, AvailabilityZoneName: eu-west-1a, Groups: [sg-1]}]}
        secret_keys:
          description: The customers' KMS keys of secrets and parameters that containers read, from what C(valueFrom) names to the key's ARN.
          type: dict
          sample: {"/shop/app-key": "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"}
        scheduled_tasks:
          description: What starts tasks in the cluster. Rules of EventBridge (default event bus) and schedules of EventBridge Scheduler.
          type: list
          elements: dict
          sample: [{kind: rule, name: nightly, group: default, state: ENABLED, expression: "cron(0 3 * * ? *)", task_definition: shop-nightly, target: {}}]
        log_groups:
          description: Those that the task definitions name, as C(DescribeLogGroups).
          type: list
          elements: dict
          sample: [{logGroupName: /ecs/shop/web, retentionInDays: 30}]
        repositories:
          description: Those that the images come from, as C(DescribeRepositories), each with the C(images) used.
          type: list
          elements: dict
          sample: [{repositoryName: shop/nginx, images: [{imageTags: [v1]}]}]
        alarms:
          description: Those whose dimensions name the load balancer, its target groups, the cluster or the services, as C(DescribeAlarms).
          type: list
          elements: dict
          sample: [{AlarmName: shop-5xx, MetricName: HTTPCode_Target_5XX_Count}]
        owners:
          description: Resources that a tool claims by their tags. What such a tool made, it may make or undo again.
          type: list
          elements: dict
          sample: [{kind: load_balancer, id: "arn:aws:elasticloadbalancing:...", name: shop, owner: cloudformation, deployment: shop-stack}]
        sharing:
          description: Other C(hosts) of the load balancer, other C(services) on the instances, and the C(security_groups) that others use too.
          type: dict
          sample:
            hosts: [www.example.com]
            services: [admin]
            security_groups: [{GroupId: sg-1, GroupName: shop-alb, used_by: [{kind: load_balancer, id: admin}]}]
    target:
      description: The Fargate side, with the same keys as RV(system.source); V(null) before it is built.
      type: dict
    shared:
      description: What on the source's load balancer serves others.
      type: list
      elements: dict
      sample: [{kind: listener_rule, id: "arn:aws:elasticloadbalancing:...", name: "HTTPS:443 priority 20 (admin.example.com)", used_by: [admin]}]
    account_settings:
      description: Settings of ECS as they hold for the caller, by their names; V(null) for one that AWS does not tell.
      type: dict
      sample: {defaultLogDriverMode: non-blocking}
    quotas:
      description:
        - Limits of the account in this region, each with C(value) and the highest use of the last three hours (C(used), V(null) where AWS does not measure it);
          V(null) for one that AWS does not tell.
      type: dict
      sample: {fargate_vcpu: {value: 6.0, used: 4.0}, load_balancers: {value: 50.0, used: 3.0}, rules_per_load_balancer: {value: 100.0, used: null}}
    problems:
      description: What was found broken or could not be read.
      type: list
      elements: dict
      sample: [{id: log-group-missing, path: source.log_groups, message: "Log group /ecs/web, which a task definition names, was not found."}]
status_lines:
  description: Where the system stands, for a person; without secrets.
  returned: success
  type: list
  elements: str
  sample: ["serving    source  (shop.example.com A to source)"]
versions:
  description: Versions of what took part.
  returned: success
  type: dict
  sample: {python: 3.11.7, amazon.aws: 10.1.2, boto3: 1.40.0, botocore: 1.40.0}
"""

from ansible_collections.cutover.fargate.plugins.module_utils._aws.run import run_module
from ansible_collections.cutover.fargate.plugins.module_utils._system.system import ARGUMENT_SPEC, run


def main() -> None:
    run_module(run, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
