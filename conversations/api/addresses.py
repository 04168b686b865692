"""Who is on the other end: the client's address, behind as many proxies as are trusted.

`X-Forwarded-For` is a list that every proxy appends to, so only what trusted proxies appended is worth anything: from
the right, the first address that is not a trusted proxy's own is the client. Everything left of it anybody could write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Networks = tuple[Network, ...]

UNKNOWN = "unknown"
"""The address of a peer without one (a Unix socket) or with one that is none."""

MAX_HOPS = 32
CLIENT_PREFIX = 64
"""One IPv6 customer has at least this network to himself, and may change the rest of his address at will."""

LONGEST = 100
"""Characters of an address, with its port and all that may be around it."""

NAT64 = IPv6Network("64:ff9b::/96")


def client_address(peer: str, forwarded_for: str | None, trusted: Networks) -> str:
    """The client's address as limits count it: an IPv4 address, or the /64 network of an IPv6 one.

    peer:          the address the connection came from
    forwarded_for: the value of `X-Forwarded-For`, several ones joined by commas
    trusted:       networks of the proxies whose word is believed

    What cannot be read ends the search: the nearest proxy that was understood then counts as the client.
    """
    nearest = parse_address(peer)
    if nearest is None:
        return UNKNOWN
    for hop in reversed((forwarded_for or "").rsplit(",", MAX_HOPS)):
        if not _is_in(nearest, trusted):
            break
        further = parse_address(hop)
        if further is None:
            break
        nearest = further
    return _counted(nearest)


def address_of(meta: Mapping[str, Any]) -> str:
    """The client's address of a request's `META`."""
    return client_address(meta.get("REMOTE_ADDR") or "", meta.get("HTTP_X_FORWARDED_FOR"), trusted_proxies())


def trusted_proxies() -> Networks:
    return parse_networks(tuple(settings.TRUSTED_PROXIES))


@lru_cache(maxsize=8)
def parse_networks(networks: Iterable[str | Network]) -> Networks:
    """Raises ValueError for what is neither an address nor a network."""
    return tuple(ip_network(str(network), strict=False) for network in networks)


def parse_address(text: str) -> Address | None:
    """An address as proxies write it (`192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`), or None.

    IPv4 carried in IPv6 (mapped, or translated by a NAT64) comes out as the IPv4 address it stands for.
    """
    return _parsed(text) if len(text) <= LONGEST else None


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Address | None:
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return _unwrapped(address)


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address


def _is_in(address: Address, networks: Networks) -> bool:
    return any(address in network for network in networks)


def _counted(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, CLIENT_PREFIX), strict=False))
