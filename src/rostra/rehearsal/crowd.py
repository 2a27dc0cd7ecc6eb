"""A crowd: thousands of real connections that join as the player does and check everything they hear."""

import multiprocessing
import resource
import socket
import time
from collections.abc import Callable
from ipaddress import ip_address
from multiprocessing.connection import Connection, wait
from urllib.parse import urlsplit

import msgspec

from rostra.core.errors import BadInputError, RostraError
from rostra.core.limits import DESCRIPTORS_RESERVED
from rostra.rehearsal.crowd_report import CrowdPlan, CrowdReport, Second, Tally, sum_up
from rostra.rehearsal.member import Address, parse_target, share_sizes
from rostra.rehearsal.share import Share

__all__ = ["CrowdPlan", "CrowdReport", "check_target", "run_crowd"]

_Said = Second | Tally
_said = msgspec.json.Decoder(_Said)


def check_target(url: str, *, any_host: bool) -> tuple[Address, str]:
    """Address and path. BadInputError for anything but a conversation, or (without leave) another machine."""
    host, port, path = parse_target(url)
    address = _resolve(host, port)
    if address is None:
        raise BadInputError(f"There is no host {host!r}.")
    if not any_host and not ip_address(address[0]).is_loopback:
        raise BadInputError(f"{host} is not this machine: say --i-own-this-target if it is yours.")
    return address, path


def run_crowd(
    plan: CrowdPlan, *, any_host: bool = False, on_progress: Callable[[int], object] | None = None
) -> CrowdReport:
    """Send the crowd and wait for it. RostraError if this machine cannot hold it.

    `on_progress` is called about once a second with the number of those who have heard something.
    """
    address, path = check_target(plan.url, any_host=any_host)
    sizes = share_sizes(plan.listeners, plan.processes)
    room = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - DESCRIPTORS_RESERVED
    if max(sizes) > room:
        needed = -(-plan.listeners // room)
        raise RostraError(f"A process may hold {room} connections here: use --processes {needed}.")
    context = multiprocessing.get_context("spawn")
    began_s = time.monotonic()
    pipes, processes = [], []
    try:
        for index, size in enumerate(sizes):
            mine, theirs = context.Pipe(duplex=False)
            rate_hz = plan.join_rate_hz * size / plan.listeners
            part = msgspec.structs.replace(plan, listeners=size, join_rate_hz=rate_hz)
            arguments = (part, address, path, index, any_host, theirs)
            process = context.Process(target=_work, args=arguments, name=f"crowd-{index}", daemon=True)
            process.start()
            theirs.close()
            pipes.append(mine)
            processes.append(process)
        tallies = _collect(pipes, on_progress)
        for process in processes:
            process.join()
    finally:
        for process in processes:
            process.terminate()
    return sum_up(plan, tallies, seconds=time.monotonic() - began_s)


def _collect(pipes: list[Connection], on_progress: Callable[[int], object] | None) -> list[Tally]:
    tallies: list[Tally] = []
    heard = dict.fromkeys(pipes, 0)
    open_pipes = list(pipes)
    while open_pipes:
        for pipe in wait(open_pipes):
            assert isinstance(pipe, Connection)
            try:
                said = _said.decode(pipe.recv_bytes())
            except EOFError as error:
                raise RostraError("A process of the crowd died: see its error above.") from error
            if isinstance(said, Tally):
                tallies.append(said)
                open_pipes.remove(pipe)
            else:
                heard[pipe] = said.heard
                if on_progress is not None:
                    on_progress(sum(heard.values()))
    return tallies


def _work(part: CrowdPlan, address: Address, path: str, index: int, any_host: bool, report: Connection) -> None:  # noqa: FBT001
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    share = Share(part, address, path, index=index, allow=lambda url: alternate(url, any_host=any_host))
    tally = share.run(lambda second: report.send_bytes(msgspec.json.encode(second)))
    report.send_bytes(msgspec.json.encode(tally))


def alternate(url: str, *, any_host: bool) -> Address | None:
    """The address of an alternate, if it may be asked."""
    parts = urlsplit(url)
    address = _resolve(parts.hostname, parts.port or 80) if parts.scheme == "http" and parts.hostname else None
    if address is None or any_host or ip_address(address[0]).is_loopback:
        return address
    return None


def _resolve(host: str, port: int) -> Address | None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return None
    # IPv4 first: only there a crowd can leave from many loopback addresses.
    addresses = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)
    return str(addresses[0][4][0]), port
