"""What travels on the bus: versioned msgspec messages, encoded as MessagePack (see docs/protocol.md).

Every message is an array whose first element is its tag, made of name and version, e.g. `chunk.1`. Fields
are only ever added at the end, with a default; anything else is a new version.
"""

from typing import Annotated, Literal

import msgspec

from rostra.core.errors import BadInputError
from rostra.core.limits import (
    CAPTION_TEXT_LENGTH_MAX,
    CAPTIONS_PER_MESSAGE_MAX,
    CONVERSATION_ID_LENGTH_MAX,
    PERSON_NAME_LENGTH_MAX,
)
from rostra.core.roster import Act


class Message(msgspec.Struct, frozen=True, array_like=True, tag_field="type"):
    """Base of everything on the bus."""


class Init(Message, frozen=True, tag="init.1"):
    """Container headers of a conversation's renditions: what a newcomer needs first."""

    conversation: str
    media: dict[str, bytes]


class StageEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something the page shows at programme sample `at` (samples since doors-open).

    kind: `state` (value: a state's name), `notice` (value: an announcement's id, e.g. `delayed`, or `host`),
    `start` (value: the announced instant in ns as decimal text, after a change of schedule),
    `speaker` (value: who is heard now).
    """

    kind: str
    at: int
    value: str
    text: str = ""


_Id = Annotated[str, msgspec.Meta(max_length=2 * CONVERSATION_ID_LENGTH_MAX)]
_Name = Annotated[str, msgspec.Meta(max_length=max(PERSON_NAME_LENGTH_MAX, CONVERSATION_ID_LENGTH_MAX))]
_Said = Annotated[str, msgspec.Meta(max_length=CAPTION_TEXT_LENGTH_MAX)]


class Caption(msgspec.Struct, frozen=True):
    """What one seat said between programme samples `start` and `end`, as a recogniser understood it.

    `id` is that of the utterance: a caption replaces an earlier one with the same id. `partial`: the utterance goes
    on, or is recognised again; `final`: it stays so (without text: there was nothing to understand after all);
    `skipped`: something was said, and the recogniser could not keep up.
    """

    id: _Id
    seat: _Id
    name: _Name
    start: int
    end: int
    text: _Said
    status: Literal["partial", "final", "skipped"]


class Chunk(Message, frozen=True, tag="chunk.1"):
    """100 ms of the programme in every rendition, published to `rostra.programme.<conversation>`.

    `seq` counts chunks since doors-open (global over all stages); `epoch` is the lease under which it was
    made; `wall_ns` is the wall instant of its end by the programme clock; `state` and `level_dbfs` describe
    the sound; `heard` tells per seat the next frame to be mixed, so that a standby continues with exactly
    that frame. `last` marks the end of the programme; `next_stage` names the stage that makes the next chunk, in a
    planned move. `captions` have come since the last chunk, of what was on the air before; `captioner` is who makes
    them, empty while nobody does.
    """

    conversation: str
    epoch: int
    seq: int
    wall_ns: int
    state: str
    level_dbfs: float
    media: dict[str, bytes]
    events: list[StageEvent] = []
    heard: dict[str, int] = {}
    last: bool = False
    next_stage: str = ""
    captions: list[Caption] = []
    captioner: str = ""


class FeedFrames(msgspec.Struct, frozen=True, array_like=True):
    """Sound of one seat.

    `seq` numbers the first 20 ms frame of `pcm` (16-bit little-endian mono 48 kHz). A feed begins with the number
    of 20 ms since the epoch at which it is due, so that one that is started again is ahead of the former one.
    `due_ns` is the wall instant at which that frame is meant to be on the air; `delay_frames` is how many frames
    the stage should gather before it begins (the feed knows how steady its source is).
    """

    seat: str
    seq: int
    due_ns: int
    delay_frames: int
    pcm: bytes
    last: bool = False


class Feed(Message, frozen=True, tag="feed.2"):
    """What seats of one source say, published to `rostra.seat.<conversation>`: a gate's of the same 20 ms together.

    Thirteen seats' frames in a message each would cost everybody who hears them 650 messages a second.
    """

    conversation: str
    frames: tuple[FeedFrames, ...]


class HopReport(Message, frozen=True, tag="hop.1"):
    """What became of a voice on one hop since `since_ns`, on `rostra.hop.<conversation>.<hop>`, each 5 s.

    hop: `gate` (from the microphone to a gate), `stage` (from there into the mix), `mix` (the mix, of no seat).
    `path` says how it came, `counts` what happened to it, both by the names of docs/protocol.md §5. Counts run on,
    so that a report that is lost takes nothing with it.
    """

    conversation: str
    hop: str
    seat: str
    since_ns: int
    at_ns: int
    path: dict[str, str]
    counts: dict[str, float]


class Captions(Message, frozen=True, tag="captions.1"):
    """New captions of a conversation, on `rostra.caption.<conversation>`; once a second at least, if with none.

    The stage listens to one `captioner` at a time, the first while it is heard; its chunks say to whom.
    """

    conversation: str
    captioner: _Id
    captions: Annotated[list[Caption], msgspec.Meta(max_length=CAPTIONS_PER_MESSAGE_MAX)] = []


class Phrase(msgspec.Struct, frozen=True):
    """What was understood between two seconds of a sound."""

    start_s: float
    end_s: float
    text: _Said


class Transcribe(Message, frozen=True, tag="transcribe.1"):
    """What is said in `pcm` (16-bit little-endian mono at 16 kHz)? Asked on `rostra.transcribe.<language>`."""

    pcm: bytes


class Transcribed(Message, frozen=True, tag="transcribed.1"):
    """The answer; `recogniser` is who has understood it so."""

    recogniser: str
    phrases: list[Phrase]


class Move(Message, frozen=True, tag="move.1"):
    """To a stage, on `rostra.control.<stage>`: take the programme of `conversation` over, if you can carry it."""

    conversation: str


class Yield(Message, frozen=True, tag="yield.1"):
    """To the stage that makes the programme: let stage `to` go on, at the next moment at which nobody hears it."""

    conversation: str
    to: str


class Answer(Message, frozen=True, tag="answer.1"):
    """What a stage answers to either: empty if it does it, else why not."""

    refused: str = ""


class ConversationRecord(Message, frozen=True, tag="conversation.1"):
    """The schedule and state of a conversation in the key-value bucket, under its id."""

    id: str
    title: str
    starts_ns: int
    doors_ns: int
    ends_ns: int
    timezone: str
    language: str
    revision: int
    state: str
    since_ns: int = 0
    begun: bool = False
    notice: str = ""
    notice_ns: int = 0


class StageAct(Message, frozen=True, tag="act.1"):
    """What somebody has done on the stage of a conversation, kept on `rostra.act.<conversation>.<number>`.

    The acts in the order of their `number` (from 1, without a hole) are the roster: whoever applies them all to an
    empty one has it. `by` is a person, or empty for time itself; `why` is what the person gave as the reason.
    """

    conversation: str
    number: int
    at_ns: int
    by: str
    what: Act
    why: str = ""


class Revoked(Message, frozen=True, tag="revoked.1"):
    """Whose tickets of a conversation are refused: listeners (16 hexadecimal digits), and until when (Unix s)."""

    conversation: str
    listeners: dict[str, int]


class Lease(Message, frozen=True, tag="lease.1"):
    """Which stage makes a conversation's programme, and under which epoch (fencing token)."""

    conversation: str
    stage: str
    epoch: int


