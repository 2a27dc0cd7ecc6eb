import numpy as np
import pytest

from rostra.audio.frame import Samples
from rostra.audio.hold_music import BAR_SAMPLES, BARS, LENGTH_SAMPLES, compose
from rostra.audio.hold_score import SECTION_BARS, SECTIONS, Chord, midi_of, parse_chord, voice_leading
from rostra.audio.instruments import Instrument, bass, celesta, felt, flute, frequency_hz, keys, strings, vibraphone
from rostra.audio.loudness import integrated_lufs
from rostra.audio.true_peak import to_db, true_peak
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ

CLICK = 12.0  # music stays below 7; a jump of 1 % of full scale measures more than 20


@pytest.fixture(scope="module")
def music() -> Samples:
    return compose(seed=7)


def clickiness(samples: Samples) -> float:
    """How far the sharpest bend of the curve stands out of its surroundings; the loop's seam included.

    The fourth difference hardly sees music (24 dB per octave below 24 kHz) and sees a jump whole. Each one is
    held against the RMS of its 20 ms.
    """
    bends = np.diff(np.concatenate((samples, samples[: FRAME_SAMPLES + 4])).astype(np.float64), 4)
    bends = bends[: len(bends) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    rms = np.sqrt(np.mean(bends**2, axis=1))
    return float((np.abs(bends).max(axis=1) / np.maximum(rms, 1e-6)).max())


def test_it_lasts_more_than_two_minutes_and_is_whole_frames(music: Samples) -> None:
    assert music.shape == (LENGTH_SAMPLES,)
    assert music.dtype == np.float32
    assert LENGTH_SAMPLES / SAMPLE_RATE_HZ >= 144
    assert LENGTH_SAMPLES % FRAME_SAMPLES == 0


def test_it_is_as_loud_as_the_programme_and_needs_no_limiter(music: Samples) -> None:
    assert integrated_lufs(music) == pytest.approx(-16.0, abs=0.5)
    assert to_db(true_peak(music)) <= -3.0


def test_it_is_never_mistaken_for_silence(music: Samples) -> None:
    around = np.concatenate((music, music[: 2 * SAMPLE_RATE_HZ])).astype(np.float64)
    window, step = SAMPLE_RATE_HZ * 2 // 5, SAMPLE_RATE_HZ // 50
    energy = np.concatenate(((0.0,), np.cumsum(around**2)))[::step]
    rms = np.sqrt((energy[window // step :] - energy[: -window // step]) / window)
    assert 20 * np.log10(rms.min()) > -45


def test_the_seam_is_an_ordinary_step_from_sample_to_sample(music: Samples) -> None:
    steps = np.abs(np.diff(music))
    assert abs(music[0] - music[-1]) <= np.quantile(steps, 0.99)


def test_it_has_no_clicks_and_a_planted_one_is_found(music: Samples) -> None:
    assert clickiness(music) < CLICK
    planted = music.copy()
    planted[3_000_000:] += np.float32(0.01)
    assert clickiness(planted) > 1.5 * CLICK
    torn = np.concatenate((music[: LENGTH_SAMPLES // 2], music[LENGTH_SAMPLES // 2 + 77 :]))
    assert clickiness(torn) > 1.5 * CLICK


def test_it_is_free_of_dc_and_of_what_a_phone_cannot_play(music: Samples) -> None:
    assert abs(float(music.mean(dtype=np.float64))) < 1e-4
    power = np.abs(np.fft.rfft(music)) ** 2
    hz = np.fft.rfftfreq(len(music), 1 / SAMPLE_RATE_HZ)
    share = [float(power[(hz >= low) & (hz < high)].sum() / power.sum()) for low, high in ((0, 100), (300, 3_400))]
    assert share[0] < 0.01
    assert share[1] > 0.5  # the band of a telephone carries most of it


def test_no_bar_of_it_comes_back_exactly(music: Samples) -> None:
    bars = music.reshape(BARS, BAR_SAMPLES).astype(np.float64)
    bars -= bars.mean(axis=1, keepdims=True)
    bars /= np.linalg.norm(bars, axis=1, keepdims=True)
    likeness = np.abs(bars @ bars.T)
    assert np.diag(likeness) == pytest.approx(1)
    assert likeness[~np.eye(BARS, dtype=bool)].max() < 0.9


def test_its_sections_differ_in_their_tones(music: Samples) -> None:
    """Shares of the twelve pitch classes per section: the middle section has tones that the first lacks."""
    sections = music.reshape(len(SECTIONS), -1)
    power = np.abs(np.fft.rfft(sections, axis=1)) ** 2
    hz = np.fft.rfftfreq(sections.shape[1], 1 / SAMPLE_RATE_HZ)
    band = (hz > 200) & (hz < 1_000)
    classes = np.round(12 * np.log2(hz[band] / 440)).astype(int) % 12
    chroma = np.array([np.bincount(classes, section[band], 12) for section in power])
    chroma /= np.linalg.norm(chroma, axis=1, keepdims=True)
    likeness = chroma @ chroma.T
    assert likeness[0, 2] < 0.8
    assert likeness[0, 1] > likeness[0, 2]


def test_equal_seeds_give_equal_music_and_others_another_playing(music: Samples) -> None:
    assert np.array_equal(compose(seed=7), music)
    other = compose(seed=8)
    assert not np.allclose(other, music, atol=0.01)
    assert integrated_lufs(other) == pytest.approx(-16.0, abs=0.5)
    assert to_db(true_peak(other)) <= -3.0
    assert clickiness(other) < CLICK


# --- score and instruments -------------------------------------------------------------------------


def test_chords_are_read_as_they_are_written() -> None:
    assert parse_chord("Gmaj9/D") == Chord(root=7, bass=2, tones=(11, 2, 6, 9))
    assert parse_chord("Bbmaj9") == Chord(root=10, bass=10, tones=(2, 5, 9, 0))
    assert parse_chord("F#m7") == Chord(root=6, bass=6, tones=(9, 1, 4, 6))
    assert [midi_of(name) for name in ("A4", "C4", "F#5", "Bb5")] == [69, 60, 78, 82]


def test_the_score_fills_every_bar_and_no_more() -> None:
    for section in SECTIONS:
        assert len(section.chords.split()) == len(section.melody) == SECTION_BARS
        assert len(section.figure_pattern) == 8
        for bar in section.melody:
            notes = [(float(beat), float(length)) for beat, _, length in (word.split(":") for word in bar.split())]
            ends = [beat + length for beat, length in notes]
            assert ends[-1] <= 4
            assert all(end <= beat for end, (beat, _) in zip(ends[:-1], notes[1:], strict=True))


def test_the_voices_sing_their_chords_and_move_little() -> None:
    chords = [parse_chord(symbol) for section in SECTIONS for symbol in section.chords.split()]
    centres = [section.centre for section in SECTIONS for _ in range(SECTION_BARS)]
    voicings = voice_leading(chords, centres)
    for chord, voicing in zip(chords, voicings, strict=True):
        assert sorted(midi % 12 for midi in voicing) == sorted(chord.tones)
        assert 52 <= voicing[0] <= voicing[-1] <= 76
    moves = np.abs(np.diff(np.array([*voicings, voicings[0]]), axis=0))
    assert moves.mean() < 2
    assert moves.max() <= 7


@pytest.mark.parametrize("instrument", [keys, felt, strings, bass, vibraphone, flute, celesta])
@pytest.mark.parametrize("length_s", [0.56, 1.6, 4.5])
def test_a_note_begins_and_ends_at_rest_and_has_its_pitch(instrument: Instrument, length_s: float) -> None:
    note = instrument(69, length_s)
    assert len(note) == round(length_s * SAMPLE_RATE_HZ)
    assert max(abs(note[0]), abs(note[-1])) < 1e-4
    assert np.abs(np.diff(note)).max() < 0.35
    assert 0.3 < np.abs(note).max() < 1.7
    power = np.abs(np.fft.rfft(note * np.hanning(len(note))))
    assert np.argmax(power) / length_s == pytest.approx(frequency_hz(69), rel=0.01)
