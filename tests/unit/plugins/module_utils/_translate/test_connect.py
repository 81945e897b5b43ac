"""Service Connect: what a finding alone doesn't tell."""

from __future__ import annotations

import typing as t

from ansible_collections.cutover.fargate.plugins.module_utils._translate import connect
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.plugins.module_utils._translate import systems
from unit.plugins.module_utils._translate.systems import Json

ARN = "arn:aws:servicediscovery:eu-west-1:123456789012:namespace/ns-1"
SERVICE = "arn:aws:ecs:eu-west-1:123456789012:service/shop/{}"


def connected(*services: str, **more: t.Any) -> Json:
    """The shop with a named port; ``services`` are in the namespace, the web one publishes."""
    found = systems.system()
    systems.containers(found)["nginx"]["portMappings"][0]["name"] = "http"
    endpoint = {"portName": "http", "clientAliases": [{"port": 80}], **more}
    for service in found["source"]["services"]:
        name = service["serviceName"]
        if name in services:
            publishes = {"services": [endpoint]} if name == "web" else {}
            service["deployments"][0]["serviceConnectConfiguration"] = {"enabled": True, "namespace": ARN, **publishes}
    found["source"]["namespaces"] = [{"Name": "shop", "Id": "ns-1", "Arn": ARN, "services": [SERVICE.format(name) for name in services]}]
    return found


def services(plan: Json) -> Json:
    return {item["name"]: item["service_connect"] for item in plan["services"]}


def test_a_caller_goes_where_the_one_it_calls_goes() -> None:
    plan = systems.plan(connected("web", "worker"))
    assert services(plan)["worker"] == {"enabled": True, "namespace": "shop-fargate"}
    assert services(plan)["web"]["namespace"] == "shop-fargate"
    (made,) = plan["cluster"]["namespaces"]
    assert (made["name"], made["shared"], made["tags"]) == ("shop-fargate", False, {"cutover:system": "shop"})
    assert plan["cluster"]["service_connect_namespace"] is None


def test_only_callers_stay_by_the_namespaces_arn() -> None:
    plan = systems.plan(connected("worker"))
    assert services(plan) == {"web": None, "worker": {"enabled": True, "namespace": ARN}}
    assert plan["cluster"]["namespaces"] == []


def test_a_killed_teardown_that_took_the_publisher_leaves_its_callers_where_they_are() -> None:
    """In the source's namespace the worker, which serves, would find nobody."""
    system = connected("web", "worker")
    system["source"]["services"] = [service for service in system["source"]["services"] if service["serviceName"] == "worker"]
    own = ARN.replace("ns-1", "ns-2")
    system["target"] = systems.system("cut_over")["target"]
    for service in system["target"]["services"]:
        service["deployments"] = [{"status": "PRIMARY", "serviceConnectConfiguration": {"enabled": True, "namespace": own}}]
    plan = systems.plan(system)
    assert services(plan)["worker"]["namespace"] == own
    assert plan["cluster"]["namespaces"] == []
    assert not {"FG-CONNECT-SHARED", "FG-CONNECT-UNREAD"} & set(systems.ids(plan))


def test_the_targets_own_services_are_no_strangers() -> None:
    system = connected("web")
    target = systems.system("provisioned")["target"]
    arns = [service["serviceArn"] for service in target["services"]]
    system["source"]["namespaces"][0]["services"] += arns
    assert "FG-CONNECT-SHARED" in systems.ids(systems.plan(system))
    assert "FG-CONNECT-SHARED" not in systems.ids(systems.plan({**system, "target": target}))


def test_an_agent_that_stays_behind_is_a_stranger() -> None:
    system = connected("web", "worker")
    system["source"]["services"][1]["schedulingStrategy"] = "DAEMON"
    (path,) = systems.at(systems.plan(system), "FG-CONNECT-SHARED")
    assert path == "namespaces[shop]"


def test_the_answer_is_not_the_namespace_of_the_source() -> None:
    system = connected("web")
    system["source"]["namespaces"][0]["services"].append(SERVICE.format("guest"))
    refused = systems.plan(system, service_connect_namespace="shop")
    assert {"FG-CONNECT-SHARED", "FG-INTENT"} <= systems.ids(refused, "BLOCKER", "ACTION")
    taken = systems.plan(system, service_connect_namespace={"shop": "next"})
    assert "FG-CONNECT-SHARED" not in systems.ids(taken)
    assert [(item["name"], item["shared"]) for item in taken["cluster"]["namespaces"]] == [("next", True)]
    assert services(taken)["web"]["services"][0]["clientAliases"] == [{"port": 80, "dnsName": "http.shop"}]


