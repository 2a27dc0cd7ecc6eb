"""Evidence of a process: chained, signed, kept while the bus is away, bounded, and without any person in it."""

from contextlib import ExitStack
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rostra.core.messages import EdgeReport
from rostra.evidence.chain import Chain
from rostra.evidence.emitter import Emitter
from rostra.evidence.spool import Spool
from rostra.evidence.testimony import RECORD
from rostra.evidence.told import told
from rostra.evidence.vitals import vitals
from rostra.verifier.canonical import canonical
from rostra.verifier.entry import FIRST, entry_digest, parse_entry
from rostra.verifier.tiles import ENTRY_BYTES_MAX

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def chain() -> Chain:
    return Chain("edge-1", PRIVATE, clock_ns=lambda: 1_723_500_000_000_000_000, steady_ns=lambda: 5_000_000)


def drained(spool: Spool) -> list[bytes]:
    entries = []
    while (entry := spool.oldest()) is not None:
        entries.append(entry)
        spool.taken()
    return entries


def test_each_entry_follows_the_one_before(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    emitter = Emitter(chain(), spool)
    for number in range(3):
        emitter.say(RECORD, {"number": number})
    entries = drained(spool)
    parsed = [parse_entry(entry).entry for entry in entries]
    assert [(each.seq, each.body) for each in parsed] == [(n, {"number": n}) for n in range(3)]
    assert [each.prev for each in parsed] == [FIRST, entry_digest(entries[0]), entry_digest(entries[1])]


def test_what_waits_outlives_the_process_and_is_gone_once_it_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "evidence" / "edge-1.spool"
    spool = Spool(path)
    emitter = Emitter(chain(), spool)
    emitter.say(RECORD, {"number": 1})
    emitter.keep()
    waiting = Spool(path)
    assert len(waiting) == 1
    assert drained(waiting) == drained(spool)
    assert not path.exists()


def test_a_spool_that_was_cut_off_is_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    spool = Spool(path)
    spool.offer(b"entry")
    spool.keep()
    path.write_bytes(path.read_bytes()[:-1])
    assert len(Spool(path)) == 0


def test_a_full_spool_refuses_and_the_chain_goes_on_whole_and_says_so(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    emitter = Emitter(chain(), spool)
    emitter.say(RECORD, {"number": 0})
    while spool.offer(bytes(1 << 15)):
        pass
    assert spool.lost == 1
    emitter.say(RECORD, {"padding": "x" * (1 << 15)})
    first = spool.oldest()
    assert first is not None
    drained(spool)
    emitter.say(RECORD, {"number": 2})
    (last,) = drained(spool)
    entry = parse_entry(last).entry
    assert entry.body == {"number": 2, "unsaid": 2}
    assert (entry.seq, entry.prev) == (1, entry_digest(first))


def test_what_is_too_long_for_a_log_is_not_kept_and_the_next_entry_says_so(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    emitter = Emitter(chain(), spool)
    assert not emitter.say(RECORD, {"padding": "x" * ENTRY_BYTES_MAX})
    assert emitter.say(RECORD, {})
    assert emitter.keep()
    (entry,) = [parse_entry(each).entry for each in drained(spool)]
    assert (entry.seq, entry.body) == (0, {"unsaid": 1})


def test_what_is_told_has_no_fractions_and_nobody_in_it() -> None:
    report = EdgeReport(
        edge="edge-1",
        url="https://listen.example.org",
        at_ns=1,
        listeners={"evening": 12},
        capacity=20_000,
        cadence_ms=100,
        write_share=0.123_456_7,
        seen=b"who asked",
        several={"0011223344556677": 2},
        waiting=[[(1, 2, 3)], []],
    )
    body = told(report)
    canonical(body)
    assert body["write_share_u"] == 123_457
    assert body["listeners"] == {"evening": 12}
    assert not {"seen", "several", "waiting", "url", "type", "edge"} & body.keys()
    assert told(None) == {}


def test_what_the_kernel_counts_is_read_without_any_right() -> None:
    before, after = vitals(), vitals()
    canonical(after)
    for name in ("cpu_user_us", "segments_in", "syn_cookies_sent", "accept_queue_overflows", "nic_bytes_in"):
        one, other = before[name], after[name]
        assert isinstance(one, int)
        assert isinstance(other, int)
        assert 0 <= one <= other
    with ExitStack() as files:
        for _ in range(10):
            files.enter_context(Path("/dev/null").open("rb"))
        more = vitals()
    if "descriptors" in after:  # Linux 6.2
        assert more["descriptors"] == after["descriptors"] + 10  # type: ignore[operator]


def test_a_kernel_that_tells_less_is_not_guessed_at(tmp_path: Path) -> None:
    found = vitals(tmp_path, tmp_path)
    assert set(found) == {"cores", "cpu_user_us", "cpu_system_us", "waited_for_cpu"}


def test_what_a_container_is_kept_from_is_told(tmp_path: Path) -> None:
    (tmp_path / "cpu.stat").write_text("nr_periods 10\nnr_throttled 3\nthrottled_usec 77\n")
    found = vitals(tmp_path, tmp_path)
    assert found["cpu_periods_throttled"] == 3
    assert found["cpu_throttled_us"] == 77
