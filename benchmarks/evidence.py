"""What it costs an edge to be witnessed: CPU of one second's account, signed, beside 20,000 connections and a crowd."""

import secrets
import socket
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.record import keep
from rostra.core.keys import Key, KeyRing
from rostra.core.shield import NETWORK_BUDGET, Prefix
from rostra.edge import server
from rostra.edge.account import account
from rostra.edge.admission import Bounds
from rostra.edge.entrance import Entrance
from rostra.edge.fleet import Fleet
from rostra.edge.pages import Pages
from rostra.edge.sources import WINDOW_S, Sources
from rostra.evidence.chain import Chain
from rostra.evidence.emitter import Emitter
from rostra.evidence.spool import Spool
from rostra.evidence.told import told
from rostra.evidence.vitals import vitals

CONNECTIONS: Final = 20_000
ASKING_HZ: Final = (0, 200, 2_000)  # different networks a second; in a minute most of them are new
MEASURED_S: Final = 60


def main() -> None:
    figures: dict[str, object] = {}
    for asking in ASKING_HZ:
        counting_s, saying_s, size = _second_s(asking)
        figures[f"{asking} networks a second: counting, saying (ms), share of a core, bytes"] = (
            f"{counting_s * 1e3:.2f}, {saying_s * 1e3:.2f}, {counting_s + saying_s:.2%}, {size}"
        )
    keep("evidence", figures)


def _networks(number: int, count: int) -> dict[Prefix, int]:
    """The networks of one second, each of which asks once."""
    names = (f"10.{each >> 8}.{each & 255}.0/24" for each in range(number * count, (number + 1) * count))
    return {Prefix(name, NETWORK_BUDGET, None, now_s=0.0): 1 for name in names}


def _second_s(asking: int) -> tuple[float, float, int]:
    """CPU seconds of counting and of saying one second, and the bytes of an entry."""
    with TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        pages = Path(folder)
        for page in ("index", "listen", "problem"):
            (pages / f"{page}.html").write_text("")
        (pages / "assets").mkdir()
        worker = server._worker(  # noqa: SLF001 # an edge without its clock
            listening,
            Entrance(),
            Fleet("edge-1", "http://edge"),
            Bounds(2 * CONNECTIONS),
            keys=KeyRing(Key(0, 0, bytes(32))),
            pages=Pages(pages),
            copy_url="",
        )
        for descriptor in range(CONNECTIONS):
            worker.crowd.patience.idle.start(10_000 + descriptor, now_s=0.0)
        sources = Sources(lambda: secrets.token_bytes(32))
        spool = Spool(pages / "spool")
        emitter = Emitter(Chain("edge-1", Ed25519PrivateKey.generate()), spool)
        counting_s = saying_s = 0.0
        entry = b""
        for second in range(WINDOW_S + MEASURED_S):
            asked = _networks(second, asking)
            began_s = time.process_time()
            sources.second(asked, on_air=True, now_s=second)
            counted_s = time.process_time()
            body = account(worker, sources, now_s=second)
            report = told(worker.report(now_ns=second))
            emitter.say("record", {"is": report, "has": vitals(), **body})
            said_s = time.process_time()
            if second >= WINDOW_S:
                counting_s += counted_s - began_s
                saying_s += said_s - counted_s
            entry = spool.oldest() or b""
            spool.taken()
        worker.crowd.patience.idle.expired(now_s=float("inf"))
        worker.close()
    return counting_s / MEASURED_S, saying_s / MEASURED_S, len(entry)
