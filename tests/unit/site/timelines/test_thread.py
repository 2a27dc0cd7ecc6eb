"""The order of a thread: each post before its answers, the oldest first."""

from hypothesis import given
from hypothesis import strategies as st

from rostra.site.timelines.thread import descend


def test_answers_come_right_below() -> None:
    parents = {2: 1, 3: 1, 4: 2, 5: 4, 6: 3, 9: 8}
    assert descend(1, parents, posts_max=100, depth_max=100) == [2, 4, 5, 3, 6]
    assert descend(1, parents, posts_max=100, depth_max=2) == [2, 4, 3, 6]
    assert descend(1, parents, posts_max=2, depth_max=100) == [2, 4]
    assert descend(5, parents, posts_max=100, depth_max=100) == []


@given(st.lists(st.integers(0, 30), max_size=40))
def test_every_post_comes_once_and_after_what_it_answers(answered: list[int]) -> None:
    parents = {number + 1: parent % (number + 1) for number, parent in enumerate(answered)}
    found = descend(0, parents, posts_max=100, depth_max=100)
    assert sorted(found) == sorted(parents)
    place = {each: index for index, each in enumerate([0, *found])}
    assert all(place[parents[each]] < place[each] for each in found)
