"""The `rostra` command: every subcommand's arguments and exit codes (see `app`)."""

from rostra.cli import (
    conversations,
    evidence,
    keys,
    operate,
    people,
    probe,
    recordings,
    rehearse,
    shield,
    sound,
    witness,
)
from rostra.cli.app import main

__all__ = [
    "conversations",
    "evidence",
    "keys",
    "main",
    "operate",
    "people",
    "probe",
    "recordings",
    "rehearse",
    "shield",
    "sound",
    "witness",
]
