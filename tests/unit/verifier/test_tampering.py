"""The sixteen kinds of tampering (attribution, §5.6): each is detected, and named, by whoever claims to see it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger_kit import LOG_KEY, ORIGIN, POLICY, WITNESS, Evening, key_of, written
from receipt_kit import Edge, receipt
from rostra.evidence.chain import Chain
from rostra.verifier.checks.judgement import Judge, Judged
from rostra.verifier.checks.receipts import Shown
from rostra.verifier.entry import REGISTERED
from rostra.verifier.source import source
from rostra.verifier.step import Outcome, Step
from rostra.verifier.verify import Trust, verify

MINI = Path(__file__).parents[3] / "tools" / "mini_verify.py"
CODE = "c0de" * 16
JUDGE = Judge(
    lambda entries: Judged("own", f"{len(list(entries)):064}"),
    CODE,
    lambda entries: Judged("attack", f"{len(list(entries)):064x}"),
)
PLAN = {"number": 1, "verdict": CODE}


class Tampered(NamedTuple):
    """A log as somebody left it, and what a reader has besides."""

    entries: list[bytes]
    seen: list[bytes] = []  # noqa: RUF012 # nobody appends to it
    key: Ed25519PrivateKey = WITNESS
    judge: Judge = JUDGE
    shown: list[Shown] = []  # noqa: RUF012 # likewise


def evening(**named: Any) -> Evening:
    return Evening("edge-1", "edge-2", **({"plan": PLAN} | named)).go_on(40)


def edit() -> Tampered:
    entries = evening().entries
    place = next(at for at, each in enumerate(entries) if b'"admitted":30' in each)
    entries[place] = entries[place].replace(b'"admitted":30', b'"admitted":99')
    return Tampered(entries)


def drop() -> Tampered:
    entries = evening().entries
    return Tampered([*entries[:30], *(each for each in entries[31:] if b'"checkpoint"' not in each)])


def reorder() -> Tampered:
    entries = evening().entries
    return Tampered([*entries[:6], entries[8], entries[7], entries[6], *entries[9:]])


def duplicate() -> Tampered:
    entries = evening().entries
    return Tampered([*entries[:9], entries[6], *entries[9:]])


def backdate() -> Tampered:
    """The whole evening is written anew an hour later, with the times of before: others see it only then."""
    late = evening()
    late.cosigning_delay_ms = 3_600_000
    return Tampered(late.go_on(40).entries)


def truncate() -> Tampered:
    whole = evening()
    return Tampered(whole.entries[:60], seen=[whole.notes[-1]])


def fork() -> Tampered:
    shown = evening()
    other = Evening("edge-1", "edge-2", plan=PLAN)
    other.counted["edge-1"] = 7
    return Tampered(other.go_on(40).entries, seen=[shown.notes[1]])


def replay() -> Tampered:
    return Tampered(evening(origin=ORIGIN.replace("evening", "another")).entries)


def swap_key() -> Tampered:
    swapped = evening()
    chain = Chain("edge-1", Ed25519PrivateKey.generate(), clock_ns=lambda: (swapped.wall_ms + 1) * 1_000_000)
    swapped.say("witness", REGISTERED, {"processes": {"edge-1": {"key": chain.key}}})
    swapped.use("edge-1", chain)
    return Tampered(swapped.go_on(10).entries)


def step_clock() -> Tampered:
    stepped = evening()
    stepped.skew_ms["edge-2"] = -5_000
    return Tampered(stepped.go_on(20).entries)


def silence() -> Tampered:
    silenced = evening()
    silenced.edges = ("edge-1",)
    return Tampered(silenced.go_on(60).entries)


def insert_change() -> Tampered:
    """An hour afterwards, somebody remembers that the limit was changed before the doors opened."""
    changed = evening().go_on(120)
    changed.say("witness", REGISTERED, {"processes": {"operator": {"key": changed.chain("operator").key}}})
    changed.skew_ms["operator"] = -100_000
    changed.use("operator", changed.chain("operator", anew=True))
    changed.say("operator", "change", {"what": "limit", "subject": "edge-1", "before": 100, "after": 200})
    return Tampered(changed.go_on(10).entries)


def alter_rehearsal() -> Tampered:
    altered = evening(plan=PLAN | {"rehearsed": {"edge-1": {"joins_hz": 900}}})
    altered.say("witness", "registered_plan", PLAN | {"number": 2, "rehearsed": {"edge-1": {"joins_hz": 9_000}}})
    return Tampered(altered.go_on(10).entries)


def alter_code() -> Tampered:
    return Tampered(evening().entries, judge=JUDGE._replace(code="bad0" * 16))


def forge_probe() -> Tampered:
    """The witness's owner writes what a newspaper's probe is to have heard."""
    forged = evening()
    forged.say("witness", REGISTERED, {"processes": {"probe-paper": {"key": forged.chain("probe-paper").key}}})
    forged.use(
        "probe-paper", Chain("probe-paper", key_of("the operator"), clock_ns=lambda: forged.wall_ms * 1_000_000)
    )
    forged.say("probe-paper", "probe", {"heard": 10})
    return Tampered(forged.go_on(10).entries)


def fabricate_flood() -> Tampered:
    flooded = evening(has={"passive_opens": 10})
    flooded.more = {"accepts": 2_000}
    return Tampered(flooded.go_on(10).entries)


def leave_out_receipts() -> Tampered:
    """An edge took what listeners signed, promised to keep it, and does not."""
    edge = Edge(plan=PLAN).take(receipt(1), receipt(2))
    return Tampered(edge.evening.go_on(200).entries, shown=edge.shown)


Kind = Callable[[], Tampered]
# What is done; the step that says so, as false or as missing, and its words; the small verifier's, if it claims it.
KINDS: list[tuple[Kind, str, Outcome, str, str]] = [
    (edit, "chains", Outcome.FAIL, "edited", "edited"),
    (drop, "gaps", Outcome.INCOMPLETE, "1 entries of", "1 entries of"),
    (reorder, "chains", Outcome.FAIL, "reordered", "reordered"),
    (duplicate, "chains", Outcome.FAIL, "repeated", "repeated"),
    (backdate, "cosignatures", Outcome.INCOMPLETE, "backdated", ""),
    (truncate, "consistency", Outcome.FAIL, "the end was cut off", "the end was cut off"),
    (fork, "consistency", Outcome.FAIL, "two histories", "two histories"),
    (replay, "registration", Outcome.FAIL, "another event's", "as the log of this event"),
    (swap_key, "keys", Outcome.INCOMPLETE, "edge-1 has another key", "edge-1 has another key"),
    (step_clock, "clocks", Outcome.INCOMPLETE, "edge-2 jumped by -5000 ms", ""),
    (silence, "silence", Outcome.INCOMPLETE, "edge-2 said nothing", ""),
    (insert_change, "times", Outcome.INCOMPLETE, "the change limit of operator", ""),
    (alter_rehearsal, "registration", Outcome.INCOMPLETE, "rehearsed", ""),
    (alter_code, "verdict", Outcome.FAIL, "was registered before the doors", ""),
    (forge_probe, "chains", Outcome.FAIL, "not signed by probe-paper", "not signed by probe-paper"),
    (fabricate_flood, "physics", Outcome.FAIL, "connections were opened", ""),
    (leave_out_receipts, "receipts", Outcome.FAIL, "and it was left out", ""),
]


def steps(tampered: Tampered, folder: Path) -> list[Step]:
    log = written(folder, tampered.entries, key=tampered.key)
    return list(
        verify(source(str(log)), Trust(LOG_KEY, POLICY, tampered.seen, receipts=tampered.shown), tampered.judge)
    )


def mini(tampered: Tampered, folder: Path) -> subprocess.CompletedProcess[str]:
    seen = [folder / f"seen-{number}" for number, _ in enumerate(tampered.seen)]
    for path, note in zip(seen, tampered.seen, strict=True):
        path.write_bytes(note)
    flags = [flag for path in seen for flag in ("--seen", str(path))]
    command = [sys.executable, "-I", str(MINI), str(folder), "--key", str(LOG_KEY), *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_p9_there_are_the_sixteen_kinds_of_the_reference_and_receipts_left_out() -> None:
    assert len(KINDS) == 16 + 1


def test_p9_nobody_is_accused_of_an_evening_that_was_not_touched(tmp_path: Path) -> None:
    whole = evening(has={"passive_opens": 10}).go_on(20)
    whole.say("witness", "verdict", verdict(whole))
    found = steps(Tampered(whole.go_on(20).entries, whole.notes), tmp_path)
    assert [
        step for step in found if step.outcome is not Outcome.PASS and step.name not in {"timestamps", "probes"}
    ] == []
    done = mini(Tampered(whole.entries, whole.notes), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("kind", "name", "outcome", "words", "small"), KINDS, ids=lambda each: getattr(each, "__name__", "")
)
def test_p9_each_kind_is_detected_and_named(
    kind: Kind, name: str, outcome: Outcome, words: str, small: str, tmp_path: Path
) -> None:
    tampered = kind()
    found = steps(tampered, tmp_path)
    assert any(step.name == name and step.outcome is outcome and words in step.found for step in found), found
    if small:
        done = mini(tampered, tmp_path)
        assert done.returncode == {Outcome.FAIL: 1, Outcome.INCOMPLETE: 2}[outcome], done.stderr
        assert small in done.stdout


def test_p9_a_verdict_that_is_not_the_one_of_the_entries_fails(tmp_path: Path) -> None:
    whole = evening()
    whole.say("witness", "verdict", verdict(whole) | {"digest": "0" * 64})
    assert "the log says" in steps(Tampered(whole.entries), tmp_path)[-1].found


def test_p9_what_was_told_while_it_went_on_and_turned_out_otherwise_is_named(tmp_path: Path) -> None:
    whole = evening()
    told = len(whole.entries)
    whole.say("witness", "verdict", verdict(whole, label="attack", final=False))
    whole.go_on(10)
    whole.say("witness", "verdict", verdict(whole))
    found = steps(Tampered(whole.entries), tmp_path)
    assert named("live", found) == [
        (Outcome.PASS, f"entry {told} said firmly attack while it went on; the last verdict is own")
    ]


def test_p9_a_log_that_was_left_is_compared_with_the_newest_verdict_it_has(tmp_path: Path) -> None:
    whole = evening()
    live = verdict(whole, final=False) | {"digest": f"{len(whole.entries):064x}"}
    whole.say("witness", "verdict", live)
    (found,) = named("verdict", steps(Tampered(whole.go_on(5).entries), tmp_path))
    so_far = f"as the log says of its first {live['size']} entries; it has no last one"
    assert found == (Outcome.INCOMPLETE, f"attack, {live['digest']}, {so_far}")


@pytest.mark.parametrize("wrong", [{"size": 0}, {"size": 10**9}, {"label": None}, {"digest": 1}])
def test_a_verdict_on_anything_but_the_entries_before_it_fails(wrong: dict[str, Any], tmp_path: Path) -> None:
    whole = evening()
    whole.say("witness", "verdict", verdict(whole) | wrong)
    assert named("verdict", steps(Tampered(whole.entries), tmp_path))[-1][0] is Outcome.FAIL


def test_p9_corrections_of_the_operator_are_told_and_those_of_others_are_not(tmp_path: Path) -> None:
    whole = evening()
    whole.say("witness", REGISTERED, {"processes": {"operator": {"key": whole.chain("operator").key}}})
    body = {"conversation": "evening", "entry": 2, "text": "It was no attack."}
    correction = len(whole.entries)
    whole.say("operator", "correction", body)
    whole.say("edge-1", "correction", body)
    found = steps(Tampered(whole.entries), tmp_path)
    assert named("corrections", found) == [
        (Outcome.PASS, f"entry {correction} corrects entry 2: It was no attack.")
    ]
    whole.say("operator", "correction", body | {"entry": 10**9})
    (tmp_path / "other").mkdir()
    assert "corrects nothing" in steps(Tampered(whole.entries), tmp_path / "other")[-1].found


def verdict(whole: Evening, *, label: str = "own", final: bool = True) -> dict[str, Any]:
    """On all that was said so far."""
    size = len(whole.entries)
    return {"size": size, "final": final, "label": label, "firm": True, "digest": f"{size:064}"}


def named(name: str, found: list[Step]) -> list[tuple[Outcome, str]]:
    return [(step.outcome, step.found) for step in found if step.name == name]


def test_p9_the_honest_negative_who_controls_every_observer_and_attacks_himself_passes(tmp_path: Path) -> None:
    """Nothing here is false but the intention: real connections, real bytes, by the operator's own machines."""
    staged = evening(has={"passive_opens": 100_000})
    staged.more = {"accepts": 2_000}
    staged.kernel_grows = {"passive_opens": 2_000}
    found = steps(Tampered(staged.go_on(30).entries), tmp_path)
    assert Outcome.FAIL not in {step.outcome for step in found}
    assert {step.name for step in found if step.outcome is not Outcome.PASS} == {"timestamps", "probes"}
