import socket
from contextlib import ExitStack

from rostra.core.limits import LISTENERS_ASKED_PER_S_MAX
from rostra.edge.reached import Reached, Rounds

MORE = 4


def test_all_listeners_are_asked_about_in_turn() -> None:
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512))
        callers = [
            stack.enter_context(socket.create_connection(listening.getsockname()))
            for _ in range(LISTENERS_ASKED_PER_S_MAX + MORE)
        ]
        descriptors = [caller.fileno() for caller in callers]
        rounds = Rounds()
        found = [rounds.look(descriptors, count=len(descriptors)).asked for _ in range(3)]
        assert found == [LISTENERS_ASKED_PER_S_MAX, MORE, LISTENERS_ASKED_PER_S_MAX]
        assert callers[0].getpeername() == listening.getsockname()  # they are still theirs


def test_what_is_no_tcp_is_passed_over() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert Rounds().look([one.fileno()], count=1) == Reached(0, 0)
    assert Rounds().look([], count=0) == Reached(0, 0)
