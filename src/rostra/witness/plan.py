"""What the witness writes down before the doors open: limits, what was rehearsed, who judges and how. Pure."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from rostra.verifier.canonical import Json

WAIT_S: Final = 10  # after the log has begun: by then every process that runs has been heard
_OF_PROCESS: Final = ("key", "configuration", "machine")


class Policy(NamedTuple):
    """What the witness goes by: the digest of the verdict's code, its own key, whose signatures it asks for."""

    verdict: str
    key: str
    witnesses: str = ""  # the policy's text (C2SP tlog-policy); empty: nobody else's
    probes: tuple[str, ...] = ()  # verifier keys of those who look from outside
    expected_listeners: int | None = None  # None: nobody said


def certificate_of(identity: Mapping[str, Any]) -> str | None:
    """SHA-256 of the certificate by which an edge says that it was rehearsed."""
    rehearsed = identity.get("rehearsed")
    digest = rehearsed.get("certificate") if isinstance(rehearsed, dict) else None
    return digest if isinstance(digest, str) else None


def plan(identities: Mapping[str, Mapping[str, Any]], policy: Policy) -> dict[str, Json]:
    """Of what processes say who they are. Commands of operators, which come and go, are no part of it."""
    processes = {who: said for who, said in sorted(identities.items()) if "versions" in said}
    limits = {who: said["limits"] for who, said in processes.items() if "limits" in said}
    return {
        "processes": {
            who: {"code": said["versions"].get("code"), **{name: said.get(name) for name in _OF_PROCESS}}
            for who, said in processes.items()
        },
        "limits": limits,
        "capacity": {
            who: said.get("rehearsed", {}) | {name: value for name, value in limit.items() if name == "egress_bps"}
            for who, limit in limits.items()
            for said in (processes[who],)
        },
        "verdict": policy.verdict,
        "witness": {"key": policy.key, "policy": policy.witnesses},
        "probes": list(policy.probes),
        "expected": {} if policy.expected_listeners is None else {"listeners": policy.expected_listeners},
    }
