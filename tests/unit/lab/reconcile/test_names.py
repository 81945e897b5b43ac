"""DNS answers from record sets."""

from __future__ import annotations

from collections import Counter

from lab.network.dns import Answer
from lab.reconcile.names import Record, answer
from lab.reconcile.world import HostName

OLD, NEW = HostName(("10.0.0.1", "10.0.1.1"), 3), HostName(("10.0.0.2",), 3)
HOSTS = {"old.elb.amazonaws.com": OLD, "new.elb.amazonaws.com": NEW}


def ask(records: list[Record], name: str, kind: str = "A", hosts: dict[str, HostName] | None = None) -> Answer | None:
    return answer(name, kind, {"Z1": tuple(records)}, HOSTS if hosts is None else hosts, lambda seconds: seconds)


def alias(target: str, weight: int | None = None, kind: str = "A") -> Record:
    return Record("shop.example.test", kind, alias=target, weight=weight)


def test_alias_follows_the_load_balancer_with_its_own_ttl() -> None:
    found = ask([alias("old.elb.amazonaws.com")], "Shop.Example.Test.")
    assert found is not None
    assert (tuple(found.addresses), found.ttl) == (OLD.addresses, 3)


def test_dualstack_prefix_is_the_same_load_balancer() -> None:
    found = ask([alias("dualstack.new.elb.amazonaws.com")], "shop.example.test")
    assert found is not None
    assert tuple(found.addresses) == NEW.addresses


def test_unknown_name_does_not_exist() -> None:
    assert ask([alias("old.elb.amazonaws.com")], "php-fpm") is None


def test_known_name_without_that_type_is_empty() -> None:
    found = ask([alias("old.elb.amazonaws.com"), alias("old.elb.amazonaws.com", kind="AAAA")], "shop.example.test", "AAAA")
    assert found is not None
    assert not found.addresses
    assert ask([alias("old.elb.amazonaws.com")], "shop.example.test", "MX") == Answer(addresses=(), ttl=0)


def test_alias_of_a_load_balancer_that_is_gone_is_empty_not_unknown() -> None:
    found = ask([alias("old.elb.amazonaws.com")], "shop.example.test", hosts={})
    assert found is not None
    assert not found.addresses


def test_weighted_sets_share_by_weight() -> None:
    records = [alias("old.elb.amazonaws.com", 90), alias("new.elb.amazonaws.com", 10)]
    seen = Counter(tuple(found.addresses) for _query in range(2000) if (found := ask(records, "shop.example.test")))
    assert 1700 < seen[OLD.addresses] < 1900


def test_weight_zero_gets_nothing_unless_all_are_zero() -> None:
    zero, all_zero = [alias("old.elb.amazonaws.com", 0), alias("new.elb.amazonaws.com", 1)], [alias("old.elb.amazonaws.com", 0), alias("new.elb.amazonaws.com", 0)]
    assert {tuple(found.addresses) for _query in range(100) if (found := ask(zero, "shop.example.test"))} == {NEW.addresses}
    assert {tuple(found.addresses) for _query in range(100) if (found := ask(all_zero, "shop.example.test"))} == {OLD.addresses, NEW.addresses}


def test_cname_and_plain_records() -> None:
    records = [Record("www.example.test", "CNAME", ("shop.example.test.",), 300), Record("plain.example.test", "A", ("192.0.2.1",), 60)]
    assert ask(records, "www.example.test") == Answer(cname="shop.example.test", ttl=300)
    assert ask(records, "plain.example.test") == Answer(addresses=("192.0.2.1",), ttl=60)


def test_an_alias_to_itself_ends() -> None:
    found = ask([alias("shop.example.test")], "shop.example.test")
    assert found is not None
    assert not found.addresses
