"""Asks outsiders about a checkpoint: other people's witnesses to cosign it, an authority for a time stamp."""

import asyncio
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable, Sequence
from hashlib import sha256
from http import HTTPStatus
from typing import Final

import aiohttp
import structlog
from cryptography import x509
from rfc3161_client import HashAlgorithm, PKIStatus, TimestampRequestBuilder, decode_timestamp_response

from rostra.verifier.errors import FlawError
from rostra.verifier.note import parse_checkpoint, parse_note, signers
from rostra.verifier.policy import Member
from rostra.verifier.stamp import TOKEN_BYTES_MAX, parse_stamp, trusted

_log = structlog.get_logger()
WITHIN_S: Final = 8  # before the next checkpoint: who is slower is asked about that
_ANSWER_BYTES_MAX: Final = 2 * TOKEN_BYTES_MAX
_SIZE: Final = re.compile(rb"(0|[1-9][0-9]{0,18})\n")
Proof = Callable[[int, int], Awaitable[list[bytes]]]


class Outside:
    """`policy` names witnesses and where they are; `stamp_url` is the authority, `roots` whose stamps are kept.

    Whoever does not answer in time, or wrongly, is left out and told in the log once, until it answers again.
    """

    def __init__(
        self, members: Iterable[Member] = (), stamp_url: str | None = None, roots: Sequence[x509.Certificate] = ()
    ) -> None:
        self.members = [member for member in members if member.url]
        self.stamp_url = stamp_url
        self._roots = roots
        self._known: dict[tuple[str, str], int] = {}  # by origin and witness: the size that it cosigned last
        self._failing: set[str] = set()

    async def cosignatures(self, note: bytes, proof: Proof) -> str:
        """The lines of all who cosigned `note` in time. `proof` gives what leads from one size to another."""
        lines: list[str] = []

        async def ask(member: Member) -> None:
            try:
                async with asyncio.timeout(WITHIN_S), aiohttp.ClientSession() as session:
                    lines.append(await self._cosigned(session, member, note, proof))
            except (aiohttp.ClientError, TimeoutError, OSError, FlawError) as error:
                self._failed(member.url, error)
            else:
                self._failing.discard(member.url)

        async with asyncio.TaskGroup() as tasks:
            for member in self.members:
                tasks.create_task(ask(member), name=f"cosignature of {member.key.name}")
        return "".join(sorted(lines))

    async def _cosigned(self, session: aiohttp.ClientSession, member: Member, note: bytes, proof: Proof) -> str:
        """The lines of one witness, verified. FlawError if it gives none."""
        parsed = parse_note(note)
        checkpoint = parse_checkpoint(parsed)
        place = checkpoint.origin, member.url
        for _ in range(2):  # the second time with the size that it told us
            old = self._known.get(place, 0)
            hashes = await proof(old, checkpoint.size) if 0 < old < checkpoint.size else []
            head = "".join(f"{line}\n" for line in (f"old {old}", *(b64encode(each).decode() for each in hashes)))
            url = f"{member.url.rstrip('/')}/add-checkpoint"
            async with session.post(url, data=f"{head}\n".encode() + note) as response:
                answer = await _bounded(response)
            if response.status == HTTPStatus.OK:
                self._known[place] = checkpoint.size
                lines = answer.decode(errors="replace")
                added = parse_note(f"{parsed.text}\n{lines}".encode())
                if member.key not in signers(added, [member.key]):
                    raise FlawError("Its key did not sign.")
                return added.lines(member.key)
            size = _SIZE.fullmatch(answer)
            if response.status != HTTPStatus.CONFLICT or size is None or int(size[1]) > checkpoint.size:
                break
            self._known[place] = int(size[1])
        raise FlawError(f"It answered {response.status}: {answer[:100].decode(errors='replace').strip()!r}.")

    async def stamp(self, text: str) -> bytes | None:
        """The authority's token over `text`, verified; None if it gives none."""
        assert self.stamp_url is not None
        try:
            async with asyncio.timeout(WITHIN_S), aiohttp.ClientSession() as session:
                return await self._stamped(session, self.stamp_url, text)
        except (aiohttp.ClientError, TimeoutError, OSError, FlawError, ValueError) as error:
            self._failed(self.stamp_url, error)
            return None

    async def _stamped(self, session: aiohttp.ClientSession, url: str, text: str) -> bytes:
        request = TimestampRequestBuilder().data(text.encode()).hash_algorithm(HashAlgorithm.SHA256).build()
        headers = {"Content-Type": "application/timestamp-query"}
        async with session.post(url, data=request.as_bytes(), headers=headers) as response:
            response.raise_for_status()
            answer = decode_timestamp_response(await _bounded(response))
        if answer.status not in {PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS}:
            raise FlawError(f"It refused: {' '.join(answer.status_string)[:100]}")
        token = answer.time_stamp_token()
        stamp = parse_stamp(token)
        if stamp.imprint != sha256(text.encode()).digest() or answer.tst_info.nonce != request.nonce:
            raise FlawError("It stamped something else.")
        if self._roots:
            trusted(stamp, self._roots)
        self._failing.discard(url)
        return token

    def _failed(self, url: str, error: Exception) -> None:
        if url not in self._failing:
            self._failing.add(url)
            _log.warning("outsider.missing", url=url, error=str(error) or type(error).__name__)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """The whole body. FlawError if it is larger than any answer."""
    data = bytearray()
    async for piece in response.content.iter_any():
        data += piece
        if len(data) > _ANSWER_BYTES_MAX:
            raise FlawError("Its answer is too large.")
    return bytes(data)
