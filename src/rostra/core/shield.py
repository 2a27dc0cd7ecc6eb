"""The shield, pure: what a prefix may still ask, what it has done, and when it is banned (ADR 15)."""

import enum
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from rostra.core.limits import (
    ASKING_PER_NETWORK_MAX,
    ASKING_PER_SOURCE_MAX,
    BANS_PENDING_MAX,
    PREFIXES_MAX,
)
from rostra.core.prefixes import Prefixes, network_of, source_of


@dataclass(frozen=True, slots=True)
class Budget:
    """A token bucket: so many at once, then so many a second."""

    rate_hz: float
    burst: float


# What a crowd behind one address asks: 500 visitors who come within seconds, with four connections each. A single
# attacker at this rate takes about 1 % of a core.
SOURCE_BUDGET: Final = Budget(200, 2_000)
NETWORK_BUDGET: Final = Budget(800, 8_000)
# While a process strains, budgets shrink until it does no longer: so those who ask least are served, whatever the
# others send. At the least a household's page fits, and then a request a second.
SHARE_MIN: Final = 0.005
SHARE_DOWN: Final = 0.5  # at full strain, ten times a second: 0.8 s from everything to the least
SHARE_UP: Final = 1.02  # without strain: half a minute back, so that what goes on is not let in at once
STRAIN_BORNE: Final = 0.5
ASKING_MIN: Final = 8  # connections of an address that ask, whatever the strain: a browser opens six
# Who listens has shown that people are there. Each adds to the budget of where they are what one of them needs to
# come again, strain or not: a school with 500 listeners is not one attacker's size.
PER_LISTENER_HZ: Final = 0.05

HALF_LIFE_S: Final = 60.0  # of what somebody has done: five minutes of peace and nothing is left
BAN_SCORE: Final = 20.0  # two seconds of nothing but mischief
BAD_SHARE: Final = 0.8  # of all that came from there
# Shouting louder is not being more: what one of a school does in a second counts as this, and no more.
STRIKES_PER_S_MAX: Final = 10.0
VOUCHERS: Final = (
    3  # listeners of a prefix: as many streams as one ticket opens; with so many it is no longer banned
)
NETWORK_OFFENDERS: Final = 8  # sources of one network, banned at the same time, that make it the network's
OFFENDERS_KEPT_MAX: Final = 64
BAN_FIRST_S: Final = 60.0
BAN_FACTOR: Final = 4.0
BAN_MAX_S: Final = 3_600.0  # addresses change hands
LAG_STRAINED_S: Final = 0.5  # a loop that is so late makes newcomers wait too long
PARDON_S: Final = 300.0
_REST: Final = "rest"


class Strike(enum.Enum):
    """What counts against a prefix, and how much."""

    BAD_REQUEST = "bad_request"
    TIMEOUT = "timeout"
    HALF_OPEN = "half_open"
    FORGED_TICKET = "forged_ticket"
    SHARED_TICKET = "shared_ticket"
    SLOW_READER = "slow_reader"
    HANDSHAKE = "handshake"


class Verdict(enum.Enum):
    WELCOME = "welcome"
    BUSY = "busy"  # come again in a moment
    CROWDED = "crowded"  # as BUSY, and too many from there wait already
    BANNED = "banned"


@dataclass(frozen=True, slots=True)
class Ban:
    """`seconds` from now; 0 lifts it."""

    prefix: str
    seconds: float
    strike: str


class Prefix:
    """What is known of a source (/32, /64), or of the network (/24, /48) that it lies in."""

    __slots__ = (
        "address", "asking", "at_s", "bad", "banned_until_s", "budget", "exempt", "good", "listening", "name",
        "network", "offences", "offenders", "pardoned_until_s", "scored_s", "since_s", "sources", "struck_s",
        "tokens",
    )  # fmt: skip

    def __init__(
        self, name: str, budget: Budget, network: "Prefix | None", *, now_s: float, exempt: bool = False
    ) -> None:
        self.name = name
        self.address = name.partition("/")[0]
        self.network = network
        self.exempt = exempt
        self.budget = budget
        self.tokens = budget.burst
        self.at_s = now_s
        self.asking = 0
        self.listening = 0
        self.bad = 0.0
        self.good = 0.0
        self.scored_s = self.since_s = now_s
        self.struck_s = 0.0
        self.offences = 0
        self.banned_until_s = 0.0
        self.pardoned_until_s = 0.0
        self.sources = 0
        self.offenders: dict[str, float] = {}

    def take(self, share: float, now_s: float) -> bool:
        """One of what is left; False if nothing is."""
        budget, listening = self.budget, self.listening
        rate_hz = budget.rate_hz * share + listening * PER_LISTENER_HZ
        tokens = min(budget.burst * share + listening, self.tokens + (now_s - self.at_s) * rate_hz)
        self.at_s = now_s
        if tokens < 1:
            self.tokens = tokens
            return False
        self.tokens = tokens - 1
        return True

    def decay(self, now_s: float) -> None:
        if now_s > self.scored_s:
            left = 0.5 ** ((now_s - self.scored_s) / HALF_LIFE_S)
            self.bad *= left
            self.good *= left
            self.scored_s = now_s

    @property
    def vouched(self) -> bool:
        return self.listening >= VOUCHERS

    @property
    def deserves_ban(self) -> bool:
        return self.bad >= BAN_SCORE and self.bad >= BAD_SHARE * (self.bad + self.good) and not self.vouched

    def idle(self, now_s: float) -> bool:
        """Whether nothing would change if it were forgotten."""
        return not self.asking and not self.listening and self.banned_until_s <= now_s


