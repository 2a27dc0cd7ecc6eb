import socket
from contextlib import ExitStack

from rostra.core.limits import LISTENERS_ASKED_PER_S_MAX
from rostra.edge.fanout import Place
from rostra.edge.reached import Reached, Rounds, arrears_ms

MORE = 4


def in_step(_: int) -> Place:
    return Place("webm-16", 2, 0)


def test_all_listeners_are_asked_about_in_turn() -> None:
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512))
        callers = [
            stack.enter_context(socket.create_connection(listening.getsockname()))
            for _ in range(LISTENERS_ASKED_PER_S_MAX + MORE)
        ]
        descriptors = [caller.fileno() for caller in callers]
        rounds = Rounds()
        found = [rounds.look(descriptors, in_step, count=len(descriptors)).asked for _ in range(3)]
        assert found == [LISTENERS_ASKED_PER_S_MAX, MORE, LISTENERS_ASKED_PER_S_MAX]
        assert callers[0].getpeername() == listening.getsockname()  # they are still theirs


def test_what_is_no_tcp_is_passed_over() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert Rounds().look([one.fileno()], in_step, count=1) == Reached(0, 0, 0)
    assert Rounds().look([], in_step, count=0) == Reached(0, 0, 0)


def test_who_reads_nothing_is_behind_and_who_does_not_answer_is_not_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        with socket.create_connection(listening.getsockname()) as caller, listening.accept()[0]:
            caller.setblocking(False)
            assert Rounds().look([caller.fileno()], in_step, count=1) == Reached(1, 0, 0)
            caller.send(bytes(100_000))
            assert Rounds().look([caller.fileno()], in_step, count=1) == Reached(1, 0, 1)


def test_what_has_just_been_written_is_no_arrears() -> None:
    assert arrears_ms(Place("webm-64", 10, 0), 9_000) < 0  # a second's write of eleven kilobytes is on its way
    assert arrears_ms(Place("webm-64", 10, 9), 33_600) == 3_000 - 100
    assert arrears_ms(Place("webm-16", 2, 40), 0) == 3_800  # the loop itself has not come to it
