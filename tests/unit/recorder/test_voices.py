"""A journalist who asks why somebody sounded slurred gets an answer: where, when, how much."""

import pytest

from rostra.core.limits import RECORDING_TROUBLES_MAX
from rostra.core.units import SECOND_NS
from rostra.recorder.journal import Arrived, Conversing, Journal, Seated
from rostra.recorder.voices import voices

PATH = {"transport": "webrtc", "codec": "opus with redundancy", "sound": "clean"}
FRAMES = 250  # in the five seconds between two reports


def series(
    *concealed: int, hop: str = "gate", seat: str = "ann", since_ns: int = 1, **last: float
) -> list[Arrived]:
    """Reports each 5 s, with so many frames missing in between; `last` are further counts of the last one."""
    reports, missing = list[Arrived](), 0
    for number, more in enumerate((0, *concealed)):
        missing += more
        came = number * FRAMES - missing
        counts = {"received": came, "concealed": missing} if hop == "gate" else {"frames": came, "lost": missing}
        if number == len(concealed):
            counts |= last
        at_ns, seq = number * 5 * SECOND_NS, 100 + number * 50
        reports.append(Arrived(at_ns, seq, hop, seat, since_ns, PATH if hop == "gate" else {}, dict(counts)))
    return reports


def journal(*arrivals: list[Arrived], language: str = "en") -> Journal:
    conversation = Conversing(0, "evening", "Evening", 0, 0, "UTC", language, "ended")
    names = {"ann": "Ann B."}
    heard = [Seated(0, 100, ["ann"]), Seated(0, 110, ["ann", "radio"])]
    told = [each for reports in arrivals for each in reports]
    return Journal(conversation, seats=heard, names=names, arrivals=told)


def test_a_voice_that_came_whole_is_said_to_have() -> None:
    (ann,) = voices(journal(series(0, 0, 0), series(0, 0, 0, hop="stage")), first=100)
    assert ann.name == "Ann B."
    assert ann.troubles == []
    assert ann.sentence == (
        "Ann B. spoke from a browser (opus with redundancy). Of what was sent 0.0 % was lost or late on the way to "
        "us; 0.0 % of the sound could not be restored and was filled in. Noise was suppressed by the browser, the "
        "level evened here. Nothing was lost on our side."
    )
    assert [(hop.hop, hop.from_s, hop.to_s) for hop in ann.hops] == [("gate", 0.0, 15.0), ("stage", 0.0, 15.0)]


def test_a_slurred_stretch_is_found_on_its_hop_and_told_with_its_place_in_the_replay() -> None:
    (ann,) = voices(journal(series(0, 25, 25, 0), series(0, 0, 0, 0, hop="stage")), first=50)
    (trouble,) = ann.troubles
    assert (trouble.hop, trouble.at_s, trouble.seconds, trouble.percent) == ("gate", 10.0, 10.0, 10.0)
    assert "Worst at 0:00:10, for 10 s: 10 % missing." in ann.sentence


def test_what_was_lost_on_our_side_is_said_to_be_ours() -> None:
    (ann,) = voices(journal(series(0, 0), series(0, 100, hop="stage")), first=100)
    assert "2.0 s were lost on our side." in ann.sentence
    assert [trouble.hop for trouble in ann.troubles] == ["stage"]


@pytest.mark.parametrize(("missing", "told"), [(7, False), (8, True)])
def test_below_what_is_heard_nothing_is_told(missing: int, *, told: bool) -> None:
    (ann,) = voices(journal(series(missing)), first=100)
    assert bool(ann.troubles) is told


def test_the_silence_after_hanging_up_is_no_trouble_and_a_stall_in_mid_word_is() -> None:
    hung_up, stalled = series(0, 0, starved=50), series(0, 0, 0)
    stalled[1:] = [
        Arrived(each.at_ns, each.seq, "gate", "ann", 1, PATH, each.counts | {"starved": 50}) for each in stalled[1:]
    ]
    assert voices(journal(hung_up), first=100)[0].troubles == []
    assert [trouble.at_s for trouble in voices(journal(stalled), first=100)[0].troubles] == [0.0]


def test_a_connection_that_broke_and_came_again_is_two_of_one_voice() -> None:
    (ann,) = voices(journal(series(0), series(25, since_ns=2)), first=100)
    assert len(ann.hops) == 2
    assert "5.0 %" in ann.sentence


def test_a_telephone_an_overdriven_microphone_a_feed_and_the_mix_are_told_in_either_language() -> None:
    call = series(0, clipped=100)
    call[-1] = Arrived(
        1, 150, "gate", "ann", 1, {"transport": "telephone", "codec": "PCMA", "sound": "raw"}, call[-1].counts
    )
    mix = Arrived(1, 150, "mix", "", 1, {}, {"frames": 1_000, "limited": 50, "limited_max_db": 3.2})
    feed = series(0, hop="stage", seat="radio")
    told = voices(journal(call, feed, [mix], language="nl"), first=100)
    assert [account.seat for account in told] == ["ann", "radio", ""]
    assert told[0].sentence.startswith("Ann B. sprak per telefoon (PCMA).")
    assert "2.0 s overstuurd" in told[0].sentence
    assert told[1].sentence == "radio was een toevoer. Aan onze kant is niets verloren gegaan."
    assert told[2].sentence == "De mix van alle stemmen is in 5.0 % van de tijd teruggenomen, hooguit 3.2 dB."


def test_who_only_waited_behind_the_stage_is_not_told_of() -> None:
    assert voices(journal(series(0, seat="bob")), first=100) == []


def test_of_many_troubles_the_worst_are_kept_in_their_order() -> None:
    (ann,) = voices(journal(series(*[25, 0] * 30, 100, 0, *[25, 0] * 10)), first=100)
    assert len(ann.troubles) == RECORDING_TROUBLES_MAX
    assert max(ann.troubles, key=lambda each: each.percent).percent == 40.0
    assert ann.troubles == sorted(ann.troubles, key=lambda each: each.at_s)
