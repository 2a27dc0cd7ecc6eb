"""Famous evenings, from what was published of them and nothing else: most were never published enough of.

Sources: the FCC's Inspector General (2018), the MacGibbon review of the
Australian census (2016), reports by Cloudflare and GitHub themselves, parliament's on voter registration (2017).
"""

import pytest

from one_edge import Counts, evening, people


def test_x_in_2024_published_a_statement_and_no_number() -> None:
    verdict = evening(claims="attack")
    assert verdict.label == "undetermined"
    assert verdict.word == "none"
    assert [each["exceeds"] for each in verdict.as_json()["statements"]] == [True]


def test_of_desantis_in_2023_nobody_knows_what_had_been_rehearsed() -> None:
    verdict = evening(claims="demand")
    assert verdict.label == "undetermined"


def test_a_server_move_like_that_of_december_2022_is_seen_and_proves_nothing_alone() -> None:
    verdict = evening(lambda _: {"did": {"requests": 1}, "now": {"playing": 1}}, changes={40: "move"})
    assert verdict.label == "undetermined"
    assert [each.what for each in verdict.evening.changes] == ["move"]


def test_the_fcc_in_2017_had_a_crowd_thirty_times_the_usual() -> None:
    usual, crowd = 10, 312  # the Inspector General: +3,116 %; anomalous traffic of "miniscule scale"

    def second(at: int) -> Counts:
        if at < 60:
            return {"did": people(usual, usual), "now": {"playing": 20, "waiting": 0, "room": 5_000}}
        more = {"answers_4xx": 3}
        return {"did": people(crowd, 3 * usual) | more, "now": {"playing": 20, "waiting": 2_000, "room": 5_000}}

    verdict = evening(second, capacity={"joins_hz": 3 * usual, "listeners": 6_000}, claims="attack")
    assert verdict.label == "demand"
    assert verdict.split.shares[0].high < 0.05
    assert verdict.as_json()["statements"][0]["exceeds"]


def test_the_census_of_2016_was_no_attack_alone() -> None:
    """Small floods for minutes, then a router that did not start again for most of the evening."""

    def second(at: int) -> Counts | None:
        if 70 <= at < 170:
            return None
        flood = 50 <= at < 70
        kernel = {"nic_bytes_in": 60_000_000 if flood else 50_000, "nic_packets_in": 40_000 if flood else 200}
        kernel |= {"nic_drops_in": 60_000 if flood else 0, "passive_opens": 20}
        return {"did": people(20, 20), "has": kernel, "now": {"playing": 0, "room": 900}}

    verdict = evening(second, capacity={"joins_hz": 100, "listeners": 900}, claims="attack")
    attack, _, own, _ = verdict.split.shares
    assert verdict.label in {"own", "mixture"}
    assert own.value > attack.value > 0


def test_cloudflare_in_2025_suspected_an_attack_and_had_a_configuration() -> None:
    """A file every five minutes, good or bad: failures come and go with the clock (here every twenty seconds)."""

    def second(at: int) -> Counts:
        failing = at >= 60 and at // 20 % 2
        counted = people(20, 2 if failing else 20)
        return {"did": counted | {"answers_5xx": 18 if failing else 0}, "now": {"playing": 50, "room": 900}}

    verdict = evening(
        second, capacity={"joins_hz": 100, "listeners": 900}, changes={55: "configuration"}, claims="attack"
    )
    assert verdict.label == "own"
    assert verdict.split.shares[0].high == 0
    assert any(each.code == "changed" and each.subject == "configuration" for each in verdict.contrasts)


@pytest.mark.parametrize("requests", [60, 240])
def test_requests_alone_decide_nothing(requests: int) -> None:
    """Voter registration in 2016 (214,000 an hour), Ticketmaster in 2022 (four times the record peak, unsplit)."""
    verdict = evening(lambda at: {"did": {"accepts": requests if at > 60 else 10}, "now": {"playing": 1}})
    assert verdict.label == "undetermined"


def test_github_in_2018_was_flooded() -> None:
    """1.35 Tbit/s of answers from memcached servers, for which GitHub never asked."""

    def second(at: int) -> Counts:
        flood = 60 <= at < 160
        kernel = {"nic_bytes_in": 900_000_000 if flood else 60_000, "nic_packets_in": 500_000 if flood else 300}
        kernel |= {"nic_drops_in": 9_000_000 if flood else 0, "passive_opens": 6 if flood else 30}
        asked = 6 if flood else 30
        return {"did": people(asked, asked), "has": kernel, "now": {"playing": 0, "room": 9_000}}

    verdict = evening(second, capacity={"joins_hz": 100, "listeners": 9_000})
    assert verdict.label == "attack"
    assert verdict.estimated
