import random
from itertools import islice

import msgspec
import pytest

from rostra.core.errors import BadInputError
from rostra.rehearsal.incidents.campaign import plans
from rostra.rehearsal.incidents.causes import ABSORBED, CROWD, KINDS, MIXTURES, NOTHING, side
from rostra.rehearsal.incidents.guests import guests
from rostra.rehearsal.incidents.network import address
from rostra.rehearsal.incidents.people import Visit
from rostra.rehearsal.incidents.recipe import POINTS, Recipe, drawn, is_for_fitting

SEEDS = range(24)


def come(recipe: Recipe) -> list[Visit]:
    return guests(recipe, lambda chance: chance.randbytes(4).hex())


@pytest.mark.parametrize("kind", KINDS)
def test_an_incident_is_a_function_of_its_kind_and_seed(kind: str) -> None:
    for seed in SEEDS:
        assert drawn(kind, seed) == drawn(kind, seed)
        assert come(drawn(kind, seed)) == come(drawn(kind, seed))


@pytest.mark.parametrize("kind", KINDS)
def test_everything_happens_while_somebody_listens(kind: str) -> None:
    for seed in SEEDS:
        recipe = drawn(kind, seed)
        for cause in recipe.causes:
            assert 0 <= cause.at_s < recipe.seconds - 10
            assert cause.at_s + cause.for_s <= recipe.seconds
            assert set(cause.edges) <= set(range(1, recipe.edges + 1))
            assert cause.edges


def test_each_kind_is_at_every_operating_point_in_fitting_and_in_testing() -> None:
    for kind in KINDS:
        found = {(drawn(kind, seed).point, is_for_fitting(seed)) for seed in range(6)}
        assert found == {(point, split) for point in POINTS for split in (True, False)}


def test_a_campaign_has_all_kinds_of_a_seed_before_the_next() -> None:
    planned = list(islice(plans(2 * len(KINDS), 10, KINDS), None))
    assert [seed for _, seed in planned] == [10] * len(KINDS) + [11] * len(KINDS)
    assert len(set(planned)) == len(planned)


def test_a_rerun_differs_by_the_cause_that_is_removed_and_by_nothing_else() -> None:
    for seed in SEEDS:
        recipe = drawn("A3+D1", seed)
        without = recipe.only(frozenset({"D1"}))
        assert [cause.name for cause in without.causes] == ["D1"]
        assert msgspec.structs.replace(without, causes=recipe.causes) == recipe
        assert come(without) == come(recipe)


def test_without_too_many_as_many_come_as_were_rehearsed() -> None:
    for seed in SEEDS:
        recipe = drawn("A3+D1", seed)
        without = recipe.only(frozenset({"A3"}))
        assert without.there == {"A3"}
        assert set(come(without)) <= set(come(recipe))
        assert len(come(without)) == min(len(come(recipe)), round(0.9 * recipe.capacity))


def test_a_mixture_is_two_incidents_of_its_seed_at_once() -> None:
    for kind in MIXTURES:
        for seed in SEEDS:
            mixture = drawn(kind, seed)
            for name in kind.split("+"):
                shared = mixture.only(frozenset({name})).world == drawn(name, seed).world
                assert shared is (name == CROWD or CROWD not in kind)
            assert (mixture.only(frozenset()).world == drawn(NOTHING, seed).world) is (CROWD not in kind)
            assert mixture.world != drawn(kind, seed + 2).world


def test_nothing_has_no_cause_and_what_is_absorbed_is_an_attack() -> None:
    for seed in SEEDS:
        assert drawn(NOTHING, seed).causes == ()
        assert [side(cause.name) for cause in drawn(ABSORBED, seed).causes] == ["attack"]


def test_a_mixture_has_both_of_its_causes() -> None:
    for kind in MIXTURES:
        assert [cause.name for cause in drawn(kind, 3).causes] == kind.split("+")


def test_people_and_bots_come_from_different_parts_of_the_lab() -> None:
    visits = come(drawn("A4", 2))
    assert all(visit.source.startswith("100.") == (visit.style == "person") for visit in visits)
    assert any(visit.style != "person" for visit in visits)


def test_an_impatient_client_is_somebody_who_comes_in_any_case() -> None:
    recipe = drawn("D2", 4)
    impatient, patient = come(recipe), come(recipe.only(frozenset()))
    assert [visit.source for visit in impatient] == [visit.source for visit in patient]
    assert any(visit.again_s for visit in impatient)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(BadInputError, match="'A9'"):
        drawn("A9", 1)


def test_a_lab_is_nowhere_in_the_world() -> None:
    assert {address(number) for number in (1, 2, 3)} == {"192.0.2.5", "192.0.2.9", "192.0.2.13"}


def test_chances_of_one_thing_do_not_move_those_of_another() -> None:
    recipe = drawn("N", 1)
    recipe.chance("pauses").random()
    assert isinstance(recipe.chance("people"), random.Random)
    assert recipe.chance("people").random() == recipe.chance("people").random()
