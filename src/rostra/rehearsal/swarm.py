"""The crowd on Locust: each Locust user is one company, a process with thousands of real listener connections.

`python -m rostra.rehearsal.swarm` reads a `Muster` or a `Joining` from standard input. It is a process of its own
because Locust, through gevent, changes Python's sockets for all that runs beside it.
"""

import itertools
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import gevent
import msgspec
from gevent.event import AsyncResult
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from rostra.rehearsal.company import Orders, said
from rostra.rehearsal.crowd_report import Second, Tally
from rostra.rehearsal.muster import Begun, Joining, Muster, Word

_WORKERS_JOIN_S: Final = 120.0
_LAST_WORD_S: Final = 30.0  # a company that has not said its tally by then is dead, and said to be
_LEAD_S: Final = 2.0  # a Python process is up in half of that


class Swarm:
    """What the companies on this machine share: who they are, and to whom they report.

    `order` gives a company its orders; `report` takes what a company said, as bytes of a `Word`.
    """

    def __init__(self, order: Callable[[], Orders], report: Callable[[bytes], None]) -> None:
        self.order = order
        self.report = report


class Company(User):
    """One Locust user."""

    abstract = True
    swarm: Swarm

    @task
    def listen(self) -> None:
        orders = self.swarm.order()
        command = [sys.executable, "-m", "rostra.rehearsal.company"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(msgspec.json.encode(orders) + b"\n")
                process.stdin.flush()
                missing = 0
                for line in process.stdout:
                    word = said.decode(line)
                    if isinstance(word, Second):
                        missing = self._show(word, missing)
                    self.swarm.report(msgspec.json.encode(Word(orders.index, word)))
            finally:
                process.kill()
        raise StopUser

    def _show(self, second: Second, missing: int) -> int:
        """Put a second on Locust's page."""
        fire = self.environment.events.request.fire
        told = (("POST", "join", second.join_ms), ("GET", "first sound", second.first_sound_ms))
        for method, name, times_ms in told:
            for ms in times_ms:
                fire(
                    request_type=method, name=name, response_time=ms, response_length=0, exception=None, context={}
                )
        fault = None
        if second.paused or second.missing > missing:
            fault = RuntimeError(f"{second.paused} listeners paused, {second.missing - missing} chunks missing")
        about = {"request_type": "HEAR", "name": "a second of one company"}
        fire(**about, response_time=second.pause_max_ms, response_length=0, exception=fault, context={})
        return second.missing


def lead(muster: Muster, report: Callable[[bytes], None]) -> None:
    """Send the crowd of `muster`, from here or with workers that join; return when every company has reported."""
    numbers = itertools.count()
    open_companies = set(range(muster.companies))
    begins = AsyncResult()

    def order() -> Orders:
        return Orders(
            muster.script, muster.url, begins.get(), muster.any_host, index=next(numbers), of=muster.companies
        )

    def heard(line: bytes) -> None:
        word = msgspec.json.decode(line, type=Word)
        if isinstance(word.said, Tally):
            open_companies.discard(word.company)
        report(line)

    environment = Environment(user_classes=[_company(Swarm(order, heard))])
    runner: Any
    if muster.workers:
        runner = environment.create_master_runner(muster.bind, muster.port)
        runner.register_message("word", lambda msg, **_: heard(msg.data["line"]))

        def ask(msg: Any, **_: Any) -> None:
            runner.send_message("orders", msgspec.json.encode(order()), client_id=msg.node_id)

        runner.register_message("ask", ask)
        _await_workers(runner, muster.workers)
    else:
        runner = environment.create_local_runner()
    web = environment.create_web_ui(muster.web_host, muster.web_port) if muster.web_port else None
    begins.set(time.time() + _LEAD_S)
    report(msgspec.json.encode(Begun(begins.get())))
    runner.start(muster.companies, spawn_rate=muster.companies)
    deadline_s = time.monotonic() + _LEAD_S + muster.script.seconds + _LAST_WORD_S
    while open_companies and time.monotonic() < deadline_s:
        gevent.sleep(0.1)
    runner.quit()
    if web is not None:
        web.stop()  # type: ignore[no-untyped-call]


def _company(swarm: Swarm) -> type[Company]:
    return type("Listeners", (Company,), {"swarm": swarm, "abstract": False})


def _await_workers(runner: MasterRunner, count: int) -> None:
    deadline_s = time.monotonic() + _WORKERS_JOIN_S
    while len(runner.clients.ready) < count:
        if time.monotonic() > deadline_s:
            sys.exit(f"{len(runner.clients.ready)} of {count} workers have joined within {_WORKERS_JOIN_S:.0f} s.")
        gevent.sleep(0.1)


def join(joining: Joining) -> None:
    """Be a worker of a swarm that is led elsewhere, as long as it wants one."""
    answers: list[AsyncResult] = []
    environment = Environment()

    def order() -> Orders:
        answer = AsyncResult()
        answers.append(answer)
        runner.send_message("ask", None)
        orders: Orders = answer.get()
        if orders.any_host and orders.url != joining.url:
            sys.exit(f"The swarm goes to {orders.url}, which is not where it was said to go: {joining.url}.")
        return orders

    def take(msg: Any, **_: Any) -> None:
        answers.pop(0).set(msgspec.json.decode(msg.data, type=Orders))

    environment.user_classes = [_company(Swarm(order, lambda line: runner.send_message("word", {"line": line})))]
    runner: WorkerRunner = environment.create_worker_runner(joining.host, joining.port)
    runner.register_message("orders", take)
    runner.greenlet.join()


def main() -> None:
    told = msgspec.json.decode(sys.stdin.buffer.readline(), type=Muster | Joining)
    if isinstance(told, Joining):
        join(told)
        return

    def report(line: bytes) -> None:
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()

    lead(told, report)


if __name__ == "__main__":
    main()
