import fcntl
import io
import os
import socket
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest

from rostra.audio.recordings import two_cities
from rostra.audio.source import frames_from
from rostra.core.errors import SourceError


def tone(rate_hz: int, seconds: float, hz: float = 440, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * hz * np.arange(round(rate_hz * seconds)) / rate_hz)


def wav(samples: np.ndarray, rate_hz: int, width: int = 2) -> bytes:
    """`samples`, shape (n,) or (n, channels), as a RIFF file of 8 or 16 bit."""
    scaled = {1: lambda x: (x * 127 + 128).astype("u1"), 2: lambda x: (x * 32_767).astype("<i2")}[width](samples)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(scaled.tobytes())
    return buffer.getvalue()


def encoded(codec: str, container: str, sample_format: str, layout: str, planar: np.ndarray, rate_hz: int) -> bytes:
    """`planar`, shape (channels, n), written by FFmpeg's own muxer."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate_hz)
        stream.layout = layout
        stream.format = sample_format
        size = stream.codec_context.frame_size or 1_024
        for start in range(0, planar.shape[1] - size + 1, size):
            block = np.ascontiguousarray(planar[:, start : start + size])
            data = block if sample_format.endswith("p") else block.T.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(data), format=sample_format, layout=layout)
            frame.sample_rate, frame.pts = rate_hz, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def read(source: str | io.BufferedIOBase | io.RawIOBase, **options: object) -> np.ndarray:
    frames = list(frames_from(source, **options))  # type: ignore[arg-type]
    assert all(frame.shape == (960,) and frame.dtype == np.float32 for frame in frames)
    return np.concatenate(frames)


def pitch_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * 48_000 / len(samples))


def test_the_bundled_recording_is_read_whole() -> None:
    samples = read(str(two_cities()))
    assert len(samples) == pytest.approx(44.4 * 48_000, abs=4_800)
    assert 0.05 < np.abs(samples).max() <= 1


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("width", [1, 2])
def test_any_rate_and_width_keeps_pitch_level_and_length(rate_hz: int, width: int) -> None:
    samples = read(io.BytesIO(wav(tone(rate_hz, 1.0), rate_hz, width)))
    assert len(samples) == pytest.approx(48_000, abs=960)
    middle = samples[9_600:38_400]
    assert pitch_hz(middle) == pytest.approx(440, abs=2)
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("channels", [2, 3, 4, 5, 6, 7, 8])
def test_full_scale_in_all_channels_is_full_scale_in_one_and_no_more(channels: int) -> None:
    # libswresample's own default would make 1.27 of this stereo, and clipping of it.
    full = np.repeat(tone(48_000, 0.5, level=0.9)[:, np.newaxis], channels, axis=1)
    samples = read(io.BytesIO(wav(full, 48_000)))
    # Low-frequency channels are left out of a downmix, so some layouts come out a little softer.
    assert 0.6 < np.abs(samples).max() <= 0.91


def test_51_in_a_lossy_codec_is_mixed_to_one_channel() -> None:
    planar = np.tile(tone(44_100, 1.0).astype(np.float32), (6, 1))
    samples = read(io.BytesIO(encoded("aac", "adts", "fltp", "5.1", planar, 44_100)))
    assert len(samples) == pytest.approx(48_000, abs=4_800)
    assert pitch_hz(samples[9_600:38_400]) == pytest.approx(440, abs=2)


def test_nan_and_infinities_in_a_float_file_are_silence_and_do_not_spread() -> None:
    sound = tone(44_100, 1.0).astype(np.float32)
    sound[10_000:10_010] = np.nan
    sound[20_000] = np.inf
    sound[30_000] = 1e30
    samples = read(io.BytesIO(encoded("pcm_f32le", "wav", "flt", "mono", sound[np.newaxis], 44_100)))
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1
    clean = read(
        io.BytesIO(
            encoded("pcm_f32le", "wav", "flt", "mono", tone(44_100, 1.0).astype(np.float32)[np.newaxis], 44_100)
        )
    )
    assert np.count_nonzero(np.abs(samples - clean) > 0.01) < 400


def test_the_last_frame_is_padded_with_silence() -> None:
    samples = read(io.BytesIO(wav(np.full(1_000, 0.5), 48_000)))
    assert len(samples) == 1_920
    assert samples[:1_000] == pytest.approx(0.5, abs=1e-3)
    assert not samples[1_000:].any()


def test_a_missing_file_is_told_by_its_name() -> None:
    with pytest.raises(SourceError, match=r"There is no file .*nowhere.wav: check the path\."):
        read("/tmp/nowhere.wav")  # noqa: S108


def test_a_folder_is_told_to_be_unreadable(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"is a directory|cannot be read|no sound"):
        read(str(tmp_path))


@pytest.mark.parametrize(
    "garbage", [b"", b"\0" * 5_000, b"<html>no sound here</html>" * 100, np.random.default_rng(7).bytes(3_000)]
)
def test_what_is_no_sound_is_told_in_one_sentence(garbage: bytes) -> None:
    with pytest.raises(SourceError, match=r"^[^\n]+\.$"):
        read(io.BytesIO(garbage))


def test_a_film_without_sound_is_told_to_have_no_audio_stream() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as output:
        stream = output.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            picture = av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), format="yuv420p")
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    with pytest.raises(SourceError, match="no audio stream"):
        read(io.BytesIO(buffer.getvalue()))


def test_a_header_without_samples_is_told_to_hold_no_sound() -> None:
    with pytest.raises(SourceError, match="no sound"):
        read(io.BytesIO(wav(np.zeros(0), 48_000)))


def test_damage_in_the_middle_is_skipped() -> None:
    mp3 = bytearray(
        encoded(
            "libmp3lame", "mp3", "s16p", "mono", (tone(44_100, 4.0) * 32_767).astype(np.int16)[np.newaxis], 44_100
        )
    )
    third = len(mp3) // 3
    mp3[third : third + 600] = b"\xff" * 600
    samples = read(io.BytesIO(bytes(mp3)))
    assert len(samples) == pytest.approx(4 * 48_000, abs=12_000)
    assert pitch_hz(samples[-48_000:-9_600]) == pytest.approx(440, abs=3)


@contextmanager
def silent_server(first_bytes: bytes) -> Iterator[str]:
    """A server that accepts, answers with `first_bytes` and then keeps silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4_096)
                connection.sendall(first_bytes)
                done.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://name:secret@127.0.0.1:{server.getsockname()[1]}/live"
        finally:
            done.set()
            thread.join()


