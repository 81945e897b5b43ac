"""What goes to zero and what is deleted of the source, and what must stay because others use it."""

from __future__ import annotations

from unit.plugins.module_utils._translate import systems

OWN = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def test_instances_that_others_use_are_left_alone() -> None:
    system = systems.system()
    system["source"]["other_services"] = ["blog"]
    plan = systems.plan(system)
    assert plan["scale_in"]["auto_scaling_groups"] == []
    kept = {"cluster", "capacity_provider", "auto_scaling_group", "launch_template", "security_group", "ingress_rule"}
    assert not kept & {item["kind"] for item in plan["teardown"]["items"]}


def test_the_repository_of_an_image_that_was_used_as_it_is_is_not_deleted() -> None:
    """The plan names the derived image of every candidate; the role taskdef registered the source's, because nothing in it needed a change."""
    system = systems.system("scaled_in")
    assert "shop/nginx" in {item["name"] for item in systems.plan(system)["teardown"]["items"]}
    source = systems.containers(system)["nginx"]["image"]
    for service in system["target"]["services"]:
        for container in service["TaskDefinition"]["containerDefinitions"]:
            if container["name"] == "nginx":
                container["image"] = source
    assert "shop/nginx" not in {item["name"] for item in systems.plan(system)["teardown"]["items"]}


def test_agents_of_the_instances_are_no_services_to_be_moved() -> None:
    """AWS takes no number of tasks for a DAEMON service: it goes with the instances, and before the cluster when that is deleted."""
    plan = systems.plan(systems.system("agents_and_daemons"))
    named = {"source": plan["source"]["services"], "scale_in": [item["name"] for item in plan["scale_in"]["services"]]}
    assert named == {"source": ["cron", "web", "worker"], "scale_in": ["cron", "web", "worker"]}
    assert "agent" not in {item["name"] for item in plan["verify"]["source"]["services"]}
    assert "agent" in {item["name"] for item in plan["teardown"]["items"] if item["kind"] == "service"}


def test_agents_do_not_keep_a_source_from_being_scaled_in() -> None:
    system = systems.system("scaled_in")
    system["source"]["services"].append({**system["source"]["services"][1], "serviceName": "agent", "schedulingStrategy": "DAEMON", "desiredCount": 1})
    assert systems.plan(system)["phase"] == "scaled_in"


def test_a_repository_that_the_target_still_pulls_from_is_not_deleted() -> None:
    system = systems.system()
    systems.containers(system)["php-fpm"]["image"] = f"{OWN}/shop/nginx:other"
    assert "repository" not in {item["kind"] for item in systems.plan(system)["teardown"]["items"]}


def test_old_log_groups_are_kept_unless_the_inventory_says_so() -> None:
    assert "log_group" not in {item["kind"] for item in systems.plan()["teardown"]["items"]}
    items = systems.plan(None, teardown_log_groups=True)["teardown"]["items"]
    assert [item["name"] for item in items if item["kind"] == "log_group"] == ["/ecs/shop"]


def test_the_load_balancers_groups_are_never_deleted() -> None:
    system = systems.system()
    system["source"]["security_groups"]["tasks"].append(system["source"]["security_groups"]["load_balancer"][0])
    assert [item["id"] for item in systems.plan(system)["teardown"]["items"] if item["kind"] == "security_group"] == ["sg-0inst"]


def test_what_was_scaled_in_comes_back_whoever_moved_in_since() -> None:
    """A service or a schedule that somebody added later must not keep the instances away from a rollback, and a second scale-in leaves theirs alone."""
    system = systems.system("scaled_in")
    system["source"]["other_services"] = ["blog"]
    groups = systems.plan(system)["scale_in"]["auto_scaling_groups"]
    assert groups
    assert all(group["restore_only"] and group["desired_capacity"] for group in groups)
    system["source"]["capacity"]["auto_scaling_groups"][0]["Tags"].pop("cutover:capacity")
    assert systems.plan(system)["scale_in"]["auto_scaling_groups"] == []


def test_instances_stay_while_schedules_cannot_be_read() -> None:
    """A nightly job that discovery must not see would have nowhere to run."""
    system = systems.system("cut_over")
    assert systems.plan(system)["scale_in"]["auto_scaling_groups"]
    system["problems"] = [{"id": "not-readable", "path": "source.scheduled_tasks", "message": "AWS refused ListSchedules: AccessDeniedException"}]
    plan = systems.plan(system)
    assert plan["scale_in"]["auto_scaling_groups"] == []
    assert not {"cluster", "auto_scaling_group", "task_definition"} & {item["kind"] for item in plan["teardown"]["items"]}
