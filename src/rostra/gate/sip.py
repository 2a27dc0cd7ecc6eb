"""The telephone exchange: SIP over UDP (RFC 3261) by aiosipua, calls in and registration to a trunk.

Everything that costs is decided before the library sees a request: how many datagrams are parsed, whether a call is
admitted (`gate.call_door`), whether its offer can be answered. A caller is never dropped for being silent.
"""

import asyncio
import logging
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, cast

import structlog
from aiosipua import (
    IncomingCall,
    Registration,
    RegistrationState,
    SipDigestAuth,
    SipRequest,
    SipResponse,
    SipUAC,
    SipUAS,
)
from aiosipua.dialog import dialog_matches, remote_cseq_valid
from aiosipua.message import missing_required_headers
from aiosipua.session_timer import parse_session_expires
from aiosipua.utils import generate_tag

from rostra.audio import prompts
from rostra.audio.frame import Samples
from rostra.core.errors import BadInputError
from rostra.core.limits import CALL_REFRESH_S, CALL_UNACKNOWLEDGED_MAX_S
from rostra.core.units import FRAME_NS, SECOND_NS
from rostra.gate.call import Call, Sounds
from rostra.gate.call_door import UNAVAILABLE, CallDoor, Refused
from rostra.gate.call_offer import agree
from rostra.gate.call_script import Digit, Event
from rostra.gate.line import Line, Peers
from rostra.gate.pin import Access
from rostra.gate.sip_port import SipPort, address_towards, answers_go_to
from rostra.gate.telephone import Desk, TelephoneSettings, Trunk

_log = structlog.get_logger()
_USER_AGENT: Final = "Rostra"
_REASONS: Final = {
    200: "OK",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    488: "Not Acceptable Here",
    503: "Service Unavailable",
}
_REPORT_S: Final = 60.0
_REGISTERED_WITHIN_S: Final = 10.0
_REGISTER_AGAIN_S: Final = 60.0  # a provider that is asked more often after a refusal may block us
_LATE_MAX_NS: Final = SECOND_NS  # after a longer stall callers hear a gap instead of a burst


@dataclass(frozen=True, slots=True)
class _Connected:
    call: Call
    line: Line
    address: str  # ours, towards the caller
    tag: str  # ours: who knows it has received our answer
    acknowledged: asyncio.Event


