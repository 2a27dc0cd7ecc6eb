"""The nftables table as `nft -j` takes it (libnftables-json(5)): one set for each length of prefix. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rostra.core.limits import BANS_MAX

TABLE: Final = "rostra"
REFUSED: Final = "refused"
_WHERE: Final = {"family": "inet", "table": TABLE}
# Sets of whole addresses with a mask in the rule, not of intervals: found by a hash, and each has its own end.
_SETS: Final[Mapping[str, tuple[str, str, str]]] = {
    "/32": ("source4", "ipv4_addr", "255.255.255.255"),
    "/24": ("network4", "ipv4_addr", "255.255.255.0"),
    "/64": ("source6", "ipv6_addr", "ffff:ffff:ffff:ffff::"),
    "/48": ("network6", "ipv6_addr", "ffff:ffff:ffff::"),
}

Commands = list[dict[str, Any]]


def made(ports: Sequence[int]) -> Commands:
    """A fresh table. It drops the first packet of connections only: whoever is connected stays connected."""
    table = {"table": {"family": "inet", "name": TABLE}}
    chain = {**_WHERE, "name": "input", "type": "filter", "hook": "input", "prio": -10, "policy": "accept"}
    # Added first, since what is not there cannot be deleted: one that was killed left its table behind.
    commands: Commands = [{"add": table}, {"delete": table}, {"add": table}]
    commands.append({"add": {"counter": {**_WHERE, "name": REFUSED}}})
    commands += [
        {"add": {"set": {**_WHERE, "name": name, "type": kind, "flags": ["timeout"], "size": BANS_MAX}}}
        for name, kind, _ in _SETS.values()
    ]
    commands.append({"add": {"chain": chain}})
    for name, kind, mask in _SETS.values():
        protocol = "ip" if kind == "ipv4_addr" else "ip6"
        expressions = [
            _match({"payload": {"protocol": "tcp", "field": "dport"}}, {"set": sorted(ports)}),
            _match({"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, ["syn", "ack"]]}, "syn"),
            _match({"&": [{"payload": {"protocol": protocol, "field": "saddr"}}, mask]}, f"@{name}"),
            {"counter": REFUSED},
            {"drop": None},
        ]
        commands.append({"add": {"rule": {**_WHERE, "chain": "input", "expr": expressions}}})
    return commands


def filled(bans: Iterable[tuple[str, float]]) -> Commands:
    """All prefixes that are banned now, with the seconds that are left: in one transaction with what was before."""
    elements: dict[str, list[dict[str, Any]]] = {name: [] for name, _, _ in _SETS.values()}
    for prefix, left_s in bans:
        address, slash, length = prefix.partition("/")
        name, _, _ = _SETS[slash + length]
        elements[name].append({"elem": {"val": address, "timeout": max(1, round(left_s))}})
    commands: Commands = [{"flush": {"set": {**_WHERE, "name": name}}} for name in elements]
    commands += [
        {"add": {"element": {**_WHERE, "name": name, "elem": each[:BANS_MAX]}}}
        for name, each in elements.items()
        if each
    ]
    return commands


def removed() -> Commands:
    return [{"delete": {"table": {"family": "inet", "name": TABLE}}}]


def is_kept(prefix: str) -> bool:
    """Whether there is a set for prefixes of this length."""
    return prefix[prefix.find("/") :] in _SETS


def _match(left: dict[str, Any], right: object) -> dict[str, Any]:
    return {"match": {"op": "==", "left": left, "right": right}}
