"""As much of DER (X.690) as reading a time stamp needs."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from rostra.verifier.errors import FlawError

INTEGER: Final = 0x02
OCTETS: Final = 0x04
OID: Final = 0x06
TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31
CONTEXT_0: Final = 0xA0


class Value(NamedTuple):
    """`content` is what is between the length and the end, `whole` begins with the tag."""

    tag: int
    content: bytes
    whole: bytes

    def as_(self, tag: int) -> "Value":
        """This value. FlawError if it is of another kind."""
        if self.tag != tag:
            raise FlawError(f"A time stamp has {self.tag:#x} where {tag:#x} belongs.")
        return self

    def values(self) -> list["Value"]:
        """What is inside."""
        return list(_values(self.content))

    def first(self, count: int) -> list["Value"]:
        """The first `count` inside. FlawError if there are fewer."""
        found = self.values()
        if len(found) < count:
            raise FlawError("A time stamp lacks a field.")
        return found[:count]


def parse_der(data: bytes) -> Value:
    """The one value that `data` is."""
    found = list(_values(data))
    if len(found) != 1:
        raise FlawError("A time stamp is one value.")
    return found[0]


def _values(data: bytes) -> Iterator[Value]:
    place = 0
    while place < len(data):
        begin, tag = place, data[place]
        if tag & 0x1F == 0x1F:
            raise FlawError("A time stamp has no tags of several bytes.")
        length, place = _length(data, place + 1)
        if place + length > len(data):
            raise FlawError("A time stamp is cut off.")
        yield Value(tag, data[place : place + length], data[begin : place + length])
        place += length


def _length(data: bytes, place: int) -> tuple[int, int]:
    """A length, and where it ends."""
    if place >= len(data):
        raise FlawError("A time stamp is cut off.")
    first = data[place]
    if first < 0x80:
        return first, place + 1
    end = place + 1 + (first & 0x7F)
    if not 1 <= first & 0x7F <= 4 or end > len(data):
        raise FlawError("A time stamp has a length that is none.")
    return int.from_bytes(data[place + 1 : end], "big"), end
