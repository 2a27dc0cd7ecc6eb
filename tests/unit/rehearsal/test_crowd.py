import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.errors import BadInputError
from rostra.rehearsal.crowd import check_target
from rostra.rehearsal.crowd_report import CrowdPlan, CrowdReport, Tally, percentile, sum_up
from rostra.rehearsal.member import share_sizes

PLAN = CrowdPlan("http://127.0.0.1:8080/c/evening", listeners=4, join_rate_hz=100, seconds=10, processes=2)


def report(**second: object) -> CrowdReport:
    """Two processes with two listeners each; the second has something to tell."""
    whole = Tally(first_sound_ms=[10.0, 20.0], join_ms=[5.0, 6.0], listening=2, chunks=200)
    other = Tally(first_sound_ms=[30.0, 40.0], join_ms=[7.0, 8.0], listening=2, chunks=200)
    for name, value in second.items():
        setattr(other, name, value)
    return sum_up(PLAN, [whole, other], seconds=10.0)


def test_a_crowd_that_missed_nothing_is_fine() -> None:
    summed = report(cpu_s=0.0008, listener_seconds=20.0)
    assert summed.ok
    assert (summed.heard, summed.listening, summed.chunks) == (4, 4, 400)
    assert (summed.first_sound_p50_ms, summed.first_sound_max_ms, summed.join_p99_ms) == (20.0, 40.0, 8.0)
    assert summed.cpu_us_per_listener_second == 40.0


@pytest.mark.parametrize(
    "fault",
    [
        {"first_sound_ms": [30.0]},
        {"listeners_with_gaps": 1, "missing_chunks": 3},
        {"repeated_chunks": 1},
        {"disordered_chunks": 1},
        {"moved": 1},
        {"paused_listeners": 1, "longest_pause_ms": 80.0},
    ],
)
def test_one_fault_of_one_listener_is_enough(fault: dict[str, object]) -> None:
    """P3."""
    assert not report(**fault).ok


def test_a_crowd_nobody_of_which_heard_anything_has_a_report_too() -> None:
    summed = sum_up(PLAN, [Tally(refused={"503": 7}), Tally(refused={"503": 1, "403": 2})], seconds=10.0)
    assert not summed.ok
    assert summed.first_sound_p50_ms is None
    assert summed.refused == {"403": 2, "503": 8}
    assert msgspec.json.decode(msgspec.json.encode(summed), type=CrowdReport) == summed


@given(st.lists(st.floats(0, 1e4), min_size=1).map(sorted), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found is not None
    assert found in [round(value, 1) for value in values]
    assert sum(round(value, 1) <= found for value in values) >= share * len(values)


@given(st.integers(1, 100_000), st.integers(1, 64))
def test_every_listener_belongs_to_one_process(listeners: int, processes: int) -> None:
    sizes = share_sizes(listeners, processes)
    assert sum(sizes) == listeners
    assert len(sizes) <= processes
    assert min(sizes) > 0


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/c/evening",
        "http://127.0.0.1/evening",
        "http:///c/evening",
        "http://127.0.0.1:99999/c/evening",
        "evening",
    ],
)
def test_what_is_no_conversations_address_is_refused(url: str) -> None:
    with pytest.raises(BadInputError):
        check_target(url, any_host=True)


def test_another_machine_needs_its_owners_word() -> None:
    url = "http://192.0.2.1:8080/c/evening/"
    with pytest.raises(BadInputError, match="i-own-this-target"):
        check_target(url, any_host=False)
    assert check_target(url, any_host=True) == (("192.0.2.1", 8080), "/c/evening")
    assert check_target("http://127.0.0.2:1/c/evening", any_host=False) == (("127.0.0.2", 1), "/c/evening")
