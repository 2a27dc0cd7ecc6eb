"""A rehearsal as an operator holds one: a small crowd, a system of its own, a certificate."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rostra.rehearsal.certificate import Certificate, read

pytestmark = pytest.mark.alone
SCRIPT = """
title = "Twenty seconds"
seconds = 20
processes = 2
[[crowd]]
shape = "joins"
rates_hz = [10, 20, 40]
step_s = 2
stay_s = 3
[[crowd]]
shape = "trickle"
listeners = 60
over_s = 3
[[acts]]
act = "reload"
at_s = 9
share = 0.5
[[acts]]
act = "vanish"
at_s = 10
share = 0.2
for_s = 2
[[acts]]
act = "sleep"
at_s = 10
share = 0.1
for_s = 3
[[faults]]
kind = "kill"
process = "edge-1"
at_s = 13
pause_max_s = 0.3  # what a test machine with two cores does to anybody; nothing is missed
"""


def rostra(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "ROSTRA_DATA": "data",
        "ROSTRA_GATES": "0",
        "ROSTRA_CAPTIONS": "off",
        "ROSTRA_RECORDERS": "0",
        "ROSTRA_SITES": "0",
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }
    environment |= {f"ROSTRA_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "rostra", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rehearsal")
    if cache := os.environ.get("ROSTRA_TEST_CACHE"):
        (folder / "data").mkdir()
        (folder / "data" / "cache").symlink_to(cache)
    (folder / "twenty.toml").write_text(SCRIPT)
    done = rostra(folder, "rehearse", "twenty.toml")
    assert done.returncode == 0, done.stderr + done.stdout
    return folder


def certificate(folder: Path) -> Certificate:
    return read((folder / "certificate.json").read_bytes())[0]


def test_every_listener_was_real_and_heard_every_chunk(rehearsed: Path) -> None:
    """P3 and P6: a killed edge, too, is no pause."""
    heard = certificate(rehearsed).heard
    assert heard is not None
    assert heard.listeners == heard.heard == 230  # 140 on the stairs, 60 who stay, 30 of them twice
    assert heard.chunks > 60 * 10 * 15
    assert (heard.listeners_with_gaps, heard.repeated_chunks, heard.disordered_chunks) == (0, 0, 0)
    assert heard.excused == 12 + 6
    (fault,) = certificate(rehearsed).faults
    assert (fault.done, fault.survived, fault.remark) == (True, True, "SIGKILL")
    assert fault.counted["connections_lost"] > 0


def test_the_stairs_are_points_of_a_curve(rehearsed: Path) -> None:
    joins = certificate(rehearsed).stage("joins")
    assert joins is not None
    assert [point.offered for point in joins.points[:3]] == pytest.approx([30, 30, 40], rel=0.15)  # the trickle too
    assert all(point.holds for point in joins.points)
    assert joins.holds == pytest.approx(40, rel=0.15)


def test_the_crowd_came_as_the_script_says(rehearsed: Path) -> None:
    come = {arrival.at_s: arrival.come for arrival in certificate(rehearsed).arrivals}
    assert come[3] == pytest.approx(20 + 20 + 60, abs=4)
    assert come[8] == 200
    assert come[12] == 230


def test_the_certificate_is_genuine_until_a_setting_changes(rehearsed: Path) -> None:
    assert rostra(rehearsed, "certificate", "verify", "certificate.json").returncode == 0
    changed = rostra(rehearsed, "certificate", "verify", "certificate.json", edge_workers="3")
    assert changed.returncode == 1
    assert "configuration: edge_workers: 2 when it was rehearsed, 3 now" in changed.stdout


def test_a_certificate_that_was_improved_is_not_genuine(rehearsed: Path) -> None:
    file = json.loads((rehearsed / "certificate.json").read_text())
    file["certificate"]["stages"][0]["points"][0]["served"] *= 2
    (rehearsed / "improved.json").write_text(json.dumps(file))
    done = rostra(rehearsed, "certificate", "verify", "improved.json")
    assert done.returncode == 2
    assert "altered after it was signed" in done.stderr


def test_no_crowd_goes_to_another_machine_without_leave(rehearsed: Path) -> None:
    target = ("--target", "http://192.0.2.1/c/evening")  # RFC 5737: nobody's
    refused = rostra(rehearsed, "rehearse", "trickle", *target)
    assert refused.returncode == 1
    assert "only with --allow 192.0.2.1" in refused.stderr
    unproven = rostra(rehearsed, "rehearse", "trickle", *target, "--allow", "192.0.2.1")
    assert unproven.returncode == 1
    assert "ROSTRA_REHEARSAL_TOKEN_FILE" in unproven.stderr
