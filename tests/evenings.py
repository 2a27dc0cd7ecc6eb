"""Evenings that never were: people one by one, edges that can do so much a second, causes that can be left out.

The records are those of real processes. The truth is the same people on the same evening without the cause. It
knows nothing of the verdict's model: its people wait in a line, ask again after seconds of their own, and lose
patience; its edges work on requests one by one.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Final

from rostra.verifier.entry import Entry

KINDS: Final = (
    "nothing", "crowd", "stampede", "limit",
    "syn_flood", "bandwidth_flood", "http_flood", "mimicry", "idle_connections",
    "crash", "bad_deploy", "bad_configuration", "server_move", "dependency", "silence",
    "flood_and_crowd", "flood_and_fault", "absorbed_and_fault", "crowd_and_limit", "absorbed",
)  # fmt: skip
CLASS_OF: Final = {
    "nothing": ("N",), "crowd": ("D1",), "stampede": ("D2",), "limit": ("O4",), "syn_flood": ("A2",),
    "bandwidth_flood": ("A1",), "http_flood": ("A3",), "mimicry": ("A4",), "idle_connections": ("A5",),
    "crash": ("O1",), "bad_deploy": ("O2",), "bad_configuration": ("O3",), "server_move": ("O5",),
    "dependency": ("X1",), "silence": ("O6",), "flood_and_crowd": ("A3", "D1"), "flood_and_fault": ("A3", "O3"),
    "absorbed_and_fault": ("O2",), "crowd_and_limit": ("D1", "O4"), "absorbed": ("N",),
}  # fmt: skip
CAUSES: Final = ("attack", "demand", "own", "external")
START_S: Final = 1_723_485_600
SECONDS: Final = 150
ONSET: Final = 60
_WITHIN: Final = (0.1, 0.3, 1.0, 3.0, 10.0)
_HEARD: Final = ("100_ms", "300_ms", "1000_ms", "3000_ms", "10000_ms")
_DID: Final = (
    "asked_first_speaker", "asked_first_registered", "asked_first_signed_in", "asked_first_anonymous",
    "asked_again",
    "tickets_none", "admitted", "admitted_after_wait", "told_to_wait", "gave_up", "answers_2xx", "answers_4xx",
    "answers_5xx", "accepts", "accept_failures", "bytes_in", "bytes_out", "sound_within_100_ms",
    "sound_within_300_ms", "sound_within_1000_ms", "sound_within_3000_ms", "sound_within_10000_ms", "sound_later",
    "followed_10s", "left_before_10s", "cut_streams",
)  # fmt: skip
_HAS: Final = (
    "syn_cookies_sent", "syn_cookies_returned", "syn_queue_full_drops", "passive_opens", "nic_bytes_in",
    "nic_packets_in", "nic_drops_in", "segments_out", "segments_again", "cpu_user_us",
)  # fmt: skip
_ALL: Final = (True, True, True, True)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens; rates are those of one edge."""

    kind: str
    seed: int
    edges: int
    joins_hz: int
    places: int
    peak: float = 0.5  # of the rehearsed joins, at the start
    stampede: float = 0.0  # how many times a second who hears nothing asks again
    limit: float = 1.0  # of the rehearsed places
    http: float = 0.0  # hostile requests a second, of the rehearsed joins
    bots: float = 0.0  # with tickets
    networks: int = 2_000  # that hostile requests come from
    syn: float = 0.0
    bandwidth: float = 0.0  # of the line
    idle: float = 0.0  # of the descriptors
    fault: float = 0.0  # of attempts that fail, or capacity that is gone
    hit: int = 0  # edges that have the fault, the attack
    dependency: float = 0.0
    silent: bool = False
    refusal_cost: float = 0.3
    changes: tuple[tuple[int, str, str], ...] = ()
    begin: int = ONSET
    end: int = ONSET + 60


