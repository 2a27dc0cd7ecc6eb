"""A throw-away RFC 3161 authority: certificates made here, answers by `openssl ts`."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CONFIGURATION = """[tsa]
default_tsa = tsa_config
[tsa_config]
dir = .
serial = ./serial
signer_cert = ./tsa.pem
signer_key = ./tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """Its files are in `folder`; `root` is what a reader believes."""

    def __init__(self, folder: Path, *, usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.TIME_STAMPING) -> None:
        folder.mkdir()
        self._folder = folder
        root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        above = x509.BasicConstraints(ca=True, path_length=1)
        self.root = self._certificate("Root", "Root", root_key, root_key, above)
        signer = self._certificate("Time", "Root", key, root_key, x509.ExtendedKeyUsage([usage]))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "tsa.key").write_bytes(pem)
        (folder / "tsa.pem").write_bytes(signer.public_bytes(Encoding.PEM))
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(_CONFIGURATION)

    @staticmethod
    def _certificate(
        subject: str,
        issuer: str,
        key: ec.EllipticCurvePrivateKey,
        issuing: ec.EllipticCurvePrivateKey,
        extension: x509.ExtensionType,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(extension, critical=True)
            .sign(issuing, hashes.SHA256())
        )

    @property
    def root_pem(self) -> bytes:
        return self.root.public_bytes(Encoding.PEM)

    def reply(self, query: bytes) -> bytes:
        """The TimeStampResp to a TimeStampReq."""
        (self._folder / "query").write_bytes(query)
        command = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply"]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True)
        return (self._folder / "reply").read_bytes()

    def token(self, data: bytes) -> bytes:
        """The time stamp of `data`, now."""
        (self._folder / "data").write_bytes(data)
        command = ["openssl", "ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "asked"]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True)
        self.reply((self._folder / "asked").read_bytes())
        command = ["openssl", "ts", "-reply", "-in", "reply", "-token_out", "-out", "token"]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True)
        return (self._folder / "token").read_bytes()
