"""A plugin for Mastodon.py's suite: it waits for Mastodon's queues, minutes in all; ours are done at once."""

import time
from typing import Final, Protocol

_SHARE: Final = 0.25  # of every wait, so that what was to happen before something else still does
_BY_OUR_CLOCK: Final = {"test_account_mute_unmute"}  # a mute of some seconds is over when they have passed
_sleep = time.sleep


class _Test(Protocol):
    name: str


def pytest_runtest_setup(item: _Test) -> None:
    share = 1.0 if item.name in _BY_OUR_CLOCK else _SHARE
    time.sleep = lambda seconds: _sleep(share * seconds)