def scenario(kind: str, seed: int, *, shift: float = 0.0) -> Scenario:
    """`shift`: another operating point than the one that everything was tried at."""
    chance = random.Random(f"{kind}/{seed}")
    u = chance.uniform
    edges = chance.randint(3, 5)
    joins = round(u(6, 14) * (1 + shift * u(-0.4, 0.8)))
    begin = ONSET + chance.randint(-8, 8)
    made = Scenario(
        kind, seed, edges, joins, places=joins * 150, peak=u(0.25, 0.7), hit=edges, refusal_cost=u(0.2, 0.6),
        begin=begin, end=begin + chance.randint(40, 70), networks=round(10 ** u(1.3, 4)),
    )  # fmt: skip
    crowd, part = u(1.5, 3.5), chance.randint(2, edges)
    names = [f"edge-{number + 1}" for number in range(edges)]
    if chance.random() < 0.15:
        what = chance.choice(("configuration", "deploy", "limit"))
        made = replace(made, changes=((chance.randint(5, 140), what, chance.choice(names)),))
    fault = u(0.5, 0.95)
    at = begin - chance.randint(1, 12)
    match kind:
        case "crowd":
            made = replace(made, peak=crowd)
        case "stampede":
            made = replace(made, peak=u(0.95, 1.2), stampede=u(2, 5))
        case "limit":
            made = replace(made, limit=u(0.03, 0.12), changes=((at, "limit", ""),))
        case "syn_flood":
            made = replace(made, syn=u(300, 2_000))
        case "bandwidth_flood":
            made = replace(made, bandwidth=u(2.5, 8))
        case "http_flood":
            made = replace(made, http=u(5, 20))
        case "mimicry":
            made = replace(made, bots=u(1.5, 4))
        case "idle_connections":
            made = replace(made, idle=u(2, 6))
        case "crash":
            made = replace(made, fault=1.0, hit=part)
        case "bad_deploy":
            made = replace(
                made, fault=fault, hit=part, changes=tuple((at, "deploy", name) for name in names[:part])
            )
        case "bad_configuration":
            made = replace(made, fault=fault, changes=((at, "configuration", ""),))
        case "server_move":
            made = replace(made, fault=fault, peak=u(0.6, 0.9), changes=tuple((at, "move", name) for name in names))
        case "dependency":
            made = replace(made, dependency=fault)
        case "silence":
            made = replace(made, silent=True)
        case "flood_and_crowd":
            made = replace(made, peak=crowd, http=u(4, 12))
        case "flood_and_fault":
            made = replace(made, http=u(4, 12), fault=fault, changes=((at, "configuration", ""),))
        case "absorbed_and_fault":
            made = replace(made, http=u(0.2, 0.8), fault=fault, hit=part, changes=((at, "deploy", names[0]),))
        case "crowd_and_limit":
            made = replace(made, peak=crowd, limit=u(0.04, 0.12), changes=((at, "limit", ""),))
        case "absorbed":
            made = replace(made, http=u(0.2, 0.8), syn=u(20, 80))
    return made


@dataclass(slots=True)
class Person:
    edge: int
    came: float
    reached: float = -1.0
    heard: float = -1.0
    cut: bool = False
    tries: int = 0


@dataclass(slots=True)
class Account:
    """What one edge counts."""

    did: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_DID, 0))
    has: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_HAS, 0))
    playing: list[tuple[Person, float]] = field(default_factory=list)
    waiting: int = 0
    followed: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    run: int = 0
    seq: int = 0
    sources: dict[str, int] = field(default_factory=dict)
    failing: int = 0


