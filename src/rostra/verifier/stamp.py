"""Time stamps (RFC 3161): that an authority saw a hash at an instant, and whose certificate says so."""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from rostra.verifier.der import CONTEXT_0, OCTETS, SEQUENCE, SET, TIME, Value, parse_der
from rostra.verifier.errors import FlawError

TOKEN_BYTES_MAX: Final = 32_768
CHAIN_MAX: Final = 6
_SHA256: Final = bytes.fromhex("608648016503040201")
_HASHES: Final[dict[bytes, hashes.HashAlgorithm]] = {
    _SHA256: hashes.SHA256(),
    bytes.fromhex("608648016503040202"): hashes.SHA384(),
    bytes.fromhex("608648016503040203"): hashes.SHA512(),
}
_SIGNED_DATA: Final = bytes.fromhex("2a864886f70d010702")
_TST_INFO: Final = bytes.fromhex("2a864886f70d0109100104")
_CONTENT_TYPE: Final = bytes.fromhex("2a864886f70d010903")
_MESSAGE_DIGEST: Final = bytes.fromhex("2a864886f70d010904")
_TIME: Final = re.compile(rb"(\d{14})(\.\d{1,9})?Z")


class Stamp(NamedTuple):
    """A token that signs its own content; whose `signer` is, and whether it is believed, is for `trusted`."""

    at_ms: int
    imprint: bytes  # SHA-256 of what was stamped
    signer: x509.Certificate
    others: tuple[x509.Certificate, ...]


def parse_stamp(token: bytes) -> Stamp:
    """FlawError unless the token is well formed, and signed by the certificate that it carries."""
    if len(token) > TOKEN_BYTES_MAX:
        raise FlawError("A time stamp is larger than any.")
    try:
        return _parsed(token)
    except (ValueError, UnsupportedAlgorithm, OverflowError) as error:  # of a certificate, or of an instant
        raise FlawError(f"The time stamp cannot be read: {error!s:.100}.") from error


def authorities(pem: bytes) -> Sequence[x509.Certificate]:
    """Certificates from a file. FlawError if there are none."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise FlawError("The file of the time stamp authority holds no certificate.") from error


def trusted(stamp: Stamp, roots: Sequence[x509.Certificate]) -> None:
    """FlawError unless `stamp` was made under one of `roots`, by somebody who may, while that was valid."""
    try:
        use = stamp.signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        if not use.critical or list(use.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:  # RFC 3161 §2.3
            raise FlawError(f"{_name(stamp.signer)} is no authority for time.")
        _climb(stamp, roots)
    except x509.ExtensionNotFound as error:
        raise FlawError(f"{_name(stamp.signer)} is no authority for time.") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise FlawError(f"The certificates of a time stamp cannot be read: {error!s:.100}.") from error


def _climb(stamp: Stamp, roots: Sequence[x509.Certificate]) -> None:
    below = stamp.signer
    for _ in range(CHAIN_MAX):
        at = datetime.fromtimestamp(stamp.at_ms / 1_000, UTC)
        if not below.not_valid_before_utc <= at <= below.not_valid_after_utc:
            raise FlawError(f"{_name(below)} was not valid when it stamped.")
        if below in roots or any(_issued(below, root) for root in roots):
            return
        above = next((each for each in stamp.others if each != below and _issued(below, each)), None)
        if above is None:
            break
        below = above
    raise FlawError(f"The time stamp by {_name(stamp.signer)} leads to no authority that is believed.")


def _issued(below: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        if not above.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        below.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    return True


def _parsed(token: bytes) -> Stamp:
    kind, wrapped = parse_der(token).as_(SEQUENCE).first(2)
    if kind.content != _SIGNED_DATA:
        raise FlawError("A time stamp is signed data.")
    fields = wrapped.as_(CONTEXT_0).first(1)[0].as_(SEQUENCE).values()
    if len(fields) < len(("version", "digests", "content", "signers")):
        raise FlawError("A time stamp lacks a field.")
    kind, content = fields[2].as_(SEQUENCE).first(2)
    if kind.content != _TST_INFO:
        raise FlawError("What was signed is no time stamp.")
    info = content.as_(CONTEXT_0).first(1)[0].as_(OCTETS).content
    carried = next((field for field in fields[3:] if field.tag == CONTEXT_0), None)
    certificates = [x509.load_der_x509_certificate(each.whole) for each in carried.values()] if carried else []
    signer = fields[-1].as_(SET).first(1)[0].as_(SEQUENCE)
    at_ms, imprint = _stamped(info)
    certificate = _signed(signer, info, certificates)
    return Stamp(at_ms, imprint, certificate, tuple(certificates))


def _stamped(info: bytes) -> tuple[int, bytes]:
    """When, and the hash of what."""
    _, _, imprint, _, time = parse_der(info).as_(SEQUENCE).first(5)
    algorithm, hashed = imprint.as_(SEQUENCE).first(2)
    if algorithm.first(1)[0].content != _SHA256:
        raise FlawError("The time stamp is of no SHA-256.")
    match = _TIME.fullmatch(time.as_(TIME).content)
    if match is None:
        raise FlawError("The time stamp has no time.")
    at = datetime.strptime(match[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return int(at.timestamp()) * 1_000 + int((match[2] or b".0")[1:].ljust(3, b"0")[:3]), hashed.as_(OCTETS).content


def _signed(signer: Value, info: bytes, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """Whose certificate among `certificates` has signed `info` (RFC 5652 §5.4)."""
    _, _, digest, attributes, _, signature = signer.first(6)
    algorithm = _HASHES.get(digest.first(1)[0].content)
    if algorithm is None:
        raise FlawError("The time stamp is hashed in a way that is not believed.")
    said = {name.content: found.as_(SET).first(1)[0] for name, found in (a.first(2) for a in attributes.values())}
    hashed = hashlib.new(algorithm.name, info).digest()
    if attributes.tag != CONTEXT_0 or not {_CONTENT_TYPE, _MESSAGE_DIGEST} <= said.keys():
        raise FlawError("The time stamp does not say what it signs.")
    if said[_CONTENT_TYPE].content != _TST_INFO or said[_MESSAGE_DIGEST].content != hashed:
        raise FlawError("The time stamp was changed after it was signed.")
    message = bytes([SET]) + attributes.whole[1:]
    for certificate in certificates:
        if _verifies(certificate, signature.as_(OCTETS).content, message, algorithm):
            return certificate
    raise FlawError("The time stamp is not signed by a certificate that it carries.")


def _verifies(
    certificate: x509.Certificate, signature: bytes, message: bytes, algorithm: hashes.HashAlgorithm
) -> bool:
    key: Any = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()[:120]
