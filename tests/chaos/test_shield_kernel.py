"""`rostra shield` in the kernel: a banned address is really dropped, and the ban really ends."""

import subprocess
import sys
from pathlib import Path

import machine
from rostra.shield.machine import lacks

SCRIPT = Path(__file__).with_name("namespace_shield.py")


def test_a_banned_address_is_dropped_until_its_ban_ends_and_who_is_connected_stays() -> None:
    namespace = [machine.require("unshare"), "--map-root-user", "--net"]
    machine.require("nft")
    machine.require("ip")
    if subprocess.run([*namespace, "true"], check=False, capture_output=True).returncode:
        machine.lacks("a network namespace", "sysctl -w kernel.unprivileged_userns_clone=1")
    ran = subprocess.run(
        [*namespace, sys.executable, SCRIPT], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_what_a_machine_lacks_is_told_as_commands() -> None:
    poor = {
        "net/ipv4/tcp_syncookies": "0\n",
        "net/core/somaxconn": "128\n",
        "net/ipv4/tcp_max_syn_backlog": "512\n",
        "net/ipv4/ip_local_port_range": "32768\t40000\n",
        "net/netfilter/nf_conntrack_max": "65536\n",
        "net/ipv4/tcp_available_ulp": "espintcp mptcp\n",
    }
    commands = [lack.command for lack in lacks(poor.get, descriptors=1_024, workers=4, encrypts=True)]
    assert commands == [
        "sysctl -w net.ipv4.tcp_syncookies=1",
        "sysctl -w net.core.somaxconn=16384",
        "sysctl -w net.ipv4.tcp_max_syn_backlog=16384",
        'sysctl -w net.ipv4.ip_local_port_range="16384 65000"',
        "sysctl -w net.netfilter.nf_conntrack_max=320000",
        "ulimit -n 20000",
        "modprobe tls",
    ]
    assert not list(lacks({}.get, descriptors=20_000, workers=4, encrypts=False))
