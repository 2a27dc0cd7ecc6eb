"""What a running system witnesses of itself, checked by the command that a stranger uses."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from receipt_kit import receipt
from rostra.config import Settings
from rostra.edge.receipts import JOIN
from rostra.rehearsal.certificate import Certificate, Machine, Stage, Surroundings, sign
from rostra.rehearsal.scalability import Point
from rostra.signing import signing_key
from rostra.verifier.note import note_key
from rostra.verifier.receipt import Promise, digest
from rostra.verifier.signatures import is_signed
from system import System, free_port, running, wait_until

EXPORT_S = 30  # a checkpoint comes every 10 s


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("witness")
    key = note_key("paper.example", signing_key(folder / "probe.key"))
    (folder / "probes").write_text(f"{key}\n")
    served = {"witness_port": str(free_port()), "probes": str(folder / "probes")}
    certificate = certified(folder / "rostra" / "data")
    with running(folder / "rostra", witnesses="1", gates="1", certificate=str(certificate), **served) as system:
        system.schedule(at="+1h", doors="1h", id="evening")
        yield system


def certified(data: Path) -> Path:
    """Made here, of a machine that was another one: edges do not go by it, and name it."""
    data.mkdir(parents=True)
    where = Surroundings(Machine(2, "A processor", 8 << 30, "x86_64", "6.1", 20_000, "0123"), {}, {})
    joins = Stage("joins", "joins/s", 2, (Point(1_000, 1_000, 5), Point(4_000, 2_500, 5)), None)
    made = Certificate("2026-11-21", "surge", "", 9, "own", where, "", True, (), (joins,), (), (), None, ())
    path = data / "certificate.json"
    path.write_bytes(sign(made, signing_key(Settings(data=data).rehearsal_key)))
    return path


def entries(system: System) -> int:
    return sum(report["ledgers"].get("evening", 0) for report in system.status()["witnesses"])


def verified(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rostra", "verify", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"NO_COLOR": "1"}, timeout=60
    )


def exported(system: System, bundle: Path, *, at_least: int) -> None:
    def enough() -> bool:
        done = system.rostra("ledger", "export", "evening", str(bundle), check=False)
        return done.returncode == 0 and int(done.stdout.split()[0]) >= at_least

    wait_until(enough, within_s=EXPORT_S, what=f"{at_least} entries in a checkpoint")


def test_p9_whoever_is_killed_meanwhile_the_ledger_passes_and_lacks_nothing(system: System, tmp_path: Path) -> None:
    wait_until(lambda: entries(system) >= 20, within_s=30, what="entries")
    system.kill("witness-1")
    bus = system.pid("bus")
    os.kill(bus, signal.SIGSTOP)
    time.sleep(2)  # of silence on the bus, which is what is tried here
    os.kill(bus, signal.SIGCONT)
    wait_until(lambda: entries(system) >= 60, within_s=60, what="entries after the kill")
    bundle = tmp_path / "evening.tar.xz"
    exported(system, bundle, at_least=60)
    key = (system.folder / "data" / "ledgers" / "evening" / "key").read_text().strip()
    done = verified(str(bundle), "--key", key)
    assert done.returncode in {0, 2}, done.stdout  # no outsider has seen it
    assert "no entry is missing" in done.stdout, done.stdout
    assert "are of one history" in done.stdout
    assert "who speak each second did" in done.stdout, done.stdout
    assert "7 processes signed what they said" in done.stdout  # bus and command line say nothing
    assert "PASS       capacity: as certificates show" in done.stdout, done.stdout
    assert "the key that the log itself names" in verified(str(bundle)).stdout  # whose key is it?
    # A programme may lack what a bus that stood still took too late; of the ledger nothing may be found.
    checked = system.rostra("fsck", check=False).stdout
    assert not [line for line in checked.splitlines() if line.startswith("evening/")], checked
    assert "entries read" in checked


def test_p9_a_probe_says_what_it_heard_and_a_stranger_reads_it_at_an_address(
    system: System, tmp_path: Path
) -> None:
    witness = f"http://127.0.0.1:{system.environment['ROSTRA_WITNESS_PORT']}"
    key = str(system.folder.parent / "probe.key")
    flags = ("--name", "paper.example", "--key", key, "--witness", witness, "--file", str(tmp_path / "probe.jsonl"))
    done = system.rostra("probe", f"{system.url}/c/evening", *flags, "--visits", "2", "--every", "1s")
    assert done.stdout.count("heard: ") == 2, done.stdout + done.stderr
    assert "not told" not in done.stderr
    assert len((tmp_path / "probe.jsonl").read_text().splitlines()) == 2

    def told() -> bool:
        return "paper.example heard 2 of 2 times" in verified(f"{witness}/ledgers/evening").stdout

    wait_until(told, within_s=60, what="a checkpoint with what the probe said")
    refused = system.rostra(
        "probe",
        f"{system.url}/c/evening",
        *flags[:2],
        *flags[4:],
        "--visits",
        "1",
        "--key",
        str(tmp_path / "own"),
        check=False,
    )
    assert refused.returncode == 1
    assert "refuses what this probe says" in refused.stderr


def test_p9_one_changed_number_in_the_bundle_fails(system: System, tmp_path: Path) -> None:
    bundle = tmp_path / "evening.tar.xz"
    exported(system, bundle, at_least=10)
    folder = tmp_path / "unpacked"
    with tarfile.open(bundle) as archive:
        archive.extractall(folder, filter="data")
    (path, *_) = (each for each in folder.glob("tile/entries/**/*") if each.is_file())
    data = path.read_bytes()
    place = data.index(b'"cores":') + len(b'"cores":')
    path.write_bytes(data[:place] + (b"1" if data[place : place + 1] != b"1" else b"2") + data[place + 1 :])
    done = verified(str(folder))
    assert done.returncode == 1
    assert "one was changed, put in or left out" in done.stdout


def posted(url: str) -> tuple[Message, dict[str, Any]]:
    with urlopen(Request(url, method="POST"), timeout=10) as answer:
        return answer.headers, json.load(answer)


def test_p9_an_edge_signs_what_it_was_told_and_what_it_answered(system: System) -> None:
    text = receipt(1)
    query = urlencode({"receipt": urlsafe_b64encode(text).decode()})
    _, promise = posted(f"{system.url}/c/evening/receipts?{query}")
    headers, joined = posted(f"{system.url}/c/evening/join?receipt={'0' * 32}")
    keys = [signing_key(path).public_key() for path in (system.folder / "data" / "evidence").glob("edge-*.key")]
    said, sig = (b64decode(part) for part in headers["Rostra-Receipt"].split("."))
    assert json.loads(said)["outcome"] == joined["status"]
    promised = Promise(**{name: promise[name] for name in Promise._fields})
    assert promised.digest == digest(text)
    for signature, signed in ((sig, JOIN + said), (b64decode(promise["sig"]), promised.signed())):
        assert any(is_signed(key.public_bytes_raw(), signature, signed) for key in keys)
