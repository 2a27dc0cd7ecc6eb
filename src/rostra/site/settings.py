"""The settings of a site process, as the supervisor hands them over."""

from dataclasses import dataclass
from pathlib import Path

from rostra.core.keys import KeyRing


@dataclass(frozen=True, slots=True)
class Mail:
    """Where e-mail goes: to a server, or (without `host`) into a folder, where development finds it."""

    sender: str
    folder: Path
    host: str | None = None
    port: int = 25
    user: str | None = None
    password: str | None = None
    tls: str = "starttls"  # starttls, implicit or none


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """`url` is the site's address as people write it, without a slash at its end."""

    url: str
    title: str
    description: str
    host: str
    port: int
    database: str
    media: Path  # folder of uploads
    invitation_key: bytes  # signs links to a stage (core/invitation.py)
    ticket_keys: KeyRing  # sign passes at the door (core/ticket.py)
    key: bytes  # 32 bytes: seals cookies, TOTP secrets and address keys
    mail: Mail
    contact: str = ""
    registrations: str = "open"  # open, approval, closed
    confirm_email: bool = True  # before an account may be used
    password_grant: bool = False  # RFC 6749 §4.3; Mastodon has removed it
    rate_limits: bool = True
    edge_url: str = ""  # where listeners go
    gate_urls: tuple[str, ...] = ()
    replay_url: str = ""
    ledgers_url: str = ""  # where the witness serves ledgers and reports

    @property
    def domain(self) -> str:
        return self.url.partition("://")[2]

    @property
    def secure(self) -> bool:
        return self.url.startswith("https://")
