"""Whose word makes a checkpoint believed (C2SP tlog-policy): logs, witnesses, groups of them, and the quorum."""

import re
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from rostra.verifier.errors import FlawError
from rostra.verifier.note import Algorithm, NoteKey, parse_key

POLICY_BYTES_MAX: Final = 65_536
NONE: Final = "none"
_CONTROL: Final = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


class Member(NamedTuple):
    """A witness, by the name that the policy gives it."""

    key: NoteKey
    url: str


class Group(NamedTuple):
    """Has witnessed if at least `least` of its members have."""

    least: int
    members: tuple[str, ...]


class Policy(NamedTuple):
    """`logs` by their origin, witnesses and groups by the policy's own names."""

    logs: Mapping[str, NoteKey]
    witnesses: Mapping[str, Member]
    groups: Mapping[str, Group]
    quorum: str

    def met(self, cosigned: Collection[NoteKey]) -> bool:
        """Whether those who have cosigned are enough."""
        return self.quorum == NONE or self._witnessed(self.quorum, cosigned)

    def _witnessed(self, name: str, cosigned: Collection[NoteKey]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return self.witnesses[name].key in cosigned
        return sum(self._witnessed(member, cosigned) for member in group.members) >= group.least


def parse_policy(data: bytes) -> Policy:
    """FlawError, with the number of the line, for what is none."""
    if len(data) > POLICY_BYTES_MAX or _CONTROL.search(data):
        raise FlawError("The policy is too long, or no text.")
    reading = _Reading()
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        words = re.split(r"[ \t]+", line.strip(" \t"))
        if words[0].startswith("#") or words == [""]:
            continue
        try:
            reading.take(*words)
        except FlawError as flaw:
            raise FlawError(f"Line {number} of the policy: {flaw}") from flaw
    if reading.quorum is None:
        raise FlawError("The policy names no quorum.")
    return Policy(reading.logs, reading.witnesses, reading.groups, reading.quorum)


class _Reading:
    """What the lines so far have said."""

    def __init__(self) -> None:
        self.logs: dict[str, NoteKey] = {}
        self.witnesses: dict[str, Member] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self._grouped: set[str] = set()

    def take(self, word: str, *rest: str) -> None:
        match word, rest:
            case "log", (vkey, *urls) if len(urls) <= 1:
                key = parse_key(vkey)
                if key.algorithm is not Algorithm.ED25519 or _among(key, self.logs.values()):
                    raise FlawError("this is no log's key, or was named before.")
                self.logs[key.name] = key
            case "witness", (name, vkey, *urls) if len(urls) <= 1:
                key = parse_key(vkey)
                if key.algorithm is not Algorithm.COSIGNATURE or _among(key, self._keys()):
                    raise FlawError("this is no witness's key, or was named before.")
                self._name(name)
                self.witnesses[name] = Member(key, "".join(urls))
            case "group", (name, least, *members) if members:
                self._group(name, least, members)
            case "quorum", (name,) if self.quorum is None:
                if name != NONE and not self._known(name):
                    raise FlawError(f"nothing before it is called {name!r}.")
                self.quorum = name
            case _:
                raise FlawError("this says nothing that a policy can say.")

    def _group(self, name: str, least: str, members: list[str]) -> None:
        for member in members:
            if not self._known(member) or member in self._grouped:
                raise FlawError(f"{member!r} is not known, or in a group already.")
            self._grouped.add(member)
        numbers = {"any": 1, "all": len(members)}
        count = int(least) if re.fullmatch(r"[1-9][0-9]{0,3}", least) else numbers.get(least, 0)
        if not 1 <= count <= len(members):
            raise FlawError(f"{least!r} is not between 1 and {len(members)}.")
        self._name(name)
        self.groups[name] = Group(count, tuple(members))

    def _name(self, name: str) -> None:
        if name == NONE or self._known(name):
            raise FlawError(f"{name!r} has a meaning already.")

    def _known(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups

    def _keys(self) -> list[NoteKey]:
        return [member.key for member in self.witnesses.values()]


def _among(key: NoteKey, known: Collection[NoteKey]) -> bool:
    """The same key under another name is the same (tlog-policy §Public key representation)."""
    return any(key.key == each.key for each in known)
