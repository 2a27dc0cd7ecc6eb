import msgspec
import pytest

from rostra.core.claims import UNCLAIMED, doubt, warning
from rostra.core.messages import Part
from verdicts import OWN_FAULT


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ("attack", "claimed: attack; evidence so far: limited; part in the harm: 0-2 %; verdict: own (firm)"),
        ("dependency", "claimed: dependency; part in the harm: 0-2 %; verdict: own (firm)"),
        ("none", "claimed: none; verdict: own (firm)"),
        ("own", ""),
        ("", ""),
    ],
)
def test_what_claims_more_than_the_evidence_shows_is_warned_of(claims: str, expected: str) -> None:
    assert warning(claims, OWN_FAULT) == expected


def test_without_a_verdict_no_cause_can_be_claimed_unwarned() -> None:
    assert warning("own", None) == "claimed: own; evidence so far: none"
    assert warning("none", None) == ""


def test_strong_signals_against_an_attack_are_no_evidence_for_one() -> None:
    against = msgspec.structs.replace(OWN_FAULT, word="strong", decibans=-35)
    assert "evidence so far: none;" in warning("attack", against)


@pytest.mark.parametrize("text", ["A massive DDoS!", "We worden aangevallen.", "DDoS-aanval", "We were HACKED"])
def test_words_of_an_attack_without_a_choice_are_asked_about_once(text: str) -> None:
    assert doubt(text, "", OWN_FAULT, seen="") == UNCLAIMED
    assert doubt(text, "", OWN_FAULT, seen=UNCLAIMED) == ""


@pytest.mark.parametrize("text", ["The train is late.", "Dosering", "attackiert", "De aanvang is om acht uur."])
def test_other_words_are_not(text: str) -> None:
    assert doubt(text, "", None, seen="") == ""


def test_who_has_seen_another_warning_sees_the_new_one() -> None:
    seen = warning("attack", OWN_FAULT)
    assert doubt("", "attack", OWN_FAULT, seen=seen) == ""
    later = msgspec.structs.replace(OWN_FAULT, causes=OWN_FAULT.causes | {"attack": Part(50_000, 0, 90_000)})
    assert doubt("", "attack", later, seen=seen) == warning("attack", later) != ""
