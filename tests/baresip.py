"""baresip, somebody else's telephone, driven by its control socket: https://github.com/baresip/baresip."""

import asyncio
import json
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from machine import require
from rostra.audio.frame import Samples
from system import free_port

KEY_S = 0.15  # as fast as somebody types
MODULES = Path("/usr/lib/baresip/modules")


class Telephone:
    """One telephone that says a recording again and again, and keeps what it hears."""

    def __init__(self, folder: Path, rate_hz: int) -> None:
        self._folder = folder
        self._writer: asyncio.StreamWriter | None = None
        self.rate_hz = rate_hz

    async def connect(self, port: int) -> None:
        async with asyncio.timeout(10):
            while self._writer is None:
                try:
                    _, self._writer = await asyncio.open_connection("127.0.0.1", port)
                except ConnectionRefusedError:
                    await asyncio.sleep(0.05)

    def _command(self, command: str, parameter: str = "") -> None:
        assert self._writer is not None
        text = json.dumps({"command": command, "params": parameter}).encode()
        self._writer.write(b"%d:%s," % (len(text), text))

    def dial(self, address: tuple[str, int]) -> None:
        self._command("dial", f"sip:rostra@{address[0]}:{address[1]}")

    async def press(self, keys: str) -> None:
        for key in keys:
            self._command("sndcode", key)
            await asyncio.sleep(KEY_S)

    def hang_up(self) -> None:
        self._command("hangup")

    async def close(self) -> None:
        if self._writer is not None:
            self._command("quit")
            self._writer.close()

    def heard(self) -> Samples:
        """Everything that came out of the earpiece, once the call is over; the first channel."""
        (dump,) = self._folder.glob("dump-*-dec.wav")
        with wave.open(str(dump)) as reader:
            pcm = np.frombuffer(reader.readframes(reader.getnframes()), "<i2").reshape(-1, reader.getnchannels())
        return pcm[:, 0].astype(np.float32) / 32_768


@asynccontextmanager
async def telephone_set(folder: Path, *, codec: str, said: Samples) -> AsyncIterator[Telephone]:
    """A baresip that offers one codec (`PCMA/8000/1`) and says `said`, at the codec's rate."""
    baresip = require("baresip")
    folder.mkdir()
    _, rate, channels = codec.split("/")
    with wave.open(str(folder / "said.wav"), "wb") as writer:
        writer.setparams((int(channels), 2, int(rate), 0, "NONE", ""))
        pcm = np.rint(np.clip(said, -1, 1) * 32_767).astype("<i2")
        writer.writeframes(np.repeat(pcm, int(channels)).tobytes())
    port = free_port()
    configuration = {
        "module_path": MODULES,
        "sip_listen": "127.0.0.1:0",
        "audio_source": f"aufile,{folder / 'said.wav'}",
        "audio_player": "aubridge,nowhere",
        "snd_path": folder,
        "ctrl_tcp_listen": f"127.0.0.1:{port}",
        "rtp_ports": "42000-42400",
    }
    modules = [f"module {name}.so" for name in ("g711", "opus", "aufile", "aubridge", "sndfile", "ctrl_tcp")]
    lines = [f"{name} {value}" for name, value in configuration.items()]
    lines += [*modules, "module_tmp account.so", "module_app menu.so"]
    (folder / "config").write_text("\n".join(lines) + "\n")
    (folder / "accounts").write_text(f"<sip:guest@127.0.0.1>;regint=0;audio_codecs={codec}\n")
    (folder / "contacts").touch()
    process = await asyncio.create_subprocess_exec(
        baresip, "-f", str(folder), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    telephone = Telephone(folder, int(rate))
    try:
        await telephone.connect(port)
        yield telephone
    finally:
        await telephone.close()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
