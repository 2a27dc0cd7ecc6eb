"""Names on the bus: subjects, streams, and what each role may do there (docs/protocol.md)."""

from enum import StrEnum
from typing import Final

PROGRAMME_STREAM: Final = "ROSTRA_PROGRAMME"
ACT_STREAM: Final = "ROSTRA_ACT"
BAN_STREAM: Final = "ROSTRA_BAN"
EVIDENCE_STREAM: Final = "ROSTRA_EVIDENCE"
CERTIFICATE_STREAM: Final = "ROSTRA_CERTIFICATE"
STATE_BUCKET: Final = "rostra"
STATE_STREAM: Final = f"KV_{STATE_BUCKET}"  # NATS's own key-value layout, so that `nats kv` works on it
_STATE_PREFIX: Final = f"$KV.{STATE_BUCKET}."
# Who may read one message of a stream by a query may read all of it: secrets have a stream of their own.
SECRET_STREAM: Final = "ROSTRA_SECRET"  # noqa: S105 # its name
TICKET_KEY: Final = "rostra.secret.ticket"
INVITATION_KEY: Final = "rostra.secret.invitation"
SITE_KEY: Final = "rostra.secret.site"
SITE_SUBJECT: Final = "rostra.site.event"
HEALTH_KEY: Final = "health"  # written once a second by whoever watches over the bus


class Role(StrEnum):
    """Who connects. Each has its own key pair and permissions."""

    OPERATOR = "operator"
    STAGE = "stage"
    FEED = "feed"
    GATE = "gate"
    EDGE = "edge"
    RECORDER = "recorder"
    SITE = "site"
    CAPTIONS = "captions"
    SHIELD = "shield"
    WITNESS = "witness"


_UNWITNESSED: Final = frozenset({Role.FEED})  # whoever plays something is heard anyway


def chunk_subject(conversation: str, seq: int | str) -> str:
    """Each chunk has a subject of its own: it can be fetched by number, and written only once."""
    return f"rostra.programme.{conversation}.{seq}"


def ban_subject(prefix: str) -> str:
    """Each prefix has a subject of its own, of which the newest notice counts."""
    return f"rostra.ban.{prefix.replace('.', '-').replace(':', '_').replace('/', '+')}"


def certificate_subject(edge: str) -> str:
    """Where an edge shows its certificate of capacity."""
    return f"rostra.certificate.{edge}"


def act_subject(conversation: str, number: int | str) -> str:
    """Each act has a subject of its own: two gates cannot both write the next one."""
    return f"rostra.act.{conversation}.{number}"


def seat_subject(conversation: str) -> str:
    """Where those speak who are on the stage."""
    return f"rostra.seat.{conversation}"


def green_subject(conversation: str) -> str:
    """Where those speak who wait behind the stage: gates hear it, no stage does."""
    return f"rostra.green.{conversation}"


def hop_subject(conversation: str, hop: str) -> str:
    """Where gates and stages say what became of voices on their hop; recorders hear it."""
    return f"rostra.hop.{conversation}.{hop}"


def call_subject(conversation: str) -> str:
    """Where a stage or a recorder asks the seats of a conversation to repeat what they sent last."""
    return f"rostra.call.{conversation}"


def control_subject(stage: str) -> str:
    """Where one stage is asked to do something."""
    return f"rostra.control.{stage}"


def caption_subject(conversation: str) -> str:
    """Where captions of a conversation go to its stages."""
    return f"rostra.caption.{conversation}"


def transcribe_subject(language: str) -> str:
    """Where those answer who can transcribe `language`."""
    return f"rostra.transcribe.{language}"


def evidence_subject(who: str) -> str:
    """Where a process's own account of itself waits for the witness."""
    return f"rostra.evidence.{who}"


def telemetry_subject(kind: str, name: str) -> str:
    return f"rostra.telemetry.{kind}.{name}"


def state_subject(key: str) -> str:
    return _STATE_PREFIX + key


def state_key(subject: str) -> str:
    return subject.removeprefix(_STATE_PREFIX)


def inbox_prefix(role: Role) -> str:
    """Replies go to the role's own inbox, so that no role reads what another asked for."""
    return f"_INBOX_{role}"


def permissions(role: Role) -> dict[str, list[str]]:
    """Subjects that a role may publish and subscribe to, as nats-server's `permissions` block takes them."""
    granted = _work_of(role)
    if role not in _UNWITNESSED:
        granted["publish"].append(evidence_subject("*"))
    return granted


