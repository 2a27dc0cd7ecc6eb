import random

import pytest

from rostra.core.errors import BadInputError
from rostra.rehearsal.incidents.floods import Sender, syn
from rostra.rehearsal.incidents.network import namespace


def folded(data: bytes) -> int:
    total = sum(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.parametrize("target", ["127.0.0.1", "10.9.0.1", "203.0.113.7", "::1"])
def test_a_flood_goes_nowhere_but_to_a_lab(target: str) -> None:
    with pytest.raises(BadInputError, match="machines of a lab only"):
        Sender(target, outside=0)


def test_a_flood_is_not_sent_from_the_namespace_of_the_machine() -> None:
    with pytest.raises(BadInputError, match="machines of a lab only"):
        Sender("192.0.2.5", outside=namespace())


def test_a_segment_has_the_checksums_that_a_kernel_wants() -> None:
    packet = syn(bytes([172, 16, 0, 9]), "192.0.2.5", 8080, random.Random(1))
    assert len(packet) == 40
    assert folded(packet[20:] + packet[12:20] + bytes([0, 6, 0, 20])) == 0xFFFF
    assert packet[33] == 0x02
