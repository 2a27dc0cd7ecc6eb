"""One process of a rehearsal's crowd: takes its orders from standard input, says each second what it hears."""

import resource
import sys
import time
from collections.abc import Iterator

import msgspec

from rostra.rehearsal.arrivals import share_of
from rostra.rehearsal.crowd import alternate, check_target
from rostra.rehearsal.crowd_report import CrowdPlan, Second, Tally
from rostra.rehearsal.member import Member
from rostra.rehearsal.script import Reload, Script, Sleep, Vanish
from rostra.rehearsal.share import Share


class Orders(msgspec.Struct, frozen=True):
    """Be the `index`-th process of `of`; begin at `begins` (Unix seconds). `any_host`: the target confirmed it."""

    script: Script
    url: str
    begins: float
    any_host: bool = False
    index: int = 0
    of: int = 1


Said = Second | Tally
said = msgspec.json.Decoder(Said)


class Acts:
    """Carries out, at the end of each second, what the script has the listeners do by then."""

    def __init__(self, script: Script, share: Share) -> None:
        self._share = share
        self._acts = sorted(script.acts, key=lambda act: act.at_s)
        self._back: list[tuple[float, Vanish | Sleep, list[Member]]] = []

    def until(self, at_s: float) -> None:
        share, now_s = self._share, time.monotonic()
        for back, members in self._returning(at_s):
            if isinstance(back, Vanish):
                share.come_back(members, now_s=now_s)
            else:
                share.wake(members, now_s=now_s)
        while self._acts and self._acts[0].at_s <= at_s:
            act = self._acts.pop(0)
            members = share.some(act.share)
            match act:
                case Reload():
                    share.reload(members, now_s=now_s)
                case Vanish():
                    share.vanish(members)
                    self._back.append((act.at_s + act.for_s, act, members))
                case Sleep():
                    share.sleep(members)
                    self._back.append((act.at_s + act.for_s, act, members))

    def _returning(self, at_s: float) -> Iterator[tuple[Vanish | Sleep, list[Member]]]:
        due = [each for each in self._back if each[0] <= at_s]
        self._back = [each for each in self._back if each[0] > at_s]
        return ((act, members) for _, act, members in due)


def main() -> None:
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)
    script = orders.script
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    address, path = check_target(orders.url, any_host=orders.any_host)
    come_s, leave_s = share_of(script.crowd, index=orders.index, of=orders.of)
    plan = CrowdPlan(orders.url, len(come_s), 1.0, script.seconds, script.rendition)
    share = Share(
        plan,
        address,
        path,
        index=orders.index,
        allow=lambda url: alternate(url, any_host=orders.any_host),
        come_s=come_s.tolist(),
        leave_s=leave_s.tolist(),
    )
    acts = Acts(script, share)

    def each_second(second: Second) -> None:
        _say(second)
        acts.until(second.at_s)

    time.sleep(max(0.0, orders.begins - time.time()))
    _say(share.run(each_second))


def _say(what: Said) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
