"""What an incident is made of, drawn from its kind and seed: the same for every re-run of it. Pure.

The evening is drawn from the seed alone, and each cause from the seed and its name: incidents of one seed are the
same evening with other causes, and share the worlds that they have in common.
"""

import random
from hashlib import sha256
from typing import Final, Literal

import msgspec

from rostra.core.errors import BadInputError
from rostra.rehearsal.incidents.causes import ABSORBED, CLASSES, CROWD, KINDS, NOTHING, REHEARSED

Point = Literal["calm", "usual", "full"]
# How much of what was rehearsed the people need who come in any case.
POINTS: Final[dict[Point, float]] = {"calm": 0.45, "usual": 0.7, "full": 0.9}
SECONDS: Final = 22.0
PATIENCE_S: Final = 10.0  # who has heard nothing by then is harmed
EARLY_S: Final = 0.0  # before anybody comes
_LINE_UP_KBPS: Final = 48  # of one seat: 16 kbit/s, its frames and headers, and as much again
_LINE_DOWN_KBPS: Final = 10  # of one seat: acknowledgements, and requests
_CORE_SHARE: Final = 0.08  # four times what an edge of 60 seats needs when nobody harms it


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One class, done from `at_s` for `for_s` to `edges`; `strength` 0 to 1, `variant` is the way it is done."""

    name: str
    at_s: float
    for_s: float
    strength: float
    variant: str = ""
    edges: tuple[int, ...] = ()


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """`people` come in any case, a `registered` share of them with a pass that they have had for long.

    `innocent` changes have no effect and `missing` evidence is not there, in every re-run.
    """

    kind: str
    seed: int
    point: Point
    edges: int
    seats: int  # of one edge: rehearsed
    core_share: float  # of one edge
    people: int
    registered: float
    surge: float  # the share of them who come within the second in which something happens
    onset_s: float
    seconds: float = SECONDS
    causes: tuple[Cause, ...] = ()
    innocent: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.seed}"

    @property
    def capacity(self) -> int:
        return self.edges * self.seats

    @property
    def line_kbps(self) -> tuple[int, int]:
        """Of one edge: to it, and from it."""
        return self.seats * _LINE_DOWN_KBPS, self.seats * _LINE_UP_KBPS

    @property
    def descriptors(self) -> int:
        return 3 * self.seats

    @property
    def world(self) -> str:
        """The digest of what happens, whatever it is called: equal ones need not be enacted twice."""
        return sha256(msgspec.json.encode(msgspec.structs.replace(self, kind=""))).hexdigest()[:16]

    def cause(self, name: str) -> Cause | None:
        return next((cause for cause in self.causes if cause.name == name), None)

    def chance(self, what: str) -> random.Random:
        """For one thing that is drawn, whatever else is."""
        return random.Random(f"{self.seed}/{what}")

    def only(self, names: frozenset[str]) -> "Recipe":
        """A re-run in which the other causes are not there. Of a crowd as many come as were rehearsed.

        That is what too many means, and what the verdict's replays leave of one.
        """
        crowd = self.cause(CROWD)
        left = tuple(cause for cause in self.causes if cause.name in names)
        if crowd is not None and CROWD not in names:
            left += (msgspec.structs.replace(crowd, name=REHEARSED),)
        return msgspec.structs.replace(self, causes=left)

    @property
    def there(self) -> frozenset[str]:
        """The causes of this re-run, by name."""
        return frozenset(cause.name for cause in self.causes if cause.name != REHEARSED)


def is_for_fitting(seed: int) -> bool:
    """Even seeds are for fitting, odd ones for testing. All kinds of a round share a seed, so none can leak."""
    return seed % 2 == 0


_VARIANTS: Final[dict[str, tuple[str, ...]]] = {
    "A1": ("junk",),
    "A2": ("without cookies", "without cookies", "with cookies"),
    "A3": ("one network", "thousands of networks", "thousands of networks", "thousands of networks, whole pages"),
    "A4": ("deaf", "hasty", "mimic"),
    "A5": ("slow headers", "silence"),
    "D1": ("surge",),
    "D2": ("no pause", "no pause, forgets its place"),
    "O1": ("killed", "killed, comes back", "hangs"),
    "O2": ("refuses", "forgets", "slow"),
    "O3": ("believes nobody", "believes nobody, on and off"),
    "O4": ("limit",),
    "O5": ("core", "line"),
    "O6": ("silent", "gone"),
    "X1": ("backbone", "backbone, on and off", "transit"),
}
_ABSORBED: Final = {"A2": ("with cookies",)}  # without, a few hundred packets fill what a kernel has room for
_AT_ALL_EDGES: Final = frozenset({"A4", "D1", "D2", "O6", "X1"})
_MAY_BE_EARLY: Final = frozenset(
    {"O2", "O3", "O5"}
)  # nobody notices yet; later, edges restart for half the evening
_IS_EARLY: Final = frozenset({"O4"})  # whoever is in stays in: a limit that comes later turns nobody away
_LASTS: Final = frozenset({"D1", "D2", "O2", "O3", "O4", "O5", "O6"})  # until the end
_WEAK: Final = 0.06  # an attack that is there and harms nobody
_INNOCENT: Final = ("limit", "deploy")
_MISSING: Final = ("witness", "edge")


def drawn(kind: str, seed: int) -> Recipe:
    """The incident of that kind and seed. BadInputError if there is no such kind."""
    if kind not in KINDS:
        raise BadInputError(f"There is no kind {kind!r}: choose of {', '.join(KINDS)}.")
    chance = random.Random(f"{seed}")
    # Not by parity, which is for fitting and testing.
    point = list(POINTS)[seed // 2 % len(POINTS)]
    edges = chance.choice((2, 2, 3))
    seats = chance.choice((40, 50, 60)) if edges == 2 else chance.choice((30, 40))
    evening = Recipe(
        kind=kind,
        seed=seed,
        point=point,
        edges=edges,
        seats=seats,
        core_share=_CORE_SHARE,
        people=round(edges * seats * POINTS[point]),
        registered=chance.uniform(0.3, 0.9),
        surge=chance.uniform(0.0, 0.3),
        onset_s=chance.uniform(5.0, 8.0),
        innocent=tuple(each for each in _INNOCENT if chance.random() < 0.15),
        missing=tuple(each for each in _MISSING if chance.random() < 0.08),
    )
    if kind == ABSORBED:
        name = random.Random(f"{seed}/{ABSORBED}").choice(("A1", "A2", "A3", "A4", "A5"))
        causes = [_cause(name, evening, weak=True)]
    else:
        causes = [_cause(name, evening) for name in kind.split("+") if name != NOTHING]
    return msgspec.structs.replace(evening, causes=tuple(causes))


def _cause(name: str, evening: Recipe, *, weak: bool = False) -> Cause:
    assert name in CLASSES
    chance, point, edges = evening.chance(f"{name} itself"), evening.point, evening.edges
    variant = chance.choice(_ABSORBED.get(name, _VARIANTS[name]) if weak else _VARIANTS[name])
    may_be_early = name in _MAY_BE_EARLY and "off" not in variant
    is_early = name in _IS_EARLY or (may_be_early and chance.random() < 0.75)
    at_s = EARLY_S if is_early else evening.onset_s + chance.uniform(-0.5, 1.0)
    # Where there is room a little harms nobody, and nothing would be learnt.
    everywhere = name in _AT_ALL_EDGES or chance.random() < 0.9 - POINTS[point] / 4
    some = sorted(chance.sample(range(1, edges + 1), chance.randint(1, edges - 1)))
    return Cause(
        name=name,
        at_s=at_s,
        for_s=SECONDS - at_s if name in _LASTS else min(SECONDS - at_s, chance.uniform(8.0, 13.0)),
        strength=_WEAK if weak else chance.uniform(0.8 - POINTS[point] / 2, 1.0),
        variant=variant,
        edges=tuple(range(1, edges + 1)) if everywhere else tuple(some),
    )