class Exchange:
    """All calls of this gate. `run` it."""

    def __init__(self, settings: TelephoneSettings, desk: Desk, *, music: Samples) -> None:
        self._settings = settings
        self._desk = desk
        self._sounds = Sounds(music, prompts.load(settings.language))
        self._door = CallDoor()
        self._port = SipPort((settings.host, settings.port))
        self._uas = SipUAS(self._port, user_agent=_USER_AGENT)
        self._library_takes: Callable[[SipRequest | SipResponse, tuple[str, int]], None] = lambda *_: None
        self._connected: dict[str, _Connected] = {}
        self._sources: dict[str, str] = {}
        self._trunk_addresses = set() if settings.trunk is None else set(settings.trunk.calls_from)
        self._counts: Counter[str] = Counter()

    async def run(self, ready: Callable[[tuple[str, int]], None]) -> None:
        """Take calls until cancelled."""
        # The library logs each malformed datagram with its sender's address; here they are counted.
        logging.getLogger("aiosipua").setLevel(logging.CRITICAL)
        self._uas.on_invite = self._invited
        self._uas.on_reinvite = self._invited_again
        self._uas.on_bye = lambda incoming, _: self._hung_up(incoming)
        self._uas.on_session_expired = self._hung_up
        self._uas.on_ack_timeout = self._hung_up  # the library has forgotten the call, and would not know its BYE
        await self._uas.start()
        assert self._port.on_message is not None
        self._library_takes, self._port.on_message = self._port.on_message, self._take
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._tasks.create_task(self._report(), name="telephone: report")
                if self._settings.trunk is not None:
                    self._tasks.create_task(self._stay_registered(self._settings.trunk), name="telephone: trunk")
                ready(self._port.local_addr)
                await self._keep_time()
        finally:
            await self._uas.stop()

    async def _keep_time(self) -> None:
        due_ns = time.monotonic_ns()
        while True:
            for connected in list(self._connected.values()):
                if connected.acknowledged.is_set():
                    connected.call.tick()
            due_ns += FRAME_NS
            late_ns = time.monotonic_ns() - due_ns
            if late_ns > _LATE_MAX_NS:
                due_ns += late_ns
            await asyncio.sleep(max(0, -late_ns) / SECOND_NS)

    async def _report(self) -> None:
        """Once a minute what was refused and dropped, if anything was."""
        while True:
            await asyncio.sleep(_REPORT_S)
            if self._counts or self._port.dropped:
                _log.warning("calls.refused", **self._counts, datagrams_dropped=self._port.dropped)
                self._counts.clear()
                self._port.dropped = 0

    # --- requests -------------------------------------------------------------------------------------

    def _take(self, message: SipRequest | SipResponse, sender: tuple[str, int]) -> None:
        if isinstance(message, SipRequest) and not answers_go_to(sender[0], message):
            self._port.dropped += 1
            return
        if isinstance(message, SipRequest) and not missing_required_headers(message):
            match message.method.upper():  # as the library reads it, or a call would come in past the door
                case "INVITE":
                    self._door_opens(message, sender)
                    return
                case "INFO":
                    self._informed(message)
                    return
                case "ACK":
                    self._acknowledged(message)
                case _:
                    pass
        self._library_takes(message, sender)

    def _door_opens(self, invite: SipRequest, sender: tuple[str, int]) -> None:
        call_id = invite.call_id or ""
        within_a_dialog = "tag=" in (invite.headers.get_first("to") or "")
        if self._uas.get_call(call_id) is not None:
            if within_a_dialog and call_id in self._connected:  # before, the library would take it for a new call
                self._library_takes(invite, sender)
            return  # sent again; the library repeats its answer until it is acknowledged
        if within_a_dialog:  # the library would take it for a new call
            self._port.send_reply(_response(invite, 481))
            return
        try:
            agree(invite.text, address="0.0.0.0", port=1)  # noqa: S104  nothing is bound: a trial
        except BadInputError:
            self._refuse(invite, Refused(488, 0))
            return
        source = self._source(invite, sender)
        refused = self._door.admit(source, now_s=time.monotonic())
        if refused is not None:
            self._refuse(invite, refused)
            return
        self._sources[call_id] = source
        try:
            self._library_takes(invite, sender)
        finally:
            if call_id in self._sources:  # nobody serves it: the library objected, or could not answer
                self._door.left(self._sources.pop(call_id))
                if (incoming := self._uas.get_call(call_id)) is not None:
                    _forget(self._uas, incoming)

    def _source(self, invite: SipRequest, sender: tuple[str, int]) -> str:
        """Whose call this is: behind a trunk, where all come from one address, the caller's number."""
        if sender[0] not in self._trunk_addresses:
            return sender[0]
        return f"{sender[0]} {(invite.headers.get_first('from') or '').partition(';')[0][:200]}"

    def _refuse(self, request: SipRequest, refused: Refused) -> None:
        """Answer without keeping anything (RFC 3261 §8.2.7)."""
        self._counts[str(refused.status)] += 1
        response = _response(request, refused.status)
        if refused.retry_after_s:
            response.headers.set_single("Retry-After", str(refused.retry_after_s))
        self._port.send_reply(response)

    def _acknowledged(self, request: SipRequest) -> None:
        """The caller has got our answer, so the call came from where it says: only now it is sent sound."""
        connected = self._connected.get(request.call_id or "")
        if connected is not None and connected.tag in (request.headers.get_first("to") or ""):
            connected.acknowledged.set()

    def _informed(self, request: SipRequest) -> None:
        """A key by SIP INFO, as some trunks send it: `Signal=5` (application/dtmf-relay)."""
        incoming = self._uas.get_call(request.call_id or "")
        connected = self._connected.get(request.call_id or "")
        if incoming is None or connected is None or not dialog_matches(incoming.dialog, request):
            self._port.send_reply(_response(request, 481))
            return
        self._port.send_reply(_response(request, 200))
        if not remote_cseq_valid(incoming.dialog, request):
            return  # sent again: the key is pressed once
        fields = dict(line.partition("=")[::2] for line in request.text.splitlines())
        key = fields.get("Signal", "").strip()
        if request.content_type == "application/dtmf-relay" and len(key) == 1:
            connected.call.tell(Digit(key))

    # --- calls ----------------------------------------------------------------------------------------

    def _invited(self, incoming: IncomingCall) -> None:
        self._tasks.create_task(self._serve(incoming, self._sources.pop(incoming.call_id)), name="telephone: call")

    async def _serve(self, incoming: IncomingCall, source: str) -> None:
        """One call from its INVITE to its end. What fails in it ends it alone."""
        line: Line | None = None
        try:
            address = self._settings.public_address or address_towards(incoming.source_addr)
            incoming.advertised_addr = (address, self._port.local_addr[1])
            line = await self._open_line(incoming, address, source)
            if line is not None:
                connected = self._connected[incoming.call_id]
                async with asyncio.timeout(CALL_UNACKNOWLEDGED_MAX_S):
                    await connected.acknowledged.wait()
                await connected.call.run()
        except TimeoutError:
            self._counts["unacknowledged"] += 1
        except Exception:  # noqa: BLE001  the others' sound goes on whatever is wrong with this one
            _log.exception("call.failed")
        finally:
            self._connected.pop(incoming.call_id, None)
            self._door.left(source)
            if line is not None:
                line.close()
                fates = {name: count for name, count in line.buffer.provenance.as_dict().items() if count}
                _log.info("call.ended", foreign=line.foreign, unreadable=line.malformed, **fates)
            incoming.hangup()
            _forget(self._uas, incoming)

    async def _open_line(self, incoming: IncomingCall, address: str, source: str) -> Line | None:
        """The call, answered; None if it was refused."""
        first, last = self._settings.rtp_ports
        trial = agree(incoming.invite.text, address=address, port=first)
        peers = Peers(incoming.source_addr[0], trial.sound)
        line = Line(trial.codec, peers, lambda key: call.tell(Digit(key)))
        call = Call(line, self._sounds, self._desk, lambda digits: self._check_pin(digits, source))
        _agree_on_refreshing(incoming)
        if not await self._bind(line):
            _log.error("call.without_port", first=first, last=last)
            incoming.reject(UNAVAILABLE, _REASONS[UNAVAILABLE])
            return None
        try:
            incoming.accept(agree(incoming.invite.text, address=address, port=line.local_port).answer)
        except BaseException:
            line.close()
            raise
        tag = incoming.dialog.local_tag
        self._connected[incoming.call_id] = _Connected(call, line, address, tag, asyncio.Event())
        return line

    async def _bind(self, line: Line) -> bool:
        """Give `line` an even port of ours (RFC 3550 §11); False if all are taken."""
        first, last = self._settings.rtp_ports
        loop = asyncio.get_running_loop()
        for port in range(first, last + 1, 2):
            with suppress(OSError):
                await loop.create_datagram_endpoint(lambda: line, local_addr=(self._settings.host, port))
                return True
        return False

    def _invited_again(self, incoming: IncomingCall) -> None:
        """A re-INVITE (RFC 3261 §14.2): hold, or the caller's sound moves. The codec stays what it is."""
        connected = self._connected.get(incoming.call_id)
        if connected is None:
            return
        try:
            agreed = agree(incoming.invite.text, address=connected.address, port=connected.line.local_port)
        except BadInputError:
            self._port.send_reply(_response(incoming.invite, 488))
            return
        if agreed.codec != connected.line.codec:
            self._port.send_reply(_response(incoming.invite, 488))
            return
        connected.line.moved(Peers(incoming.source_addr[0], agreed.sound))
        incoming.accept(agreed.answer)

    def _hung_up(self, incoming: IncomingCall) -> None:
        connected = self._connected.get(incoming.call_id)
        if connected is not None:
            connected.call.tell(Event.HANGUP)

    async def _check_pin(self, digits: str, source: str) -> Access | None:
        if not self._door.may_try_pins(source, now_s=time.monotonic()):
            self._counts["pins_unread"] += 1
            return None
        access = await self._desk.lookup(digits)
        if access is None:
            self._door.wrong_pin(source, now_s=time.monotonic())
        return access

    # --- the trunk ------------------------------------------------------------------------------------

    async def _stay_registered(self, trunk: Trunk) -> None:
        """Registered with the provider for as long as the exchange runs; refreshed by the library."""
        while (registrar := await _resolved(trunk.registrar)) is None:
            _log.warning("trunk.unresolved", registrar=trunk.registrar[0])
            await asyncio.sleep(_REGISTER_AGAIN_S)
        self._trunk_addresses.add(registrar[0])
        host = self._settings.public_address or address_towards(registrar)
        uac = SipUAC(self._port, advertised_addr=(host, self._port.local_addr[1]))
        self._uas.uac = uac
        registration = Registration(
            uac,
            trunk.address_of_record,
            registrar,
            auth=SipDigestAuth(trunk.user, trunk.password),
            user_agent=_USER_AGENT,
        )
        changed = asyncio.Event()
        registration.on_registered = lambda _: changed.set()
        registration.on_failed = lambda *_: changed.set()
        registration.on_expired = lambda _: changed.set()
        try:
            while True:
                registration.register()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_REGISTERED_WITHIN_S):
                        await changed.wait()
                while registration.state is RegistrationState.REGISTERED:
                    changed.clear()
                    _log.info("trunk.registered", seconds=registration.granted_expires)
                    await changed.wait()
                _log.warning("trunk.unregistered", state=registration.state.value)
                changed.clear()
                await asyncio.sleep(_REGISTER_AGAIN_S)
        finally:
            registration.unregister()


