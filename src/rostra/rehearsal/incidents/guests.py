"""Who comes to an incident's evening, drawn from its recipe: people, a crowd that was not rehearsed, bots. Pure."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from rostra.rehearsal.incidents.causes import CROWD, REHEARSED
from rostra.rehearsal.incidents.people import Style, Visit
from rostra.rehearsal.incidents.recipe import PATIENCE_S, POINTS, Cause, Recipe

_FIRST_S: Final = 0.5
_NEIGHBOURS: Final = 0.3  # of the people share a network with somebody who has come
_LEAVE_SHARE: Final = 0.2
_STAY_S: Final = (5.0, 10.0)
_BOT_NETWORKS: Final = (4, 2_000)

Introduce = Callable[[random.Random], str]  # a pass of the site, for somebody whom it knows


def guests(recipe: Recipe, introduce: Introduce) -> list[Visit]:
    """All of them in the order in which they come."""
    chance = recipe.chance("people")
    last_s = recipe.seconds - PATIENCE_S - 1
    visits: list[Visit] = []
    for number in range(recipe.people):
        surges = number < recipe.surge * recipe.people
        at_s = recipe.onset_s + chance.random() if surges else chance.uniform(_FIRST_S, last_s)
        visits.append(_person(chance, recipe, at_s, introduce, [visit.source for visit in visits]))
    if (crowd := recipe.cause(CROWD)) is not None:
        visits += _crowd(recipe, crowd, introduce)
    elif (crowd := recipe.cause(REHEARSED)) is not None:
        rehearsed = sorted(_crowd(recipe, crowd, introduce), key=lambda visit: visit.at_s)
        visits += rehearsed[: max(0, round(POINTS["full"] * recipe.capacity) - recipe.people)]
    if (stampede := recipe.cause("D2")) is not None:
        visits = list(_impatient(recipe, stampede, visits))
    if (bots := recipe.cause("A4")) is not None:
        visits += _bots(recipe, bots)
    return sorted(visits, key=lambda visit: visit.at_s)


def _person(chance: random.Random, recipe: Recipe, at_s: float, introduce: Introduce, sources: list[str]) -> Visit:
    address = f"100.{chance.randrange(64, 128)}.{chance.randrange(256)}.{chance.randrange(1, 255)}"
    if sources and chance.random() < _NEIGHBOURS:
        address = f"{chance.choice(sources).rpartition('.')[0]}.{chance.randrange(1, 255)}"
    known = introduce(chance)
    return Visit(
        at_s,
        address,
        chance.randint(1, recipe.edges),
        known if chance.random() < recipe.registered else "",
        chance.uniform(*_STAY_S) if chance.random() < _LEAVE_SHARE else None,
    )


def _crowd(recipe: Recipe, cause: Cause, introduce: Introduce) -> Iterator[Visit]:
    """More of the same people: up to twice as many as there are places for, within seconds."""
    chance = recipe.chance(CROWD)
    over_s = chance.uniform(2.0, recipe.seconds - PATIENCE_S - 1 - cause.at_s)
    for _ in range(round(2 * cause.strength * recipe.capacity)):
        yield _person(chance, recipe, cause.at_s + chance.uniform(0, over_s), introduce, [])


def _impatient(recipe: Recipe, cause: Cause, visits: list[Visit]) -> Iterator[Visit]:
    """Some have a version of the player that asks for ever, and several times at once."""
    chance = recipe.chance(cause.name)
    again_s, asks = 0.5 - 0.4 * cause.strength, 8 + round(16 * cause.strength)
    for visit in visits:
        is_new = visit.at_s >= cause.at_s and chance.random() < 0.4 + 0.6 * cause.strength
        remembers = "forgets" not in cause.variant
        yield replace(visit, again_s=again_s, asks=asks, remembers=remembers) if is_new else visit


def _bots(recipe: Recipe, cause: Cause) -> Iterator[Visit]:
    chance = recipe.chance(cause.name)
    style: Style = "deaf" if cause.variant == "deaf" else "hasty" if cause.variant == "hasty" else "mimic"
    networks = round(_BOT_NETWORKS[0] * (_BOT_NETWORKS[1] / _BOT_NETWORKS[0]) ** chance.random())
    for _ in range(round(2.5 * cause.strength * recipe.capacity)):
        network = chance.randrange(networks)
        source = f"198.{18 + network // 256 % 2}.{network % 256}.{chance.randrange(1, 255)}"
        at_s = cause.at_s + chance.uniform(0.0, 3.0)
        yield Visit(at_s, source, chance.randint(1, recipe.edges), style=style)
