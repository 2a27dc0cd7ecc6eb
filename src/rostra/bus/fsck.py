"""`rostra fsck`: tells whether what the bus keeps is whole, in order and readable."""

from dataclasses import dataclass
from itertools import pairwise

from rostra.bus.connection import Connection
from rostra.bus.programme import stored_chunks
from rostra.bus.state import invitation_key, read_init, ticket_keys
from rostra.bus.subjects import INVITATION_KEY, STATE_STREAM, TICKET_KEY, state_subject
from rostra.core.conversation import DoorsOpen, Held, Live
from rostra.core.errors import BadInputError, BusError
from rostra.core.keys import KEY_BYTES
from rostra.core.messages import Chunk, ConversationRecord, decode
from rostra.core.records import from_record
from rostra.core.renditions import RENDITIONS
from rostra.core.units import CHUNK_NS


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be, and where."""

    where: str
    what: str


async def check(connection: Connection) -> tuple[int, list[Finding]]:
    """How many conversations and chunks were read, and every finding."""
    findings: list[Finding] = []
    if len(await invitation_key(connection)) != KEY_BYTES:
        findings.append(Finding(INVITATION_KEY, "the key has the wrong length"))
    try:
        await ticket_keys(connection)
    except BadInputError as error:
        findings.append(Finding(TICKET_KEY, str(error)))
    read = 0
    for stored in await connection.last_of_each(STATE_STREAM, [state_subject("conversation.>")]):
        read += 1
        try:
            record = decode(stored.payload)
            assert isinstance(record, ConversationRecord)
            conversation = from_record(record)
        except (BadInputError, AssertionError) as error:
            findings.append(Finding(stored.subject, f"unreadable: {error}"))
            continue
        chunks = await stored_chunks(connection, conversation.id)
        read += len(chunks)
        findings += _programme_findings(conversation.id, chunks)
        if isinstance(conversation.state, DoorsOpen | Live | Held):
            try:
                init = await read_init(connection, conversation.id)
            except (BadInputError, BusError) as error:
                findings.append(Finding(conversation.id, f"container headers unreadable: {error}"))
                continue
            if init is None or set(init.media) != set(RENDITIONS):
                findings.append(Finding(conversation.id, "container headers are missing while the doors are open"))
    return read, findings


def _programme_findings(conversation: str, chunks: list[Chunk]) -> list[Finding]:
    """Holes, steps back of the epoch, and jumps of the clock in a run of chunks. Pure."""
    findings = []
    for before, after in pairwise(chunks):
        where = f"{conversation} chunk {after.seq}"
        if after.seq != before.seq + 1:
            findings.append(Finding(where, f"{after.seq - before.seq - 1} chunks are missing before it"))
        if after.epoch < before.epoch:
            findings.append(Finding(where, f"epoch {after.epoch} after {before.epoch}"))
        elapsed_ns = (after.seq - before.seq) * CHUNK_NS
        if abs(after.wall_ns - before.wall_ns - elapsed_ns) > CHUNK_NS:
            findings.append(Finding(where, "the programme clock jumped"))
    findings += [
        Finding(f"{conversation} chunk {chunk.seq}", f"renditions {sorted(chunk.media)}")
        for chunk in chunks
        if set(chunk.media) != set(RENDITIONS)
    ]
    return findings