class EdgeReport(Message, frozen=True, tag="edge.1"):
    """One edge's telemetry, once a second, on `rostra.telemetry.edge.<edge>`; `joins`, `shield`: since it began.

    Of its door: `room`, free places; `waiting`, for each class (first tag, last tag, how many)
    of those who asked it last. Of its last second: `seen`, the 8 bytes of each who asked or was let in, so that no
    other counts them; `come`, newcomers of each class; `freed`, who left without resuming; `left`, who gave up.
    """

    edge: str
    url: str
    at_ns: int
    listeners: dict[str, int]
    capacity: int
    cadence_ms: int
    write_share: float
    draining: bool = False
    rung: str = ""
    room: int = 0
    waiting: list[list[tuple[int, int, int]]] = []
    seen: bytes = b""
    come: list[int] = []
    freed: int = 0
    left: int = 0
    several: dict[str, int] = {}  # who has more than one stream
    joins: int = 0
    lag_ms: float = 0.0
    shield: dict[str, int] = {}


class BanNotice(Message, frozen=True, tag="ban.1"):
    """An edge's ban of a prefix until `until_ns`, or (0) its objection to one; kept for edges that start."""

    prefix: Annotated[str, msgspec.Meta(max_length=64)]
    until_ns: int
    strike: Annotated[str, msgspec.Meta(max_length=32)]
    edge: str


