"""Which addresses the site asks at a stranger's word: web servers on the open internet, and no other."""

from ipaddress import ip_address

import pytest

from rostra.site.outbound import is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1",
        "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
        "::1", "::", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "2001:0:7f00:1::1",
    ],
)  # fmt: skip
def test_what_is_not_on_the_open_internet_is_not_asked(address: str) -> None:
    assert not is_public(ip_address(address), 443)


def test_a_public_address_is_asked_on_the_webs_ports_only() -> None:
    for address in ("1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"):
        assert is_public(ip_address(address), 80)
        assert is_public(ip_address(address), 443)
        assert not is_public(ip_address(address), 22)
