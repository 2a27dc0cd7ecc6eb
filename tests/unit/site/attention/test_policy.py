"""The policy of notifications: the strictest answer counts, and some are always heard."""

import pytest

from rostra.site.attention.policy import Choice, Sender, decide

_FRIEND = Sender(is_followed=True, is_follower=True)


@pytest.mark.parametrize(
    ("choices", "sender", "expected"),
    [
        ({}, Sender(), "accept"),
        ({"for_not_following": "filter"}, Sender(), "filter"),
        ({"for_not_following": "filter"}, _FRIEND, "accept"),
        ({"for_not_following": "filter", "for_not_followers": "drop"}, Sender(), "drop"),
        ({"for_not_followers": "drop"}, _FRIEND, "accept"),
        ({"for_not_followers": "drop"}, Sender(is_staff=True), "accept"),
        ({"for_not_followers": "drop"}, Sender(is_permitted=True), "accept"),
        ({}, Sender(mentions_privately=True), "filter"),
        ({}, Sender(mentions_privately=True, is_followed=True), "accept"),
        ({}, Sender(is_limited=True), "filter"),
        ({"for_limited_accounts": "drop"}, Sender(is_limited=True), "drop"),
        ({"for_new_accounts": "filter"}, Sender(is_new=True), "filter"),
        ({"for_new_accounts": "filter"}, Sender(is_new=True, is_followed=True), "accept"),
    ],
)
def test_the_strictest_answer_that_applies_counts(
    choices: dict[str, Choice], sender: Sender, expected: Choice
) -> None:
    assert decide(choices, sender) == expected