def test_a_server_that_answers_nothing_is_told_to_have_stalled() -> None:
    with silent_server(b"") as url, pytest.raises(SourceError, match=r"Nothing came from .* for 0.3 s") as told:
        read(url, stall_timeout_s=0.3)
    assert "secret" not in str(told.value)


def test_a_radio_that_falls_silent_in_the_middle_is_told_after_its_sound_was_given() -> None:
    head = b"HTTP/1.0 200 OK\r\nContent-Type: audio/wav\r\n\r\n"
    heard = []
    with silent_server(head + wav(tone(48_000, 2.0), 48_000)[:150_000]) as url:
        frames = frames_from(url, stall_timeout_s=0.5)
        with pytest.raises(SourceError, match="Nothing came"):
            heard.extend(map(np.copy, iter(frames)))
    assert len(heard) > 60


def test_a_refused_connection_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SourceError, match="cannot be read"):
        read(f"http://127.0.0.1:{port}/live")


def test_a_file_that_is_still_being_written_is_followed(tmp_path: Path) -> None:
    whole = wav(tone(48_000, 2.0), 48_000)
    path = tmp_path / "growing.wav"
    path.write_bytes(whole[:50_000])
    written = 50_000

    def write_more() -> bool:
        nonlocal written
        with path.open("ab") as file:
            file.write(whole[written : written + 30_000])
        written += 30_000
        return written < len(whole) + 30_000

    samples = read(str(path), wait=write_more)
    assert len(samples) == 2 * 48_000
    assert samples[:48_000] == pytest.approx(tone(48_000, 1.0), abs=1e-3)


@pytest.mark.parametrize("container", ["wav", "mp3", "ogg", "flac"])
def test_a_pipe_sounds_before_it_ends(container: str) -> None:
    sound = tone(48_000, 4.0)
    made = {
        "wav": lambda: wav(sound, 48_000),
        "mp3": lambda: encoded(
            "libmp3lame", "mp3", "s16p", "mono", (sound * 32_767).astype(np.int16)[np.newaxis], 48_000
        ),
        "ogg": lambda: encoded("libopus", "ogg", "flt", "mono", sound.astype(np.float32)[np.newaxis], 48_000),
        "flac": lambda: encoded(
            "flac", "flac", "s16", "mono", (sound * 32_767).astype(np.int16)[np.newaxis], 48_000
        ),
    }[container]()
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as pipe, open(write_end, "wb", buffering=0) as feed:  # noqa: PTH123
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)
        feed.write(made[: len(made) // 2])  # and no more comes: waiting for it would take for ever
        frames = frames_from(pipe)
        first = [next(frames) for _ in range(5)]
        frames.close()  # type: ignore[attr-defined]
    assert np.abs(np.concatenate(first)).max() > 0.3


def test_a_source_that_changes_its_format_on_the_way_goes_on() -> None:
    def ogg(rate_hz: int, layout: str, channels: int) -> bytes:
        planar = np.tile((tone(rate_hz, 1.0) * 32_767).astype(np.int16), (channels, 1))
        return encoded("flac", "ogg", "s16", layout, planar, rate_hz)

    samples = read(io.BytesIO(ogg(44_100, "mono", 1) + ogg(48_000, "stereo", 2)))
    assert len(samples) > 1.8 * 48_000
    assert pitch_hz(samples[-38_400:-9_600]) == pytest.approx(440, abs=3)


def test_raw_samples_are_read_when_their_format_is_named() -> None:
    pcm = (tone(48_000, 0.5) * 32_767).astype("<i2").tobytes()
    samples = read(io.BytesIO(pcm), container="s16le")
    assert np.abs(samples).max() > 0.4
