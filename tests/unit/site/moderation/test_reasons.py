"""Facts are published: what names somebody is refused, what does not is taken."""

import pytest

from rostra.site.answers import RefusedError
from rostra.site.moderation.reasons import check_names_nobody

NAMES = ["ann", "Ann de Wit"]


@pytest.mark.parametrize(
    "facts",
    [
        "The user @ann wrote it.",
        "See @somebody.",
        "ANN wrote it.",
        "It was Ann de Wit.",
        "Write to ann@example.com.",
        "a.b+c@mail.example",
    ],
)
def test_facts_that_name_somebody_are_refused(facts: str) -> None:
    with pytest.raises(RefusedError, match="must not name anybody"):
        check_names_nobody(facts, NAMES)


@pytest.mark.parametrize(
    "facts", ["A post called another person a liar.", "An annual report was faked.", "It cost 5 @ 3.", "Planning"]
)
def test_facts_that_name_nobody_are_taken(facts: str) -> None:
    check_names_nobody(facts, NAMES)
    check_names_nobody(facts, ["a", ""])