def test_the_inventory_names_the_new_namespace() -> None:
    plan = systems.plan(connected("web"), names={"namespaces": {"shop": "shop-2"}})
    assert [(item["name"], item["shared"]) for item in plan["cluster"]["namespaces"]] == [("shop-2", False)]


def test_the_proxy_has_room() -> None:
    before, after = systems.plan(), systems.plan(connected("web"))
    reasons = [next(item["why"] for item in plan["findings"] if item["id"] == "FG-SIZE" and "shop-web" in item["path"]) for plan in (before, after)]
    assert "proxy" not in reasons[0]
    assert "+ Service Connect's proxy 64 = " in reasons[1]
    assert int(systems.planned(after)["cpu"]) >= int(systems.planned(before)["cpu"])
    grown = connected("web")
    systems.definition(grown).update(cpu="4096", memory="8192")  # a task's own size holds it already
    assert (systems.planned(systems.plan(grown))["cpu"], systems.planned(systems.plan(grown))["memory"]) == ("4096", "8192")


def test_the_tasks_admit_themselves_where_the_proxy_listens() -> None:
    rules = [rule for rule in systems.plan(connected("web", ingressPortOverride=9901))["security"]["ingress"] if rule.get("itself")]
    assert [(rule["from_port"], rule["to_port"], rule["description"]) for rule in rules] == [(9901, 9901, "shop: Service Connect")]
    assert not any(rule.get("itself") for rule in systems.plan(connected("worker"))["security"]["ingress"])


def test_the_proxys_log_group_is_made_with_the_others() -> None:
    system = connected("web")
    primary = system["source"]["services"][0]["deployments"][0]["serviceConnectConfiguration"]
    primary["logConfiguration"] = {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/proxy", "awslogs-region": "eu-west-1"}}
    system["source"]["log_groups"].append({"logGroupName": "/ecs/proxy", "retentionInDays": 7})
    plan = systems.plan(system)
    assert services(plan)["web"]["logConfiguration"]["options"]["awslogs-group"] == "/ecs/proxy-fargate"
    group = next(item for item in plan["log_groups"] if item["name"] == "/ecs/proxy-fargate")
    assert (group["source_name"], group["retention_in_days"]) == ("/ecs/proxy", 7)


def test_after_teardown_the_cluster_is_as_the_target_has_it() -> None:
    system = systems.system("torn_down")
    configuration = {"executeCommandConfiguration": {"logging": "DEFAULT"}}
    system["target"]["cluster"].update(configuration=configuration, serviceConnectDefaults={"namespace": ARN})
    section = systems.plan(system)["cluster"]
    assert (section["configuration"], section["service_connect_namespace"], section["namespaces"]) == (configuration, ARN, [])


def test_a_killed_teardown_does_not_bring_the_clusters_default_back_to_the_source() -> None:
    system = connected("web")
    system["source"]["services"] = []
    system["source"]["cluster"]["serviceConnectDefaults"] = {"namespace": ARN}
    own = ARN.replace("ns-", "ns-own")
    system["target"] = {**systems.system("torn_down")["target"]}
    system["target"]["cluster"] = {**system["target"]["cluster"], "serviceConnectDefaults": {"namespace": own}}
    assert own != ARN
    assert systems.plan(system)["cluster"]["service_connect_namespace"] == own


KNOWN = {"enabled", "namespace", "services", "logConfiguration"}
LATER = st.dictionaries(st.text("abcdefghij", min_size=1, max_size=8).filter(lambda key: key not in KNOWN), st.integers() | st.text(max_size=5), max_size=3)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(LATER, LATER, st.text("abc-_.", min_size=1, max_size=12))
def test_members_that_nobody_knows_yet_survive(outer: Json, inner: Json, name: str) -> None:
    system = connected("web", **inner, discoveryName=name)
    given = system["source"]["services"][0]["deployments"][0]["serviceConnectConfiguration"]
    given.update(outer)
    planned = services(systems.plan(system))["web"]
    assert {key: planned[key] for key in outer} == outer
    (endpoint,) = planned["services"]
    assert {key: endpoint[key] for key in inner} == inner
    assert endpoint["clientAliases"] == [{"port": 80, "dnsName": f"{name}.shop"}]


def test_named_ports_of_all_containers() -> None:
    definition = {"containerDefinitions": [{"portMappings": [{"name": "a", "containerPort": 1}, {"containerPort": 2}]}, {"portMappings": [{"name": "b", "containerPort": 3}]}, {}]}
    assert connect.named_ports(definition) == {"a": 1, "b": 3}
