"""What a caller is told is there in every language, and loud enough for a telephone."""

import numpy as np
import pytest

from rostra.audio.g711 import G711Encoder, Law, expand
from rostra.audio.loudness import integrated_lufs
from rostra.audio.prompts import TEXTS, Prompt, load
from rostra.core.errors import BadInputError
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_every_prompt_is_spoken_and_as_loud_as_the_programme(language: str) -> None:
    prompts = load(language)
    assert set(prompts) == set(TEXTS[language]) == set(Prompt)
    for prompt, samples in prompts.items():
        assert integrated_lufs(samples) == pytest.approx(-16.0, abs=0.5), prompt
        heard = np.flatnonzero(np.abs(samples) > 0.01)
        assert 7 < len(TEXTS[language][prompt]) / ((heard[-1] - heard[0]) / SAMPLE_RATE_HZ) < 24, prompt
    assert len({samples.tobytes() for samples in prompts.values()}) == len(Prompt)


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_a_prompt_is_still_loud_where_only_the_telephones_band_is_left(language: str) -> None:
    for prompt, samples in load(language).items():
        whole = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
        encoder = G711Encoder(Law.A)
        heard = expand(b"".join(encoder.encode(frame) for frame in whole), Law.A)
        assert 10 * np.log10(float(np.mean(heard**2))) > -26, prompt


def test_a_language_that_nobody_speaks_here_is_refused() -> None:
    with pytest.raises(BadInputError):
        load("fr")