class StageReport(Message, frozen=True, tag="stage.1"):
    """One stage's telemetry, once a second, on `rostra.telemetry.stage.<stage>`."""

    stage: str
    at_ns: int
    active: list[str]
    standby: list[str]
    frames_late: int
    lateness_max_ms: float
    clock_offset_ms: float
    backlog_chunks: int
    dropped_chunks: int
    unstored_chunks: int = 0


class GateReport(Message, frozen=True, tag="gate.1"):
    """One gate's telemetry, once a second, on `rostra.telemetry.gate.<gate>`: who is connected, per conversation.

    A person with a seat whom no gate reports any more has lost the connection, whatever became of the gate.
    """

    gate: str
    url: str
    at_ns: int
    connected: dict[str, list[str]]
    frames_late: int


class RecorderReport(Message, frozen=True, tag="recorder.1"):
    """One recorder's telemetry, once a second, on `rostra.telemetry.recorder.<recorder>`.

    `recording`, `standby` (another recorder of this machine has it) and `finishing` are conversations;
    `pending_chunks` wait for the disk now; `dropped_chunks` and `failures` count since its start.
    """

    recorder: str
    at_ns: int
    recording: list[str]
    standby: list[str]
    finishing: list[str]
    pending_chunks: int
    dropped_chunks: int
    failures: int
    free_bytes: int


class SiteReport(Message, frozen=True, tag="site.1"):
    """One site process's telemetry, once a second, on `rostra.telemetry.site.<site>`; counts since its start."""

    site: str
    url: str
    at_ns: int
    requests: int
    failures: int
    streams: int
    jobs_waiting: int


class CaptionsReport(Message, frozen=True, tag="captions-report.1"):
    """One captioner's telemetry, once a second, on `rostra.telemetry.captions.<captioner>`.

    `standby`: another captioner has these conversations. `behind_max_ms` is the longest since the last report from
    the end of a sound until it was recognised; since its start, `skipped` counts utterances that were not, and
    `transcribed_s` is how much sound of recordings was.
    """

    captioner: str
    at_ns: int
    captioning: list[str]
    standby: list[str]
    behind_max_ms: float
    skipped: int
    transcribed_s: float


class WitnessReport(Message, frozen=True, tag="witness-report.1"):
    """One witness's telemetry, once a second, on `rostra.telemetry.witness.<witness>`.

    `ledgers` are those that are open, by conversation, with their length. Since its start: `entries` taken,
    `refused` (what is no entry), and `failures` of the disk.
    """

    witness: str
    at_ns: int
    ledgers: dict[str, int]
    entries: int
    refused: int
    failures: int


class Part(msgspec.Struct, frozen=True, array_like=True):
    """A share, and between what it lies, in millionths."""

    share_u: int
    low_u: int
    high_u: int


class LiveVerdict(Message, frozen=True, tag="verdict.1"):
    """What the evidence of a conversation says so far, in the bucket under `verdict.<conversation>`.

    Judged from the first `size` entries of the ledger, in the words of docs/protocol.md §7. `since_ns`: label and
    firmness are the same since. `exceeded_by`: what somebody may claim that it does not show.
    """

    conversation: str
    at_ns: int
    since_ns: int
    size: int
    final: bool
    label: str
    firm: bool
    word: str
    decibans: int
    absorbed: bool
    harm: Part
    causes: dict[str, Part]
    onset_ms: int | None
    coverage_u: int
    unknowns: list[tuple[str, str]]
    exceeded_by: list[str]
    digest: str


AnyMessage = (
    Init
    | Chunk
    | Captions
    | Transcribe
    | Transcribed
    | Feed
    | HopReport
    | Move
    | Yield
    | Answer
    | ConversationRecord
    | StageAct
    | Revoked
    | Lease
    | EdgeReport
    | BanNotice
    | StageReport
    | GateReport
    | RecorderReport
    | SiteReport
    | CaptionsReport
    | WitnessReport
    | LiveVerdict
)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyMessage] = msgspec.msgpack.Decoder(AnyMessage)


def encode(message: AnyMessage) -> bytes:
    return _encoder.encode(message)


def decode(payload: bytes) -> AnyMessage:
    """The message in `payload`. BadInputError if it is none, or of a version this build does not know."""
    try:
        return _decoder.decode(payload)
    except ValueError as error:  # msgspec's own, and text that is no UTF-8
        raise BadInputError(f"This is no message of this version of Rostra: {error}") from error
