"""What anybody may ask of an evening: had there been no attack, no crowd, no fault, or had a limit been another."""

from dataclasses import dataclass
from typing import Final

from rostra.verdict.replay import AS_IT_WAS, UNCHANGED, Cap, World

_WITHOUT: Final = {"no-attack": "attack", "no-crowd": "demand", "no-fault": "own", "no-dependency": "external"}
_CAPS: Final = {"limit": "listeners", "joins_hz": "joins_hz"}
_NUMBER_MAX: Final = 10**9


class WhatIfError(ValueError):
    """The question cannot be understood; the text says what can be asked."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """`world` are the causes that are left; `cap` are limits of each edge that are to hold instead of its own."""

    text: str
    world: World = AS_IT_WAS
    cap: Cap = UNCHANGED


def parse(text: str) -> WhatIf:
    """`no-attack,limit=2800`: the parts in any order. WhatIfError for anything else."""
    world, cap = AS_IT_WAS, UNCHANGED
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        if name in _WITHOUT and not equals:
            world = world._replace(**{_WITHOUT[name]: False})
        elif name in _CAPS and value.isascii() and value.isdecimal() and int(value[:11]) <= _NUMBER_MAX:
            cap = cap._replace(**{_CAPS[name]: float(int(value[:11]))})
        else:
            known = ", ".join([*_WITHOUT, *(f"{each}=NUMBER" for each in _CAPS)])
            raise WhatIfError(f"{part.strip()[:40]!r} cannot be asked; what can: {known}.")
    return WhatIf(text, world, cap)
