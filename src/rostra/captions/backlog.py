"""Sound that waits to be recognised: bounded, the most useful first, and honest about what is left out. Pure."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from rostra.audio.utterance import Utterance
from rostra.core.limits import CAPTION_BACKLOG_MAX_S, CAPTION_WAIT_MAX_S
from rostra.core.units import SAMPLE_RATE_HZ

_PARTIALS_SHARE: Final = 2 / 3  # of the time; the rest is for what is final, and the machine's other work


@dataclass(frozen=True, slots=True)
class Work:
    """An utterance of a seat, whole (`final`) or so far, and the second at which its sound had come."""

    conversation: str
    seat: str
    utterance: Utterance
    final: bool
    at_s: float

    @property
    def id(self) -> str:
        """The same for what has come of an utterance, and all of it."""
        return f"{self.seat}-{self.utterance.start}"

    @property
    def seconds(self) -> float:
        return (self.utterance.end - self.utterance.start) / SAMPLE_RATE_HZ


class Backlog:
    """What is final goes first, the oldest before the others; what is partial is replaced by more of the same.

    So who cannot keep up gives up partial captions first. Then it skips what has waited for CAPTION_WAIT_MAX_S, and
    the oldest if more than CAPTION_BACKLOG_MAX_S wait. Time is any clock's seconds.
    """

    def __init__(self) -> None:
        self._finals: deque[Work] = deque()
        self._partials: dict[tuple[str, str], Work] = {}
        self._partials_from_s = 0.0
        self._skipped: list[Work] = []

    @property
    def waiting_s(self) -> float:
        """Seconds of final sound."""
        return sum(work.seconds for work in self._finals)

    def offer(self, work: Work) -> None:
        self._partials.pop((work.conversation, work.seat), None)
        if not work.final:
            self._partials[work.conversation, work.seat] = work
            return
        self._finals.append(work)
        while self.waiting_s > CAPTION_BACKLOG_MAX_S:
            self._skipped.append(self._finals.popleft())

    def skipped(self, now_s: float) -> list[Work]:
        """What has been skipped since this was asked last."""
        while self._finals and now_s - self._finals[0].at_s > CAPTION_WAIT_MAX_S:
            self._skipped.append(self._finals.popleft())
        skipped, self._skipped = self._skipped, []
        return skipped

    def take(self, now_s: float) -> Work | None:
        """What is to be recognised now."""
        if self._finals:
            return self._finals.popleft()
        if not self._partials or now_s < self._partials_from_s:
            return None
        oldest = min(self._partials, key=lambda seat: self._partials[seat].at_s)
        return self._partials.pop(oldest)

    def done(self, work: Work, *, began_s: float, now_s: float) -> None:
        """`work` has been recognised: partial ones take no more than their share of the time."""
        if not work.final:
            self._partials_from_s = now_s + (now_s - began_s) * (1 / _PARTIALS_SHARE - 1)
