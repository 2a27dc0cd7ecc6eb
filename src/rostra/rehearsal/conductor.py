"""Conducts a rehearsal: the swarm comes, attackers come, things break, each at its instant; then all is judged."""

import asyncio
import http.client
import multiprocessing
import sys
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import msgspec

from rostra.core.errors import BadInputError, RostraError
from rostra.rehearsal.attackers import KINDS, Target, addresses_of
from rostra.rehearsal.certificate import Episode
from rostra.rehearsal.crowd_report import Tally
from rostra.rehearsal.faults import inflict
from rostra.rehearsal.member import answers, parse_target
from rostra.rehearsal.muster import Begun, Muster, Word, lines
from rostra.rehearsal.own_system import OwnSystem
from rostra.rehearsal.script import Attack, Fault

_LINE_BYTES_MAX: Final = 256 * 1024 * 1024  # a tally of a million listeners, both ends of each figure

_JOIN_S: Final = 5.0
_ATTACKERS_FROM: Final = "127.240"


@dataclass
class Course:
    """What was said and done."""

    words: list[Word] = field(default_factory=list)
    faults: list[tuple[Fault, Episode]] = field(default_factory=list)
    attacks: list[tuple[Attack, Episode]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def tallies(self) -> list[Tally]:
        return [word.said for word in self.words if isinstance(word.said, Tally)]


async def conduct(muster: Muster, own: OwnSystem | None, on_word: Callable[[Word], object]) -> Course:
    """Send the crowd of `muster` and let break what its script says. RostraError if the crowd itself dies."""
    course = Course()
    began_s = time.monotonic()
    async with _swarm(muster) as said, asyncio.TaskGroup() as tasks:
        inflicting = []
        async for line in said:
            match line:
                case Begun(at=at):
                    inflicting = [
                        tasks.create_task(_befall(fault, own, at, course), name=f"fault {fault.kind}")
                        for fault in muster.script.faults
                    ]
                    inflicting += [
                        tasks.create_task(_besiege(attack, muster.url, at, course), name=f"attack {attack.kind}")
                        for attack in muster.script.attacks
                    ]
                case Word():
                    course.words.append(line)
                    on_word(line)
        for task in inflicting:
            task.cancel()
    course.seconds = time.monotonic() - began_s
    course.faults.sort(key=lambda each: each[0].at_s)
    course.attacks.sort(key=lambda each: each[0].at_s)
    if len(course.tallies) < muster.companies:
        raise RostraError(
            f"{muster.companies - len(course.tallies)} processes of the crowd died: see their errors above."
        )
    return course


async def _befall(fault: Fault, own: OwnSystem | None, begins: float, course: Course) -> None:
    await asyncio.sleep(max(0.0, begins + fault.at_s - time.time()))
    done = True
    try:
        remark = await inflict(fault, own)
    except (BadInputError, OSError) as error:
        remark, done = str(error), False
    episode = Episode(fault.kind, fault.about, fault.at_s, fault.for_s, done=done, survived=False, remark=remark)
    course.faults.append((fault, episode))


async def _besiege(attack: Attack, url: str, begins: float, course: Course) -> None:
    """Attack from a process of its own: what it costs is told apart from what the crowd does."""
    await asyncio.sleep(max(0.0, begins + attack.at_s - time.time()))
    target = await asyncio.to_thread(_aim, url)
    attacker = KINDS[attack.kind](attack.connections, attack.rate_hz)
    # 127/8 has a region of its own for them: the crowd's processes have the /16s below.
    sources = addresses_of(_ATTACKERS_FROM, attack.addresses)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        tally = await asyncio.wrap_future(pool.submit(attacker.run, target, attack.for_s, sources))
    counted = {
        "connections": float(tally.connections),
        "unconnected": float(tally.unconnected),
        "cut": float(tally.cut),
        "held_max": float(tally.held_max),
        "sent_bytes": float(tally.sent_bytes),
        "cpu_s": round(tally.cpu_s, 2),
    } | {f"answered_{status}": float(count) for status, count in sorted(tally.answers.items())}
    about = f"{attack.addresses} addresses"
    episode = Episode(attack.kind, about, attack.at_s, attack.for_s, done=True, survived=False, counted=counted)
    course.attacks.append((attack, episode))


def _aim(url: str) -> Target:
    """What an attacker knows as a stranger: the address, and the ticket that anybody is given."""
    host, port, path = parse_target(url)
    connection = http.client.HTTPConnection(host, port, timeout=_JOIN_S)
    try:
        connection.request("POST", f"{path}/join")
        ticket = answers.decode(connection.getresponse().read()).ticket
    except (OSError, http.client.HTTPException, msgspec.DecodeError):
        ticket = ""  # it attacks without one
    finally:
        connection.close()
    return Target(host, port, path.removeprefix("/c/"), path, ticket)


@asynccontextmanager
async def _swarm(muster: Muster) -> AsyncGenerator[AsyncGenerator[Begun | Word, None], None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rostra.rehearsal.swarm",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES_MAX,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(msgspec.json.encode(muster) + b"\n")
        await process.stdin.drain()
        yield _lines(process.stdout)
        await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _lines(stream: asyncio.StreamReader) -> AsyncGenerator[Begun | Word, None]:
    async for line in stream:
        yield lines.decode(line)
