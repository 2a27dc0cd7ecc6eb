"""What the other workers have said of themselves: room, who waits, where else to listen. Pure."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

from rostra.core.messages import EdgeReport
from rostra.core.ticket import TicketClass
from rostra.edge.line import CLASSES

REPORT_LIFETIME_S: Final = 5.0  # a worker that has been silent for longer is no alternate, its listeners have left
_PARTS: Final = 4  # of a bin: where in it somebody stands is known to a quarter of it


class Fleet:
    """The newest report of each other worker. `survey` once a second makes of them what the rest asks for."""

    def __init__(self, edge_id: str, url: str) -> None:
        self.edge_id = edge_id
        self.url = url
        self._reports: dict[str, tuple[float, EdgeReport]] = {}
        self._tags_ms: list[list[float]] = [[] for _ in range(CLASSES)]
        self._rooms: Counter[str] = Counter()
        self._before: list[list[float]] = [[] for _ in range(CLASSES)]
        self.waiting = 0

    @property
    def reports(self) -> list[EdgeReport]:
        return [report for _, report in self._reports.values()]

    def hear(self, report: EdgeReport, *, now_s: float) -> bool:
        """Take a report. Whether it is another worker's."""
        if report.edge == self.edge_id:
            return False
        self._reports[report.edge] = now_s, report
        return True

    def survey(self, *, now_s: float) -> None:
        self._reports = {
            edge: (heard_s, report)
            for edge, (heard_s, report) in self._reports.items()
            if now_s - heard_s < REPORT_LIFETIME_S
        }
        reports = self.reports
        self._rooms = self._rooms_now()
        self.waiting = sum(count for report in reports for bins in report.waiting for _, _, count in bins)
        for index in range(CLASSES):
            points = sorted(_points(each for report in reports for each in _of_class(report, index)))
            self._tags_ms[index] = [tag_ms for tag_ms, _ in points]
            self._before[index] = [0.0, *accumulate(count for _, count in points)]

    def _rooms_now(self) -> Counter[str]:
        """Free places at each address, together: streams meet any worker of one, so one may carry another's."""
        rooms: Counter[str] = Counter()
        for report in self.reports:
            if not report.draining:
                rooms[report.url] += report.room
        return rooms

    def room(self, here: int) -> int:
        """Free places of all, if this worker has `here`; below zero, the workers of its address carry too many."""
        elsewhere = sum(max(0, room) for url, room in self._rooms.items() if url != self.url)
        return here + self._rooms[self.url] + elsewhere

    def ahead(self, ticket_class: TicketClass, tag_ms: int) -> int:
        """How many of those who wait at other workers stand before somebody with this tag."""
        sooner = sum(before[-1] for before in self._before[:ticket_class] if before)
        before = self._before[ticket_class]
        return round(sooner + (before[bisect_left(self._tags_ms[ticket_class], tag_ms)] if before else 0))

    def share(self, room: int, *, now_s: int, draining: bool) -> int:
        """How many of `room` places of the whole fleet this worker may give away until the next second.

        All others see the same places: each takes an equal part, and what is left over goes round.
        """
        if draining:
            return 0
        workers = sorted([self.edge_id, *(report.edge for report in self.reports if not report.draining)])
        each, over = divmod(max(0, room), len(workers))
        return each + ((workers.index(self.edge_id) + now_s) % len(workers) < over)

    def listeners(self) -> Counter[str]:
        """Listeners of each conversation elsewhere."""
        total: Counter[str] = Counter()
        for report in self.reports:
            total.update(report.listeners)
        return total

    def streams(self, listener: bytes) -> int:
        """Streams of a listener elsewhere, as far as they were told: of those with more than one at one worker."""
        if not self._reports:
            return 0
        name = listener.hex()
        return sum(report.several.get(name, 0) for report in self.reports)

    def alternates(self, *, room: int, draining: bool) -> list[str]:
        """Base addresses of edges to listen at: this one if it has `room`, then those with most, then this one."""
        rooms = self._rooms_now()
        if draining:
            rooms.pop(self.url, None)
        else:
            rooms[self.url] += room
        return sorted(rooms, key=lambda url: (not (url == self.url and rooms[url] > 0), -rooms[url], url))


def _of_class(report: EdgeReport, index: int) -> list[tuple[int, int, int]]:
    return report.waiting[index] if index < len(report.waiting) else []


def _points(bins: Iterable[tuple[int, int, int]]) -> Iterable[tuple[float, float]]:
    for first, last, count in bins:
        if count <= 1 or first == last:
            yield last, count
        else:
            for part in range(1, _PARTS + 1):
                yield first + (last - first) * part / _PARTS, count / _PARTS
