"""Bytes that nobody thought of, for what strangers reach first: `python tools/fuzz.py SECONDS [SEED]`.

Each way in is given whole inputs that were changed in a few places, cut into pieces at will. What may come back is
an answer or a BadInputError; anything else is printed with the input that did it, and the exit code is 1.
"""

import random
import struct
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from rostra.core.errors import BadInputError
from rostra.core.forwarded import asker, read_proxy
from rostra.core.keys import Key, KeyRing
from rostra.core.limits import REQUEST_BYTES_MAX
from rostra.core.prefixes import Prefixes, network_of, source_of
from rostra.core.ticket import verify
from rostra.edge.http import Rejected, Request, RequestReader
from rostra.verifier.entry import parse_entry
from rostra.verifier.errors import FlawError
from rostra.verifier.note import parse_checkpoint, parse_note
from rostra.verifier.policy import parse_policy
from rostra.verifier.stamp import parse_stamp
from rostra.verifier.tiles import unbundled

_V2 = b"\r\n\r\n\x00\r\nQUIT\n"
_TRUSTED = Prefixes(["10.0.0.0/8"])
_KEYS = KeyRing(Key(0, 0, bytes(32)))
_ENTRY = (
    b'{"said":{"body":{"n":[1,{"a":null}]},"kind":"record","mono_ms":1,"prev":"","run":1,"seq":0,"wall_ms":1,"who":"e"},'
    b'"sig":"AAAA"}'
)
_WORDS = (
    b"\r\n", b"\0", b"\xff" * 8, b"%00", b"%", b": ", b'"', b",", b"for=", b"Host: x\r\n", b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Upgrade: h2c\r\nConnection: upgrade\r\n", b"HTTP/1.1", b"[", b"]", b"::",
    b"A" * 9_000,
)  # fmt: skip


def requests(data: bytes, chance: random.Random) -> None:
    """The door's parser, fed as a socket would."""
    reader, at = RequestReader(), 0
    while at < len(data):
        piece = data[at : at + chance.randint(1, REQUEST_BYTES_MAX)]
        at += len(piece)
        for item in reader.feed(piece):
            assert isinstance(item, Request | Rejected), item
            if isinstance(item, Rejected):
                assert 400 <= item.status < 500, item
                return


def proxies(data: bytes, _: random.Random) -> None:
    proxied = read_proxy(data)
    assert 0 < proxied.size <= len(data), proxied
    if proxied.address is not None:
        network_of(source_of(proxied.address))


def forwarded(data: bytes, _: random.Random) -> None:
    text = data.decode("latin-1")
    for arguments in ((text, ""), ("", text)):
        with suppress(BadInputError):
            network_of(source_of(asker("10.0.0.1", *arguments, _TRUSTED)))


def tickets(data: bytes, _: random.Random) -> None:
    for text in (data.decode("latin-1"), data.decode("utf-8", "surrogateescape")):
        assert verify(text, conversation="evening", keys=_KEYS, now_s=0) is None


def entries(data: bytes, _: random.Random) -> None:
    """What a stranger posts to a witness, or puts into a bundle."""
    with suppress(FlawError):
        parse_entry(data)
    with suppress(FlawError):
        unbundled(data)


def notes(data: bytes, _: random.Random) -> None:
    """Checkpoints, policies, and what somebody asks a cosigner."""
    with suppress(FlawError):
        parse_checkpoint(parse_note(data))
    with suppress(FlawError):
        parse_policy(data)


def stamps(data: bytes, _: random.Random) -> None:
    with suppress(FlawError):
        parse_stamp(data)


TARGETS: Mapping[Callable[[bytes, random.Random], None], tuple[bytes, ...]] = {
    requests: (
        b"GET /c/evening/stream?ticket=abc&from=7 HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n",
        b"POST /c/evening/join HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ),
    proxies: (
        b"PROXY TCP4 192.0.2.7 10.0.0.1 4000 80\r\n",
        b"PROXY TCP6 2001:db8::7 ::1 4000 80\r\n",
        _V2 + struct.pack(">BBH", 0x21, 0x11, 12) + bytes(12),
        _V2 + struct.pack(">BBH", 0x21, 0x21, 36) + bytes(36),
    ),
    forwarded: (
        b'for=192.0.2.7, For="[2001:db8::7]:80";proto=https',
        b"203.0.113.9, 192.0.2.7:80, 2001:db8::7",
    ),
    entries: (
        _ENTRY,
        len(_ENTRY).to_bytes(2, "big") + _ENTRY + b"\0\2{}",
    ),
    notes: (
        b"example.org/log\n5\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 example.org/log AAAAAAAAAAA=\n",
        b"witness a example.org+00000000+AQ==\ngroup g 1 a\nquorum g\n",
    ),
    stamps: (bytes.fromhex("3012060b2a864886f70d0109100104a0030401ff") * 3,),
    tickets: (b"AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", b""),
}


def changed(data: bytes, chance: random.Random) -> bytes:
    """`data` with up to eight changes of any kind."""
    for _ in range(chance.randint(0, 8)):
        at, to = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
        match chance.randrange(5):
            case 0:
                data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
            case 1:
                data = data[:at] + chance.choice(_WORDS) + data[at:]
            case 2:
                data = data[:at] + data[to:]
            case 3:
                data = data[:to] + data[at:to] + data[to:]
            case _:
                data = data[:at] + chance.randbytes(chance.randrange(16)) + data[at:]
    return data


def fuzz(seconds: float, seed: int) -> int:
    """How many inputs were tried. Raises what a target raised, with the input as a note."""
    chance, end_s, count = random.Random(seed), time.monotonic() + seconds, 0
    targets = list(TARGETS.items())
    while time.monotonic() < end_s:
        target, samples = targets[count % len(targets)]
        data = changed(chance.choice(samples), chance)
        count += 1
        try:
            target(data, chance)
        except BadInputError:
            continue
        except Exception as error:
            error.add_note(f"{target.__name__} was given {data!r} (seed {seed}, input {count})")
            raise
    return count


if __name__ == "__main__":
    chosen = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns()
    tried = fuzz(float(sys.argv[1]), chosen)
    print(f"{tried} inputs, seed {chosen}: nothing but answers and refusals")
