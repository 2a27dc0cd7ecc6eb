"""How often one may ask, without a clock."""

from datetime import UTC, datetime, timedelta

import pytest

from rostra.core.limits import RATE_KEYS_MAX
from rostra.site.answers import RefusedError
from rostra.site.rates import ADDRESS, JOINING, NOTICES, PAGES, Rate, Rates, address_key, of_account, of_address

NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)


def test_a_rate_is_refused_when_it_is_used_up_and_begins_anew_after_its_window() -> None:
    rates, rate = Rates(), Rate("test", 3, timedelta(minutes=5))
    assert [rates.take(rate, "a", NOW).left for _ in range(3)] == [2, 1, 0]
    with pytest.raises(RefusedError) as refused:
        rates.take(rate, "a", NOW + timedelta(seconds=100))
    assert refused.value.headers == {
        "X-RateLimit-Limit": "3",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "2026-11-21T20:05:00.000000Z",
        "Retry-After": "201",
    }
    assert rates.take(rate, "b", NOW).left == 2, "others are not touched"
    assert rates.take(rate, "a", NOW + timedelta(minutes=5)).left == 2


def test_a_crowd_of_addresses_takes_no_more_memory_than_the_bound() -> None:
    rates, rate = Rates(), Rate("test", 1, timedelta(minutes=5))
    for n in range(RATE_KEYS_MAX + 1):
        rates.take(rate, str(n), NOW)
    assert rates.take(rate, "0", NOW).left == 0, "the first is forgotten"
    with pytest.raises(RefusedError):
        rates.take(rate, str(RATE_KEYS_MAX), NOW)


def test_a_household_is_one_address() -> None:
    assert address_key("2001:db8:1:2::1") == address_key("2001:db8:1:2:ffff::9") != address_key("2001:db8:1:3::1")
    assert address_key("192.0.2.1") != address_key("192.0.2.2")


def test_what_is_counted() -> None:
    assert of_address("GET", "/media/ab/c.jpg", has_token=False) == []
    assert of_address("GET", "/@ann", has_token=False) == [PAGES]
    for path in ("/join", "/password"):  # both have letters sent
        assert of_address("POST", path, has_token=False) == [PAGES, JOINING]
    assert of_address("POST", "/notice", has_token=False) == [PAGES, NOTICES]
    assert of_address("GET", "/notice", has_token=False) == [PAGES]
    assert of_address("GET", "/api/v1/instance", has_token=False) == [ADDRESS]
    assert of_address("POST", "/api/v1/accounts", has_token=True)[-1] == JOINING
    assert [rate.name for rate in of_account("DELETE", "/api/v1/statuses/1")] == ["account", "deleting"]
    assert [rate.name for rate in of_account("POST", "/api/v2/media")] == ["account", "media"]
