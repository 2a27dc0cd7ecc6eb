"""Many incidents: their worlds, some at once and none twice; what was disturbed is thrown away."""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

import msgspec

from rostra.core.errors import RostraError
from rostra.rehearsal.incidents.enactment import Course
from rostra.rehearsal.incidents.network import inside, namespace
from rostra.rehearsal.incidents.recipe import Recipe, drawn, is_for_fitting
from rostra.rehearsal.incidents.truth import World, classes, is_disturbed, label, shares, worlds
from rostra.rehearsal.quota import quota

TRUTH: Final = "truth.json"
BUNDLE: Final = "bundle.tar.xz"
WORLDS: Final = "worlds"  # in a campaign's folder: what incidents share
_COURSE: Final = "course.json"
# Our own clock that late one time in a hundred: edges are as late then, and listeners hear it.
LAG_MAX_S: Final = 0.25
_VERSION: Final = 1
_WORLD_S: Final = 180.0
TAKES_S: Final = 34.0  # a world without restarts
_TRIES: Final = 2  # of a world: what disturbed it may have been a neighbour's short work
_MICRO: Final = 1_000_000


class Orders(msgspec.Struct, frozen=True):
    """Enact `recipe` in `folder`; the ledger goes to `bundle`. `outside` must not be touched."""

    recipe: Recipe
    folder: str
    cache: str
    outside: int
    quotas: bool
    bundle: str


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """What really happened, in whole numbers: shares of people in millionths, by each world's causes.

    `split` is `fit` or `test`; `present` are the causes that were there, `classes` those that mattered.
    """

    version: int
    kind: str
    seed: int
    split: str
    point: str
    label: str
    classes: list[str]
    present: list[str]
    harm_u: int
    shares_u: dict[str, int]
    worlds_u: dict[str, int]
    people: int
    harms: dict[str, int]
    began_ms: int
    onset_ms: int | None
    ends_ms: int
    recipe: Recipe
    strain: list[dict[str, int]]
    quotas: bool
    refused: dict[str, int]


class Tally(msgspec.Struct):
    """How far a campaign is."""

    made: int = 0
    there: int = 0
    disturbed: int = 0
    failed: int = 0


