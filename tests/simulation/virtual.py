"""A world without real time: machines with clocks of their own on one event loop that never waits.

Everything that runs on a machine is run in its context, so that the loop can freeze it (SIGSTOP), kill it (SIGKILL)
or set its clock. A run is a function of its seed: no thread, no socket, no real clock.
"""

import asyncio
import contextvars
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

NS = 1_000_000_000


@dataclass(eq=False)
class Machine:
    """Something that can be frozen, killed or given a wrong clock on its own."""

    name: str
    skew_ns: int = 0
    frozen: bool = False
    dead: bool = False
    held: list[tuple[Callable[..., Any], tuple[Any, ...], contextvars.Context | None]] = field(default_factory=list)


_machine: contextvars.ContextVar[Machine | None] = contextvars.ContextVar("machine", default=None)


class _Skip(selectors.DefaultSelector):
    """Instead of waiting for something to happen, it is then."""

    loop: "World"

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "everybody waits for everybody"
        self.loop.now_s += max(0.0, timeout)
        return []


class World(asyncio.SelectorEventLoop):
    """An event loop whose time is a number. `wall_ns` is what a machine with a right clock would say."""

    def __init__(self, *, wall_ns: int) -> None:
        self.now_s = 1000.0
        self.is_over = False  # then nobody is frozen or dead any more, so that all can be let go
        self._began_wall_ns = wall_ns - round(self.now_s * NS)
        selector = _Skip()
        selector.loop = self
        super().__init__(selector)

    # --- time, as machines see it --------------------------------------------------------------------

    def time(self) -> float:
        return self.now_s

    @property
    def wall_ns(self) -> int:
        return self._began_wall_ns + round(self.now_s * NS)

    def clocks(self) -> "Clocks":
        return Clocks(self)

    # --- machines ------------------------------------------------------------------------------------

    def boot(self, machine: Machine, main: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run `main`, and everything that it starts, on `machine`."""
        context = contextvars.copy_context()
        context.run(_machine.set, machine)
        return self.create_task(main, context=context)

    def thaw(self, machine: Machine) -> None:
        machine.frozen = False
        held, machine.held = machine.held, []
        for callback, arguments, context in held:
            super().call_soon(self._run, machine, context, callback, arguments)

    def _run(
        self,
        machine: Machine | None,
        context: contextvars.Context | None,
        callback: Callable[..., Any],
        arguments: tuple[Any, ...],
    ) -> None:
        if machine is not None and (machine.frozen or machine.dead) and not self.is_over:
            machine.held.append((callback, arguments, context))  # of a dead one it is kept for the undertaker
        elif context is None:
            callback(*arguments)
        else:
            context.run(callback, *arguments)

    def call_soon(self, callback: Any, *args: Any, context: contextvars.Context | None = None) -> asyncio.Handle:
        context = contextvars.copy_context() if context is None else context
        return super().call_soon(self._run, context.get(_machine), context, callback, args)

    def call_at(
        self, when: float, callback: Any, *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        context = contextvars.copy_context() if context is None else context
        return super().call_at(when, self._run, context.get(_machine), context, callback, args)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if "was destroyed but it is pending" not in context["message"]:  # so end all tasks of a dead machine
            super().call_exception_handler(context)


class Clocks:
    """Stands in for the module `time` in the code under test."""

    def __init__(self, world: World) -> None:
        self._world = world

    def monotonic(self) -> float:
        return self._world.now_s

    perf_counter = monotonic

    def monotonic_ns(self) -> int:
        return round(self._world.now_s * NS)

    def time_ns(self) -> int:
        machine = _machine.get()
        return self._world.wall_ns + (machine.skew_ns if machine is not None else 0)

    def time(self) -> float:
        return self.time_ns() / NS
