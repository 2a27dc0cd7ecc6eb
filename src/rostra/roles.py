"""The processes that `rostra serve` starts: what each needs, and how it learns that it is no longer wanted."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from rostra.bus.connection import Connection, connect
from rostra.bus.programmes import BusProgrammes
from rostra.bus.revoked import Revocations, keep_revoked
from rostra.bus.state import invitation_key, keep_ticket_keys, site_key, ticket_keys
from rostra.bus.subjects import Role
from rostra.config import Settings, read_settings
from rostra.core.errors import BadInputError
from rostra.core.limits import GATE_BODY_BYTES_MAX, SITE_BODY_BYTES_MAX
from rostra.core.prefixes import parse_prefixes
from rostra.core.shield import Shield
from rostra.supervisor import bus_address

if TYPE_CHECKING:
    from rostra.evidence.testimony import Silence
    from rostra.gate.server import Telephone
    from rostra.site.settings import SiteSettings
    from rostra.verifier.note import NoteKey
    from rostra.web.front import Front
    from rostra.witness.outside import Outside

_log = structlog.get_logger()
# An edge drains for ten seconds; the supervisor kills after as long.
STOP_S: Final = 15
_CAPTIONS_NICENESS: Final = 5  # a third of what a stage gets where both want a core: sound never waits for text


def stop_within(seconds: int) -> None:
    """End this process by SIGALRM if it has not ended by itself: a library may swallow the cancellation.

    (nats-py does, in the middle of a reconnect: such a process would spin for ever when its bus is gone.)
    """
    signal.alarm(seconds)


class DiskLog:
    """Lines to standard error, which is a file. What a full disk does not take is lost, and nothing else is."""

    def msg(self, line: str) -> None:
        with suppress(OSError):
            os.write(sys.stderr.fileno(), f"{line}\n".encode())

    debug = info = warning = error = exception = critical = msg


def settings_of(name: str) -> Settings:
    """The settings of a process, which from now on logs JSON lines that carry its name."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=lambda *_: DiskLog(),
    )
    structlog.contextvars.bind_contextvars(process=name)
    return read_settings()


async def stage(settings: Settings, name: str) -> None:
    from rostra.stage.server import StageServer, load_sounds  # noqa: PLC0415 # an edge needs no codec

    sounds = load_sounds(settings.data / "cache")
    async with connect(bus_address(settings, Role.STAGE), role=Role.STAGE, name=name) as connection:
        testimony = await _testimony(settings, connection, name)
        await _while_wanted(StageServer(connection, name, sounds, testimony).run(), _witnessed(testimony))


async def gate(settings: Settings, name: str, worker: int) -> None:
    from rostra.gate.server import run  # noqa: PLC0415 # only a gate needs WebRTC
    from rostra.gate.transport import Transport  # noqa: PLC0415

    urls = settings.gate_urls
    secret = settings.turn_secret_file
    transport = Transport(
        settings.gate_public_address,
        tuple(url.strip() for url in settings.ice_servers.split(",") if url.strip()),
        None if secret is None else secret.read_text(encoding="utf-8").strip(),
    )
    async with connect(bus_address(settings, Role.GATE), role=Role.GATE, name=name) as connection:
        testimony = await _testimony(settings, connection, name)
        await _while_wanted(
            run(
                connection,
                name=name,
                host=settings.gate_host,
                port=settings.gate_port + worker - 1,
                url=urls[worker - 1],
                urls=urls,
                transport=transport,
                telephone=_telephone(settings) if settings.telephone and worker == 1 else None,
                front=_front(settings, body_bytes_max=GATE_BODY_BYTES_MAX),
                testimony=testimony,
            ),
            _witnessed(testimony),
        )


def _telephone(settings: Settings) -> "Telephone":
    from rostra.audio import hold_music  # noqa: PLC0415
    from rostra.gate.server import Telephone  # noqa: PLC0415
    from rostra.gate.telephone import TelephoneSettings, Trunk  # noqa: PLC0415
    from rostra.gate.transport import parse_ports  # noqa: PLC0415

    trunk = None
    if settings.telephone_trunk is not None:
        user, at, provider = settings.telephone_trunk.removeprefix("sip:").partition("@")
        host, _, port = (settings.telephone_registrar or provider).partition(":")
        if not (user and at and provider and (port or "5060").isdecimal()):
            raise BadInputError("ROSTRA_TELEPHONE_TRUNK is written sip:user@provider, the registrar host:port.")
        secret = settings.telephone_password_file
        trunk = Trunk(
            f"sip:{user}@{provider}",
            (host, int(port or 5060)),
            user,
            "" if secret is None else secret.read_text(encoding="utf-8").strip(),
            tuple(each.strip() for each in settings.telephone_calls_from.split(",") if each.strip()),
        )
    ports = parse_ports(settings.telephone_rtp_ports)
    return Telephone(
        TelephoneSettings(
            host=settings.telephone_host,
            port=settings.telephone_port,
            public_address=settings.gate_public_address,
            rtp_ports=(ports[0], ports[-1]),
            language=settings.telephone_language,
            trunk=trunk,
        ),
        hold_music.cached(settings.data / "cache"),
    )


