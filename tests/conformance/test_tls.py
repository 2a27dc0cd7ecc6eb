"""HTTPS by the edge itself: strangers with OpenSSL, certificates that change, and handshakes that never end."""

import asyncio
import datetime as dt
import os
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge_kit import Bus, edge, eventually, is_chunk, join, on_air, play, seqs
from rostra.core.errors import BadInputError
from rostra.core.limits import REQUEST_DEADLINE_S
from rostra.edge.entrance import Entrance
from rostra.edge.tls import Tls


def certify(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for edge.test that `name` signs for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("edge.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


def trusting(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificate))
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def test_a_listener_hears_every_chunk_over_tls_and_the_end(tmp_path: Path) -> None:
    files = certify(tmp_path, "one")
    tls, context = Tls(*files), trusting(files[0])

    async def scenario() -> None:
        bus = Bus()
        bus.say(50, size_bytes=8_000)
        async with edge(bus, entrance=Entrance(tls=tls)) as running:
            await on_air(running, 49, tls=context)
            peer = await running.connect(tls=context)
            session = peer.writer.get_extra_info("ssl_object")
            assert (session.version(), session.selected_alpn_protocol()) == ("TLSv1.3", "http/1.1")
            assert (await peer.listen(await join(running, tls=context)))[0] == 200
            frames = await peer.frames_until(is_chunk(49))
            for _ in range(10):
                bus.say(5, size_bytes=8_000)
                await asyncio.sleep(0.02)
            bus.say(last=True)
            frames += await peer.frames_until(lambda _: False)
            heard = seqs(frames)
            assert heard == list(range(heard[0], 101))

    play(scenario)


def test_a_listener_who_stops_reading_tls_catches_up_without_a_gap(tmp_path: Path) -> None:
    files = certify(tmp_path, "one")
    tls, context = Tls(*files), trusting(files[0])

    async def scenario() -> None:
        bus = Bus()
        bus.say(10, size_bytes=40_000)
        async with edge(bus, entrance=Entrance(tls=tls)) as running:
            await on_air(running, 9, tls=context)
            peer = await running.connect(tls=context)
            await peer.listen(await join(running, tls=context))
            peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
            for _ in range(40):
                bus.say(size_bytes=40_000)
                await asyncio.sleep(0.01)
            peer.writer.transport.resume_reading()  # type: ignore[attr-defined]
            heard = seqs(await peer.frames_until(is_chunk(49)))
            assert heard == list(range(heard[0], 50))

    play(scenario)


def test_a_new_certificate_is_used_at_once_and_who_listens_does_not_notice(tmp_path: Path) -> None:
    files = certify(tmp_path, "one")
    tls, former = Tls(*files), trusting(files[0])

    async def scenario() -> None:
        bus = Bus()
        bus.say(10)
        async with edge(bus, entrance=Entrance(tls=tls)) as running:
            await on_air(running, 9, tls=former)
            inside = await running.connect(tls=former)
            await inside.listen(await join(running, tls=former))
            files[1].write_text("no key at all")
            await asyncio.sleep(1.5)
            await running.connect(tls=former)  # what cannot be used is not used
            certify(tmp_path, "two")
            newer = trusting(files[0])

            async def changed() -> bool:
                try:
                    await running.connect(tls=newer)
                except ssl.SSLCertVerificationError:
                    return False
                return True

            await eventually(changed)
            bus.say(5)
            assert seqs(await inside.frames_until(is_chunk(14)))[-1] == 14

    play(scenario)


def test_tls_1_1_and_plain_http_are_not_spoken_and_a_handshake_has_a_deadline(tmp_path: Path) -> None:
    files = certify(tmp_path, "one")
    tls, context = Tls(*files), trusting(files[0])

    async def scenario() -> None:
        async with edge(Bus(), entrance=Entrance(tls=tls)) as running:
            silent = await running.connect()
            plain = await running.connect()
            plain.writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await plain.head()
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.load_verify_locations(str(files[0]))
            with pytest.warns(DeprecationWarning, match="TLSv1_1"):
                old.maximum_version = ssl.TLSVersion.TLSv1_1
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await running.connect(tls=old)
            began_s = asyncio.get_running_loop().time()
            assert await silent.reader.read() == b""
            assert asyncio.get_running_loop().time() - began_s < REQUEST_DEADLINE_S + 3
            assert (await (await running.connect(tls=context)).ask("GET", "/c/evening/state"))[0] == 200

    play(scenario)


def test_a_session_is_resumed(tmp_path: Path) -> None:
    files = certify(tmp_path, "one")
    tls, context = Tls(*files), trusting(files[0])
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # Python shows there whether it was resumed before any read

    async def scenario() -> None:
        async with edge(Bus(), entrance=Entrance(tls=tls)) as running:
            loop = asyncio.get_running_loop()

            def twice() -> bool:
                session = None
                for _ in range(2):
                    plain = socket.create_connection(("127.0.0.1", running.port))
                    with context.wrap_socket(plain, server_hostname="edge.test", session=session) as peer:
                        session, reused = peer.session, peer.session_reused
                return bool(reused)

            assert await loop.run_in_executor(None, twice)

    play(scenario)


def test_files_that_are_no_certificate_are_refused_with_their_names(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="certificate"):
        Tls(tmp_path / "nothing.pem", tmp_path / "nothing.pem")
    certificate, key = certify(tmp_path, "one")
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(BadInputError, match=os.fspath(key)):
        Tls(certify(other, "two")[0], key)
    assert certificate.exists()
