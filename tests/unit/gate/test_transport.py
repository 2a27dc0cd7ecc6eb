"""How speakers' networks reach a gate."""

import asyncio
import errno

import pytest

from rostra.core.errors import BadInputError
from rostra.gate.loop import GateLoop
from rostra.gate.transport import IceServer, Transport, parse_ports
from system import free_ports


def test_a_turn_servers_password_is_made_as_coturn_checks_it() -> None:
    transport = Transport(None, ("stun:s.example:3478", "turn:t.example:3478"), turn_secret="north")
    stun, turn = transport.servers(now_s=1_000)
    assert stun == IceServer("stun:s.example:3478")
    assert stun.link == '<stun:s.example:3478>; rel="ice-server"'
    assert turn.username == "87400:rostra"
    # printf 87400:rostra | openssl dgst -binary -sha1 -hmac north | base64
    assert turn.credential == "pWkEQZSu9aihPGVCLjfOtvbShP0="
    assert 'credential-type="password"' in turn.link


def test_what_is_no_ice_server_or_no_range_is_refused() -> None:
    with pytest.raises(BadInputError, match="STUN or TURN"):
        Transport(None, ("https://example.org",))
    for text in ("", "50000", "50000-", "50010-50000", "80-90", "a-b", "60000-70000"):
        with pytest.raises(BadInputError, match="range of ports"):
            parse_ports(text)
    assert parse_ports("50000-50001") == range(50_000, 50_002)


def test_udp_sockets_lie_in_the_range_until_it_is_full() -> None:
    first = free_ports(2)

    async def test() -> list[int]:
        loop = asyncio.get_running_loop()

        async def port() -> tuple[asyncio.DatagramTransport, int]:
            transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))
            return transport, int(transport.get_extra_info("sockname")[1])

        (one, at), (two, then) = await port(), await port()
        with pytest.raises(OSError, match="all UDP ports") as full:
            await port()
        assert full.value.errno == errno.EADDRINUSE
        one.close()
        await asyncio.sleep(0.01)
        three, again = await port()
        two.close()
        three.close()
        return [at, then, again]

    with asyncio.Runner(loop_factory=lambda: GateLoop(range(first, first + 2))) as runner:
        assert runner.run(test()) == [first, first + 1, first]
