"""The ladder as a listener's browser meets it: slower, then smaller, and nothing of it is heard (promise P4)."""

import json
import re
from collections.abc import Iterator

import pytest
from listening import PAUSE_MS_MAX, Listening

from system import System, running

pytestmark = pytest.mark.alone
ONE_LISTENER_MBPS = "0.062"  # 64 kbit/s with its frames do not fit, 32 do


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("narrow") / "rostra"
    with running(folder, edge_workers="1", recorders="0", edge_egress_mbps=ONE_LISTENER_MBPS) as system:
        yield system


def test_p4_a_line_that_is_too_thin_slows_the_cadence_then_asks_for_a_smaller_rendition_unheard(
    narrow: System, listening: Listening
) -> None:
    listening.open(narrow.schedule(at="+1h", doors="1h", id="narrow")["url"])
    listening.press_listen()
    listening.wait("r.started && r.rendition === 'webm-64'", within_s=10)
    listening.wait("r.rendition === 'webm-32'", within_s=60)
    listening.hear(10)
    assert listening.rostra()["status"] == "playing"
    assert listening.longest_pause_ms() < PAUSE_MS_MAX
    listening.wait_for_streams(1)
    rungs = [json.loads(step)["rung"] for step in re.findall(r'\{[^\n]*"ladder.step"[^\n]*\}', narrow.log)]
    assert rungs[:6] == [
        *("cadence 200 ms", "cadence 500 ms", "cadence 1000 ms", "cadence 2000 ms", "cadence 4000 ms"),
        "32 kbit/s",
    ]
