"""Turns between networks, and the order of the line."""

from hypothesis import given
from hypothesis import strategies as st

from rostra.core.limits import CENSUS_BINS_MAX, NETWORKS_MAX
from rostra.core.messages import EdgeReport
from rostra.core.ticket import TicketClass
from rostra.edge.fleet import Fleet
from rostra.edge.line import TOGETHER, Line, Turns, Waiting

NETWORKS = st.sampled_from(["a", "b", "c", "d"])
TURN_MS = 100


@given(st.lists(st.tuples(NETWORKS, st.integers(0, 300)), max_size=200))
def test_a_network_has_its_share_of_any_time_and_no_tag_is_before_its_arrival(
    arrivals: list[tuple[str, int]],
) -> None:
    turns, now_ms, tags = Turns(), 0, []
    for network, pause_ms in arrivals:
        now_ms += pause_ms
        tag_ms = turns.tag(network, now_ms=now_ms, turn_ms=TURN_MS)
        assert tag_ms >= now_ms
        tags.append((network, now_ms, tag_ms))
    for name in "abcd":
        own = [(come_ms, tag_ms) for network, come_ms, tag_ms in tags if network == name]
        assert [tag_ms for _, tag_ms in own] == sorted(tag_ms for _, tag_ms in own)  # arrival, among neighbours
        for index, (_, tag_ms) in enumerate(own):
            within = sum(tag_ms <= later_ms < tag_ms + 10 * TURN_MS for _, later_ms in own[index:])
            assert within <= 10 + TOGETHER + 1


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60))
def test_those_who_come_alone_are_served_in_the_order_of_their_arrival(pauses_ms: list[int]) -> None:
    turns, now_ms = Turns(), 0
    for number, pause_ms in enumerate(pauses_ms):
        now_ms += pause_ms
        assert turns.tag(str(number), now_ms=now_ms, turn_ms=60_000) == now_ms


@given(st.integers(0, 400))
def test_nobody_starves_however_many_networks_come_after_them(behind: int) -> None:
    turns = Turns()
    tags_ms = [turns.tag("crowd", now_ms=0, turn_ms=TURN_MS) for _ in range(behind + 1)]
    late_ms = tags_ms[-1] + 1
    assert late_ms <= 1 + behind * TURN_MS
    assert turns.tag("newcomer", now_ms=late_ms, turn_ms=TURN_MS) > tags_ms[-1]


def test_networks_that_are_remembered_are_bounded() -> None:
    turns = Turns()
    for number in range(NETWORKS_MAX + 1):
        for _ in range(TOGETHER + 1):
            assert turns.tag(str(number), now_ms=0, turn_ms=TURN_MS) == 0
    assert turns.tag("1", now_ms=0, turn_ms=TURN_MS) > 0
    assert turns.tag("0", now_ms=0, turn_ms=TURN_MS) == 0  # forgotten: it begins anew


PEOPLE = st.dictionaries(
    st.binary(min_size=8, max_size=8), st.tuples(st.sampled_from(TicketClass), st.integers(0, 10_000)), max_size=120
)


@given(PEOPLE, PEOPLE)
def test_how_many_stand_ahead_is_exact_here_and_nearly_so_elsewhere(
    here: dict[bytes, tuple[TicketClass, int]], there: dict[bytes, tuple[TicketClass, int]]
) -> None:
    line, other, fleet = Line(), Line(), Fleet("here", "http://here")
    for people, each in ((here, line), (there, other)):
        for listener, (ticket_class, tag_ms) in people.items():
            each.stand(listener, Waiting(ticket_class, tag_ms, "n", 60))
    fleet.hear(EdgeReport("there", "http://there", 0, {}, 0, 100, 0.0, waiting=other.census()), now_s=0)
    fleet.survey(now_s=1)
    assert fleet.waiting == len(there)
    for listener, (ticket_class, tag_ms) in here.items():
        before = sorted((each_class, each_ms, each) for each, (each_class, each_ms) in here.items())
        assert line.ahead(ticket_class, tag_ms, listener) == before.index((ticket_class, tag_ms, listener))
        elsewhere = sum((ticket_class, tag_ms) > each for each in there.values())
        assert abs(fleet.ahead(ticket_class, tag_ms) - elsewhere) <= len(there) // CENSUS_BINS_MAX + 1


def test_who_does_not_ask_again_is_counted_no_more_and_who_is_seen_elsewhere_either() -> None:
    line = Line()
    for number, network in enumerate("aab"):
        line.stand(bytes([number]) * 8, Waiting(TicketClass.ANONYMOUS, number, network, 10 + number))
    assert (len(line), line.networks) == (3, 2)
    line.leave(b"\x02" * 8)
    line.leave(b"nobody..")
    assert (len(line), line.networks) == (2, 1)
    assert line.expire(now_s=10) == 1
    assert line.census()[TicketClass.ANONYMOUS] == [(1, 1, 1)]
    assert line.expire(now_s=100) == 1
    assert (len(line), line.networks) == (0, 0)
