"""Network interfaces (ENIs) that AWS services own: of load balancers, tasks, databases, caches.

With them DescribeNetworkInterfaces tells who uses an address or a security group, as on AWS, and every part of the lab learns the addresses from
one place. Hold ``aws.lock``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.aws.server import AwsServer


def create(aws: AwsServer, subnet_id: str, groups: Sequence[str], description: str, requester: str) -> Any:
    """A new interface in the subnet, with the subnet's next free address (``.private_ip_address``)."""
    backend = aws.backend("ec2")
    subnet = backend.get_subnet(subnet_id)
    taken = {interface.private_ip_address for interface in backend.enis.values()}
    address = subnet.get_available_subnet_ip(None)
    while address in taken:
        address = subnet.get_available_subnet_ip(None)
    interface = backend.create_network_interface(subnet, address, group_ids=list(groups) or None, description=description)
    interface.status = "in-use"
    interface.requester_managed = True
    interface.requester_id = requester
    return interface


def delete(aws: AwsServer, interface: Any) -> None:
    """Remove the interface; its address is free again. No error when it is gone already."""
    backend = aws.backend("ec2")
    if backend.enis.pop(interface.id, None) is not None:
        for address in interface.private_ip_addresses:
            interface.subnet.del_subnet_ip(address["PrivateIpAddress"])


def using_group(aws: AwsServer, group_id: str) -> Iterator[Any]:
    """Interfaces that carry the security group."""
    for interface in list(aws.backend("ec2").enis.values()):
        if group_id in {group.id for group in interface.group_set}:
            yield interface


def set_groups(aws: AwsServer, interface: Any, groups: Sequence[str]) -> None:
    backend = aws.backend("ec2")
    interface._group_set = [backend.get_security_group_from_id(group) for group in groups]
