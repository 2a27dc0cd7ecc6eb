"""Every setting: type, default, one sentence. The only reader of settings files and environment."""

import re
import sys
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import rfc8785
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from rostra.core.errors import BadInputError
from rostra.core.leave import TOKEN_LENGTH_MIN
from rostra.core.prefixes import parse_prefixes

Port = Annotated[int, Field(ge=0, le=65_535)]
# Settings that say where something is, what it is called, or who may: on them no capacity depends.
_PLACES = frozenset(
    {
        *("data", "bus", "bus_credentials", "database", "certificate", "rehearsal_token_file", "turn_secret_file"),
        *("edge_host", "edge_port", "edge_url", "cdn_url", "edge_metrics_port"),
        *("gate_host", "gate_port", "gate_url"),
        *("gate_public_address", "gate_udp_ports", "ice_servers", "recorder_host", "recorder_port", "recorder_url"),
        *("site_host", "site_port", "site_url", "site_title", "site_description", "site_contact"),
        *("mail_from", "mail_host", "mail_port", "mail_user", "mail_password_file", "mail_tls"),
        *("telephone_host", "telephone_port", "telephone_rtp_ports", "telephone_language", "telephone_trunk"),
        *("telephone_registrar", "telephone_password_file", "telephone_calls_from"),
        *("edge_certificate_key", "trusted_proxies", "proxy_protocol", "shield_spared"),
        *("witness_policy", "timestamp_url", "timestamp_certificates"),
        *("witness_host", "witness_port", "witness_url", "probes", "expected_listeners"),
        *("registrations", "confirm_email", "password_grant", "recording_days"),
    }
)

# Who comes, up to the last @ of an address's authority, and what its query calls a secret.
_PASSWORD = re.compile(r"//[^/,\s]*@|(?<=[?&])[^=&\s]*(?:password|secret|token)[^=&\s]*=[^&\s]*", re.IGNORECASE)


