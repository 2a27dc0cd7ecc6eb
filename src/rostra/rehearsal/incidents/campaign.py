"""Many incidents, some at once: each in all its worlds; what was disturbed is thrown away."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
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
# Our own clock that late one time in a hundred: edges are as late then, and listeners hear it.
LAG_MAX_S: Final = 0.25
_VERSION: Final = 1
_WORLD_S: Final = 180.0
_MICRO: Final = 1_000_000


class Orders(msgspec.Struct, frozen=True):
    """Enact `recipe` in `folder`; the ledger goes to `bundle`, if it is named. `outside` must not be touched."""

    recipe: Recipe
    folder: str
    cache: str
    outside: int
    quotas: bool
    bundle: str = ""


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


def campaign(
    wanted: Sequence[tuple[str, int]],
    out: Path,
    *,
    parallel: int,
    command: Sequence[str],
    cache: Path,
    on_progress: Callable[[Tally, str], object],
) -> Tally:
    """Make what is not there yet. BadInputError if this machine cannot; RostraError never ends a campaign.

    `command` starts a world; it is put into namespaces of its own.
    """
    command = inside(command)
    quotas = has_quotas()
    tally = Tally()
    out.mkdir(parents=True, exist_ok=True)
    todo = [(kind, seed) for kind, seed in wanted if not (out / f"{kind}-{seed}" / TRUTH).exists()]
    tally.there = len(wanted) - len(todo)
    with ThreadPoolExecutor(parallel, "incident") as pool:
        running = {
            pool.submit(
                _incident, drawn(kind, seed), out, command=command, cache=cache, quotas=quotas
            ): f"{kind}-{seed}"
            for kind, seed in todo
        }
        for done in as_completed(running):
            name = running[done]
            try:
                truth = done.result()
            except RostraError as error:
                tally.failed += 1
                on_progress(tally, f"{name} failed: {error}")
                continue
            if truth is None:
                tally.disturbed += 1
                on_progress(tally, f"{name} was disturbed")
            else:
                tally.made += 1
                on_progress(tally, f"{name} is {truth.label}, {truth.harm_u / 10_000:.0f} % harmed")
    return tally


def has_quotas() -> bool:
    """Whether this machine lets us give processes a share of a core."""
    try:
        with quota(f"rostra-{secrets.token_hex(4)}"):
            return True
    except OSError:
        return False


def _incident(recipe: Recipe, out: Path, *, command: Sequence[str], cache: Path, quotas: bool) -> Truth | None:
    """One incident in all its worlds; None if the machine itself disturbed it."""
    causes = [cause.name for cause in recipe.causes]
    courses: dict[World, Course] = {}
    with tempfile.TemporaryDirectory(prefix="rostra-incident-") as folder:
        made = Path(folder) / recipe.name
        made.mkdir()
        # Without any cause first: if somebody is harmed then, the machine has too much to do.
        for world in sorted(worlds(causes), key=len):
            bundle = made / BUNDLE if len(world) == len(causes) else None
            course = _enact(recipe.only(world), Path(folder), bundle, command=command, cache=cache, quotas=quotas)
            harm_of_nothing = course.harm if not world else 0.0
            if is_disturbed(harm_of_nothing, [course.strain.lag_p99_s], lag_max_s=LAG_MAX_S):
                return None
            courses[world] = course
        truth = _truth(recipe, courses)
        (made / TRUTH).write_bytes(msgspec.json.format(msgspec.json.encode(truth), indent=1))
        shutil.move(made, out / recipe.name)
    return truth


def _enact(
    recipe: Recipe, folder: Path, bundle: Path | None, *, command: Sequence[str], cache: Path, quotas: bool
) -> Course:
    """One world. RostraError with its last words if it fails."""
    with tempfile.TemporaryDirectory(prefix="world-", dir=folder) as world:
        orders = Orders(recipe, world, str(cache), namespace(), quotas, str(bundle or ""))
        try:
            done = subprocess.run(
                command,
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
