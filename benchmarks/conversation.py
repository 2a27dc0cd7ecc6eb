"""The stage with people on it: sound through the whole path, mouth to ear, and what thirteen speakers cost."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from listening import FLAGS, Listening, chromium
from pesq import pesq
from playwright.sync_api import Browser, Page
from scipy.signal import correlate, resample_poly

from benchmarks.latency import ATTACH, BEEP_S, BEEPS, DETECTOR, RATE
from benchmarks.record import keep
from hearing import ffmpeg_hears, speech
from lossy import Relay
from machine import require
from rostra.audio.frame import Samples
from rostra.rehearsal.listener import Listener
from system import System, free_ports, running, wait_until
from voices import sliding_energies

SECONDS = 30
LOSSES = (0.0, 0.05, 0.10)
PIECE = 4 * 16_000
KEEP_MICROPHONE = """
const get = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wish) => (window.microphone = await get(wish));
"""


def main(what: str = "quality,latency,thirteen") -> None:
    for name in what.split(","):
        measure = {"quality": _quality, "latency": _latency, "thirteen": _thirteen}[name]
        keep(f"conversation-{name}", measure())


def write_wav(path: Path, samples: Samples) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def _speaker(browser: Browser, url: str, microphone: Path, relay: Relay | None = None) -> Page:
    """Somebody on the stage in a browser of their own, with the original sound."""
    devices = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    own = browser.browser_type.launch(
        executable_path=require("chromium"),
        args=[*FLAGS, *devices, f"--use-file-for-fake-audio-capture={microphone}"],
    )
    context = own.new_context(locale="en-GB", bypass_csp=True)
    context.add_init_script(KEEP_MICROPHONE)
    page = context.new_page()
    if relay is not None:
        page.route("**/whip/**", relay.route)
    page.goto(url)
    page.fill("#name", "Somebody")
    page.check("#original")
    page.click("#enter")
    page.wait_for_function("() => document.querySelector('#you').textContent.startsWith('You are')", timeout=15_000)
    return page


def _system(folder: str) -> Any:
    return running(Path(folder) / "rostra", gates="1", gate_port=str(free_ports(1)))


# --- quality -----------------------------------------------------------------------------------------------------


def _quality() -> dict[str, object]:
    figures: dict[str, object] = {}
    for loss in LOSSES:
        scores, became = _heard_through(loss)
        figures[f"PESQ-WB at {loss:.0%} loss, 30 ms jitter"] = (
            f"{statistics.mean(scores):.2f} (worst of {len(scores)} pieces {min(scores):.2f}); {became}"
        )
    return figures


def _heard_through(loss: float) -> tuple[list[float], str]:
    """PESQ-WB of each piece, and what became of the packets at the gate."""
    with tempfile.TemporaryDirectory() as folder, _system(folder) as system, chromium() as browser:
        microphone = write_wav(Path(folder) / "speech.wav", _said())
        announced = system.schedule(at="+1s", doors="1s", id="quality")
        relay = Relay(loss=loss, jitter_s=0.03)
        page = _speaker(browser, announced["host_url"], microphone, relay)
        media = bytearray()
        Listener(announced["url"], sink=media.extend).listen(seconds=60)
        page.click("#leave")
        wait_until(lambda: "session.ended" in system.log, within_s=20, what="the session ended")
        page.context.browser.close()
        relay.close()
        line = json.loads(next(line for line in system.log.splitlines() if "session.ended" in line))
        became = ", ".join(
            f"{name} {line[name]}" for name in ("received", "late", "restored", "corrected", "concealed", "starved")
        )
        heard = ffmpeg_hears(bytes(media), Path(folder) / "heard.webm").samples
    return _pesq(heard), became


def _said() -> Samples:
    """Longer than a measurement, so that Chromium does not begin anew in the middle of one."""
    return np.tile(speech(), 3)


def _pesq(heard: Samples) -> list[float]:
    """PESQ-WB of each 4 s of the recording that is heard, wherever it is."""
    said, got = resample_poly(_said(), 1, 3), resample_poly(heard, 1, 3)
    scores = []
    for at in range(PIECE, len(got) - 2 * PIECE, PIECE):
        piece = got[at : at + PIECE]
        if float(np.mean(piece**2)) < 1e-6:
            continue
        likeness = correlate(said, piece, mode="valid") / np.sqrt(sliding_energies(said, PIECE) * np.sum(piece**2))
        place = int(np.argmax(likeness))
        scores.append(float(pesq(16_000, said[place : place + PIECE], piece, "wb")))
    return scores


# --- mouth to ear ------------------------------------------------------------------------------------------------


def _beeps() -> Samples:
    time_s = np.arange(BEEPS * RATE) / RATE
    second, phase = np.floor(time_s), time_s % 1
    tone = 0.5 * np.sin(2 * np.pi * (600 + 300 * second) * phase)
    noise = 0.003 * np.random.default_rng(1).standard_normal(len(time_s))
    return np.where(phase < BEEP_S, tone, noise).astype(np.float32)


def _attach(page: Page, source: str) -> None:
    page.evaluate(ATTACH.replace('document.getElementById("audio").captureStream()', source) % DETECTOR)


def _latency() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder, _system(folder) as system, chromium() as browser:
        beeping = write_wav(Path(folder) / "beeps.wav", _beeps())
        quiet = write_wav(Path(folder) / "quiet.wav", np.zeros(RATE * 4, np.float32))
        announced = system.schedule(at="+1s", doors="1s", id="latency")
        guest = json.loads(system.rostra("invite", "latency", "--json").stdout)
        mouth = _speaker(browser, announced["host_url"], beeping)
        ear = _speaker(browser, guest["url"], quiet)
        crowd = Listening(browser.new_context(locale="en-GB", bypass_csp=True).new_page())
        crowd.open(announced["url"])
        crowd.press_listen()
        crowd.wait("r.state === 'live' && r.started", within_s=20)
        _attach(mouth, "window.microphone")
        _attach(ear, 'document.getElementById("others").srcObject')
        _attach(crowd.page, 'document.getElementById("audio").captureStream()')
        pages = {"said": mouth, "speaker": ear, "listener": crowd.page}
        crowd.hear(5)
        for page in pages.values():
            page.evaluate("() => { window.beeps = []; }")
        crowd.hear(SECONDS)
        heard = {name: page.evaluate("() => window.beeps") for name, page in pages.items()}
        for page in (mouth, ear):
            page.context.browser.close()
    figures: dict[str, object] = {}
    for name in ("speaker", "listener"):
        lags = sorted(_lags(heard["said"], heard[name]))
        figures |= {
            f"mouth to a {name}'s ear: beeps, p50, p95 (ms)": (
                f"{len(lags)}, {statistics.median(lags):.0f}, {lags[int(len(lags) * 0.95)]:.0f}"
            )
        }
    return figures


def _lags(said: list[tuple[int, float]], heard: list[tuple[int, float]]) -> list[float]:
    """How long after each beep was said it was heard; within three seconds."""
    return [
        later_ms - at_ms
        for number, at_ms in said
        for other, later_ms in heard
        if number == other and 0 <= later_ms - at_ms < 3_000
    ]


# --- thirteen ----------------------------------------------------------------------------------------------------


def _thirteen() -> dict[str, object]:
    figures: dict[str, object] = {}
    for talking, sound in ((13, "raw"), (13, "clean"), (3, "clean")):
        said = {"raw": "noise suppressed at the gate", "clean": "noise suppressed by the browser"}[sound]
        figures |= {f"{talking} speak, {said}: {what}": each for what, each in _stage_of(talking, sound).items()}
    return figures


def _stage_of(talking: int, sound: str) -> dict[str, object]:
    """Thirteen people, of whom `talking` never pause for long."""
    with tempfile.TemporaryDirectory() as folder, _system(folder) as system:
        announced = system.schedule(at="+1s", doors="1s", id="thirteen")
        invitations = [json.loads(system.rostra("invite", "thirteen", "--json").stdout) for _ in range(13)]
        environment = os.environ | {"PYTHONPATH": ":".join(sys.path)}
        command = [sys.executable, "-m", "benchmarks.speakers", str(talking), sound]
        crowd = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        assert crowd.stdin is not None
        crowd.stdin.write(json.dumps(invitations).encode())
        crowd.stdin.close()
        time.sleep(15)
        before = _cpu_s(system)
        late = sum(stage["frames_late"] for stage in system.status()["stages"])
        report = Listener(announced["url"]).listen(seconds=SECONDS)
        spent = {name: after - before[name] for name, after in _cpu_s(system).items()}
        status = system.status()
        crowd.wait(timeout=60)
        assert crowd.stdout is not None
        returned = json.loads(crowd.stdout.read())
    connected = sum(len(c) for gate in status["gates"] for c in gate["connected"].values())
    if connected != len(invitations):
        sys.exit(
            f"Only {connected} of {len(invitations)} were there all the time: this machine is too busy to measure."
        )
    shares = {name: seconds / report.seconds for name, seconds in spent.items()}
    return {
        "packets that came back, of those sent": f"{returned['received']} of {returned['sent']}",
        **{f"{name}: share of a core": f"{share:.1%}" for name, share in shares.items()},
        "gate, active stage and recorder": f"{_stage_share(shares):.1%}",
        "frames of the programme later than 20 ms": sum(s["frames_late"] for s in status["stages"]) - late,
        "frames of the gate later than 20 ms, since its start": sum(g["frames_late"] for g in status["gates"]),
        "listener": f"missing {report.missing_chunks}, longest pause {report.longest_pause_ms:.0f} ms",
    }


def _stage_share(shares: dict[str, float]) -> float:
    """What a stage of people costs: the standby, the bus and the edges are counted elsewhere."""
    return shares["gate-1"] + max(shares["stage-1"], shares["stage-2"]) + shares["recorder-1"]


def _cpu_s(system: System) -> dict[str, float]:
    names = ("gate-1", "stage-1", "stage-2", "recorder-1", "bus", "edge-1", "edge-2")
    return {name: sum(psutil.Process(system.pid(name)).cpu_times()[:2]) for name in names}
