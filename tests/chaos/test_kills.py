"""P6: processes die in mid-sentence while somebody listens; afterwards what the bus keeps is whole."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rostra.audio.recordings import two_cities
from rostra.rehearsal.listener import Listener, ListenReport
from states import everybody_is_back, wait_for_state
from system import System, running, wait_until

pytestmark = pytest.mark.alone
SETTLED_S = 1.5  # of sound before anything happens


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One system for all kills: whoever dies is back before the next one does."""
    with running(tmp_path_factory.mktemp("evening")) as started:
        yield started


def on_the_air(system: System, conversation: str) -> str:
    """The address of a conversation in which the recording is heard."""
    announced = system.schedule(at="+1s", id=conversation)
    system.feed(conversation, str(two_cities()), "--loop", stderr=subprocess.DEVNULL)
    wait_for_state(system, conversation, "live")
    return str(announced["url"])


def heard_while(url: str, disaster: Callable[[], None], *, seconds: float) -> ListenReport:
    """What somebody hears who is listening when `disaster` strikes."""
    listener = Listener(url)
    with ThreadPoolExecutor(1) as another:
        listening = another.submit(listener.listen, seconds=seconds)
        wait_until(lambda: listener.heard.chunks, within_s=5, what="sound")
        time.sleep(SETTLED_S)
        disaster()
        return listening.result()


def end(system: System, conversation: str) -> None:
    for feed in system.feeds:
        feed.kill()
        feed.wait()
    system.feeds.clear()
    system.rostra("end", conversation)


def assert_nothing_is_broken(system: System) -> None:
    done = system.rostra("fsck", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def stages(system: System) -> dict[str, Any]:
    return {report["stage"]: report for report in system.status()["stages"]}


def test_killed_edges_are_not_heard(evening: System) -> None:
    url = on_the_air(evening, "edges")

    def both_one_after_the_other() -> None:
        for name in ("edge-1", "edge-2"):  # one of them is the listener's
            evening.kill(name)
            time.sleep(2)

    heard = heard_while(url, both_one_after_the_other, seconds=6)
    assert heard.resumed >= 1, "one of the edges was the listener's"
    assert (heard.missing_chunks, heard.pauses_ms, heard.moved) == (0, 0, 0), heard
    assert_nothing_is_broken(evening)
    end(evening, "edges")


@pytest.mark.parametrize("victim", ["stage", "bus"])
def test_a_killed_stage_or_bus_is_a_pause_of_at_most_a_second(evening: System, victim: str) -> None:
    everybody_is_back(evening)
    url = on_the_air(evening, victim)
    name = "bus" if victim == "bus" else evening.active_stage(victim)
    heard = heard_while(url, lambda: evening.kill(name), seconds=6)
    assert (heard.missing_chunks, heard.missed_chunks, heard.repeated_chunks) == (0, 0, 0), heard
    assert heard.longest_pause_ms <= 1_000, heard
    assert heard.state == "live", "the speaker is back"
    assert_nothing_is_broken(evening)
    end(evening, victim)


def test_an_edge_the_stage_and_the_bus_die_in_one_evening(evening: System) -> None:
    everybody_is_back(evening)
    url = on_the_air(evening, "everything")

    def one_after_the_other() -> None:
        for name in ("edge-1", evening.active_stage("everything"), "bus", "edge-2"):
            evening.kill(name)
            time.sleep(2)

    heard = heard_while(url, one_after_the_other, seconds=12)
    assert (heard.missing_chunks, heard.missed_chunks, heard.repeated_chunks) == (0, 0, 0), heard
    assert heard.longest_pause_ms <= 1_000, heard
    assert heard.state == "live"
    assert_nothing_is_broken(evening)
    end(evening, "everything")


def test_a_frozen_stage_is_replaced_and_steps_down_when_it_wakes(evening: System) -> None:
    everybody_is_back(evening)
    url = on_the_air(evening, "frozen")
    before = evening.active_stage("frozen")
    pid = evening.pid(before)

    def frozen_for_3_s() -> None:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(3)
        os.kill(pid, signal.SIGCONT)

    heard = heard_while(url, frozen_for_3_s, seconds=7)
    assert (heard.missing_chunks, heard.missed_chunks, heard.repeated_chunks) == (0, 0, 0), heard
    assert heard.longest_pause_ms <= 1_000, heard
    assert stages(evening)[before]["standby"] == ["frozen"], "whoever woke up stands by for the one who took over"
    assert Path(f"/proc/{pid}").exists(), "and was not restarted"
    assert "programme.deposed" in evening.log
    assert_nothing_is_broken(evening)
    end(evening, "frozen")


def test_a_stage_that_wakes_up_leaves_alone_what_others_have_in_hand(evening: System) -> None:
    everybody_is_back(evening)
    for conversation in ("one", "two", "three", "four"):
        evening.schedule(at="+1h", doors="1h", id=conversation)
    wait_until(
        lambda: sum(len(stage["active"]) for stage in stages(evening).values()) == 4,
        within_s=20,
        what="four programmes",
    )
    frozen, others = sorted(stages(evening).values(), key=lambda stage: len(stage["active"]))
    assert others["active"], "somebody has work that could be taken away"
    pid = evening.pid(frozen["stage"])
    os.kill(pid, signal.SIGSTOP)
    time.sleep(2)
    os.kill(pid, signal.SIGCONT)
    time.sleep(1)
    assert set(others["active"]) <= set(stages(evening)[others["stage"]]["active"])