def gate_loop(settings: Settings) -> asyncio.AbstractEventLoop:
    """An event loop whose UDP sockets are where the settings want them, and guarded."""
    from rostra.gate.loop import GateLoop  # noqa: PLC0415
    from rostra.gate.transport import parse_ports  # noqa: PLC0415

    return GateLoop(None if settings.gate_udp_ports is None else parse_ports(settings.gate_udp_ports))


async def edge(settings: Settings, name: str, worker: int) -> None:
    from rostra.certified import here, standing  # noqa: PLC0415 # a stage needs neither this nor HTTP
    from rostra.edge.entrance import Entrance  # noqa: PLC0415
    from rostra.edge.server import run  # noqa: PLC0415
    from rostra.edge.tls import Tls  # noqa: PLC0415
    from rostra.testifying import begin_testimony, bounds, say_void, show_certificate  # noqa: PLC0415

    trusted = parse_prefixes(settings.trusted_proxies)
    if (settings.edge_certificate is None) != (settings.edge_certificate_key is None):
        raise BadInputError("ROSTRA_EDGE_CERTIFICATE and ROSTRA_EDGE_CERTIFICATE_KEY go together: name both files.")
    tls = None
    if settings.edge_certificate is not None and settings.edge_certificate_key is not None:
        tls = Tls(settings.edge_certificate, settings.edge_certificate_key)
    entrance = Entrance(_shield(settings), trusted, settings.proxy_protocol, tls)
    async with connect(bus_address(settings, Role.EDGE), role=Role.EDGE, name=name) as connection:
        revoked: Revocations = {}
        keys, egress_mbps = await ticket_keys(connection), settings.edge_egress_mbps
        certificate = standing(settings, here(settings))
        listeners_max = settings.edge_listeners_max or (certificate and certificate.holds.listeners)
        egress_bps = None if egress_mbps is None else egress_mbps * 1e6 / settings.edge_workers
        await show_certificate(settings, connection, name, certificate)
        testimony = await begin_testimony(
            settings, connection, name, also=bounds(certificate, listeners_max=listeners_max, egress_bps=egress_bps)
        )
        await say_void(testimony, name, certificate)
        await _while_wanted(
            run(
                BusProgrammes(connection),
                edge_id=name,
                host=settings.edge_host,
                port=settings.edge_port,
                public_url=settings.url,
                stage_url=settings.gate_urls[0] if settings.gates else "",
                replay_url=settings.replay_url if settings.recorders and settings.recorder_port else "",
                keys=keys,
                revoked=revoked,
                entrance=entrance,
                testimony=testimony,
                listeners_max=listeners_max,
                egress_bps=egress_bps,
                rehearsal_token=settings.rehearsal_token() or "",
                copy_url=(settings.cdn_url or "").rstrip("/"),
                metrics_port=settings.edge_metrics_port + worker - 1 if settings.edge_metrics_port else None,
            ),
            keep_ticket_keys(connection, keys),
            keep_revoked(connection, revoked),
            _witnessed(testimony),
        )


def _front(settings: Settings, *, body_bytes_max: int = 0) -> "Front":
    from rostra.web.front import Front  # noqa: PLC0415 # an edge needs no uvicorn

    trusted = parse_prefixes(settings.trusted_proxies)
    return Front(_shield(settings), trusted, settings.proxy_protocol, body_bytes_max)


def _shield(settings: Settings) -> Shield:
    return Shield(parse_prefixes(f"{settings.shield_spared},{settings.trusted_proxies}"))