class Evening:
    """One run of a scenario with the causes that are `there` (attack, demand, own, external)."""

    def __init__(self, scenario: Scenario, there: Sequence[bool] = _ALL) -> None:
        self.scenario = scenario
        self.attack, self.demand, self.own, self.external = there
        self.entries: list[Entry] = []
        self.people: list[Person] = []
        self._accounts = [Account(run=START_S * 1_000) for _ in range(scenario.edges)]
        self._due: dict[int, list[Person]] = defaultdict(list)
        self._silent_frames = 0
        self._run()

    @property
    def harm(self) -> float:
        asked = [each for each in self.people if each.came < SECONDS - 10]
        if self.scenario.silent and self.own:
            harmed = [
                each for each in asked if not 0 <= each.heard - each.came <= 10 or each.heard < self.scenario.end
            ]
        else:
            harmed = [each for each in asked if not 0 <= each.heard - each.came <= 10 or each.cut]
        return len(harmed) / max(1, len(asked))

    # --- the course of it ---

    def _run(self) -> None:
        self._open()
        for second in range(SECONDS):
            self._arrive(second)
            self._changes(second)
            for number, account in enumerate(self._accounts):
                self._edge(second, number, account)
            self._stage(second)

    def _arrive(self, second: int) -> None:
        s = self.scenario
        peak = s.peak if self.demand else min(s.peak, 0.8)
        share = 0.15 if second < ONSET - 10 else peak
        for edge in range(s.edges):
            chance = random.Random(f"{s.kind}/{s.seed}/{second}/{edge}")  # the same people in every world
            wanted = s.joins_hz * share
            count = int(max(0.0, chance.gauss(wanted, wanted**0.5)) + chance.random())
            for _ in range(count):
                person = Person(edge, second + chance.random())
                self.people.append(person)
                self._due[second].append(person)

    def _edge(self, second: int, number: int, account: Account) -> None:
        s, did = self.scenario, account.did
        chance = random.Random(f"edge/{s.kind}/{s.seed}/{second}/{number}")
        on = s.begin <= second < s.end
        faulty = on and self.own and number < s.hit
        attacked = on and self.attack
        due = [each for each in self._due[second] if each.edge == number]
        if s.kind == "crash" and faulty:
            self._dead(account, due, second, chance)
            return
        lost = self._noise(account, len(due), chance, attacked=attacked)
        budget = float(s.joins_hz)
        failing = 0.0
        if faulty and s.kind == "server_move":
            budget *= 1 - s.fault
        elif faulty and s.fault:
            failing = s.fault
        external = s.dependency if on and self.external else 0.0
        places = s.places * (s.limit if self.own else 1.0)
        hostile = round(s.http * s.joins_hz * chance.uniform(0.9, 1.1)) if attacked else 0
        bots = round(s.bots * s.joins_hz * chance.uniform(0.9, 1.1)) if attacked else 0
        work: list[Person | str] = [*due, *["hostile"] * hostile, *["bot"] * bots]
        chance.shuffle(work)
        account.waiting = 0
        for each in work:
            if isinstance(each, Person):
                if chance.random() < lost:
                    self._again(each, second, chance.choice((1, 2, 4)))
                    continue
                budget -= self._ask(account, each, second, chance, budget, failing, external, places)
            else:
                budget -= self._hostile(did, each, budget)
        account.failing += round(10 * external)
        self._listen(account, second, chance)
        self._record(second, number, account, hostile + bots, external)

    def _ask(
        self, account: Account, person: Person, second: int, chance: random.Random,
        budget: float, failing: float, external: float, places: float,
    ) -> float:  # fmt: skip
        did, s = account.did, self.scenario
        now = max(second + chance.random(), person.came)
        if person.reached < 0:
            person.reached = now
            did["asked_first_anonymous"] += 1
        else:
            did["asked_again"] += 1
        did["accepts"] += 1
        account.has["passive_opens"] += 1
        did["bytes_in"] += 700
        if chance.random() < failing or chance.random() < external:
            did["answers_5xx"] += 1
            self._again(person, second, chance.randint(2, 5))
            return 0.3
        if budget < 1 or len(account.playing) >= places:
            did["answers_2xx"] += 1
            did["told_to_wait"] += 1
            account.waiting += 1
            if s.stampede and self.demand:
                for _ in range(round(s.stampede)):
                    did["asked_again"] += 1
                self._again(person, second, 1)
                return s.refusal_cost * s.stampede
            self._again(person, second, chance.randint(3, 12))
            return 0.05
        did["admitted"] += 1
        did["answers_2xx"] += 2
        person.heard = now + chance.uniform(0.02, 0.2)
        waited = person.heard - person.reached
        did["admitted_after_wait"] += waited > 1
        bucket = next((name for edge, name in zip(_WITHIN, _HEARD, strict=True) if waited <= edge), None)
        did[f"sound_within_{bucket}" if bucket else "sound_later"] += 1
        if chance.random() < 0.05:
            did["left_before_10s"] += 1
        else:
            account.followed[second + 10] += 1
            account.playing.append((person, second + chance.expovariate(1 / 600)))
        return 1.0

    def _hostile(self, did: dict[str, int], what: str, budget: float) -> float:
        did["accepts"] += 1
        did["bytes_in"] += 300
        if what == "hostile":
            did["answers_4xx"] += 1
            did["tickets_none"] += 1
            return self.scenario.refusal_cost
        did["asked_first_anonymous"] += 1
        if budget < 1:
            did["told_to_wait"] += 1
            return 0.05
        did["admitted"] += 1
        did["answers_2xx"] += 1
        return 1.0

    def _noise(self, account: Account, due: int, chance: random.Random, *, attacked: bool) -> float:
        """Packets that are no requests; returns the share of attempts that they make fail."""
        s, has = self.scenario, account.has
        lost = 0.0
        has["nic_bytes_in"] += 40_000 + due * 1_000
        has["nic_packets_in"] += 100 + due * 10
        has["segments_out"] += 1_000
        has["segments_again"] += 3
        if attacked and s.syn:
            has["syn_cookies_sent"] += round(s.syn)
            has["syn_cookies_returned"] += round(s.syn * 0.004)
            if s.syn > 200:
                has["syn_queue_full_drops"] += round(2 * s.syn)
                lost = 0.6
        if attacked and s.bandwidth > 1:
            lost = 1 - 1 / s.bandwidth
            has["nic_bytes_in"] += round(12_500_000 * s.bandwidth)
            packets = round(10_000 * s.bandwidth)
            has["nic_packets_in"] += round(packets * (1 - lost))
            has["nic_drops_in"] += round(packets * lost)
            has["segments_again"] += round(1_000 * lost)
        if attacked and s.idle > 1:
            lost = 1 - 1 / s.idle
            account.did["accept_failures"] += round(due * lost) + 3
        return max(0.0, min(0.95, lost * chance.uniform(0.95, 1.05)))

    def _again(self, person: Person, second: int, after: int) -> None:
        person.tries += 1
        if person.tries < 20:
            self._due[second + after].append(person)

    def _dead(self, account: Account, due: list[Person], second: int, chance: random.Random) -> None:
        for person, until in account.playing:
            if until > second:
                person.cut = True
        account.playing.clear()
        for each in due:
            self._again(each, second, chance.randint(2, 5))
        account.did = dict.fromkeys(_DID, 0)
        account.has = dict.fromkeys(_HAS, 0)
        account.seq = 0
        account.run = (START_S + self.scenario.end) * 1_000

    def _listen(self, account: Account, second: int, chance: random.Random) -> None:
        account.playing = [each for each in account.playing if each[1] > second]
        account.did["followed_10s"] += account.followed.pop(second, 0)
        account.did["bytes_out"] += len(account.playing) * 4_000
        account.has["cpu_user_us"] += 20_000 + chance.randint(0, 5_000)

    # --- what is written ---

    def _say(self, who: str, kind: str, second: int, body: dict[str, Any], *, run: int = 0, seq: int = 0) -> None:
        wall_ms = (START_S + second) * 1_000 + 400
        run = run or START_S * 1_000
        self.entries.append(Entry(who, run, seq, "", kind, wall_ms, wall_ms - run, body))

    def _open(self) -> None:
        s = self.scenario
        self._say("witness", "opened", 0, {"conversation": "evening", "doors_ms": START_S * 1_000 + 10_000,
                                           "starts_ms": (START_S + ONSET) * 1_000})  # fmt: skip
        each = {"joins_hz": s.joins_hz, "listeners": s.places, "egress_bps": 100_000_000}
        plan = {"capacity": {f"edge-{number + 1}": each for number in range(s.edges)}}
        self._say("witness", "registered_plan", 0, plan, seq=1)

    def _changes(self, second: int) -> None:
        for at, what, subject in self.scenario.changes:
            if at == second:
                self._say("cli", "change", second, {"what": what, "subject": subject, "by": "host", "text": ""})

    def _record(self, second: int, number: int, account: Account, hostile: int, external: float) -> None:
        s = self.scenario
        playing = len(account.playing)
        on = self.attack and s.begin <= second < s.end
        idle = round(1_000 * (s.idle - 1)) if on and s.idle > 1 else 2
        asked = max(1, account.did["asked_first_anonymous"])
        few = on and s.networks < 60 and hostile > 20
        limit = round(s.places * (s.limit if self.own else 1))
        now = {
            "playing": playing, "waiting": account.waiting, "connections": playing + idle + 5,
            "idle_connections": idle, "room": max(0, limit - playing), "strain_u": 0, "lag_us": 500,
            "sources": {
                "networks_v4": min(asked, 5_000) + (min(hostile, s.networks) if on else 0), "networks_v6": 3,
                "familiar_u": 100_000, "entropy_u": 350_000 if few else 960_000,

            },
            "dependencies": {"bus_us": 400 + round(3_000_000 * external), "bus_failures": account.failing},
        }  # fmt: skip
        reported = {"capacity": limit, "cadence_ms": 200}
        body = {"is": reported, "has": dict(account.has), "did": dict(account.did), "now": now}
        self._say(f"edge-{number + 1}", "record", second, body, run=account.run, seq=account.seq)
        account.seq += 1

    def _stage(self, second: int) -> None:
        s = self.scenario
        if s.silent and self.own and s.begin <= second < s.end:
            self._silent_frames += 50
        did = {"frames_made": 50 * (second + 1), "frames_late": 0, "silent_frames": self._silent_frames}
        did["ingest_gap_ms"] = 20 * self._silent_frames
        self._say("stage-1", "record", second, {"is": {"backlog_chunks": 0}, "did": did, "now": {}}, seq=second)


