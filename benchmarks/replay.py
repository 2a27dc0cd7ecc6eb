"""What a recording costs while it is made, and how soon after its end the replay is there."""

import tempfile
import time
from itertools import islice
from pathlib import Path

from benchmarks.record import keep
from rostra.audio.containers import ogg
from rostra.audio.frame import frame_to_pcm16
from rostra.audio.opus import OpusEncoder
from rostra.audio.recordings import two_cities
from rostra.audio.source import frames_from
from rostra.core.messages import StageEvent
from rostra.core.units import CHUNK_FRAMES, CHUNK_NS, CHUNK_SAMPLES, FRAME_NS, SECOND_NS
from rostra.recorder import layout
from rostra.recorder.check import check_recordings
from rostra.recorder.journal import Conversing, Happened
from rostra.recorder.manifest import read_manifest
from rostra.recorder.mastering import master_copy
from rostra.recorder.merge import merge
from rostra.recorder.tracks import Piece
from rostra.recorder.writer import Batch, claim

BEGAN_NS = 1_790_000_000 * SECOND_NS
BATCH_CHUNKS = 5  # half a second


def sound() -> tuple[list[list[bytes]], list[bytes]]:
    """The recording as packets of each chunk, and as PCM of each frame."""
    encoder = OpusEncoder(64_000)
    frames = list(frames_from(str(two_cities())))
    packets = [encoder.encode(frame) for frame in frames]
    chunks = [packets[at : at + CHUNK_FRAMES] for at in range(0, len(packets) - CHUNK_FRAMES, CHUNK_FRAMES)]
    return chunks, [frame_to_pcm16(frame) for frame in frames]


def batch(first: int, chunks: list[list[bytes]], frames: list[bytes], seats: int) -> Batch:
    made = Batch()
    for seq in range(first, first + BATCH_CHUNKS):
        page = ogg.chunk(chunks[seq % len(chunks)], pts=seq * CHUNK_SAMPLES)
        made.pieces.append((layout.PROGRAMME, Piece(seq, 1, BEGAN_NS + seq * CHUNK_NS, page)))
        for seat in range(seats):
            for number in range(seq * CHUNK_FRAMES, (seq + 1) * CHUNK_FRAMES):
                pcm = frames[number % len(frames)]
                made.pieces.append(
                    (layout.stem(f"seat-{seat}"), Piece(number, 1, BEGAN_NS + number * FRAME_NS, pcm))
                )
    return made


def measure(seconds: int, seats: int) -> str:
    chunks, frames = sound()
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "evening"
        writer = claim(recording, stems="flac", now_ns=BEGAN_NS)
        assert writer is not None
        writer.programme_header = ogg.init(pre_skip=312, application="rostra")
        live = Happened(BEGAN_NS, 0, StageEvent("state", 0, "live"))
        begun = Conversing(BEGAN_NS, "evening", "Evening", BEGAN_NS, BEGAN_NS, "UTC", "en", "live")
        writer.write(Batch([], [begun, live]), now_ns=BEGAN_NS)
        cpu_s = time.process_time()
        worst_s = 0.0
        for first in range(0, seconds * 10, BATCH_CHUNKS):
            each = batch(first, chunks, frames, seats)
            began_s = time.monotonic()
            writer.write(each, now_ns=BEGAN_NS)
            worst_s = max(worst_s, time.monotonic() - began_s)
        cpu_s = time.process_time() - cpu_s
        began_s, began_cpu_s = time.monotonic(), time.process_time()
        writer.finish(heard_end=True, now_ns=BEGAN_NS)
        merge(recording, now_ns=BEGAN_NS)
        ready_s, ready_cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
        writer.release()
        began_cpu_s = time.process_time()
        master_copy(recording)
        mastered_cpu_s = time.process_time() - began_cpu_s
        (recording / layout.COPY).unlink()
        manifest = read_manifest(recording)
        began_s = time.monotonic()
        _, findings = check_recordings(Path(folder))
        checked_s = time.monotonic() - began_s
        size = sum(path.stat().st_size for path in islice(recording.iterdir(), 100))
        assert manifest is not None
        assert manifest.complete
        assert layout.PODCAST in manifest.files
        assert not findings
    return (
        f"{cpu_s / seconds:.2%} of a core while recording, slowest half second {worst_s * 1e3:.0f} ms, "
        f"ready {ready_s:.2f} s after the end ({ready_cpu_s:.2f} s of CPU), "
        f"mastered with {mastered_cpu_s:.1f} s of CPU, fsck {checked_s:.2f} s, {size / 1e6:.1f} MB"
    )


def main(seconds: str = "3600") -> None:
    runs = ((44, 1), (int(seconds), 0), (int(seconds), 2))
    keep("replay", {f"{length} s, {seats} stems": measure(length, seats) for length, seats in runs})
