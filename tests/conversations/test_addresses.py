from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from conversations.api.addresses import UNKNOWN, address_of, client_address, parse_networks

LOOPBACK = parse_networks(("127.0.0.1", "10.0.0.0/8", "2001:db8:ff::/48"))
ADDRESSES = st.ip_addresses().map(str)


def test_it_takes_the_peer_where_nobody_is_trusted() -> None:
    assert client_address("192.0.2.1", "198.51.100.7", ()) == "192.0.2.1"


def test_it_takes_the_peer_that_is_no_proxy() -> None:
    assert client_address("192.0.2.1", "198.51.100.7", LOOPBACK) == "192.0.2.1"


def test_it_believes_a_trusted_proxy() -> None:
    assert client_address("127.0.0.1", "198.51.100.7", LOOPBACK) == "198.51.100.7"


def test_it_ignores_what_the_client_wrote_itself() -> None:
    assert client_address("127.0.0.1", "1.1.1.1, 198.51.100.7, 10.1.2.3", LOOPBACK) == "198.51.100.7"


def test_it_takes_the_farthest_where_all_are_trusted() -> None:
    assert client_address("127.0.0.1", "10.9.9.9,10.1.2.3", LOOPBACK) == "10.9.9.9"


def test_it_takes_the_proxy_that_sent_no_header() -> None:
    assert client_address("127.0.0.1", None, LOOPBACK) == "127.0.0.1"


def test_it_counts_an_ipv6_client_by_its_network() -> None:
    assert client_address("2001:db8:1:2:3:4:5:6", None, ()) == "2001:db8:1:2::/64"


@pytest.mark.parametrize("peer", ["::ffff:192.0.2.1", "64:ff9b::192.0.2.1", "::FFFF:C000:0201"])
def test_it_unwraps_ipv4_carried_in_ipv6(peer: str) -> None:
    assert client_address(peer, None, ()) == "192.0.2.1"


def test_it_trusts_a_proxy_whose_address_is_mapped() -> None:
    assert client_address("::ffff:10.0.0.1", "198.51.100.7", LOOPBACK) == "198.51.100.7"


@pytest.mark.parametrize(
    ("written", "client"),
    [
        ("198.51.100.7:4711", "198.51.100.7"),
        ("[2001:db8:1:2::3]:4711", "2001:db8:1:2::/64"),
        ('"[2001:db8:1:2::3]"', "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("  198.51.100.7\t", "198.51.100.7"),
    ],
)
def test_it_reads_what_proxies_write(written: str, client: str) -> None:
    assert client_address("127.0.0.1", written, LOOPBACK) == client


@pytest.mark.parametrize("garbage", ["unknown", "", "999.1.1.1", "1.1.1.1 1.1.1.1", "_hidden", "\x00"])
def test_it_stops_at_what_it_cannot_read(garbage: str) -> None:
    assert client_address("127.0.0.1", f"198.51.100.7, {garbage}, 10.0.0.9", LOOPBACK) == "10.0.0.9"


def test_it_follows_no_endless_list_of_proxies() -> None:
    assert client_address("127.0.0.1", "198.51.100.7," + "10.0.0.1," * 50 + "10.0.0.2", LOOPBACK) == "10.0.0.1"


def test_it_names_a_peer_without_an_address_unknown() -> None:
    assert client_address("", "198.51.100.7", LOOPBACK) == UNKNOWN


def test_it_reads_the_meta_of_a_request(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.0/8"]
    assert address_of({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.7"}) == "198.51.100.7"


@given(peer=st.text() | ADDRESSES, header=st.none() | st.text() | st.lists(ADDRESSES | st.text()).map(",".join))
def test_it_tolerates_anything(peer: str, header: str | None) -> None:
    client = client_address(peer, header, LOOPBACK)
    assert client == UNKNOWN or ip_network(client)


@given(invented=st.lists(ADDRESSES | st.text(), max_size=40).map(",".join), client=st.ip_addresses(v=4).map(str))
def test_it_cannot_be_told_another_address_by_the_client(invented: str, client: str) -> None:
    """Whatever the client sends, the trusted proxy appends what it saw."""
    trusted = parse_networks(("2001:db8::1",))
    assert client_address("2001:db8::1", f"{invented},{client}", trusted) == client


@given(peer=ADDRESSES, header=st.text())
def test_it_takes_no_word_from_a_stranger(peer: str, header: str) -> None:
    assert client_address(peer, header, ()) == client_address(peer, None, ())


@given(host=st.integers(0, 2**64 - 1))
def test_it_gives_a_customer_of_ipv6_one_identity(host: int) -> None:
    address = str(ip_network("2001:db8:1:2::/64")[host])
    assert client_address(address, None, ()) == "2001:db8:1:2::/64"
