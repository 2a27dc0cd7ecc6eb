import msgspec
import pytest

from rostra.core.messages import EdgeReport, StageReport
from rostra.core.overview import GONE_S, JUDGED_S, SILENT_S, Alarm, Overview, Watch, Worry
from rostra.core.units import SECOND_NS
from rostra.top import judged
from verdicts import OWN_FAULT

EDGE = EdgeReport("edge-1", "http://edge", 0, {"evening": 900}, 2_000, 500, 0.1, rung="0.5 s", joins=100)
STAGE = StageReport("stage-1", 0, ["evening"], [], 0, 1.0, 0.0, 0, 0)


def seen(*reports: msgspec.Struct, now_s: float = 0.0) -> Overview:
    watch = Watch()
    for report in (STAGE, *reports):
        watch.hear(report, now_s=0.0)
    return watch.overview(now_s=now_s, now_ns=0)


def test_the_sums_are_of_all_edges() -> None:
    overview = seen(EDGE, msgspec.structs.replace(EDGE, edge="edge-2", waiting=[[], [(1, 9, 7)], [(2, 3, 2)]]))
    assert (overview.listeners, overview.capacity, overview.waiting) == (1_800, 4_000, 9)
    assert [edge.name for edge in overview.edges] == ["edge-1", "edge-2"]


def test_a_verdict_of_this_evening_is_shown_and_no_older_one() -> None:
    watch = Watch()
    watch.hear(OWN_FAULT, now_s=0.0)
    assert watch.overview(now_s=0.0, now_ns=OWN_FAULT.at_ns).verdicts == (OWN_FAULT,)
    assert watch.overview(now_s=0.0, now_ns=OWN_FAULT.at_ns + JUDGED_S * SECOND_NS).verdicts == ()
    assert judged(OWN_FAULT) == (
        "evening: own (firm), 34 % harmed (30-38), evidence for an attack: limited; since 02:13:20 UTC"
    )


def test_rates_are_what_was_counted_between_two_reports() -> None:
    first = msgspec.structs.replace(EDGE, joins=250, shield={"banned": 10})
    then = msgspec.structs.replace(EDGE, at_ns=2 * SECOND_NS, joins=400, shield={"banned": 30, "slow": 2})
    (edge,) = seen(EDGE, first, then).edges
    assert (edge.joins_hz, edge.shielded_hz) == (75.0, 11.0)


def test_an_edge_that_was_started_anew_has_not_let_people_out() -> None:
    (edge,) = seen(EDGE, msgspec.structs.replace(EDGE, at_ns=SECOND_NS, joins=5)).edges
    assert edge.joins_hz == 0.0


def test_a_calm_evening_gives_no_cause_for_worry() -> None:
    assert seen(EDGE).warnings == ()


@pytest.mark.parametrize(
    ("changed", "alarm"),
    [
        ({"lag_ms": 400.0}, Alarm("lag", "edge-1", 400.0)),
        ({"write_share": 0.7}, Alarm("writing", "edge-1", 0.7)),
        ({"listeners": {"evening": 1_990}}, Alarm("full", "edge-1", 0.995)),
        ({"waiting": [[(1, 5, 5)]]}, Alarm("waiting", "edge-1", 5)),
    ],
)
def test_each_strain_is_an_alarm(changed: dict[str, object], alarm: Alarm) -> None:
    assert seen(msgspec.structs.replace(EDGE, **changed)).warnings == (alarm,)


def worries(overview: Overview) -> list[Worry]:
    return [alarm.worry for alarm in overview.warnings]


def test_who_is_silent_is_named_and_counts_no_more_until_forgotten() -> None:
    overview = seen(EDGE, now_s=SILENT_S)
    assert worries(overview) == ["silent", "silent", "no-stage"]
    assert overview.listeners == 0
    assert seen(EDGE, now_s=GONE_S).edges == ()


def test_a_stage_that_is_late_or_cannot_store_is_an_alarm() -> None:
    late = msgspec.structs.replace(STAGE, lateness_max_ms=900.0)
    assert worries(seen(late)) == ["stage-late"]
    assert worries(seen(msgspec.structs.replace(STAGE, backlog_chunks=40))) == ["stage-backlog"]
