"""Load balancers of the API -> HAProxy, and target health back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.aws import observed
from lab.balancer.haproxy import Balancer
from lab.balancer.model import BalancerConfig, HealthCheck, Listener, Request, Rule, Stickiness, Target, TargetGroup
from lab.reconcile.world import HostName, World, log

OnRequest = Callable[[str, Request], None]
FLOOR = 1.0  # waits do not get shorter than this
CHECK_INTERVAL_FLOOR = 1.5  # health checks do not get more frequent, nor less patient: two busy cores are slower than AWS's hardware,
CHECK_TIMEOUT_FLOOR = 4.0  # and a task that is only slow must not be replaced
IDLE_FLOOR = 15.0  # an answer may take this long in the lab, whatever the time factor


@dataclass
class _Runtime:
    arn: str
    name: str
    dns_name: str
    addresses: list[str]
    born: float
    balancer: Balancer | None = None
    config: BalancerConfig | None = None
    reported: set[observed.TargetKey] = field(default_factory=set)

    @property
    def namespace(self) -> str:
        """Network names are short: the id at the end of the ARN."""
        return f"elb-{self.arn.rpartition('/')[2][:16]}"


class LoadBalancers:
    """Provisioning takes AWS's time (nothing listens before), then the real configuration follows the API's at every tick."""

    name = "balancers"

    def __init__(self, world: World, on_request: OnRequest) -> None:
        self._world = world
        self._on_request = on_request
        self._running: dict[str, _Runtime] = {}

    def tick(self) -> None:
        with self._world.state():
            wanted = {arn: load_balancer for arn, load_balancer in self._world.backend("elbv2").load_balancers.items() if load_balancer.type == "application"}
            for arn, load_balancer in wanted.items():
                if arn not in self._running:
                    self._running[arn] = self._announce(load_balancer)
            configs = {arn: self._config(load_balancer) for arn, load_balancer in wanted.items()}
        due = time.monotonic() - self._world.scaled(self._world.settings.times.load_balancer_provisioning)
        for arn, runtime in list(self._running.items()):
            if arn not in wanted:
                self._world.work(f"remove {arn}", lambda runtime=runtime: self._remove(runtime))  # type: ignore[misc]
            elif runtime.balancer is None and runtime.born <= due:
                self._world.work(f"create {arn}", lambda runtime=runtime: self._create(runtime))  # type: ignore[misc]
            elif runtime.balancer is not None:
                self._follow(runtime, runtime.balancer, configs[arn])

    def stop(self) -> None:
        for runtime in list(self._running.values()):
            self._remove(runtime)

    def _announce(self, load_balancer: Any) -> _Runtime:
        """One address per subnet; the name answers as soon as the load balancer exists, nothing listens yet."""
        addresses = [str(interface.private_ip_address) for interface in load_balancer.interfaces]
        runtime = _Runtime(load_balancer.arn, load_balancer.name, load_balancer.dns_name.lower(), addresses, time.monotonic())
        self._world.hosts[runtime.dns_name] = HostName(tuple(runtime.addresses), self._world.alias_ttl())
        return runtime

    def _create(self, runtime: _Runtime) -> None:
        namespace = self._world.network.attach(runtime.namespace, runtime.addresses)
        runtime.balancer = Balancer(
            self._world.settings, namespace, runtime.namespace, runtime.addresses, lambda request: self._on_request(runtime.arn, request)
        )
        with self._world.state():
            self._world.observed.load_balancer_state[runtime.arn] = "active"
        log.info("load balancer %s is active at %s", runtime.name, ", ".join(runtime.addresses))

    def _follow(self, runtime: _Runtime, balancer: Balancer, config: BalancerConfig) -> None:
        if config != runtime.config:
            balancer.configure(config)
            runtime.config = config
        found = {(key.group, key.id, key.port): observed.Health(health.state, health.reason or "", health.description or "") for key, health in balancer.health().items()}
        groups = {group.key for group in config.target_groups}
        with self._world.state():
            target_health = self._world.observed.target_health
            for key in [key for key in target_health if key not in found and (key[0] in groups or key in runtime.reported)]:
                del target_health[key]
            target_health.update(found)
        runtime.reported = set(found)

    def _remove(self, runtime: _Runtime) -> None:
        if self._running.pop(runtime.arn, None) is None:
            return
        if runtime.balancer is not None:
            runtime.balancer.stop()
        self._world.network.detach(runtime.namespace)
        self._world.hosts.pop(runtime.dns_name, None)
        with self._world.state():
            self._world.observed.load_balancer_state.pop(runtime.arn, None)
            for key in runtime.reported:
                self._world.observed.target_health.pop(key, None)
        log.info("load balancer %s is gone", runtime.name)

    # -- API objects -> configuration

    def _config(self, load_balancer: Any) -> BalancerConfig:
        attributes = {key: str(value) for key, value in load_balancer.attrs.items()}
        listeners = [self._listener(listener) for listener in load_balancer.listeners.values()]
        groups = [self._group(arn) for arn in _groups_of(listeners)]
        return BalancerConfig(
            listeners=tuple(listeners),
            target_groups=tuple(group for group in groups if group),
            idle_timeout=self._world.scaled(float(attributes.get("idle_timeout.timeout_seconds", 60)), IDLE_FLOOR),
            client_keep_alive=self._world.scaled(float(attributes.get("client_keep_alive.seconds", 3600)), FLOOR),
            http2=attributes.get("routing.http2.enabled", "true") == "true",
            xff_mode=attributes.get("routing.http.xff_header_processing.mode", "append"),
        )

    def _listener(self, listener: Any) -> Listener:
        rules = [rule for rule in listener.rules.values() if not rule.is_default]
        return Listener(
            key=listener.arn,
            port=int(listener.port),
            protocol=listener.protocol,
            certificates=tuple(path for path in map(self._pem, listener.certificates) if path),
            rules=tuple(Rule(int(rule.priority), tuple(rule.conditions), _actions(rule.actions)) for rule in sorted(rules, key=lambda item: int(item.priority))),
            default_actions=_actions(listener.default_actions),
        )

    def _pem(self, arn: Any) -> Path | None:
        """Certificate, chain and key of an ACM certificate as HAProxy reads them: one file, written again only when it differs."""
        certificate = self._world.backend("acm")._certificates.get(arn if isinstance(arn, str) else arn.get("CertificateArn", ""))
        if certificate is None:
            return None
        folder = self._world.settings.run_dir / "certificates"
        path = folder / f"{certificate.arn.rpartition('/')[2]}.pem"
        content = b"\n".join(part.strip() for part in (certificate.cert, certificate.key)) + b"\n"
        if not path.exists() or path.read_bytes() != content:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o600)
        return path

    def _group(self, arn: str) -> TargetGroup | None:
        group = self._world.backend("elbv2").target_groups.get(arn)
        if group is None:
            return None
        attributes = {key: str(value) for key, value in group.attributes.items()}
        targets = [self._target(item) for item in group.targets.values()]
        return TargetGroup(
            key=arn,
            targets=tuple(target for target in targets if target),
            protocol=group.protocol,
            protocol_version=group.protocol_version or "HTTP1",
            health_check=self._health_check(group),
            deregistration_delay=self._world.scaled(float(attributes.get("deregistration_delay.timeout_seconds", 300)), FLOOR),
            stickiness=_stickiness(attributes),
            algorithm=attributes.get("load_balancing.algorithm.type", "round_robin"),
        )

    def _target(self, item: dict[str, Any]) -> Target | None:
        identity = item["Id"]
        address = self._world.instance_address.get(identity) if identity.startswith("i-") else identity
        return Target(identity, address, int(item["Port"])) if address else None

    def _health_check(self, group: Any) -> HealthCheck:
        port = group.health_check_port
        return HealthCheck(
            protocol=group.health_check_protocol or "HTTP",
            port=int(port) if str(port).isdigit() else None,
            path=group.health_check_path or "/",
            interval=self._world.scaled(float(group.health_check_interval_seconds), CHECK_INTERVAL_FLOOR),
            timeout=self._world.scaled(float(group.health_check_timeout_seconds), CHECK_TIMEOUT_FLOOR),
            healthy=int(group.healthy_threshold_count),
            unhealthy=int(group.unhealthy_threshold_count),
            matcher=str((getattr(group, "matcher", None) or {}).get("HttpCode", "200")),
        )


def _groups_of(listeners: Iterable[Listener]) -> list[str]:
    """Groups that some action of a load balancer forwards to, in a stable order."""
    arns = {arn for listener in listeners for actions in (listener.default_actions, *(rule.actions for rule in listener.rules)) for arn in forwarded(actions)}
    return sorted(arns)


def forwarded(actions: Iterable[Any]) -> list[str]:
    """Target groups that these actions forward to."""
    arns = []
    for action in actions:
        if action.get("Type") == "forward":
            groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
            arns += [item["TargetGroupArn"] for item in groups] or [action["TargetGroupArn"]]
    return arns


def _actions(actions: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(getattr(action, "data", action) for action in actions)


def _stickiness(attributes: dict[str, str]) -> Stickiness | None:
    if attributes.get("stickiness.enabled") != "true":
        return None
    kind = attributes.get("stickiness.type", "lb_cookie")
    seconds = attributes.get(f"stickiness.{kind}.duration_seconds", "86400")
    return Stickiness(kind, float(seconds), attributes.get("stickiness.app_cookie.cookie_name", ""))
