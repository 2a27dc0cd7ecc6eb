"""Listeners who sign what they heard, and an edge that takes it as its door does."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from ledger_kit import Evening, key_of, written
from rostra.edge.receipts import Receipts
from rostra.verifier.canonical import Json, canonical
from rostra.verifier.checks.receipts import Shown, parse_shown
from rostra.verifier.receipt import MINUTE_MS, PURPOSE, RECEIPTS
from rostra.verifier.source import Folder

HEARD = {
    "conversation": "evening", "edge": "https://edge.example", "at_ms": 1, "from_seq": 10, "to_seq": 609,
    "chunks": 600, "gaps": 0, "silent_ms": 0, "first_sound_ms": 240, "refused": 0,
}  # fmt: skip


def receipt(number: int, **heard: Any) -> bytes:
    key = key_of(f"listener {number}")
    said = HEARD | heard
    public = b64encode(key.public_key().public_bytes_raw()).decode()
    return canonical({"heard": said, "key": public, "sig": b64encode(key.sign(PURPOSE + canonical(said))).decode()})


class Edge:
    """An evening with one edge, which takes receipts as its door does."""

    def __init__(self, **named: Any) -> None:
        self.evening = Evening("edge-1", **named).go_on(20)
        chain = self.evening.chain("edge-1")
        self.receipts = Receipts("edge-1", chain.run, chain.sign)
        self.saved: list[dict[str, Any]] = []

    def take(self, *texts: bytes) -> "Edge":
        for text in texts:
            promise = self.receipts.take("evening", text, now_ms=self.evening.wall_ms)
            self.saved.append({"receipt": text.decode(), "promise": promise})
        return self

    def said(self) -> list[dict[str, Json]]:
        return list(self.receipts.done(now_ms=self.evening.wall_ms + MINUTE_MS))

    def log(self, folder: Path, *bodies: dict[str, Json]) -> Folder:
        for body in bodies:
            self.evening.say("edge-1", RECEIPTS, body)
        return Folder(written(folder, self.evening.go_on(200).entries))

    @property
    def shown(self) -> list[Shown]:
        return parse_shown(b"\n".join(json.dumps(each).encode() for each in self.saved))