class Settings(BaseSettings):
    """Read from `ROSTRA_*` in the environment, then from `rostra.toml` in the working directory."""

    model_config = SettingsConfigDict(env_prefix="ROSTRA_", toml_file="rostra.toml", extra="forbid")

    data: Path = Field(Path("data"), description="Folder for everything that must survive a restart.")
    bus: str = Field(
        "embedded",
        description="`embedded`: run nats-server on loopback; else the NATS URLs of a cluster, comma-separated.",
    )
    bus_credentials: Path | None = Field(
        None, description="Credentials for an external bus: a NATS `.creds` file or an NKey seed file."
    )
    bus_replicas: int = Field(1, ge=1, le=5, description="Copies of each stream that an external cluster keeps.")
    edge_host: str = Field("127.0.0.1", description="Address on which edges listen; 0.0.0.0 for everybody.")
    edge_port: Port = Field(8080, description="Port that all edge workers of this machine share.")
    edge_workers: int = Field(
        2, ge=0, le=256, description="Edge processes; two, so that one may die unheard. 0: none runs here."
    )
    edge_url: str | None = Field(
        None, description="Address under which listeners reach these edges, if another than host and port."
    )
    edge_listeners_max: int | None = Field(
        None, ge=1, description="Listeners that one edge worker takes at most; unset: as many as it can carry."
    )
    edge_egress_mbps: float | None = Field(
        None, gt=0, description="What the line of this machine carries for its edges, in Mbit/s; unknown if unset."
    )
    cdn_url: str | None = Field(
        None,
        description="Address under which a CDN has copies of the edges' `/c/ID/live.webm` and `live.mp4`, for "
        "those who come while edges are under strain.",
    )
    edge_metrics_port: Port = Field(
        9180,
        description="Prometheus port of the first edge worker on loopback; the next ones follow. 0: none.",
    )
    certificate: Path | None = Field(
        None, description="Certificate of a rehearsal of this machine: edges admit what it says, while it holds."
    )
    rehearsal_token_file: Path | None = Field(
        None, description="File with a secret that `rostra rehearse` must know to send a crowd from elsewhere."
    )
    edge_certificate: Path | None = Field(
        None, description="Certificate chain (PEM) with which edges serve HTTPS; read again when it changes."
    )
    edge_certificate_key: Path | None = Field(None, description="Its private key (PEM).")
    trusted_proxies: str = Field(
        "",
        description="Addresses of proxies in front of edges, gates, site and recordings, as prefixes, "
        "comma-separated: whom they speak for is believed.",
    )
    proxy_protocol: bool = Field(
        default=False,
        description="Trusted proxies begin each connection with a PROXY header; else they send `Forwarded` or "
        "`X-Forwarded-For`.",
    )
    shield_spared: str = Field(
        "127.0.0.0/8,::1",
        description="Prefixes without a budget, never banned, comma-separated; trusted proxies need not be named.",
    )
    gates: int = Field(2, ge=0, le=64, description="Gate processes, where speakers come in.")
    gate_host: str = Field("127.0.0.1", description="Address on which gates listen for speakers' pages.")
    gate_port: Port = Field(8070, description="Port of the first gate; the next ones follow.")
    gate_url: str | None = Field(
        None,
        description="Address under which speakers reach the gates, with `{n}` for the gate's number, if another "
        "than host and port. Browsers give a microphone to https and localhost only.",
    )
    gate_public_address: str | None = Field(
        None, description="IP address of this machine as speakers' networks see it, behind a 1:1 translation."
    )
    gate_udp_ports: str | None = Field(
        None, description="UDP ports for speakers' sound, e.g. `50000-50999`, shared by all gates; any if unset."
    )
    ice_servers: str = Field(
        "", description="STUN and TURN servers for speakers, comma-separated: `stun:host:3478,turn:host:3478`."
    )
    turn_secret_file: Path | None = Field(
        None, description="File with the secret that coturn's `static-auth-secret` holds, to make passwords of."
    )
    telephone: bool = Field(
        default=False, description="The first gate takes telephone calls (SIP); needs the extra `telephone`."
    )
    telephone_host: str = Field("127.0.0.1", description="Address on which calls come in.")
    telephone_port: Port = Field(5060, description="UDP port for SIP.")
    telephone_rtp_ports: str = Field("40000-40198", description="UDP ports for callers' sound, an even one each.")
    telephone_language: Literal["en", "nl"] = Field("en", description="Language of the spoken prompts.")
    telephone_trunk: str | None = Field(
        None, description="Our address at a provider where we register for calls: `sip:user@provider`."
    )
    telephone_registrar: str | None = Field(
        None, description="The provider's registrar, `host:port`; the host of the address if unset."
    )
    telephone_password_file: Path | None = Field(None, description="File with the password for the provider.")
    telephone_calls_from: str = Field(
        "", description="IP addresses from which the provider calls, besides its registrar's; comma-separated."
    )
    stages: int = Field(2, ge=0, le=16, description="Stage processes; all but one stand by. 0: none runs here.")
    recorders: int = Field(1, ge=0, le=4, description="Recorder processes; the first to come records. 0: none.")
    recorder_host: str = Field("127.0.0.1", description="Address on which recordings are served.")
    recorder_port: Port = Field(8090, description="Port on which recordings are served. 0: they are not.")
    recorder_url: str | None = Field(
        None, description="Address under which listeners reach recordings, if another than host and port."
    )
    recording_stems: Literal["flac", "opus", "none"] = Field(
        "flac", description="Each seat by itself beside the programme: without loss, at 96 kbit/s, or not at all."
    )
    witnesses: int = Field(
        1,
        ge=0,
        le=1,
        description="Processes that keep a ledger of what all others say of themselves. 0: nothing is witnessed.",
    )
    witness_policy: Path | None = Field(
        None,
        description="Whose cosignatures a ledger needs (a C2SP tlog-policy file); those with an address are asked.",
    )
    witness_host: str = Field("127.0.0.1", description="Address on which ledgers are served.")
    witness_port: Port = Field(
        0, description="Port on which ledgers are served, and probes heard. 0: they are not."
    )
    witness_url: str | None = Field(
        None, description="Address under which anybody reaches ledgers and reports, if another than host and port."
    )
    probes: Path | None = Field(
        None, description="Verifier keys of those who look from outside (`rostra probe --key`), one to a line."
    )
    expected_listeners: int | None = Field(
        None, ge=0, description="How many people are expected; each ledger has it before the doors open."
    )
    timestamp_url: str | None = Field(
        None, description="An RFC 3161 authority that stamps each ledger once a minute."
    )
    timestamp_certificates: Path | None = Field(
        None, description="Its root certificates (PEM): a stamp that does not lead to one of them is not kept."
    )
    captions: Literal["auto", "on", "off"] = Field(
        "auto", description="Live captions and transcripts; `auto`: if the extra `captions` is installed."
    )
    recording_days: int | None = Field(
        None, ge=1, description="Recordings are deleted so many days after they were finished; else never."
    )
    sites: int = Field(1, ge=0, le=16, description="Site processes (accounts, posts, pages). 0: none runs here.")
    site_host: str = Field("127.0.0.1", description="Address on which the site listens.")
    site_port: Port = Field(3000, description="Port that all site processes of this machine share.")
    site_url: str | None = Field(None, description="The site's address for people, if another than host and port.")
    site_title: str = Field("Rostra", min_length=1, description="The site's name.")
    site_description: str = Field(
        "Live public conversations that start on time.", description="One sentence about the site."
    )
    site_contact: str = Field("", description="E-mail address for authorities and people (DSA art. 11, 12).")
    database: str | None = Field(
        None, description="`postgresql://user:password@host/name`; a SQLite file in the data folder if unset."
    )
    registrations: Literal["open", "approval", "closed"] = Field(
        "open", description="Who may sign up: everybody, who is approved, nobody."
    )
    confirm_email: bool = Field(
        default=True, description="An account can be used once its e-mail address is confirmed; else at once."
    )
    password_grant: bool = Field(
        default=False, description="Let applications take passwords (OAuth's password grant): for old clients only."
    )
    rate_limits: bool = Field(default=True, description="Bound how often an account and an address may ask.")
    mail_from: str = Field("rostra@localhost", description="Sender of the site's e-mail.")
    mail_host: str | None = Field(
        None, description="Server for e-mail; if unset, mails go to the folder `mail` in the data folder."
    )
    mail_port: Port = Field(587, description="Its port.")
    mail_user: str | None = Field(None, description="Name to log in there.")
    mail_password_file: Path | None = Field(None, description="File with the password for it.")
    mail_tls: Literal["starttls", "implicit", "none"] = Field("starttls", description="How e-mail is encrypted.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over the file."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def environment(self) -> dict[str, str]:
        """These settings as environment variables for a process that is started with them."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        values["data"] = self.data.resolve()
        return {f"ROSTRA_{name.upper()}": str(value) for name, value in values.items() if value is not None}

    def rehearsed(self) -> dict[str, str]:
        """The settings on which a capacity depends, as a certificate names them."""
        return {name: str(getattr(self, name)) for name in type(self).model_fields if name not in _PLACES}

    def digest(self) -> str:
        """SHA-256 of every setting in force: none changes unsaid. Passwords within addresses are left out."""
        values = {name: str(getattr(self, name)) for name in type(self).model_fields}
        open_ = {name: _PASSWORD.sub("//", value) if "://" in value else value for name, value in values.items()}
        return sha256(rfc8785.dumps(open_)).hexdigest()

    def elsewhere(self, port: int) -> "Settings":
        """The same on loopback from `port` on (3 ports and one for each gate): for a rehearsal of its own."""
        return self.model_copy(
            update={
                "bus": "embedded",
                "edge_port": port,
                "recorder_port": port + 1 if self.recorder_port else 0,
                "site_port": port + 2,
                "gate_port": port + 3,
                "edge_metrics_port": 0,
                "witness_port": 0,
                "telephone": False,
                "shield_spared": "",  # a rehearsal's attackers come from loopback, and so does its crowd
                **dict.fromkeys(("edge_host", "recorder_host", "site_host", "gate_host"), "127.0.0.1"),
                **dict.fromkeys(("edge_url", "recorder_url", "site_url", "gate_url", "gate_public_address")),
                **dict.fromkeys(("bus_credentials", "database", "mail_host")),
                **dict.fromkeys(("rehearsal_token_file", "certificate")),
            }
        )

    def rehearsal_token(self) -> str | None:
        """The secret that gives leave to rehearse. BadInputError if it cannot be read, or could be guessed."""
        if self.rehearsal_token_file is None:
            return None
        try:
            token = self.rehearsal_token_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadInputError(f"ROSTRA_REHEARSAL_TOKEN_FILE cannot be read: {error.strerror}.") from error
        if len(token) < TOKEN_LENGTH_MIN:
            raise BadInputError(f"ROSTRA_REHEARSAL_TOKEN_FILE needs {TOKEN_LENGTH_MIN} characters or more.")
        return token

    @property
    def rehearsal_key(self) -> Path:
        """What signs the certificates that are made here."""
        return self.data / "rehearsal.pem"

    @field_validator("trusted_proxies", "shield_spared")
    @classmethod
    def _are_prefixes(cls, text: str) -> str:
        try:
            parse_prefixes(text)
        except BadInputError as error:
            raise ValueError(str(error)) from error
        return text

    @property
    def gate_urls(self) -> list[str]:
        """Where speakers reach each gate of this machine."""
        pattern = self.gate_url or f"http://{self.gate_host}:{{port}}"
        return [pattern.format(n=n, port=self.gate_port + n - 1) for n in range(1, self.gates + 1)]

    @property
    def ledgers(self) -> Path:
        return self.data / "ledgers"

    @property
    def recordings(self) -> Path:
        return self.data / "recordings"

    @property
    def replay_url(self) -> str:
        return self.recorder_url or f"http://{self.recorder_host}:{self.recorder_port}"

    @property
    def ledgers_url(self) -> str:
        """Where anybody reads ledgers and reports; empty if they are not served."""
        if not self.witnesses or not self.witness_port:
            return ""
        return self.witness_url or f"http://{self.witness_host}:{self.witness_port}"

    @property
    def people_url(self) -> str:
        """Where people reach the site."""
        return (self.site_url or f"http://{self.site_host}:{self.site_port}").rstrip("/")

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.data.resolve() / 'site.db'}"

    @property
    def url(self) -> str:
        scheme = "http" if self.edge_certificate is None else "https"
        return self.edge_url or f"{scheme}://{self.edge_host}:{self.edge_port}"

    @property
    def log_host(self) -> str:
        """The first part of every ledger's origin."""
        return urlsplit(self.url).hostname or "localhost"


def read_settings() -> Settings:
    """The settings of this process. BadInputError names the first one that cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise BadInputError(f"Setting ROSTRA_{name.upper()}: {first['msg']}.") from error


def reference() -> str:
    """The page docs/operate/configure.md, made from the settings above."""
    lines = [
        "# Settings",
        "",
        "Made from `src/rostra/config.py` by `python -m rostra.config`. Read from the environment, then from",
        "`rostra.toml` in the working directory (names in lower case without the prefix).",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = "none" if field.default is None else f"`{field.default}`"
        lines.append(f"| `ROSTRA_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