def plans(count: int, seed: int, kinds: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Kind and seed of each: all kinds of one seed, then of the next, so that every kind has both parities."""
    for number in range(count):
        yield kinds[number % len(kinds)], seed + number // len(kinds)


@dataclass(frozen=True, slots=True)
class _Stand:
    """Where worlds are enacted, and by what; `folder` is where those that succeeded are kept."""

    folder: Path
    command: Sequence[str]
    cache: Path
    quotas: bool
    turn: "_Turn"


class _Turn:
    """Worlds begin one after the other: while it starts one takes a core, and later a third of it."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._next_s = 0.0
        self._lock = Lock()

    def wait(self) -> None:
        with self._lock:
            pause_s = self._next_s - time.monotonic()
            if pause_s > 0:
                time.sleep(pause_s)
            self._next_s = time.monotonic() + self._every_s


def campaign(
    wanted: Sequence[tuple[str, int]],
    out: Path,
    *,
    parallel: int,
    command: Sequence[str],
    cache: Path,
    on_progress: Callable[[Tally, str], object],
    takes_s: float = TAKES_S,
) -> Tally:
    """Make what is not there yet. BadInputError if this machine cannot; RostraError never ends a campaign.

    `command` starts a world, which `takes_s`; it is put into namespaces of its own.
    """
    stand = _Stand(out / WORLDS, inside(command), cache, has_quotas(), _Turn(takes_s / parallel))
    stand.folder.mkdir(parents=True, exist_ok=True)
    incidents = [drawn(kind, seed) for kind, seed in wanted]
    todo = {recipe.name: recipe for recipe in incidents if not (out / recipe.name / TRUTH).exists()}
    tally = Tally(there=len(incidents) - len(todo))
    # The few causes first: what has none shows whether the machine is quiet enough.
    needed = {
        world.world: world
        for recipe in todo.values()
        for world in sorted(_worlds(recipe), key=lambda w: len(w.causes))
    }
    courses: dict[str, Course | RostraError] = {}
    with ThreadPoolExecutor(parallel, "world") as pool:
        running = {pool.submit(_tried, recipe, stand): name for name, recipe in needed.items()}
        for done in as_completed(running):
            try:
                courses[running[done]] = done.result()
            except RostraError as error:
                courses[running[done]] = error
            for recipe in list(todo.values()):
                found = [courses.get(world.world) for world in _worlds(recipe)]
                if None not in found:
                    del todo[recipe.name]
                    on_progress(tally, _concluded(recipe, courses, stand, out, tally))
    return tally


def _worlds(recipe: Recipe) -> list[Recipe]:
    """Its re-runs, and itself."""
    return [recipe.only(world) for world in worlds([cause.name for cause in recipe.causes])]


def _concluded(
    recipe: Recipe, courses: Mapping[str, Course | RostraError], stand: _Stand, out: Path, tally: Tally
) -> str:
    """Keep the incident whose worlds have all been; the words about it."""
    mine: dict[World, Course] = {}
    for world in _worlds(recipe):
        match courses[world.world]:
            case DisturbedError() as error:
                tally.disturbed += 1
                return f"{recipe.name} was disturbed: {error}"
            case RostraError() as error:
                tally.failed += 1
                return f"{recipe.name} failed: {error}"
            case Course() as course:
                mine[world.there] = course
    truth = _truth(recipe, mine)
    with tempfile.TemporaryDirectory(dir=stand.folder) as made:
        shutil.copy(stand.folder / recipe.world / BUNDLE, made)
        (Path(made) / TRUTH).write_bytes(msgspec.json.format(msgspec.json.encode(truth), indent=1))
        shutil.copytree(made, out / recipe.name)
    tally.made += 1
    return f"{recipe.name} is {truth.label}, {truth.harm_u / 10_000:.0f} % harmed"


def has_quotas() -> bool:
    """Whether this machine lets us give processes a share of a core."""
    try:
        with quota(f"rostra-{secrets.token_hex(4)}"):
            return True
    except OSError:
        return False


class DisturbedError(RostraError):
    """The machine itself disturbed a world: it shows nothing."""


def _tried(recipe: Recipe, stand: _Stand) -> Course:
    """One world, kept if it succeeds. RostraError with its last words if it fails; DisturbedError."""
    kept = stand.folder / recipe.world
    if kept.exists():
        return msgspec.json.decode((kept / _COURSE).read_bytes(), type=Course)
    for _ in range(_TRIES):
        with tempfile.TemporaryDirectory(prefix="rostra-world-") as folder:
            made = Path(folder) / recipe.world
            made.mkdir()
            stand.turn.wait()
            course = _enact(recipe, Path(folder) / "system", made / BUNDLE, stand)
            harm_of_nothing = 0.0 if recipe.causes else course.harm
            if not is_disturbed(harm_of_nothing, [course.strain.lag_p99_s], lag_max_s=LAG_MAX_S):
                (made / _COURSE).write_bytes(msgspec.json.encode(course))
                shutil.move(made, kept)
                return course
    late_s = course.strain.lag_p99_s
    raise DisturbedError(f"{harm_of_nothing:.0%} harmed by nothing, our clock {late_s:.2f} s late.")


def _enact(recipe: Recipe, folder: Path, bundle: Path, stand: _Stand) -> Course:
    folder.mkdir()
    orders = Orders(recipe, str(folder), str(stand.cache), namespace(), stand.quotas, str(bundle))
    try:
        done = subprocess.run(
            stand.command,
            input=msgspec.json.encode(orders) + b"\n",
            capture_output=True,
            timeout=_WORLD_S,
            check=False,
            env={name: value for name, value in os.environ.items() if not name.startswith("ROSTRA_")},
        )
    except subprocess.TimeoutExpired as error:
        raise RostraError(f"{recipe.name} did not end within {_WORLD_S:.0f} s.") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise RostraError(said[-1] if said else f"it ended with {done.returncode}")
    return msgspec.json.decode(done.stdout, type=Course)


def _truth(recipe: Recipe, courses: dict[World, Course]) -> Truth:
    harm = {world: course.harm for world, course in courses.items()}
    whole = max(courses, key=len)
    course = courses[whole]
    given = shares(harm) if whole else {}
    return Truth(
        version=_VERSION,
        kind=recipe.kind,
        seed=recipe.seed,
        split="fit" if is_for_fitting(recipe.seed) else "test",
        point=recipe.point,
        label=label(course.harm, given),
        classes=classes(course.harm, given),
        present=sorted(whole),
        harm_u=_micro(course.harm),
        shares_u={cause: _micro(share) for cause, share in given.items()},
        worlds_u={"+".join(sorted(world)): _micro(each) for world, each in harm.items()},
        people=len(course.fates),
        harms=dict(Counter(fate.harm for fate in course.fates if fate.harm)),
        began_ms=course.began_ms,
        onset_ms=min((course.began_ms + round(1_000 * cause.at_s) for cause in recipe.causes), default=None),
        ends_ms=course.began_ms + round(1_000 * recipe.seconds),
        recipe=recipe,
        strain=[_strain(each) for each in courses.values()],
        quotas=course.quotas,
        refused=course.refused,
    )


def _strain(course: Course) -> dict[str, int]:
    felt = course.strain
    return {
        "cpu_some_u": round(felt.cpu_some_us / felt.seconds),
        "cpu_full_u": round(felt.cpu_full_us / felt.seconds),
        "lag_p99_us": _micro(felt.lag_p99_s),
        "took_ms": round(1_000 * course.took_s),
    }


def _micro(value: float) -> int:
    return round(value * _MICRO)
