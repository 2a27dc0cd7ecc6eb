"""What a start says: deploy, rollback, another configuration, another machine, and how the last run ended."""

from pathlib import Path

import msgspec
import pytest

from rostra.evidence.known import Run, after, changed, last_run, remember

NOW = Run("code-2", "settings", "machine")


def said(last: Run | None, now: Run = NOW) -> list[tuple[str, str | int | None, str | int | None]]:
    return [(change.what, change.before, change.after) for change in changed("edge-1", last, now)]


def test_the_first_start_knows_nothing_before_it() -> None:
    assert said(None) == [("start", "first", "code-2")]


@pytest.mark.parametrize(
    ("last", "what", "before", "now"),
    [
        (Run("code-1", "settings", "machine"), "deploy", "code-1", "code-2"),
        (Run("code-3", "settings", "machine", ("code-1", "code-2")), "rollback", "code-3", "code-2"),
        (Run("code-2", "others", "machine"), "configuration", "others", "settings"),
        (Run("code-2", "settings", "smaller"), "move", "smaller", "machine"),
    ],
)
def test_whatever_differs_from_the_last_run_is_a_change(last: Run, what: str, before: str, now: str) -> None:
    assert said(last) == [("start", "killed", "code-2"), (what, before, now)]


def test_who_has_said_that_it_stops_was_not_killed() -> None:
    assert said(msgspec.structs.replace(NOW, ended=True)) == [("start", "stopped", "code-2")]


def test_codes_that_ran_are_kept_the_newest_last_and_each_once() -> None:
    run: Run | None = None
    for code in ("a", "b", "b", "a", "c"):
        run = after(run, Run(code, "settings", "machine"))
    assert run == Run("c", "settings", "machine", ("b", "a"))
    for number in range(20):
        run = after(run, Run(str(number), "settings", "machine"))
    assert run.codes == tuple(str(number) for number in range(11, 19))


def test_a_run_is_remembered_and_what_nobody_can_read_is_none(tmp_path: Path) -> None:
    path = tmp_path / "evidence" / "edge-1.run"
    assert last_run(path) is None
    remember(path, NOW)
    assert last_run(path) == NOW
    path.write_bytes(b'{"code": 1')
    assert last_run(path) is None
