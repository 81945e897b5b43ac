"""The lab's data plane for real: namespaces, nftables, HAProxy, DNS and podman, as root, under a lab's name of its own."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest
from integration.lab.usable import NEEDS_LAB
from lab.balancer import haproxy
from lab.balancer.haproxy import Balancer, BalancerConfig, BalancerError, HealthCheck, Listener, Request, Target, TargetGroup, TargetKey
from lab.balancer.haproxy import Rule as ListenerRule
from lab.containers import cgroups, engine
from lab.containers.engine import ContainerSpec, Engine, EngineError, Publish, PullError
from lab.network import namespace
from lab.network.dns import Answer, DnsServer
from lab.network.firewall import Firewall, Rule
from lab.network.namespace import Namespace, Network
from lab.network.process import command_line, processes
from lab.reconcile.volumes import Volumes
from lab.registry import RegistryProcess, free_port
from lab.settings import CLIENT, OPERATOR, RESOLVER, Settings

pytestmark = NEEDS_LAB

HERE = Path(__file__).parent
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop/1"
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
IMAGE = f"{ECR}/test/tiny:v1"
ALLOW_ALL_OUT = [Rule(group, "egress", "-1", None, None, "0.0.0.0/0") for group in ("sg-a", "sg-b")]
DATABASE = ("10.20.3.10", 3306)


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    made = Settings(name="dptest", base_port=free_port() - 1)
    yield made
    for remove_all in (haproxy.remove_all, engine.remove_all, namespace.remove_all):
        remove_all(made)
    for folder in (made.run_dir, made.state_dir):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def network(settings: Settings) -> Iterator[Network]:
    made = Network(settings)
    made.up()
    yield made
    made.down()
    assert made.namespaces() == []


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return met


# Network


def connects(source: Namespace, address: tuple[str, int]) -> bool:
    with source.socket() as made:
        made.settimeout(0.3)
        try:
            made.connect(address)
        except TimeoutError:
            return False
    return True


@pytest.fixture
def members(network: Network) -> Iterator[dict[str, list[str]]]:
    """A database that listens in sg-b, a task in sg-a, a stranger in no group."""
    network.attach("task", ["10.20.1.11"])
    network.attach("stranger", ["10.20.1.12"])
    with network.attach("db", [DATABASE[0]]).socket() as listening:
        listening.bind(DATABASE)
        listening.listen()
        yield {"sg-a": ["10.20.1.11"], "sg-b": [DATABASE[0]]}


def test_a_security_group_admits_whom_its_rules_name(network: Network, members: dict[str, list[str]]) -> None:
    firewall, task, stranger = Firewall(network), network.attach("task", []), network.attach("stranger", [])
    admit = Rule("sg-b", "ingress", "tcp", 3306, 3306, "sg-a")
    firewall.apply(members, ALLOW_ALL_OUT, [OPERATOR, CLIENT])
    assert not connects(task, DATABASE)
    assert firewall.apply(members, [*ALLOW_ALL_OUT, admit], [OPERATOR, CLIENT])
    assert not firewall.apply(members, [admit, *ALLOW_ALL_OUT], [CLIENT, OPERATOR])
    assert connects(task, DATABASE)
    assert not connects(stranger, DATABASE)
    assert not connects(network.client, DATABASE)
    firewall.apply(members, [ALLOW_ALL_OUT[1], admit], [OPERATOR, CLIENT])
    assert not connects(task, DATABASE)
    refused = {(reject.source, reject.destination, reject.port, reject.direction) for reject in firewall.rejects()}
    assert refused == {
        ("10.20.1.11", *DATABASE, "ingress"),
        ("10.20.1.12", *DATABASE, "egress"),
        (CLIENT, *DATABASE, "ingress"),
        ("10.20.1.11", *DATABASE, "egress"),
    }


def test_established_flows_outlive_their_rule(network: Network, members: dict[str, list[str]]) -> None:
    firewall = Firewall(network)
    firewall.apply(members, [*ALLOW_ALL_OUT, Rule("sg-b", "ingress", "tcp", 3307, 3307, "10.20.1.0/24")], [])
    with network.attach("db", []).socket() as listening, network.attach("task", []).socket() as task:
        listening.bind((DATABASE[0], 3307))
        listening.listen()
        task.settimeout(1)
        task.connect((DATABASE[0], 3307))
        accepted = listening.accept()[0]
        firewall.apply(members, ALLOW_ALL_OUT, [])
        task.sendall(b"still here")
        accepted.settimeout(1)
        assert accepted.recv(100) == b"still here"
        accepted.close()
    assert not connects(network.attach("task", []), (DATABASE[0], 3307))


def test_interfaces_are_quick_and_unplug(network: Network) -> None:
    began = time.monotonic()
    made = [network.attach(f"eni-{number:017x}", [f"10.20.1.{number + 20}"]) for number in range(10)]
    assert (time.monotonic() - began) / len(made) < 0.1  # about 0.012 s on an idle machine
    with made[0].socket(kind=socket.SOCK_STREAM) as listening:
        listening.bind(("10.20.1.20", 80))
        listening.listen()
        network.set_link(made[0], up=False)
        assert not connects(made[1], ("10.20.1.20", 80))
        network.set_link(made[0], up=True)
        assert eventually(lambda: connects(made[1], ("10.20.1.20", 80)))
    network.detach("eni-" + "0" * 17)
    network.detach("eni-" + "0" * 17)
    assert network.attach("eni-" + "0" * 17, ["10.20.1.20"]).path.exists()


def test_the_resolver_answers_over_both_transports(network: Network) -> None:
    names = {"shop.example.test": Answer(["10.20.0.10"], ttl=3)}
    server = DnsServer(network.router, RESOLVER, lambda name, _: names.get(name))
    server.start()
    try:
        for ask in (dns.query.udp, dns.query.tcp):
            reply = network.client.call(lambda ask=ask: ask(dns.message.make_query("shop.example.test", "A"), RESOLVER, timeout=2))  # type: ignore[misc]
            assert [str(item) for item in reply.answer[0]] == ["10.20.0.10"]
            assert reply.answer[0].ttl == 3
        missing = network.client.call(lambda: dns.query.udp(dns.message.make_query("php-fpm", "A"), RESOLVER, timeout=2))
        assert missing.rcode() == dns.rcode.NXDOMAIN
        libc = subprocess.run(network.client.resolving_command(["getent", "ahostsv4", "shop.example.test"]), capture_output=True, text=True, check=True)
        assert libc.stdout.startswith("10.20.0.10 ")
        assert [query.client for query in server.log][:3] == [CLIENT] * 3
    finally:
        server.stop()


# Load balancer


class Site:
    """Three targets and a load balancer in front of them."""

    def __init__(self, settings: Settings, network: Network, folder: Path) -> None:
        self.network, self.folder = network, folder
        self.requests: list[Request] = []
        self.targets = [Target(f"10.20.1.{number}", f"10.20.1.{number}", 80) for number in (11, 12, 13)]
        self.servers = {target.id: self._serve(target) for target in self.targets}
        self.balancer = Balancer(settings, network.attach("alb", ["10.20.0.10"]), "shop", ["10.20.0.10"], self.requests.append)

    def _serve(self, target: Target) -> subprocess.Popen[bytes]:
        argv = [sys.executable, str(HERE / "target.py"), target.address, str(target.port), target.id, str(self.sick(target))]
        inside = self.network.attach(f"target-{target.id}", [target.address])
        return subprocess.Popen(inside.command(argv), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def sick(self, target: Target) -> Path:
        return self.folder / f"sick-{target.id}"

    def configure(self, *targets: Target, rules: tuple[ListenerRule, ...] = (), delay: float = 0.5, keep_alive: float = 2, listeners: bool = True) -> None:
        check = HealthCheck(path="/health", interval=0.5, timeout=0.4, healthy=2, unhealthy=2)
        forward = {"Type": "forward", "TargetGroupArn": GROUP}
        listener = Listener("arn:listener", 80, rules=rules, default_actions=[forward])
        group = TargetGroup(GROUP, targets, health_check=check, deregistration_delay=delay)
        self.balancer.configure(
            BalancerConfig([listener] if listeners else [], [group], idle_timeout=3, client_keep_alive=keep_alive, connect_timeout=0.5)
        )

    def state(self, target: Target) -> str | None:
        found = self.balancer.health().get(TargetKey(GROUP, target.id, target.port))
        return found.reason or found.state if found else None

    def becomes(self, target: Target, state: str | None) -> bool:
        return eventually(lambda: self.state(target) == state)

    def get(self, path: str = "/", *options: str) -> tuple[int, dict[str, str], str]:
        argv = ["curl", "-s", "-i", "--max-time", "5", *options, f"http://10.20.0.10{path}"]
        done = subprocess.run(self.network.client.command(argv), capture_output=True, check=False)
        head, _, body = done.stdout.decode().partition("\r\n\r\n")
        status, *fields = head.split("\r\n")
        return int((status.split() or ["", "0"])[1]), {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}, body

    def close(self) -> None:
        self.balancer.stop()
        for server in self.servers.values():
            server.kill()
            server.wait()


@pytest.fixture
def site(settings: Settings, network: Network, tmp_path: Path) -> Iterator[Site]:
    made = Site(settings, network, tmp_path)
    yield made
    made.close()


def test_forwarding_and_the_headers_an_alb_adds(site: Site) -> None:
    first = site.targets[0]
    site.configure(first)
    assert site.state(first) == "Elb.InitialHealthChecking"
    assert site.becomes(first, "healthy")
    status, _, body = site.get("/me", "-H", "X-Forwarded-For: 192.0.2.7", "-H", "X-Amzn-Trace-Id: Root=1-2-3")
    headers = {name.lower(): value for name, value in json.loads(body)["headers"].items()}
    assert status == 200
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"], headers["x-forwarded-port"]) == (f"192.0.2.7, {CLIENT}", "http", "80")
    assert headers["x-amzn-trace-id"].startswith("Self=1-")
    assert headers["x-amzn-trace-id"].endswith(";Root=1-2-3")
    assert eventually(lambda: len(site.requests) == 1)
    request = site.requests[0]
    assert (request.listener, request.group, request.target, request.status, request.target_status, request.path) == (
        "arn:listener",
        GROUP,
        TargetKey(GROUP, first.id, 80),
        200,
        200,
        "/me",
    )


def test_answers_of_the_load_balancer_itself(site: Site) -> None:
    first = site.targets[0]
    redirect = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "100% \"no\" $HOME"}}
    site.configure(
        first,
        rules=(
            ListenerRule(2, [{"Field": "path-pattern", "Values": ["/old/*"]}], [fixed]),
            ListenerRule(1, [{"Field": "host-header", "HostHeaderConfig": {"Values": ["*.EXAMPLE.test"]}}], [redirect]),
        ),
    )
    status, headers, _ = site.get("/old/x?a=b", "-H", "Host: shop.example.test")
    assert (status, headers["server"], headers["location"]) == (301, "awselb/2.0", "https://shop.example.test:443/old/x?a=b")
    status, headers, body = site.get("/old/x")
    assert (status, headers["server"], headers["content-type"], body) == (404, "awselb/2.0", "text/plain; charset=utf-8", '100% "no" $HOME')
    assert site.becomes(first, "healthy")
    assert site.get("/new")[0] == 200


def test_502_refused_503_nobody_504_too_slow(site: Site) -> None:
    first, second, _ = site.targets
    site.configure()
    status, headers, body = site.get()
    assert (status, headers["server"]) == (503, "awselb/2.0")
    assert "503 Service Temporarily Unavailable" in body
    site.configure(first)
    assert site.becomes(first, "healthy")
    site.servers[first.id].kill()
    status, headers, body = site.get()
    assert (status, headers["server"]) == (502, "awselb/2.0")
    assert "502 Bad Gateway" in body
    assert site.becomes(first, "Target.FailedHealthChecks")
    assert site.get()[0] == 502  # fails open, and nobody is there
    site.configure(second)
    assert site.becomes(second, "healthy")
    Firewall(site.network).apply({"sg-alb": ["10.20.0.10"], "sg-t": [second.address]}, [Rule("sg-alb", "ingress", "tcp", 80, 80, "0.0.0.0/0")], [CLIENT])
    assert site.get()[0] == 504
    assert site.becomes(second, "Target.Timeout")


def test_one_pass_makes_a_target_healthy_and_all_unhealthy_fails_open(site: Site) -> None:
    first, second, _ = site.targets
    site.sick(second).touch()
    site.configure(first, second)
    assert site.becomes(first, "healthy")
    assert site.becomes(second, "Target.ResponseCodeMismatch")
    assert {json.loads(site.get()[2])["name"] for _ in range(6)} == {first.id}
    site.sick(first).touch()
    assert site.becomes(first, "Target.ResponseCodeMismatch")
    assert {json.loads(site.get()[2])["name"] for _ in range(6)} == {first.id, second.id}
    site.sick(second).unlink()
    assert site.becomes(second, "healthy")
    assert {json.loads(site.get()[2])["name"] for _ in range(6)} == {second.id}


def test_a_refused_configuration_leaves_the_running_one(site: Site, tmp_path: Path) -> None:
    site.configure(site.targets[0])
    assert site.becomes(site.targets[0], "healthy")
    (tmp_path / "junk.pem").write_text("junk")
    with pytest.raises(BalancerError, match=r"junk\.pem"):
        site.balancer.configure(BalancerConfig([Listener("arn:tls", 443, "HTTPS", [tmp_path / "junk.pem"])]))
    assert site.get()[0] == 200


def test_no_listener_no_door(site: Site) -> None:
    site.configure(site.targets[0])
    assert site.becomes(site.targets[0], "healthy")
    site.configure(site.targets[0], listeners=False)
    assert site.state(site.targets[0]) == "Target.NotInUse"
    assert site.get()[0] == 0


def test_no_request_is_lost_while_targets_are_swapped_and_the_configuration_reloads(site: Site) -> None:
    site.configure(site.targets[0])
    assert site.becomes(site.targets[0], "healthy")
    argv = [sys.executable, str(HERE / "strict_load.py"), "10.20.0.10", "80", "20", "100", "12"]
    load = subprocess.Popen(site.network.client.command(argv), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    swaps = 0
    while load.poll() is None and swaps < 100:
        old, new = site.targets[swaps % 3], site.targets[(swaps + 1) % 3]
        rules = (ListenerRule(1, [{"Field": "path-pattern", "Values": [f"/none-{swaps // 2}"]}], [{"Type": "forward", "TargetGroupArn": GROUP}]),)
        site.configure(old, new, rules=rules)
        assert site.becomes(new, "healthy")
        site.configure(new, rules=rules)
        assert site.state(old) == "Target.DeregistrationInProgress"
        swaps += 1
    result = json.loads(load.communicate()[0])
    assert result["failures"] == []
    assert result["requests"] > 600
    assert swaps >= 5
    assert eventually(lambda: len(site.requests) == result["requests"])


def test_a_drained_target_may_be_stopped_at_once(site: Site) -> None:
    """A request in flight outlasts the delay; the target leaves the list only when nobody needs it."""
    first, second, _ = site.targets
    site.configure(first)
    assert site.becomes(first, "healthy")
    slow = subprocess.Popen(
        site.network.client.command(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://10.20.0.10/slow"]), stdout=subprocess.PIPE, text=True
    )
    time.sleep(0.3)
    site.configure(second, delay=0.1)
    assert site.becomes(first, None)
    site.servers[first.id].kill()
    assert slow.communicate(timeout=5)[0] == "200"


# Containers


@pytest.fixture(scope="module")
def image(settings: Settings) -> Iterator[str]:
    """An image in a registry, by its ECR name: a shell and a few programs of this machine."""
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    with RegistryProcess(settings.name, settings.state_dir / "registry", settings.registry_port, settings.run_dir):
        archive = settings.state_dir / "tiny.tar"
        archive.write_bytes(tiny_root())
        local = f"{settings.registry}/test/tiny:v1"
        store = engine._Store.of_images(settings)
        for arguments in (["import", "--change=STOPSIGNAL SIGQUIT", str(archive), local], ["push", "--tls-verify=false", local], ["rmi", local]):
            done = store.podman(arguments)
            assert done.returncode == 0, done.stderr
        yield f"{ECR}/test/tiny:v1"


def tiny_root() -> bytes:
    programs = [Path("/bin/sh"), Path("/bin/sleep"), Path("/bin/cat"), Path("/bin/dd")]
    listed = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=True).stdout
    libraries = {Path(word) for word in listed.split() if word.startswith("/") and not word.endswith(":")}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", dereference=True) as archive:
        for path in sorted({*programs, *libraries}):
            archive.add(path, str(path).lstrip("/"))
    return packed.getvalue()


@pytest.fixture
def fargate(settings: Settings, image: str) -> Iterator[Engine]:
    made = Engine(settings, "fargate")
    made.pull(image)
    yield made
    made.destroy()
    assert cgroups.members(cgroups.parent(settings.name, "fargate")) == set()


def shell(name: str, script: str, **fields: object) -> ContainerSpec:
    return ContainerSpec(name, IMAGE, command=["/bin/sh", "-c", script], **fields)  # type: ignore[arg-type]


def test_a_container_joins_its_interface_and_writes_its_log(fargate: Engine, network: Network, tmp_path: Path) -> None:
    eni = network.attach("eni", ["10.20.1.30"])
    log = tmp_path / "logs" / "web.log"
    container = fargate.run(shell("web", "cat /etc/resolv.conf /etc/hosts; echo $A >&2; exec sleep 60", environment={"A": "b c"}, hosts={"php-fpm": "10.1.2.3"}, log_path=log), eni)
    state = fargate.inspect(container)
    assert (state.running, state.address, state.exit_code) == (True, "10.20.1.30", None)
    assert state.image_digest == fargate.pull(IMAGE)
    assert fargate.alive(container)
    assert eventually(lambda: "b c" in log.read_text())
    lines = log.read_text()
    assert f"stdout F nameserver {RESOLVER}" in lines
    assert "10.1.2.3\tphp-fpm" in lines
    assert "stderr F b c" in lines
    done = fargate.exec(container, ["sh", "-c", "echo inside; exit 3"])
    assert (done.returncode, done.stdout) == (3, "inside\n")


def test_stopping_uses_the_images_signal_and_then_force(fargate: Engine) -> None:
    polite = fargate.run(shell("polite", "trap 'exit 7' QUIT; while :; do sleep 0.05; done"))
    deaf = fargate.run(shell("deaf", "trap '' QUIT; while :; do sleep 0.05; done"))
    time.sleep(0.3)
    assert fargate.stop(polite, 5).exit_code == 7
    began = time.monotonic()
    state = fargate.stop(deaf, 0.4)
    assert (state.running, state.exit_code, state.oom_killed) == (False, 137, False)
    assert 0.4 <= time.monotonic() - began < 3
    assert not fargate.alive(deaf)
    fargate.remove(deaf)
    fargate.remove(deaf)
    assert set(fargate.states()) == {polite}


def test_a_paused_container_can_be_stopped(fargate: Engine) -> None:
    container = fargate.run(shell("frozen", "trap 'exit 0' QUIT; while :; do sleep 0.05; done"))
    time.sleep(0.3)
    fargate.pause(container)
    assert fargate.inspect(container).paused
    assert fargate.stop(container, 5).exit_code == 0


def test_the_memory_limit_kills_and_is_told_from_other_kills(fargate: Engine) -> None:
    container = fargate.run(ContainerSpec("greedy", IMAGE, command=["/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=200M"], memory_mib=16))
    assert eventually(lambda: not fargate.alive(container))
    state = fargate.inspect(container)
    assert (state.exit_code, state.oom_killed) == (137, True)


def test_containers_share_a_directory_and_what_one_takes_from_another(fargate: Engine, settings: Settings) -> None:
    """An EBS volume, one that is filled from the image, and the limit of open files; nothing stays."""
    volumes = [{"name": "data", "configuredAtLaunch": True}, {"name": "filled", "host": {}}]
    made = Volumes(settings, fargate, "0123456789abcdef", "", volumes)
    points = [{"sourceVolume": "data", "containerPath": "/data"}, {"sourceVolume": "filled", "containerPath": "/bin"}]
    mounts = made.mounts({"name": "a", "mountPoints": points}, {"/bin"})
    writer = fargate.run(shell("writer", "echo hi > /data/file; exec sleep 60", mounts=mounts, ulimits={"nofile": (512, 1024)}))
    reader = fargate.run(shell("reader", "exec sleep 60", volumes_from=["writer:ro"]))
    assert eventually(lambda: fargate.exec(reader, ["/bin/sh", "-c", "read x < /data/file && echo $x"]).stdout == "hi\n")
    assert fargate.exec(reader, ["/bin/sh", "-c", "echo no > /data/file"]).returncode != 0
    limits = fargate.exec(writer, ["cat", "/proc/1/limits"]).stdout
    assert next(line.split()[3:5] for line in limits.splitlines() if line.startswith("Max open files")) == ["512", "1024"]
    for container in (reader, writer):
        fargate.remove(container)
    made.remove()
    assert not (settings.state_dir / "volumes" / "0123456789abcdef").exists()
    assert fargate.declared_volumes(IMAGE) == set()
    made.remove()


def test_what_cannot_start_says_why(fargate: Engine) -> None:
    with pytest.raises(EngineError, match="no such file"):
        fargate.run(ContainerSpec("wrong", IMAGE, command=["/no/such"]))
    assert fargate.states() == {}
    with pytest.raises(PullError, match=rf"{ECR}/test/tiny: manifest unknown"):
        fargate.pull(IMAGE.replace("v1", "v2"))
    with pytest.raises(PullError, match="nginx:latest"):
        fargate.pull("nginx:latest")


def test_an_instance_maps_ports_of_its_bridge(settings: Settings, image: str, network: Network) -> None:
    instance = network.attach("i-0a", ["10.20.2.21"])
    bridge = Engine(settings, "i-0a", instance, "bridge")
    bridge.pull(image)
    state = bridge.inspect(bridge.run(shell("web", "exec sleep 60", publish=[Publish("10.20.2.21", 0, 80)])))
    (port,) = state.ports
    assert port.host_port >= 32768
    with pytest.raises(ConnectionRefusedError):  # through to the container, where nothing listens
        connects(network.client, ("10.20.2.21", port.host_port))
    bridge.destroy()
    assert not (settings.state_dir / "engines" / "i-0a").exists()


def test_nothing_is_left_of_a_killed_lab(settings: Settings, image: str) -> None:
    """The test makes what a lab makes and forgets it, like a lab that was killed; only the name is left to find it by."""
    network = Network(settings)
    network.up()
    bridge = Engine(settings, "i-0b", network.attach("i-0b", ["10.20.2.22"]), "bridge")
    bridge.pull(image)
    bridge.run(shell("web", "exec sleep 60", publish=[Publish("10.20.2.22", 0, 80)]))
    balancer = Balancer(settings, network.attach("alb", ["10.20.0.10"]), "left", ["10.20.0.10"])
    balancer.configure(BalancerConfig([Listener("arn:l", 80, default_actions=[{"Type": "forward", "TargetGroupArn": GROUP}])], [TargetGroup(GROUP)]))
    balancer._stopping.set()
    before = set(os.listdir("/run/netns"))
    haproxy.remove_all(settings)
    engine.remove_all(settings)
    namespace.remove_all(settings)
    mark = (f"{settings.state_dir}/engines/", f"{settings.run_dir}/alb/")
    assert [pid for pid in processes() if any(word.startswith(mark) for word in command_line(pid))] == []
    assert [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(settings.state_dir / "engines") in line] == []
    assert not [name for name in os.listdir("/run/netns") if name.startswith("dptest-")]
    assert any(name.startswith("netns-") for name in before - set(os.listdir("/run/netns")))  # the container's own
    assert not [folder for hierarchy in cgroups.hierarchies() for folder in hierarchy.glob("cutover-dptest*")]
    assert not (settings.state_dir / "engines").exists()
