"""P6: what a browser's listener hears when a process is killed in mid-sentence."""

import statistics
import tempfile
import time
from pathlib import Path

from listening import Listening, chromium

from benchmarks.record import keep
from rostra.audio.recordings import two_cities
from system import System, running

TIMES = 20
VICTIMS = ("edge", "stage", "bus")


def main(only: str | None = None) -> None:
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "rostra") as system, chromium() as browser:
        announced = system.schedule(at="+1s", id="kills")
        system.feed("kills", str(two_cities()), "--loop")
        for victim in (only,) if only else VICTIMS:
            context = browser.new_context(locale="en-GB")
            listening = Listening(context.new_page())
            listening.open(announced["url"])
            listening.press_listen()
            listening.wait("r.state === 'live' && r.level > 0", within_s=20)
            listening.hear(3)
            pauses = [_kill(system, listening, victim, turn) for turn in range(TIMES)]
            end = listening.rostra()
            figures[f"{victim}: pause median (ms)"] = round(statistics.median(pauses))
            figures[f"{victim}: pause worst (ms)"] = round(max(pauses))
            figures[f"{victim}: pauses in turn (ms)"] = [round(pause) for pause in pauses]
            figures[f"{victim}: resumed, stalls counted by the player"] = f"{end['resumed']}, {end['stalls']}"
            figures[f"{victim}: fsck"] = system.rostra("fsck", check=False).stdout.strip().splitlines()[-1]
            context.close()
    keep("kills", figures)


def _kill(system: System, listening: Listening, victim: str, turn: int) -> float:
    """Kill one process; the longest pause in the four seconds after it, in ms."""
    name = {"edge": f"edge-{turn % 2 + 1}", "bus": "bus"}.get(victim) or system.active_stage("kills")
    since_ms = time.time() * 1000
    system.kill(name)
    # A process that dies young is started again after a pause: two seconds are enough for the first ones.
    listening.hear(6)
    return listening.longest_pause_ms(since_ms=since_ms - 50)
