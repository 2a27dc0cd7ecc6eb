"""A change, said before it takes effect: what, of what, by whom, from what to what."""

from typing import Final, NamedTuple

from rostra.verifier.canonical import Json

CHANGE: Final = "change"
WHATS: Final = frozenset(
    {
        "deploy", "rollback", "configuration", "limit", "scale", "move", "certificate", "key", "mitigation",
        "manual", "rehearsal", "notice", "statement", "start", "stop",
    }
)  # fmt: skip


class Change(NamedTuple):
    """`subject` is a process or a conversation; `by` a role, or the keyed name of an account; nobody is named."""

    what: str
    subject: str
    by: str
    before: str | int | None = None
    after: str | int | None = None
    text: str = ""
    claims: str = ""
    warned: str = ""  # what was shown to its author, who said it nevertheless

    def body(self) -> dict[str, Json]:
        """As an entry has it: what is not known is not there."""
        assert self.what in WHATS, self.what
        return {name: value for name, value in self._asdict().items() if value not in {None, ""}}