@dataclass(slots=True)
class Shield:
    """All prefixes that one process knows. `strain` (0 to 1) is how hard its life is, `share` what budgets keep.

    A table that is full forgets who has been quiet longest; without anybody quiet, newcomers share one entry.
    """

    spared: Prefixes = field(default_factory=Prefixes)
    strain: float = 0.0
    share: float = 1.0
    counts: dict[str, int] = field(default_factory=dict)
    pending: deque[Ban] = field(default_factory=deque)  # what the others are to be told
    asked: dict[Prefix, int] | None = None  # how often each network did, for whoever takes it once a second
    _sources: dict[str, Prefix] = field(default_factory=dict)
    _networks: dict[str, Prefix] = field(default_factory=dict)

    def feel(self, strain: float) -> None:
        """How it is now: to be told ten times a second."""
        self.strain = min(1.0, max(0.0, strain))
        over = (self.strain - STRAIN_BORNE) / (1 - STRAIN_BORNE)
        self.share *= 1 - (1 - SHARE_DOWN) * over if over > 0 else SHARE_UP
        self.share = min(1.0, max(SHARE_MIN, self.share))

    def __len__(self) -> int:
        return len(self._sources)

    def taken(self) -> dict[Prefix, int]:
        """How often each network asked since this was called last."""
        taken, self.asked = self.asked or {}, {}
        return taken

    # --- who comes ---------------------------------------------------------------------------------------

    def source(self, address: str, now_s: float) -> Prefix:
        """What is known of an address. BadInputError if it is none."""
        name = source_of(address)
        return self._sources.get(name) or self._meet(name, now_s, exempt=address in self.spared)

    def _meet(self, name: str, now_s: float, *, exempt: bool) -> Prefix:
        if len(self._sources) >= PREFIXES_MAX and not self._forget_one(now_s):
            name = _REST
            known = self._sources.get(name)
            if known is not None:
                return known
        wide = name if name == _REST else network_of(name)
        network = self._networks.get(wide)
        if network is None:
            network = self._networks[wide] = Prefix(wide, NETWORK_BUDGET, None, now_s=now_s)
        network.sources += 1
        source = self._sources[name] = Prefix(name, SOURCE_BUDGET, network, now_s=now_s, exempt=exempt)
        return source

    def _forget_one(self, now_s: float) -> bool:
        """Make room. Whoever is still here goes to the end of the line, so that each is looked at in turn."""
        for _ in range(16):
            name = next(iter(self._sources))
            source = self._sources.pop(name)
            if source.idle(now_s) and name != _REST:
                network = source.network
                assert network is not None
                network.sources -= 1
                if not network.sources:
                    del self._networks[network.name]
                return True
            self._sources[name] = source
        return False

    def meet(self, source: Prefix, now_s: float) -> Verdict:
        """A connection comes: one of both budgets, unless too many from there are asking already."""
        network = source.network
        assert network is not None
        if source.exempt:
            return Verdict.WELCOME
        if self.asked is not None:
            self.asked[network] = self.asked.get(network, 0) + 1
        if source.banned_until_s > now_s or network.banned_until_s > now_s:
            return self._counted(Verdict.BANNED)
        share = self.share
        if source.asking >= max(ASKING_MIN, ASKING_PER_SOURCE_MAX * share) or network.asking >= max(
            4 * ASKING_MIN, ASKING_PER_NETWORK_MAX * share
        ):
            return self._counted(Verdict.CROWDED)
        if source.take(share, now_s) and network.take(share, now_s):
            return Verdict.WELCOME
        return self._counted(Verdict.BUSY)

    def ask(self, source: Prefix, now_s: float) -> Verdict:
        """One more request of somebody who has come already, or through a proxy."""
        network = source.network
        assert network is not None
        if source.exempt:
            return Verdict.WELCOME
        if self.asked is not None:
            self.asked[network] = self.asked.get(network, 0) + 1
        if source.banned_until_s > now_s or network.banned_until_s > now_s:
            return self._counted(Verdict.BANNED)
        if source.take(self.share, now_s) and network.take(self.share, now_s):
            return Verdict.WELCOME
        return self._counted(Verdict.BUSY)

    def _counted(self, verdict: Verdict) -> Verdict:
        self.counts[verdict.value] = self.counts.get(verdict.value, 0) + 1
        return verdict

    @staticmethod
    def begin_asking(source: Prefix) -> None:
        source.asking += 1
        assert source.network is not None
        source.network.asking += 1

    @staticmethod
    def end_asking(source: Prefix) -> None:
        source.asking -= 1
        assert source.network is not None
        source.network.asking -= 1

    @staticmethod
    def begin_listening(source: Prefix) -> None:
        source.listening += 1
        assert source.network is not None
        source.network.listening += 1

    @staticmethod
    def end_listening(source: Prefix) -> None:
        source.listening -= 1
        assert source.network is not None
        source.network.listening -= 1

    # --- what they do ------------------------------------------------------------------------------------

    @staticmethod
    def praise(source: Prefix, now_s: float) -> None:
        """It asked for something that it was given."""
        network = source.network
        assert network is not None
        for prefix in (source, network):
            if now_s - prefix.scored_s > 1:
                prefix.decay(now_s)
            prefix.good += 1

    def strike(self, source: Prefix, strike: Strike, now_s: float) -> None:
        """Something that honest people rarely do. Enough of it, and of nothing else, is a ban."""
        self.counts[strike.value] = self.counts.get(strike.value, 0) + 1
        network = source.network
        assert network is not None
        if source.exempt or source.name == _REST:
            return
        weight = min(1.0, (now_s - source.struck_s) * STRIKES_PER_S_MAX)
        source.struck_s = now_s
        for prefix in (source, network):
            prefix.decay(now_s)
            prefix.bad += weight
        if source.deserves_ban and source.banned_until_s <= now_s and source.pardoned_until_s <= now_s:
            self._ban(source, strike, now_s)
            offenders = {name: until for name, until in network.offenders.items() if until > now_s}
            if len(offenders) < OFFENDERS_KEPT_MAX:
                offenders[source.name] = source.banned_until_s
            network.offenders = offenders
            if len(offenders) >= NETWORK_OFFENDERS and network.deserves_ban and network.banned_until_s <= now_s:
                self._ban(network, strike, now_s)

    def _ban(self, prefix: Prefix, strike: Strike, now_s: float) -> None:
        if self.spared.overlaps(prefix.name):
            return
        seconds = min(BAN_MAX_S, BAN_FIRST_S * BAN_FACTOR**prefix.offences)
        prefix.offences += 1
        prefix.banned_until_s = now_s + seconds
        self.counts["bans"] = self.counts.get("bans", 0) + 1
        if len(self.pending) < BANS_PENDING_MAX:
            self.pending.append(Ban(prefix.name, seconds, strike.value))

    # --- what others say ---------------------------------------------------------------------------------

    def hear(self, ban: Ban, now_s: float) -> None:
        """Another edge's ban, or its objection. Where people listen from that prefix here, this edge objects."""
        prefix = self._known(ban.prefix, now_s)
        if prefix is None or self.spared.overlaps(ban.prefix):
            return
        if ban.seconds <= 0:
            prefix.banned_until_s = 0.0
            prefix.pardoned_until_s = now_s + PARDON_S
        elif prefix.vouched:
            if len(self.pending) < BANS_PENDING_MAX:
                self.pending.append(Ban(ban.prefix, 0.0, ban.strike))
        elif prefix.pardoned_until_s <= now_s:
            prefix.banned_until_s = max(prefix.banned_until_s, now_s + min(ban.seconds, BAN_MAX_S))

    def _known(self, name: str, now_s: float) -> Prefix | None:
        """The entry of a prefix of one of the four lengths; None of any other."""
        if name.endswith(("/32", "/64")):
            return self._sources.get(name) or self._meet(name, now_s, exempt=False)
        network = self._networks.get(name)
        if network is None and name.endswith(("/24", "/48")):
            self._meet(name.replace("/24", "/32").replace("/48", "/64"), now_s, exempt=False)
            network = self._networks.get(name)
        return network

    def banned(self, now_s: float) -> int:
        """How many prefixes are banned at this moment."""
        tables = (self._sources, self._networks)
        return sum(prefix.banned_until_s > now_s for table in tables for prefix in table.values())


def strain(*, asking: int, room: int, accept_lag_s: float, lag_s: float) -> float:
    """How hard a process's life is, 0 to 1: what is scarcest counts.

    `asking` connections, which do not listen, are in `room` for so many; whoever connects waits at least
    `accept_lag_s` to be accepted, and then `lag_s`.
    """
    return min(1.0, max(asking / max(1, room), accept_lag_s / LAG_STRAINED_S, lag_s / LAG_STRAINED_S))