async def recorder(settings: Settings, name: str) -> None:
    from rostra.recorder.server import RecorderSettings, run  # noqa: PLC0415 # likewise
    from rostra.recorder.web import WebSettings  # noqa: PLC0415

    recording = RecorderSettings(
        folder=settings.recordings,
        stems=None if settings.recording_stems == "none" else settings.recording_stems,
        days=settings.recording_days,
    )
    web = WebSettings(
        settings.recorder_host, settings.recorder_port, settings.replay_url, settings.url, _front(settings)
    )
    async with connect(bus_address(settings, Role.RECORDER), role=Role.RECORDER, name=name) as connection:
        testimony = await _testimony(settings, connection, name)
        await _while_wanted(
            run(connection, name, recording, web if settings.recorder_port else None, testimony),
            _witnessed(testimony),
        )


async def site(settings: Settings, name: str, worker: int) -> None:
    from rostra.site.server import run  # noqa: PLC0415 # likewise

    async with connect(bus_address(settings, Role.SITE), role=Role.SITE, name=name) as connection:
        public = await _site_settings(settings, connection)
        front = _front(settings, body_bytes_max=SITE_BODY_BYTES_MAX)
        testimony = await _testimony(settings, connection, name)
        work = run(connection, name=name, shard=worker - 1, settings=public, front=front, testimony=testimony)
        await _while_wanted(work, keep_ticket_keys(connection, public.ticket_keys), _witnessed(testimony))


async def owner_link(settings: Settings) -> str | None:
    """The address at which a new site gets its owner; None if it has one."""
    from rostra.site.people.owner import offer_link  # noqa: PLC0415 # likewise

    async with connect(bus_address(settings, Role.SITE), role=Role.SITE, name="owner link") as connection:
        return await offer_link(await _site_settings(settings, connection))


async def _site_settings(settings: Settings, connection: Connection) -> "SiteSettings":
    from rostra.site.settings import Mail, SiteSettings  # noqa: PLC0415 # likewise

    secret = settings.mail_password_file
    mail = Mail(
        sender=settings.mail_from,
        folder=settings.data / "mail",
        host=settings.mail_host,
        port=settings.mail_port,
        user=settings.mail_user,
        password=None if secret is None else secret.read_text(encoding="utf-8").strip(),
        tls=settings.mail_tls,
    )
    return SiteSettings(
        url=settings.people_url,
        title=settings.site_title,
        description=settings.site_description,
        contact=settings.site_contact,
        host=settings.site_host,
        port=settings.site_port,
        database=settings.database_url,
        media=settings.data / "media",
        key=await site_key(connection),
        invitation_key=await invitation_key(connection),
        ticket_keys=await ticket_keys(connection),
        mail=mail,
        registrations=settings.registrations,
        confirm_email=settings.confirm_email,
        password_grant=settings.password_grant,
        rate_limits=settings.rate_limits,
        edge_url=settings.url,
        gate_urls=tuple(settings.gate_urls),
        replay_url=settings.replay_url if settings.recorders and settings.recorder_port else "",
        ledgers_url=settings.ledgers_url,
    )


def _give_way(niceness: int) -> None:
    """Let all others run first. Linux weighs sessions against each other, and each process here has its own one."""
    os.nice(niceness)
    with suppress(OSError):  # a kernel without autogroups (sched(7)), where `nice` alone does it
        Path("/proc/self/autogroup").write_text(str(niceness), encoding="ascii")


async def captions(settings: Settings, name: str) -> None:
    _give_way(_CAPTIONS_NICENESS)
    from rostra.captions import moonshine, whisper  # noqa: PLC0415 # an extra, and 200 MB
    from rostra.captions.ear import Model  # noqa: PLC0415
    from rostra.captions.server import CaptionsServer  # noqa: PLC0415

    live = Model(moonshine.Moonshine, moonshine.LANGUAGES)
    afterwards = Model(whisper.Whisper, whisper.LANGUAGES)
    async with connect(bus_address(settings, Role.CAPTIONS), role=Role.CAPTIONS, name=name) as connection:
        testimony = await _testimony(settings, connection, name)
        server = CaptionsServer(connection, name, live, afterwards, testimony)
        await _while_wanted(server.run(), _witnessed(testimony))


