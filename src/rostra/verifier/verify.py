"""Checks a log step by step, as a stranger would; each step says what was found and whether it is as it must be."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Final, NamedTuple

from cryptography import x509

from rostra.verifier.checks.capacity import Capacity
from rostra.verifier.checks.clocks import Clocks, Silence, Times, told
from rostra.verifier.checks.history import History
from rostra.verifier.checks.judgement import Judge, Judgement
from rostra.verifier.checks.outsiders import Cosignatures, Stamps
from rostra.verifier.checks.physics import Physics
from rostra.verifier.checks.probes import Probes
from rostra.verifier.checks.receipts import Receipts, Shown
from rostra.verifier.checks.registration import Registration
from rostra.verifier.entry import OPENED, Chains, Entry, parse_entry
from rostra.verifier.errors import FlawError
from rostra.verifier.log import Log, named_key, open_log
from rostra.verifier.note import NoteKey
from rostra.verifier.policy import Policy
from rostra.verifier.signatures import BESIDE_MIN, AtOnce, Beside, Signatures
from rostra.verifier.source import Source
from rostra.verifier.step import Check, Outcome, Step
from rostra.verifier.tree import Tree

_CHAINS: Final = "chains"


class Trust(NamedTuple):
    """What a reader brings: nothing of it can come from the log itself."""

    key: NoteKey | None = None  # of the log; without one, its own word is taken for it
    policy: Policy | None = None  # whose cosignatures count
    seen: Sequence[bytes] = ()  # checkpoints of this log that somebody kept elsewhere
    authorities: Sequence[x509.Certificate] = ()  # whose time stamps count
    receipts: Sequence[Shown] = ()  # that listeners saved


def verify(source: Source, trust: Trust = Trust(), judge: Judge | None = None) -> Iterator[Step]:  # noqa: B008 # a value
    """Every step until one fails."""
    name = "signature"
    try:
        named = named_key(source)
        known = trust.key or (trust.policy.logs.get(named.name) if trust.policy else None)
        log = open_log(source, known or named)
        whose = f"{log.key.name}, {log.key.id.hex()}"
        if known is None:
            yield Step(Outcome.INCOMPLETE, name, f"signed by the key that the log itself names ({whose})")
        else:
            yield Step(Outcome.PASS, name, f"signed by {whose}")
        name = "inclusion"
        tree = log.tree()
        yield Step(Outcome.PASS, name, f"{len(tree)} entries are under the root that was signed")
    except FlawError as flaw:
        yield Step(Outcome.FAIL, name, str(flaw))
        return
    with closing(Beside() if len(tree) >= BESIDE_MIN else AtOnce()) as signatures:
        yield from _read(log, tree, trust, judge, signatures)


def _read(log: Log, tree: Tree, trust: Trust, judge: Judge | None, signatures: Signatures) -> Iterator[Step]:
    """Put every check to every entry, once, in order."""
    name = _CHAINS
    try:
        opened = _opened(log)
        witness = opened.who
        chains = Chains(witness, log.key.key, signatures)
        name = Registration.name
        registration = Registration(witness, opened, log.key.name.rpartition("/")[2])
        history = History(log, tree, witness, trust.seen)
        probes = Probes(registration, chains.keys)
        checks: Sequence[Check] = (
            history,
            Cosignatures(log, witness, trust.policy, history, registration),
            Stamps(log, tree, witness, trust.authorities, registration),
            Clocks(),
            Times(witness),
            Silence(witness),
            registration,
            Capacity(log.source, registration),
            Physics(),
            probes,
            Receipts(registration.conversation, probes, chains.keys, trust.receipts),
            Judgement(log, witness, judge, registration),
        )
        for index, data in enumerate(log.entries()):
            name = _CHAINS
            sealed = parse_entry(data)
            chains.take(sealed)
            for check in checks:
                name = check.name
                check.take(index, sealed.entry)
        name = _CHAINS
        signatures.settle()
        yield from _chained(chains)
        for check in checks:
            name = check.name
            yield from check.steps()
    except FlawError as flaw:
        yield _first_flaw(Step(Outcome.FAIL, name, str(flaw)), signatures)


def _first_flaw(step: Step, signatures: Signatures) -> Step:
    """A false signature, where there is one: what was found in such an entry, or behind it, means nothing."""
    try:
        signatures.settle()
    except FlawError as flaw:
        return Step(Outcome.FAIL, _CHAINS, str(flaw))
    return step


def _opened(log: Log) -> Entry:
    first = next(log.entries(), None)
    if first is None or (opened := parse_entry(first).entry).kind != OPENED:
        raise FlawError("The log does not begin with what its witness says of it.")
    return opened


def _chained(chains: Chains) -> Iterator[Step]:
    yield Step(Outcome.PASS, _CHAINS, f"{len(chains.keys)} processes signed what they said, in order")
    swapped = [f"{who} has another key since entry {index} of the log" for who, index in chains.swapped]
    missing = [
        f"{gap.missing} entries of {gap.who} are missing before entry {gap.before} of the log"
        for gap in chains.gaps
    ]
    yield from told("keys", swapped)
    yield from told("gaps", missing)
    if not missing:
        yield Step(Outcome.PASS, "gaps", "no entry is missing")
