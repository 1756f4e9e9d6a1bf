"""Which addresses a webhook may reach. In: an IP address. Out: whether it is a public one, whatever it is wrapped in."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

WRAPPED = tuple(
    IPv6Network(one)
    for one in (
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "fec0::/10",  # site-local, deprecated
    )
)
"""Forms of IPv6 that carry an IPv4 address or a site's own: `is_global` says yes to some of them. No public server needs one."""


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet: not private, loopback, link-local, shared, multicast, reserved or wrapped.

    >>> is_public("93.184.216.34"), is_public("169.254.169.254"), is_public("64:ff9b::7f00:1"), is_public("100.100.100.200")
    (True, False, False, False)
    """
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and (address.scope_id or any(address in one for one in WRAPPED)):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