def truth(s: Scenario) -> tuple[float, dict[tuple[bool, ...], float]]:
    """The harm, and that of the same evening in each of the sixteen worlds."""
    there = (
        max(s.http, s.bots, s.syn, s.bandwidth, s.idle) > 0,
        s.peak > 0.8 or s.stampede > 0,
        s.fault > 0 or s.limit < 1 or s.silent,
        s.dependency > 0,
    )
    harms: dict[tuple[bool, ...], float] = {}
    for world in product((False, True), repeat=4):
        real = tuple(each and exists for each, exists in zip(world, there, strict=True))
        if real not in harms:
            harms[real] = Evening(s, real).harm
        harms[world] = harms[real]
    return harms[_ALL], harms


def shares(harms: Mapping[tuple[bool, ...], float]) -> dict[str, float]:
    """Shapley's, of the true harms; by orders and not by coalitions, as another way to the same numbers."""
    gains = dict.fromkeys(CAUSES, 0.0)
    for order in _orders(4):
        world = [False] * 4
        for cause in order:
            before = harms[tuple(world)]
            world[cause] = True
            gains[CAUSES[cause]] += (harms[tuple(world)] - before) / 24
    positive = {name: max(0.0, gain) for name, gain in gains.items()}
    whole = sum(positive.values())
    return {name: gain / whole if whole > 0.001 else 0.0 for name, gain in positive.items()}


def _orders(count: int) -> Iterator[tuple[int, ...]]:
    yield from (order for order in product(range(count), repeat=count) if len(set(order)) == count)


def label(harm: float, parts: Mapping[str, float]) -> str:
    if harm < 0.03:
        return "none"
    top = max(parts, key=lambda name: parts[name])
    return top if parts[top] >= 0.75 else "mixture"
