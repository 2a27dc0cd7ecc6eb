"""TLS in the edge itself (RFC 8446): handshakes that wait for nobody, certificates that change without a drop.

After the handshake of a listener the kernel encrypts, where it can (Linux's TLS_TX): then its descriptor is written
to like a plain one. Otherwise OpenSSL does so in `write`, beside the plain loop and behind the same `Wire`.
"""

import os
import select
import socket
import ssl
import struct
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from rostra.core.errors import BadInputError
from rostra.edge.transport import half_closed

_RECORD_BYTES_MAX: Final = 16_384  # RFC 8446 §5.1: a read takes a whole record, nothing waits in OpenSSL
_ENABLE_KTLS: Final = 1 << 3  # SSL_OP_ENABLE_KTLS; Python has a name for it from 3.12 on
_SOL_TLS, _TLS_TX, _TLS_SET_RECORD_TYPE = 282, 1, 1  # linux/tls.h
_TLS_INFO: Final = struct.Struct("HH")  # tls_crypto_info: version, cipher
_ALERT, _CLOSE_NOTIFY = bytes([21]), bytes([1, 0])


class Tls:
    """A certificate and the sessions under it. BadInputError if the files cannot be used."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._changed_ns = self._stamp()
        self._context = _context()
        self._load()
        self._sessions: dict[int, ssl.SSLSocket] = {}
        self.offloaded = 0
        self.handshakes = 0
        self.failures = 0

    # --- the certificate ---------------------------------------------------------------------------------

    def _stamp(self) -> tuple[int, ...]:
        try:
            return tuple(file.stat().st_mtime_ns for file in self._files)
        except OSError as error:
            raise BadInputError(f"The certificate cannot be read: {error}.") from error

    def _load(self) -> None:
        certificate, key = self._files
        try:
            # Tried elsewhere first: a pair that does not fit would leave half of it in use.
            _context().load_cert_chain(certificate, key)
            self._context.load_cert_chain(certificate, key)
        except (OSError, ValueError) as error:
            raise BadInputError(
                f"The certificate {certificate} and the key {key} cannot be used: {error}."
            ) from error

    def has_changed(self) -> bool:
        """Whether the files are not those in use. BadInputError if they cannot be looked at."""
        return self._stamp() != self._changed_ns

    def digest(self) -> str:
        """SHA-256 of the certificate's file as it is now."""
        try:
            return sha256(self._files[0].read_bytes()).hexdigest()
        except OSError as error:
            raise BadInputError(f"The certificate cannot be read: {error}.") from error

    def reload(self) -> None:
        """Use the files as they are now, from the next handshake on. BadInputError as above.

        Sessions go on, and are resumed under the new certificate.
        """
        self._changed_ns = self._stamp()
        self._load()

    # --- Transport ---------------------------------------------------------------------------------------

    def handshake(self, peer: int) -> int:
        session = self._sessions.get(peer)
        if session is None:
            plain = socket.socket(fileno=peer)
            plain.setblocking(False)  # it does not know that its descriptor is
            session = self._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            self._sessions[peer] = session
        try:
            session.do_handshake()
        except ssl.SSLWantReadError:
            return select.EPOLLIN | select.EPOLLRDHUP
        except ssl.SSLWantWriteError:
            return select.EPOLLOUT
        except OSError:
            self.failures += 1
            raise
        self.handshakes += 1
        return 0

    def read(self, peer: int) -> bytes:
        try:
            return self._sessions[peer].recv(_RECORD_BYTES_MAX)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None

    def write(self, peer: int, data: bytes | memoryview) -> int:
        session = self._sessions.get(peer)
        if session is None:
            return os.write(peer, data)
        try:
            return session.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            # OpenSSL wants the same bytes again: whoever writes here keeps all of them until some are taken.
            raise BlockingIOError from None

    def listens(self, peer: int) -> None:
        if kernel_encrypts(self._sessions[peer]):
            self._sessions.pop(peer).detach()
            self.offloaded += 1

    def half_close(self, peer: int) -> bool:
        session = self._sessions.pop(peer, None)
        if session is None:
            with suppress(OSError):
                _say_goodbye(peer)
        else:
            with suppress(OSError, ValueError):  # it waits for the peer's own goodbye, or the peer has gone
                session.unwrap()
            session.detach()
        return half_closed(peer)

    def close(self, peer: int) -> None:
        session = self._sessions.pop(peer, None)
        if session is None:
            os.close(peer)
        else:
            session.close()


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.options |= _ENABLE_KTLS | ssl.OP_NO_RENEGOTIATION
    return context


def kernel_encrypts(session: ssl.SSLSocket) -> bool:
    """What BIO_get_ktls_send says: whether the kernel has this session's keys for what is sent."""
    try:
        version, _ = _TLS_INFO.unpack(session.getsockopt(_SOL_TLS, _TLS_TX, _TLS_INFO.size))
    except (OSError, struct.error):
        return False
    return bool(version)


def _say_goodbye(peer: int) -> None:
    """close_notify through the kernel, without which a listener could not tell the end from a cut."""
    shared = socket.socket(fileno=peer)
    try:
        shared.sendmsg([_CLOSE_NOTIFY], [(_SOL_TLS, _TLS_SET_RECORD_TYPE, _ALERT)])
    finally:
        shared.detach()
