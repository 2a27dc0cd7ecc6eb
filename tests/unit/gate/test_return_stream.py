from types import SimpleNamespace
from typing import Any

import pytest

from rostra.gate.return_stream import ReturnStream

TEN_S = 500


class Sender:
    """What a return stream uses of aiortc's sender; tests/contract/test_aiortc.py says that it is so."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        pair = SimpleNamespace(protocol=SimpleNamespace(transport=self), remote_addr=("127.0.0.1", 9))
        ice = SimpleNamespace(_connection=SimpleNamespace(_nominated={1: pair}))
        self.transport = SimpleNamespace(transport=ice, _tx_srtp=SimpleNamespace(protect=bytes))
        self._ssrc = 7
        self._RTCRtpSender__stats: dict[str, Any] = {}

    def sendto(self, data: bytes, address: tuple[str, int]) -> None:
        assert address == ("127.0.0.1", 9)
        self.sent.append(data)

    def is_told(self, lost: float) -> None:
        self._RTCRtpSender__stats[f"remote-inbound-rtp_{id(self)}"] = SimpleNamespace(
            fractionLost=round(lost * 256)
        )


def sent(stream: ReturnStream, packets: int) -> bool:
    for _ in range(packets):
        stream.send(b"sound")
    return stream.is_lossy


def test_a_way_may_lose_until_its_end_has_reported_for_ten_seconds_that_it_does_not() -> None:
    sender = Sender()
    stream: Any = ReturnStream(sender, 111)  # type: ignore[arg-type]
    assert stream.is_lossy
    assert sent(stream, 2 * TEN_S)
    sender.is_told(0.0)
    assert sent(stream, TEN_S // 2)
    assert not sent(stream, TEN_S)
    assert len(sender.sent) == 7 * TEN_S // 2


@pytest.mark.parametrize(("lost", "is_lossy"), [(0.004, False), (0.02, True), (0.5, True)])
def test_a_loss_that_is_reported_is_believed_for_ten_seconds(*, lost: float, is_lossy: bool) -> None:
    sender = Sender()
    stream = ReturnStream(sender, 111)  # type: ignore[arg-type]
    sender.is_told(0.0)
    assert not sent(stream, 2 * TEN_S)
    sender.is_told(lost)
    assert sent(stream, 50) is is_lossy
    sender.is_told(0.0)
    assert not sent(stream, TEN_S + 50)
