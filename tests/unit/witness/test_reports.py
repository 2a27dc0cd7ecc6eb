"""The witness serves the report of a ledger at one address, and makes it no oftener than once a minute."""

import asyncio
import os
import sys
from pathlib import Path

import httpx2
import pytest

from ledger_kit import Evening, written
from rostra.verifier.tiles import CHECKPOINT
from rostra.witness.reports import EVERY_S, MAKER, Reports
from rostra.witness.web import Web

NOTES = "import sys, pathlib; folder = pathlib.Path(sys.argv[1]); (folder / 'made').open('a').write('.')"
NOTING = (sys.executable, "-c", f"{NOTES}; (folder / 'report.nl.html').write_text('a page')")
FAILING = (sys.executable, "-c", f"{NOTES}; sys.exit('not today')")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    evening = Evening("edge-1").go_on(20)
    return written(tmp_path / "evening", evening.entries)


def asked(
    ledger: Path, path: str, reports: Reports, *, language: str = "nl-BE,nl;q=0.9,en;q=0.5"
) -> httpx2.Response:
    async def ask() -> httpx2.Response:
        transport = httpx2.ASGITransport(Web(ledger.parent, {}, reports).application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://witness") as client:
            return await client.get(path, headers={"Accept-Language": language})

    return asyncio.run(ask())


def times_made(ledger: Path) -> int:
    return len((ledger / "made").read_text())


def test_it_is_at_one_address_in_the_readers_language(ledger: Path) -> None:
    for language, expected in (("nl-BE,nl;q=0.9", "nl"), ("fr,en-GB;q=0.5", "en"), ("", "en")):
        answer = asked(ledger, "/ledgers/evening/report", Reports(NOTING), language=language)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"report.{expected}.html"
        assert answer.headers["vary"] == "Accept-Language"


def test_it_is_made_when_somebody_asks_and_the_verdict_lies_beside_it(ledger: Path) -> None:
    answer = asked(ledger, "/ledgers/evening/report.nl.html", Reports(MAKER))
    assert answer.status_code == 200
    assert '<html lang="nl">' in answer.text
    assert "script" not in answer.headers["content-security-policy"]
    verdict = asked(ledger, "/ledgers/evening/verdict.json", Reports(MAKER))
    assert verdict.json()["format"] == "rostra-verdict/1"


def test_it_is_made_once_a_minute_while_the_log_grows_and_never_again_when_it_does_not(ledger: Path) -> None:
    now_s = [1_000.0]
    reports = Reports(NOTING, clock_s=lambda: now_s[0])
    path = "/ledgers/evening/report.nl.html"
    for grown_by_ns, later_s, expected in (
        (0, 0.0, 1),
        (0, EVERY_S, 1),
        (10**12, EVERY_S, 2),
        (2 * 10**12, EVERY_S / 2, 2),
        (2 * 10**12, EVERY_S / 2, 3),
    ):
        now_s[0] += later_s
        checkpoint = (ledger / CHECKPOINT).stat().st_mtime_ns
        if grown_by_ns:
            os.utime(ledger / CHECKPOINT, ns=(checkpoint, checkpoint + grown_by_ns))
        assert asked(ledger, path, reports).text == "a page"
        assert times_made(ledger) == expected


def test_what_cannot_be_made_is_told_and_not_tried_again_at_once(ledger: Path) -> None:
    reports = Reports(FAILING)
    for _ in range(2):
        answer = asked(ledger, "/ledgers/evening/report.en.html", reports)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "30"
    assert times_made(ledger) == 1


@pytest.mark.parametrize("path", ["/ledgers/nobody/report.en.html", "/ledgers/evening/report.fr.html"])
def test_there_is_no_report_of_nothing(ledger: Path, path: str) -> None:
    assert asked(ledger, path, Reports(NOTING)).status_code == 404