def _response(request: SipRequest, status: int) -> SipResponse:
    """An answer outside any dialog (RFC 3261 §8.2.6.2)."""
    response = SipResponse(status_code=status, reason_phrase=_REASONS[status])
    for via in request.headers.get("via"):
        response.headers.append("Via", via)
    for name in ("From", "To", "Call-ID", "CSeq"):
        response.headers.set_single(name, request.headers.get_first(name) or "")
    if "tag=" not in (to := request.headers.get_first("to") or ""):
        response.headers.set_single("To", f"{to};tag={generate_tag()}")
    return response


def _agree_on_refreshing(incoming: IncomingCall) -> None:
    """Have a caller that can (RFC 4028) tell from time to time that it is still there.

    So a telephone that died is missed at last; one that cannot is never dropped for being silent.
    """
    supported = ",".join(incoming.invite.headers.get("supported")).lower()
    if "timer" in [each.strip() for each in supported.split(",")]:
        seconds, refresher = parse_session_expires(incoming.invite.headers.get_first("session-expires") or "")
        incoming.session_interval = seconds if seconds > 0 else CALL_REFRESH_S
        incoming.session_refresher_us = refresher == "uas"


def _forget(uas: SipUAS, incoming: IncomingCall) -> None:
    """The library forgets a call on BYE from the other side only; ours would stay for ever."""
    private: Any = uas
    private._calls.pop(incoming.call_id, None)  # noqa: SLF001
    private._remove_invite_transaction(incoming.invite)  # noqa: SLF001
    cast("Any", incoming)._stop_retransmissions()  # noqa: SLF001


async def _resolved(server: tuple[str, int]) -> tuple[str, int] | None:
    """The server by its IPv4 address; None while its name is not known."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(*server, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    except OSError:
        return None
    host, port = found[0][4][:2]
    return str(host), int(port)
