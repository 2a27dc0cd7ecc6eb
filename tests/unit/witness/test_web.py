"""A registered probe says what it found, signed, and is a witness of nothing else."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from ledger_kit import key_of
from rostra.evidence.chain import Chain
from rostra.verifier.checks.probes import PROBE
from rostra.witness.reports import Reports
from rostra.witness.web import Web

NAME = "paper.example"


def posted(entry: bytes, folder: Path) -> tuple[int, int]:
    """The answer, and how many entries were taken."""
    web = Web(folder, {NAME: key_of(NAME).public_key().public_bytes_raw()}, Reports())

    async def post() -> httpx2.Response:
        transport = httpx2.ASGITransport(web.application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://witness") as client:
            return await client.post("/ledgers/entries", content=entry)

    return asyncio.run(post()).status_code, len(web.arrived)


def test_what_a_probe_found_is_taken(tmp_path: Path) -> None:
    assert posted(Chain(NAME, key_of(NAME)).sealed(PROBE, {"outcome": "heard"}), tmp_path) == (202, 1)


@pytest.mark.parametrize("kind", ["identity", "record", "change", "correction", "receipts", "verdict"])
def test_p9_a_probe_says_nothing_of_any_other_kind(kind: str, tmp_path: Path) -> None:
    assert posted(Chain(NAME, key_of(NAME)).sealed(kind, {"key": "00"}), tmp_path) == (403, 0)


def test_what_others_signed_or_nobody_is_not_taken(tmp_path: Path) -> None:
    assert posted(Chain(NAME, key_of("another")).sealed(PROBE, {}), tmp_path) == (400, 0)
    assert posted(Chain("another", key_of("another")).sealed(PROBE, {}), tmp_path) == (403, 0)
    assert posted(b"{}", tmp_path) == (400, 0)
