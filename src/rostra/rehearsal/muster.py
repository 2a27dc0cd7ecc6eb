"""What a swarm is told, and what its companies say. Pure: whoever reads it needs no Locust."""

import msgspec

from rostra.rehearsal.crowd_report import Second, Tally
from rostra.rehearsal.script import Script


class Muster(msgspec.Struct, frozen=True, kw_only=True, tag="muster"):
    """The crowd of `script` goes to `url` in `companies`, from here or from `workers` machines that join."""

    script: Script
    url: str
    companies: int
    any_host: bool = False
    workers: int = 0
    bind: str = "127.0.0.1"
    port: int = 5557
    web_host: str = "127.0.0.1"
    web_port: int = 0


class Joining(msgspec.Struct, frozen=True, kw_only=True, tag="joining"):
    """Help the swarm led at `host`. It goes to this machine, or to `url`, which has confirmed it to us too."""

    host: str
    port: int = 5557
    url: str = ""


class Begun(msgspec.Struct, frozen=True, tag="begun"):
    """The first listener comes at that Unix second."""

    at: float


class Word(msgspec.Struct, frozen=True, tag="word"):
    """What one company says."""

    company: int
    said: Second | Tally


Line = Begun | Word
lines = msgspec.json.Decoder(Line)
