"""Bytes that nobody thought of, for what strangers reach first: `python tools/fuzz.py SECONDS [SEED]`.

Each way in is given whole inputs that were changed in a few places, cut into pieces at will. What may come back is
an answer or a BadInputError; anything else is printed with the input that did it, and the exit code is 1.
"""

import json
import random
import struct
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rostra.core.errors import BadInputError
from rostra.core.forwarded import asker, read_proxy
from rostra.core.keys import Key, KeyRing
from rostra.core.limits import RECEIPTS_PER_MINUTE_MAX, REQUEST_BYTES_MAX
from rostra.core.prefixes import Prefixes, network_of, source_of
from rostra.core.ticket import verify
from rostra.edge.http import Rejected, Request, RequestReader
from rostra.edge.receipts import Receipts
from rostra.verifier.canonical import Json, canonical
from rostra.verifier.checks.probes import Probes
from rostra.verifier.checks.receipts import Receipts as Check
from rostra.verifier.checks.receipts import parse_shown
from rostra.verifier.checks.registration import Registration
from rostra.verifier.entry import Entry, parse_entry
from rostra.verifier.errors import FlawError
from rostra.verifier.note import parse_checkpoint, parse_note
from rostra.verifier.policy import parse_policy
from rostra.verifier.receipt import KEPT_MAX, MINUTE_MS, PURPOSE, RECEIPTS, digest
from rostra.verifier.stamp import parse_stamp
from rostra.verifier.tiles import ENTRY_BYTES_MAX, unbundled

_V2 = b"\r\n\r\n\x00\r\nQUIT\n"
_TRUSTED = Prefixes(["10.0.0.0/8"])
_KEYS = KeyRing(Key(0, 0, bytes(32)))
_ENTRY = (
    b'{"said":{"body":{"n":[1,{"a":null}]},"kind":"record","mono_ms":1,"prev":"","run":1,"seq":0,"wall_ms":1,"who":"e"},'
    b'"sig":"AAAA"}'
)
_HEARD = canonical(
    {
        "conversation": "evening", "edge": "https://edge.example", "at_ms": 1, "from_seq": 10, "to_seq": 609,
        "chunks": 600, "gaps": 0, "silent_ms": 0, "first_sound_ms": 240, "refused": 0,
    }
)  # fmt: skip
_ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(32))
_P256 = derive_private_key(1, SECP256R1())


def _ed25519(said: bytes) -> tuple[bytes, bytes]:
    return _ED25519.public_key().public_bytes_raw(), _ED25519.sign(said)


def _p256(said: bytes) -> tuple[bytes, bytes]:
    r, s = decode_dss_signature(_P256.sign(said, ECDSA(SHA256())))
    public = _P256.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return public, r.to_bytes(32) + s.to_bytes(32)


_SIGNERS = (_ed25519, _p256)
_PUBLIC, _SIGNATURE = (b64encode(each).decode() for each in _ed25519(PURPOSE + _HEARD))
_RECEIPT = canonical({"heard": json.loads(_HEARD), "key": _PUBLIC, "sig": _SIGNATURE})
_PROMISE: dict[str, Json] = {
    "who": "edge-1", "run": 7, "conversation": "evening", "minute": 0, "digest": digest(_RECEIPT), "sig": "AAAA",
}  # fmt: skip
_SAVED = canonical({"receipt": _RECEIPT.decode(), "promise": _PROMISE}) + b"\n"
_WORDS = (
    b"\r\n", b"\0", b"\xff" * 8, b"%00", b"%", b": ", b'"', b",", b"for=", b"Host: x\r\n", b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Upgrade: h2c\r\nConnection: upgrade\r\n", b"HTTP/1.1", b"[", b"]", b"::",
    b"A" * 9_000, b"A" * 300, b"\\u0001" * 40, b'\\"' * 90, b"null", b"-1", b"[[[[", b'{"":',
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


def receipts(data: bytes, _: random.Random) -> None:
    """What a listener sends to an edge, and brings to `rostra verify`."""
    _edge_takes(data)
    with suppress(FlawError):
        parse_shown(data)


def signed_receipts(data: bytes, chance: random.Random) -> None:
    """What a listener says that was heard, with a signature that is true."""
    public, signature = chance.choice(_SIGNERS)(PURPOSE + data)
    key, sig = b64encode(public), b64encode(signature)
    _edge_takes(b'{"heard":' + data + b',"key":"' + key + b'","sig":"' + sig + b'"}')


def _edge_takes(text: bytes) -> None:
    """Whatever an edge takes fits into its entry, and makes no ledger false."""
    edge = Receipts("edge-1", 7, bytes)
    with suppress(FlawError):
        assert edge.take("evening", text, now_ms=0) is not None
    registration = Registration("witness", _said("opened", {"conversation": "evening"}), "evening")
    check = Check("evening", Probes(registration, {}), {}, ())
    for body in edge.done(now_ms=MINUTE_MS):
        check.take(0, _said(RECEIPTS, body))
        digests, kept = body["digests"], body["kept"]
        assert isinstance(digests, list)
        assert isinstance(kept, list)
        full = body | {"digests": digests * RECEIPTS_PER_MINUTE_MAX, "kept": kept * KEPT_MAX}
        assert len(canonical(full)) + 1_000 < ENTRY_BYTES_MAX, "a minute of such receipts is too long for a ledger"
    assert len(list(check.steps())) <= 1


def _said(kind: str, body: dict[str, Json]) -> Entry:
    return Entry("edge-1", 7, 0, "", kind, 0, 0, body)


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
    receipts: (_RECEIPT, _SAVED, _SAVED + _SAVED, b'{"promise":null,"receipt":null}'),
    signed_receipts: (_HEARD,),
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
