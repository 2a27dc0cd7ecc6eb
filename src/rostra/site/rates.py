"""How often an address and an account may ask: counted in fixed windows, as Mastodon tells its clients. Pure.

Each site process counts for itself: with n processes, somebody may ask up to n times as often.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Final

from rostra.core.limits import RATE_KEYS_MAX
from rostra.site.answers import RefusedError


@dataclass(frozen=True, slots=True)
class Rate:
    name: str
    limit: int
    per: timedelta


_FIVE_MINUTES: Final = timedelta(minutes=5)
_HALF_AN_HOUR: Final = timedelta(minutes=30)
# As Mastodon 4.3 (config/initializers/rack_attack.rb), whose clients know how to live with it.
ADDRESS: Final = Rate("address", 300, _FIVE_MINUTES)
ACCOUNT: Final = Rate("account", 1_500, _FIVE_MINUTES)
JOINING: Final = Rate("joining", 5, _HALF_AN_HOUR)
MEDIA: Final = Rate("media", 30, _HALF_AN_HOUR)
DELETING: Final = Rate("deleting", 30, _HALF_AN_HOUR)
# Ours: who brings a token is counted by account, once the token is found to be good; many share an address.
ADDRESS_WITH_TOKEN: Final = Rate("address with token", 7_500, _FIVE_MINUTES)
APPLICATIONS: Final = Rate("applications", 30, _HALF_AN_HOUR)
NOTICES: Final = Rate("notices", 10, _HALF_AN_HOUR)  # each is looked at by a person
PAGES: Final = Rate("pages", 1_500, _FIVE_MINUTES)  # an office behind one address


@dataclass(slots=True)
class Allowance:
    """What is left of a rate in its window."""

    rate: Rate
    left: int
    reset_at: datetime

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.rate.limit),
            "X-RateLimit-Remaining": str(max(0, self.left)),
            "X-RateLimit-Reset": self.reset_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }


class Rates:
    """The windows that are open. Full: the one that was opened first goes, and who filled it begins anew."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], Allowance] = {}

    def take(self, rate: Rate, key: str, now: datetime) -> Allowance:
        """Count one. RefusedError (429) beyond the rate."""
        window = self._windows.get((rate.name, key))
        if window is None or window.reset_at <= now:
            self._windows.pop((rate.name, key), None)
            if len(self._windows) >= RATE_KEYS_MAX:
                self._windows.pop(next(iter(self._windows)))
            window = self._windows[rate.name, key] = Allowance(rate, rate.limit, now + rate.per)
        window.left -= 1
        if window.left < 0:
            wait_s = max(1, int((window.reset_at - now).total_seconds()) + 1)
            raise RefusedError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "Too many requests",
                headers=window.headers | {"Retry-After": str(wait_s)},
            )
        return window


def address_key(address: str) -> str:
    """A network that one household has: an IPv4 address, or a /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return parsed.packed[:8].hex() if isinstance(parsed, IPv6Address) else str(parsed)


def of_address(method: str, path: str, *, has_token: bool) -> list[Rate]:
    """What a request is counted against before anybody knows whose it is; the strictest last."""
    if path.startswith(("/media/", "/assets/")):
        return []
    if not path.startswith(("/api/", "/oauth/")):
        strict = (
            {"/join": JOINING, "/password": JOINING, "/notice": NOTICES}.get(path) if method == "POST" else None
        )
        return [PAGES] if strict is None else [PAGES, strict]
    rates = [ADDRESS_WITH_TOKEN if has_token else ADDRESS]
    if method == "POST" and path == "/api/v1/accounts":
        rates.append(JOINING)
    if method == "POST" and path == "/api/v1/apps":
        rates.append(APPLICATIONS)
    return rates


def of_account(method: str, path: str) -> list[Rate]:
    """What it is counted against once it is known whose it is; the strictest last."""
    rates = [ACCOUNT]
    if method == "POST" and path in {"/api/v1/media", "/api/v2/media"}:
        rates.append(MEDIA)
    is_status = path.startswith("/api/v1/statuses/")
    if is_status and (method == "DELETE" or (method == "POST" and path.endswith("/unreblog"))):
        rates.append(DELETING)
    return rates