async def witness(settings: Settings, name: str) -> None:
    from rostra.signing import signing_key  # noqa: PLC0415 # likewise
    from rostra.verdict.code import code_digest  # noqa: PLC0415
    from rostra.web.serving import serve  # noqa: PLC0415
    from rostra.witness.live import LiveVerdicts  # noqa: PLC0415
    from rostra.witness.plan import Policy  # noqa: PLC0415
    from rostra.witness.reports import Reports  # noqa: PLC0415
    from rostra.witness.server import WitnessServer  # noqa: PLC0415
    from rostra.witness.web import BODY_BYTES_MAX, Web  # noqa: PLC0415

    private = signing_key(settings.data / "evidence" / f"{name}.key")
    outside = _outside(settings)
    told = settings.witness_policy
    probes = _probes(settings)
    policy = Policy(
        code_digest(),
        private.public_key().public_bytes_raw().hex(),
        "" if told is None else told.read_text("utf-8"),
        tuple(map(str, probes)),
        settings.expected_listeners,
    )
    web = Web(settings.ledgers, {key.name: key.key for key in probes}, Reports())
    async with connect(bus_address(settings, Role.WITNESS), role=Role.WITNESS, name=name) as connection:
        server = WitnessServer(
            connection,
            name,
            settings.ledgers,
            private,
            host=settings.log_host,
            outside=outside,
            policy=policy,
            web=web,
            live=LiveVerdicts(connection, settings.ledgers, policy.verdict),
        )
        front = _front(settings, body_bytes_max=BODY_BYTES_MAX)
        port = settings.witness_port
        serving = [serve(web.application, settings.witness_host, port, front)] if port else []
        await _while_wanted(server.run(), *serving)


async def _testimony(settings: Settings, connection: Connection, name: str) -> "Silence":
    from rostra.testifying import begin_testimony  # noqa: PLC0415 # numpy, which the command line does not need

    return await begin_testimony(settings, connection, name)


async def _witnessed(testimony: "Silence") -> None:
    try:
        await testimony.run()
    except Exception:  # noqa: BLE001 # whatever it was: the sound goes on without evidence
        _log.exception("evidence.stopped")


def _probes(settings: Settings) -> "list[NoteKey]":
    """Who looks from outside. BadInputError for a file that cannot be used."""
    from rostra.verifier.errors import FlawError  # noqa: PLC0415
    from rostra.verifier.note import parse_key  # noqa: PLC0415

    if settings.probes is None:
        return []
    try:
        lines = settings.probes.read_text("utf-8").splitlines()
        return [parse_key(line) for line in lines if line.strip() and not line.startswith("#")]
    except (OSError, ValueError, FlawError) as error:
        raise BadInputError(f"ROSTRA_PROBES cannot be used: {error}") from error


def _outside(settings: Settings) -> "Outside":
    """Who else is asked to witness. BadInputError for a file that cannot be used."""
    from rostra.verifier.errors import FlawError  # noqa: PLC0415
    from rostra.verifier.policy import parse_policy  # noqa: PLC0415
    from rostra.verifier.stamp import authorities  # noqa: PLC0415
    from rostra.witness.outside import Outside  # noqa: PLC0415

    policy, roots = settings.witness_policy, settings.timestamp_certificates
    try:
        return Outside(
            () if policy is None else parse_policy(policy.read_bytes()).witnesses.values(),
            settings.timestamp_url,
            () if roots is None else authorities(roots.read_bytes()),
        )
    except (OSError, FlawError) as error:
        raise BadInputError(f"The witness's policy or certificates cannot be used: {error}") from error


async def _while_wanted(work: Coroutine[Any, Any, None], *beside: Coroutine[Any, Any, None]) -> None:
    """Do `work` (and `beside`) until it is done, or until the supervisor that holds our standard input is gone."""
    loop, gone, stdin = asyncio.get_running_loop(), asyncio.Event(), sys.stdin.fileno()

    def parent_gone() -> None:
        loop.remove_reader(stdin)
        stop_within(STOP_S)
        gone.set()

    if not sys.stdin.isatty():
        loop.add_reader(stdin, parent_gone)
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(work, name="work")
        watching = tasks.create_task(gone.wait(), name="parent")
        helping = [tasks.create_task(each, name="beside") for each in beside]
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        for task in (working, watching, *helping):
            task.cancel()


async def shield(settings: Settings, name: str) -> None:
    from rostra.bus.bans import follow_bans  # noqa: PLC0415 # likewise
    from rostra.shield.server import run  # noqa: PLC0415

    async with connect(bus_address(settings, Role.SHIELD), role=Role.SHIELD, name=name) as connection:
        spared = parse_prefixes(f"{settings.shield_spared},{settings.trusted_proxies}")
        testimony = await _testimony(settings, connection, name)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_witnessed(testimony), name="testimony")
            ports = [settings.edge_port]
            await run(lambda: follow_bans(connection), ports=ports, spared=spared, testimony=testimony)
