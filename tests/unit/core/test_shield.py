"""The shield: who is slowed, who is banned, and who is not for what a neighbour does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.errors import BadInputError
from rostra.core.limits import ASKING_PER_NETWORK_MAX, ASKING_PER_SOURCE_MAX, PREFIXES_MAX
from rostra.core.prefixes import Prefixes, network_of, parse_prefixes, source_of
from rostra.core.shield import (
    ASKING_MIN,
    BAN_FIRST_S,
    BAN_MAX_S,
    NETWORK_OFFENDERS,
    SHARE_MIN,
    SOURCE_BUDGET,
    STRAIN_BORNE,
    VOUCHERS,
    Ban,
    Shield,
    Strike,
    Verdict,
    strain,
)

ATTACKER = "192.0.2.7"


def shout(shield: Shield, address: str, *, since_s: float, seconds: float, hz: float = 100) -> float:
    """Nothing but strikes from `address`; returns when it is over."""
    for n in range(int(seconds * hz)):
        shield.strike(shield.source(address, since_s + n / hz), Strike.BAD_REQUEST, since_s + n / hz)
    return since_s + seconds


@pytest.mark.parametrize(
    ("address", "source", "network"),
    [
        ("192.0.2.7", "192.0.2.7/32", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.7/32", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
    ],
)
def test_an_address_has_a_source_and_a_network(address: str, source: str, network: str) -> None:
    assert source_of(address) == source
    assert network_of(source) == network


def test_a_prefix_that_is_none_is_refused_by_its_name() -> None:
    with pytest.raises(BadInputError, match=r"192\.0\.2\.300"):
        parse_prefixes("10.0.0.0/8, 192.0.2.300")


def test_a_crowd_behind_one_address_fits_into_its_budget_and_a_flood_does_not() -> None:
    shield = Shield()
    source = shield.source(ATTACKER, 0.0)
    verdicts = [shield.meet(source, 0.0) for _ in range(3_000)]
    assert verdicts.count(Verdict.WELCOME) == SOURCE_BUDGET.burst
    assert shield.meet(source, 1.0) is Verdict.WELCOME


def test_budgets_shrink_while_there_is_strain_and_come_back_slowly() -> None:
    shield = Shield()
    shield.feel(STRAIN_BORNE)
    assert shield.share == 1.0
    shares = [strained(shield) for _ in range(20)]
    assert shares == sorted(shares, reverse=True)
    assert shares[7] == shares[19] == SHARE_MIN
    source = shield.source(ATTACKER, 0.0)
    verdicts = [shield.meet(source, 0.0) for _ in range(3_000)]
    assert verdicts.count(Verdict.WELCOME) == pytest.approx(SOURCE_BUDGET.burst * SHARE_MIN, abs=1)
    steps = 0
    while shield.share < 1:
        shield.feel(0.0)
        steps += 1
    assert 200 < steps < 400


def strained(shield: Shield) -> float:
    shield.feel(1.0)
    return shield.share


def test_where_people_listen_there_is_room_to_come_again_whatever_the_strain() -> None:
    shield = Shield()
    school, other = shield.source("203.0.113.5", 0.0), shield.source(ATTACKER, 0.0)
    for _ in range(500):
        shield.begin_listening(school)
    for _ in range(20):
        shield.feel(1.0)
    for asking in (school, other):
        while shield.meet(asking, 0.0) is Verdict.WELCOME:
            pass
    came = {
        asking: sum(shield.meet(asking, 10.0) is Verdict.WELCOME for _ in range(1_000))
        for asking in (school, other)
    }
    assert came[other] <= SOURCE_BUDGET.burst * SHARE_MIN
    assert came[school] == pytest.approx(260, abs=10)


def test_under_strain_as_many_connections_of_an_address_ask_as_a_browser_opens() -> None:
    shield = Shield()
    for _ in range(20):
        shield.feel(1.0)
    source = shield.source(ATTACKER, 0.0)
    for _ in range(ASKING_MIN):
        assert shield.meet(source, 0.0) is Verdict.WELCOME
        shield.begin_asking(source)
    assert shield.meet(source, 100.0) is Verdict.CROWDED


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 1)), min_size=1, max_size=300))
def test_nobody_gets_more_than_burst_and_rate_whatever_the_strain(steps: list[tuple[float, float]]) -> None:
    shield, now_s, welcome = Shield(), 0.0, 0
    for pause_s, felt in steps:
        now_s += pause_s
        shield.feel(felt)
        source = shield.source(ATTACKER, now_s)
        welcome += sum(shield.meet(source, now_s) is Verdict.WELCOME for _ in range(200))
    assert welcome <= SOURCE_BUDGET.burst + SOURCE_BUDGET.rate_hz * now_s + 1


def test_sources_of_one_network_share_its_budget() -> None:
    shield = Shield()
    welcome = 0
    for host in range(250):
        source = shield.source(f"192.0.2.{host}", 0.0)
        welcome += sum(shield.meet(source, 0.0) is Verdict.WELCOME for _ in range(100))
    assert welcome == 8_000
    assert shield.meet(shield.source("198.51.100.1", 0.0), 0.0) is Verdict.WELCOME


def test_connections_that_ask_are_bounded_and_listeners_are_not() -> None:
    shield = Shield()
    source = shield.source(ATTACKER, 0.0)
    for _ in range(ASKING_PER_SOURCE_MAX):
        shield.begin_asking(source)
    assert shield.meet(source, 0.0) is Verdict.CROWDED
    for _ in range(ASKING_PER_SOURCE_MAX):
        shield.end_asking(source)
        shield.begin_listening(source)
    assert shield.meet(source, 0.0) is Verdict.WELCOME
    assert shield.source("192.0.2.8", 0.0).network is source.network
    assert ASKING_PER_NETWORK_MAX > ASKING_PER_SOURCE_MAX


def test_who_only_does_mischief_is_banned_for_longer_each_time() -> None:
    shield, now_s = Shield(), 10.0
    lengths = []
    for _ in range(5):
        now_s = shout(shield, ATTACKER, since_s=now_s, seconds=10)
        (ban,) = shield.pending
        shield.pending.clear()
        assert shield.meet(shield.source(ATTACKER, now_s), now_s) is Verdict.BANNED
        lengths.append(ban.seconds)
        now_s += ban.seconds
        assert shield.meet(shield.source(ATTACKER, now_s), now_s) is Verdict.WELCOME
    assert lengths == [BAN_FIRST_S, 240.0, 960.0, BAN_MAX_S, BAN_MAX_S]


def test_what_was_done_long_ago_is_forgotten() -> None:
    shield = Shield()
    for minute in range(30):
        for _ in range(9):
            shield.strike(shield.source(ATTACKER, minute * 300.0), Strike.TIMEOUT, minute * 300.0)
    assert not shield.pending


def test_a_school_is_not_banned_for_the_one_who_shouts() -> None:
    """Five hundred wait and ask every twenty seconds; one of them sends a hundred bad requests a second."""
    shield = Shield()
    for second in range(300):
        for n in range(100):
            now_s = second + n / 100
            source = shield.source(ATTACKER, now_s)
            if n % 4 == 0:
                shield.praise(source, now_s)
            shield.strike(source, Strike.BAD_REQUEST, now_s)
    assert not shield.pending


def test_where_people_listen_nobody_new_is_banned() -> None:
    shield = Shield()
    for _ in range(VOUCHERS):
        shield.begin_listening(shield.source(ATTACKER, 0.0))
    now_s = shout(shield, ATTACKER, since_s=0.0, seconds=60)
    assert not shield.pending
    shield.end_listening(shield.source(ATTACKER, now_s))
    shout(shield, ATTACKER, since_s=now_s, seconds=1)
    assert [ban.prefix for ban in shield.pending] == ["192.0.2.7/32"]


def test_many_offenders_of_one_network_ban_it_and_few_do_not() -> None:
    shield = Shield()
    for host in range(NETWORK_OFFENDERS - 1):
        shout(shield, f"192.0.2.{host}", since_s=10.0, seconds=10)
    bystander = shield.source("192.0.2.200", 20.0)
    assert shield.meet(bystander, 20.0) is Verdict.WELCOME
    shout(shield, "192.0.2.99", since_s=20.0, seconds=10)
    assert shield.pending[-1].prefix == "192.0.2.0/24"
    assert shield.meet(bystander, 30.0) is Verdict.BANNED


def test_spared_prefixes_have_no_budget_and_are_never_banned() -> None:
    shield = Shield(Prefixes(["192.0.2.0/25"]))
    shout(shield, ATTACKER, since_s=10.0, seconds=20)
    source = shield.source(ATTACKER, 30.0)
    assert all(shield.meet(source, 30.0) is Verdict.WELCOME for _ in range(10_000))
    shield.hear(Ban("192.0.2.7/32", 600.0, "timeout"), 30.0)
    shield.hear(Ban("192.0.2.0/24", 600.0, "timeout"), 30.0)
    assert shield.meet(source, 31.0) is Verdict.WELCOME
    assert shield.banned(31.0) == 0


def test_a_ban_that_another_edge_made_holds_here_and_an_objection_lifts_it() -> None:
    shield = Shield()
    shield.hear(Ban("192.0.2.7/32", 600.0, "timeout"), 0.0)
    source = shield.source(ATTACKER, 1.0)
    assert shield.meet(source, 1.0) is Verdict.BANNED
    shield.hear(Ban("192.0.2.7/32", 0.0, "timeout"), 2.0)
    assert shield.meet(source, 2.0) is Verdict.WELCOME
    shout(shield, ATTACKER, since_s=3.0, seconds=20)
    assert not shield.pending, "pardoned for a while, lest two edges contradict each other for ever"


def test_an_edge_where_people_of_that_prefix_listen_objects() -> None:
    shield = Shield()
    for _ in range(VOUCHERS):
        shield.begin_listening(shield.source(ATTACKER, 0.0))
    shield.hear(Ban("192.0.2.0/24", 600.0, "timeout"), 1.0)
    assert list(shield.pending) == [Ban("192.0.2.0/24", 0.0, "timeout")]
    assert shield.meet(shield.source(ATTACKER, 2.0), 2.0) is Verdict.WELCOME


def test_no_ban_is_longer_than_an_hour_whoever_says_so() -> None:
    shield = Shield()
    shield.hear(Ban("2001:db8::/64", 1e9, "timeout"), 0.0)
    assert shield.banned(BAN_MAX_S - 1) == 1
    assert shield.banned(BAN_MAX_S + 1) == 0


def test_the_table_is_bounded_and_keeps_those_who_are_here() -> None:
    shield = Shield()
    here = shield.source("198.51.100.1", 0.0)
    shield.begin_listening(here)
    for n in range(PREFIXES_MAX + 5_000):
        shield.source(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", float(n))
    assert len(shield) <= PREFIXES_MAX
    assert shield.source("198.51.100.1", 0.0) is here


def test_strain_is_of_what_is_scarcest() -> None:
    assert strain(asking=10, room=100, accept_lag_s=0.0, lag_s=0.0) == pytest.approx(0.1)
    assert strain(asking=10, room=0, accept_lag_s=0.0, lag_s=0.0) == 1.0
    assert strain(asking=10, room=100, accept_lag_s=0.25, lag_s=0.01) == pytest.approx(0.5)
    assert strain(asking=10, room=100, accept_lag_s=0.0, lag_s=0.5) == 1.0
