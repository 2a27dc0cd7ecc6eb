"""`rostra recording`: what has been recorded, and deleting it. Works on the data folder, running or not."""

import getpass
import time
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from rostra.cli.app import ConversationId, JsonFlag, app, out, print_json
from rostra.config import read_settings
from rostra.core.conversation import parse_timezone
from rostra.core.errors import BadInputError
from rostra.recorder import archive

_recording = typer.Typer(no_args_is_help=True)
app.add_typer(_recording, name="recording", help="What has been recorded, and deleting it.")


@_recording.command("list")
def list_command(as_json: JsonFlag = False) -> None:
    """Every recording, with what is missing in it."""
    found = [archive.listed(folder) for folder in archive.folders(read_settings().recordings)]
    if as_json:
        print_json(found)
        return
    table = Table("conversation", "title", "began", "length", "missing", "size", title="Recordings")
    for each in found:
        table.add_row(each.id, *_row(each), f"{each.bytes / 1e6:.1f} MB")
    out.print(table)


@_recording.command("show")
def show_command(conversation: ConversationId, as_json: JsonFlag = False) -> None:
    """One recording: chapters, speakers, gaps, files."""
    folder = archive.find(read_settings().recordings, conversation)
    each = archive.listed(folder)
    if as_json:
        print_json(each)
        return
    title, began, length, missing = _row(each)
    if (manifest := each.manifest) is None:
        out.print(f"{conversation}, {began}: {each.bytes / 1e6:.1f} MB in {folder}.")
        return
    out.print(f"[bold]{title}[/], {began}, {length}, missing: {missing}. In {folder}.")
    for chapter in manifest.chapters:
        out.print(f"  {_clock(chapter.start_time)}  {chapter.title}")
    for gap in manifest.gaps:
        out.print(f"  [red]{gap.seconds:.1f} s are missing at {_clock(max(0.0, gap.at_s))}[/] ({gap.because})")
    for voice in manifest.voices:
        out.print(f"  {voice.sentence}", highlight=False, markup=False)
        for hop in voice.hops:
            counts = ", ".join(f"{name} {value:g}" for name, value in hop.counts.items() if value)
            out.print(f"    {_clock(max(0.0, hop.from_s))} {hop.hop}: {counts}", highlight=False, markup=False)
    for name, file in manifest.files.items():
        out.print(f"  {file.bytes:>12,}  {file.sha256[:16]}  {name}")


@_recording.command("delete")
def delete_command(
    conversation: ConversationId,
    why: Annotated[str, typer.Option(help="The reason, which is kept for ever.", prompt="Why")],
    who: Annotated[str | None, typer.Option(help="Who decided it. Default: who is logged in.")] = None,
) -> None:
    """Remove a recording for good; that it was removed, by whom and why, is kept."""
    if not why.strip():
        raise BadInputError("Say why: a deletion is recorded with its reason.")
    stone = archive.delete(
        read_settings().recordings,
        conversation,
        who=who or _login(),
        why=why.strip(),
        now_ns=time.time_ns(),
    )
    out.print(f"{conversation} is deleted: {stone.files} files, {stone.bytes / 1e6:.1f} MB.")


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # a container's user need not have a name
        raise BadInputError("Say who: a deletion is recorded with the name of who decided it (--who).") from error


def _row(listed: archive.Listed) -> tuple[str, str, str, str]:
    """Title, beginning, length and what is missing."""
    if (manifest := listed.manifest) is None:
        return "", "damaged (see `rostra fsck`)" if listed.damaged else "not finished", "", ""
    began = datetime.fromtimestamp(manifest.begins_ms / 1000, parse_timezone(manifest.timezone))
    missing_s = sum(gap.seconds for gap in manifest.gaps)
    missing = f"{missing_s:.1f} s in {len(manifest.gaps)} gaps" if manifest.gaps else "nothing"
    return manifest.title, f"{began:%Y-%m-%d %H:%M:%S %Z}", _clock(manifest.seconds), missing


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
