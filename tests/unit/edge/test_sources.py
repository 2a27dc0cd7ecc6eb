"""Which networks asked: exact, bounded, and nobody can be told from it."""

import math
from collections import Counter
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.shield import NETWORK_BUDGET, Prefix, Shield
from rostra.edge import sources
from rostra.edge.sources import FAMILIAR_AFTER_S, TOP, TOP_SOURCES_MIN, WINDOW_S, Sources


def network(number: int, *, since_s: float = 0.0) -> Prefix:
    name = f"2001:db8:{number:x}::/48" if number % 3 == 0 else f"198.18.{number}.0/24"
    return Prefix(name, NETWORK_BUDGET, None, now_s=since_s)


NETWORKS = [network(number) for number in range(40)]


def keys() -> Sources:
    made = count()
    return Sources(lambda: next(made).to_bytes(32, "big"))


def told(found: Sources) -> dict[str, Any]:
    return found.told()


@given(st.lists(st.dictionaries(st.sampled_from(NETWORKS), st.integers(1, 9), max_size=30), max_size=WINDOW_S + 20))
def test_what_is_told_is_what_was_asked_in_the_last_minute(seconds: list[dict[Prefix, int]]) -> None:
    found = keys()
    for now_s, asked in enumerate(seconds):
        found.second(asked, on_air=True, now_s=now_s)
    total: Counter[Prefix] = Counter()
    for asked in seconds[-WINDOW_S:]:
        total.update(asked)
    said = told(found)
    assert said["networks_v4"] == sum(":" not in each.name for each in total)
    assert said["networks_v4"] + said["networks_v6"] == len(total)
    assert found.requests(50) == (sorted(total.values())[math.ceil(len(total) / 2) - 1] if total else 0)
    assert found.requests(100) == max(total.values(), default=0)
    if len(total) > 1:
        shares = [value / total.total() for value in total.values()]
        entropy = -sum(share * math.log(share) for share in shares) / math.log(len(total))
        assert said["entropy_u"] == pytest.approx(1_000_000 * entropy, abs=2)
    if len(total) >= TOP_SOURCES_MIN:
        assert [each for _, each in said["top"]] == sorted(total.values(), reverse=True)[:TOP]
    else:
        assert "top" not in said


def test_who_was_here_ten_minutes_ago_is_familiar() -> None:
    found, now_s = keys(), FAMILIAR_AFTER_S + 100.0
    known, fresh = network(1, since_s=50), network(2, since_s=now_s - 5)
    found.second({known: 1, fresh: 3}, on_air=True, now_s=now_s)
    assert told(found)["familiar_u"] == 500_000


def test_a_hash_names_a_network_as_long_as_the_evening_lasts_and_not_beyond() -> None:
    found = keys()
    hashes = []
    for now_s, on_air in enumerate((True, True, False, True)):
        found.second(dict.fromkeys(NETWORKS, 1) | {NETWORKS[7]: 50}, on_air=on_air, now_s=now_s)
        hashes.append(told(found)["top"][0][0])
    assert hashes[0] == hashes[1] != hashes[2]
    assert not any(each.name.partition("/")[0] in str(told(found)) for each in NETWORKS)


def test_more_networks_than_fit_are_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "SOURCES_MAX", 10)
    found = keys()
    found.second(dict.fromkeys(NETWORKS, 1), on_air=True, now_s=0)
    for now_s in range(1, WINDOW_S + 1):
        found.second({}, on_air=True, now_s=now_s)
    said = told(found)
    assert (said["networks_v4"], said["networks_v6"], said["networks_untold"]) == (0, 0, 30)


def test_the_shield_counts_who_asks_until_it_is_taken() -> None:
    shield = Shield()
    shield.asked = {}
    for address in ("192.0.2.7", "192.0.2.8", "198.51.100.1"):
        shield.meet(shield.source(address, 0.0), 0.0)
    shield.ask(shield.source("192.0.2.7", 0.0), 0.0)
    assert {each.name: times for each, times in shield.taken().items()} == {"192.0.2.0/24": 3, "198.51.100.0/24": 1}
    assert shield.taken() == {}
