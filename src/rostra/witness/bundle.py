"""A log as one file, for whoever wants to check it somewhere else."""

import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from rostra import disk
from rostra.core.errors import BadInputError
from rostra.verifier.checks.capacity import CERTIFICATES
from rostra.verifier.errors import FlawError
from rostra.verifier.log import KEY
from rostra.verifier.note import parse_key
from rostra.verifier.tiles import CHECKPOINT, TILE_HEIGHT, bundle_path, tile_path, widths
from rostra.witness.ledger import signed_checkpoint
from rostra.witness.single_file import FILE, single_file


def export(
    ledger: Path, bundle: Path, *, with_program: bool = True, also: Mapping[str, bytes] = MappingProxyType({})
) -> int:
    """Write what the checkpoint of `ledger` covers to `bundle` (.tar.xz); equal logs give equal files.

    The file brings the program that checks it, `with_program`; whoever does not believe the file takes that from
    elsewhere. `also` are further files, by their names. Returns the number of entries. BadInputError if there is no
    checkpoint, or a file is missing.
    """
    made = disk.unfinished(bundle)
    try:
        key = parse_key((ledger / KEY).read_text(encoding="utf-8"))
        checkpoint = signed_checkpoint(ledger, origin=key.name, key=key)
        if checkpoint is None:
            raise BadInputError(f"{ledger.name} has no checkpoint yet: the first one comes within ten seconds.")
        with tarfile.open(made, "w:xz") as archive:
            made_here = {FILE: single_file().encode(), **also} if with_program else also
            beside = sorted(f"{path.parent.name}/{path.name}" for path in ledger.glob(f"{CERTIFICATES}/*"))
            for name in (*made_here, KEY, CHECKPOINT, *beside, *_names(checkpoint.size)):
                data = made_here[name] if name in made_here else (ledger / name).read_bytes()
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        disk.finish(made, bundle)
    except (OSError, FlawError) as error:
        made.unlink(missing_ok=True)
        raise BadInputError(f"The ledger {ledger.name} cannot be exported: {error}") from error
    return checkpoint.size


def _names(size: int) -> Iterator[str]:
    for index, width in widths(size):
        yield bundle_path(index, width)
    level = 0
    while size >> TILE_HEIGHT * level:
        yield from (tile_path(level, index, width) for index, width in widths(size, level))
        level += 1