def _work_of(role: Role) -> dict[str, list[str]]:
    """What a role needs for its work."""
    read_state = [
        f"$JS.API.DIRECT.GET.{STATE_STREAM}",
        f"$JS.API.DIRECT.GET.{STATE_STREAM}.{_STATE_PREFIX}conversation.>",
        f"$JS.API.DIRECT.GET.{STATE_STREAM}.{_STATE_PREFIX}init.>",
        f"$JS.API.DIRECT.GET.{STATE_STREAM}.{_STATE_PREFIX}revoked.>",
    ]
    read_verdict = f"$JS.API.DIRECT.GET.{STATE_STREAM}.{_STATE_PREFIX}verdict.>"
    read_programme = [
        f"$JS.API.DIRECT.GET.{PROGRAMME_STREAM}",
        f"$JS.API.DIRECT.GET.{PROGRAMME_STREAM}.>",
    ]
    read_bans = [f"$JS.API.DIRECT.GET.{BAN_STREAM}"]
    read_acts = [f"$JS.API.DIRECT.GET.{ACT_STREAM}", f"$JS.API.DIRECT.GET.{ACT_STREAM}.>"]
    inbox = f"{inbox_prefix(role)}.>"
    match role:
        case Role.OPERATOR:
            return {
                "publish": ["rostra.>", f"{_STATE_PREFIX}>", "$JS.API.>"],
                "subscribe": ["rostra.>", f"{_STATE_PREFIX}>", inbox],
            }
        case Role.STAGE:
            return {
                "publish": [
                    "rostra.programme.>",
                    "rostra.call.*",
                    "rostra.control.*",
                    *(f"{inbox_prefix(asker)}.>" for asker in (Role.OPERATOR, Role.STAGE)),
                    "rostra.telemetry.stage.*",
                    "rostra.hop.*.stage",
                    "rostra.hop.*.mix",
                    *(f"{_STATE_PREFIX}{key}.>" for key in ("conversation", "init", "lease")),
                    *read_state,
                    f"$JS.API.DIRECT.GET.{STATE_STREAM}.{_STATE_PREFIX}lease.>",
                    *read_programme,
                    *read_acts,
                ],
                "subscribe": [
                    "rostra.programme.>",
                    "rostra.seat.*",
                    "rostra.control.*",
                    "rostra.act.>",
                    "rostra.caption.*",
                    f"{_STATE_PREFIX}conversation.>",
                    inbox,
                ],
            }
        case Role.FEED:
            return {
                "publish": ["rostra.seat.*", *read_state],
                "subscribe": ["rostra.call.*", f"{_STATE_PREFIX}conversation.>", inbox],
            }
        case Role.GATE:
            return {
                "publish": [
                    "rostra.seat.*",
                    "rostra.green.*",
                    "rostra.act.>",
                    "rostra.telemetry.gate.*",
                    "rostra.hop.*.gate",
                    *read_state,
                    f"$JS.API.DIRECT.GET.{SECRET_STREAM}.{INVITATION_KEY}",
                    *read_acts,
                ],
                "subscribe": [
                    "rostra.seat.*",
                    "rostra.green.*",
                    "rostra.act.>",
                    "rostra.telemetry.gate.*",
                    "rostra.call.*",
                    f"{_STATE_PREFIX}conversation.>",
                    inbox,
                ],
            }
        case Role.EDGE:
            return {
                "publish": [
                    "rostra.telemetry.edge.*",
                    "rostra.ban.*",
                    certificate_subject("*"),
                    *read_state,
                    *read_bans,
                    f"$JS.API.DIRECT.GET.{SECRET_STREAM}.{TICKET_KEY}",
                    *read_programme,
                ],
                "subscribe": [
                    "rostra.programme.>",
                    "rostra.telemetry.edge.*",
                    "rostra.ban.*",
                    f"{_STATE_PREFIX}conversation.>",
                    f"{_STATE_PREFIX}revoked.>",
                    inbox,
                ],
            }
        case Role.RECORDER:
            return {
                "publish": [
                    "rostra.call.*",
                    "rostra.transcribe.*",
                    "rostra.telemetry.recorder.*",
                    *read_state,
                    *read_programme,
                    *read_acts,
                ],
                "subscribe": [
                    "rostra.programme.>",
                    "rostra.seat.*",
                    "rostra.hop.>",
                    "rostra.act.>",
                    f"{_STATE_PREFIX}conversation.>",
                    inbox,
                ],
            }
        case Role.SITE:
            return {
                "publish": [
                    SITE_SUBJECT,
                    "rostra.act.>",
                    "rostra.telemetry.site.*",
                    f"{_STATE_PREFIX}conversation.>",
                    f"{_STATE_PREFIX}revoked.>",
                    *read_state,
                    read_verdict,
                    *(
                        f"$JS.API.DIRECT.GET.{SECRET_STREAM}.{key}"
                        for key in (SITE_KEY, TICKET_KEY, INVITATION_KEY)
                    ),
                    *read_acts,
                ],
                "subscribe": [
                    SITE_SUBJECT,
                    "rostra.act.>",
                    "rostra.telemetry.>",
                    f"{_STATE_PREFIX}conversation.>",
                    f"{_STATE_PREFIX}verdict.>",
                    inbox,
                ],
            }
        case Role.WITNESS:
            return {
                "publish": [
                    *read_state,
                    read_verdict,
                    f"$JS.API.DIRECT.GET.{CERTIFICATE_STREAM}.{certificate_subject('*')}",
                    f"$JS.API.DIRECT.GET.{EVIDENCE_STREAM}",
                    "rostra.telemetry.witness.*",
                    f"{_STATE_PREFIX}verdict.>",
                ],
                "subscribe": [evidence_subject("*"), f"{_STATE_PREFIX}conversation.>", inbox],
            }
        case Role.CAPTIONS:
            return {
                "publish": [
                    "rostra.caption.*",
                    f"{inbox_prefix(Role.RECORDER)}.>",
                    "rostra.telemetry.captions.*",
                    *read_state,
                    *read_programme,
                    *read_acts,
                ],
                "subscribe": [
                    "rostra.programme.>",
                    "rostra.seat.*",
                    "rostra.act.>",
                    "rostra.transcribe.*",
                    f"{_STATE_PREFIX}conversation.>",
                    inbox,
                ],
            }
        case Role.SHIELD:
            return {"publish": read_bans, "subscribe": ["rostra.ban.*", inbox]}
